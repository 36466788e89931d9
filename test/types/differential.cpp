// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Guarantee G12, by comparison: the same program over Asio's types and over Interlock's observes
// the same. This file: opening, connecting, binding, accepting and their failures, the blocking state,
// cancellation, moves. The options and the transfers have files of their own.

#include <cstddef>
#include <string>
#include <utility>

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/test/unit_test.hpp>

#include "support/descriptor_pairs.hpp"
#include "support/differential.hpp"
#include "support/member_calls.hpp"
#include "support/refusals.hpp"

namespace asio = boost::asio;
using namespace support;
using boost::system::error_code;

namespace {

const auto loopback = [] { return asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0); };

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

/// Every member of the list, in both overloads.
template <class Object>
void note_members(notes& note, Object& object, const sync_members<Object>& members)
{
  for (const auto& member : members)
  {
    if (member.name == "release")
      continue;
    error_code ec;
    member.reporting(object, ec);
    note(member.name, ec);
    note.thrown(member.name, [&] { member.throwing(object); });
  }
}

// What does not complete by itself is cancelled.
template <class Object>
void note_operations(
  notes& note, asio::io_context& context, Object& object, const async_members<Object>& operations)
{
  for (const auto& operation : operations)
  {
    operation.start(object, note.handler(operation.name));
    note(operation.name, "started");
    context.restart();
    context.poll();
    object.cancel();
    run(context);
  }
}

const auto open_failures = [](auto family, notes& note)
{
  using F = decltype(family);
  asio::io_context context;
  typename F::generic::socket odd(context);
  error_code ec;
  odd.open(typename F::generic(AF_MAX, 0), ec);
  note("open with an unknown family", ec);
  note("is_open", odd.is_open());
  note.thrown("open", [&] { odd.open(typename F::generic(AF_MAX, 0)); });
  note.thrown("constructor",
    [&] { typename F::generic::socket made(context, typename F::generic(AF_MAX, 0)); });
  odd.open(typename F::generic(AF_INET, IPPROTO_UDP), ec);
  note("open with a protocol of another type", ec);
  odd.open(typename F::generic(AF_INET, IPPROTO_TCP), ec);
  note("open after that", ec);
  odd.open(typename F::generic(AF_INET, IPPROTO_TCP), ec);
  note("open again", ec);
  note("is_open", odd.is_open());
  odd.close(ec);
  note("close", ec);
  odd.close(ec);
  note("close again", ec);
  note("native_handle", odd.native_handle());
};

const auto connect_failures = [](auto family, notes& note)
{
  using F = decltype(family);
  asio::io_context context;
  const refusing_port port(context);
  typename F::tcp::socket s(context);
  error_code ec;
  s.connect(port.endpoint(), ec);
  note("connect refused", ec);
  note("is_open", s.is_open());
  s.connect(port.endpoint(), ec);
  note("connect again", ec);
  s.close();
  note.thrown("connect", [&] { s.connect(port.endpoint()); });
  note("is_open", s.is_open());
  s.close();
  s.open(F::tcp::v6(), ec);
  note("open v6", ec);
  s.connect(port.endpoint(), ec);
  note("connect to the other family", ec);
  s.close();
  s.async_connect(port.endpoint(), note.handler("async_connect refused"));
  note("is_open at once", s.is_open());
  run(context);
  note("is_open", s.is_open());
  s.non_blocking(true);
  s.connect(port.endpoint(), ec);
  note("connect in non-blocking mode", ec);

  tcp_pair<F> connected(context);
  const auto where = connected.first.remote_endpoint();
  connected.first.connect(where, ec);
  note("connect when connected", ec);
  connected.first.async_connect(where, note.handler("async_connect when connected"));
  run(context);
  note("available afterwards", connected.first.available());
};

const auto bind_failures = [](auto family, notes& note)
{
  using F = decltype(family);
  asio::io_context context;
  const refusing_port taken(context);
  error_code ec;
  typename F::tcp::socket s(context, F::tcp::v4());
  s.bind(taken.endpoint(), ec);
  note("bind in use", ec);
  note.thrown("bind", [&] { s.bind(taken.endpoint()); });
  s.bind(asio::ip::tcp::endpoint(asio::ip::make_address("192.0.2.1"), 0), ec);
  note("bind to another's address", ec);
  s.bind(asio::ip::tcp::endpoint(asio::ip::address_v6::loopback(), 0), ec);
  note("bind to the other family", ec);
  s.bind(loopback(), ec);
  note("bind after that", ec);
  s.bind(loopback(), ec);
  note("bind again", ec);
  note("is_open", s.is_open());
  note.thrown(
    "socket on an address", [&] { typename F::tcp::socket made(context, taken.endpoint()); });
  note.thrown("acceptor on an address",
    [&] { typename F::tcp::acceptor made(context, taken.endpoint(), false); });
};

const auto members_unconnected = [](auto family, notes& note)
{
  using F = decltype(family);
  using socket = typename F::tcp::socket;
  asio::io_context context;
  socket s(context, F::tcp::v4());
  note_members(note, s, socket_members<socket>());
  note_operations(note, context, s, async_socket_members<socket>());
};

const auto members_not_listening = [](auto family, notes& note)
{
  using F = decltype(family);
  using acceptor = typename F::tcp::acceptor;
  asio::io_context context;
  acceptor a(context, F::tcp::v4());
  a.non_blocking(true);
  for (const auto& member : acceptor_members<acceptor>(context))
    if (member.name == "accept")
    {
      error_code ec;
      member.reporting(a, ec);
      note(member.name, ec);
    }
  note_operations(note, context, a, async_acceptor_members<acceptor>(context));
  note_members(note, a, acceptor_members<acceptor>(context));
};

const auto accepting = [](auto family, notes& note)
{
  using F = decltype(family);
  using acceptor = typename F::tcp::acceptor;
  asio::io_context context;
  acceptor a(context, loopback());
  error_code ec;
  typename F::tcp::socket peer(context, F::tcp::v4());
  a.accept(peer, ec);
  note("accept into an open peer", ec);
  a.async_accept(peer, note.handler("async_accept into an open peer"));
  run(context);
  a.non_blocking(true);
  note_members(note, a, acceptor_members<acceptor>(context));
  for (const auto& operation : async_acceptor_members<acceptor>(context))
  {
    operation.start(a, note.handler(operation.name));
    asio::ip::tcp::socket client(context);
    if (operation.name == "async_accept")
      client.connect(a.local_endpoint());
    else
      a.cancel();
    run(context);
  }
  asio::ip::tcp::socket client(context);
  client.connect(a.local_endpoint());
  peer.close();
  asio::ip::tcp::endpoint from;
  a.accept(peer, from, ec);
  note("accept", ec);
  note("its endpoint", from == client.local_endpoint());
  note("its peer", peer.remote_endpoint() == client.local_endpoint());
  note_blocking_state(note, "of an accepted socket", peer);
  a.listen(1, ec);
  note("listen again", ec);
};

const auto blocking_state = [](auto family, notes& note)
{
  using F = decltype(family);
  asio::io_context context;
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
  s.native_non_blocking(false, ec);
  note("native_non_blocking(false) in non-blocking mode", ec);
  note_blocking_state(note, "after that", s);
  for (const int on : {0, 1})
  {
    set_non_blocking command{on};
    s.io_control(command, ec);
    note("FIONBIO", ec);
    note("non_blocking after that", s.non_blocking());
  }
  s.close();
  note_blocking_state(note, "closed", s);
  s.open(F::tcp::v4());
  note_blocking_state(note, "opened again", s);
};

const auto cancelling = [](auto family, notes& note)
{
  using F = decltype(family);
  asio::io_context context;
  tcp_pair<F> pair(context);
  error_code ec;
  pair.first.cancel(ec);
  note("cancel of nothing", ec);
  char data[8];
  pair.first.async_wait(pair.first.wait_error, note.handler("wait for errors"));
  pair.first.async_read_some(asio::buffer(data), note.handler("first read"));
  pair.first.async_read_some(asio::buffer(data), note.handler("second read"));
  pair.first.async_wait(pair.first.wait_read, note.handler("wait to read"));
  pair.first.async_write_some(asio::buffer("x", 1), note.handler("write"));
  pair.first.cancel(ec);
  note("cancel", ec);
  run(context);
  pair.second.async_read_some(asio::buffer(data), note.handler("read by the other"));
  pair.second.close();
  run(context);
  typename F::stream_descriptor pipe(context, pipe_ends().near.release());
  pipe.async_wait(pipe.wait_error, note.handler("wait for errors"));
  pipe.cancel(ec);
  note("cancel", ec);
  run(context);
};

const auto moving = [](auto family, notes& note)
{
  using F = decltype(family);
  using socket = typename F::tcp::socket;
  using acceptor = typename F::tcp::acceptor;
  using concrete =
    typename socket::template rebind_executor<asio::io_context::executor_type>::other;
  asio::io_context context;
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
  acceptor listening(context, loopback());
  listening.set_option(asio::socket_base::enable_connection_aborted(true));
  acceptor moved(std::move(listening));
  asio::socket_base::enable_connection_aborted aborted_are_reported;
  moved.get_option(aborted_are_reported);
  note("option of a moved acceptor", aborted_are_reported.value());
  note("moved from is open", listening.is_open());
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_differential)

BOOST_AUTO_TEST_CASE(failed_opens_are_the_same)
{
  same_in_both_families(open_failures);
}

BOOST_AUTO_TEST_CASE(failed_connects_are_the_same)
{
  same_in_both_families(connect_failures);
}

BOOST_AUTO_TEST_CASE(failed_binds_are_the_same)
{
  same_in_both_families(bind_failures);
}

BOOST_AUTO_TEST_CASE(members_of_an_unconnected_socket_are_the_same)
{
  same_in_both_families(members_unconnected);
}

BOOST_AUTO_TEST_CASE(members_of_an_acceptor_that_does_not_listen_are_the_same)
{
  same_in_both_families(members_not_listening);
}

BOOST_AUTO_TEST_CASE(accepting_is_the_same)
{
  same_in_both_families(accepting);
}

BOOST_AUTO_TEST_CASE(blocking_state_is_the_same)
{
  same_in_both_families(blocking_state);
}

BOOST_AUTO_TEST_CASE(cancelling_is_the_same)
{
  same_in_both_families(cancelling);
}

BOOST_AUTO_TEST_CASE(moving_is_the_same)
{
  same_in_both_families(moving);
}

// The comparison itself: what differs, and only that, is reported.
BOOST_AUTO_TEST_CASE(a_planted_difference_is_reported)
{
  const auto planted = [](auto family, notes& note)
  {
    asio::io_context context;
    typename decltype(family)::tcp::socket s(context);
    error_code ec;
    if (std::is_same<decltype(family), interlock_family>::value)
      s.open(decltype(family)::tcp::v4());
    s.shutdown(s.shutdown_both, ec);
    note("shutdown", ec);
    note("available", 0);
  };
  notes plain;
  planted(asio_family(), plain);
  notes ours;
  planted(interlock_family(), ours);
  const lines found = differences(plain.taken(), ours.taken());
  BOOST_TEST_REQUIRE(found.size() == 1u);
  BOOST_TEST(found[0].find("line 1: Asio [shutdown: system:9 ") == 0u);
  BOOST_TEST(found[0].find("Interlock [shutdown: system:107 ") != std::string::npos);
  BOOST_TEST(differences({"a"}, {"a", "b"}).size() == 1u);
  BOOST_TEST(differences({"a", "b"}, {"a"}).size() == 1u);
  BOOST_TEST(differences({"a", "b"}, {"a", "b"}).empty());
}

BOOST_AUTO_TEST_SUITE_END()
