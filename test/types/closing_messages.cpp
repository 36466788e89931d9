// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Closing datagram and sequenced packet sockets: calls that are blocked return, operations that are
// outstanding are aborted before the closer is told, a datagram socket's address is free when its
// close returns, and no descriptor is lost.

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/local/datagram_protocol.hpp>
#include <boost/test/unit_test.hpp>

#include <interlock/close_handle.hpp>
#include <interlock/generic/seq_packet_protocol.hpp>
#include <interlock/ip/udp.hpp>
#include <interlock/local/datagram_protocol.hpp>

#include "support/census.hpp"
#include "support/close_probe.hpp"
#include "support/handler_tally.hpp"
#include "support/message_ends.hpp"
#include "support/sync_support.hpp"

namespace asio = boost::asio;
using namespace support;
using interlock::ip::udp;
using local_datagram = interlock::local::datagram_protocol;
using seq_packet = interlock::generic::seq_packet_protocol;
using endpoint = asio::ip::udp::endpoint;

namespace {

struct udp_subject
{
  asio::io_context context;
  udp::socket object{context, loopback_udp()};
  asio::ip::udp::socket peer{context, loopback_udp()};
};

struct local_subject
{
  asio::io_context context;
  local_datagram::socket object{context};
  fd peer;

  local_subject()
  {
    ends pair = message_ends(SOCK_DGRAM);
    object.assign(local_datagram(), pair.near.release());
    peer = std::move(pair.far);
  }
};

/// The peer's queue is full.
struct full_local_subject : local_subject
{
  full_local_subject()
  {
    fill(object.native_handle());
  }
};

/// Not connected to the peer, whose queue is full.
struct unconnected_subject
{
  asio::io_context context;
  asio::local::datagram_protocol::endpoint name = abstract_name("full");
  asio::local::datagram_protocol::socket peer{context, name};
  local_datagram::socket object{context, local_datagram()};

  unconnected_subject()
  {
    object.non_blocking(true);
    error_code ec;
    while (!ec)
      object.send_to(asio::buffer("x", 1), name, 0, ec);
    BOOST_TEST(ec == would_block);
    object.non_blocking(false);
  }
};

struct record_subject
{
  asio::io_context context;
  seq_packet::socket object{context};
  fd peer;

  record_subject()
  {
    ends pair = message_ends(SOCK_SEQPACKET);
    object.assign(seq_packet(AF_UNIX, 0), pair.near.release());
    peer = std::move(pair.far);
  }
};

struct full_record_subject : record_subject
{
  full_record_subject()
  {
    fill(object.native_handle());
  }
};

// --- Calls that block.

char room[8];
const auto in = asio::buffer(room);
const auto out = asio::buffer("abc", 3);

const auto receiving = [](auto& s)
{
  outcome o;
  o.bytes = s.object.receive(in, 0, o.ec);
  return o;
};

const auto receiving_from = [](auto& s)
{
  outcome o;
  auto from = s.object.local_endpoint();
  o.bytes = s.object.receive_from(in, from, 0, o.ec);
  return o;
};

const auto sending_to = [](auto& s)
{
  outcome o;
  o.bytes = s.object.send_to(out, s.name, 0, o.ec);
  return o;
};

const auto sending = [](auto& s)
{
  outcome o;
  o.bytes = s.object.send(out, 0, o.ec);
  return o;
};

// A record that is not received has no flags.
const auto receiving_a_record = [](auto& s)
{
  outcome o;
  int flags = -1;
  o.bytes = s.object.receive(in, 0, flags, o.ec) + static_cast<std::size_t>(flags);
  return o;
};

const auto waiting = [](auto& s)
{
  outcome o;
  s.object.wait(s.object.wait_read, o.ec);
  return o;
};

// --- Ways to close.

const auto closing = [](auto& s) { s.object.close(); };

const auto retiring = [](auto& s) { s.object.retire(); };

const auto closing_by_handle = [](auto& s) { s.object.get_close_handle().close(); };

const auto closing_asynchronously = [](auto& s)
{
  error_code result = aborted;
  s.object.async_close(into(result));
  s.context.run();
  BOOST_TEST(result == success);
};

template <class Subject, class Call, class Close>
void close_wakes(Call call, Close close)
{
  const census descriptors;
  {
    Subject s;
    call_in_thread blocked([&] { return call(s); });
    BOOST_TEST_REQUIRE(blocked.blocks());
    close(s);
    const outcome o = blocked.get();
    BOOST_TEST(o.ec == aborted);
    BOOST_TEST(o.bytes == 0u);
    BOOST_TEST(!s.object.is_open());
    BOOST_TEST(s.object.native_handle() == -1);
  }
  BOOST_TEST(descriptors.restored());
}

template <class Subject, class Call>
void every_close_wakes(Call call)
{
  close_wakes<Subject>(call, closing);
  close_wakes<Subject>(call, retiring);
  close_wakes<Subject>(call, closing_by_handle);
  close_wakes<Subject>(call, closing_asynchronously);
}

// --- Operations outstanding.

/// What each of them is told.
struct aborted_operations
{
  handler_tally tally;
  std::vector<error_code> told;

  auto handler()
  {
    return tally(
      [this](error_code ec, auto... bytes)
      {
        told.push_back(ec);
        const std::size_t sums[] = {0, bytes...};
        BOOST_TEST(sums[sizeof...(bytes)] == 0u);
      });
  }

  void all_aborted(int count)
  {
    BOOST_TEST(tally.called() == count);
    BOOST_TEST(tally.all_called());
    for (const error_code& ec : told)
      BOOST_TEST(ec == aborted);
  }
};

template <class Subject, class Start>
void close_aborts(int count, Start start)
{
  const census descriptors;
  {
    aborted_operations operations;
    Subject s;
    start(s, operations);
    s.object.async_wait(s.object.wait_read, operations.handler());
    s.context.poll();
    BOOST_TEST(operations.tally.called() == 0);
    error_code closed = aborted;
    int called_before = -1;
    s.object.async_close(
      [&](error_code ec)
      {
        closed = ec;
        called_before = operations.tally.called();
      });
    s.context.restart();
    s.context.run();
    BOOST_TEST(closed == success);
    BOOST_TEST(called_before == count);
    operations.all_aborted(count);
  }
  BOOST_TEST(descriptors.restored());
}

/// An address that no other socket can have been given in the meantime.
void bind_again_and_again(const std::function<void(udp::socket&)>& close)
{
  const census descriptors;
  {
    asio::io_context context;
    udp::socket s(context, loopback_udp());
    const endpoint where = s.local_endpoint();
    for (int i = 0; i != 300; ++i)
    {
      close(s);
      error_code ec;
      s.open(udp::v4());
      s.bind(where, ec);
      BOOST_TEST_REQUIRE(ec == success);
    }
  }
  BOOST_TEST(descriptors.restored());
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_closing_messages)

BOOST_AUTO_TEST_CASE(a_close_wakes_a_blocked_receive_on_a_datagram_socket)
{
  every_close_wakes<udp_subject>(receiving);
  every_close_wakes<udp_subject>(receiving_from);
  every_close_wakes<udp_subject>(waiting);
  every_close_wakes<local_subject>(receiving);
  every_close_wakes<local_subject>(receiving_from);
}

BOOST_AUTO_TEST_CASE(a_close_wakes_a_blocked_send_on_a_datagram_socket)
{
  every_close_wakes<full_local_subject>(sending);
  every_close_wakes<unconnected_subject>(sending_to);
}

// poll(2) tells nothing of the queue of a peer that the socket is not connected to.
BOOST_AUTO_TEST_CASE(a_datagram_is_sent_when_its_peer_has_room)
{
  unconnected_subject s;
  call_in_thread blocked([&] { return sending_to(s); });
  BOOST_TEST_REQUIRE(blocked.blocks());
  char data[8];
  s.peer.receive(asio::buffer(data));
  const outcome o = blocked.get();
  BOOST_TEST(o.ec == success);
  BOOST_TEST(o.bytes == 3u);
}

BOOST_AUTO_TEST_CASE(a_close_wakes_a_blocked_receive_of_a_record)
{
  every_close_wakes<record_subject>(receiving_a_record);
  every_close_wakes<record_subject>(waiting);
}

BOOST_AUTO_TEST_CASE(a_close_wakes_a_blocked_send_of_a_record)
{
  every_close_wakes<full_record_subject>(sending);
}

BOOST_AUTO_TEST_CASE(a_throwing_call_that_is_woken_throws_under_its_name)
{
  udp_subject s;
  call_in_thread blocked(
    [&]
    {
      endpoint from;
      return outcome{success, s.object.receive_from(in, from)};
    });
  BOOST_TEST_REQUIRE(blocked.blocks());
  s.object.close();
  BOOST_CHECK_EXCEPTION(blocked.get(), boost::system::system_error,
    [](const boost::system::system_error& e)
    { return e.code() == aborted && std::string(e.what()).rfind("receive_from: ", 0) == 0; });
}

BOOST_AUTO_TEST_CASE(a_close_aborts_what_is_outstanding_on_a_datagram_socket)
{
  endpoint from;
  close_aborts<udp_subject>(4,
    [&from](auto& s, auto& operations)
    {
      s.object.async_receive(in, operations.handler());
      s.object.async_receive_from(in, from, operations.handler());
      s.object.async_receive_from(in, from, 0, operations.handler());
    });
  close_aborts<full_local_subject>(3,
    [](auto& s, auto& operations)
    {
      s.object.async_send(out, operations.handler());
      s.object.async_receive(in, 0, operations.handler());
    });
}

BOOST_AUTO_TEST_CASE(a_close_aborts_what_is_outstanding_of_records)
{
  int flags = -1;
  close_aborts<full_record_subject>(3,
    [&flags](auto& s, auto& operations)
    {
      s.object.async_send(out, 0, operations.handler());
      s.object.async_receive(in, flags, operations.handler());
    });
}

// A datagram that has come before the close is a success, not an abort.
BOOST_AUTO_TEST_CASE(a_datagram_that_was_received_is_not_aborted)
{
  udp_subject s;
  s.peer.send_to(out, s.object.local_endpoint());
  s.object.wait(s.object.wait_read);
  endpoint from;
  error_code received = aborted;
  s.object.async_receive_from(in, from, into(received));
  s.object.close();
  s.context.run();
  BOOST_TEST(received == success);
  BOOST_TEST(from == s.peer.local_endpoint());
}

BOOST_AUTO_TEST_CASE(the_address_of_a_datagram_socket_is_free_when_its_close_returns)
{
  bind_again_and_again([](udp::socket& s) { s.close(); });
}

BOOST_AUTO_TEST_CASE(the_address_is_free_when_a_close_that_reports_returns)
{
  bind_again_and_again(
    [](udp::socket& s)
    {
      error_code ec = aborted;
      BOOST_TEST(s.close(ec) == success);
      BOOST_TEST(ec == success);
    });
}

BOOST_AUTO_TEST_CASE(the_address_is_free_when_a_handle_has_closed)
{
  bind_again_and_again([](udp::socket& s) { s.get_close_handle().close(); });
}

BOOST_AUTO_TEST_CASE(the_address_is_free_when_an_object_has_retired)
{
  const census descriptors;
  {
    asio::io_context context;
    endpoint where = loopback_udp();
    for (int i = 0; i != 100; ++i)
    {
      udp::socket s(context, where);
      where = s.local_endpoint();
      s.retire();
      error_code ec;
      s.open(udp::v4(), ec);
      BOOST_TEST(ec == error_code(interlock::error::retired));
    }
  }
  BOOST_TEST(descriptors.restored());
}

BOOST_AUTO_TEST_CASE(the_address_is_free_although_a_thread_was_blocked_in_receive)
{
  asio::io_context context;
  udp::socket s(context, loopback_udp());
  const endpoint where = s.local_endpoint();
  for (int i = 0; i != 20; ++i)
  {
    call_in_thread blocked(
      [&]
      {
        outcome o;
        o.bytes = s.receive(in, 0, o.ec);
        return o;
      });
    BOOST_TEST_REQUIRE(blocked.blocks());
    s.close();
    error_code ec;
    s.open(udp::v4());
    s.bind(where, ec);
    BOOST_TEST(ec == success);
    BOOST_TEST(blocked.get().ec == aborted);
  }
}

BOOST_AUTO_TEST_CASE(the_address_is_free_when_a_close_in_a_handler_returns)
{
  asio::io_context context;
  udp::socket s(context, loopback_udp());
  const endpoint where = s.local_endpoint();
  for (int i = 0; i != 50; ++i)
  {
    error_code ec = aborted;
    s.async_wait(s.wait_write,
      [&](error_code)
      {
        s.close();
        s.open(udp::v4());
        s.bind(where, ec);
      });
    context.restart();
    context.run();
    BOOST_TEST_REQUIRE(ec == success);
  }
}

BOOST_AUTO_TEST_CASE(a_datagram_socket_is_closed_by_its_closer)
{
  asio::io_context context;
  udp::socket s(context, loopback_udp());
  const close_watch watch(s.native_handle());
  s.close();
  BOOST_TEST(watch.closed() == 1u);
  BOOST_TEST((watch.close_waiter() == std::this_thread::get_id()));
}

// The destructor never waits: not even for a close(2) that is blocked.
BOOST_AUTO_TEST_CASE(a_destructor_does_not_wait_for_close2)
{
  const census descriptors;
  {
    asio::io_context context;
    ends pair = message_ends(SOCK_DGRAM);
    send_text(pair.far, "x"); // close(2) can block
    close_watch watch(pair.near.get());
    auto s = std::make_unique<local_datagram::socket>(
      context, local_datagram(), pair.near.release());
    watch.shut_gate();
    s.reset();
    BOOST_TEST(watch.closed() == 0u);
    watch.open_gate();
    BOOST_TEST(watch.wait_closed());
  }
  BOOST_TEST(descriptors.restored());
}

BOOST_AUTO_TEST_CASE(a_borrowed_datagram_socket_stays_open)
{
  ends pair = message_ends(SOCK_DGRAM);
  asio::io_context context;
  local_datagram::socket s(context, local_datagram(), pair.near.get(), interlock::borrowed);
  BOOST_TEST(s.send(out) == 3u);
  s.close();
  BOOST_TEST(!s.is_open());
  BOOST_TEST(drain(pair.far) == 3u);
  send_text(pair.near, "still here");
  BOOST_TEST(drain(pair.far) == 10u);
  s.assign(local_datagram(), pair.near.get(), interlock::borrowed);
  BOOST_TEST(s.is_open());
}

BOOST_AUTO_TEST_SUITE_END()
