// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What ends the wait of the worker's thread: an edge, a wake-up, and the time, also where that is a part of a
// millisecond; with an epoll set, and without one.

#include <interlock/detail/closing/edge_set.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"

using interlock::detail::edge_set;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using clock_type = interlock::detail::sys::clock;
using duration = clock_type::duration;

namespace {

constexpr duration without_end = duration::max();

struct fixture
{
  edge_set edges;
  support::ends pair = support::tcp_ends();
  int tag = 0;

  /// Without a set of the kernel's where no descriptor is left for one.
  void open(bool with_set = true)
  {
    std::optional<support::no_more_descriptors> none;
    if (!with_set)
    {
      support::fd spare(::dup(0));
      none.emplace(spare.get());
    }
    BOOST_TEST_REQUIRE(edges.open());
    if (!with_set)
      BOOST_TEST_REQUIRE(!edges.add(pair.near.get(), false, &tag));
  }

  /// Whether a wait ends with the edge of the pair.
  bool has_edge(duration time)
  {
    void* tags[edge_set::most];
    const std::size_t count = edges.wait(time, tags);
    BOOST_TEST(count <= 1U);
    return count == 1 && tags[0] == &tag;
  }

  duration time_of_wait(duration time)
  {
    const auto begun = clock_type::now();
    BOOST_TEST(!has_edge(time));
    return clock_type::now() - begun;
  }

  /// Other load can make a wait longer, not all of them.
  duration shortest_of_many(duration time)
  {
    duration shortest = without_end;
    for (int i = 0; i != 50; ++i)
      shortest = std::min(shortest, time_of_wait(time));
    return shortest;
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_edge_set)

BOOST_FIXTURE_TEST_CASE(an_edge_ends_a_wait_once, fixture)
{
  open();
  BOOST_TEST(edges.add(pair.near.get(), false, &tag));
  BOOST_TEST(has_edge(without_end));
  BOOST_TEST(!has_edge(duration::zero()));
  edges.remove(pair.near.get());
}

BOOST_FIXTURE_TEST_CASE(an_edge_ends_a_wait_for_a_part_of_a_millisecond, fixture)
{
  open();
  BOOST_TEST(edges.add(pair.near.get(), false, &tag));
  BOOST_TEST(has_edge(microseconds(999)));
  BOOST_TEST(!has_edge(microseconds(1)));
  edges.remove(pair.near.get());
}

BOOST_AUTO_TEST_CASE(a_wake_up_ends_a_wait_without_end)
{
  for (const bool with_set : {true, false})
  {
    fixture f;
    f.open(with_set);
    std::thread waker([&] { f.edges.wake(); });
    BOOST_TEST(!f.has_edge(without_end));
    waker.join();
  }
}

BOOST_AUTO_TEST_CASE(a_part_of_a_millisecond_is_kept_to_and_more_is_rounded_up)
{
  for (const bool with_set : {true, false})
  {
    fixture f;
    f.open(with_set);
    const duration shortest = f.shortest_of_many(microseconds(100));
    BOOST_TEST((shortest >= microseconds(100)));
    BOOST_TEST((shortest < milliseconds(1)));
    BOOST_TEST((f.time_of_wait(microseconds(1100)) >= microseconds(1100)));
  }
}

BOOST_AUTO_TEST_SUITE_END()
