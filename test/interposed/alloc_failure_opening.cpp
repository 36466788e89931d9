// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G9, for want of memory, of what opens an object, converts it, or makes a handle of it: each allocation is made to
// fail in turn. An object is opened as a whole or not at all, with what it is opened together with; a descriptor that
// cannot be assigned remains the caller's, one that cannot be moved is closed once or stays where it was; a
// handle is made or not.

#define BOOST_TEST_MODULE interlock_alloc_failure_opening
#include "support/prelude.hpp"

#include <tuple>

#include <boost/mp11/algorithm.hpp>
#include <boost/system/system_error.hpp>

#include <interlock/borrowed.hpp>
#include <interlock/connect_pipe.hpp>
#include <interlock/local/connect_pair.hpp>
#include <interlock/local/datagram_protocol.hpp>

#include "support/allocation_walk.hpp"
#include "support/dropin_types.hpp"

using interlock::close_handle;
using support::failing;
using support::not_called;
using support::success;
using support::walk;

namespace {

/// Of each type the object over any executor.
template <class Row>
using object_of = typename Row::template object<support::interlock_family, asio::any_io_executor>;

using every_type = std::tuple<support::tcp_socket, support::local_stream_socket,
  support::udp_socket, support::local_datagram_socket, support::generic_packet_socket,
  support::user_socket, support::tcp_acceptor, support::local_stream_acceptor,
  support::stream_descriptor, support::readable_pipe, support::writable_pipe, support::serial_port>;

template <class Row>
using is_opened = std::bool_constant<Row::is_socket || Row::is_acceptor>;

using every_socket = boost::mp11::mp_copy_if<every_type, is_opened>;

/// What Asio makes once in a context is there.
struct used_context : asio::io_context
{
  asio::ip::udp::socket of_asio{*this, asio::ip::udp::v4()};
};

/// Whatever fails, all `objects` are open together, or none. What has failed can be tried again.
template <class Open, class... Objects>
void open_or_not(failing& fails, Open open, Objects&... objects)
{
  error_code ec;
  const bool opened = !fails([&] { open(objects..., ec); }) && !ec;
  BOOST_TEST((... && (objects.is_open() == opened)));
  if (!opened)
    open(objects..., ec);
  BOOST_TEST(ec == success);
  BOOST_TEST((... && objects.is_open()));
}

} // namespace

// --- Opening.

INTERLOCK_TEST_WALK(a_serial_port_is_opened_or_closed, 1)
{
  const support::pty terminal;
  used_context context;
  interlock::serial_port port(context);
  open_or_not(
    fails, [&](auto& object, error_code& ec) { object.open(terminal.name(), ec); }, port);
}

INTERLOCK_TEST_WALK(a_pair_is_connected_or_closed, 1)
{
  used_context context;
  interlock::local::datagram_protocol::socket a(context);
  interlock::local::datagram_protocol::socket b(context);
  open_or_not(
    fails, [](auto& x, auto& y, error_code& ec) { interlock::local::connect_pair(x, y, ec); }, a,
    b);
}

INTERLOCK_TEST_WALK(a_pipe_is_connected_or_closed, 1)
{
  used_context context;
  interlock::readable_pipe r(context);
  interlock::writable_pipe w(context);
  open_or_not(
    fails, [](auto& in, auto& out, error_code& ec) { interlock::connect_pipe(in, out, ec); }, r, w);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_socket_is_opened_or_closed, type, every_socket)
{
  walk(
    [](failing& fails)
    {
      used_context context;
      object_of<type> s(context);
      open_or_not(
        fails, [](auto& o, error_code& ec) { o.open(type::protocol(), ec); }, s);
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(
  a_descriptor_that_cannot_be_assigned_remains_the_callers, type, every_type)
{
  walk(
    [](failing& fails)
    {
      used_context context;
      support::ends pair = type::make();
      const support::close_watch watch(pair.near.get());
      object_of<type> object(context);
      open_or_not(
        fails, [&](auto& o, error_code& ec) { type::put(o, pair.near, ec); }, object);
      BOOST_TEST(watch.arrived() == 0u);
    });
}

// --- Handles.

namespace {

struct new_handle : support::row
{
  bool of_open;
  bool is_first;
};

const new_handle new_handles[] = {
  {{"of an open object"}, true, true},
  {{"of an object never opened"}, false, true},
  {{"a further one of an open object"}, true, false},
};

} // namespace

// What throws leaves the object and an earlier handle as they were.
INTERLOCK_TEST_WALK_ROWS(a_handle_is_made_or_not, new_handles)
{
  asio::io_context context;
  support::ends pair = support::unix_ends();
  const support::close_watch watch(pair.near.get());
  local::socket s(context);
  if (row.of_open)
    s.assign(local(), pair.near.release());
  const close_handle earlier = row.is_first ? close_handle() : s.get_close_handle();
  close_handle made;
  const bool threw = fails([&] { made = s.get_close_handle(); });
  BOOST_TEST(!made == threw);
  if (!row.of_open)
    s.assign(local(), pair.near.release());
  BOOST_TEST(s.is_open());
  const close_handle& closing = row.is_first ? made : earlier;
  closing.close();
  BOOST_TEST(s.is_open() == !closing);
  s.get_close_handle().close();
  BOOST_TEST(!s.is_open());
  BOOST_TEST(watch.wait_closed());
  BOOST_TEST(watch.arrived() == 1u);
}

// --- Moves between objects of different types.

namespace {

/// A socket over `Executor`, which is moved into one over any executor.
template <class Executor>
struct conversion
{
  using socket = typename local::socket::template rebind_executor<Executor>::other;

  asio::io_context context;
  support::handler_tally tally;
  support::ends pair = support::unix_ends();
  support::close_watch watch{pair.near.get()};
  local::socket to{context};
  error_code ec = not_called;
  char buffer[8] = {};

  bool throws(failing& fails, socket& from)
  {
    const bool threw = fails([&] { to = std::move(from); });
    BOOST_TEST(to.is_open() == !threw);
    return threw;
  }
};

using io_executor = asio::io_context::executor_type;
using strand = asio::strand<asio::any_io_executor>;

} // namespace

INTERLOCK_TEST_WALK(a_move_moves_or_leaves_everything_as_it_was, 1)
{
  conversion<io_executor> c;
  decltype(c)::socket from(c.context, local(), c.pair.near.release());
  from.async_read_some(asio::buffer(c.buffer), c.tally(support::into(c.ec)));
  const bool threw = c.throws(fails, from);
  BOOST_TEST(from.is_open() == threw);
  BOOST_TEST(c.watch.arrived() == 0u);
  support::send_text(c.pair.far, "x");
  c.context.run();
  BOOST_TEST(c.ec == success);
  BOOST_TEST(c.tally.all_called());
}

// Asio may need memory for the executor when the descriptor has been given away already: it is closed then.
INTERLOCK_TEST_WALK(a_move_from_a_strand_that_fails_leaves_the_object_open_or_closes_it, 1)
{
  conversion<strand> c;
  decltype(c)::socket from(strand(c.context.get_executor()), local(), c.pair.near.release());
  c.throws(fails, from);
  BOOST_TEST((from.is_open() || c.to.is_open() || c.watch.wait_closed()));
  from.async_close(c.tally(support::into(c.ec)));
  c.to.close();
  c.context.run();
  BOOST_TEST(c.ec == success);
  BOOST_TEST(c.tally.all_called());
  BOOST_TEST(c.watch.wait_closed());
  BOOST_TEST(c.watch.closed() == 1u);
}

// Borrowed, it is still so wherever it is.
INTERLOCK_TEST_WALK(a_move_of_a_borrowed_descriptor_never_closes_it, 1)
{
  conversion<io_executor> c;
  {
    decltype(c)::socket from(c.context, local(), c.pair.near.get(), interlock::borrowed);
    const bool threw = c.throws(fails, from);
    BOOST_TEST(from.is_open() == threw);
    c.to.close();
  }
  BOOST_TEST(c.watch.arrived() == 0u);
  BOOST_TEST(support::is_fd_open(c.pair.near.get()));
}

// --- Moves from and to Asio's own.

namespace {

/// `plain` becomes `Ours`, or is closed, or stays open, which this returns. It is closed once in any case.
template <class Ours, class Plain>
bool take_from_asio(failing& fails, Plain& plain)
{
  const support::close_watch watch(plain.native_handle());
  bool converted = false;
  error_code ec;
  const bool threw = fails(
    [&]
    {
      try
      {
        converted = Ours(std::move(plain)).to_asio().is_open();
      }
      catch (const boost::system::system_error& e)
      {
        ec = e.code();
      }
    });
  BOOST_TEST(converted == (!threw && !ec));
  const bool stays = plain.is_open();
  BOOST_TEST(stays == (watch.arrived() == 0));
  plain.close();
  BOOST_TEST(watch.wait_closed());
  BOOST_TEST(watch.arrived() == 1u);
  return stays;
}

} // namespace

INTERLOCK_TEST_WALK(an_acceptor_of_asio_becomes_ours_or_is_closed, 1)
{
  asio::io_context context;
  asio::ip::tcp::acceptor plain(context, {asio::ip::address_v4::loopback(), 0});
  BOOST_TEST(!take_from_asio<interlock::ip::tcp::acceptor>(fails, plain));
}

#if defined(INTERLOCK_HAS_PIPES)

INTERLOCK_TEST_WALK(a_pipe_of_asio_becomes_ours_or_is_closed_or_stays, 1)
{
  asio::io_context context;
  asio::writable_pipe plain(context, support::pipe_ends().far.release());
  take_from_asio<interlock::writable_pipe>(fails, plain);
}

// Asio takes into use again what the object has left: nothing can fail for want of memory.
INTERLOCK_TEST_WALK(a_pipe_becomes_asios_without_memory, 0)
{
  asio::io_context context;
  interlock::readable_pipe ours(context, support::pipe_ends().near.release());
  bool converted = false;
  BOOST_TEST(!fails([&] { converted = ours.to_asio().is_open(); }));
  BOOST_TEST(!fails.struck());
  BOOST_TEST(converted);
}

#endif
