// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A close does not depend on the context being run: where the strand's step does not come, the
// worker takes the detach over, and the descriptor is closed all the same.

#include <interlock/ip/tcp.hpp>
#include <interlock/local/stream_protocol.hpp>

#include <future>
#include <memory>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
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

namespace {

const error_code aborted = asio::error::operation_aborted;

} // namespace

BOOST_AUTO_TEST_SUITE(test_takeover)

BOOST_AUTO_TEST_CASE(an_async_close_on_a_context_that_is_not_run_closes_the_descriptor)
{
  asio::io_context context;
  support::ends pair = support::tcp_ends();
  const support::close_watch watch(pair.near.get());
  tcp::socket s(context, tcp::v4(), pair.near.release());
  support::handler_tally tally;
  s.async_close(tally([](error_code ec) { BOOST_TEST(!ec); }));
  BOOST_TEST(!s.is_open());
  BOOST_TEST(watch.wait_closed());
  BOOST_TEST(watch.by_worker());
  BOOST_TEST(tally.called() == 0);
  // Run at last, everything is as it would have been.
  context.run();
  BOOST_TEST(tally.all_called());
  BOOST_TEST(watch.closed() == 1u);
}

BOOST_AUTO_TEST_CASE(an_async_close_on_a_stopped_context_closes_the_descriptor)
{
  support::handler_tally tally;
  {
    asio::io_context context;
    support::ends pair = support::unix_ends();
    const support::close_watch watch(pair.near.get());
    local::socket s(context, local(), pair.near.release());
    char buffer[8];
    s.async_read_some(asio::buffer(buffer), tally([](error_code, std::size_t) {}));
    context.stop();
    s.async_close(tally([](error_code) {}));
    context.run();
    BOOST_TEST(watch.wait_closed());
    BOOST_TEST(tally.ended() == 0);
  }
  BOOST_TEST(tally.called() == 0);
  BOOST_TEST(tally.all_ended());
}

// The object's executor is a strand, and a handler on it does not return.
BOOST_AUTO_TEST_CASE(a_strand_that_is_busy_does_not_keep_the_descriptor_open)
{
  support::loop loop;
  auto strand = asio::make_strand(loop.context.get_executor());
  using socket = local::socket::rebind_executor<decltype(strand)>::other;
  support::ends pair = support::unix_ends();
  const support::close_watch watch(pair.near.get());
  socket s(strand, local(), pair.near.release());
  support::handler_tally tally;
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
  asio::io_context context;
  support::ends first = support::unix_ends();
  support::ends second = support::unix_ends();
  support::ends slow = support::unix_ends();
  const support::close_watch late(slow.near.get());
  local::socket s(context, local(), first.near.release());
  local::socket other(context, local(), slow.near.release());
  support::handler_tally tally;
  s.async_close(tally([](error_code) {}));
  context.run();
  context.restart();
  s.assign(local(), second.near.release());
  // When this one has been taken over, a watch of the first would have expired as well.
  other.async_close(tally([](error_code) {}));
  BOOST_TEST(late.wait_closed());
  BOOST_TEST(s.is_open());
  BOOST_TEST(!support::hung_up(second.far));
  context.run();
  BOOST_TEST(tally.all_called());
}

BOOST_AUTO_TEST_CASE(many_closes_on_a_context_that_is_not_run_are_all_taken_over)
{
  constexpr int count = 100;
  const support::census fds;
  support::handler_tally tally;
  {
    asio::io_context context;
    std::vector<local::socket> sockets;
    std::vector<std::unique_ptr<support::close_watch>> watches;
    for (int i = 0; i != count; ++i)
    {
      support::ends pair = support::unix_ends();
      watches.push_back(std::make_unique<support::close_watch>(pair.near.get()));
      sockets.emplace_back(context, local(), pair.near.release());
    }
    for (local::socket& s : sockets)
      s.async_close(tally([](error_code ec) { BOOST_TEST(!ec); }));
    for (const auto& watch : watches)
      BOOST_TEST(watch->wait_closed());
    context.run();
    BOOST_TEST(tally.all_called());
  }
  BOOST_TEST(tally.made() == count);
  BOOST_TEST(fds.restored());
}

// close() takes the detach over from an async_close whose step has not come.
BOOST_AUTO_TEST_CASE(close_does_not_wait_for_the_step_of_an_async_close)
{
  asio::io_context context;
  support::ends pair = support::unix_ends();
  support::close_watch watch(pair.near.get());
  local::socket s(context, local(), pair.near.release());
  support::handler_tally tally;
  error_code read;
  char buffer[8];
  s.async_read_some(asio::buffer(buffer), tally(support::into(read)));
  s.async_close(tally([](error_code) {}));
  s.close();
  BOOST_TEST(watch.wait_closed());
  context.run();
  BOOST_TEST(read == aborted);
  BOOST_TEST(tally.all_called());
  BOOST_TEST(watch.closed() == 1u);
}

BOOST_AUTO_TEST_CASE(the_destructor_does_not_wait_for_the_step_either)
{
  asio::io_context context;
  support::ends pair = support::unix_ends();
  const support::close_watch watch(pair.near.get());
  support::handler_tally tally;
  {
    local::socket s(context, local(), pair.near.release());
    s.async_close(tally([](error_code) {}));
  }
  BOOST_TEST(watch.wait_closed());
  context.run();
  BOOST_TEST(tally.all_called());
}

BOOST_AUTO_TEST_SUITE_END()
