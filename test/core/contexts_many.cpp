// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Many contexts in one process: only those that close have a thread of the library, and each of them has one.

#include <interlock/close_mode.hpp>
#include <interlock/close_report.hpp>
#include <interlock/local/stream_protocol.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <utility>

#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include "support/census.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/loop.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::close_mode;
using interlock::close_report;
using local = interlock::local::stream_protocol;

namespace {

constexpr std::size_t siblings = 64;
constexpr std::size_t objects_of_each = 4;

struct sibling
{
  asio::io_context context;
  std::deque<local::socket> objects;
  std::deque<support::fd> peers;
  std::size_t closed = 0;

  sibling()
  {
    for (std::size_t i = 0; i != objects_of_each; ++i)
    {
      support::ends pair = support::unix_ends();
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
    const auto has_end = [](const support::fd& peer)
    {
      char next = 0;
      return ::recv(peer.get(), &next, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
    };
    return support::wait_until([&] { return std::all_of(peers.begin(), peers.end(), has_end); });
  }

  bool all_closed()
  {
    return support::turn(context), closed == objects_of_each;
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
    return support::wait_until([count] { return support::count_workers() == count; });
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_contexts_many, fixture)

BOOST_AUTO_TEST_CASE(contexts_that_do_not_close_have_no_thread)
{
  for (sibling& s : contexts)
    s.objects.front().close();
  BOOST_TEST(support::count_workers() == 0U);
}

// Deliveries of several objects, which go on until their peers have closed.
BOOST_AUTO_TEST_CASE(a_context_that_closes_has_one_thread_whatever_its_siblings)
{
  contexts.front().close_all();
  BOOST_TEST(contexts.front().all_seen());
  BOOST_TEST(support::count_workers() == 1U);
  contexts.back().close_all();
  BOOST_TEST(contexts.back().all_seen());
  BOOST_TEST(support::count_workers() == 2U);
  for (sibling* s : {&contexts.front(), &contexts.back()})
  {
    s->peers.clear();
    BOOST_TEST(support::wait_until([s] { return s->all_closed(); }));
  }
  BOOST_TEST(support::count_workers() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
