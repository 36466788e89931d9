// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Guarantee G12, by comparison: every option type and command of Asio, set and read back on sockets
// and acceptors, has the same value and fails with the same error over both families.

#include "support/prelude.hpp"

#include <boost/asio/ip/multicast.hpp>
#include <boost/asio/ip/unicast.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/socket_base.hpp>

#include "support/differential.hpp"

using namespace support;
using asio::socket_base;

namespace {

template <class Option, class Object>
void read_option(notes& note, const std::string& name, Object& object)
{
  Option option;
  error_code ec;
  note("get " + name, object.get_option(option, ec));
  note("value of " + name, option.value());
}

template <class Option, class Object, class Value>
void write_option(notes& note, const std::string& name, Object& object, Value value)
{
  error_code ec;
  note("set " + name, object.set_option(Option(value), ec));
  read_option<Option>(note, name, object);
}

/// The option's value before and after each of `values` has been set.
template <class Option, class Object, class... Values>
void round_trip(notes& note, const std::string& name, Object& object, Values... values)
{
  read_option<Option>(note, name, object);
  (write_option<Option>(note, name, object, values), ...);
}

template <class Object>
void general_options(notes& note, Object& object)
{
  round_trip<socket_base::broadcast>(note, "broadcast", object, true, false);
  round_trip<socket_base::debug>(note, "debug", object, true, false);
  round_trip<socket_base::do_not_route>(note, "do_not_route", object, true, false);
  round_trip<socket_base::keep_alive>(note, "keep_alive", object, true, false);
  round_trip<socket_base::reuse_address>(note, "reuse_address", object, true, false);
  round_trip<socket_base::out_of_band_inline>(note, "out_of_band_inline", object, true, false);
  round_trip<socket_base::enable_connection_aborted>(
    note, "enable_connection_aborted", object, true, false);
  round_trip<socket_base::receive_low_watermark>(
    note, "receive_low_watermark", object, 0, 1, 1024, 1 << 30);
  round_trip<socket_base::send_low_watermark>(note, "send_low_watermark", object, 1, 1024);
}

// Linux doubles what is set, and has limits at both ends.
template <class Object>
void buffer_sizes(notes& note, Object& object)
{
  round_trip<socket_base::send_buffer_size>(
    note, "send_buffer_size", object, 0, 1, 8191, 65536, 1 << 30, -1);
  round_trip<socket_base::receive_buffer_size>(
    note, "receive_buffer_size", object, 0, 1, 8191, 65536, 1 << 30, -1);
}

template <class Object>
void lingering(notes& note, Object& object)
{
  const auto read = [&]
  {
    socket_base::linger option;
    error_code ec;
    note("get linger", object.get_option(option, ec));
    note("enabled", option.enabled());
    note("timeout", option.timeout());
  };
  read();
  for (const bool enabled : {true, false})
    for (const int timeout : {30, 1, 0})
    {
      error_code ec;
      note("set linger", object.set_option(socket_base::linger(enabled, timeout), ec));
      read();
    }
}

template <class Object>
void options_of_tcp(notes& note, Object& object)
{
  round_trip<asio::ip::tcp::no_delay>(note, "no_delay", object, true, false);
  round_trip<asio::ip::unicast::hops>(note, "unicast::hops", object, 1, 255);
  round_trip<asio::ip::multicast::hops>(note, "multicast::hops", object, 1, 255);
  round_trip<asio::ip::multicast::enable_loopback>(
    note, "multicast::enable_loopback", object, true, false);
  round_trip<asio::ip::v6_only>(note, "v6_only", object, true, false);
}

template <class Object>
void groups(notes& note, Object& object)
{
  const auto group = asio::ip::make_address_v4("239.255.0.1");
  const auto here = asio::ip::address_v4::loopback();
  error_code ec;
  note("join_group", object.set_option(asio::ip::multicast::join_group(group, here), ec));
  note("leave_group", object.set_option(asio::ip::multicast::leave_group(group, here), ec));
  note("leave_group again", object.set_option(asio::ip::multicast::leave_group(group, here), ec));
  note("outbound_interface", object.set_option(asio::ip::multicast::outbound_interface(here), ec));
  note.thrown("outbound_interface",
    [&] { object.set_option(asio::ip::multicast::outbound_interface(0xffff)); });
}

template <class Object>
void all_options(notes& note, Object& object)
{
  general_options(note, object);
  buffer_sizes(note, object);
  lingering(note, object);
  options_of_tcp(note, object);
  groups(note, object);
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_differential_options, compared)

BOOST_AUTO_TEST_CASE_TEMPLATE(options_of_sockets_are_the_same, F, both_families)
{
  typename F::tcp::socket v4(context, F::tcp::v4());
  all_options(note, v4);
  typename F::tcp::socket v6(context);
  error_code ec;
  note("open v6", v6.open(F::tcp::v6(), ec));
  all_options(note, v6);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(options_of_acceptors_are_the_same, F, both_families)
{
  typename F::tcp::acceptor acceptor(context, F::tcp::v4());
  all_options(note, acceptor);
  // By the constructor.
  for (const bool reuse : {true, false})
  {
    typename F::tcp::acceptor made(context, tcp_pair<F>::loopback(), reuse);
    read_option<socket_base::reuse_address>(note, "reuse_address", made);
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(options_of_local_sockets_are_the_same, F, both_families)
{
  typename F::local::socket object(context, typename F::local());
  general_options(note, object);
  buffer_sizes(note, object);
  lingering(note, object);
  error_code ec;
  note("no_delay", object.set_option(asio::ip::tcp::no_delay(true), ec));
}

// What a connection has got from its listener.
BOOST_AUTO_TEST_CASE_TEMPLATE(options_of_accepted_sockets_are_the_same, F, both_families)
{
  typename F::tcp::acceptor acceptor(context, F::tcp::v4());
  acceptor.set_option(socket_base::keep_alive(true));
  acceptor.set_option(socket_base::receive_buffer_size(4096));
  acceptor.set_option(asio::ip::tcp::no_delay(true));
  acceptor.bind(tcp_pair<F>::loopback());
  acceptor.listen();
  asio::ip::tcp::socket client(context);
  client.connect(acceptor.local_endpoint());
  typename F::tcp::socket accepted(acceptor.accept());
  read_option<socket_base::keep_alive>(note, "keep_alive", accepted);
  read_option<socket_base::receive_buffer_size>(note, "receive_buffer_size", accepted);
  read_option<asio::ip::tcp::no_delay>(note, "no_delay", accepted);
  round_trip<socket_base::enable_connection_aborted>(
    note, "enable_connection_aborted", accepted, true);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(commands_are_the_same, F, both_families)
{
  error_code ec;
  const auto unread = [&](const std::string& whose, auto& object)
  {
    socket_base::bytes_readable command;
    note("bytes_readable of " + whose, object.io_control(command, ec));
    note("bytes", command.get());
  };
  tcp_pair<F> pair(context);
  unread("a connection", pair.first);
  pair.second.send(asio::buffer("payload", 7));
  pair.first.wait(socket_base::wait_read);
  unread("a connection with input", pair.first);
  note("available", pair.first.available(ec));
  typename F::tcp::acceptor acceptor(context, tcp_pair<F>::loopback());
  unread("an acceptor", acceptor);
  ends pipe = pipe_ends();
  send_text(pipe.far, "abc");
  typename F::stream_descriptor descriptor(context, pipe.near.release());
  unread("a pipe", descriptor);
}

BOOST_AUTO_TEST_SUITE_END()
