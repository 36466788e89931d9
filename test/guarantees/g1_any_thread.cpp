// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G1: every member function may be called from any thread, at the same time as any other, on the
// same object. What the threads do to each other is for ThreadSanitizer to judge; here it is counted
// that nothing is lost.

#include <interlock/ip/tcp.hpp>
#include <interlock/local/stream_protocol.hpp>
#include <interlock/posix/stream_descriptor.hpp>

#include <functional>
#include <optional>
#include <thread>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include "support/census.hpp"
#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/handler_tally.hpp"
#include "support/loop.hpp"

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::ip::tcp;
using local = interlock::local::stream_protocol;
using interlock::posix::stream_descriptor;

namespace {

const error_code aborted = asio::error::operation_aborted;

/// Runs them all at once, and waits for all.
void at_once(const std::vector<std::function<void()>>& calls)
{
  std::atomic<std::size_t> ready{0};
  std::vector<std::thread> threads;
  for (const auto& call : calls)
    threads.emplace_back(
      [&]
      {
        ++ready;
        while (ready != calls.size())
          std::this_thread::yield();
        call();
      });
  for (std::thread& t : threads)
    t.join();
}

/// A read that is started again as long as the object is open. Its end is counted as one handler.
template <class Object>
void read_on(Object& object, support::handler_tally& tally, char (&buffer)[64])
{
  object.async_read_some(asio::buffer(buffer),
    tally(
      [&](error_code ec, std::size_t)
      {
        if (!ec)
          read_on(object, tally, buffer);
      }));
}

template <class Object>
void write_on(Object& object, support::handler_tally& tally)
{
  object.async_write_some(asio::buffer("data", 4),
    tally(
      [&](error_code ec, std::size_t)
      {
        if (!ec)
          write_on(object, tally);
      }));
}

/// Calls of everything that looks at a socket or changes it, none of which may throw.
template <class Socket>
void look_at(Socket& s)
{
  error_code ec;
  s.is_open();
  s.native_handle();
  s.available(ec);
  s.local_endpoint(ec);
  s.remote_endpoint(ec);
  asio::socket_base::receive_buffer_size size(8192);
  s.set_option(size, ec);
  s.get_option(size, ec);
  s.non_blocking(true, ec);
  s.non_blocking();
  s.native_non_blocking(true, ec);
  asio::socket_base::bytes_readable readable;
  s.io_control(readable, ec);
  s.cancel(ec);
}

constexpr int rounds = 60;

} // namespace

BOOST_AUTO_TEST_SUITE(test_g1_any_thread)

BOOST_AUTO_TEST_CASE(a_close_from_inside_a_handler_aborts_the_other_operations)
{
  asio::io_context context;
  support::ends pair = support::unix_ends();
  local::socket s(context, local(), pair.near.release());
  support::handler_tally tally;
  char buffer[8];
  error_code read_ec;
  s.async_wait(local::socket::wait_write, tally([&](error_code) { s.close(); }));
  s.async_read_some(asio::buffer(buffer), tally(support::into(read_ec)));
  context.run();
  BOOST_TEST(read_ec == aborted);
  BOOST_TEST(tally.all_called());
  BOOST_TEST(!s.is_open());
}

BOOST_AUTO_TEST_CASE(a_close_from_a_handler_of_another_context_aborts)
{
  support::loop first;
  support::loop second;
  support::ends pair = support::tcp_ends();
  tcp::socket s(first.context, tcp::v4(), pair.near.release());
  support::handler_tally tally;
  char buffer[8];
  error_code read_ec;
  s.async_read_some(asio::buffer(buffer), tally(support::into(read_ec)));
  asio::post(second.context, tally([&] { s.close(); }));
  second.join();
  first.join();
  BOOST_TEST(read_ec == aborted);
  BOOST_TEST(tally.all_called());
}

// Reads and writes go on in two loop threads while a third looks at the socket and a fourth closes
// it.
BOOST_AUTO_TEST_CASE(a_socket_may_be_closed_while_everything_else_is_called)
{
  const support::census fds;
  const std::size_t strays = support::stray_closes();
  for (int i = 0; i != rounds; ++i)
  {
    support::loop loop(2);
    support::ends pair = support::tcp_ends();
    tcp::socket s(loop.context, tcp::v4(), pair.near.release());
    tcp::socket echo(loop.context, tcp::v4(), pair.far.release());
    support::handler_tally tally;
    char buffer[64];
    char echoed[64];
    read_on(s, tally, buffer);
    write_on(echo, tally);
    read_on(echo, tally, echoed);
    at_once({[&] { look_at(s); }, [&] { write_on(s, tally); }, [&] { s.close(); },
      [&] { look_at(echo); }, [&] { echo.async_close(tally([](error_code) {})); }});
    s.close();
    loop.join();
    BOOST_TEST(tally.all_called());
  }
  BOOST_TEST(fds.restored());
  BOOST_TEST(support::stray_closes() == strays);
}

BOOST_AUTO_TEST_CASE(a_descriptor_may_be_closed_while_operations_are_started)
{
  const support::census fds;
  for (int i = 0; i != rounds; ++i)
  {
    support::loop loop;
    support::ends pair = support::unix_ends();
    stream_descriptor d(loop.context, pair.near.release());
    support::handler_tally tally;
    char first[64];
    char second[64];
    error_code ec;
    at_once({[&] { read_on(d, tally, first); }, [&] { read_on(d, tally, second); },
      [&] { d.async_wait(stream_descriptor::wait_write, tally([](error_code) {})); },
      [&] { d.async_close(tally([](error_code) {})); }, [&] { d.non_blocking(true, ec); },
      [&] { d.close(); }});
    loop.join();
    BOOST_TEST(tally.all_called());
  }
  BOOST_TEST(fds.restored());
}

BOOST_AUTO_TEST_CASE(an_acceptor_may_be_closed_while_connections_arrive)
{
  const support::census fds;
  for (int i = 0; i != rounds; ++i)
  {
    support::loop loop;
    tcp::acceptor a(loop.context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    const tcp::endpoint address = a.local_endpoint();
    support::handler_tally tally;
    asio::ip::tcp::socket peer(loop.context);
    at_once({[&] { a.async_accept(tally([](error_code, tcp::socket) {})); },
      [&] { a.async_wait(tcp::acceptor::wait_read, tally([](error_code) {})); },
      [&]
      {
        error_code ec;
        peer.connect(address, ec);
      },
      [&] { a.close(); }});
    loop.join();
    BOOST_TEST(tally.all_called());
  }
  BOOST_TEST(fds.restored());
}

// The third thread finds the object closed, open and unconnected, or closed under its call.
BOOST_AUTO_TEST_CASE(two_threads_open_and_close_while_a_third_reads)
{
  const support::census fds;
  const std::size_t strays = support::stray_closes();
  {
    support::loop loop;
    tcp::socket s(loop.context);
    support::handler_tally tally;
    char buffer[8];
    const auto open_and_close = [&]
    {
      for (int i = 0; i != 10 * rounds; ++i)
      {
        error_code ec;
        s.open(tcp::v4(), ec);
        s.close(ec);
      }
    };
    at_once({open_and_close, open_and_close,
      [&]
      {
        for (int i = 0; i != 10 * rounds; ++i)
        {
          error_code ec;
          BOOST_TEST(s.read_some(asio::buffer(buffer), ec) == 0u);
          BOOST_TEST(ec.failed());
          s.async_read_some(asio::buffer(buffer), tally([](error_code, std::size_t) {}));
        }
      }});
    BOOST_TEST(!s.is_open());
    loop.join();
    BOOST_TEST(tally.all_called());
  }
  BOOST_TEST(fds.restored());
  BOOST_TEST(support::stray_closes() == strays);
}

BOOST_AUTO_TEST_CASE(a_close_needs_no_context_that_runs)
{
  asio::io_context context;
  support::ends pair = support::unix_ends();
  const support::close_watch watch(pair.near.get());
  local::socket s(context, local(), pair.near.release());
  s.close();
  BOOST_TEST(watch.wait_closed());
}

BOOST_AUTO_TEST_CASE(a_close_works_on_a_stopped_context)
{
  asio::io_context context;
  support::ends pair = support::unix_ends();
  const support::close_watch watch(pair.near.get());
  local::socket s(context, local(), pair.near.release());
  context.stop();
  std::thread([&s] { s.close(); }).join();
  BOOST_TEST(watch.wait_closed());
}

BOOST_AUTO_TEST_CASE(an_object_may_be_used_after_its_context_is_gone)
{
  const support::census fds;
  std::optional<asio::io_context> context(std::in_place);
  support::ends pair = support::unix_ends();
  const support::close_watch watch(pair.near.get());
  {
    local::socket s(*context, local(), pair.near.release());
    context.reset();
    BOOST_TEST(watch.closed() == 1u);
    BOOST_TEST(!s.is_open());
    error_code ec;
    char buffer[8];
    BOOST_TEST(s.read_some(asio::buffer(buffer), ec) == 0u);
    BOOST_TEST(ec == error_code(asio::error::bad_descriptor));
    BOOST_TEST(s.native_handle() == -1);
    s.close();
  }
  pair.far.reset();
  BOOST_TEST(watch.closed() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
