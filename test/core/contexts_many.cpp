// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Many contexts in one process: only those that close have a thread of the library, and each of them has one.

#include "support/prelude.hpp"

#include <algorithm>
#include <deque>

using namespace support;
using interlock::close_mode;
using interlock::close_report;

namespace {

constexpr std::size_t siblings = 64;
constexpr std::size_t objects_of_each = 4;

struct sibling
{
  asio::io_context context;
  std::deque<local::socket> objects;
  std::deque<fd> peers;
  std::size_t closed = 0;

  sibling()
  {
    for (std::size_t i = 0; i != objects_of_each; ++i)
    {
      ends pair = unix_ends();
      objects.emplace_back(context, local(), pair.near.release());
      peers.push_back(std::move(pair.far));
    }
  }

  void close_all()
  {
    for (local::socket& s : objects)
      s.async_close(close_mode::graceful(std::chrono::hours(1)),
        [this](error_code ec, close_report) { closed += !ec; });
    context.poll();
  }

  /// Whether each peer has the end of what was sent to it: the close has begun.
  bool all_seen() const
  {
    const auto has_end = [](const fd& peer)
    {
      char next = 0;
      return ::recv(peer.get(), &next, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
    };
    return wait_until([&] { return std::all_of(peers.begin(), peers.end(), has_end); });
  }

  bool all_closed()
  {
    return turn(context), closed == objects_of_each;
  }
};

struct fixture
{
  std::deque<sibling> contexts{siblings};

  fixture()
  {
    BOOST_TEST(have_workers(0)); // of earlier tests
  }

  ~fixture()
  {
    contexts.clear();
    BOOST_TEST(have_workers(0));
  }

  // A worker that has ended is there for a moment.
  static bool have_workers(std::size_t count)
  {
    return wait_until([count] { return count_workers() == count; });
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_contexts_many, fixture)

BOOST_AUTO_TEST_CASE(contexts_that_do_not_close_have_no_thread)
{
  for (sibling& s : contexts)
    s.objects.front().close();
  BOOST_TEST(count_workers() == 0U);
}

// Deliveries of several objects, which go on until their peers have closed.
BOOST_AUTO_TEST_CASE(a_context_that_closes_has_one_thread_whatever_its_siblings)
{
  contexts.front().close_all();
  BOOST_TEST(contexts.front().all_seen());
  BOOST_TEST(count_workers() == 1U);
  contexts.back().close_all();
  BOOST_TEST(contexts.back().all_seen());
  BOOST_TEST(count_workers() == 2U);
  for (sibling* s : {&contexts.front(), &contexts.back()})
  {
    s->peers.clear();
    BOOST_TEST(wait_until([s] { return s->all_closed(); }));
  }
  BOOST_TEST(count_workers() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
