// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Guarantee G12: what compiles with Asio's types compiles with Interlock's. The types and
// constructors are compared, and every synchronous member is called in every overload; the program
// is one for both families, and so is what it observes.

#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/system_executor.hpp>
#include <boost/test/unit_test.hpp>

#include "support/descriptor_pairs.hpp"
#include "support/differential.hpp"
#include "support/dropin_calls.hpp"
#include "support/refusals.hpp"

namespace asio = boost::asio;
using namespace support;
using asio::socket_base;
using boost::system::error_code;

namespace {

using asio_tcp = asio::ip::tcp;
using our_tcp = interlock::ip::tcp;
using address = asio_tcp::endpoint;

// --- Types.

// In place of Plain's protocol, Ours.
template <class Ours, class Plain, class Protocol>
constexpr bool opened_alike()
{
  return std::is_same<typename Ours::endpoint_type, typename Plain::endpoint_type>::value
    && std::is_same<typename Ours::protocol_type, Protocol>::value
    && std::is_base_of<socket_base, Ours>::value
    && constructible_alike<Ours, Plain, asio::io_context&, asio_tcp>()
    && constructible_alike<Ours, Plain, context_executor, asio_tcp>()
    && constructible_alike<Ours, Plain, asio::io_context&, address>()
    && constructible_alike<Ours, Plain, context_executor, address>()
    && constructible_alike<Ours, Plain, asio::io_context&, asio_tcp, int>()
    && constructible_alike<Ours, Plain, context_executor, asio_tcp, int>()
    && std::is_constructible<Ours, asio::io_context&, Protocol>::value;
}

static_assert(names_alike<our_tcp::socket, asio_tcp::socket>(), "");
static_assert(names_alike<our_tcp::acceptor, asio_tcp::acceptor>(), "");
static_assert(moved_alike<our_tcp::socket, asio_tcp::socket>(), "");
static_assert(moved_alike<our_tcp::acceptor, asio_tcp::acceptor>(), "");
#if defined(INTERLOCK_HAS_DESCRIPTORS_OF_ANY_EXECUTOR)
static_assert(
  names_alike<interlock_family::stream_descriptor, asio_family::stream_descriptor>(), "");
static_assert(
  moved_alike<interlock_family::stream_descriptor, asio_family::stream_descriptor>(), "");
#endif
static_assert(moved_alike<on_context<our_tcp::socket>, on_context<asio_tcp::socket>>(), "");
static_assert(opened_alike<our_tcp::socket, asio_tcp::socket, our_tcp>(), "");
static_assert(opened_alike<our_tcp::acceptor, asio_tcp::acceptor, our_tcp>(), "");
static_assert(std::is_constructible<our_tcp::acceptor, asio::io_context&, address, bool>(), "");
static_assert(std::is_constructible<our_tcp::acceptor, context_executor, address, bool>(), "");
static_assert(std::is_same<our_tcp::socket::lowest_layer_type,
                asio::basic_socket<our_tcp, asio::any_io_executor>>::value,
  "");
static_assert(constructible_alike<interlock_family::stream_descriptor,
                asio_family::stream_descriptor, asio::io_context&, int>(),
  "");

// --- Members.

const auto options_and_commands = [](notes& note, auto& o)
{
  const socket_base::keep_alive set(true);
  socket_base::keep_alive get;
  socket_base::bytes_readable command;
  const auto& constant = o;
  try_both(note, "set_option", [&](auto&... ec) { return o.set_option(set, ec...); });
  try_both(note, "get_option", [&](auto&... ec) { return constant.get_option(get, ec...); });
  try_both(note, "io_control", [&](auto&... ec) { return o.io_control(command, ec...); });
};

const auto blocking_state = [](notes& note, auto& o)
{
  const auto& constant = o;
  try_both(note, "non_blocking", [&](auto&... ec) { return o.non_blocking(true, ec...); });
  try_both(
    note, "native_non_blocking", [&](auto&... ec) { return o.native_non_blocking(true, ec...); });
  note("non_blocking", constant.non_blocking());
  note("native_non_blocking", constant.native_non_blocking());
  note("is_open", constant.is_open());
  try_both(note, "wait", [&](auto&... ec) { return o.wait(o.wait_error, ec...); });
  try_both(note, "cancel", [&](auto&... ec) { return o.cancel(ec...); });
};

const auto closing = [](notes& note, auto& o)
{
  try_both(note, "close", [&](auto&... ec) { return o.close(ec...); });
  note("is_open", o.is_open());
  note("native_handle", o.native_handle());
};

const auto transfers = [](notes& note, auto& o)
{
  char data[4];
  const auto in = asio::buffer(data);
  const auto out = asio::buffer("abc", 3);
  try_both(note, "write_some", [&](auto&... e) { return o.write_some(out, e...); });
  try_both(note, "read_some", [&](auto&... e) { return o.read_some(in, e...); });
};

const auto socket_transfers = [](notes& note, auto& o)
{
  char data[4];
  const auto in = asio::buffer(data);
  const auto out = asio::buffer("abc", 3);
  try_call(note, "send", [&] { return o.send(out); });
  try_both(note, "send with flags", [&](auto&... e) { return o.send(out, 0, e...); });
  try_call(note, "receive", [&] { return o.receive(in); });
  try_both(note, "receive with flags", [&](auto&... e) { return o.receive(in, 0, e...); });
};

const auto socket_program = [](auto family, notes& note)
{
  using tcp = typename decltype(family)::tcp;
  asio::io_context context;
  const refusing_port port(context);
  const auto any = tcp_pair<decltype(family)>::loopback();
  typename tcp::socket s(context);
  const auto& constant = s;
  note("executor", s.get_executor() == context.get_executor());
  note("lowest layer", &s.lowest_layer() == &s && &constant.lowest_layer() == &s);
  try_both(note, "open", [&](auto&... ec) { return s.open(tcp::v4(), ec...); });
  blocking_state(note, s);
  options_and_commands(note, s);
  try_both(note, "bind", [&](auto&... ec) { return s.bind(any, ec...); });
  try_both(note, "local_endpoint", [&](auto&... ec) { return constant.local_endpoint(ec...); });
  try_both(note, "remote_endpoint", [&](auto&... ec) { return constant.remote_endpoint(ec...); });
  try_both(note, "available", [&](auto&... ec) { return constant.available(ec...); });
  try_both(note, "at_mark", [&](auto&... ec) { return constant.at_mark(ec...); });
  transfers(note, s);
  socket_transfers(note, s);
  try_both(note, "shutdown", [&](auto&... ec) { return s.shutdown(s.shutdown_both, ec...); });
  try_both(note, "release", [&](auto&... ec) { return fd(s.release(ec...)).get() >= 0; });
  fd offered = tcp_ends().near;
  try_both(
    note, "assign", [&](auto&... ec) { return s.assign(tcp::v4(), offered.release(), ec...); });
  closing(note, s);
  error_code ec;
  try_call(note, "connect with ec", [&] { return s.connect(port.endpoint(), ec); });
  closing(note, s);
  try_call(note, "connect", [&] { return s.connect(port.endpoint()); });
  closing(note, s);
};

// Of a protocol that can be made of nothing.
const auto default_open = [](auto family, notes& note)
{
  asio::io_context context;
  typename decltype(family)::local::socket s(context);
  try_call(note, "open", [&] { return s.open(); });
  try_call(note, "open again", [&] { return s.open(); });
  typename decltype(family)::local::acceptor a(context);
  try_call(note, "open", [&] { return a.open(); });
};

const auto acceptor_program = [](auto family, notes& note)
{
  using tcp = typename decltype(family)::tcp;
  using socket = typename tcp::socket;
  asio::io_context context;
  typename tcp::acceptor a(context);
  const auto& constant = a;
  asio_tcp::endpoint from;
  note("executor", a.get_executor() == context.get_executor());
  try_both(note, "open", [&](auto&... ec) { return a.open(tcp::v4(), ec...); });
  blocking_state(note, a);
  options_and_commands(note, a);
  const auto any = tcp_pair<decltype(family)>::loopback();
  try_both(note, "bind", [&](auto&... ec) { return a.bind(any, ec...); });
  try_call(note, "listen", [&] { return a.listen(); });
  try_both(note, "listen", [&](auto&... ec) { return a.listen(5, ec...); });
  try_both(
    note, "local_endpoint", [&](auto&... ec) { return constant.local_endpoint(ec...).address(); });
  const auto into_new = [&](auto&&... args)
  {
    try_both(note, "accept",
      [&](auto&... ec)
      {
        return std::is_same<socket, decltype(a.accept(args..., ec...))>::value
          && a.accept(args..., ec...).is_open();
      });
  };
  into_new();
  into_new(from);
  into_new(a.get_executor());
  // With an error_code as well this is declared by Asio, but cannot be called.
  try_call(note, "accept", [&] { return a.accept(a.get_executor(), from).is_open(); });
  try_both(note, "accept", [&](auto&... ec) { return a.accept(context, ec...).is_open(); });
  try_both(note, "accept", [&](auto&... ec) { return a.accept(context, from, ec...).is_open(); });
  socket peer(context);
  try_both(note, "accept", [&](auto&... ec) { return a.accept(peer, ec...); });
  try_both(note, "accept", [&](auto&... ec) { return a.accept(peer, from, ec...); });
  try_both(note, "release", [&](auto&... ec) { return fd(a.release(ec...)).get() >= 0; });
  try_both(note, "assign",
    [&](auto&... ec) { return a.assign(tcp::v4(), tcp_listener().release(), ec...); });
  closing(note, a);
};

const auto descriptor_program = [](auto family, notes& note)
{
  using descriptor = typename decltype(family)::stream_descriptor;
  asio::io_context context;
  descriptor d(context);
  note("executor", d.get_executor() == context.get_executor());
  note("lowest layer", &d.lowest_layer() == &d);
  fd offered = pipe_ends().near;
  try_call(note, "assign", [&] { return d.assign(offered.release()); });
  try_both(note, "assign again", [&](auto&... ec) { return d.assign(offered.get(), ec...); });
  blocking_state(note, d);
  typename descriptor::bytes_readable command;
  try_both(note, "io_control", [&](auto&... ec) { return d.io_control(command, ec...); });
  transfers(note, d);
  try_call(note, "release", [&] { return fd(d.release()).get() >= 0; });
  closing(note, d);
  descriptor made(asio::any_io_executor(context.get_executor()), pipe_ends().far.release());
  closing(note, made);
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_dropin_compile)

BOOST_AUTO_TEST_CASE(every_synchronous_member_of_a_socket_is_there)
{
  same_in_both_families(socket_program);
  same_in_both_families(default_open);
}

BOOST_AUTO_TEST_CASE(every_synchronous_member_of_an_acceptor_is_there)
{
  same_in_both_families(acceptor_program);
}

BOOST_AUTO_TEST_CASE(every_synchronous_member_of_a_descriptor_is_there)
{
  same_in_both_families(descriptor_program);
}

BOOST_AUTO_TEST_SUITE_END()
