// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The service of a context and its options: how its threads start, how many there are, how long its shutdown waits,
// when a close is taken over.

#include "support/prelude.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>

#include <pthread.h>
#include <signal.h>

#include <boost/asio/execution_context.hpp>

#include "support/refusals.hpp"
#include "support/scene.hpp"

using namespace support;
using interlock::close_mode;
using interlock::close_report;
using interlock::close_service;
using interlock::make_close_service;
using std::chrono::milliseconds;

namespace {

/// An open socket of a context. Its close(2) can block.
struct open_socket
{
  ends pair = unread_ends();
  close_watch watch{pair.near.get()};
  local::socket object;

  explicit open_socket(asio::io_context& context)
    : object(context, local(), pair.near.release())
  {
  }
};

/// Makes the threads of a service, and knows them. It may throw first.
class factory
{
public:
  void refuse(int times)
  {
    refusals_ = times;
  }

  close_service::options options()
  {
    close_service::options o;
    o.thread_factory = [this](std::function<void()> body) { return make(std::move(body)); };
    return o;
  }

  int asked() const
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    return asked_;
  }

  bool made(std::thread::id id) const
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    return threads_.count(id) != 0;
  }

  /// Sends a signal to each.
  bool signal_all(int signal) const
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::all_of(threads_.begin(), threads_.end(),
      [signal](const auto& t) { return ::pthread_kill(t.second, signal) == 0; });
  }

private:
  std::thread make(std::function<void()> body)
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (++asked_ <= refusals_)
      throw std::runtime_error("no thread");
    std::thread made(std::move(body));
    threads_.emplace(made.get_id(), made.native_handle());
    return made;
  }

  mutable std::mutex mutex_;
  std::map<std::thread::id, ::pthread_t> threads_;
  int asked_ = 0;
  int refusals_ = 0;
};

struct fixture
{
  factory threads;
  asio::io_context context;
  close_service::options options;

  void check_refused()
  {
    throws("make_close_service", asio::error::invalid_argument,
      [this] { make_close_service(context, options); });
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_close_service, fixture)

BOOST_AUTO_TEST_CASE(a_service_is_made_before_the_first_object_or_not_at_all)
{
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
  ends pair = unix_ends();
  const close_watch watch(pair.near.get());
  local::socket s(pool, local(), pair.near.release());
  s.close();
  BOOST_TEST(watch.wait_closed());
}

BOOST_AUTO_TEST_CASE(a_negative_time_is_refused)
{
  using options_type = close_service::options;
  for (const auto time :
    {&options_type::shutdown_wait, &options_type::takeover, &options_type::slow_close_age})
  {
    options.*time = milliseconds(-1);
    check_refused();
    options.*time = milliseconds(0);
  }
  make_close_service(context, options);
}

BOOST_AUTO_TEST_CASE(no_thread_for_what_can_block_is_refused)
{
  options.max_elastic_threads = 0;
  check_refused();
}

BOOST_AUTO_TEST_CASE(the_factory_starts_the_threads_when_the_first_close_can_block)
{
  make_close_service(context, threads.options());
  open_socket first(context);
  open_socket second(context);
  BOOST_TEST(threads.asked() == 0);
  first.object.close();
  second.object.close();
  BOOST_TEST(first.watch.wait_closed());
  BOOST_TEST(second.watch.wait_closed());
  BOOST_TEST(threads.made(first.watch.close_waiter()));
  BOOST_TEST(threads.made(second.watch.close_waiter()));
}

// The signal would end the program if it were not blocked.
BOOST_AUTO_TEST_CASE(the_threads_of_a_factory_are_named_and_block_all_signals)
{
  make_close_service(context, threads.options());
  open_socket s(context);
  s.object.close();
  BOOST_TEST(s.watch.wait_closed());
  BOOST_TEST(s.watch.by_worker());
  BOOST_TEST(threads.signal_all(SIGUSR1));
}

BOOST_AUTO_TEST_CASE(a_factory_that_throws_is_asked_again_and_meanwhile_closes_are_inline)
{
  threads.refuse(1);
  make_close_service(context, threads.options());
  open_socket first(context);
  open_socket second(context);
  first.object.close();
  BOOST_TEST(first.watch.closed() == 1u);
  BOOST_TEST((first.watch.close_waiter() == std::this_thread::get_id()));
  second.object.close();
  BOOST_TEST(second.watch.wait_closed());
  BOOST_TEST(threads.made(second.watch.close_waiter()));
}

BOOST_AUTO_TEST_CASE(closes_that_are_stuck_delay_no_other_below_the_limit)
{
  options.max_elastic_threads = 3;
  make_close_service(context, options);
  open_socket stuck[2] = {open_socket(context), open_socket(context)};
  for (open_socket& s : stuck)
  {
    s.watch.shut_gate();
    s.object.close();
    BOOST_TEST(s.watch.wait_arrived());
  }
  open_socket other(context);
  other.object.close();
  BOOST_TEST(other.watch.wait_closed());
  for (const open_socket& s : stuck)
    BOOST_TEST(s.watch.closed() == 0u);
}

BOOST_AUTO_TEST_CASE(closes_wait_at_the_limit)
{
  options.max_elastic_threads = 1;
  make_close_service(context, options);
  open_socket stuck(context);
  open_socket next(context);
  stuck.watch.shut_gate();
  stuck.object.close();
  BOOST_TEST(stuck.watch.wait_arrived());
  next.object.close();
  // What cannot block is closed all the same.
  bool closed = false;
  interlock::ip::tcp::socket plain(context, interlock::ip::tcp::v4());
  plain.async_close([&](error_code) { closed = true; });
  context.run();
  BOOST_TEST(closed);
  BOOST_TEST(next.watch.arrived() == 0u);
  stuck.watch.open_gate();
  BOOST_TEST(next.watch.wait_closed());
  BOOST_TEST((next.watch.close_waiter() == stuck.watch.close_waiter()));
}

BOOST_AUTO_TEST_CASE(a_close_that_is_stuck_is_reported_once)
{
  std::mutex mutex;
  std::vector<interlock::slow_close> reports;
  std::vector<bool> on_library_thread;
  options.max_elastic_threads = 1;
  options.slow_close_age = milliseconds(20);
  options.on_slow_close = [&](const interlock::slow_close& s)
  {
    const std::lock_guard<std::mutex> lock(mutex);
    reports.push_back(s);
    on_library_thread.push_back(on_worker());
  };
  make_close_service(context, options);
  const auto count = [&]
  {
    const std::lock_guard<std::mutex> lock(mutex);
    return reports.size();
  };
  open_socket first(context);
  open_socket second(context);
  const int fd = first.object.native_handle();
  for (open_socket* s : {&first, &second})
  {
    s->watch.shut_gate();
    s->object.close();
    BOOST_TEST(first.watch.wait_arrived());
  }
  BOOST_TEST(wait_until([&] { return count() == 1u; }));
  first.watch.open_gate();
  BOOST_TEST(wait_until([&] { return count() == 2u; }));
  second.watch.open_gate();
  BOOST_TEST(second.watch.wait_closed());
  BOOST_TEST(count() == 2u);
  BOOST_TEST(reports[0].descriptor == fd);
  BOOST_TEST(
    (reports[0].age >= options.slow_close_age && reports[1].age >= options.slow_close_age));
  BOOST_TEST((reports[0].under_way == 1u && reports[1].under_way == 1u));
  BOOST_TEST((reports[0].waiting <= 1u && reports[1].waiting == 0u));
  BOOST_TEST((on_library_thread[0] && on_library_thread[1]));
}

BOOST_AUTO_TEST_CASE(the_shutdown_leaves_a_blocked_close2_behind_after_its_wait)
{
  ends pair = unread_ends();
  close_watch watch(pair.near.get());
  watch.shut_gate();
  {
    asio::io_context ending;
    options.shutdown_wait = milliseconds(1);
    make_close_service(ending, options);
    local::socket s(ending, local(), pair.near.release());
    s.close();
    BOOST_TEST(watch.wait_arrived());
  }
  BOOST_TEST(watch.closed() == 0u);
  watch.open_gate();
  BOOST_TEST(watch.wait_closed());
}

BOOST_AUTO_TEST_CASE(a_close_on_a_context_that_is_not_run_is_taken_over_after_its_time)
{
  options.takeover = milliseconds(1);
  make_close_service(context, options);
  open_socket s(context);
  s.object.async_close([](error_code) {});
  BOOST_TEST(s.watch.wait_closed());
}

BOOST_AUTO_TEST_CASE(a_close_is_not_taken_over_before_its_time)
{
  options.takeover = std::chrono::hours(1);
  make_close_service(context, options);
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

// Its threads have an eventfd and an epoll set, and so has a call that blocks.
BOOST_FIXTURE_TEST_CASE(what_outlives_a_context_keeps_none_of_its_descriptors, scene)
{
  const interlock::close_handle kept = object->get_close_handle();
  {
    call_in_thread reading([this] { return read_some(*object); });
    BOOST_TEST(reading.blocks());
    send_text(pair.far, "x");
    BOOST_TEST(reading.get().bytes == 1u);
  }
  object->async_close(
    close_mode::deliver(std::chrono::minutes(1)), tally([](error_code, const close_report&) {}));
  run();
  BOOST_TEST(has_workers());
  pair.far.reset();
  object.reset();
  context.reset();
  BOOST_TEST(before.restored());
}

BOOST_AUTO_TEST_SUITE_END()
