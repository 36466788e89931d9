// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What the system refuses: an address in use, a peer that is not there, options and commands it
// does not know or whose size is wrong. The error is the system's, and the object is usable
// afterwards.

#include "support/prelude.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <boost/asio/socket_base.hpp>

#include "support/blocking_subjects.hpp"
#include "support/counted.hpp"
#include "support/raw_option.hpp"
#include "support/refusals.hpp"
#include "support/system_errors.hpp"

using namespace support;

namespace {

/// A command of any number.
struct raw_command
{
  int number;
  int argument = 0;

  int name() const
  {
    return number;
  }

  void* data()
  {
    return &argument;
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_bad_input_system, counted_in_context)

BOOST_AUTO_TEST_CASE(a_refused_connect_reports_it_and_leaves_the_socket_open)
{
  const error_code connection_refused = asio::error::connection_refused;
  const refusing_port port(context);
  tcp::socket object(context);
  call_in_thread connecting(
    [&]
    {
      outcome o;
      object.connect(port.endpoint(), o.ec);
      return o;
    });
  BOOST_TEST(connecting.get().ec == connection_refused);
  BOOST_TEST(object.is_open());

  tcp::socket another(context);
  error_code ec = not_called;
  another.async_connect(port.endpoint(), tally(into(ec)));
  BOOST_TEST(tally.called() == 0);
  run();
  BOOST_TEST(ec == connection_refused);
  BOOST_TEST(another.is_open());
}

BOOST_AUTO_TEST_CASE(an_address_in_use_cannot_be_bound)
{
  const error_code address_in_use = asio::error::address_in_use;
  tcp::acceptor first(context, any_local_port());
  const auto taken = first.local_endpoint();
  tcp::socket socket(context, tcp::v4());
  tcp::acceptor acceptor(context, tcp::v4());
  refused("bind", address_in_use, [&](auto&... ec) { socket.bind(taken, ec...); });
  refused("bind", address_in_use, [&](auto&... ec) { acceptor.bind(taken, ec...); });
  BOOST_CHECK_NO_THROW(socket.bind(any_local_port()));
  // A constructor that fails half-way closes what it has opened.
  throws("bind", address_in_use, [&] { tcp::acceptor(context, taken, false); });
  throws("bind", address_in_use, [&] { tcp::socket(context, taken); });
}

BOOST_AUTO_TEST_CASE(a_connected_socket_does_not_listen)
{
  ends connection = tcp_ends();
  tcp::acceptor object(context, tcp::v4(), connection.near.release());
  refused("listen", system_error(EINVAL), [&](auto&... ec) { object.listen(5, ec...); });
  refused("accept", system_error(EINVAL), [&](auto&... ec) { object.accept(context, ec...); });
  BOOST_TEST(object.is_open());
}

BOOST_AUTO_TEST_CASE(an_unknown_or_wrongly_sized_option_is_refused)
{
  tcp::socket object(context, tcp::v4());
  const auto set = [&object](const raw_option& option)
  { return [&](auto&... ec) { object.set_option(option, ec...); }; };
  const raw_option unknown(IPPROTO_TCP, 9999, sizeof(int));
  refused("set_option", system_error(ENOPROTOOPT), set(unknown));
  const raw_option small(SOL_SOCKET, SO_KEEPALIVE, 1);
  refused("set_option", system_error(EINVAL), set(small));
  // Options of an IP header have forty bytes at most.
  const raw_option large(IPPROTO_IP, IP_OPTIONS, 4096);
  refused("set_option", system_error(EINVAL), set(large));
  raw_option got = unknown;
  refused(
    "get_option", system_error(ENOPROTOOPT), [&](auto&... ec) { object.get_option(got, ec...); });

  // Asio's own option, with a size it does not have.
  const asio::socket_base::enable_connection_aborted special;
  const tcp p = tcp::v4();
  raw_option wrong(special.level(p), special.name(p), sizeof(int) + 1);
  const error_code invalid_argument = asio::error::invalid_argument;
  refused("set_option", invalid_argument, set(wrong));
  refused("get_option", invalid_argument, [&](auto&... ec) { object.get_option(wrong, ec...); });
}

// The exception comes from inside the call: the object must not count it as inside for ever, or it
// could never be detached.
BOOST_AUTO_TEST_CASE(an_option_that_throws_at_its_size_leaves_the_object_closable)
{
  tcp::socket object(context, tcp::v4());
  raw_option large(SOL_SOCKET, SO_KEEPALIVE, 64);
  error_code ec;
  BOOST_CHECK_THROW(object.get_option(large, ec), std::length_error);
  BOOST_CHECK_THROW(object.get_option(large), std::length_error);
  const fd released(object.release(ec));
  BOOST_TEST(ec == success);
}

BOOST_AUTO_TEST_CASE(an_unknown_command_is_refused)
{
  raw_command unknown{0x5a5a};
  tcp::socket socket(context, tcp::v4());
  tcp::acceptor acceptor(context, tcp::v4());
  stream_descriptor descriptor(context, pipe_ends().near.release());
  const error_code no_command = system_error(ENOTTY);
  refused("io_control", no_command, [&](auto&... ec) { socket.io_control(unknown, ec...); });
  refused("io_control", no_command, [&](auto&... ec) { acceptor.io_control(unknown, ec...); });
  refused("io_control", no_command, [&](auto&... ec) { descriptor.io_control(unknown, ec...); });
}

BOOST_AUTO_TEST_SUITE_END()
