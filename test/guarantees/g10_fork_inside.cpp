// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G10: the program may fork in a function that the library calls, in a signal handler of a thread that is blocked in a
// call of the library's, and while it holds a lock that its factory of threads takes.
//
// A child checks for itself, and its exit status says what it found.

#include "support/prelude.hpp"

#include <mutex>

#include <pthread.h>
#include <signal.h>

#include "support/in_child.hpp"
#include "support/interrupting_signal.hpp"
#include "support/watched_thread.hpp"

using namespace support;
using asio::io_context;
using interlock::close_service;

namespace {

// --- A report of a close that is slow, which forks.

struct slow_fixture
{
  ends pair = unread_ends();
  close_watch watch{pair.near.get()};
  std::optional<io_context> context{std::in_place};
  std::atomic<::pid_t> child{-1};
  bool is_well = true; // in the child

  std::function<void()> later = [] {}; // in the child, when the library has left the thread

  /// The child calls `act` in the report and returns from it. It ends with its only thread. Whether it ended well; a
  /// use of what is gone shows in the sanitizers.
  bool fork_in_report(std::function<void()> act)
  {
    close_service::options o;
    o.slow_close_age = std::chrono::milliseconds(1);
    o.shutdown_wait = std::chrono::milliseconds(1);
    o.thread_factory = [this](std::function<void()> run) { return start(std::move(run)); };
    o.on_slow_close = [&](const interlock::slow_close&) { report(act); };
    make_close_service(*context, o);
    watch.shut_gate();
    local::socket(*context, local(), pair.near.release()).close();
    BOOST_TEST(wait_until([this] { return child > 0; }));
    const bool ended_well = was_well(child);
    watch.open_gate();
    BOOST_TEST(watch.wait_closed());
    return ended_well;
  }

private:
  std::thread start(std::function<void()> run)
  {
    return std::thread(
      [this, parent = ::getpid(), own = std::move(run)]() mutable
      {
        own();
        own = nullptr;
        // The parent may have left the thread behind, and ended the test.
        if (::getpid() == parent)
          return;
        later();
        end_child(is_well);
      });
  }

  void report(const std::function<void()>& act)
  {
    const ::pid_t pid = ::fork();
    if (pid == 0)
    {
      begin_child();
      act();
    }
    else
      child = pid;
  }
};

// --- A factory of threads that takes a lock of the program's.

struct factory_fixture
{
  std::mutex lock;
  std::atomic<int> in_factory{0};
  io_context context;
  ends standing = pipe_ends();
  close_watch watch{standing.near.get()};
  int closed = 0;

  factory_fixture()
  {
    close_service::options o;
    o.thread_factory = [this](std::function<void()> run)
    {
      ++in_factory;
      const std::lock_guard<std::mutex> locked(lock);
      return std::thread(std::move(run));
    };
    make_close_service(context, o);
  }

  /// A descriptor whose close(2) may block: the worker starts a thread for it, unless one has nothing to do.
  void close(int fd)
  {
    stream_descriptor pipe(context, fd);
    pipe.async_close([this](error_code ec) { closed += !ec; });
    turn(context);
  }

  bool are_closed(int count)
  {
    return run_until(context, [&] { return closed == count; });
  }
};

// --- A thread that is blocked, and whose signal handler forks.

std::atomic<::pid_t> forked{-1}; // zero in the child

void fork_in_handler(int)
{
  const int before = errno;
  forked = ::fork();
  errno = before;
}

error_code read_blocking(local::socket& s)
{
  char buffer[4];
  error_code ec;
  s.read_some(asio::buffer(buffer), ec);
  return ec;
}

/// Whether a close wakes a thread that is blocked in a call on the object.
bool is_woken(local::socket& s)
{
  error_code ec;
  watched_thread reader([&] { ec = read_blocking(s); });
  const bool slept = reader.falls_asleep();
  s.close();
  reader.join();
  return slept && ec == asio::error::operation_aborted;
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_g10_fork_inside, *boost::unit_test::label("forks"))

BOOST_FIXTURE_TEST_SUITE(in_on_slow_close, slow_fixture)

BOOST_AUTO_TEST_CASE(a_child_may_return_untold)
{
  BOOST_TEST(fork_in_report([] {}));
}

BOOST_AUTO_TEST_CASE(a_child_may_return_untold_and_end_the_context_later)
{
  later = [this] { context.reset(); };
  BOOST_TEST(fork_in_report([] {}));
}

BOOST_AUTO_TEST_CASE(a_child_may_go_on_with_the_context)
{
  BOOST_TEST(fork_in_report(
    [this]
    {
      context->notify_fork(io_context::fork_child);
      ends ends = unix_ends();
      local::socket other(*context, local(), ends.near.release());
      is_well = is_woken(other);
    }));
}

BOOST_AUTO_TEST_CASE(a_child_may_end_the_context)
{
  BOOST_TEST(fork_in_report(
    [this]
    {
      context->notify_fork(io_context::fork_child);
      context.reset();
    }));
}

BOOST_AUTO_TEST_CASE(a_child_may_end_the_context_untold)
{
  BOOST_TEST(fork_in_report([this] { context.reset(); }));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_CASE(a_thread_forks_while_it_holds_a_lock_of_the_factory, factory_fixture)
{
  watch.shut_gate();
  close(standing.near.release());
  BOOST_TEST(watch.wait_arrived());
  std::unique_lock<std::mutex> held(lock);
  close(pipe_ends().near.release());
  BOOST_TEST(wait_until([this] { return in_factory == 3; }));
  const bool is_well = in_child(
    [&]
    {
      held.unlock();
      context.notify_fork(io_context::fork_child);
      return are_closed(2);
    });
  BOOST_TEST(is_well);
  held.unlock();
  watch.open_gate();
  BOOST_TEST(are_closed(2));
}

BOOST_AUTO_TEST_CASE(a_blocked_thread_forks_in_a_signal_handler)
{
  const interrupting_signal forking(&fork_in_handler);
  io_context context;
  ends pair = unix_ends();
  local::socket s(context, local(), pair.near.release());
  error_code earlier;
  watched_thread first([&] { earlier = read_blocking(s); });
  BOOST_TEST(first.falls_asleep());
  error_code interrupted;
  std::atomic<::pthread_t> thread{};
  watched_thread second(
    [&]
    {
      thread = ::pthread_self();
      interrupted = read_blocking(s);
      if (forked != 0)
        return;
      begin_child();
      const bool was_interrupted = interrupted == asio::error::interrupted;
      end_child(was_interrupted && is_woken(s));
    });
  BOOST_TEST(second.falls_asleep());
  ::pthread_kill(thread, SIGUSR1);
  second.join();
  BOOST_TEST(interrupted == asio::error::interrupted);
  BOOST_TEST(was_well(forked));
  BOOST_TEST(is_woken(s));
  first.join();
  BOOST_TEST(earlier == asio::error::operation_aborted);
}

BOOST_AUTO_TEST_SUITE_END()
