// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Guarantee G12, by comparison: the same program over Asio's types and over Interlock's observes
// the same. This file: opening, connecting, binding, accepting and their failures, the blocking state,
// cancellation, moves, shutdowns, data in pieces and out of band. What any object of a type does is compared in
// dropin_states.hpp.

#include "support/prelude.hpp"

#include <array>

#include <sys/ioctl.h>

#include <boost/asio/read.hpp>
#include <boost/asio/socket_base.hpp>

#include "support/differential.hpp"
#include "support/local_port.hpp"
#include "support/refusals.hpp"

using namespace support;
using asio::socket_base;

namespace {

/// FIONBIO, as a command.
struct set_non_blocking
{
  int argument;

  int name() const
  {
    return static_cast<int>(FIONBIO);
  }

  void* data()
  {
    return &argument;
  }
};

template <class Object>
void note_blocking_state(notes& note, const std::string& when, const Object& object)
{
  note("non_blocking " + when, object.non_blocking());
  note("native_non_blocking " + when, object.native_non_blocking());
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_differential, compared)

BOOST_AUTO_TEST_CASE_TEMPLATE(failed_opens_are_the_same, F, both_families)
{
  typename F::generic::socket odd(context);
  error_code ec;
  note("open with an unknown family", odd.open(typename F::generic(AF_MAX, 0), ec));
  note("is_open", odd.is_open());
  note.thrown("open", [&] { odd.open(typename F::generic(AF_MAX, 0)); });
  note.thrown_in_making("constructor",
    [&] { typename F::generic::socket made(context, typename F::generic(AF_MAX, 0)); });
  odd.open(typename F::generic(AF_INET, IPPROTO_UDP), ec);
  note("open with a protocol of another type", ec);
  note("open after that", odd.open(typename F::generic(AF_INET, IPPROTO_TCP), ec));
  note("open again", odd.open(typename F::generic(AF_INET, IPPROTO_TCP), ec));
  note("is_open", odd.is_open());
  note("close", odd.close(ec));
  note("close again", odd.close(ec));
  note("native_handle", odd.native_handle());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(failed_connects_are_the_same, F, both_families)
{
  const refusing_port port(context);
  typename F::tcp::socket s(context);
  error_code ec;
  note("connect refused", s.connect(port.endpoint(), ec));
  note("is_open", s.is_open());
  note("connect again", s.connect(port.endpoint(), ec));
  s.close();
  note.thrown("connect", [&] { s.connect(port.endpoint()); });
  note("is_open", s.is_open());
  s.close();
  note("open v6", s.open(F::tcp::v6(), ec));
  note("connect to the other family", s.connect(port.endpoint(), ec));
  s.close();
  s.async_connect(port.endpoint(), note.handler("async_connect refused"));
  note("is_open at once", s.is_open());
  run(context);
  note("is_open", s.is_open());
  s.non_blocking(true);
  note("connect in non-blocking mode", s.connect(port.endpoint(), ec));

  tcp_pair<F> connected(context);
  const auto where = connected.first.remote_endpoint();
  note("connect when connected", connected.first.connect(where, ec));
  connected.first.async_connect(where, note.handler("async_connect when connected"));
  run(context);
  note("available afterwards", connected.first.available());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(failed_binds_are_the_same, F, both_families)
{
  const refusing_port taken(context);
  error_code ec;
  typename F::tcp::socket s(context, F::tcp::v4());
  note("bind in use", s.bind(taken.endpoint(), ec));
  note.thrown("bind", [&] { s.bind(taken.endpoint()); });
  s.bind(asio::ip::tcp::endpoint(asio::ip::make_address("192.0.2.1"), 0), ec);
  note("bind to another's address", ec);
  s.bind(asio::ip::tcp::endpoint(asio::ip::address_v6::loopback(), 0), ec);
  note("bind to the other family", ec);
  note("bind after that", s.bind(any_local_port(), ec));
  note("bind again", s.bind(any_local_port(), ec));
  note("is_open", s.is_open());
  note.thrown_in_making(
    "socket on an address", [&] { typename F::tcp::socket made(context, taken.endpoint()); });
  note.thrown_in_making("acceptor on an address",
    [&] { typename F::tcp::acceptor made(context, taken.endpoint(), false); });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(accepting_is_the_same, F, both_families)
{
  using acceptor = typename F::tcp::acceptor;
  acceptor a(context, any_local_port());
  error_code ec;
  typename F::tcp::socket peer(context, F::tcp::v4());
  note("accept into an open peer", a.accept(peer, ec));
  a.async_accept(peer, note.handler("async_accept into an open peer"));
  run(context);
  asio::ip::tcp::socket client(context);
  client.connect(a.local_endpoint());
  peer.close();
  asio::ip::tcp::endpoint from;
  note("accept", a.accept(peer, from, ec));
  note("its endpoint", from == client.local_endpoint());
  note("its peer", peer.remote_endpoint() == client.local_endpoint());
  note_blocking_state(note, "of an accepted socket", peer);
  note("listen again", a.listen(1, ec));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(blocking_state_is_the_same, F, both_families)
{
  typename F::tcp::socket s(context, F::tcp::v4());
  error_code ec;
  note_blocking_state(note, "at first", s);
  for (const bool native : {false, true})
    for (const bool mode : {true, true, false, true, false})
    {
      native ? s.native_non_blocking(mode, ec) : s.non_blocking(mode, ec);
      note(native ? "native_non_blocking" : "non_blocking", ec);
      note_blocking_state(note, "after that", s);
    }
  s.non_blocking(true);
  note("native_non_blocking(false) in non-blocking mode", s.native_non_blocking(false, ec));
  note_blocking_state(note, "after that", s);
  for (const int on : {0, 1})
  {
    set_non_blocking command{on};
    note("FIONBIO", s.io_control(command, ec));
    note("non_blocking after that", s.non_blocking());
  }
  s.close();
  note_blocking_state(note, "closed", s);
  s.open(F::tcp::v4());
  note_blocking_state(note, "opened again", s);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(cancelling_is_the_same, F, both_families)
{
  tcp_pair<F> pair(context);
  error_code ec;
  note("cancel of nothing", pair.first.cancel(ec));
  char data[8];
  pair.first.async_wait(pair.first.wait_error, note.handler("wait for errors"));
  pair.first.async_read_some(asio::buffer(data), note.handler("first read"));
  pair.first.async_read_some(asio::buffer(data), note.handler("second read"));
  pair.first.async_wait(pair.first.wait_read, note.handler("wait to read"));
  pair.first.async_write_some(asio::buffer("x", 1), note.handler("write"));
  note("cancel", pair.first.cancel(ec));
  run(context);
  pair.second.async_read_some(asio::buffer(data), note.handler("read by the other"));
  pair.second.close();
  run(context);
  typename F::stream_descriptor pipe(context, pipe_ends().near.release());
  pipe.async_wait(pipe.wait_error, note.handler("wait for errors"));
  note("cancel", pipe.cancel(ec));
  run(context);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(moving_is_the_same, F, both_families)
{
  using socket = typename F::tcp::socket;
  using acceptor = typename F::tcp::acceptor;
  using concrete =
    typename socket::template rebind_executor<asio::io_context::executor_type>::other;
  concrete first(context, F::tcp::v4());
  first.non_blocking(true);
  concrete second(std::move(first));
  note_blocking_state(note, "of what was moved to", second);
  note_blocking_state(note, "of what was moved from", first);
  note("moved from is open", first.is_open());
  first = std::move(second);
  note_blocking_state(note, "moved back", first);
  socket converted(std::move(first));
  note("converted is open", converted.is_open());
  note("moved from is open", first.is_open());
  note_blocking_state(note, "of what was converted", converted);
  socket assigned(context, F::tcp::v6());
  assigned = std::move(converted);
  note("assigned is v4", assigned.local_endpoint().protocol() == asio::ip::tcp::v4());
  acceptor listening(context, any_local_port());
  listening.set_option(asio::socket_base::enable_connection_aborted(true));
  acceptor moved(std::move(listening));
  asio::socket_base::enable_connection_aborted aborted_are_reported;
  moved.get_option(aborted_are_reported);
  note("option of a moved acceptor", aborted_are_reported.value());
  note("moved from is open", listening.is_open());
}

// Each direction alone. (An object of every type is shut down in dropin_states.hpp.)
BOOST_AUTO_TEST_CASE_TEMPLATE(shutdowns_are_the_same, F, both_families)
{
  const auto out = asio::buffer("abc", 3);
  for (const auto what :
    {socket_base::shutdown_receive, socket_base::shutdown_send, socket_base::shutdown_both})
  {
    tcp_pair<F> pair(context);
    char data[8];
    error_code ec;
    for (int i = 0; i != 2; ++i)
      note.thrown("shutdown", [&] { pair.first.shutdown(what); });
    note("write", pair.first.write_some(out, ec), ec);
    pair.first.async_write_some(out, note.handler("async write"));
    run(context);
    if (what != socket_base::shutdown_send)
      note.thrown("read", [&] { pair.first.read_some(asio::buffer(data)); });
    if (what != socket_base::shutdown_receive)
      note("read by the peer", pair.second.read_some(asio::buffer(data), ec));
    note("then", ec);
    pair.first.non_blocking(true);
    for (const auto event :
      {socket_base::wait_read, socket_base::wait_write, socket_base::wait_error})
      note.thrown("wait", [&] { pair.first.wait(event); });
    note("is_open", pair.first.is_open());
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(pieces_and_flags_are_the_same, F, both_families)
{
  tcp_pair<F> pair(context);
  char first[3] = {};
  char second[5] = {};
  const std::array<asio::const_buffer, 3> out = {
    asio::buffer("ab", 2), asio::const_buffer(), asio::buffer("cdef", 4)};
  const std::array<asio::mutable_buffer, 2> in = {asio::buffer(first), asio::buffer(second)};
  error_code ec;
  note("write of pieces", pair.first.write_some(out, ec), ec);
  pair.second.wait(socket_base::wait_read);
  note("peek", pair.second.receive(in, socket_base::message_peek, ec), ec);
  note("available", pair.second.available());
  note("receive", pair.second.receive(in, 0, ec));
  note("first piece", std::string(first, sizeof(first)));
  note("second piece", std::string(second, 3));
  // More pieces than one system call takes.
  std::vector<asio::const_buffer> many(2000, asio::buffer("x", 1));
  note("write of many pieces", pair.first.write_some(many, ec), ec);
  std::string all(64, ' ');
  note("read", asio::read(pair.second, asio::buffer(all), ec));
  note("then", ec);
  pair.first.async_send(out, socket_base::message_do_not_route, note.handler("async_send"));
  pair.second.async_receive(in, note.handler("async_receive"));
  run(context);
  pair.first.async_send(out, note.handler("async_send"));
  pair.second.async_receive(in, socket_base::message_peek, note.handler("async peek"));
  run(context);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(out_of_band_data_is_the_same, F, both_families)
{
  for (const bool in_line : {false, true})
  {
    tcp_pair<F> pair(context);
    char data[8] = {};
    error_code ec;
    pair.second.set_option(socket_base::out_of_band_inline(in_line), ec);
    note("at_mark of nothing", pair.second.at_mark(ec));
    pair.first.send(asio::buffer("ab", 2));
    note("send", pair.first.send(asio::buffer("!", 1), socket_base::message_out_of_band, ec));
    note("wait for errors", pair.second.wait(socket_base::wait_error, ec));
    note("at_mark", pair.second.at_mark(ec));
    pair.second.async_wait(socket_base::wait_error, note.handler("async_wait"));
    run(context);
    note("read before it", pair.second.read_some(asio::buffer(data), ec));
    note("at_mark", pair.second.at_mark());
    note("receive", pair.second.receive(asio::buffer(data), socket_base::message_out_of_band, ec));
    note("receive", ec);
    note("data", std::string(data, 2));
    note("receive again",
      pair.second.receive(asio::buffer(data), socket_base::message_out_of_band, ec));
    note("receive again", ec);
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(endpoints_are_the_same, F, both_families)
{
  error_code ec;
  typename F::tcp::socket s(context, F::tcp::v4());
  note("local_endpoint of an unbound socket", s.local_endpoint(ec));
  note("remote_endpoint", s.remote_endpoint(ec), ec);
  tcp_pair<F> pair(context);
  note("first to second", pair.first.remote_endpoint() == pair.second.local_endpoint());
  note("second to first", pair.second.remote_endpoint() == pair.first.local_endpoint());
  note("address", pair.first.local_endpoint(ec).address());
  pair.second.close();
  pair.first.wait(socket_base::wait_read);
  note("address", pair.first.remote_endpoint(ec).address());
  typename F::local::socket a(context);
  typename F::local::socket b(context);
  F::connect_pair(a, b);
  note("local_endpoint of a pair", a.local_endpoint(ec).path());
  note("remote_endpoint of a pair", b.remote_endpoint(ec), ec);
}

// --- Exceptions of Interlock's alone. What others say, and where they come from, is compared wherever they are noted.

// Asio has no such function: compared with what Asio throws for an executor that is empty.
BOOST_AUTO_TEST_CASE(a_close_through_an_empty_handle_throws_as_an_empty_executor)
{
  const interlock::close_handle handle;
  BOOST_CHECK_THROW(handle.async_close([](error_code) {}), asio::execution::bad_executor);
}

BOOST_AUTO_TEST_CASE(a_service_with_impossible_options_throws_a_system_error_of_boost)
{
  interlock::close_service::options impossible;
  impossible.max_elastic_threads = 0;
  note.thrown("service", [&] { interlock::make_close_service(context, impossible); });
  const std::string& line = note.taken().back();
  BOOST_TEST(line.rfind("service throws make_close_service: ", 0) == 0u);
  BOOST_TEST(line.find(", of Boost, ") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
