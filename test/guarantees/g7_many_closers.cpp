// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G7: concurrent closers are all served by one close, and get the same outcome; an object that is
// opened again in the meantime has a close of its own.

#include <interlock/ip/tcp.hpp>
#include <interlock/local/stream_protocol.hpp>
#include <interlock/posix/stream_descriptor.hpp>

#include <atomic>
#include <cerrno>
#include <thread>
#include <vector>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/test/unit_test.hpp>

#include "support/census.hpp"
#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/executors.hpp"
#include "support/handler_tally.hpp"
#include "support/loop.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::ip::tcp;
using local = interlock::local::stream_protocol;
using interlock::posix::stream_descriptor;

namespace {

const error_code io_error(EIO, boost::system::system_category());
const error_code not_called = asio::error::fault;

} // namespace

BOOST_AUTO_TEST_SUITE(test_g7_many_closers)

BOOST_AUTO_TEST_CASE(closers_from_many_threads_are_served_by_one_close)
{
  const support::census fds;
  const std::size_t strays = support::stray_closes();
  for (int round = 0; round != 30; ++round)
  {
    constexpr int close_waiters = 8;
    support::loop loop(2);
    support::ends pair = support::unix_ends();
    support::close_watch watch(pair.near.get());
    watch.report(EIO);
    local::socket s(loop.context, local(), pair.near.release());
    support::handler_tally tally;
    std::vector<error_code> outcomes(close_waiters, not_called);
    std::atomic<int> ready{0};
    std::vector<std::thread> threads;
    for (error_code& ec : outcomes)
      threads.emplace_back(
        [&]
        {
          ++ready;
          while (ready != close_waiters)
            std::this_thread::yield();
          s.async_close(tally(support::into(ec)));
        });
    for (std::thread& t : threads)
      t.join();
    loop.join();
    BOOST_TEST(tally.all_called());
    for (const error_code& ec : outcomes)
      BOOST_TEST(ec == io_error);
    BOOST_TEST(watch.closed() == 1u);
  }
  BOOST_TEST(fds.restored());
  BOOST_TEST(support::stray_closes() == strays);
}

BOOST_AUTO_TEST_CASE(each_closer_is_called_on_its_own_executor)
{
  support::loop loop;
  asio::thread_pool pool(2);
  support::ends pair = support::unix_ends();
  local::socket s(loop.context, local(), pair.near.release());
  support::handler_tally tally;
  std::atomic<int> in_place{0};
  for (int label = 1; label != 5; ++label)
  {
    const auto check = [label, &in_place](error_code)
    { in_place += support::label_scope::current() == label ? 1 : 0; };
    s.async_close(asio::bind_executor(support::labelled(pool.get_executor(), label), tally(check)));
  }
  loop.join();
  pool.join();
  BOOST_TEST(in_place == 4);
  BOOST_TEST(tally.all_called());
}

BOOST_AUTO_TEST_CASE(close_on_a_closing_object_changes_nothing)
{
  asio::io_context context;
  support::ends pair = support::unread_ends();
  support::close_watch watch(pair.near.get());
  watch.report(EIO);
  watch.shut_gate();
  stream_descriptor d(context, pair.near.release());
  support::handler_tally tally;
  error_code first = not_called;
  error_code second = not_called;
  d.async_close(tally(support::into(first)));
  d.close();
  BOOST_TEST(watch.wait_arrived());
  d.close();
  d.async_close(tally(support::into(second)));
  d.close();
  watch.open_gate();
  context.run();
  BOOST_TEST(first == io_error);
  BOOST_TEST(second == io_error);
  BOOST_TEST(watch.arrived() == 1u);
  BOOST_TEST(tally.all_called());
}

BOOST_AUTO_TEST_CASE(on_an_object_never_opened_a_close_is_a_success)
{
  asio::io_context context;
  tcp::socket s(context);
  tcp::acceptor a(context);
  stream_descriptor d(context);
  support::handler_tally tally;
  std::vector<error_code> outcomes(3, not_called);
  s.async_close(tally(support::into(outcomes[0])));
  a.async_close(tally(support::into(outcomes[1])));
  d.async_close(tally(support::into(outcomes[2])));
  BOOST_TEST(tally.called() == 0);
  context.run();
  for (const error_code& ec : outcomes)
    BOOST_TEST(ec == error_code());
  BOOST_TEST(tally.all_called());
}

BOOST_AUTO_TEST_CASE(a_closer_after_the_end_is_never_called_inline)
{
  asio::io_context context;
  support::ends pair = support::pipe_ends();
  stream_descriptor d(context, pair.near.release());
  support::handler_tally tally;
  d.async_close(tally([](error_code) {}));
  context.run();
  context.restart();
  asio::post(context,
    [&]
    {
      d.async_close(tally([](error_code) {}));
      BOOST_TEST(tally.called() == 1);
    });
  context.run();
  BOOST_TEST(tally.called() == 2);
}

// The first close is held in close(2) for as long as the second tenure lasts.
BOOST_AUTO_TEST_CASE(an_object_may_be_opened_again_while_its_old_close_goes_on)
{
  asio::io_context context;
  support::ends first = support::unix_ends();
  support::ends second = support::unix_ends();
  support::close_watch watch(first.near.get());
  watch.report(EIO);
  watch.shut_gate();
  local::socket s(context, local(), first.near.release());
  support::handler_tally tally;
  error_code old_outcome = not_called;
  error_code new_outcome = not_called;
  s.async_close(tally(support::into(old_outcome)));
  BOOST_TEST(support::wait_until([&] { return context.poll(), watch.arrived() == 1; }));
  s.assign(local(), second.near.release());
  support::send_text(second.far, "hello");
  char buffer[8];
  std::size_t size = 0;
  s.async_read_some(asio::buffer(buffer), tally([&size](error_code, std::size_t n) { size = n; }));
  BOOST_TEST(support::wait_until([&] { return context.poll(), size != 0; }));
  BOOST_TEST(size == 5u);
  s.async_close(tally(support::into(new_outcome)));
  BOOST_TEST(!s.is_open());
  BOOST_TEST(watch.closed() == 0u);
  watch.open_gate();
  context.run();
  BOOST_TEST(old_outcome == io_error);
  BOOST_TEST(new_outcome == error_code());
  BOOST_TEST(tally.all_called());
}

// Every tenure has its own close, however many are under way at a time.
BOOST_AUTO_TEST_CASE(many_tenures_may_be_closing_at_a_time)
{
  constexpr int tenures = 20;
  const support::census fds;
  {
    asio::io_context context;
    local::socket s(context);
    support::handler_tally tally;
    std::vector<error_code> outcomes(tenures, not_called);
    support::ends blocker = support::unread_ends();
    support::close_watch watch(blocker.near.get());
    watch.shut_gate();
    stream_descriptor first(context, blocker.near.release());
    first.close();
    BOOST_TEST(watch.wait_arrived());
    for (error_code& ec : outcomes)
    {
      s.assign(local(), support::unix_ends().near.release());
      s.async_close(tally(support::into(ec)));
    }
    watch.open_gate();
    context.run();
    for (const error_code& ec : outcomes)
      BOOST_TEST(ec == error_code());
    BOOST_TEST(tally.all_called());
  }
  BOOST_TEST(fds.restored());
}

// Threads that open, close and wait for the end of each close: whose tenure a closer meets is not
// known, but each is called.
BOOST_AUTO_TEST_CASE(closers_and_openers_may_race)
{
  const support::census fds;
  const std::size_t strays = support::stray_closes();
  {
    support::loop loop(2);
    tcp::socket s(loop.context);
    support::handler_tally tally;
    std::atomic<int> failures{0};
    std::vector<std::thread> threads;
    for (int t = 0; t != 3; ++t)
      threads.emplace_back(
        [&]
        {
          for (int i = 0; i != 300; ++i)
          {
            error_code ec;
            s.open(tcp::v4(), ec);
            s.async_wait(tcp::socket::wait_error, tally([](error_code) {}));
            s.async_close(tally([&](error_code e) { failures += e ? 1 : 0; }));
          }
        });
    for (std::thread& t : threads)
      t.join();
    s.close();
    loop.join();
    BOOST_TEST(tally.all_called());
    BOOST_TEST(failures == 0);
  }
  BOOST_TEST(fds.restored());
  BOOST_TEST(support::stray_closes() == strays);
}

BOOST_AUTO_TEST_SUITE_END()
