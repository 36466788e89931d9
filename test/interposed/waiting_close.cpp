// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A close that waits for its peer takes 512 bytes of memory at most, all in all: thousands of them
// wait at once.

#define BOOST_TEST_MODULE interlock_waiting_close
#include <boost/test/unit_test.hpp>

#include <interlock/close_mode.hpp>
#include <interlock/local/stream_protocol.hpp>

#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>

#include "support/allocation_hook.hpp"
#include "support/descriptor_pairs.hpp"

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::close_mode;
using interlock::close_report;
using local = interlock::local::stream_protocol;

namespace {

constexpr long budget = 512;
constexpr std::size_t closes = 64;

/// The memory that all strands of a context share, of which every new one may take another piece.
void warm_strands(asio::io_context& context)
{
  for (int i = 0; i != 10000; ++i)
    asio::make_strand(context);
}

/// Sockets whose peers do not read what has been sent.
struct waiting_closes
{
  waiting_closes(asio::io_context& context, std::size_t count)
  {
    for (std::size_t i = 0; i != count; ++i)
    {
      support::ends pair = support::unix_ends();
      BOOST_TEST(support::fill(pair.near.get()) > 0u);
      near.emplace_back(context, local(), pair.near.release());
      far.push_back(std::move(pair.far));
    }
  }

  /// With a handler of the size of a pointer, which counts as well.
  void begin()
  {
    for (local::socket& s : near)
      s.async_close(close_mode::deliver(std::chrono::hours(1)),
        [this](error_code, const close_report&) { ++called; });
  }

  std::vector<local::socket> near;
  std::vector<support::fd> far;
  std::size_t called = 0;
};

} // namespace

BOOST_AUTO_TEST_CASE(a_close_that_waits_keeps_to_its_budget)
{
  asio::io_context context;
  warm_strands(context);
  waiting_closes first(context, 1);
  first.begin();
  context.poll();

  waiting_closes others(context, closes);
  const long before = support::live_bytes();
  others.begin();
  context.poll();
  const long each = (support::live_bytes() - before) / long(closes);
  BOOST_TEST_MESSAGE("a close that waits takes " << each << " bytes");
  BOOST_TEST(each > 0);
  BOOST_TEST(each <= budget);
  BOOST_TEST(first.called + others.called == 0u);

  first.far.clear();
  others.far.clear();
  context.run();
  BOOST_TEST(first.called + others.called == closes + 1);
}
