// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The callers of the close of a TLS stream: how long the stream lives, several callers, cancellation, other threads.

#include <interlock/adapt/ssl.hpp>

#include <atomic>
#include <optional>

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#endif
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>

#include "support/handler_tally.hpp"
#include "support/loop.hpp"
#include "support/wait_until.hpp"
#include "tls_scene.hpp"

namespace {

using namespace adapt;
using tls_stream = ssl::stream<tcp::socket>;
using scene = tls_scene<tls_stream>;

} // namespace

BOOST_AUTO_TEST_SUITE(test_ssl_callers)

// --- Lifetime.

BOOST_AUTO_TEST_CASE(the_last_owner_may_give_the_stream_up_while_it_closes)
{
  scene s(TLS1_3_VERSION, reads_and_answers);
  const std::weak_ptr<tls_stream> stream = s.near;
  bool was_there = false;
  large_write w(*s.near);
  interlock::async_close(s.near, close_mode::graceful(long_enough),
    [&](error_code ec, const stack_report& r)
    {
      was_there = !stream.expired();
      s.c.handler()(ec, r);
    });
  s.near.reset();
  BOOST_TEST(!stream.expired());
  s.end();
  BOOST_TEST(s.far.seen.is(much));
  BOOST_TEST(s.c.told() == "peer_closed, sent, answered");
  BOOST_TEST(was_there);
  BOOST_TEST(stream.expired());
}

BOOST_AUTO_TEST_CASE(a_stream_that_the_program_keeps_is_closed_by_reference)
{
  scene s(TLS1_3_VERSION, reads);
  interlock::async_close(*s.near, close_mode::deliver(long_enough), s.c.handler());
  s.end();
  BOOST_TEST(s.far.seen.is(0));
  BOOST_TEST(s.c.told() == "acknowledged, sent");
}

BOOST_AUTO_TEST_CASE(a_handler_is_destroyed_with_the_context)
{
  support::handler_tally handlers;
  std::optional<asio::io_context> context(std::in_place);
  ssl::context tls(ssl::context::tls_server);
  asio::ip::tcp::acceptor acceptor(*context, any_local_port());
  asio::io_context other;
  asio::ip::tcp::socket far(other);
  auto near = std::make_shared<tls_stream>(*context, tls);
  near->next_layer().connect(acceptor.local_endpoint());
  acceptor.accept(far);
  interlock::async_close(
    near, close_mode::graceful(long_enough), handlers([](error_code, const stack_report&) {}));
  context->poll();
  near.reset();
  acceptor.close();
  BOOST_TEST(handlers.ended() == 0);
  context.reset();
  BOOST_TEST(handlers.ended() == 1);
  BOOST_TEST(handlers.called() == 0);
  char byte = 0;
  error_code ec;
  far.read_some(asio::buffer(&byte, 1), ec);
  BOOST_TEST(ec == asio::error::eof);
}

BOOST_AUTO_TEST_CASE(a_stream_without_a_connection_is_closed)
{
  asio::io_context context;
  ssl::context tls(ssl::context::tls_server);
  closed c;
  interlock::async_close(
    std::make_shared<tls_stream>(context, tls), close_mode::graceful(long_enough), c.handler());
  context.run();
  BOOST_TEST(c.told_of_layers() == "");
}

BOOST_AUTO_TEST_CASE(a_stack_that_is_closed_may_be_closed_again)
{
  scene s(TLS1_3_VERSION, reads);
  for (const char* const which : {"the first", "the second"})
  {
    closed c;
    interlock::async_close(s.near, close_mode::graceful(long_enough), c.handler());
    s.run();
    BOOST_TEST(c.told() == "peer_closed, sent", which << " close: " << c.told());
  }
}

// --- Others that close.

BOOST_AUTO_TEST_CASE(a_mode_that_is_not_valid_closes_at_once_and_is_told)
{
  scene s(TLS1_3_VERSION, reads);
  s.close(close_mode::graceful(milliseconds(-1)));
  BOOST_TEST(!s.near->next_layer().is_open());
  BOOST_TEST(s.c.told(invalid) == "closed, truncated");
}

BOOST_AUTO_TEST_CASE(the_connection_may_be_closed_while_its_layers_are)
{
  scene s(TLS1_3_VERSION, reads_and_waits);
  const interlock::close_handle handle = s.near->next_layer().get_close_handle();
  s.start_close(close_mode::graceful(long_enough));
  s.context.poll();
  BOOST_TEST(s.c.times == 0);
  handle.close();
  s.run();
  BOOST_TEST(s.c.told() == "closed, sent");
}

namespace {

/// Its peer gives no answer until it is let go.
struct silent : scene
{
  const in_time checked{};

  silent()
    : scene(TLS1_3_VERSION, reads_and_waits)
  {
  }

  /// Up to the wait for the answer.
  template <class Handler>
  void close_to_the_wait(Handler handler)
  {
    interlock::async_close(near, close_mode::graceful(long_enough), std::move(handler));
    turn_until(
      [this] { return (SSL_get_shutdown(near->native_handle()) & SSL_SENT_SHUTDOWN) != 0; });
    BOOST_TEST(c.times == 0);
  }

  template <class Condition>
  void turn_until(Condition is_met)
  {
    BOOST_TEST(support::run_until(context, is_met));
  }
};

/// A second close joins the first one.
struct joined : silent
{
  closed second;

  joined()
  {
    close_to_the_wait(c.handler());
  }

  void join(const close_mode& mode)
  {
    interlock::async_close(near, mode, second.handler());
  }

  void check(const std::string& expected, const error_code& of_second = success) const
  {
    BOOST_TEST(c.told() == expected);
    BOOST_TEST(second.told(of_second) == expected);
  }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_second_close_of_the_stack_joins, joined)
{
  join(close_mode::graceful(milliseconds(10)));
  far.let_go();
  run();
  check("peer_closed, sent");
}

BOOST_FIXTURE_TEST_CASE(deliver_overtakes_graceful, joined)
{
  join(close_mode::deliver(long_enough));
  run();
  check("acknowledged, sent");
}

BOOST_FIXTURE_TEST_CASE(abort_overtakes_graceful, joined)
{
  join(close_mode::abort());
  run();
  check("aborted, sent");
}

BOOST_FIXTURE_TEST_CASE(a_mode_that_is_not_valid_overtakes_at_once, joined)
{
  join(close_mode::graceful(milliseconds(-1)));
  run();
  check("closed, sent", invalid);
}

BOOST_FIXTURE_TEST_CASE(a_caller_that_joins_by_reference_is_told_at_the_end, joined)
{
  interlock::async_close(*near, close_mode::graceful(long_enough), second.handler());
  far.let_go();
  run();
  check("peer_closed, sent");
}

namespace {

using closers = std::array<closed, 4>;

/// A thread for each closer and one for the context, which is stopped when the connection is closed.
void close_from_threads(scene& s, closers& all, std::size_t first_mode)
{
  const close_mode modes[] = {close_mode::graceful(long_enough), close_mode::deliver(long_enough),
    close_mode::immediate(), close_mode::abort()};
  const auto work = asio::make_work_guard(s.context);
  std::thread runs([&] { s.context.run(); });
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i != all.size(); ++i)
    threads.emplace_back([&, mode = modes[(i + first_mode) % all.size()], i]
      { interlock::async_close(s.near, mode, all[i].handler()); });
  for (std::thread& t : threads)
    t.join();
  BOOST_TEST(support::wait_until([&] { return !s.near->next_layer().is_open(); }));
  s.context.stop();
  runs.join();
}

} // namespace

BOOST_AUTO_TEST_CASE(threads_close_one_stack_at_the_same_time)
{
  for (std::size_t i = 0; i != 60; ++i)
  {
    scene s(TLS1_3_VERSION, reads);
    large_write w(*s.near);
    closers all;
    close_from_threads(s, all, i);
    s.run();
    for (const closed& c : all)
    {
      BOOST_TEST(c.times == 1);
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
  BOOST_TEST(c.told() == "closed");
  BOOST_TEST(!s.is_open());
}

// --- Cancellation.

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)

namespace {

/// A close that can be cancelled.
struct waiting : silent
{
  asio::cancellation_signal signal;

  waiting()
  {
    close_to_the_wait(asio::bind_cancellation_slot(signal.slot(), c.handler()));
  }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_terminal_cancellation_aborts, waiting)
{
  signal.emit(asio::cancellation_type::terminal);
  run();
  BOOST_TEST(c.told() == "aborted, sent");
}

BOOST_FIXTURE_TEST_CASE(a_partial_cancellation_closes_at_once, waiting)
{
  signal.emit(asio::cancellation_type::partial);
  run();
  BOOST_TEST(c.told() == "closed, sent");
}

BOOST_FIXTURE_TEST_CASE(a_total_cancellation_ends_the_wait_of_the_caller_alone, waiting)
{
  signal.emit(asio::cancellation_type::total);
  turn_until([this] { return c.times != 0; });
  BOOST_TEST(c.ec == aborted);
  // The caller is gone: nothing more comes of it.
  signal.emit(asio::cancellation_type::terminal);
  support::turn(context);
  BOOST_TEST(near->next_layer().is_open());
  far.let_go();
  run();
  BOOST_TEST(c.times == 1);
  BOOST_TEST(!near->next_layer().is_open());
}

BOOST_FIXTURE_TEST_CASE(a_stream_without_a_caller_and_an_owner_is_closed_and_destroyed, waiting)
{
  const std::weak_ptr<tls_stream> stream = near;
  near.reset();
  signal.emit(asio::cancellation_type::total);
  far.let_go();
  run();
  BOOST_TEST(c.times == 1);
  BOOST_TEST(c.ec == aborted);
  BOOST_TEST(stream.expired());
}

BOOST_FIXTURE_TEST_CASE(a_caller_that_has_joined_can_only_leave, waiting)
{
  for (const auto type : {asio::cancellation_type::terminal, asio::cancellation_type::partial,
         asio::cancellation_type::total})
    BOOST_TEST_CONTEXT("cancellation type " << static_cast<unsigned>(type))
    {
      asio::cancellation_signal other;
      closed joined;
      interlock::async_close(near, close_mode::graceful(long_enough),
        asio::bind_cancellation_slot(other.slot(), joined.handler()));
      other.emit(type);
      turn_until([&] { return joined.times != 0; });
      BOOST_TEST(joined.ec == aborted);
      BOOST_TEST(near->next_layer().is_open());
    }
  far.let_go();
  run();
  BOOST_TEST(c.told() == "peer_closed, sent");
}

BOOST_FIXTURE_TEST_CASE(a_cancellation_after_the_end_has_no_effect, waiting)
{
  far.let_go();
  run();
  BOOST_TEST(c.ec == success);
  signal.emit(asio::cancellation_type::all);
  run();
  BOOST_TEST(c.times == 1);
}

BOOST_AUTO_TEST_CASE(another_thread_cancels)
{
  const asio::cancellation_type types[] = {asio::cancellation_type::terminal,
    asio::cancellation_type::partial, asio::cancellation_type::total};
  for (int i = 0; i != 60; ++i)
  {
    scene s(TLS1_3_VERSION, reads);
    asio::cancellation_signal signal;
    std::atomic<int> calls{0};
    large_write w(*s.near);
    interlock::async_close(s.near, close_mode::graceful(long_enough),
      asio::bind_cancellation_slot(
        signal.slot(), [&](error_code, const stack_report&) { ++calls; }));
    std::thread runs([&] { s.context.run(); });
    spend(std::chrono::microseconds(i * 20));
    signal.emit(types[i % 3]);
    runs.join();
    BOOST_TEST(calls == 1);
    BOOST_TEST(!s.near->next_layer().is_open());
  }
}

#endif

BOOST_AUTO_TEST_CASE(threads_run_the_context_of_a_strand)
{
  using strand_stream = ssl::stream<interlock::basic_stream_socket<asio::ip::tcp, adapt::strand>>;
  for (int i = 0; i != 20; ++i)
  {
    tls_scene<strand_stream> s(TLS1_3_VERSION, reads);
    std::optional<large_write> w;
    std::optional<small_read> r;
    asio::dispatch(s.near->get_executor(),
      [&]
      {
        w.emplace(*s.near);
        r.emplace(*s.near);
      });
    std::thread runs([&] { s.context.run(); });
    std::thread runs_too([&] { s.context.run(); });
    s.start_close(close_mode::graceful(long_enough));
    runs.join();
    runs_too.join();
    s.far.join();
    BOOST_TEST(w->ec == success);
    BOOST_TEST(has_failed(r->ec));
    BOOST_TEST(s.far.seen.is(much));
    BOOST_TEST(s.c.times == 1);
  }
}

BOOST_AUTO_TEST_SUITE_END()
