// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A context that has been told to do without locks: nothing can be opened on it, since nothing could
// be closed there from another thread. Boost 1.87 or later, before which it cannot be asked; empty
// with an earlier one.

#include <interlock/close_service.hpp>

#if defined(INTERLOCK_HAS_CONTEXT_CONFIG)

#include <interlock/ip/tcp.hpp>
#include <interlock/local/connect_pair.hpp>
#include <interlock/local/stream_protocol.hpp>
#include <interlock/posix/stream_descriptor.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/test/unit_test.hpp>

#include "support/blocking_subjects.hpp"
#include "support/census.hpp"
#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/handler_tally.hpp"
#include "support/refusals.hpp"
#include "support/sync_support.hpp"

namespace asio = boost::asio;
using namespace support;
using interlock::ip::tcp;
using local = interlock::local::stream_protocol;
using interlock::posix::stream_descriptor;

namespace {

const error_code not_supported = asio::error::operation_not_supported;
const error_code not_called = asio::error::fault;

using context_pointer = std::unique_ptr<asio::io_context>;

context_pointer hinted(int hint)
{
  return std::make_unique<asio::io_context>(hint);
}

context_pointer configured(const std::string& settings)
{
  return std::make_unique<asio::io_context>(asio::config_from_string(settings));
}

/// Every way to do without a lock.
std::vector<context_pointer> unsafe_contexts()
{
  std::vector<context_pointer> all;
  all.push_back(hinted(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE));
  all.push_back(hinted(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO));
  for (const char* setting :
    {"scheduler.locking=0\n", "reactor.registration_locking=0\n", "reactor.io_locking=0\n"})
    all.push_back(configured(setting));
  return all;
}

/// Contexts that lock, whatever else they have been told.
std::vector<context_pointer> safe_contexts()
{
  std::vector<context_pointer> all;
  for (int hint : {BOOST_ASIO_CONCURRENCY_HINT_SAFE, BOOST_ASIO_CONCURRENCY_HINT_DEFAULT, 1, 2})
    all.push_back(hinted(hint));
  all.push_back(
    configured("scheduler.locking=1\nreactor.registration_locking=1\nreactor.io_locking=1\n"));
  all.push_back(configured("scheduler.concurrency_hint=1\n"));
  return all;
}

/// Runs `body(context)` for each of the unsafe contexts, with as many descriptors open afterwards as
/// before.
template <class Body>
void on_each_unsafe_context(Body body)
{
  const census descriptors;
  for (context_pointer& context : unsafe_contexts())
  {
    body(*context);
    context.reset();
  }
  BOOST_TEST(descriptors.restored());
}

/// An acceptor on a context that locks, with one connection waiting.
struct waiting_connection
{
  asio::io_context context;
  tcp::acceptor acceptor{context, any_local_port()};
  asio::ip::tcp::socket client{context};

  waiting_connection()
  {
    client.connect(acceptor.local_endpoint());
  }

  /// Whether the connection has been closed at the other side.
  bool dropped() const
  {
    return wait_until(
      [this]
      {
        ::pollfd p = {const_cast<waiting_connection*>(this)->client.native_handle(), POLLRDHUP, 0};
        return ::poll(&p, 1, 0) == 1;
      });
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_unsafe_context)

BOOST_AUTO_TEST_CASE(nothing_is_opened_on_a_context_without_locks)
{
  on_each_unsafe_context(
    [](asio::io_context& context)
    {
      error_code ec;
      tcp::socket socket(context);
      socket.open(tcp::v4(), ec);
      BOOST_TEST(ec == not_supported);
      throws("open", not_supported, [&] { socket.open(tcp::v4()); });
      throws("open", not_supported, [&] { tcp::socket(context, tcp::v4()); });
      throws("open", not_supported, [&] { tcp::socket(context, any_local_port()); });
      BOOST_TEST(!socket.is_open());

      tcp::acceptor acceptor(context);
      acceptor.open(tcp::v4(), ec);
      BOOST_TEST(ec == not_supported);
      throws("open", not_supported, [&] { tcp::acceptor(context, any_local_port()); });
      BOOST_TEST(!acceptor.is_open());
    });
}

BOOST_AUTO_TEST_CASE(a_descriptor_that_cannot_be_assigned_stays_the_callers)
{
  on_each_unsafe_context(
    [](asio::io_context& context)
    {
      error_code ec;
      const ends connection = unix_ends();
      const int offered = connection.near.get();
      const close_watch watch(offered);
      local::socket socket(context);
      socket.assign(local(), offered, ec);
      BOOST_TEST(ec == not_supported);
      throws("assign", not_supported, [&] { socket.assign(local(), offered); });
      throws("assign", not_supported, [&] { local::socket(context, local(), offered); });
      stream_descriptor descriptor(context);
      descriptor.assign(offered, ec);
      BOOST_TEST(ec == not_supported);
      throws("assign", not_supported, [&] { stream_descriptor(context, offered); });
      BOOST_TEST(!socket.is_open());
      BOOST_TEST(!descriptor.is_open());
      BOOST_TEST(watch.arrived() == 0u);
      send_text(connection.near, "still connected");
      BOOST_TEST(drain(connection.far) == 15u);
    });
}

// What opens on the way to something else.
BOOST_AUTO_TEST_CASE(a_connect_does_not_open_either)
{
  on_each_unsafe_context(
    [](asio::io_context& context)
    {
      const fd listener = tcp_listener();
      const tcp::endpoint where(
        asio::ip::address_v4::loopback(), ntohs(address_of(listener).sin_port));
      handler_tally handlers;
      error_code ec;
      error_code connected = not_called;
      tcp::socket socket(context);
      socket.connect(where, ec);
      BOOST_TEST(ec == not_supported);
      throws("connect", not_supported, [&] { socket.connect(where); });
      socket.async_connect(where, handlers(into(connected)));
      BOOST_TEST(handlers.called() == 0);
      context.run();
      BOOST_TEST(connected == not_supported);
      BOOST_TEST(handlers.all_called());

      local::socket first(context);
      local::socket second(context);
      interlock::local::connect_pair(first, second, ec);
      BOOST_TEST(ec == not_supported);
      BOOST_TEST(!first.is_open());
      BOOST_TEST(!second.is_open());
    });
}

BOOST_AUTO_TEST_CASE(a_pair_with_one_end_on_a_context_without_locks_is_closed)
{
  on_each_unsafe_context(
    [](asio::io_context& context)
    {
      asio::io_context other;
      local::socket first(other);
      local::socket second(context);
      error_code ec;
      interlock::local::connect_pair(first, second, ec);
      BOOST_TEST(ec == not_supported);
      BOOST_TEST(!first.is_open());
      BOOST_TEST(!second.is_open());
    });
}

BOOST_AUTO_TEST_CASE(what_is_accepted_for_a_context_without_locks_is_closed)
{
  on_each_unsafe_context(
    [](asio::io_context& context)
    {
      tcp::socket peer(context);
      error_code ec;
      {
        waiting_connection c;
        c.acceptor.accept(peer, ec);
        BOOST_TEST(ec == not_supported);
        BOOST_TEST(c.dropped());
      }
      handler_tally handlers;
      {
        waiting_connection c;
        ec = not_called;
        c.acceptor.async_accept(peer, handlers(into(ec)));
        c.context.run();
        BOOST_TEST(ec == not_supported);
        BOOST_TEST(c.dropped());
      }
      {
        waiting_connection c;
        ec = not_called;
        c.acceptor.async_accept(context, handlers(into(ec)));
        c.context.run();
        BOOST_TEST(ec == not_supported);
        BOOST_TEST(c.dropped());
      }
      BOOST_TEST(!peer.is_open());
      BOOST_TEST(handlers.made() == 2);
      BOOST_TEST(handlers.all_called());
    });
}

BOOST_AUTO_TEST_CASE(a_socket_of_asio_on_a_context_without_locks_is_not_taken_over)
{
  on_each_unsafe_context(
    [](asio::io_context& context)
    {
      ends connection = tcp_ends();
      const close_watch watch(connection.near.get());
      asio::ip::tcp::socket plain(context, asio::ip::tcp::v4(), connection.near.release());
      throws("move", not_supported, [&] { tcp::socket taken(std::move(plain)); });
      BOOST_TEST(!plain.is_open());
      BOOST_TEST(watch.closed() == 1u);
    });
}

// There is nothing to lock for: an object that is not open is one thread's as any other.
BOOST_AUTO_TEST_CASE(an_object_that_could_not_be_opened_behaves_as_one_never_opened)
{
  on_each_unsafe_context(
    [](asio::io_context& context)
    {
      handler_tally handlers;
      tcp::socket socket(context);
      error_code ec;
      socket.open(tcp::v4(), ec);
      error_code read = not_called;
      error_code closed = not_called;
      char data[8];
      socket.close(ec);
      BOOST_TEST(ec == success);
      BOOST_TEST(socket.read_some(asio::buffer(data), ec) == 0u);
      BOOST_TEST(ec == bad_descriptor);
      socket.async_read_some(asio::buffer(data), handlers(into(read)));
      socket.async_close(handlers(into(closed)));
      BOOST_TEST(handlers.called() == 0);
      context.run();
      BOOST_TEST(read == bad_descriptor);
      BOOST_TEST(closed == success);
      BOOST_TEST(handlers.all_called());
    });
}

BOOST_AUTO_TEST_CASE(a_thread_pool_without_locks_is_refused_too)
{
  const census descriptors;
  {
    asio::thread_pool pool(1, asio::config_from_string("reactor.io_locking=0\n"));
    tcp::socket socket(pool);
    error_code ec;
    socket.open(tcp::v4(), ec);
    BOOST_TEST(ec == not_supported);
    pool.join();
  }
  BOOST_TEST(descriptors.restored());
}

BOOST_AUTO_TEST_CASE(a_context_with_its_locks_is_not_refused)
{
  const census descriptors;
  for (context_pointer& context : safe_contexts())
  {
    handler_tally handlers;
    error_code closed = not_called;
    tcp::socket socket(*context, tcp::v4());
    socket.async_close(handlers(into(closed)));
    context->run();
    BOOST_TEST(closed == success);
    BOOST_TEST(handlers.all_called());
  }
  BOOST_TEST(descriptors.restored());
}

BOOST_AUTO_TEST_SUITE_END()

#endif
