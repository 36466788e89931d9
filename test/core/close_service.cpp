// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The service of a context and its options: who starts its thread, how long its shutdown waits, when
// a close is taken over.

#include <interlock/close_service.hpp>
#include <interlock/local/stream_protocol.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <thread>

#include <signal.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/test/unit_test.hpp>

#include "support/census.hpp"
#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/handler_tally.hpp"
#include "support/loop.hpp"
#include "support/refusals.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::close_service;
using interlock::make_close_service;
using local = interlock::local::stream_protocol;

namespace {

/// An open socket of a context.
/// Its close(2) can block.
struct open_socket
{
  support::ends pair = support::unread_ends();
  support::close_watch watch{pair.near.get()};
  local::socket object;

  explicit open_socket(asio::io_context& context)
    : object(context, local(), pair.near.release())
  {
  }
};

close_service::options with_factory(std::function<void(std::function<void()>)> factory)
{
  close_service::options o;
  o.thread_factory = std::move(factory);
  return o;
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_close_service)

BOOST_AUTO_TEST_CASE(a_service_is_made_before_the_first_object_or_not_at_all)
{
  asio::io_context context;
  close_service& made = make_close_service(context);
  asio::execution_context& same = context;
  BOOST_TEST(&made == &asio::use_service<close_service>(same));
  BOOST_CHECK_THROW(make_close_service(context), asio::service_already_exists);
  asio::io_context used;
  const open_socket s(used);
  BOOST_CHECK_THROW(make_close_service(used), asio::service_already_exists);
}

BOOST_AUTO_TEST_CASE(any_execution_context_can_have_one)
{
  asio::thread_pool pool(1);
  make_close_service(pool);
  support::ends pair = support::unix_ends();
  const support::close_watch watch(pair.near.get());
  local::socket s(pool, local(), pair.near.release());
  s.close();
  BOOST_TEST(watch.wait_closed());
}

BOOST_AUTO_TEST_CASE(a_negative_time_is_refused)
{
  asio::io_context context;
  close_service::options o;
  o.shutdown_wait = std::chrono::milliseconds(-1);
  support::throws(
    "make_close_service", asio::error::invalid_argument, [&] { make_close_service(context, o); });
  o.shutdown_wait = std::chrono::milliseconds(0);
  o.takeover = std::chrono::milliseconds(-1);
  support::throws(
    "make_close_service", asio::error::invalid_argument, [&] { make_close_service(context, o); });
  o.takeover = std::chrono::milliseconds(0);
  make_close_service(context, o);
}

BOOST_AUTO_TEST_CASE(the_factory_starts_the_thread_when_the_first_close_can_block)
{
  std::atomic<int> asked{0};
  std::atomic<std::thread::id> started{};
  std::thread thread;
  {
    asio::io_context context;
    make_close_service(context,
      with_factory(
        [&](std::function<void()> body)
        {
          ++asked;
          thread = std::thread(std::move(body));
          started = thread.get_id();
        }));
    open_socket first(context);
    open_socket second(context);
    BOOST_TEST(asked == 0);
    first.object.close();
    second.object.close();
    BOOST_TEST(first.watch.wait_closed());
    BOOST_TEST(second.watch.wait_closed());
    BOOST_TEST((second.watch.close_waiter() == started.load()));
  }
  thread.join();
  BOOST_TEST(asked == 1);
}

// The signal would end the program if it were not blocked.
BOOST_AUTO_TEST_CASE(the_thread_of_a_factory_is_named_and_blocks_all_signals)
{
  std::thread thread;
  {
    asio::io_context context;
    make_close_service(context,
      with_factory([&](std::function<void()> body) { thread = std::thread(std::move(body)); }));
    open_socket s(context);
    s.object.close();
    BOOST_TEST(s.watch.wait_closed());
    BOOST_TEST(s.watch.by_worker());
    BOOST_TEST(::pthread_kill(thread.native_handle(), SIGUSR1) == 0);
  }
  thread.join();
}

BOOST_AUTO_TEST_CASE(a_factory_that_throws_is_asked_again_and_meanwhile_closes_are_inline)
{
  int asked = 0;
  std::thread thread;
  {
    asio::io_context context;
    make_close_service(context,
      with_factory(
        [&](std::function<void()> body)
        {
          if (++asked == 1)
            throw std::runtime_error("no thread");
          thread = std::thread(std::move(body));
        }));
    open_socket first(context);
    open_socket second(context);
    first.object.close();
    BOOST_TEST(first.watch.closed() == 1u);
    BOOST_TEST((first.watch.close_waiter() == std::this_thread::get_id()));
    second.object.close();
    BOOST_TEST(second.watch.wait_closed());
    BOOST_TEST((second.watch.close_waiter() != std::this_thread::get_id()));
  }
  thread.join();
  BOOST_TEST(asked == 2);
}

BOOST_AUTO_TEST_CASE(the_shutdown_leaves_a_blocked_close2_behind_after_its_wait)
{
  support::ends pair = support::unread_ends();
  support::close_watch watch(pair.near.get());
  watch.shut_gate();
  {
    asio::io_context context;
    close_service::options o;
    o.shutdown_wait = std::chrono::milliseconds(1);
    make_close_service(context, o);
    local::socket s(context, local(), pair.near.release());
    s.close();
    BOOST_TEST(watch.wait_arrived());
  }
  BOOST_TEST(watch.closed() == 0u);
  watch.open_gate();
  BOOST_TEST(watch.wait_closed());
}

BOOST_AUTO_TEST_CASE(a_close_on_a_context_that_is_not_run_is_taken_over_after_its_time)
{
  asio::io_context context;
  close_service::options o;
  o.takeover = std::chrono::milliseconds(1);
  make_close_service(context, o);
  open_socket s(context);
  s.object.async_close([](error_code) {});
  BOOST_TEST(s.watch.wait_closed());
}

BOOST_AUTO_TEST_CASE(a_close_is_not_taken_over_before_its_time)
{
  asio::io_context context;
  close_service::options o;
  o.takeover = std::chrono::hours(1);
  make_close_service(context, o);
  open_socket waiting(context);
  open_socket other(context);
  waiting.object.async_close([](error_code) {});
  // The worker has been about since: it had its chance.
  other.object.close();
  BOOST_TEST(other.watch.wait_closed());
  BOOST_TEST(waiting.watch.arrived() == 0u);
  context.poll();
  BOOST_TEST(waiting.watch.wait_closed());
}

BOOST_AUTO_TEST_SUITE_END()
