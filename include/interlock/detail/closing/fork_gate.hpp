// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Keeps the library's threads from beginning anything while the program forks.
//
// A thread is inside from before it takes a job until it is done with it. Outside of it, it only waits. One that a fork
// has waited for in vain is stuck in the kernel, or in a function of the user's: no other fork waits for it.

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
    changed_->wait(lock, [this] { return !shut_; });
    ++inside_;
    return round_;
  }

  void leave(round entered) noexcept
  {
    const std::lock_guard<sys::mutex> lock(*mutex_);
    if (entered != round_)
      return;
    --inside_;
    if (shut_)
      changed_->notify_all();
  }

  // The thread that forks.

  /// Waits up to `bound` until no thread is inside.
  void shut(std::chrono::milliseconds bound) noexcept
  {
    std::unique_lock<sys::mutex> lock(*mutex_);
    shut_ = true;
    if (changed_->wait_for(lock, bound, [this] { return inside_ == 0; }))
      return;
    inside_ = 0;
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
    inside_ = 0;
    shut_ = false;
  }

private:
  forkable<sys::renewable_mutex> mutex_;
  forkable<sys::condition_variable> changed_;

  // Guarded by mutex_.
  unsigned inside_ = 0;
  round round_ = 0;
  bool shut_ = false;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_FORK_GATE_HPP
