// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The callers of the close of a TLS stream: how long the stream lives, several callers, cancellation, other threads.

#include <interlock/adapt/ssl.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <boost/asio/buffer.hpp>
#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#endif
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/test/unit_test.hpp>

#include "support/handler_tally.hpp"
#include "support/loop.hpp"
#include "support/wait_until.hpp"
#include "tls_scene.hpp"

using interlock::close_mode;
using interlock::close_outcome;
using interlock::ip::tcp;
using std::chrono::milliseconds;

namespace {

using namespace adapt;
using tls_stream = ssl::stream<tcp::socket>;
using scene = tls_scene<tls_stream>;

} // namespace

BOOST_AUTO_TEST_SUITE(test_ssl_callers)

// --- Lifetime.

BOOST_AUTO_TEST_CASE(the_last_owner_may_give_the_stream_up_while_it_closes)
{
  read_end seen;
  scene s(TLS1_3_VERSION,
    [&](tls_peer& p)
    {
      seen = p.read_all();
      p.notify();
    });
  const std::weak_ptr<tls_stream> stream = s.near;
  large_write w;
  closed c;
  w.start(*s.near);
  interlock::async_close(s.near, close_mode::graceful(long_enough), c.handler());
  s.near.reset();
  BOOST_TEST(!stream.expired());
  s.context.run();
  s.join();
  BOOST_TEST(seen.bytes == much);
  BOOST_TEST(seen.is_clean());
  BOOST_TEST(c.report.notify_answered);
  BOOST_TEST(stream.expired());
}

BOOST_AUTO_TEST_CASE(the_stream_is_there_when_the_handler_is_called)
{
  scene s(TLS1_3_VERSION, [](tls_peer& p) { p.read_all(); });
  const std::weak_ptr<tls_stream> stream = s.near;
  bool was_there = false;
  interlock::async_close(s.near, close_mode::graceful(long_enough),
    [&](error_code, const interlock::stack_report&) { was_there = !stream.expired(); });
  s.near.reset();
  s.context.run();
  BOOST_TEST(was_there);
  BOOST_TEST(stream.expired());
}

BOOST_AUTO_TEST_CASE(a_stream_that_the_program_keeps_is_closed_by_reference)
{
  read_end seen;
  scene s(TLS1_3_VERSION, [&](tls_peer& p) { seen = p.read_all(); });
  closed c;
  interlock::async_close(*s.near, close_mode::deliver(long_enough), c.handler());
  s.context.run();
  s.join();
  BOOST_TEST(seen.is_clean());
  BOOST_TEST(c.report.notify_sent);
}

BOOST_AUTO_TEST_CASE(a_handler_is_destroyed_with_the_context)
{
  support::handler_tally handlers;
  std::optional<asio::io_context> context(std::in_place);
  asio::ssl::context tls(asio::ssl::context::tls_server);
  asio::ip::tcp::acceptor acceptor(
    *context, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  asio::io_context other;
  asio::ip::tcp::socket far(other);
  auto near = std::make_shared<tls_stream>(*context, tls);
  near->next_layer().connect(acceptor.local_endpoint());
  acceptor.accept(far);
  interlock::async_close(near, close_mode::graceful(long_enough),
    handlers([](error_code, const interlock::stack_report&) {}));
  context->poll();
  near.reset();
  acceptor.close();
  BOOST_TEST(handlers.ended() == 0);
  context.reset();
  BOOST_TEST(handlers.ended() == 1);
  BOOST_TEST(handlers.called() == 0);
  std::array<char, 1> byte;
  error_code ec;
  far.read_some(asio::buffer(byte), ec);
  BOOST_TEST(ec == asio::error::eof);
}

BOOST_AUTO_TEST_CASE(a_stream_without_a_connection_is_closed)
{
  asio::io_context context;
  asio::ssl::context tls(asio::ssl::context::tls_server);
  closed c;
  interlock::async_close(
    std::make_shared<tls_stream>(context, tls), close_mode::graceful(long_enough), c.handler());
  context.run();
  BOOST_TEST(c.calls == 1);
  BOOST_TEST(c.ec == success);
  BOOST_TEST(!c.report.truncated);
}

BOOST_AUTO_TEST_CASE(a_stack_that_is_closed_may_be_closed_again)
{
  scene s(TLS1_3_VERSION, [](tls_peer& p) { p.read_all(); });
  closed c;
  for (int i = 1; i != 3; ++i)
  {
    interlock::async_close(s.near, close_mode::graceful(long_enough), c.handler());
    s.context.run();
    s.context.restart();
    BOOST_TEST(c.calls == i);
    BOOST_TEST(c.ec == success);
    BOOST_TEST(c.report.notify_sent);
    BOOST_TEST(c.report.connection.outcome == close_outcome::peer_closed);
  }
}

// --- Others that close.

BOOST_AUTO_TEST_CASE(a_mode_that_is_not_valid_closes_at_once_and_is_told)
{
  scene s(TLS1_3_VERSION, [](tls_peer& p) { p.read_all(); });
  closed c;
  interlock::async_close(s.near, close_mode::graceful(milliseconds(-1)), c.handler());
  s.context.run();
  BOOST_TEST(
    c.ec == error_code(boost::system::errc::invalid_argument, boost::system::system_category()));
  BOOST_TEST(!s.near->next_layer().is_open());
  BOOST_TEST(c.report.truncated);
}

BOOST_AUTO_TEST_CASE(the_connection_may_be_closed_while_its_layers_are)
{
  scene s(TLS1_3_VERSION,
    [&](tls_peer& p)
    {
      p.read_all();
      s.wait();
    });
  closed c;
  const interlock::close_handle handle = s.near->next_layer().get_close_handle();
  interlock::async_close(s.near, close_mode::graceful(long_enough), c.handler());
  s.context.poll();
  BOOST_TEST(c.calls == 0);
  handle.close();
  s.context.run();
  BOOST_TEST(c.calls == 1);
  BOOST_TEST(c.report.notify_sent);
  BOOST_TEST(!c.report.notify_answered);
  BOOST_TEST(c.report.connection.outcome == close_outcome::closed);
}

namespace {

/// The close waits for a peer that does not answer; then another close joins it.
struct joined : scene
{
  closed first;
  closed second;

  joined()
    : scene(TLS1_3_VERSION,
      [this](tls_peer& p)
      {
        p.read_all();
        wait();
      })
  {
    interlock::async_close(near, close_mode::graceful(long_enough), first.handler());
    BOOST_TEST(support::wait_until(
      [this]
      {
        support::turn(context);
        return (SSL_get_shutdown(near->native_handle()) & SSL_SENT_SHUTDOWN) != 0;
      }));
    context.restart();
  }

  void join(const close_mode& mode)
  {
    interlock::async_close(near, mode, second.handler());
  }

  void check(close_outcome outcome) const
  {
    for (const closed& c : {first, second})
    {
      BOOST_TEST(c.calls == 1);
      BOOST_TEST(c.report.connection.outcome == outcome);
      BOOST_TEST(c.report.notify_sent);
    }
    BOOST_TEST(first.ec == success);
  }

  const in_time checked{};
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_second_close_of_the_stack_joins, joined)
{
  join(close_mode::graceful(milliseconds(10)));
  let_go();
  context.run();
  check(close_outcome::peer_closed);
  BOOST_TEST(second.ec == success);
}

BOOST_FIXTURE_TEST_CASE(deliver_overtakes_graceful, joined)
{
  join(close_mode::deliver(long_enough));
  context.run();
  check(close_outcome::acknowledged);
  BOOST_TEST(second.ec == success);
}

BOOST_FIXTURE_TEST_CASE(abort_overtakes_graceful, joined)
{
  join(close_mode::abort());
  context.run();
  check(close_outcome::aborted);
  BOOST_TEST(second.ec == success);
}

BOOST_FIXTURE_TEST_CASE(a_mode_that_is_not_valid_overtakes_at_once, joined)
{
  join(close_mode::graceful(milliseconds(-1)));
  context.run();
  check(close_outcome::closed);
  BOOST_TEST(second.ec
    == error_code(boost::system::errc::invalid_argument, boost::system::system_category()));
}

BOOST_FIXTURE_TEST_CASE(a_caller_that_joins_by_reference_is_told_at_the_end, joined)
{
  interlock::async_close(*near, close_mode::graceful(long_enough), second.handler());
  let_go();
  context.run();
  check(close_outcome::peer_closed);
}

BOOST_AUTO_TEST_CASE(threads_close_one_stack_at_the_same_time)
{
  constexpr int closers = 4;
  const close_mode modes[closers] = {close_mode::graceful(long_enough),
    close_mode::deliver(long_enough), close_mode::immediate(), close_mode::abort()};
  for (int i = 0; i != 60; ++i)
  {
    scene s(TLS1_3_VERSION, [](tls_peer& p) { p.read_all(); });
    large_write w;
    w.start(*s.near);
    std::array<closed, closers> all;
    {
      const auto work = asio::make_work_guard(s.context);
      std::thread runs([&] { s.context.run(); });
      std::vector<std::thread> threads;
      for (int k = 0; k != closers; ++k)
        threads.emplace_back(
          [&, k] { interlock::async_close(s.near, modes[(k + i) % closers], all[k].handler()); });
      for (std::thread& t : threads)
        t.join();
      BOOST_TEST(support::wait_until([&] { return !s.near->next_layer().is_open(); }));
      s.context.stop();
      runs.join();
    }
    s.context.restart();
    s.context.run();
    for (const closed& c : all)
    {
      BOOST_TEST(c.calls == 1);
      BOOST_TEST(c.ec == success);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_socket_alone_is_a_stack)
{
  asio::io_context context;
  tcp::socket s(context, asio::ip::tcp::v4());
  closed c;
  interlock::async_close(s, close_mode::immediate(), c.handler());
  context.run();
  BOOST_TEST(c.ec == success);
  BOOST_TEST(!s.is_open());
}

// --- Cancellation.

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)

namespace {

/// A close that waits for a peer that does not answer.
struct waiting : scene
{
  asio::cancellation_signal signal;
  closed c;

  waiting()
    : scene(TLS1_3_VERSION,
      [this](tls_peer& p)
      {
        p.read_all();
        wait();
      })
  {
    interlock::async_close(near, close_mode::graceful(long_enough),
      asio::bind_cancellation_slot(signal.slot(), c.handler()));
    BOOST_TEST(support::wait_until(
      [this]
      {
        support::turn(context);
        return (SSL_get_shutdown(near->native_handle()) & SSL_SENT_SHUTDOWN) != 0;
      }));
    BOOST_TEST(c.calls == 0);
    context.restart();
  }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_terminal_cancellation_aborts, waiting)
{
  signal.emit(asio::cancellation_type::terminal);
  context.run();
  BOOST_TEST(c.ec == success);
  BOOST_TEST(c.report.connection.outcome == close_outcome::aborted);
  BOOST_TEST(c.report.notify_sent);
}

BOOST_FIXTURE_TEST_CASE(a_partial_cancellation_closes_at_once, waiting)
{
  signal.emit(asio::cancellation_type::partial);
  context.run();
  BOOST_TEST(c.ec == success);
  BOOST_TEST(c.report.connection.outcome == close_outcome::closed);
}

BOOST_FIXTURE_TEST_CASE(a_total_cancellation_ends_the_wait_of_the_caller_alone, waiting)
{
  signal.emit(asio::cancellation_type::total);
  BOOST_TEST(support::wait_until(
    [this]
    {
      support::turn(context);
      return c.calls != 0;
    }));
  BOOST_TEST(c.ec == aborted);
  // The caller is gone: nothing more comes of it.
  signal.emit(asio::cancellation_type::terminal);
  support::turn(context);
  BOOST_TEST(near->next_layer().is_open());
  let_go();
  context.restart();
  context.run();
  BOOST_TEST(c.calls == 1);
  BOOST_TEST(!near->next_layer().is_open());
}

BOOST_FIXTURE_TEST_CASE(a_stream_without_a_caller_and_an_owner_is_closed_and_destroyed, waiting)
{
  const std::weak_ptr<tls_stream> stream = near;
  near.reset();
  signal.emit(asio::cancellation_type::total);
  let_go();
  context.run();
  BOOST_TEST(c.calls == 1);
  BOOST_TEST(c.ec == aborted);
  BOOST_TEST(stream.expired());
}

BOOST_FIXTURE_TEST_CASE(a_caller_that_has_joined_can_only_leave, waiting)
{
  for (const auto type : {asio::cancellation_type::terminal, asio::cancellation_type::partial,
         asio::cancellation_type::total})
  {
    asio::cancellation_signal other;
    closed joined;
    interlock::async_close(near, close_mode::graceful(long_enough),
      asio::bind_cancellation_slot(other.slot(), joined.handler()));
    other.emit(type);
    BOOST_TEST(support::wait_until(
      [&]
      {
        support::turn(context);
        return joined.calls != 0;
      }));
    BOOST_TEST(joined.ec == aborted);
    BOOST_TEST(near->next_layer().is_open());
  }
  let_go();
  context.restart();
  context.run();
  BOOST_TEST(c.ec == success);
  BOOST_TEST(c.report.connection.outcome == close_outcome::peer_closed);
}

BOOST_FIXTURE_TEST_CASE(a_cancellation_after_the_end_has_no_effect, waiting)
{
  let_go();
  context.run();
  BOOST_TEST(c.ec == success);
  signal.emit(asio::cancellation_type::all);
  context.restart();
  context.run();
  BOOST_TEST(c.calls == 1);
}

BOOST_AUTO_TEST_CASE(another_thread_cancels)
{
  const asio::cancellation_type types[] = {asio::cancellation_type::terminal,
    asio::cancellation_type::partial, asio::cancellation_type::total};
  for (int i = 0; i != 60; ++i)
  {
    scene s(TLS1_3_VERSION, [](tls_peer& p) { p.read_all(); });
    asio::cancellation_signal signal;
    std::atomic<int> calls{0};
    large_write w;
    w.start(*s.near);
    interlock::async_close(s.near, close_mode::graceful(long_enough),
      asio::bind_cancellation_slot(
        signal.slot(), [&](error_code, const interlock::stack_report&) { ++calls; }));
    std::thread runs([&] { s.context.run(); });
    for (int turns = i * 20; turns != 0; --turns)
      std::this_thread::yield();
    signal.emit(types[i % 3]);
    runs.join();
    BOOST_TEST(calls == 1);
    BOOST_TEST(!s.near->next_layer().is_open());
  }
}

#endif

BOOST_AUTO_TEST_CASE(another_thread_closes)
{
  for (int i = 0; i != 20; ++i)
  {
    read_end seen;
    scene s(TLS1_3_VERSION, [&](tls_peer& p) { seen = p.read_all(); });
    closed c;
    large_write w;
    w.start(*s.near);
    auto work = asio::make_work_guard(s.context);
    std::thread runs([&] { s.context.run(); });
    interlock::async_close(s.near, close_mode::graceful(long_enough), c.handler());
    work.reset();
    runs.join();
    s.join();
    BOOST_TEST(seen.bytes == much);
    BOOST_TEST(seen.is_clean());
    BOOST_TEST(c.calls == 1);
  }
}

BOOST_AUTO_TEST_CASE(threads_run_the_context_of_a_strand)
{
  using strand_stream =
    asio::ssl::stream<interlock::basic_stream_socket<asio::ip::tcp, adapt::strand>>;
  for (int i = 0; i != 20; ++i)
  {
    read_end seen;
    adapt::tls_scene<strand_stream> s(TLS1_3_VERSION, [&](tls_peer& p) { seen = p.read_all(); });
    closed c;
    large_write w;
    std::array<char, 1> byte;
    error_code read = not_called;
    asio::dispatch(s.near->get_executor(),
      [&]
      {
        w.start(*s.near);
        s.near->async_read_some(asio::buffer(byte), [&](error_code ec, std::size_t) { read = ec; });
      });
    std::thread runs([&] { s.context.run(); });
    std::thread runs_too([&] { s.context.run(); });
    interlock::async_close(s.near, close_mode::graceful(long_enough), c.handler());
    runs.join();
    runs_too.join();
    s.join();
    BOOST_TEST(w.ec == success);
    BOOST_TEST((read != success && read != not_called));
    BOOST_TEST(seen.bytes == much);
    BOOST_TEST(seen.is_clean());
    BOOST_TEST(c.calls == 1);
  }
}

BOOST_AUTO_TEST_SUITE_END()
