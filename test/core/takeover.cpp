// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A close does not depend on the context being run: where the strand's step does not come, the
// worker takes the detach over, and the descriptor is closed all the same.

#include "support/prelude.hpp"

#include "support/scene.hpp"

using namespace support;

BOOST_FIXTURE_TEST_SUITE(test_takeover, scene)

// Run at last, everything is as it would have been.
BOOST_AUTO_TEST_CASE(closes_on_a_context_that_is_not_run_are_all_taken_over)
{
  constexpr int count = 100;
  int errors = 0;
  std::vector<tcp::socket> sockets;
  std::vector<std::unique_ptr<close_watch>> watches;
  for (int i = 0; i != count; ++i)
  {
    ends tcp_pair = tcp_ends();
    watches.push_back(std::make_unique<close_watch>(tcp_pair.near.get()));
    sockets.emplace_back(*context, tcp::v4(), tcp_pair.near.release());
  }
  for (tcp::socket& s : sockets)
    s.async_close(tally([&errors](error_code ec) { errors += ec ? 1 : 0; }));
  for (const auto& each : watches)
  {
    BOOST_TEST(each->wait_closed());
    BOOST_TEST(each->by_worker());
  }
  BOOST_TEST(tally.called() == 0);
  run();
  BOOST_TEST(tally.called() == count);
  BOOST_TEST(errors == 0);
}

// The object's executor is a strand, and a handler on it does not return.
BOOST_FIXTURE_TEST_CASE(a_strand_that_is_busy_does_not_keep_the_descriptor_open, no_trace)
{
  loop loop;
  auto strand = asio::make_strand(loop.context.get_executor());
  using socket = local::socket::rebind_executor<decltype(strand)>::other;
  socket s(strand, local(), unix_ends().near.release());
  const close_watch watch(s.native_handle());
  handler_tally tally;
  std::promise<void> occupied;
  std::promise<void> leave;
  asio::post(strand,
    [&]
    {
      occupied.set_value();
      leave.get_future().wait();
    });
  occupied.get_future().wait();
  s.async_close(tally([](error_code) {}));
  BOOST_TEST(watch.wait_closed());
  BOOST_TEST(tally.called() == 0);
  leave.set_value();
  loop.join();
  BOOST_TEST(tally.all_called());
}

// The watch is over with the detach: nothing comes to an object that has been opened again since.
BOOST_AUTO_TEST_CASE(a_tenure_that_follows_is_not_taken_over)
{
  local::socket other(*context, local(), unix_ends().near.release());
  const close_watch late(other.native_handle());
  BOOST_TEST(ask(*object) == success);
  const fd peer = reopen();
  // When this one has been taken over, a watch of the first would have expired as well.
  other.async_close(tally([](error_code) {}));
  BOOST_TEST(late.wait_closed());
  BOOST_TEST(object->is_open());
  BOOST_TEST(!hung_up(peer));
}

// close() takes the detach over from an async_close whose step has not come.
BOOST_AUTO_TEST_CASE(close_does_not_wait_for_the_step_of_an_async_close)
{
  start_read();
  close();
  object->close();
  BOOST_TEST(watch.wait_closed());
  run();
  BOOST_TEST(read == aborted);
}

BOOST_AUTO_TEST_CASE(the_destructor_does_not_wait_for_the_step_either)
{
  close();
  object.reset();
  BOOST_TEST(watch.wait_closed());
}

BOOST_AUTO_TEST_SUITE_END()
