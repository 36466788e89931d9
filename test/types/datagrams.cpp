// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Closing datagram sockets: the address is free when the close returns, and a close wakes a call that waits for room at a
// peer that the socket is not connected to. (The rest of what a close does is in closing.cpp, for every type.)

#include "support/prelude.hpp"

#include <interlock/ip/udp.hpp>
#include <interlock/local/datagram_protocol.hpp>

#include "support/message_ends.hpp"

using namespace support;
using interlock::ip::udp;
using local_datagram = interlock::local::datagram_protocol;

namespace {

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

  outcome send()
  {
    outcome o;
    o.bytes = object.send_to(asio::buffer("abc", 3), name, 0, o.ec);
    return o;
  }
};

/// A socket that is closed, and bound again to its address, which no other socket can have been given in the meantime.
struct bound_socket
{
  asio::io_context context;
  udp::socket object{context, loopback_udp()};
  const udp::endpoint where = object.local_endpoint();

  error_code bind_again()
  {
    error_code ec;
    object.open(udp::v4());
    return object.bind(where, ec);
  }
};

error_code close(bound_socket& s)
{
  s.object.close();
  return s.bind_again();
}

error_code close_reporting(bound_socket& s)
{
  error_code ec = aborted;
  BOOST_TEST(s.object.close(ec) == success);
  BOOST_TEST(ec == success);
  return s.bind_again();
}

error_code close_by_handle(bound_socket& s)
{
  s.object.get_close_handle().close();
  return s.bind_again();
}

error_code close_in_a_handler(bound_socket& s)
{
  error_code ec = not_called;
  s.object.async_wait(s.object.wait_write, [&](error_code) { ec = close(s); });
  turn(s.context);
  return ec;
}

error_code close_under_a_blocked_call(bound_socket& s)
{
  call_in_thread blocked(
    [&s]
    {
      outcome o;
      char byte;
      o.bytes = s.object.receive(asio::buffer(&byte, 1), 0, o.ec);
      return o;
    });
  BOOST_TEST_REQUIRE(blocked.blocks());
  const error_code ec = close(s);
  BOOST_TEST(blocked.get().ec == aborted);
  return ec;
}

error_code retire_and_replace(bound_socket& s)
{
  error_code ec;
  s.object.retire();
  BOOST_TEST(s.object.open(udp::v4(), ec) == retired);
  s.object = udp::socket(s.context);
  return s.bind_again();
}

struct way
{
  const char* name;
  error_code (*close_and_bind)(bound_socket&);
};

const way ways[] = {{"close", close}, {"close(ec)", close_reporting},
  {"a handle's close", close_by_handle}, {"close in a handler", close_in_a_handler},
  {"close under a blocked call", close_under_a_blocked_call}, {"retire", retire_and_replace}};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_datagrams, no_trace)

BOOST_AUTO_TEST_CASE(the_address_is_free_when_the_close_returns)
{
  for (const way& w : ways)
    BOOST_TEST_CONTEXT(w.name)
    {
      bound_socket s;
      for (int i = 0; i != 50; ++i)
        BOOST_TEST_REQUIRE(w.close_and_bind(s) == success);
    }
}

BOOST_AUTO_TEST_CASE(a_close_wakes_a_send_to_a_peer_that_it_is_not_connected_to)
{
  unconnected_subject s;
  call_in_thread blocked([&] { return s.send(); });
  BOOST_TEST_REQUIRE(blocked.blocks());
  s.object.close();
  BOOST_TEST(blocked.get().ec == aborted);
}

// poll(2) tells nothing of the queue of such a peer.
BOOST_AUTO_TEST_CASE(a_datagram_is_sent_when_its_peer_has_room)
{
  unconnected_subject s;
  call_in_thread blocked([&] { return s.send(); });
  BOOST_TEST_REQUIRE(blocked.blocks());
  char data[8];
  s.peer.receive(asio::buffer(data));
  const outcome o = blocked.get();
  BOOST_TEST(o.ec == success);
  BOOST_TEST(o.bytes == 3u);
}

BOOST_AUTO_TEST_SUITE_END()
