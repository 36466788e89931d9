// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G9, for want of memory, of stacks. Each allocation of `async_close`, and of the close's steps, is made to fail in
// turn. An `async_close` that throws has no effect. Otherwise the connection is closed once, and the handler is
// called once, with errc::not_enough_memory if a step has failed; it is destroyed instead if there is no memory for
// calling it.

#define BOOST_TEST_MODULE interlock_alloc_failure_stacks
#include <interlock/adapt/ssl.hpp>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <interlock/local/stream_protocol.hpp>

#include "adapt/tls_scene.hpp"
#include "support/allocation_walk.hpp"
#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"

using local = interlock::local::stream_protocol;

namespace {

using namespace adapt;
using support::failing;
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
    certify(near);
  }

  static tls_contexts& one()
  {
    static tls_contexts only;
    return only;
  }
};

/// A connection over TLS whose peer does not answer, and a read of the program's.
struct scene : support::walked_context
{
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

  void check_closed()
  {
    BOOST_TEST(!is_open());
    BOOST_TEST(watch.wait_closed());
    BOOST_TEST(watch.arrived() == 1u);
  }

  /// Has no effect on what has been closed before.
  void close_again()
  {
    closed again;
    close(close_mode::immediate(), again.handler());
    run_until_ended();
    BOOST_TEST(again.times == 1);
    BOOST_TEST(again.ec == error_code());
    check_closed();
  }
};

struct close_row : support::row
{
  close_mode mode;
};

const close_mode gracefully = close_mode::graceful(milliseconds(20));
const close_mode delivering = close_mode::deliver(milliseconds(20));

const close_row starts[] = {
  {{"graceful", 7}, gracefully}, {{"deliver", 7}, delivering}, {{"abort", 7}, close_mode::abort()}};

const close_row steps[] = {
  {{"graceful", 6}, gracefully}, {{"deliver", 6}, delivering}, {{"abort", 2}, close_mode::abort()}};

const close_row joins[] = {{{"graceful", 4}, gracefully}, {{"abort", 4}, close_mode::abort()}};

} // namespace

INTERLOCK_TEST_WALK_ROWS(a_close_that_throws_has_no_effect, starts)
{
  scene s;
  closed c;
  const bool threw = fails([&] { s.close(row.mode, c.handler()); });
  BOOST_TEST(s.is_open());
  if (!threw)
    s.run_until_ended();
  BOOST_TEST(c.times == (threw ? 0 : 1));
  s.close_again();
}

INTERLOCK_TEST_WALK_ROWS(a_step_that_fails_closes_the_connection_and_is_told, steps)
{
  scene s;
  closed c;
  s.close(row.mode, c.handler());
  const bool threw = fails.run(s.context, [&] { return s.handlers.all_ended(); });
  s.run_until_ended();
  BOOST_TEST((c.times == 1 || (threw && c.times == 0)));
  const bool is_told = c.ec == boost::system::errc::not_enough_memory;
  BOOST_TEST((c.times == 0 || c.ec == error_code() || (fails.struck() && is_told)));
  BOOST_TEST(!c.report.notify_answered);
  s.close_again();
}

INTERLOCK_TEST_WALK_ROWS(a_close_that_does_not_join_has_no_effect, joins)
{
  scene s;
  closed c;
  closed joined;
  s.close(gracefully, c.handler());
  const bool threw = fails([&] { s.close(row.mode, joined.handler()); });
  s.run_until_ended();
  BOOST_TEST(c.times == 1);
  BOOST_TEST(c.ec == error_code());
  BOOST_TEST(joined.times == (threw ? 0 : 1));
  s.close_again();
}
