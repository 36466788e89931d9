// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A thread of which can be told whether it sleeps in poll(2), ppoll(2) or splice(2), or waits for another. The kernel
// is asked, so no test has to guess from time that has passed.

#ifndef INTERLOCK_TEST_SUPPORT_WATCHED_THREAD_HPP
#define INTERLOCK_TEST_SUPPORT_WATCHED_THREAD_HPP

#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "descriptor_pairs.hpp"
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
        id_ = static_cast<::pid_t>(::syscall(SYS_gettid));
        f();
        done_ = true;
      })
  {
    // Opened now: later there may be no descriptor to be had.
    wait_until([this] { return id_ != 0; });
    const std::string path = "/proc/self/task/" + std::to_string(id_.load()) + "/syscall";
    state_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
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
    return wait_until([this] { return done_ || is_poll(sleeps_in()); }) && !done_;
  }

  /// The same for a mutex or a condition variable.
  bool comes_to_wait() const
  {
    return wait_until([this] { return done_ || sleeps_in() == SYS_futex; }) && !done_;
  }

  /// The same for splice(2).
  bool comes_to_splice() const
  {
    return wait_until([this] { return done_ || sleeps_in() == SYS_splice; }) && !done_;
  }

  void interrupt(int signal)
  {
    ::pthread_kill(thread_.native_handle(), signal);
  }

private:
  // -1: the thread runs. The file begins with the number of the system call, or says so.
  long sleeps_in() const
  {
    char text[64] = {};
    if (::pread(state_.get(), text, sizeof(text) - 1, 0) <= 0 || text[0] < '0' || text[0] > '9')
      return -1;
    return std::strtol(text, nullptr, 10);
  }

  std::atomic<::pid_t> id_{0};
  std::atomic<bool> done_{false};
  fd state_;
  std::thread thread_;
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_WATCHED_THREAD_HPP
