// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// SO_LINGER: whatever code has set it, and wherever, close(2) never waits for it. The object or the worker
// keeps it in mind, and the worker waits for as long as it says. The end of our side is close(2)'s, as
// in the kernel: the processes that have copies of the descriptor go on.

#include "support/prelude.hpp"

#include <set>

#include <poll.h>

#if defined(__linux__)
#include <linux/net_tstamp.h>
#endif

#include <boost/asio/socket_base.hpp>

#include "support/closing_socket.hpp"
#include "support/in_child.hpp"
#include "support/lingering_socket.hpp"
#include "support/tcp_facts.hpp"

using namespace support;
using asio::socket_base;
using interlock::close_mode;
using interlock::close_outcome;

namespace {

/// A full connection whose peer does not read, with five seconds to linger by an option of Asio's.
struct lingering : closing_tcp
{
  std::size_t sent = fill(fd());
  close_watch watch{fd()};
  const int original = fd();
  const std::set<int> reactor = watchers_of(original);
  told t;

  lingering()
  {
    object.set_option(socket_base::linger(true, 5));
  }

  support::fd copy() const
  {
    return support::fd(checked(::dup(original), "dup"));
  }

  /// The worker watches the connection, in a set of its own.
  bool is_delivering()
  {
    return run_until(context,
      [this]
      {
        for (const int set : watchers_of(original))
          if (reactor.count(set) == 0)
            return true;
        return false;
      });
  }

  /// What is closed by `close` leaves the connection as it was, until the last copy is closed.
  template <class Close>
  void check_that_a_copy_goes_on(Close close)
  {
    support::fd last = copy();
    close();
    taken got;
    BOOST_TEST(wait_until([&] { return got.take(pair.far), got.bytes >= sent; }));
    BOOST_TEST((got.bytes == sent && !got.ended && got.error == 0));
    BOOST_TEST(run_until(context, [this] { return watch.closed() == 1; }));
    BOOST_TEST(!readable(pair.far.get(), 0));
    BOOST_TEST(tcp_state_of(last) == TCP_ESTABLISHED);
    send_text(pair.far, "asked");
    BOOST_TEST(wait_input(last, 5));
    BOOST_TEST(drain(last) == 5u);
    send_text(last, "answered");
    last.reset();
    BOOST_TEST(got.take_all(pair.far));
    BOOST_TEST((got.ended && got.bytes == sent + 8));
  }

  /// Everything arrives, and close(2) was called by the worker with nothing to wait for.
  void check_delivered()
  {
    BOOST_TEST(is_delivering());
    BOOST_TEST(watch.closed() == 0u);
    taken got;
    BOOST_TEST(got.take_all(pair.far));
    BOOST_TEST(got.bytes == sent);
    BOOST_TEST(watch.wait_closed());
    BOOST_TEST(watch.by_worker());
    BOOST_TEST(!watch.lingered());
  }
};

/// The same, but that the option has been set on the descriptor itself.
struct told_by_the_descriptor : lingering
{
  told_by_the_descriptor()
  {
    object.set_option(socket_base::linger(false, 0));
    set_linger(original, 5);
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_g8_linger)

BOOST_FIXTURE_TEST_CASE(the_kernel_is_not_told, lingering)
{
  BOOST_TEST(linger_of(fd()).l_onoff == 0);
  socket_base::linger option;
  object.get_option(option);
  BOOST_TEST(option.enabled());
  BOOST_TEST(option.timeout() == 5);
  object.close();
  check_delivered();
}

BOOST_FIXTURE_TEST_CASE(a_destructor_delivers_in_the_background, lingering)
{
  {
    const tcp::socket dying(std::move(object));
  }
  check_delivered();
}

BOOST_FIXTURE_TEST_CASE(an_async_close_delivers_and_waits, lingering)
{
  object.async_close(t.handler());
  BOOST_TEST(is_delivering());
  BOOST_TEST(t.times == 0);
  check_delivered();
  BOOST_TEST(run_until_told(t));
  BOOST_TEST(!t.ec);
}

BOOST_FIXTURE_TEST_CASE(an_async_close_lets_writes_run_to_their_end, closing_tcp)
{
  object.set_option(socket_base::linger(true, 60));
  const std::string much(1 << 21, 'x');
  error_code written = asio::error::would_block;
  asio::async_write(object, asio::buffer(much), [&](error_code ec, std::size_t) { written = ec; });
  told t;
  object.async_close(t.handler());
  taken got;
  BOOST_TEST(run_until_told([&] { got.take(pair.far); }, t));
  BOOST_TEST(!t.ec);
  BOOST_TEST(!written);
  BOOST_TEST(got.take_all(pair.far));
  BOOST_TEST((got.ended && got.bytes == much.size()));
}

BOOST_FIXTURE_TEST_CASE(what_is_set_on_the_descriptor_is_done_by_close, told_by_the_descriptor)
{
  object.close();
  check_delivered();
}

BOOST_FIXTURE_TEST_CASE(
  what_is_set_on_the_descriptor_is_done_by_async_close, told_by_the_descriptor)
{
  object.async_close(t.handler());
  check_delivered();
  BOOST_TEST(run_until_told(t));
  BOOST_TEST(!t.ec);
}

BOOST_FIXTURE_TEST_CASE(an_immediate_close_does_not_linger, told_by_the_descriptor)
{
  object.async_close(close_mode::immediate(), t.handler());
  BOOST_TEST(run_until_told(t));
  BOOST_TEST(t.is(close_outcome::closed));
  BOOST_TEST(!watch.lingered());
}

// --- The outcome in the error.

BOOST_FIXTURE_TEST_CASE(a_requested_report_is_there, lingering)
{
  object.async_close(close_mode::deliver(std::chrono::milliseconds(50)), t.handler());
  told plain;
  object.async_close(plain.handler());
  BOOST_TEST(run_until_told([] {}, t, plain));
  BOOST_TEST(t.is(close_outcome::timed_out));
  BOOST_TEST(plain.ec == asio::error::timed_out);
}

// --- Copies of the descriptor.

BOOST_FIXTURE_TEST_CASE(a_copy_goes_on_after_an_async_close, lingering)
{
  check_that_a_copy_goes_on([this] { object.async_close(t.handler()); });
  BOOST_TEST(run_until_told(t));
  BOOST_TEST(!t.ec);
}

BOOST_FIXTURE_TEST_CASE(a_copy_goes_on_after_a_close_in_the_background, lingering)
{
  check_that_a_copy_goes_on([this] { object.close(); });
}

BOOST_FIXTURE_TEST_CASE(
  a_copy_goes_on_where_the_option_was_on_the_descriptor, told_by_the_descriptor)
{
  check_that_a_copy_goes_on([this] { object.async_close(t.handler()); });
  BOOST_TEST(run_until_told(t));
  BOOST_TEST(!t.ec);
}

BOOST_FIXTURE_TEST_CASE(a_copy_goes_on_although_a_joiner_has_a_mode, lingering)
{
  told joined;
  check_that_a_copy_goes_on(
    [&]
    {
      object.async_close(t.handler());
      object.async_close(close_mode::graceful(std::chrono::seconds(60)), joined.handler());
    });
  BOOST_TEST(run_until_told([] {}, t, joined));
  BOOST_TEST(joined.is(close_outcome::acknowledged));
  BOOST_TEST(joined.report.unacknowledged == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_copy_goes_on_after_the_time_has_passed, lingering)
{
  object.set_option(socket_base::linger(true, 1));
  check_that_a_copy_goes_on(
    [this]
    {
      object.async_close(t.handler());
      BOOST_TEST(run_until_told(t));
      BOOST_TEST(t.ec == asio::error::timed_out);
    });
}

// The owner of the copy would take a reset without an error for the end of the stream.
BOOST_FIXTURE_TEST_CASE(a_copy_finds_the_error_of_a_reset, lingering)
{
  const support::fd second = copy();
  object.async_close(t.handler());
  BOOST_TEST(is_delivering());
  set_linger(pair.far, 0);
  pair.far.reset();
  BOOST_TEST(run_until_told(t));
  BOOST_TEST(t.ec == asio::error::connection_reset);
  taken got;
  got.take(second);
  BOOST_TEST(got.error == ECONNRESET);
}

BOOST_FIXTURE_TEST_CASE(an_explicit_mode_ends_our_side_for_all_copies, lingering)
{
  const support::fd second = copy();
  object.async_close(close_mode::deliver(std::chrono::seconds(60)), t.handler());
  taken got;
  BOOST_TEST(run_until_told([&] { got.take(pair.far); }, t));
  BOOST_TEST(t.is(close_outcome::acknowledged));
  BOOST_TEST(got.take_all(pair.far));
  BOOST_TEST((got.ended && got.bytes == sent));
  BOOST_TEST(tcp_state_of(second) == TCP_FIN_WAIT2);
}

BOOST_FIXTURE_TEST_CASE(a_copy_of_a_local_socket_goes_on, closing_unix)
{
  const std::size_t sent = fill(fd());
  support::fd second(checked(::dup(fd()), "dup"));
  object.set_option(socket_base::linger(true, 60));
  told t;
  object.async_close(t.handler());
  taken got;
  BOOST_TEST(run_until_told([&] { got.take(pair.far); }, t));
  BOOST_TEST(!t.ec);
  BOOST_TEST((got.bytes == sent && !got.ended));
  send_text(second, "answered");
  second.reset();
  BOOST_TEST(got.take_all(pair.far));
  BOOST_TEST((got.ended && got.bytes == sent + 8));
}

// A server with a process for each connection.
BOOST_FIXTURE_TEST_CASE(a_forked_child_goes_on_with_the_connection, lingering)
{
  ends gate = pipe_ends();
  context.notify_fork(asio::execution_context::fork_prepare);
  const ::pid_t pid = fork_to(
    [&]
    {
      context.notify_fork(asio::execution_context::fork_child);
      char go = 0;
      const bool told_to = ::read(gate.near.get(), &go, 1) == 1;
      error_code ec;
      asio::write(object, asio::buffer("answered", 8), ec);
      return told_to && !ec;
    });
  context.notify_fork(asio::execution_context::fork_parent);
  object.async_close(t.handler());
  taken got;
  BOOST_TEST(wait_until([&] { return got.take(pair.far), got.bytes >= sent; }));
  BOOST_TEST(run_until_told(t));
  BOOST_TEST(!t.ec);
  BOOST_TEST(!readable(pair.far.get(), 0));
  send_text(gate.far, "g");
  BOOST_TEST(was_well(pid));
  BOOST_TEST(got.take_all(pair.far));
  BOOST_TEST((got.ended && got.bytes == sent + 8));
}

// --- What the peer sees, and what the program has done before.

// As after any other close(2); what has been acknowledged stays with the peer.
BOOST_FIXTURE_TEST_CASE(unread_input_is_answered_when_all_has_arrived, lingering)
{
  send_text(pair.far, "unread");
  BOOST_TEST(wait_until([this] { return object.available() == 6u; }));
  object.async_close(t.handler());
  BOOST_TEST(is_delivering());
  taken got;
  BOOST_TEST(got.take_all(pair.far));
  BOOST_TEST((got.bytes == sent && got.error == ECONNRESET));
  BOOST_TEST(run_until_told(t));
  BOOST_TEST(!t.ec);
}

BOOST_FIXTURE_TEST_CASE(an_end_that_was_sent_before_is_waited_for, lingering)
{
  object.shutdown(socket_base::shutdown_send);
  object.async_close(t.handler());
  told joined;
  object.async_close(close_mode::deliver(std::chrono::seconds(60)), joined.handler());
  BOOST_TEST(is_delivering());
  taken got;
  BOOST_TEST(got.take_all(pair.far));
  BOOST_TEST((got.ended && got.bytes == sent));
  BOOST_TEST(run_until_told([] {}, t, joined));
  BOOST_TEST(!t.ec);
  BOOST_TEST(joined.is(close_outcome::acknowledged));
}

BOOST_FIXTURE_TEST_CASE(a_peer_that_had_ended_first_gets_everything, lingering)
{
  BOOST_TEST(::shutdown(pair.far.get(), SHUT_WR) == 0);
  object.close();
  check_delivered();
}

// There never was a connection. The error of the attempt is still there, or has been taken.
BOOST_AUTO_TEST_CASE(a_connection_that_was_refused_has_nothing_to_linger_for)
{
  for (const bool is_taken : {false, true})
  {
    asio::io_context context;
    const tcp::endpoint nowhere =
      asio::ip::tcp::acceptor(context, {asio::ip::address_v4::loopback(), 0}).local_endpoint();
    tcp::socket object(context, tcp::v4());
    const support::fd copy(checked(::dup(object.native_handle()), "dup"));
    object.set_option(socket_base::linger(true, 5));
    error_code connected;
    if (is_taken)
      object.connect(nowhere, connected);
    else
      object.async_connect(nowhere, [&](error_code ec) { connected = ec; });
    BOOST_TEST(wait_tcp_state(copy, TCP_CLOSE));
    told t;
    object.async_close(t.handler());
    context.run();
    BOOST_TEST(!!connected);
    BOOST_TEST(t.times == 1);
    BOOST_TEST(!t.ec);
  }
}

#if defined(__linux__)
// The time at which something was sent waits there to be asked for.
BOOST_FIXTURE_TEST_CASE(what_else_is_in_the_queue_of_errors_is_no_reset, closing_tcp)
{
  const support::fd copy(checked(::dup(fd()), "dup"));
  const int stamps = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
  checked(::setsockopt(fd(), SOL_SOCKET, SO_TIMESTAMPING, &stamps, sizeof(stamps)), "setsockopt");
  object.set_option(socket_base::linger(true, 5));
  asio::write(object, asio::buffer("sent", 4));
  checked(::shutdown(pair.far.get(), SHUT_WR), "shutdown");
  object.shutdown(socket_base::shutdown_send);
  taken got;
  BOOST_TEST(got.take_all(pair.far));
  BOOST_TEST(wait_tcp_state(copy, TCP_CLOSE));
  ::pollfd p = {fd(), 0, 0};
  BOOST_TEST(::poll(&p, 1, 0) == 1);
  BOOST_TEST((p.revents & POLLERR) != 0);
  told t;
  object.async_close(t.handler());
  BOOST_TEST(run_until_told(t));
  BOOST_TEST(!t.ec);
}
#endif

// --- A time of nothing.

BOOST_FIXTURE_TEST_CASE(a_time_of_nothing_is_an_abort, closing_tcp)
{
  fill(fd());
  object.set_option(socket_base::linger(true, 0));
  socket_base::linger option;
  object.get_option(option);
  BOOST_TEST(option.enabled());
  BOOST_TEST(option.timeout() == 0);
  object.close();
  taken got;
  BOOST_TEST(got.take_all(pair.far));
  BOOST_TEST(got.error == ECONNRESET);
}

BOOST_FIXTURE_TEST_CASE(a_time_of_nothing_on_the_descriptor_is_an_abort, closing_tcp)
{
  fill(fd());
  set_linger(fd(), 0);
  told t;
  object.async_close(t.handler());
  BOOST_TEST(run_until_told(t));
  BOOST_TEST(!t.ec);
  taken got;
  BOOST_TEST(got.take_all(pair.far));
  BOOST_TEST(got.error == ECONNRESET);
}

BOOST_FIXTURE_TEST_CASE(a_delivery_that_is_asked_for_counts_more_than_the_option, closing_tcp)
{
  const std::size_t sent = fill(fd());
  object.set_option(socket_base::linger(true, 0));
  told t;
  object.async_close(close_mode::deliver(std::chrono::seconds(60)), t.handler());
  taken got;
  BOOST_TEST(run_until_told([&] { got.take(pair.far); }, t));
  BOOST_TEST(t.is(close_outcome::acknowledged));
  BOOST_TEST(got.take_all(pair.far));
  BOOST_TEST((got.ended && got.bytes == sent));
}

// --- The next owner of the descriptor.

BOOST_FIXTURE_TEST_CASE(a_descriptor_that_is_released_carries_the_option, lingering)
{
  const support::fd released(object.release());
  BOOST_TEST(linger_of(released.get()).l_onoff != 0);
  BOOST_TEST(linger_of(released.get()).l_linger == 5);
  set_linger(released, 0);
}

BOOST_FIXTURE_TEST_CASE(a_socket_of_asios_carries_the_option, lingering)
{
  asio::ip::tcp::socket plain = object.to_asio();
  socket_base::linger option;
  plain.get_option(option);
  BOOST_TEST(option.enabled());
  BOOST_TEST(option.timeout() == 5);
  plain.set_option(socket_base::linger(true, 0));
}

BOOST_AUTO_TEST_CASE(the_option_moves_with_the_socket)
{
  asio::io_context context;
  interlock::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type> narrow(
    context, tcp::v4());
  narrow.set_option(socket_base::linger(true, 5));
  tcp::socket wide(std::move(narrow));
  socket_base::linger option;
  wide.get_option(option);
  BOOST_TEST(option.enabled());
  BOOST_TEST(option.timeout() == 5);
  BOOST_TEST(linger_of(wide.native_handle()).l_onoff == 0);
}

BOOST_AUTO_TEST_SUITE_END()
