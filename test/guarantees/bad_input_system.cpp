// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What the system refuses: an address in use, a peer that is not there, options and commands it
// does not know or whose size is wrong. The error is the system's, and the object is usable
// afterwards.

#include <cerrno>
#include <cstddef>
#include <stdexcept>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>

#include <interlock/ip/tcp.hpp>
#include <interlock/posix/stream_descriptor.hpp>

#include "support/blocking_subjects.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/handler_tally.hpp"
#include "support/raw_option.hpp"
#include "support/refusals.hpp"
#include "support/sync_support.hpp"
#include "support/system_errors.hpp"

namespace asio = boost::asio;
using namespace support;
using interlock::ip::tcp;

namespace {

/// A command of any number.
struct raw_command
{
  int fd_;
  int argument = 0;

  int name() const
  {
    return fd_;
  }

  void* data()
  {
    return &argument;
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_bad_input_system)

BOOST_AUTO_TEST_CASE(a_refused_connect_reports_it_and_leaves_the_socket_open)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      const refusing_port port(context);
      tcp::socket object(context);
      call_in_thread connecting(
        [&]
        {
          outcome o;
          object.connect(port.endpoint(), o.ec);
          return o;
        });
      BOOST_TEST(connecting.get().ec == error_code(asio::error::connection_refused));
      BOOST_TEST(object.is_open());

      tcp::socket another(context);
      handler_tally handlers;
      error_code ec;
      another.async_connect(port.endpoint(), handlers(into(ec)));
      BOOST_TEST(handlers.called() == 0);
      context.run();
      BOOST_TEST(handlers.all_called());
      BOOST_TEST(ec == error_code(asio::error::connection_refused));
      BOOST_TEST(another.is_open());
    });
}

BOOST_AUTO_TEST_CASE(an_address_in_use_cannot_be_bound)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      const error_code in_use = asio::error::address_in_use;
      tcp::acceptor first(context, any_local_port());
      const auto taken = first.local_endpoint();
      tcp::socket socket(context, tcp::v4());
      error_code ec;
      socket.bind(taken, ec);
      BOOST_TEST(ec == in_use);
      BOOST_TEST(socket.is_open());
      tcp::acceptor acceptor(context, tcp::v4());
      acceptor.bind(taken, ec);
      BOOST_TEST(ec == in_use);
      socket.bind(any_local_port(), ec);
      BOOST_TEST(ec == success);
      // A constructor that fails half-way closes what it has opened.
      BOOST_CHECK_EXCEPTION(tcp::acceptor(context, taken, false), boost::system::system_error,
        [&](const auto& e) { return e.code() == in_use; });
      BOOST_CHECK_EXCEPTION(tcp::socket(context, taken), boost::system::system_error,
        [&](const auto& e) { return e.code() == in_use; });
    });
}

BOOST_AUTO_TEST_CASE(a_connected_socket_does_not_listen)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      ends connection = tcp_ends();
      tcp::acceptor object(context);
      object.assign(tcp::v4(), connection.near.release());
      error_code ec;
      object.listen(5, ec);
      BOOST_TEST(ec == system_error(EINVAL));
      BOOST_CHECK_THROW(object.listen(), boost::system::system_error);
      object.accept(context, ec);
      BOOST_TEST(ec == system_error(EINVAL));
      BOOST_TEST(object.is_open());
    });
}

BOOST_AUTO_TEST_CASE(an_unknown_or_wrongly_sized_option_is_refused)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      tcp::socket object(context, tcp::v4());
      error_code ec;
      object.set_option(raw_option(IPPROTO_TCP, 9999, sizeof(int)), ec);
      BOOST_TEST(ec == system_error(ENOPROTOOPT));
      object.set_option(raw_option(SOL_SOCKET, SO_KEEPALIVE, 1), ec);
      BOOST_TEST(ec == system_error(EINVAL));
      // Options of an IP header have forty bytes at most.
      object.set_option(raw_option(IPPROTO_IP, IP_OPTIONS, 4096), ec);
      BOOST_TEST(ec == system_error(EINVAL));
      raw_option unknown(IPPROTO_TCP, 9999, sizeof(int));
      object.get_option(unknown, ec);
      BOOST_TEST(ec == system_error(ENOPROTOOPT));
      BOOST_CHECK_THROW(object.get_option(unknown), boost::system::system_error);
      BOOST_CHECK_THROW(object.set_option(unknown), boost::system::system_error);

      // Asio's own option, with a size it does not have.
      const asio::socket_base::enable_connection_aborted special;
      const tcp p = tcp::v4();
      raw_option wrong(special.level(p), special.name(p), sizeof(int) + 1);
      object.set_option(wrong, ec);
      BOOST_TEST(ec == error_code(asio::error::invalid_argument));
      object.get_option(wrong, ec);
      BOOST_TEST(ec == error_code(asio::error::invalid_argument));
    });
}

// The exception comes from inside the call: the object must not count it as inside for ever, or it
// could never be detached.
BOOST_AUTO_TEST_CASE(an_option_that_throws_at_its_size_leaves_the_object_closable)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      tcp::socket object(context, tcp::v4());
      raw_option large(SOL_SOCKET, SO_KEEPALIVE, 64);
      error_code ec;
      BOOST_CHECK_THROW(object.get_option(large, ec), std::length_error);
      BOOST_CHECK_THROW(object.get_option(large), std::length_error);
      const fd released(object.release(ec));
      BOOST_TEST(ec == success);
    });
}

BOOST_AUTO_TEST_CASE(an_unknown_command_is_refused)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      raw_command unknown{0x5a5a};
      error_code ec;
      tcp::socket socket(context, tcp::v4());
      socket.io_control(unknown, ec);
      BOOST_TEST(ec == system_error(ENOTTY));
      tcp::acceptor acceptor(context, tcp::v4());
      acceptor.io_control(unknown, ec);
      BOOST_TEST(ec == system_error(ENOTTY));
      interlock::posix::stream_descriptor descriptor(context, pipe_ends().near.release());
      descriptor.io_control(unknown, ec);
      BOOST_TEST(ec == system_error(ENOTTY));
      BOOST_CHECK_THROW(socket.io_control(unknown), boost::system::system_error);
      BOOST_CHECK_THROW(descriptor.io_control(unknown), boost::system::system_error);
    });
}

BOOST_AUTO_TEST_SUITE_END()
