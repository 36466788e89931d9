// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A close that delivers while something is being written: the writes run to their end first, as long
// as the close may wait, and what is begun in the meantime is refused and counted.

#include "support/prelude.hpp"

#include "support/closing_socket.hpp"
#include "support/tcp_facts.hpp"

using namespace support;
using interlock::close_mode;
using interlock::close_outcome;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr seconds long_enough(60);

/// A composed write of more than there is room for is under way.
struct writing : closing_tcp
{
  const std::string much = std::string(1 << 21, 'x');
  told close_waiter;
  error_code written = asio::error::would_block;
  std::size_t size = 0;
  taken got;

  writing()
  {
    asio::async_write(object, asio::buffer(much),
      [this](error_code ec, std::size_t n)
      {
        BOOST_TEST(close_waiter.times == 0);
        written = ec;
        size = n;
      });
    turn(context);
  }

  void close(const close_mode& mode)
  {
    object.async_close(mode, close_waiter.handler());
    BOOST_TEST(!object.is_open());
  }

  /// Another write waits behind the first.
  void write_again(error_code& ec)
  {
    ec = asio::error::would_block;
    asio::async_write(object, asio::buffer(much), [&ec](error_code e, std::size_t) { ec = e; });
  }

  /// The peer reads, and closes when it has got everything that was written.
  void check_runs_to_its_end(close_outcome outcome, std::size_t refused = 0)
  {
    BOOST_TEST(run_until_told(reader(got), close_waiter));
    BOOST_TEST(close_waiter.is(outcome));
    BOOST_TEST(close_waiter.report.refused_writes == refused);
    BOOST_TEST(!written);
    BOOST_TEST(size == much.size());
    BOOST_TEST((got.ended || got.take_all(pair.far)));
    BOOST_TEST(got.bytes == much.size());
  }

  /// The peer does not read: the write could not run to its end.
  void check_cut_short(close_outcome outcome)
  {
    BOOST_TEST(run_until_told(close_waiter));
    BOOST_TEST(close_waiter.is(outcome));
    BOOST_TEST(written == asio::error::operation_aborted);
    BOOST_TEST(size < much.size());
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_g8_flush)

BOOST_FIXTURE_TEST_CASE(a_composed_write_runs_to_its_end, writing)
{
  close(close_mode::deliver(long_enough));
  check_runs_to_its_end(close_outcome::acknowledged);
}

BOOST_FIXTURE_TEST_CASE(a_graceful_close_lets_it_run_as_well, writing)
{
  close(close_mode::graceful(long_enough));
  check_runs_to_its_end(close_outcome::peer_closed);
}

BOOST_FIXTURE_TEST_CASE(a_write_from_elsewhere_is_refused_and_counted, writing)
{
  close(close_mode::deliver(long_enough));
  error_code refused;
  object.async_write_some(asio::buffer("y", 1), [&](error_code ec, std::size_t) { refused = ec; });
  check_runs_to_its_end(close_outcome::acknowledged, 1);
  BOOST_TEST(refused == asio::error::bad_descriptor);
}

BOOST_FIXTURE_TEST_CASE(a_read_lives_as_long_as_the_flush, writing)
{
  char byte = 0;
  error_code read = asio::error::would_block;
  object.async_read_some(asio::buffer(&byte, 1), [&](error_code ec, std::size_t) { read = ec; });
  close(close_mode::deliver(long_enough));
  turn(context);
  send_text(pair.far, "z");
  BOOST_TEST(run_until(context, [&] { return byte == 'z'; }));
  BOOST_TEST(!read);
  BOOST_TEST(close_waiter.times == 0);
  check_runs_to_its_end(close_outcome::acknowledged);
}

BOOST_FIXTURE_TEST_CASE(an_immediate_close_lets_no_write_run, writing)
{
  close(close_mode::immediate());
  check_cut_short(close_outcome::closed);
}

// --- What ends a flush.

BOOST_FIXTURE_TEST_CASE(the_deadline_ends_a_flush, writing)
{
  close(close_mode::deliver(milliseconds(100)));
  check_cut_short(close_outcome::timed_out);
}

BOOST_FIXTURE_TEST_CASE(a_standstill_ends_a_flush, writing)
{
  close(close_mode::deliver(long_enough).progress_timeout(milliseconds(100)));
  check_cut_short(close_outcome::timed_out);
  BOOST_TEST((close_waiter.report.duration < long_enough));
}

BOOST_FIXTURE_TEST_CASE(a_closer_that_does_not_wait_ends_a_flush, writing)
{
  close(close_mode::graceful(long_enough));
  turn(context);
  told plain;
  object.async_close(plain.handler());
  check_cut_short(close_outcome::closed);
  BOOST_TEST(run_until_told(plain));
}

BOOST_FIXTURE_TEST_CASE(an_abort_ends_a_flush, writing)
{
  close(close_mode::graceful(long_enough));
  told second;
  object.async_close(close_mode::abort(), second.handler());
  check_cut_short(close_outcome::aborted);
  BOOST_TEST(run_until_told(second));
  BOOST_TEST(got.take_all(pair.far));
  BOOST_TEST(got.error == ECONNRESET);
}

BOOST_FIXTURE_TEST_CASE(close_does_not_end_a_flush, writing)
{
  close(close_mode::deliver(long_enough));
  object.close();
  turn(context);
  BOOST_TEST(written == asio::error::would_block);
  check_runs_to_its_end(close_outcome::acknowledged);
}

BOOST_FIXTURE_TEST_CASE(the_objects_end_ends_a_flush_and_not_the_delivery, writing)
{
  close(close_mode::deliver(long_enough));
  {
    const tcp::socket dying(std::move(object));
  }
  BOOST_TEST(run_until_told(reader(got), close_waiter));
  BOOST_TEST(close_waiter.is(close_outcome::acknowledged));
  BOOST_TEST(written == asio::error::operation_aborted);
  BOOST_TEST(got.take_all(pair.far));
  BOOST_TEST((got.ended && got.bytes == size));
}

BOOST_FIXTURE_TEST_CASE(a_peer_that_resets_ends_both, writing)
{
  close(close_mode::deliver(long_enough));
  turn(context);
  pair.far.reset();
  BOOST_TEST(run_until_told(close_waiter));
  BOOST_TEST(close_waiter.times == 1);
  BOOST_TEST(!!written);
  BOOST_TEST((close_waiter.report.outcome == close_outcome::reset
    || close_waiter.report.outcome == close_outcome::closed));
}

// Asio's reactor serves one of two writes that wait for room when the connection ends.
BOOST_FIXTURE_TEST_CASE(a_peer_that_resets_ends_two_writes, writing)
{
  error_code second;
  write_again(second);
  close(close_mode::deliver(long_enough));
  turn(context);
  pair.far.reset();
  BOOST_TEST(run_until_told(close_waiter));
  BOOST_TEST(close_waiter.is(close_outcome::reset));
  BOOST_TEST(
    (written == asio::error::connection_reset && second == asio::error::operation_aborted));
}

// The second waits already when the close begins.
BOOST_FIXTURE_TEST_CASE(after_a_reset_no_write_is_waited_for, writing)
{
  error_code second;
  write_again(second);
  pair.far.reset();
  while (written == asio::error::would_block && context.run_one_for(long_enough) != 0)
    continue;
  BOOST_TEST(written == asio::error::connection_reset);
  close(close_mode::deliver(long_enough));
  BOOST_TEST(run_until_told(close_waiter));
  BOOST_TEST(close_waiter.is(close_outcome::reset));
  BOOST_TEST(second == asio::error::operation_aborted);
}

// No thread runs the context, and so no write ends.
BOOST_FIXTURE_TEST_CASE(a_context_that_is_not_run_keeps_no_descriptor_open, writing)
{
  const support::fd copy(checked(::dup(fd()), "dup"));
  close(close_mode::deliver(milliseconds(50)));
  // Our FIN shows that the worker has the descriptor.
  BOOST_TEST(wait_tcp_state(copy, TCP_FIN_WAIT1));
  check_cut_short(close_outcome::timed_out);
}

BOOST_AUTO_TEST_SUITE_END()
