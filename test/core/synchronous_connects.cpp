// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What a synchronous connect waits for, and what it goes on with.

#include "support/prelude.hpp"

#include <signal.h>

#include "support/blocking_subjects.hpp"
#include "support/interrupting_signal.hpp"

using namespace support;

namespace {

/// A name that no file has (unix(7)).
asio::local::stream_protocol::endpoint unused_name()
{
  static std::atomic<int> count{0};
  const std::string name = "interlock-connects-" + std::to_string(::getpid()) + '-'
    + std::to_string(++count);
  return {std::string(1, '\0') + name};
}

/// A listener whose queue has room for one connection, which is in it.
struct full_listener
{
  asio::io_context context;
  asio::local::stream_protocol::endpoint name = unused_name();
  asio::local::stream_protocol::acceptor acceptor{context};
  asio::local::stream_protocol::socket in_queue{context};

  full_listener()
  {
    acceptor.open();
    acceptor.bind(name);
    acceptor.listen(0);
    in_queue.connect(name);
  }
};

template <class Socket, class Endpoint>
outcome connect(Socket& s, const Endpoint& peer)
{
  outcome o;
  s.connect(peer, o.ec);
  return o;
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_synchronous_connects)

// --- Room in the queue of a local listener.

BOOST_FIXTURE_TEST_CASE(a_blocking_socket_waits_for_room_in_the_queue, full_listener)
{
  local::socket object(context, local());
  call_in_thread call([&] { return connect(object, name); });
  BOOST_TEST(call.blocks());
  asio::local::stream_protocol::socket first(context);
  acceptor.accept(first);
  BOOST_TEST(call.get().ec == success);
  BOOST_TEST(!is_non_blocking(object.native_handle()));
}

BOOST_FIXTURE_TEST_CASE(a_non_blocking_socket_is_refused_by_a_full_queue, full_listener)
{
  local::socket object(context, local());
  object.native_non_blocking(true);
  BOOST_TEST(connect(object, name).ec == error_code(asio::error::no_buffer_space));
}

BOOST_FIXTURE_TEST_CASE(a_close_ends_the_wait_for_room, full_listener)
{
  local::socket object(context, local());
  call_in_thread call([&] { return connect(object, name); });
  BOOST_TEST(call.blocks());
  object.close();
  BOOST_TEST(call.get().ec == aborted);
}

// --- A connect that has started before.

BOOST_FIXTURE_TEST_CASE(a_connect_goes_on_with_one_that_a_signal_has_ended, connecting_subject)
{
  const interrupting_signal signal;
  call_in_thread ended([this] { return connect(object, listener.local_endpoint()); });
  BOOST_TEST(ended.blocks());
  ended.interrupt(SIGUSR1);
  BOOST_TEST(ended.get().ec == error_code(asio::error::interrupted));
  BOOST_TEST(!is_non_blocking(object.native_handle()));
  call_in_thread second([this] { return connect(object, listener.local_endpoint()); });
  BOOST_TEST(second.blocks());
  listener.accept();
  BOOST_TEST(second.get().ec == success);
}

BOOST_FIXTURE_TEST_CASE(
  a_connect_beside_an_asynchronous_one_has_already_started, connecting_subject)
{
  error_code completed;
  object.async_connect(listener.local_endpoint(), [&](error_code ec) { completed = ec; });
  BOOST_TEST(
    connect(object, listener.local_endpoint()).ec == error_code(asio::error::already_started));
  object.close();
  context.run();
  BOOST_TEST(completed == aborted);
}

// The descriptor is O_NONBLOCK meanwhile, by the library.
BOOST_FIXTURE_TEST_CASE(two_threads_that_connect_a_socket_both_wait, connecting_subject)
{
  object.open(asio::ip::tcp::v4());
  object.native_handle(); // from now on other code may have made it O_NONBLOCK
  call_in_thread first([this] { return connect(object, listener.local_endpoint()); });
  BOOST_TEST(first.blocks());
  call_in_thread second([this] { return connect(object, listener.local_endpoint()); });
  BOOST_TEST(second.blocks());
  object.close();
  BOOST_TEST(first.get().ec == aborted);
  BOOST_TEST(second.get().ec == aborted);
}

BOOST_AUTO_TEST_CASE(a_connected_socket_is_already_connected)
{
  asio::io_context context;
  asio::ip::tcp::acceptor acceptor(
    context, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  tcp::socket object(context);
  object.connect(acceptor.local_endpoint());
  BOOST_TEST(
    connect(object, acceptor.local_endpoint()).ec == error_code(asio::error::already_connected));
}

BOOST_AUTO_TEST_SUITE_END()
