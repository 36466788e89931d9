// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Guarantee G12: what compiles with Asio's datagram, raw and sequenced packet sockets compiles with
// Interlock's, in every overload, with handlers that can only be moved, with futures and with tokens
// by default; the program is one for both families, and so is what it observes.

#include <array>
#include <cstddef>
#include <future>
#include <string>
#include <type_traits>
#include <utility>

#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include "support/differential.hpp"
#include "support/dropin_calls.hpp"
#include "support/message_ends.hpp"

namespace asio = boost::asio;
using namespace support;
using asio::socket_base;
using boost::system::error_code;

namespace {

using ours = interlock_family;
using plain = asio_family;

// --- Types.

template <class Protocol, class PlainProtocol>
constexpr bool alike()
{
  using our_socket = typename Protocol::socket;
  using plain_socket = typename PlainProtocol::socket;
  using endpoint = typename PlainProtocol::endpoint;
  return names_alike<our_socket, plain_socket>() && moved_alike<our_socket, plain_socket>()
    && moved_alike<on_context<our_socket>, on_context<plain_socket>>()
    && std::is_same<typename our_socket::protocol_type, Protocol>::value
    && std::is_same<typename our_socket::endpoint_type, endpoint>::value
    && std::is_same<typename our_socket::lowest_layer_type,
      asio::basic_socket<Protocol, asio::any_io_executor>>::value
    && constructible_alike<our_socket, plain_socket, asio::io_context&, PlainProtocol>()
    && constructible_alike<our_socket, plain_socket, context_executor, PlainProtocol>()
    && constructible_alike<our_socket, plain_socket, asio::io_context&, PlainProtocol, int>()
    && constructible_alike<our_socket, plain_socket, context_executor, PlainProtocol, int>()
    && std::is_constructible<our_socket, asio::io_context&, Protocol, int,
      interlock::borrowed_t>::value
    && std::is_constructible<our_socket, plain_socket&&>::value
    && std::is_same<decltype(std::declval<our_socket&>().to_asio()), plain_socket>::value;
}

static_assert(alike<ours::udp, plain::udp>(), "");
static_assert(alike<ours::icmp, plain::icmp>(), "");
static_assert(alike<ours::local_datagram, plain::local_datagram>(), "");
static_assert(alike<ours::generic_datagram, plain::generic_datagram>(), "");
static_assert(alike<ours::generic_raw, plain::generic_raw>(), "");
static_assert(alike<ours::seq_packet, plain::seq_packet>(), "");
static_assert(constructible_alike<ours::udp::socket, plain::udp::socket, asio::io_context&,
                asio::ip::udp::endpoint>(),
  "");
static_assert(constructible_alike<ours::udp::socket, plain::udp::socket, context_executor,
                asio::ip::udp::endpoint>(),
  "");

// --- Members.

const auto out = asio::buffer("abc", 3);

struct pieces
{
  char first[2] = {};
  char second[8] = {};

  std::array<asio::mutable_buffer, 2> in()
  {
    return {asio::buffer(first), asio::buffer(second)};
  }
};

template <class Socket>
void common_members(notes& note, Socket& s)
{
  const socket_base::receive_buffer_size set(10000);
  socket_base::receive_buffer_size get;
  socket_base::bytes_readable command;
  const auto& constant = s;
  note("is_open", constant.is_open());
  note("lowest layer", &s.lowest_layer() == &s && &constant.lowest_layer() == &s);
  try_both(note, "set_option", [&](auto&... ec) { return s.set_option(set, ec...); });
  try_both(note, "get_option", [&](auto&... ec) { return constant.get_option(get, ec...); });
  try_both(note, "io_control", [&](auto&... ec) { return s.io_control(command, ec...); });
  try_both(note, "non_blocking", [&](auto&... ec) { return s.non_blocking(true, ec...); });
  try_both(
    note, "native_non_blocking", [&](auto&... ec) { return s.native_non_blocking(true, ec...); });
  try_both(note, "available", [&](auto&... ec) { return constant.available(ec...); });
  try_both(note, "wait", [&](auto&... ec) { return s.wait(s.wait_write, ec...); });
  try_both(note, "wait", [&](auto&... ec) { return s.wait(s.wait_read, ec...); });
  try_both(note, "cancel", [&](auto&... ec) { return s.cancel(ec...); });
  s.async_wait(s.wait_write, move_only(note, "async_wait"));
}

template <class Socket>
void end_members(notes& note, Socket& s)
{
  try_both(note, "shutdown", [&](auto&... ec) { return s.shutdown(s.shutdown_both, ec...); });
  try_both(note, "close", [&](auto&... ec) { return s.close(ec...); });
  note("is_open", s.is_open());
  note("native_handle", s.native_handle());
}

/// Both ends are non-blocking.
template <class Socket>
void connected_members(notes& note, Socket& a, Socket& b)
{
  pieces p;
  try_call(note, "send", [&] { return a.send(out); });
  try_both(note, "send with flags", [&](auto&... ec) { return a.send(out, 0, ec...); });
  try_call(note, "receive", [&] { return b.receive(p.in()); });
  try_both(note, "receive with flags", [&](auto&... ec) { return b.receive(p.in(), 0, ec...); });
}

template <class Socket>
void addressed_members(notes& note, Socket& a, Socket& b)
{
  pieces p;
  typename Socket::endpoint_type from;
  const auto to = b.local_endpoint();
  try_call(note, "send_to", [&] { return a.send_to(out, to); });
  try_both(note, "send_to with flags", [&](auto&... ec) { return a.send_to(out, to, 0, ec...); });
  try_call(note, "receive_from", [&] { return b.receive_from(p.in(), from); });
  note("sender", from == a.local_endpoint());
  try_both(note, "receive_from with flags",
    [&](auto&... ec) { return b.receive_from(p.in(), from, 0, ec...); });
  note("sender", from == a.local_endpoint());
}

template <class Socket>
void asynchronous_members(notes& note, asio::io_context& context, Socket& a, Socket& b)
{
  pieces p;
  typename Socket::endpoint_type from;
  const auto to = b.local_endpoint();
  b.async_receive(p.in(), move_only(note, "async_receive"));
  a.async_send_to(out, to, move_only(note, "async_send_to"));
  run(context);
  b.async_receive(p.in(), 0, move_only(note, "async_receive with flags"));
  a.async_send_to(out, to, 0, move_only(note, "async_send_to with flags"));
  run(context);
  b.async_receive_from(p.in(), from, move_only(note, "async_receive_from"));
  a.async_send(out, move_only(note, "async_send"));
  run(context);
  note("sender", from == a.local_endpoint());
  b.async_receive_from(p.in(), from, 0, move_only(note, "async_receive_from with flags"));
  a.async_send(out, 0, move_only(note, "async_send with flags"));
  run(context);
  std::future<std::size_t> got = b.async_receive_from(p.in(), from, asio::use_future);
  std::future<std::size_t> sent = a.async_send_to(out, to, asio::use_future);
  run(context);
  note("received", got.get());
  note("sent", sent.get());
}

template <class Socket>
void tokens_by_default(notes& note, asio::io_context& context, Socket&& a, Socket&& b)
{
  pieces p;
  typename Socket::endpoint_type from;
  with_futures<Socket> first(std::move(a));
  with_futures<Socket> second(std::move(b));
  const auto to = second.local_endpoint();
  std::future<std::size_t> sent[] = {first.async_send(out), first.async_send(out, 0),
    first.async_send_to(out, to), first.async_send_to(out, to, 0)};
  std::future<std::size_t> got[] = {second.async_receive(p.in()), second.async_receive(p.in(), 0),
    second.async_receive_from(p.in(), from), second.async_receive_from(p.in(), from, 0)};
  std::future<void> ready = first.async_wait(first.wait_write);
  run(context);
  ready.get();
  for (auto& f : sent)
    note("sent", f.get());
  for (auto& f : got)
    note("received", f.get());
  std::future<void> connected = first.async_connect(to);
  run(context);
  connected.get();
}

/// The connection of `a` to `b` is made by `connect`.
template <class Protocol, class Connect>
void datagram_program(notes& note, asio::io_context& context,
  on_context<typename Protocol::socket> a, on_context<typename Protocol::socket> b, Connect connect)
{
  common_members(note, a);
  b.non_blocking(true);
  addressed_members(note, a, b);
  connect(a, b);
  connected_members(note, a, b);
  run(context);
  asynchronous_members(note, context, a, b);
  const Protocol protocol(b.local_endpoint().protocol());
  const int fd = a.release();
  try_both(note, "assign", [&](auto&... ec) { return a.assign(protocol, fd, ec...); });
  tokens_by_default(note, context, std::move(a), std::move(b));
  try_both(note, "open", [&](auto&... ec) { return a.open(protocol, ec...); });
  try_both(note, "release", [&](auto&... ec) { return ::close(a.release(ec...)); });
  end_members(note, a);
}

const auto udp_program = [](auto family, notes& note)
{
  using udp = typename decltype(family)::udp;
  using socket = on_context<typename udp::socket>;
  asio::io_context context;
  const auto connect = [&note](auto& a, auto& b)
  {
    const auto to = b.local_endpoint();
    try_both(note, "connect", [&](auto&... ec) { return a.connect(to, ec...); });
    note("remote_endpoint", a.remote_endpoint() == to);
  };
  datagram_program<udp>(
    note, context, socket(context, loopback_udp()), socket(context, loopback_udp()), connect);
};

const auto local_program = [](auto family, notes& note)
{
  using protocol = typename decltype(family)::local_datagram;
  using socket = on_context<typename protocol::socket>;
  asio::io_context context;
  const auto connect = [&note](auto& a, auto& b)
  {
    const auto to = b.local_endpoint();
    try_both(note, "connect", [&](auto&... ec) { return a.connect(to, ec...); });
  };
  datagram_program<protocol>(note, context, socket(context, abstract_name("a")),
    socket(context, abstract_name("b")), connect);
};

// --- Sequenced packets.

template <class Socket>
void record_members(notes& note, Socket& a, Socket& b)
{
  pieces p;
  int flags = -1;
  try_both(note, "send", [&](auto&... ec) { return a.send(out, 0, ec...); });
  try_call(note, "send", [&] { return a.send(out, 0); });
  try_call(note, "receive", [&] { return b.receive(p.in(), flags); });
  note("flags", flags);
  try_both(
    note, "receive with flags", [&](auto&... ec) { return b.receive(p.in(), 0, flags, ec...); });
  note("flags", flags);
}

template <class Socket>
void asynchronous_records(notes& note, asio::io_context& context, Socket& a, Socket& b)
{
  pieces p;
  int flags = -1;
  b.async_receive(p.in(), flags, move_only(note, "async_receive"));
  a.async_send(out, 0, move_only(note, "async_send"));
  run(context);
  note("flags", flags);
  b.async_receive(p.in(), 0, flags, move_only(note, "async_receive with flags"));
  a.async_send(out, socket_base::message_end_of_record, move_only(note, "async_send with flags"));
  run(context);
  note("flags", flags);
  std::future<std::size_t> got = b.async_receive(p.in(), flags, asio::use_future);
  std::future<std::size_t> sent = a.async_send(out, 0, asio::use_future);
  run(context);
  note("received", got.get());
  note("sent", sent.get());
}

const auto seq_packet_program = [](auto family, notes& note)
{
  using protocol = typename decltype(family)::seq_packet;
  using socket = on_context<typename protocol::socket>;
  asio::io_context context;
  ends pair = message_ends(SOCK_SEQPACKET);
  const protocol local(AF_UNIX, 0);
  socket a(context, local, pair.near.release());
  socket b(context);
  try_both(note, "assign", [&](auto&... ec) { return b.assign(local, pair.far.release(), ec...); });
  common_members(note, a);
  run(context);
  b.non_blocking(true);
  record_members(note, a, b);
  asynchronous_records(note, context, a, b);
  pieces p;
  int flags = -1;
  {
    with_futures<socket> first(std::move(a));
    with_futures<socket> second(std::move(b));
    std::future<std::size_t> sent = first.async_send(out, 0);
    std::future<std::size_t> got = second.async_receive(p.in(), flags);
    run(context);
    note("sent", sent.get());
    note("received", got.get());
    sent = first.async_send(out, 0);
    got = second.async_receive(p.in(), socket_base::message_peek, flags);
    run(context);
    note("sent", sent.get());
    note("received", got.get());
  }
  try_both(note, "open", [&](auto&... ec) { return a.open(local, ec...); });
  try_both(note, "release", [&](auto&... ec) { return ::close(a.release(ec...)); });
  end_members(note, a);
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_dropin_compile_messages)

BOOST_AUTO_TEST_CASE(every_member_of_a_udp_socket_is_there)
{
  same_in_both_families(udp_program);
}

BOOST_AUTO_TEST_CASE(every_member_of_a_local_datagram_socket_is_there)
{
  same_in_both_families(local_program);
}

BOOST_AUTO_TEST_CASE(every_member_of_a_sequenced_packet_socket_is_there)
{
  same_in_both_families(seq_packet_program);
}

BOOST_AUTO_TEST_SUITE_END()
