// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G9, for want of memory, of closes that are told how: async_close with a mode, by the object and by a
// handle, first or joining. Each allocation is made to fail in turn. What throws has changed nothing;
// what does not is told once, and the descriptor is closed once.

#define BOOST_TEST_MODULE interlock_alloc_failure_modes
#include <boost/test/unit_test.hpp>

#include <interlock/close_handle.hpp>
#include <interlock/close_mode.hpp>
#include <interlock/local/stream_protocol.hpp>

#include <chrono>
#include <cstddef>
#include <utility>

#include <boost/asio/socket_base.hpp>

#include "support/allocation_walk.hpp"
#include "support/closing_socket.hpp"
#include "support/descriptor_pairs.hpp"

namespace asio = boost::asio;
using interlock::close_mode;
using support::attempt;
using support::for_every_allocation;
using support::told;
using support::with_failure;
using scene = support::closing_scene;

namespace {

const close_mode patient = close_mode::deliver(std::chrono::hours(1));

/// The first closer has been told, and the second as well, unless it was refused.
void check_told(const told& first, const told& second, const attempt& of_second)
{
  BOOST_TEST((first.times == 1 && !first.ec));
  BOOST_TEST(second.times == (of_second.threw ? 0 : 1));
  BOOST_TEST((of_second.threw || second.is(first.report.outcome)));
}

} // namespace

BOOST_AUTO_TEST_CASE(a_close_in_a_mode_closes_or_throws)
{
  for (const close_mode mode : {patient, close_mode::immediate(), close_mode::abort()})
    support::walk_over_a_close([mode](auto& s)
      { return [&s, mode](auto handler) { s.object.async_close(mode, std::move(handler)); }; });
}

BOOST_AUTO_TEST_CASE(a_close_in_a_mode_by_a_handle_closes_or_throws)
{
  support::walk_over_a_close(
    [](auto& s)
    {
      return [h = s.object.get_close_handle()](auto handler)
      { h.async_close(patient, std::move(handler)); };
    });
}

BOOST_AUTO_TEST_CASE(a_close_with_a_time_to_linger_closes_or_throws)
{
  support::walk_over_a_close(
    [](auto& s)
    {
      s.object.set_option(asio::socket_base::linger(true, 3600));
      return [&s](auto handler) { s.object.async_close(std::move(handler)); };
    });
}

// The first waits for a peer that does not read.
BOOST_AUTO_TEST_CASE(joining_in_a_mode_throws_or_is_told)
{
  for (const close_mode mode : {patient, close_mode::immediate(), close_mode::abort()})
    for_every_allocation(
      [mode](std::size_t n)
      {
        scene s;
        BOOST_TEST(support::fill(s.object.native_handle()) > 0u);
        told first;
        told second;
        s.object.async_close(patient, s.tally(first.handler()));
        const attempt a = with_failure(
          n, [&] { s.object.async_close(mode, s.tally(second.handler())); });
        s.pair.far.reset();
        s.run_until_ended();
        check_told(first, second, a);
        s.check_closed();
        return a.struck;
      });
}

BOOST_AUTO_TEST_CASE(a_mode_requested_after_the_end_gets_the_outcome_or_throws)
{
  for_every_allocation(
    [](std::size_t n)
    {
      scene s;
      told first;
      told second;
      s.object.async_close(patient, s.tally(first.handler()));
      s.run_until_ended();
      const attempt a = with_failure(
        n, [&] { s.object.async_close(patient, s.tally(second.handler())); });
      s.run_until_ended();
      check_told(first, second, a);
      s.check_closed();
      return a.struck;
    });
}
