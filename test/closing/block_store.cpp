// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Memory that objects have left for the next objects of their context.

#include <interlock/detail/closing/block_store.hpp>
#include <interlock/detail/closing/context_state.hpp>

#include <cstddef>
#include <new>
#include <thread>

#include <boost/test/unit_test.hpp>

using interlock::detail::block_store;
using interlock::detail::context_state;

namespace {

constexpr std::size_t small = 64;
constexpr std::size_t large = 128;
constexpr std::size_t many = 100;

} // namespace

BOOST_AUTO_TEST_SUITE(test_block_store)

BOOST_AUTO_TEST_CASE(an_empty_store_has_no_block)
{
  block_store store;
  BOOST_TEST(store.take(small) == nullptr);
  BOOST_TEST(store.count() == 0u);
}

BOOST_AUTO_TEST_CASE(a_block_is_found_by_its_size)
{
  block_store store;
  void* const first = ::operator new(small);
  void* const second = ::operator new(large);
  void* const third = ::operator new(small);
  BOOST_TEST(store.put(first, small, many));
  BOOST_TEST(store.put(second, large, many));
  BOOST_TEST(store.put(third, small, many));
  BOOST_TEST(store.count() == 3u);
  BOOST_TEST(store.take(large) == second);
  BOOST_TEST(store.take(large) == nullptr);
  BOOST_TEST(store.take(small) == third);
  BOOST_TEST(store.take(small) == first);
  BOOST_TEST(store.count() == 0u);
  for (void* const block : {first, second, third})
    ::operator delete(block);
}

BOOST_AUTO_TEST_CASE(a_full_store_takes_no_block)
{
  block_store store;
  void* const first = ::operator new(small);
  void* const second = ::operator new(small);
  BOOST_TEST(!store.put(first, small, 0));
  BOOST_TEST(store.put(first, small, 1));
  BOOST_TEST(!store.put(second, small, 1));
  BOOST_TEST(store.count() == 1u);
  ::operator delete(second);
  // The store frees what is left in it.
}

// A program that has had many sockets of one type goes on with those of another.
BOOST_AUTO_TEST_CASE(a_full_store_changes_blocks_of_one_size_for_those_of_another)
{
  constexpr std::size_t most = 4;
  block_store store;
  for (std::size_t i = 0; i != most; ++i)
    BOOST_TEST(store.put(::operator new(large), large, most));
  for (std::size_t i = 0; i != most / 2; ++i)
    BOOST_TEST(store.put(::operator new(small), small, most));
  void* const refused = ::operator new(small);
  BOOST_TEST(!store.put(refused, small, most));
  BOOST_TEST(store.count() == most);
  ::operator delete(refused);
  for (const std::size_t size : {small, large})
    for (std::size_t i = 0; i != most / 2; ++i)
    {
      void* const block = store.take(size);
      BOOST_TEST_REQUIRE(block != nullptr);
      ::operator delete(block);
    }
  BOOST_TEST(store.count() == 0u);
}

BOOST_AUTO_TEST_CASE(a_size_that_is_not_used_any_more_gives_way)
{
  block_store store;
  for (std::size_t i = 1; i != 3 * block_store::sizes; ++i)
  {
    const std::size_t size = i * small;
    void* const block = ::operator new(size);
    BOOST_TEST(store.put(block, size, many));
    BOOST_TEST(store.count() <= block_store::sizes);
    BOOST_TEST(store.take(size) == block);
    BOOST_TEST(store.put(block, size, many));
  }
  BOOST_TEST(store.count() == block_store::sizes);
}

// Its other part of the context may be another thread's.
BOOST_AUTO_TEST_CASE(a_block_that_another_thread_has_put_is_found)
{
  if (interlock::detail::sys::kept_blocks == 0)
  {
    BOOST_TEST_MESSAGE("no blocks are kept where uses of freed memory are looked for");
    return;
  }
  context_state shared;
  void* const block = ::operator new(small);
  std::thread([&] { BOOST_TEST(shared.put_block(block, small)); }).join();
  BOOST_TEST(shared.take_block(large) == nullptr);
  BOOST_TEST(shared.take_block(small) == block);
  BOOST_TEST(shared.take_block(small) == nullptr);
  ::operator delete(block);
  shared.shut_down({});
}

BOOST_AUTO_TEST_SUITE_END()
