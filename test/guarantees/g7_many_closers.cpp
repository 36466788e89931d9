// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G7: concurrent closers are all served by one close, and get the same outcome; an object that is
// opened again in the meantime has a close of its own.

#include "support/prelude.hpp"

#include "support/counted.hpp"

using namespace support;

BOOST_FIXTURE_TEST_SUITE(test_g7_many_closers, counted_in_context)

BOOST_FIXTURE_TEST_CASE(closers_from_many_threads_are_served_by_one_close, counted)
{
  constexpr std::size_t close_waiters = 8;
  const std::size_t strays = stray_closes();
  for (int round = 0; round != 30; ++round)
  {
    loop threads(2);
    ends pair = unix_ends();
    close_watch watch(pair.near.get());
    watch.report(EIO);
    local::socket s(threads.context, local(), pair.near.release());
    std::vector<error_code> outcomes(close_waiters, not_called);
    at_once(close_waiters,
      [&](int i) { s.async_close(tally(into(outcomes[static_cast<std::size_t>(i)]))); });
    threads.join();
    BOOST_TEST(tally.all_called());
    for (const error_code& ec : outcomes)
      BOOST_TEST(ec == io_error);
    BOOST_TEST(watch.closed() == 1u);
  }
  BOOST_TEST(stray_closes() == strays);
}

BOOST_AUTO_TEST_CASE(close_on_a_closing_object_changes_nothing)
{
  ends pair = unread_ends();
  close_watch watch(pair.near.get());
  watch.report(EIO);
  watch.shut_gate();
  stream_descriptor d(context, pair.near.release());
  error_code first = not_called;
  error_code second = not_called;
  d.async_close(tally(into(first)));
  d.close();
  BOOST_TEST(watch.wait_arrived());
  d.close();
  d.async_close(tally(into(second)));
  d.close();
  watch.open_gate();
  run();
  BOOST_TEST(first == io_error);
  BOOST_TEST(second == io_error);
  BOOST_TEST(watch.arrived() == 1u);
  BOOST_TEST(tally.all_called());
}

BOOST_AUTO_TEST_CASE(on_an_object_never_opened_a_close_is_a_success)
{
  tcp::socket s(context);
  tcp::acceptor a(context);
  stream_descriptor d(context);
  std::vector<error_code> outcomes(3, not_called);
  s.async_close(tally(into(outcomes[0])));
  a.async_close(tally(into(outcomes[1])));
  d.async_close(tally(into(outcomes[2])));
  BOOST_TEST(tally.called() == 0);
  run();
  for (const error_code& ec : outcomes)
    BOOST_TEST(ec == success);
  BOOST_TEST(tally.all_called());
}

BOOST_AUTO_TEST_CASE(a_closer_after_the_end_is_never_called_inline)
{
  stream_descriptor d(context, pipe_ends().near.release());
  d.async_close(tally([](error_code) {}));
  run();
  asio::post(context,
    [&]
    {
      d.async_close(tally([](error_code) {}));
      BOOST_TEST(tally.called() == 1);
    });
  run();
  BOOST_TEST(tally.called() == 2);
}

// The first close is held in close(2) for as long as the second tenure lasts.
BOOST_AUTO_TEST_CASE(an_object_may_be_opened_again_while_its_old_close_goes_on)
{
  ends first = unix_ends();
  ends second = unix_ends();
  close_watch watch(first.near.get());
  watch.report(EIO);
  watch.shut_gate();
  local::socket s(context, local(), first.near.release());
  error_code old_outcome = not_called;
  error_code new_outcome = not_called;
  s.async_close(tally(into(old_outcome)));
  BOOST_TEST(run_until(context, [&] { return watch.arrived() == 1; }));
  s.assign(local(), second.near.release());
  send_text(second.far, "hello");
  char buffer[8];
  std::size_t size = 0;
  s.async_read_some(asio::buffer(buffer), tally([&size](error_code, std::size_t n) { size = n; }));
  BOOST_TEST(run_until(context, [&] { return size != 0; }));
  BOOST_TEST(size == 5u);
  s.async_close(tally(into(new_outcome)));
  BOOST_TEST(!s.is_open());
  BOOST_TEST(watch.closed() == 0u);
  watch.open_gate();
  run();
  BOOST_TEST(old_outcome == io_error);
  BOOST_TEST(new_outcome == success);
  BOOST_TEST(tally.all_called());
}

// Every tenure has its own close, however many are under way at a time.
BOOST_AUTO_TEST_CASE(many_tenures_may_be_closing_at_a_time)
{
  local::socket s(context);
  std::vector<error_code> outcomes(20, not_called);
  ends blocker = unread_ends();
  close_watch watch(blocker.near.get());
  watch.shut_gate();
  stream_descriptor first(context, blocker.near.release());
  first.close();
  BOOST_TEST(watch.wait_arrived());
  for (error_code& ec : outcomes)
  {
    s.assign(local(), unix_ends().near.release());
    s.async_close(tally(into(ec)));
  }
  watch.open_gate();
  run();
  for (const error_code& ec : outcomes)
    BOOST_TEST(ec == success);
  BOOST_TEST(tally.all_called());
}

BOOST_AUTO_TEST_SUITE_END()
