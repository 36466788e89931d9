// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A thread of which can be told whether it sleeps in ppoll(2). The kernel is asked, so no test has
// to guess from time that has passed.

#ifndef INTERLOCK_TEST_SUPPORT_WATCHED_THREAD_HPP
#define INTERLOCK_TEST_SUPPORT_WATCHED_THREAD_HPP

#include <atomic>
#include <fstream>
#include <string>
#include <thread>
#include <utility>

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "wait_until.hpp"

namespace support
{

class watched_thread
{
public:
  template <class Function>
  explicit watched_thread(Function f)
    : thread_(
      [this, f = std::move(f)]() mutable
      {
        id_ = static_cast<::pid_t>(::syscall(SYS_gettid));
        f();
        done_ = true;
      })
  {
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

  /// Waits until the thread sleeps in ppoll(2). False: its function has returned instead.
  bool falls_asleep() const
  {
    return wait_until([this] { return done_ || sleeps_in_ppoll(); }) && !done_;
  }

  void interrupt(int signal)
  {
    ::pthread_kill(thread_.native_handle(), signal);
  }

private:
  bool sleeps_in_ppoll() const
  {
    std::ifstream file("/proc/self/task/" + std::to_string(id_.load()) + "/syscall");
    std::string number;
    return (file >> number) && number == std::to_string(SYS_ppoll);
  }

  std::atomic<::pid_t> id_{0};
  std::atomic<bool> done_{false};
  std::thread thread_;
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_WATCHED_THREAD_HPP
