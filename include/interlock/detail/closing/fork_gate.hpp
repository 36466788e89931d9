// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Keeps the library's threads from beginning anything while the program forks.
//
// A thread is inside from before it takes a job until it is done with it. Outside of it, it only waits. A call that may
// block is marked: close(2), `on_slow_close`, and the factory of threads, since both may take a lock that the forking
// thread holds. A fork waits for all threads inside, but for one in such a call only for a time, and no other fork
// waits for that one again.

#ifndef INTERLOCK_DETAIL_CLOSING_FORK_GATE_HPP
#define INTERLOCK_DETAIL_CLOSING_FORK_GATE_HPP

#include <chrono>
#include <mutex>

#include <interlock/config.hpp>
#include <interlock/detail/closing/forkable.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class fork_gate
{
public:
  /// Which threads count as inside: those that have entered since the last wait in vain.
  using round = unsigned;

  fork_gate() = default;
  fork_gate(const fork_gate&) = delete;
  fork_gate& operator=(const fork_gate&) = delete;

  // The library's threads.

  /// Returns what `leave` has to be given.
  round enter() noexcept
  {
    std::unique_lock<sys::mutex> lock(*mutex_);
    return enter(lock);
  }

  void leave(round entered) noexcept
  {
    const std::lock_guard<sys::mutex> lock(*mutex_);
    if (entered == round_)
      --inside_;
    note();
  }

  /// Before a call that may block.
  void begin_call(round entered) noexcept
  {
    const std::lock_guard<sys::mutex> lock(*mutex_);
    if (entered == round_)
      ++calls_;
    note();
  }

  /// After it. Returns what `leave` has to be given. Waits for the end of a fork that has not waited for the call.
  round end_call(round entered) noexcept
  {
    std::unique_lock<sys::mutex> lock(*mutex_);
    if (entered == round_)
    {
      --calls_;
      return entered;
    }
    return enter(lock);
  }

  // The thread that forks.

  /// Waits until no thread is inside, but for those that are in a call for longer than `bound`.
  void shut(std::chrono::milliseconds bound) noexcept
  {
    std::unique_lock<sys::mutex> lock(*mutex_);
    shut_ = true;
    if (sys::wait_long(*changed_, lock, bound, [this] { return inside_ == 0; }))
      return;
    changed_->wait(lock, [this] { return inside_ == calls_; });
    inside_ = calls_ = 0;
    ++round_;
  }

  void open() noexcept
  {
    const std::lock_guard<sys::mutex> lock(*mutex_);
    shut_ = false;
    changed_->notify_all();
  }

  /// In the child, where those threads do not exist.
  void renew_after_fork() noexcept
  {
    mutex_.renew();
    changed_.renew();
    inside_ = calls_ = 0;
    ++round_; // the thread that has forked may be inside
    shut_ = false;
  }

private:
  round enter(std::unique_lock<sys::mutex>& lock) noexcept
  {
    changed_->wait(lock, [this] { return !shut_; });
    ++inside_;
    return round_;
  }

  void note() noexcept
  {
    if (shut_)
      changed_->notify_all();
  }

  forkable<sys::renewable_mutex> mutex_;
  forkable<sys::condition_variable> changed_;

  // Guarded by mutex_.
  unsigned inside_ = 0;
  unsigned calls_ = 0; // of threads inside
  round round_ = 0;
  bool shut_ = false;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_FORK_GATE_HPP
