// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G9, for want of memory, of what closes without having the object, or ends it otherwise: close
// handles, retirement, leases, async_release, conversions. Each allocation is made to fail in turn.
// What throws has changed nothing; what does not, does all of it, and the descriptor is closed or
// delivered exactly once.

#define BOOST_TEST_MODULE interlock_alloc_failure_handles
#include <boost/test/unit_test.hpp>

#include <interlock/borrowed.hpp>
#include <interlock/close_handle.hpp>
#include <interlock/error.hpp>
#include <interlock/fd_lease.hpp>
#include <interlock/ip/tcp.hpp>
#include <interlock/local/stream_protocol.hpp>
#include <interlock/posix/stream_descriptor.hpp>

#include <cstddef>
#include <optional>
#include <utility>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/version.hpp>

#include "support/allocation_walk.hpp"
#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/handler_tally.hpp"

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::close_handle;
using interlock::ip::tcp;
using interlock::posix::stream_descriptor;
using local = interlock::local::stream_protocol;
using support::attempt;
using support::for_every_allocation;
using support::in_context;
using support::run_with_failure;
using support::strand_scene;
using support::with_failure;
using scene = support::closing_scene;

namespace {

const error_code success;
const error_code aborted = asio::error::operation_aborted;
const error_code retired = interlock::error::retired;
const error_code not_called = asio::error::fault;

using io_executor = asio::io_context::executor_type;
using narrow_socket = local::socket::rebind_executor<io_executor>::other;

/// What a caller of async_release was told. It owns the descriptor.
struct delivery
{
  error_code ec = not_called;
  support::fd owned;

  auto handler()
  {
    return [this](error_code e, int n)
    {
      ec = e;
      owned.reset(n);
    };
  }
};

} // namespace

// --- Handles.

BOOST_AUTO_TEST_CASE(a_handle_of_an_open_object_is_made_or_not)
{
  for_every_allocation(
    [](std::size_t n)
    {
      scene s;
      close_handle h;
      const attempt a = with_failure(n, [&] { h = s.object.get_close_handle(); });
      BOOST_TEST(!h == a.threw);
      BOOST_TEST(s.object.is_open());
      h.close();
      BOOST_TEST(s.object.is_open() == a.threw);
      s.check_closed();
      return a.struck;
    });
}

// Asio may need memory for the executor when the descriptor has been given away already: it is closed then.
BOOST_AUTO_TEST_CASE(a_converting_move_that_fails_leaves_the_object_open_or_closes_it)
{
  using strand = asio::strand<asio::any_io_executor>;
  using stranded_socket = local::socket::rebind_executor<strand>::other;
  for_every_allocation(
    [](std::size_t n)
    {
      asio::io_context context;
      support::handler_tally tally;
      support::ends pair = support::unix_ends();
      support::close_watch watch(pair.near.get());
      stranded_socket from(strand(context.get_executor()), local(), pair.near.release());
      local::socket to(context);
      error_code ec = not_called;
      const attempt a = with_failure(n, [&] { to = std::move(from); });
      BOOST_TEST(to.is_open() == !a.threw);
      BOOST_TEST((from.is_open() || to.is_open() || watch.wait_closed()));
      from.async_close(tally(support::into(ec)));
      to.close();
      context.run();
      BOOST_TEST(ec == success);
      BOOST_TEST(tally.all_called());
      BOOST_TEST(watch.wait_closed());
      BOOST_TEST(watch.closed() == 1u);
      return a.struck;
    });
}

BOOST_AUTO_TEST_CASE(a_handle_of_an_object_never_opened_is_made_or_not)
{
  for_every_allocation(
    [](std::size_t n)
    {
      asio::io_context context;
      local::socket s(context);
      close_handle h;
      const attempt a = with_failure(n, [&] { h = s.get_close_handle(); });
      BOOST_TEST(!h == a.threw);
      support::ends pair = support::unix_ends();
      s.assign(local(), pair.near.release());
      h.close();
      BOOST_TEST(s.is_open() == a.threw);
      h = s.get_close_handle();
      h.close();
      BOOST_TEST(!s.is_open());
      return a.struck;
    });
}

// Another handle is there already, and stays as it is.
BOOST_AUTO_TEST_CASE(a_further_handle_is_made_or_not)
{
  for_every_allocation(
    [](std::size_t n)
    {
      scene s;
      const close_handle first = s.object.get_close_handle();
      close_handle second;
      const attempt a = with_failure(n, [&] { second = s.object.get_close_handle(); });
      BOOST_TEST(!second == a.threw);
      first.async_close(s.tally(support::into(s.ec)));
      s.run_until_ended();
      BOOST_TEST(s.ec == success);
      s.check_closed();
      return a.struck;
    });
}

BOOST_AUTO_TEST_CASE(a_handle_closes_without_memory)
{
  for_every_allocation(
    [](std::size_t n)
    {
      scene s;
      const close_handle h = s.object.get_close_handle();
      s.object.async_read_some(asio::buffer(s.buffer), s.tally(support::into(s.ec)));
      const attempt a = with_failure(n, [&] { h.close(); });
      BOOST_TEST(!a.threw);
      BOOST_TEST(!s.object.is_open());
      s.check_closed();
      BOOST_TEST(s.ec == aborted);
      return a.struck;
    },
    0);
}

// A handle has the object's strand in an any_io_executor; that of Boost 1.74 ends the program where
// there is no memory for another of it.
#if BOOST_ASIO_VERSION > 101800

BOOST_AUTO_TEST_CASE(an_async_close_by_a_handle_closes_or_throws)
{
  support::walk_over_a_close(
    [](auto& s) {
      return [h = s.object.get_close_handle()](auto handler) { h.async_close(std::move(handler)); };
    });
}

BOOST_AUTO_TEST_CASE(the_outcome_of_an_object_that_is_gone_is_told_or_not)
{
  for_every_allocation(
    [](std::size_t n)
    {
      asio::io_context context;
      support::handler_tally tally;
      error_code ec = not_called;
      close_handle h;
      {
        decltype(strand_scene::object) s(
          asio::make_strand(context.get_executor()), local(), support::unix_ends().near.release());
        h = s.get_close_handle();
      }
      const attempt a = with_failure(n,
        [&]
        { h.async_close(asio::bind_executor(context.get_executor(), tally(support::into(ec)))); });
      context.run();
      BOOST_TEST(tally.all_ended());
      BOOST_TEST(ec == (a.threw ? not_called : success));
      return a.struck;
    });
}

#endif

// A second caller, and a caller that comes after the end.
BOOST_AUTO_TEST_CASE(joining_a_close_by_a_handle_throws_or_is_served)
{
  for_every_allocation(
    [](std::size_t n)
    {
      scene s;
      const close_handle h = s.object.get_close_handle();
      s.object.async_close(s.tally([](error_code) {}));
      const attempt a = with_failure(n, [&] { h.async_close(s.tally(support::into(s.ec))); });
      s.run_until_ended();
      BOOST_TEST(s.ec == (a.threw ? not_called : success));
      s.ec = not_called;
      const attempt late = with_failure(n, [&] { h.async_close(s.tally(support::into(s.ec))); });
      s.run_until_ended();
      BOOST_TEST(s.ec == (late.threw ? not_called : success));
      s.check_closed();
      return a.struck || late.struck;
    });
}

// --- Retirement.

BOOST_AUTO_TEST_CASE(an_open_object_is_retired_without_memory)
{
  for_every_allocation(
    [](std::size_t n)
    {
      scene s;
      s.object.async_read_some(asio::buffer(s.buffer), s.tally(support::into(s.ec)));
      const attempt a = with_failure(n, [&] { s.object.retire(); });
      BOOST_TEST(!a.threw);
      BOOST_TEST(!s.object.is_open());
      s.check_closed();
      BOOST_TEST(s.ec == aborted);
      s.object.open(local(), s.ec);
      BOOST_TEST(s.ec == retired);
      return a.struck;
    },
    0);
}

BOOST_AUTO_TEST_CASE(an_object_never_opened_is_retired_or_not)
{
  for_every_allocation(
    [](std::size_t n)
    {
      asio::io_context context;
      local::socket s(context);
      const attempt a = with_failure(n, [&] { s.retire(); });
      error_code ec;
      s.open(local(), ec);
      BOOST_TEST(ec == (a.threw ? success : retired));
      return a.struck;
    });
}

BOOST_AUTO_TEST_CASE(a_handle_retires_without_memory)
{
  for_every_allocation(
    [](std::size_t n)
    {
      scene s;
      const close_handle h = s.object.get_close_handle();
      const attempt a = with_failure(n, [&] { h.retire(); });
      BOOST_TEST(!a.threw);
      s.check_closed();
      s.object.open(local(), s.ec);
      BOOST_TEST(s.ec == retired);
      return a.struck;
    },
    0);
}

// Accepted into a retired socket, the connection is closed, though it is not known where to tell.
// How much memory that takes is a matter of the reactor; with select, none.
BOOST_AUTO_TEST_CASE(what_a_retired_socket_accepts_is_closed)
{
  for_every_allocation(
    [](std::size_t n)
    {
      support::handler_tally tally;
      bool struck = false;
      {
        asio::io_context context;
        tcp::acceptor acceptor(
          context, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
        tcp::socket peer(context);
        asio::ip::tcp::socket client(context);
        error_code ec = not_called;
        acceptor.async_accept(peer, tally(support::into(ec)));
        peer.retire();
        client.connect(acceptor.local_endpoint());
        acceptor.wait(tcp::acceptor::wait_read);
        struck = run_with_failure(n, context, [&tally] { return tally.all_ended(); }).struck;
        BOOST_TEST(!peer.is_open());
        BOOST_TEST(ec != success);
      }
      BOOST_TEST(tally.all_ended());
      return struck;
    },
    0);
}

// --- Leases.

BOOST_AUTO_TEST_CASE(the_last_lease_closes_without_memory)
{
  for_every_allocation(
    [](std::size_t n)
    {
      scene s;
      support::send_text(s.pair.far, "x"); // close(2) can block
      attempt a;
      {
        interlock::fd_lease lease;
        const attempt taken = with_failure(n, [&] { lease = s.object.lease(); });
        BOOST_TEST(!taken.threw);
        BOOST_TEST(!!lease);
        s.object.close();
        BOOST_TEST(s.watch.arrived() == 0u);
        a = with_failure(n, [&] { lease.reset(); });
        BOOST_TEST(!a.threw);
        a.struck = a.struck || taken.struck;
      }
      s.check_closed();
      return a.struck;
    });
}

// --- Releases.

// Thrown from the start, the object is open as before. Otherwise the descriptor is delivered.
BOOST_AUTO_TEST_CASE(an_async_release_releases_or_throws)
{
  for_every_allocation(
    [](std::size_t n)
    {
      strand_scene s;
      delivery got;
      s.object.async_read_some(
        asio::buffer(s.buffer), in_context(s, [](error_code, std::size_t) {}));
      const int opened = s.object.native_handle();
      const attempt a = with_failure(
        n, [&] { s.object.async_release(in_context(s, got.handler())); });
      BOOST_TEST(s.object.is_open() == a.threw);
      if (!a.threw)
      {
        s.run_until_ended();
        BOOST_TEST(got.ec == success);
        BOOST_TEST(got.owned.get() == opened);
        BOOST_TEST(s.watch.arrived() == 0u);
        got.owned.reset();
      }
      s.check_closed();
      BOOST_TEST(s.tally.called() == (a.threw ? 1 : 2));
      return a.struck;
    });
}

BOOST_AUTO_TEST_CASE(a_release_that_is_refused_throws_or_is_told_so)
{
  for_every_allocation(
    [](std::size_t n)
    {
      strand_scene s;
      delivery got;
      s.object.close();
      const attempt a = with_failure(
        n, [&] { s.object.async_release(in_context(s, got.handler())); });
      s.run_until_ended();
      BOOST_TEST(got.ec == (a.threw ? not_called : error_code(asio::error::bad_descriptor)));
      BOOST_TEST(got.owned.get() == -1);
      s.check_closed();
      return a.struck;
    });
}

// The steps are run without memory: the descriptor is delivered, or closed since it cannot be; at the
// latest with the context, in which a handler may have been left.
BOOST_AUTO_TEST_CASE(a_release_that_is_run_without_memory_delivers_or_closes)
{
  for_every_allocation(
    [](std::size_t n)
    {
      support::handler_tally tally;
      delivery got;
      support::ends pair = support::unix_ends();
      const int opened = pair.near.get();
      support::close_watch watch(opened);
      attempt a;
      {
        asio::io_context context;
        local::socket s(context, local(), pair.near.release());
        char buffer[8];
        s.async_read_some(asio::buffer(buffer), tally([](error_code, std::size_t) {}));
        s.async_release(tally(got.handler()));
        // More than Asio keeps memory for.
        for (int i = 0; i != 6; ++i)
          s.async_close(tally([](error_code) {}));
        a = run_with_failure(n, context, [&tally] { return tally.all_ended(); });
      }
      BOOST_TEST(tally.all_ended());
      if (!got.ec)
      {
        BOOST_TEST(got.owned.get() == opened);
        BOOST_TEST(watch.arrived() == 0u);
        got.owned.reset();
      }
      BOOST_TEST(watch.wait_closed());
      BOOST_TEST(watch.arrived() == 1u);
      return a.struck;
    });
}

// --- Conversions.

// Borrowed, it is still so wherever it is.
BOOST_AUTO_TEST_CASE(a_converting_move_of_a_borrowed_descriptor_never_closes_it)
{
  for_every_allocation(
    [](std::size_t n)
    {
      asio::io_context context;
      support::ends pair = support::unix_ends();
      support::close_watch watch(pair.near.get());
      attempt a;
      {
        narrow_socket from(context, local(), pair.near.get(), interlock::borrowed);
        local::socket to(context);
        a = with_failure(n, [&] { to = std::move(from); });
        BOOST_TEST(from.is_open() == a.threw);
        BOOST_TEST(to.is_open() == !a.threw);
      }
      BOOST_TEST(watch.arrived() == 0u);
      BOOST_TEST(support::is_fd_open(pair.near.get()));
      return a.struck;
    });
}
