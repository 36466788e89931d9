// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G9, for want of memory, of stacks. Each allocation of `async_close`, and of the close's steps, is made to fail in
// turn. An `async_close` that throws has no effect. Otherwise the connection is closed once, and the handler is
// called once, with errc::not_enough_memory if a step has failed; it is destroyed instead if there is no memory for
// calling it.

#define BOOST_TEST_MODULE interlock_alloc_failure_stacks
#include <boost/test/unit_test.hpp>

#include <interlock/adapt/ssl.hpp>

#include <chrono>
#include <cstddef>
#include <memory>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>

#include <interlock/local/stream_protocol.hpp>

#include "support/allocation_walk.hpp"
#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/handler_tally.hpp"
#include "support/loop.hpp"
#include "support/wait_until.hpp"

#include "adapt/tls_scene.hpp"

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using boost::system::error_code;
using interlock::close_mode;
using local = interlock::local::stream_protocol;
using std::chrono::milliseconds;
using support::attempt;
using support::for_every_allocation;
using support::with_failure;

namespace {

using executor = asio::io_context::executor_type;
using near_socket = local::socket::rebind_executor<executor>::other;
using near_type = ssl::stream<near_socket>;
using far_type = ssl::stream<asio::local::stream_protocol::socket>;

/// What the program needs once.
struct tls_contexts
{
  ssl::context near{ssl::context::tls_server};
  ssl::context far{ssl::context::tls_client};

  tls_contexts()
  {
    adapt::certify(near);
  }

  static tls_contexts& one()
  {
    static tls_contexts only;
    return only;
  }
};

/// A connection over TLS whose peer does not answer, and a read of the program's.
struct scene
{
  asio::io_context context;
  support::handler_tally handlers;
  support::ends pair = support::unix_ends();
  support::close_watch watch{pair.near.get()};
  std::shared_ptr<near_type> near = std::make_shared<near_type>(
    connected(), tls_contexts::one().near);
  far_type far{asio::local::stream_protocol::socket(
                 context, asio::local::stream_protocol(), pair.far.release()),
    tls_contexts::one().far};
  char byte = 0;

  scene()
  {
    const asio::steady_timer services(context); // of Asio's, made before
    near->async_handshake(ssl::stream_base::server, [](error_code) {});
    far.async_handshake(ssl::stream_base::client, [](error_code ec) { BOOST_REQUIRE(!ec); });
    context.run();
    context.restart();
    near->async_read_some(asio::buffer(&byte, 1), handlers([](error_code, std::size_t) {}));
  }

  // Asio leaves a strand undefined that runs out of memory while it is being made, and the first close makes one. So
  // the descriptor that counts is opened in memory which has closed others before.
  near_socket connected()
  {
    near_socket s(context);
    for (int i = 0; i != 2; ++i)
    {
      s.assign(local(), support::unix_ends().near.release());
      s.async_close([](error_code) {});
      context.run();
      context.restart();
    }
    s.assign(local(), pair.near.release());
    return s;
  }

  bool is_open() const
  {
    return near->next_layer().is_open();
  }

  template <class Handler>
  void close(const close_mode& mode, Handler handler)
  {
    interlock::async_close(near, mode, handlers(std::move(handler)));
  }

  void run_until_ended()
  {
    BOOST_TEST(support::wait_until(
      [this]
      {
        support::turn(context);
        return handlers.all_ended();
      }));
  }

  void check_closed()
  {
    BOOST_TEST(!is_open());
    BOOST_TEST(watch.wait_closed());
    BOOST_TEST(watch.arrived() == 1u);
  }

  /// Has no effect on what has been closed before.
  void close_again()
  {
    adapt::closed again;
    close(close_mode::immediate(), again.handler());
    run_until_ended();
    BOOST_TEST(again.calls == 1);
    BOOST_TEST(again.ec == error_code());
    check_closed();
  }
};

const close_mode modes[] = {close_mode::graceful(milliseconds(20)),
  close_mode::deliver(milliseconds(20)), close_mode::abort()};

} // namespace

BOOST_AUTO_TEST_CASE(a_close_that_throws_has_no_effect)
{
  for (const close_mode& mode : modes)
    for_every_allocation(
      [&mode](std::size_t n)
      {
        scene s;
        adapt::closed c;
        const attempt a = with_failure(n, [&] { s.close(mode, c.handler()); });
        BOOST_TEST(s.is_open());
        if (!a.threw)
          s.run_until_ended();
        BOOST_TEST(c.calls == (a.threw ? 0 : 1));
        s.close_again();
        return a.struck;
      },
      7);
}

BOOST_AUTO_TEST_CASE(a_step_that_fails_closes_the_connection_and_is_told)
{
  for (const close_mode& mode : modes)
    for_every_allocation(
      [&mode](std::size_t n)
      {
        scene s;
        adapt::closed c;
        s.close(mode, c.handler());
        const attempt a = support::run_with_failure(
          n, s.context, [&] { return s.handlers.all_ended(); });
        s.run_until_ended();
        BOOST_TEST((c.calls == 1 || (a.threw && c.calls == 0)));
        const bool is_told = c.ec == boost::system::errc::not_enough_memory;
        BOOST_TEST((c.calls == 0 || c.ec == error_code() || (a.struck && is_told)));
        BOOST_TEST(!c.report.notify_answered);
        s.close_again();
        return a.struck;
      },
      mode.delivers() ? 6 : 2);
}

BOOST_AUTO_TEST_CASE(a_close_that_does_not_join_has_no_effect)
{
  for (const close_mode& mode : {close_mode::graceful(milliseconds(20)), close_mode::abort()})
    for_every_allocation(
      [&mode](std::size_t n)
      {
        scene s;
        adapt::closed c;
        adapt::closed joined;
        s.close(close_mode::graceful(milliseconds(20)), c.handler());
        const attempt a = with_failure(n, [&] { s.close(mode, joined.handler()); });
        s.run_until_ended();
        BOOST_TEST(c.calls == 1);
        BOOST_TEST(c.ec == error_code());
        BOOST_TEST(joined.calls == (a.threw ? 0 : 1));
        s.close_again();
        return a.struck;
      },
      4);
}
