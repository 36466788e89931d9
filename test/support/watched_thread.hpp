// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A thread of which can be told whether it sleeps in poll(2), ppoll(2) or splice(2), or waits for another. The kernel
// is asked, so no test has to guess from time that has passed.

#ifndef INTERLOCK_TEST_SUPPORT_WATCHED_THREAD_HPP
#define INTERLOCK_TEST_SUPPORT_WATCHED_THREAD_HPP

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <optional>
#include <thread>
#include <utility>

#include <signal.h>
#include <sys/syscall.h>

#include "sleeps_in_poll.hpp"
#include "wait_until.hpp"

namespace support {

class watched_thread
{
public:
  template <class Function>
  explicit watched_thread(Function f)
    : thread_(
      [this, f = std::move(f)]() mutable
      {
        id_.set_value(this_thread_id());
        observed_.get_future().wait();
        f();
        done_ = true;
      })
  {
    state_.emplace(id_.get_future().get());
    if (!state_->is_known())
    {
      std::fprintf(stderr, "the state of a thread cannot be read\n");
      std::abort();
    }
    observed_.set_value();
  }

  watched_thread(const watched_thread&) = delete;
  watched_thread& operator=(const watched_thread&) = delete;

  ~watched_thread()
  {
    join();
  }

  void join()
  {
    if (thread_.joinable())
      thread_.join();
  }

  bool done() const noexcept
  {
    return done_;
  }

  /// Waits until the thread sleeps there. False: its function has returned instead.
  bool falls_asleep() const
  {
    return comes_to_sleep(&is_poll);
  }

  /// The same for a mutex or a condition variable.
  bool comes_to_wait() const
  {
    return comes_to_sleep([](long call) { return call == SYS_futex; });
  }

  /// The same for splice(2).
  bool comes_to_splice() const
  {
    return comes_to_sleep([](long call) { return call == SYS_splice; });
  }

  /// The same for a system call of which `is_meant(number)`.
  template <class IsMeant>
  bool comes_to_sleep(IsMeant is_meant) const
  {
    return wait_until([&] { return done_ || is_meant(state_->sleeps_in()); }) && !done_;
  }

  void interrupt(int signal)
  {
    ::pthread_kill(thread_.native_handle(), signal);
  }

private:
  std::promise<::pid_t> id_;
  std::promise<void> observed_;
  std::atomic<bool> done_{false};
  std::optional<thread_state> state_;
  std::thread thread_;
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_WATCHED_THREAD_HPP
