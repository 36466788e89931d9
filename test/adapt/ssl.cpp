// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The close of a TLS stream over an Interlock socket: what the peer sees of it, what the report tells, and that no peer
// holds it.

#include <interlock/adapt/ssl.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#endif
#include <boost/asio/dispatch.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "support/descriptor_pairs.hpp"
#include "support/handler_tally.hpp"
#include "support/loop.hpp"
#include "support/wait_until.hpp"
#include "tls_scene.hpp"

using interlock::close_mode;
using interlock::close_outcome;
using interlock::ip::tcp;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

namespace asio = boost::asio;
using adapt::closed;
using adapt::read_end;
using adapt::tls_peer;
using boost::system::error_code;
using tls_stream = asio::ssl::stream<tcp::socket>;
using scene = adapt::tls_scene<tls_stream>;

const error_code success;
const error_code aborted = asio::error::operation_aborted;
const error_code not_called = asio::error::fault;

constexpr seconds long_enough(60);
constexpr std::size_t much = 8 << 20;

const auto versions = boost::unit_test::data::make({TLS1_2_VERSION, TLS1_3_VERSION});

/// A write of 8 MB that is outstanding.
struct large_write
{
  std::vector<char> data = std::vector<char>(much);
  error_code ec = not_called;

  template <class Stream>
  void start(Stream& s)
  {
    asio::async_write(s, asio::buffer(data), [this](error_code e, std::size_t) { ec = e; });
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_ssl)

// --- What the peer sees.

BOOST_DATA_TEST_CASE(
  a_close_beside_an_outstanding_write_delivers_all_of_it_and_a_clean_end, versions, version)
{
  read_end seen;
  scene s(version,
    [&](tls_peer& p)
    {
      seen = p.read_all();
      p.notify();
    });
  large_write w;
  closed c;
  w.start(*s.near);
  interlock::async_close(s.near, close_mode::graceful(long_enough), c.handler());
  s.context.run();
  s.join();
  BOOST_TEST(w.ec == success);
  BOOST_TEST(seen.bytes == much);
  BOOST_TEST(seen.is_clean());
  BOOST_TEST(c.calls == 1);
  BOOST_TEST(c.ec == success);
  BOOST_TEST(c.report.connection.outcome == close_outcome::peer_closed);
  BOOST_TEST(c.report.notify_sent);
  BOOST_TEST(c.report.notify_answered);
  BOOST_TEST(!c.report.truncated);
}

BOOST_DATA_TEST_CASE(deliver_sends_the_end_and_does_not_wait_for_the_peers, versions, version)
{
  read_end seen;
  scene s(version,
    [&](tls_peer& p)
    {
      seen = p.read_all();
      s.wait();
    });
  large_write w;
  closed c;
  w.start(*s.near);
  interlock::async_close(s.near, close_mode::deliver(long_enough), c.handler());
  s.context.run();
  s.let_go();
  s.join();
  BOOST_TEST(seen.bytes == much);
  BOOST_TEST(seen.is_clean());
  BOOST_TEST(c.report.connection.outcome == close_outcome::acknowledged);
  BOOST_TEST(c.report.notify_sent);
  BOOST_TEST(!c.report.notify_answered);
  BOOST_TEST(!c.report.truncated);
}

BOOST_DATA_TEST_CASE(an_immediate_close_is_told_as_truncated, versions, version)
{
  read_end seen;
  scene s(version, [&](tls_peer& p) { seen = p.read_all(); });
  closed c;
  interlock::async_close(s.near, close_mode::immediate(), c.handler());
  s.context.run();
  s.join();
  BOOST_TEST(seen.ec == asio::ssl::error::stream_truncated);
  BOOST_TEST(c.ec == success);
  BOOST_TEST(c.report.connection.outcome == close_outcome::closed);
  BOOST_TEST(!c.report.notify_sent);
  BOOST_TEST(c.report.truncated);
}

BOOST_AUTO_TEST_CASE(an_abort_resets_the_connection)
{
  read_end seen;
  scene s(TLS1_3_VERSION, [&](tls_peer& p) { seen = p.read_all(); });
  closed c;
  interlock::async_close(s.near, close_mode::abort(), c.handler());
  s.context.run();
  s.join();
  BOOST_TEST(seen.ec == asio::error::connection_reset);
  BOOST_TEST(c.report.connection.outcome == close_outcome::aborted);
  BOOST_TEST(c.report.truncated);
}

BOOST_AUTO_TEST_CASE(a_close_in_the_handler_of_a_write_comes_after_what_it_has_written)
{
  read_end seen;
  scene s(TLS1_3_VERSION, [&](tls_peer& p) { seen = p.read_all(); });
  closed c;
  asio::async_write(*s.near, asio::buffer("hello", 5),
    [&](error_code, std::size_t)
    { interlock::async_close(s.near, close_mode::graceful(long_enough), c.handler()); });
  s.context.run();
  s.join();
  BOOST_TEST(seen.bytes == 5u);
  BOOST_TEST(seen.is_clean());
  BOOST_TEST(c.report.notify_sent);
}

BOOST_DATA_TEST_CASE(an_end_that_the_peer_has_sent_before_counts_as_answered, versions, version)
{
  read_end seen;
  scene s(version,
    [&](tls_peer& p)
    {
      p.notify();
      seen = p.read_all();
    });
  std::array<char, 1> byte;
  error_code read = not_called;
  s.near->async_read_some(asio::buffer(byte), [&](error_code ec, std::size_t) { read = ec; });
  s.context.run();
  BOOST_TEST(read == asio::error::eof);
  closed c;
  interlock::async_close(s.near, close_mode::graceful(long_enough), c.handler());
  s.context.restart();
  s.context.run();
  s.join();
  BOOST_TEST(c.report.notify_sent);
  BOOST_TEST(c.report.notify_answered);
  BOOST_TEST(c.report.connection.outcome == close_outcome::peer_closed);
}

// --- Peers that would hold it.

BOOST_DATA_TEST_CASE(a_peer_that_never_answers_does_not_hold_it, versions, version)
{
  read_end seen;
  scene s(version,
    [&](tls_peer& p)
    {
      seen = p.read_all();
      s.wait();
    });
  closed c;
  const auto begin = std::chrono::steady_clock::now();
  interlock::async_close(s.near, close_mode::graceful(milliseconds(100)), c.handler());
  s.context.run();
  BOOST_TEST((std::chrono::steady_clock::now() - begin >= milliseconds(100)));
  s.let_go();
  s.join();
  BOOST_TEST(seen.is_clean());
  BOOST_TEST(c.calls == 1);
  BOOST_TEST(c.report.notify_sent);
  BOOST_TEST(!c.report.notify_answered);
  BOOST_TEST(!c.report.truncated);
  BOOST_TEST((c.report.connection.outcome != close_outcome::peer_closed));
}

BOOST_AUTO_TEST_CASE(the_progress_timeout_ends_the_wait_for_an_answer)
{
  scene s(TLS1_3_VERSION,
    [&](tls_peer& p)
    {
      p.read_all();
      s.wait();
    });
  closed c;
  close_mode mode = close_mode::graceful(std::chrono::hours(1));
  interlock::async_close(s.near, mode.progress_timeout(milliseconds(50)), c.handler());
  s.context.run();
  BOOST_TEST(c.calls == 1);
  BOOST_TEST(c.report.notify_sent);
  BOOST_TEST(!c.report.notify_answered);
}

BOOST_AUTO_TEST_CASE(an_answer_after_the_deadline_changes_nothing)
{
  scene s(TLS1_3_VERSION,
    [&](tls_peer& p)
    {
      p.read_all();
      s.wait();
      p.notify();
    });
  closed c;
  interlock::async_close(s.near, close_mode::graceful(milliseconds(50)), c.handler());
  s.context.run();
  s.let_go();
  s.join();
  s.context.restart();
  s.context.run();
  BOOST_TEST(c.calls == 1);
  BOOST_TEST(!c.report.notify_answered);
}

namespace {

/// The far end sends until it cannot any more.
void send_for_ever(tls_peer& p)
{
  const std::vector<char> data(16384);
  error_code ec;
  while (!ec)
    asio::write(p.stream, asio::buffer(data), ec);
}

} // namespace

BOOST_DATA_TEST_CASE(a_peer_that_sends_for_ever_does_not_hold_it, versions, version)
{
  scene s(version, send_for_ever);
  closed c;
  interlock::async_close(s.near, close_mode::graceful(milliseconds(200)), c.handler());
  s.context.run();
  s.join();
  BOOST_TEST(c.calls == 1);
  BOOST_TEST(c.report.notify_sent);
  BOOST_TEST(!c.report.notify_answered);
}

BOOST_AUTO_TEST_CASE(the_limit_of_input_to_discard_ends_the_wait_for_an_answer)
{
  scene s(TLS1_3_VERSION, send_for_ever);
  closed c;
  close_mode mode = close_mode::graceful(std::chrono::hours(1));
  interlock::async_close(s.near, mode.discard_limit(100000), c.handler());
  s.context.run();
  s.join();
  BOOST_TEST(c.calls == 1);
  BOOST_TEST(c.report.notify_sent);
  BOOST_TEST(!c.report.notify_answered);
}

BOOST_DATA_TEST_CASE(writes_that_do_not_end_in_time_are_told_as_truncated, versions, version)
{
  scene s(version, [&](tls_peer&) { s.wait(); });
  large_write w;
  closed c;
  w.start(*s.near);
  interlock::async_close(s.near, close_mode::graceful(milliseconds(100)), c.handler());
  s.context.run();
  BOOST_TEST((w.ec != success && w.ec != not_called));
  BOOST_TEST(c.calls == 1);
  BOOST_TEST(c.report.connection.outcome == close_outcome::timed_out);
  BOOST_TEST(c.report.connection.unacknowledged != 0u);
  BOOST_TEST(!c.report.notify_sent);
  BOOST_TEST(c.report.truncated);
}

BOOST_AUTO_TEST_CASE(an_end_that_cannot_be_written_in_time_is_told_as_truncated)
{
  scene s(TLS1_3_VERSION, [&](tls_peer&) { s.wait(); });
  while (support::fill(s.near->next_layer().native_handle()) != 0)
  {
  }
  closed c;
  interlock::async_close(s.near, close_mode::graceful(milliseconds(50)), c.handler());
  s.context.run();
  BOOST_TEST(c.calls == 1);
  BOOST_TEST(c.report.connection.outcome == close_outcome::timed_out);
  BOOST_TEST(!c.report.notify_sent);
  BOOST_TEST(c.report.truncated);
}

BOOST_AUTO_TEST_CASE(a_handshake_that_is_not_over_has_no_end)
{
  scene s;
  s.play([](tls_peer& p) { p.stream.next_layer().wait(asio::socket_base::wait_read); });
  error_code shaken = not_called;
  s.near->async_handshake(asio::ssl::stream_base::server, [&](error_code ec) { shaken = ec; });
  s.context.poll();
  closed c;
  interlock::async_close(s.near, close_mode::deliver(long_enough), c.handler());
  s.context.run();
  s.join();
  BOOST_TEST((shaken != success && shaken != not_called));
  BOOST_TEST(c.report.connection.outcome == close_outcome::acknowledged);
  BOOST_TEST(!c.report.notify_sent);
  BOOST_TEST(!c.report.truncated);
}

// --- What is outstanding on the layer.

BOOST_DATA_TEST_CASE(
  a_read_that_is_outstanding_is_aborted_and_the_rest_discarded, versions, version)
{
  scene s(version,
    [](tls_peer& p)
    {
      p.read_all();
      asio::write(p.stream, asio::buffer("rest", 4));
      p.notify();
    });
  std::array<char, 16> input{};
  error_code read = not_called;
  std::size_t got = 0;
  s.near->async_read_some(asio::buffer(input),
    [&](error_code ec, std::size_t n)
    {
      read = ec;
      got = n;
    });
  closed c;
  interlock::async_close(s.near, close_mode::graceful(long_enough), c.handler());
  s.context.run();
  s.join();
  BOOST_TEST(read == aborted);
  BOOST_TEST(got == 0u);
  BOOST_TEST(c.report.notify_sent);
  BOOST_TEST(c.report.notify_answered);
  BOOST_TEST(c.report.connection.outcome == close_outcome::peer_closed);
}

BOOST_DATA_TEST_CASE(the_end_of_the_connection_ends_the_wait_for_an_answer, versions, version)
{
  for (const bool reads : {false, true})
  {
    scene s(version, [](tls_peer& p) { p.read_all(); });
    std::array<char, 16> input{};
    if (reads)
      s.near->async_read_some(asio::buffer(input), [](error_code, std::size_t) {});
    closed c;
    const auto begin = std::chrono::steady_clock::now();
    interlock::async_close(s.near, close_mode::graceful(long_enough), c.handler());
    s.context.run();
    BOOST_TEST((std::chrono::steady_clock::now() - begin < long_enough));
    BOOST_TEST(c.report.notify_sent);
    BOOST_TEST(!c.report.notify_answered);
    BOOST_TEST(c.report.connection.outcome == close_outcome::peer_closed);
  }
}

BOOST_DATA_TEST_CASE(a_close_after_a_read_has_received_the_end_does_not_wait, versions, version)
{
  scene s(version,
    [](tls_peer& p)
    {
      p.stream.next_layer().shutdown(asio::socket_base::shutdown_send);
      p.read_all();
    });
  std::array<char, 16> input{};
  closed c;
  error_code read = not_called;
  const auto begin = std::chrono::steady_clock::now();
  s.near->async_read_some(asio::buffer(input),
    [&](error_code ec, std::size_t)
    {
      read = ec;
      interlock::async_close(s.near, close_mode::graceful(long_enough), c.handler());
    });
  s.context.run();
  BOOST_TEST((std::chrono::steady_clock::now() - begin < long_enough));
  BOOST_TEST(read == asio::ssl::error::stream_truncated);
  BOOST_TEST(c.report.notify_sent);
  BOOST_TEST(c.report.connection.outcome == close_outcome::peer_closed);
}

BOOST_AUTO_TEST_CASE(a_read_that_is_outstanding_ends_before_the_handler_of_the_close)
{
  scene s(TLS1_3_VERSION,
    [&](tls_peer& p)
    {
      p.read_all();
      s.wait();
    });
  std::array<char, 16> input;
  error_code read = not_called;
  error_code read_before_close = not_called;
  s.near->async_read_some(asio::buffer(input), [&](error_code ec, std::size_t) { read = ec; });
  interlock::async_close(s.near, close_mode::graceful(milliseconds(50)),
    [&](error_code, const interlock::stack_report&) { read_before_close = read; });
  s.context.run();
  BOOST_TEST((read_before_close != success && read_before_close != not_called));
}

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
  interlock::async_close(s.near, close_mode::graceful(std::chrono::hours(1)), c.handler());
  s.context.poll();
  BOOST_TEST(c.calls == 0);
  handle.close();
  s.context.run();
  BOOST_TEST(c.calls == 1);
  BOOST_TEST(c.report.notify_sent);
  BOOST_TEST(!c.report.notify_answered);
  BOOST_TEST(c.report.connection.outcome == close_outcome::closed);
}

BOOST_AUTO_TEST_CASE(a_second_close_of_the_stack_overtakes)
{
  scene s(TLS1_3_VERSION,
    [&](tls_peer& p)
    {
      p.read_all();
      s.wait();
    });
  closed first;
  closed second;
  interlock::async_close(s.near, close_mode::graceful(std::chrono::hours(1)), first.handler());
  s.context.poll();
  interlock::async_close(s.near, close_mode::abort(), second.handler());
  s.context.run();
  for (const closed& c : {first, second})
  {
    BOOST_TEST(c.calls == 1);
    BOOST_TEST(c.ec == success);
    BOOST_TEST(c.report.connection.outcome == close_outcome::aborted);
    BOOST_TEST(c.report.notify_sent);
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
    interlock::async_close(near, close_mode::graceful(std::chrono::hours(1)),
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
    std::thread runs([&] { s.context.run(); });
    interlock::async_close(s.near, close_mode::graceful(long_enough), c.handler());
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
