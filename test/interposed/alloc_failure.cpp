// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G9, for want of memory: each allocation of an operation is made to fail in turn. Whatever the
// operation makes of it, the descriptor is closed exactly once, no handler is lost or called twice,
// and nothing leaks.

#define BOOST_TEST_MODULE interlock_alloc_failure
#include <boost/test/unit_test.hpp>

#include <interlock/ip/tcp.hpp>
#include <interlock/local/stream_protocol.hpp>
#include <interlock/posix/stream_descriptor.hpp>

#include <cstddef>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#endif

#include "support/allocation_walk.hpp"
#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/handler_tally.hpp"

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::ip::tcp;
using local = interlock::local::stream_protocol;
using interlock::posix::stream_descriptor;
using support::attempt;
using support::for_every_allocation;
using support::run_with_failure;
using support::with_failure;
using scene = support::closing_scene;

namespace {

const error_code success;
const error_code aborted = asio::error::operation_aborted;
const error_code no_memory = asio::error::no_memory;
const error_code not_called = asio::error::fault;

} // namespace

BOOST_AUTO_TEST_CASE(opening_fails_or_succeeds_as_a_whole)
{
  for_every_allocation(
    [](std::size_t n)
    {
      asio::io_context context;
      asio::ip::tcp::socket of_asio(context, asio::ip::tcp::v4());
      tcp::socket s(context);
      error_code ec;
      const attempt a = with_failure(n, [&] { s.open(tcp::v4(), ec); });
      BOOST_TEST(s.is_open() == (!a.threw && !ec));
      if (!s.is_open())
        s.open(tcp::v4());
      BOOST_TEST(s.is_open());
      return a.struck;
    });
}

BOOST_AUTO_TEST_CASE(a_descriptor_that_cannot_be_assigned_remains_the_callers)
{
  for_every_allocation(
    [](std::size_t n)
    {
      asio::io_context context;
      asio::ip::tcp::socket of_asio(context, asio::ip::tcp::v4());
      support::ends pair = support::pipe_ends();
      support::close_watch watch(pair.near.get());
      stream_descriptor d(context);
      error_code ec;
      const attempt a = with_failure(n, [&] { d.assign(pair.near.get(), ec); });
      BOOST_TEST(d.is_open() == (!a.threw && !ec));
      BOOST_TEST(watch.arrived() == 0u);
      if (d.is_open())
        pair.near.release();
      return a.struck;
    });
}

BOOST_AUTO_TEST_CASE(a_read_is_started_or_throws)
{
  for_every_allocation(
    [](std::size_t n)
    {
      scene s;
      const attempt a = with_failure(
        n, [&] { s.object.async_read_some(asio::buffer(s.buffer), s.tally(support::into(s.ec))); });
      BOOST_TEST(s.tally.ended() == (a.threw ? 1 : 0));
      support::send_text(s.pair.far, "x");
      s.run_until_ended();
      BOOST_TEST(s.ec == (a.threw ? not_called : success));
      s.check_closed();
      return a.struck;
    });
}

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)
BOOST_AUTO_TEST_CASE(a_read_with_a_slot_is_started_or_throws)
{
  for_every_allocation(
    [](std::size_t n)
    {
      asio::cancellation_signal signal;
      scene s;
      const attempt a = with_failure(n,
        [&]
        {
          s.object.async_read_some(asio::buffer(s.buffer),
            asio::bind_cancellation_slot(signal.slot(), s.tally(support::into(s.ec))));
        });
      signal.emit(asio::cancellation_type::terminal);
      s.run_until_ended();
      BOOST_TEST(s.ec == (a.threw ? not_called : aborted));
      s.check_closed();
      signal.emit(asio::cancellation_type::terminal);
      return a.struck;
    });
}
#endif

BOOST_AUTO_TEST_CASE(a_connect_is_started_or_throws)
{
  for_every_allocation(
    [](std::size_t n)
    {
      asio::io_context context;
      asio::ip::tcp::acceptor listener(
        context, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
      const tcp::endpoint address = listener.local_endpoint();
      tcp::socket s(context);
      support::handler_tally tally;
      error_code ec = not_called;
      const attempt a = with_failure(
        n, [&] { s.async_connect(address, tally(support::into(ec))); });
      context.run();
      BOOST_TEST(tally.all_ended());
      BOOST_TEST((a.threw ? ec == not_called : ec == success || ec == no_memory));
      return a.struck;
    });
}

// Started in peace: it is the connection's delivery that has no memory. A peer that it cannot be
// delivered to does not keep it open.
BOOST_AUTO_TEST_CASE(an_accepted_connection_is_delivered_or_closed)
{
  for_every_allocation(
    [](std::size_t n)
    {
      support::handler_tally tally;
      bool struck = false;
      {
        asio::io_context context;
        tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
        tcp::socket peer(context);
        asio::ip::tcp::socket client(context);
        error_code ec = not_called;
        acceptor.async_accept(peer, tally(support::into(ec)));
        client.connect(acceptor.local_endpoint());
        acceptor.wait(tcp::acceptor::wait_read);
        struck = run_with_failure(n, context, [&tally] { return tally.all_ended(); }).struck;
        BOOST_TEST(peer.is_open() == (ec == success));
      }
      BOOST_TEST(tally.all_ended());
      return struck;
    });
}

BOOST_AUTO_TEST_CASE(close_allocates_nothing)
{
  for_every_allocation(
    [](std::size_t n)
    {
      scene s;
      s.object.async_read_some(asio::buffer(s.buffer), s.tally(support::into(s.ec)));
      const attempt a = with_failure(n, [&] { s.object.close(); });
      BOOST_TEST(!a.threw);
      BOOST_TEST(!s.object.is_open());
      s.check_closed();
      BOOST_TEST(s.ec == aborted);
      BOOST_TEST(!a.struck);
      return a.struck;
    },
    0);
}

// Without a thread the close is inline.
BOOST_AUTO_TEST_CASE(a_close_that_can_block_succeeds_without_memory)
{
  for_every_allocation(
    [](std::size_t n)
    {
      scene s;
      support::send_text(s.pair.far, "x");
      const attempt a = with_failure(n, [&] { s.object.close(); });
      BOOST_TEST(!a.threw);
      BOOST_TEST(!s.object.is_open());
      s.check_closed();
      return a.struck;
    });
}

BOOST_AUTO_TEST_CASE(async_close_closes_or_throws)
{
  support::walk_over_a_close(
    [](auto& s) { return [&s](auto handler) { s.object.async_close(std::move(handler)); }; });
}

// A second caller, and a caller that comes after the end.
BOOST_AUTO_TEST_CASE(joining_a_close_throws_or_is_served)
{
  for_every_allocation(
    [](std::size_t n)
    {
      scene s;
      s.object.async_close(s.tally([](error_code) {}));
      attempt a = with_failure(n, [&] { s.object.async_close(s.tally(support::into(s.ec))); });
      s.run_until_ended();
      BOOST_TEST(s.ec == (a.threw ? not_called : success));
      s.ec = not_called;
      const attempt late = with_failure(
        n, [&] { s.object.async_close(s.tally(support::into(s.ec))); });
      s.run_until_ended();
      BOOST_TEST(s.ec == (late.threw ? not_called : success));
      s.check_closed();
      return a.struck || late.struck;
    });
}

// The steps of the close, the aborted handlers and the closers are run without memory. A handler
// may then be destroyed with the context; the descriptor is closed all the same.
BOOST_AUTO_TEST_CASE(a_close_that_is_run_without_memory_closes_the_descriptor)
{
  for_every_allocation(
    [](std::size_t n)
    {
      support::handler_tally tally;
      attempt a;
      {
        scene s;
        s.object.async_read_some(asio::buffer(s.buffer), tally([](error_code, std::size_t) {}));
        // More than Asio keeps memory for.
        for (int i = 0; i != 6; ++i)
          s.object.async_close(tally([](error_code) {}));
        a = run_with_failure(n, s.context, [&tally] { return tally.all_ended(); });
        BOOST_TEST(s.watch.wait_closed());
        BOOST_TEST(s.watch.arrived() == 1u);
      }
      BOOST_TEST(tally.all_ended());
      return a.struck;
    });
}

BOOST_AUTO_TEST_CASE(a_converting_move_moves_or_leaves_everything_as_it_was)
{
  using narrow_socket = local::socket::rebind_executor<asio::io_context::executor_type>::other;
  for_every_allocation(
    [](std::size_t n)
    {
      asio::io_context context;
      support::handler_tally tally;
      support::ends pair = support::unix_ends();
      support::close_watch watch(pair.near.get());
      narrow_socket from(context, local(), pair.near.release());
      char buffer[8];
      from.async_read_some(asio::buffer(buffer), tally([](error_code, std::size_t) {}));
      local::socket to(context);
      const attempt a = with_failure(n, [&] { to = std::move(from); });
      BOOST_TEST(from.is_open() == a.threw);
      BOOST_TEST(to.is_open() == !a.threw);
      BOOST_TEST(watch.arrived() == 0u);
      support::send_text(pair.far, "x");
      context.run();
      BOOST_TEST(tally.all_called());
      return a.struck;
    });
}
