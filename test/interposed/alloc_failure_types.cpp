// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G9, for want of memory, with what the types beyond stream sockets do: pairs, pipes and serial ports
// are opened as a whole or not at all, pipes and acceptors move from and to Asio's own without a loss, and operations
// on datagrams are started or throw.

#define BOOST_TEST_MODULE interlock_alloc_failure_types
#include <boost/test/unit_test.hpp>

#include <interlock/connect_pipe.hpp>
#include <interlock/ip/tcp.hpp>
#include <interlock/ip/udp.hpp>
#include <interlock/local/connect_pair.hpp>
#include <interlock/local/datagram_protocol.hpp>
#include <interlock/readable_pipe.hpp>
#include <interlock/serial_port.hpp>
#include <interlock/writable_pipe.hpp>

#include <cstddef>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/system/system_error.hpp>

#if defined(INTERLOCK_HAS_PIPES)
#include <boost/asio/readable_pipe.hpp>
#include <boost/asio/writable_pipe.hpp>
#endif

#include "support/allocation_walk.hpp"
#include "support/handler_tally.hpp"
#include "support/message_ends.hpp"
#include "support/pty.hpp"

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::ip::udp;
using local = interlock::local::datagram_protocol;
using support::attempt;
using support::for_every_allocation;
using support::with_failure;

namespace {

const error_code success;
const error_code not_called = asio::error::fault;

/// Whatever fails, the two are open together.
template <class First, class Second, class Connect>
void connect_without_memory(Connect connect)
{
  for_every_allocation(
    [connect](std::size_t n)
    {
      asio::io_context context;
      asio::ip::udp::socket of_asio(context, asio::ip::udp::v4());
      First first(context);
      Second second(context);
      error_code ec;
      const attempt a = with_failure(n, [&] { connect(first, second, ec); });
      const bool connected = !a.threw && !ec;
      BOOST_TEST(first.is_open() == connected);
      BOOST_TEST(second.is_open() == connected);
      return a.struck;
    });
}

/// The error of the system that `call()` throws. Any other exception goes on.
template <class Call>
error_code error_of(Call call)
{
  try
  {
    call();
    return error_code();
  }
  catch (const boost::system::system_error& e)
  {
    return e.code();
  }
}

} // namespace

BOOST_AUTO_TEST_CASE(a_pair_is_connected_or_closed)
{
  connect_without_memory<local::socket, local::socket>(
    [](auto& a, auto& b, error_code& ec) { interlock::local::connect_pair(a, b, ec); });
}

BOOST_AUTO_TEST_CASE(a_pipe_is_connected_or_closed)
{
  connect_without_memory<interlock::readable_pipe, interlock::writable_pipe>(
    [](auto& r, auto& w, error_code& ec) { interlock::connect_pipe(r, w, ec); });
}

#if defined(INTERLOCK_HAS_PIPES)
// Asio takes into use again what the object has left: nothing can fail for want of memory.
BOOST_AUTO_TEST_CASE(a_pipe_becomes_asios_without_memory)
{
  asio::io_context context;
  interlock::readable_pipe ours(context, support::pipe_ends().near.release());
  bool converted = false;
  const attempt a = with_failure(1, [&] { converted = ours.to_asio().is_open(); });
  BOOST_TEST(!a.struck);
  BOOST_TEST(converted);
}

BOOST_AUTO_TEST_CASE(a_pipe_of_asio_becomes_ours_or_is_closed_or_stays)
{
  for_every_allocation(
    [](std::size_t n)
    {
      asio::io_context context;
      asio::writable_pipe plain(context, support::pipe_ends().far.release());
      const support::close_watch watch(plain.native_handle());
      bool converted = false;
      error_code ec;
      const auto convert = [&]
      { converted = interlock::writable_pipe(std::move(plain)).is_open(); };
      const attempt a = with_failure(n, [&] { ec = error_of(convert); });
      BOOST_TEST(converted == (!a.threw && !ec));
      BOOST_TEST(plain.is_open() == (watch.arrived() == 0));
      plain.close();
      BOOST_TEST(watch.wait_closed());
      BOOST_TEST(watch.arrived() == 1u);
      return a.struck;
    });
}
#endif

BOOST_AUTO_TEST_CASE(an_acceptor_of_asio_becomes_ours_or_is_closed)
{
  for_every_allocation(
    [](std::size_t n)
    {
      asio::io_context context;
      asio::ip::tcp::acceptor plain(context, {asio::ip::address_v4::loopback(), 0});
      const support::close_watch watch(plain.native_handle());
      bool converted = false;
      error_code ec;
      const auto convert = [&]
      { converted = interlock::ip::tcp::acceptor(std::move(plain)).to_asio().is_open(); };
      const attempt a = with_failure(n, [&] { ec = error_of(convert); });
      BOOST_TEST(converted == (!a.threw && !ec));
      BOOST_TEST(!plain.is_open());
      BOOST_TEST(watch.wait_closed());
      BOOST_TEST(watch.arrived() == 1u);
      return a.struck;
    });
}

BOOST_AUTO_TEST_CASE(a_serial_port_is_opened_or_closed)
{
  for_every_allocation(
    [](std::size_t n)
    {
      const support::pty terminal;
      asio::io_context context;
      asio::ip::udp::socket of_asio(context, asio::ip::udp::v4());
      interlock::serial_port port(context);
      error_code ec;
      const attempt a = with_failure(n, [&] { port.open(terminal.name(), ec); });
      BOOST_TEST(port.is_open() == (!a.threw && !ec));
      return a.struck;
    });
}

BOOST_AUTO_TEST_CASE(a_datagram_is_sent_and_received_or_the_start_throws)
{
  for_every_allocation(
    [](std::size_t n)
    {
      asio::io_context context;
      support::handler_tally tally;
      udp::socket s(context, support::loopback_udp());
      const auto where = s.local_endpoint();
      asio::ip::udp::endpoint from;
      char buffer[8];
      error_code ec = not_called;
      const attempt a = with_failure(n,
        [&]
        {
          s.async_receive_from(asio::buffer(buffer), from, tally(support::into(ec)));
          s.async_send_to(asio::buffer("abc", 3), where, tally([](error_code, std::size_t) {}));
        });
      if (a.threw)
        s.send_to(asio::buffer("abc", 3), where);
      context.run();
      BOOST_TEST(tally.all_ended());
      BOOST_TEST((ec == success || a.threw));
      s.close();
      return a.struck;
    });
}
