// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G8: the kernel reports the end of a connection once. What an operation has received is in the report of the close
// that follows; what other code may have received is not guessed.

#include "support/prelude.hpp"

#include <interlock/generic/stream_protocol.hpp>
#include <interlock/local/connect_pair.hpp>

#include <boost/asio/ip/address_v4.hpp>

#include "support/closing_socket.hpp"
#include "support/lingering_socket.hpp"
#include "support/raw_option.hpp"

using namespace support;
using interlock::close_mode;
using interlock::close_outcome;

namespace {

constexpr std::chrono::seconds long_enough(60);

/// A connect that has to wait leaves a wake-up descriptor with its thread: in a thread of its own.
template <class Socket>
error_code connect_waiting(Socket& s, unsigned short port)
{
  error_code ec;
  std::thread([&] { s.connect({asio::ip::address_v4::loopback(), port}, ec); }).join();
  return ec;
}

int error_of(int fd)
{
  int value = 0;
  ::socklen_t size = sizeof(value);
  checked(::getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &size), "SO_ERROR");
  return value;
}

/// No code but the library's touches the descriptor of `object`, unless a test says so.
template <class Socket>
struct conversation : no_trace
{
  asio::io_context context;
  Socket object{context};
  told t;
  char byte = 0;

  /// Writes as much as there is room for.
  void fill()
  {
    const std::string much(1 << 16, 'x');
    error_code ec;
    object.non_blocking(true);
    while (!ec)
      object.write_some(asio::buffer(much), ec);
    object.non_blocking(false);
  }

  void receive_by_lease()
  {
    const auto lease = object.lease();
    BOOST_TEST(wait_until([&] { return error_of(lease.get()) == ECONNRESET; }));
  }

  template <class Object>
  close_outcome outcome(Object& o, const close_mode& mode = close_mode::deliver(long_enough))
  {
    o.async_close(mode, t.handler());
    return outcome();
  }

  close_outcome outcome()
  {
    BOOST_TEST(run_until(context, [this] { return t.times == 1; }));
    BOOST_TEST(!t.ec);
    return t.report.outcome;
  }
};

struct over_tcp : conversation<tcp::socket>
{
  fd listener = tcp_listener();
  fd far;

  over_tcp()
  {
    BOOST_TEST(!connect_waiting(object, port()));
    far.reset(checked(::accept(listener.get(), nullptr, nullptr), "accept"));
  }

  unsigned short port() const
  {
    return ntohs(address_of(listener).sin_port);
  }

  void peer_resets()
  {
    set_linger(far, 0);
    far.reset();
  }

  /// Whether a synchronous read receives the reset.
  bool read_reset()
  {
    error_code ec;
    object.read_some(asio::buffer(&byte, 1), ec);
    return ec == asio::error::connection_reset;
  }
};

struct over_local : conversation<local::socket>
{
  fd far;

  over_local()
  {
    local::socket other(context);
    interlock::local::connect_pair(object, other);
    far.reset(other.release());
  }

  error_code read_one()
  {
    error_code ec;
    object.read_some(asio::buffer(&byte, 1), ec);
    return ec;
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_g8_received_before)

// --- TCP.

BOOST_AUTO_TEST_CASE(a_reset_that_a_read_has_received_is_reported)
{
  for (const close_mode& mode :
    {close_mode::deliver(long_enough), close_mode::graceful(long_enough)})
  {
    over_tcp c;
    c.fill();
    c.object.async_read_some(asio::buffer(&c.byte, 1),
      [&](error_code ec, std::size_t)
      {
        BOOST_TEST(ec == asio::error::connection_reset);
        c.object.async_close(mode, c.t.handler());
      });
    c.peer_resets();
    BOOST_TEST(c.outcome() == close_outcome::reset);
    BOOST_TEST(c.t.report.unacknowledged != 0u);
  }
}

BOOST_FIXTURE_TEST_CASE(a_reset_that_a_synchronous_write_has_received_is_reported, over_tcp)
{
  fill();
  peer_resets();
  object.non_blocking(true);
  error_code ec;
  BOOST_TEST(wait_until(
    [&] {
      return object.write_some(asio::buffer(&byte, 1), ec), ec && ec != asio::error::would_block;
    }));
  BOOST_TEST(outcome(object) == close_outcome::reset);
}

BOOST_FIXTURE_TEST_CASE(a_reset_that_a_write_of_a_flush_has_received_is_reported, over_tcp)
{
  const std::string much(1 << 23, 'x');
  error_code written;
  asio::async_write(object, asio::buffer(much), [&](error_code ec, std::size_t) { written = ec; });
  turn(context);
  object.async_close(close_mode::deliver(long_enough), t.handler());
  turn(context);
  peer_resets();
  BOOST_TEST(outcome() == close_outcome::reset);
  BOOST_TEST(written);
}

BOOST_FIXTURE_TEST_CASE(a_reset_that_so_error_has_returned_is_reported, over_tcp)
{
  peer_resets();
  raw_option option(SOL_SOCKET, SO_ERROR, sizeof(int));
  BOOST_TEST(wait_until([&] { return object.get_option(option), option.value() != 0; }));
  BOOST_TEST(option.value() == ECONNRESET);
  BOOST_TEST(outcome(object) == close_outcome::reset);
}

BOOST_FIXTURE_TEST_CASE(a_reset_is_reported_where_nothing_was_on_its_way, over_tcp)
{
  peer_resets();
  BOOST_TEST(wait_until([this] { return read_reset(); }));
  BOOST_TEST(outcome(object) == close_outcome::reset);
}

BOOST_FIXTURE_TEST_CASE(a_reset_is_reported_by_an_object_of_another_type, over_tcp)
{
  peer_resets();
  BOOST_TEST(wait_until([this] { return read_reset(); }));
  interlock::generic::stream_protocol::socket other(std::move(object));
  BOOST_TEST(outcome(other) == close_outcome::reset);
}

// The handler belongs to the tenure that gave the connection away.
BOOST_FIXTURE_TEST_CASE(a_reset_that_comes_after_a_converting_move_is_reported, over_tcp)
{
  interlock::generic::stream_protocol::socket other(context);
  bool has_read = false;
  object.async_read_some(asio::buffer(&byte, 1), [&](error_code, std::size_t) { has_read = true; });
  other = std::move(object);
  peer_resets();
  BOOST_TEST(run_until(context, [&] { return has_read; }));
  BOOST_TEST(outcome(other) == close_outcome::reset);
}

// Data that is still in the queue of a connection that has ended has not arrived.
BOOST_FIXTURE_TEST_CASE(a_reset_that_other_code_has_received_shows_in_the_queue, over_tcp)
{
  fill();
  peer_resets();
  receive_by_lease();
  BOOST_TEST(outcome(object) == close_outcome::reset);
  BOOST_TEST(t.report.unacknowledged != 0u);
}

BOOST_FIXTURE_TEST_CASE(of_a_reset_that_other_code_has_received_nothing_is_claimed, over_tcp)
{
  peer_resets();
  receive_by_lease();
  BOOST_TEST(outcome(object) == close_outcome::closed);
}

BOOST_FIXTURE_TEST_CASE(a_broken_pipe_of_the_programs_own_making_is_no_reset, over_tcp)
{
  object.write_some(asio::buffer("text", 4));
  object.shutdown(tcp::socket::shutdown_send);
  error_code ec;
  object.write_some(asio::buffer("text", 4), ec);
  BOOST_TEST(ec == asio::error::broken_pipe);
  BOOST_TEST(outcome(object) == close_outcome::acknowledged);
}

BOOST_FIXTURE_TEST_CASE(an_attempt_that_failed_is_not_the_connections, over_tcp)
{
  for (bool waits : {false, true})
  {
    tcp::socket again(context, asio::ip::tcp::v4());
    fd closed = tcp_listener();
    const unsigned short unused = ntohs(address_of(closed).sin_port);
    closed.reset();
    BOOST_TEST(connect_waiting(again, unused) == asio::error::connection_refused);
    error_code received;
    again.write_some(asio::buffer("text", 4), received);
    BOOST_TEST(received == asio::error::broken_pipe);
    error_code ec = asio::error::would_block;
    if (waits)
      ec = connect_waiting(again, port());
    else
      again.async_connect(
        {asio::ip::address_v4::loopback(), port()}, [&](error_code e) { ec = e; });
    BOOST_TEST(run_until(context, [&] { return !ec; }));
    fd end(checked(::accept(listener.get(), nullptr, nullptr), "accept"));
    again.write_some(asio::buffer("text", 4));
    t = told();
    BOOST_TEST(outcome(again) == close_outcome::acknowledged);
  }
}

BOOST_FIXTURE_TEST_CASE(a_broken_pipe_before_the_program_ended_its_writing_is_a_reset, over_tcp)
{
  checked(::shutdown(far.get(), SHUT_WR), "shutdown");
  error_code ec;
  BOOST_TEST(wait_until(
    [&] { return object.read_some(asio::buffer(&byte, 1), ec), ec == asio::error::eof; }));
  peer_resets();
  BOOST_TEST(wait_until(
    [&] { return object.write_some(asio::buffer(&byte, 1), ec), ec == asio::error::broken_pipe; }));
  object.shutdown(tcp::socket::shutdown_both, ec);
  BOOST_TEST(outcome(object) == close_outcome::reset);
}

BOOST_FIXTURE_TEST_CASE(what_was_never_connected_has_nothing_to_report, conversation<tcp::socket>)
{
  object.open(asio::ip::tcp::v4());
  error_code ec;
  object.write_some(asio::buffer("text", 4), ec);
  BOOST_TEST(ec == asio::error::broken_pipe);
  BOOST_TEST(outcome(object) == close_outcome::closed);
}

// --- AF_UNIX: nothing is left in the queue of a peer that has gone, whether it has read or not.

BOOST_FIXTURE_TEST_CASE(a_local_reset_that_a_read_has_received_is_reported, over_local)
{
  object.write_some(asio::buffer("text", 4));
  far.reset();
  BOOST_TEST(read_one() == asio::error::connection_reset);
  BOOST_TEST(outcome(object) == close_outcome::reset);
}

BOOST_AUTO_TEST_CASE(a_local_peer_that_has_read_all_before_it_went_has_acknowledged)
{
  for (bool graceful : {false, true})
  {
    over_local c;
    c.object.write_some(asio::buffer("text", 4));
    drain(c.far);
    c.far.reset();
    BOOST_TEST(c.read_one() == asio::error::eof);
    error_code ec;
    c.object.write_some(asio::buffer("text", 4), ec);
    BOOST_TEST(ec == asio::error::broken_pipe);
    const auto mode = graceful ? close_mode::graceful(long_enough)
                               : close_mode::deliver(long_enough);
    BOOST_TEST(c.outcome(c.object, mode)
      == (graceful ? close_outcome::peer_closed : close_outcome::acknowledged));
  }
}

BOOST_FIXTURE_TEST_CASE(a_handler_that_closes_knows_what_it_has_received, over_local)
{
  object.write_some(asio::buffer("text", 4));
  drain(far);
  object.async_read_some(asio::buffer(&byte, 1),
    [this](error_code ec, std::size_t)
    {
      BOOST_TEST(ec == asio::error::eof);
      object.async_close(close_mode::deliver(long_enough), t.handler());
    });
  far.reset();
  BOOST_TEST(outcome() == close_outcome::acknowledged);
}

BOOST_AUTO_TEST_CASE(
  of_a_local_peer_that_has_gone_nothing_is_claimed_where_other_code_may_know_more)
{
  for (bool reads : {false, true})
  {
    over_local c;
    c.object.write_some(asio::buffer("text", 4));
    if (reads)
      drain(c.far);
    c.far.reset();
    if (reads)
      BOOST_TEST(error_of(c.object.lease().get()) == 0);
    else
      c.receive_by_lease();
    BOOST_TEST(c.outcome(c.object) == close_outcome::closed);
  }
}

BOOST_FIXTURE_TEST_CASE(
  of_a_local_peer_that_has_gone_nothing_is_claimed_before_a_handler_has_run, over_local)
{
  asio::io_context idle;
  error_code received;
  object.write_some(asio::buffer("text", 4));
  object.async_read_some(asio::buffer(&byte, 1),
    asio::bind_executor(idle, [&](error_code ec, std::size_t) { received = ec; }));
  far.reset();
  turn(context);
  object.async_close(close_mode::deliver(long_enough), t.handler());
  BOOST_TEST(run_until(context, [&] { return turn(idle), t.times == 1; }));
  BOOST_TEST(received == asio::error::connection_reset);
  BOOST_TEST(t.report.outcome == close_outcome::closed);
}

BOOST_AUTO_TEST_SUITE_END()
