// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G9, for want of memory, of operations and of closes: each allocation is made to fail in turn. What throws has had
// no effect. What does not throw has its handler called once; whatever closes the descriptor, it is closed exactly
// once; and what needs no memory never throws. Run without memory, a close, a release or an accept may lose its
// handler to the context, but no descriptor.

#define BOOST_TEST_MODULE interlock_alloc_failure
#include "support/prelude.hpp"

#include <boost/asio/version.hpp>
#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#endif

#include <interlock/ip/udp.hpp>

#include "support/allocation_walk.hpp"
#include "support/closing_socket.hpp"
#include "support/message_ends.hpp"

using namespace support;
using interlock::close_handle;
using interlock::close_mode;

namespace {

const error_code no_memory = asio::error::no_memory;

/// An open socket, with a watch on its descriptor. Asio's own services are there already.
template <class Socket>
struct scene : support::walked_context
{
#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)
  asio::cancellation_signal signal;
#endif
  support::ends pair = support::unix_ends();
  support::close_watch watch{pair.near.get()};
  Socket object{
    typename Socket::executor_type(context.get_executor()), local(), pair.near.release()};
  close_handle handle; // if a row makes it
  told closer;
  error_code ec = not_called; // of an operation
  char buffer[8] = {};

  /// A counted handler. It is not on the strand, which never calls any once it is without memory.
  template <class Handler>
  auto counted(Handler handler)
  {
    if constexpr (std::is_same_v<typename Socket::executor_type, asio::any_io_executor>)
      return handlers(std::move(handler));
    else
      return asio::bind_executor(context.get_executor(), handlers(std::move(handler)));
  }

  auto told_closer()
  {
    return counted(closer.handler());
  }

  void read()
  {
    object.async_read_some(asio::buffer(buffer), counted(support::into(ec)));
  }

  /// The socket is closed, by whatever closes it, once.
  void check_closed()
  {
    object.close();
    BOOST_TEST(watch.wait_closed());
    run_until_ended();
    BOOST_TEST(watch.arrived() == 1u);
  }
};

using plain_scene = scene<local::socket>;

/// The same over a strand of the test's own: Asio leaves one undefined that runs out of memory while
/// it is being made, so that cannot be walked over.
using strand_scene =
  scene<local::socket::rebind_executor<asio::strand<asio::io_context::executor_type>>::other>;

} // namespace

// --- Operations.

namespace {

/// `start` is what may throw. `go_on` lets the operation end, with `expected`.
struct operation : support::row
{
  void (*start)(plain_scene&);
  void (*go_on)(plain_scene&);
  error_code expected;
};

void send_input(plain_scene& s)
{
  support::send_text(s.pair.far, "x");
}

const operation operations[] = {
  {{"read"}, [](plain_scene& s) { s.read(); }, send_input, success},
#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)
  {{"read with a slot"},
    [](plain_scene& s)
    {
      s.object.async_read_some(asio::buffer(s.buffer),
        asio::bind_cancellation_slot(s.signal.slot(), s.counted(support::into(s.ec))));
    },
    [](plain_scene& s) { s.signal.emit(asio::cancellation_type::terminal); }, aborted},
#endif
};

} // namespace

INTERLOCK_TEST_WALK_ROWS(an_operation_is_started_or_throws, operations)
{
  plain_scene s;
  const bool threw = fails([&] { row.start(s); });
  BOOST_TEST(s.handlers.ended() == (threw ? 1 : 0));
  row.go_on(s);
  s.run_until_ended();
  BOOST_TEST(s.ec == (threw ? not_called : row.expected));
  s.check_closed();
#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)
  s.signal.emit(asio::cancellation_type::terminal);
#endif
}

INTERLOCK_TEST_WALK(a_connect_is_started_or_throws, 1)
{
  asio::io_context context;
  asio::ip::tcp::acceptor listener(context, {asio::ip::address_v4::loopback(), 0});
  const tcp::endpoint address = listener.local_endpoint();
  tcp::socket s(context);
  support::handler_tally tally;
  error_code ec = not_called;
  const bool threw = fails([&] { s.async_connect(address, tally(support::into(ec))); });
  context.run();
  BOOST_TEST(tally.all_ended());
  BOOST_TEST((threw ? ec == not_called : ec == success || ec == no_memory));
}

INTERLOCK_TEST_WALK(a_datagram_is_sent_and_received_or_the_start_throws, 1)
{
  asio::io_context context;
  support::handler_tally tally;
  interlock::ip::udp::socket s(context, support::loopback_udp());
  const auto where = s.local_endpoint();
  asio::ip::udp::endpoint from;
  char buffer[8];
  error_code ec = not_called;
  const bool threw = fails(
    [&]
    {
      s.async_receive_from(asio::buffer(buffer), from, tally(support::into(ec)));
      s.async_send_to(asio::buffer("abc", 3), where, tally([](error_code, std::size_t) {}));
    });
  if (threw)
    s.send_to(asio::buffer("abc", 3), where);
  context.run();
  BOOST_TEST(tally.all_ended());
  BOOST_TEST((ec == success || threw));
  s.close();
}

// --- What closes without memory.

namespace {

struct quiet_close : support::row
{
  void (*before)(plain_scene&);
  void (*close)(plain_scene&);
  bool retires = false;
};

const auto nothing = [](auto& /*s*/) {};
const auto takes_handle = [](auto& s) { s.handle = s.object.get_close_handle(); };

constexpr bool retires = true;

const quiet_close quiet_closes[] = {
  {{"close", 0}, nothing, [](plain_scene& s) { s.object.close(); }},
  {{"close by a handle", 0}, takes_handle, [](plain_scene& s) { s.handle.close(); }},
  {{"retire", 0}, nothing, [](plain_scene& s) { s.object.retire(); }, retires},
  {{"retire by a handle", 0}, takes_handle, [](plain_scene& s) { s.handle.retire(); }, retires},
};

} // namespace

INTERLOCK_TEST_WALK_ROWS(a_close_without_a_handler_allocates_nothing, quiet_closes)
{
  plain_scene s;
  row.before(s);
  s.read();
  BOOST_TEST(!fails([&] { row.close(s); }));
  BOOST_TEST(!fails.struck());
  BOOST_TEST(!s.object.is_open());
  s.check_closed();
  BOOST_TEST(s.ec == aborted);
  s.object.open(local(), s.ec);
  BOOST_TEST(s.ec == (row.retires ? retired : success));
}

// Without a thread the close is inline.
INTERLOCK_TEST_WALK(a_close_that_can_block_succeeds_without_memory, 1)
{
  plain_scene s;
  send_input(s);
  BOOST_TEST(!fails([&] { s.object.close(); }));
  BOOST_TEST(!s.object.is_open());
  s.check_closed();
}

INTERLOCK_TEST_WALK(the_last_lease_closes_without_memory, 1)
{
  plain_scene s;
  send_input(s); // close(2) can block
  interlock::fd_lease lease;
  BOOST_TEST(!fails([&] { lease = s.object.lease(); }));
  BOOST_TEST(!!lease);
  BOOST_TEST(!fails.struck());
  s.object.close();
  BOOST_TEST(s.watch.arrived() == 0u);
  BOOST_TEST(!fails([&] { lease.reset(); }));
  s.check_closed();
}

INTERLOCK_TEST_WALK(an_object_never_opened_is_retired_or_not, 1)
{
  asio::io_context context;
  local::socket s(context);
  const bool threw = fails([&] { s.retire(); });
  error_code ec;
  s.open(local(), ec);
  BOOST_TEST(ec == (threw ? success : retired));
}

// --- What closes with a handler.

namespace {

const close_mode patient = close_mode::deliver(std::chrono::hours(1));

/// A way to close, told to `s.closer`.
template <class Scene>
struct way : support::row
{
  bool has_mode;
  void (*before)(Scene&);
  void (*start)(Scene&);
};

constexpr bool in_mode = true;

template <class Scene>
const way<Scene> ways[] = {
  {{"async_close"}, !in_mode, nothing, [](Scene& s) { s.object.async_close(s.told_closer()); }},
  {{"with a time to linger"}, !in_mode,
    [](Scene& s) { s.object.set_option(asio::socket_base::linger(true, 3600)); },
    [](Scene& s) { s.object.async_close(s.told_closer()); }},
  {{"deliver"}, in_mode, nothing, [](Scene& s) { s.object.async_close(patient, s.told_closer()); }},
  {{"immediate"}, in_mode, nothing,
    [](Scene& s) { s.object.async_close(close_mode::immediate(), s.told_closer()); }},
  {{"abort"}, in_mode, nothing,
    [](Scene& s) { s.object.async_close(close_mode::abort(), s.told_closer()); }},
  {{"deliver by a handle"}, in_mode, takes_handle,
    [](Scene& s) { s.handle.async_close(patient, s.told_closer()); }},
#if BOOST_ASIO_VERSION > 101800
  // In an any_io_executor of Boost 1.74, a strand without memory for another copy ends the program.
  {{"by a handle"}, !in_mode, takes_handle,
    [](Scene& s) { s.handle.async_close(s.told_closer()); }},
#endif
};

/// Another caller's close waits for a peer that does not read, or is over. What joins it is told the same, unless it
/// throws.
void close_further(failing& fails, const way<plain_scene>& w, bool is_over)
{
  plain_scene s;
  w.before(s);
  told first;
  if (w.has_mode && !is_over)
    BOOST_TEST(support::fill(s.object.native_handle()) > 0u);
  if (w.has_mode)
    s.object.async_close(patient, s.counted(first.handler()));
  else
    s.object.async_close(s.counted(first.handler()));
  if (is_over)
    s.run_until_ended();
  const bool threw = fails([&] { w.start(s); });
  s.pair.far.reset();
  s.run_until_ended();
  BOOST_TEST((first.times == 1 && !first.ec));
  BOOST_TEST(s.closer.times == (threw ? 0 : 1));
  BOOST_TEST((threw || s.closer.is(first.report.outcome)));
  s.check_closed();
}

} // namespace

// Thrown from the start, the object is open as before. Otherwise it is closing, the handler is called once, and
// nothing waits for a strand that has lost its memory.
INTERLOCK_TEST_WALK_ROWS(the_first_close_closes_or_throws, ways<strand_scene>)
{
  strand_scene s;
  row.before(s);
  s.read();
  const bool threw = fails([&] { row.start(s); });
  BOOST_TEST(s.object.is_open() == threw);
  if (!threw)
  {
    BOOST_TEST(s.watch.wait_closed());
    s.run_until_ended();
    BOOST_TEST((s.closer.times == 1 && !s.closer.ec));
  }
  s.check_closed();
  BOOST_TEST(s.handlers.called() == (threw ? 1 : 2));
}

INTERLOCK_TEST_WALK_ROWS(a_close_that_joins_throws_or_is_told, ways<plain_scene>)
{
  close_further(fails, row, false);
}

INTERLOCK_TEST_WALK_ROWS(a_close_after_the_end_throws_or_is_told, ways<plain_scene>)
{
  close_further(fails, row, true);
}

// See above.
#if BOOST_ASIO_VERSION > 101800

INTERLOCK_TEST_WALK(the_outcome_of_an_object_that_is_gone_is_told_or_not, 1)
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
  const bool threw = fails(
    [&] { h.async_close(asio::bind_executor(context.get_executor(), tally(support::into(ec)))); });
  context.run();
  BOOST_TEST(tally.all_ended());
  BOOST_TEST(ec == (threw ? not_called : success));
}

#endif

// --- Releases.

namespace {

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

// Thrown from the start, the object is open as before. Otherwise the descriptor is delivered.
INTERLOCK_TEST_WALK(an_async_release_releases_or_throws, 1)
{
  strand_scene s;
  delivery got;
  s.read();
  const int opened = s.object.native_handle();
  const bool threw = fails([&] { s.object.async_release(s.counted(got.handler())); });
  BOOST_TEST(s.object.is_open() == threw);
  if (!threw)
  {
    s.run_until_ended();
    BOOST_TEST(got.ec == success);
    BOOST_TEST(got.owned.get() == opened);
    BOOST_TEST(s.watch.arrived() == 0u);
    got.owned.reset();
  }
  s.check_closed();
  BOOST_TEST(s.handlers.called() == (threw ? 1 : 2));
}

INTERLOCK_TEST_WALK(a_release_that_is_refused_throws_or_is_told_so, 1)
{
  strand_scene s;
  delivery got;
  s.object.close();
  const bool threw = fails([&] { s.object.async_release(s.counted(got.handler())); });
  s.run_until_ended();
  BOOST_TEST(got.ec == (threw ? not_called : bad_descriptor));
  BOOST_TEST(got.owned.get() == -1);
  s.check_closed();
}

// --- Started in peace, and run without memory: the steps of a close, the aborted handlers and the closers. A handler
// may then be destroyed with the context.

namespace {

/// A read, what `start(socket)` starts, and closers: more than Asio keeps memory for.
template <class Start>
void begin(local::socket& s, char (&buffer)[8], support::handler_tally& tally, Start start)
{
  s.async_read_some(asio::buffer(buffer), tally([](error_code, std::size_t) {}));
  start(s);
  for (int i = 0; i != 6; ++i)
    s.async_close(tally([](error_code) {}));
}

/// Accepts into a socket, which is retired meanwhile if `is_retired`.
void accept_without_memory(failing& fails, bool is_retired)
{
  support::handler_tally tally;
  {
    asio::io_context context;
    tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    tcp::socket peer(context);
    asio::ip::tcp::socket client(context);
    error_code ec = not_called;
    acceptor.async_accept(peer, tally(support::into(ec)));
    if (is_retired)
      peer.retire();
    client.connect(acceptor.local_endpoint());
    acceptor.wait(tcp::acceptor::wait_read);
    fails.run(context, [&tally] { return tally.all_ended(); });
    BOOST_TEST(peer.is_open() == (ec == success));
    BOOST_TEST(!(is_retired && peer.is_open()));
  }
  BOOST_TEST(tally.all_ended());
}

} // namespace

INTERLOCK_TEST_WALK(a_close_that_is_run_without_memory_closes_the_descriptor, 1)
{
  support::handler_tally tally;
  {
    plain_scene s;
    begin(s.object, s.buffer, tally, nothing);
    fails.run(s.context, [&tally] { return tally.all_ended(); });
    BOOST_TEST(s.watch.wait_closed());
    BOOST_TEST(s.watch.arrived() == 1u);
  }
  BOOST_TEST(tally.all_ended());
}

// The descriptor is delivered, or closed since it cannot be; at the latest with the context, in which a handler may
// have been left.
INTERLOCK_TEST_WALK(a_release_that_is_run_without_memory_delivers_or_closes, 1)
{
  support::handler_tally tally;
  delivery got;
  support::ends pair = support::unix_ends();
  const int opened = pair.near.get();
  support::close_watch watch(opened);
  {
    asio::io_context context;
    local::socket s(context, local(), pair.near.release());
    char buffer[8];
    begin(s, buffer, tally, [&](auto& from) { from.async_release(tally(got.handler())); });
    fails.run(context, [&tally] { return tally.all_ended(); });
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
}

// It is the connection's delivery that has no memory. A peer that it cannot be delivered to does not keep it open.
INTERLOCK_TEST_WALK(an_accepted_connection_is_delivered_or_closed, 1)
{
  accept_without_memory(fails, false);
}

// It is not known where to tell it. How much memory that takes is a matter of the reactor; with select, none.
INTERLOCK_TEST_WALK(what_a_retired_socket_accepts_is_closed, 0)
{
  accept_without_memory(fails, true);
}
