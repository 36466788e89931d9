// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Keeps the library's threads from beginning anything while the program forks.
//
// A thread is inside from before it takes a job until it is done with it. Outside of it, it only waits.

#ifndef INTERLOCK_DETAIL_CLOSING_FORK_GATE_HPP
#define INTERLOCK_DETAIL_CLOSING_FORK_GATE_HPP

#include <algorithm>
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
  fork_gate() = default;
  fork_gate(const fork_gate&) = delete;
  fork_gate& operator=(const fork_gate&) = delete;

  // The library's threads.

  void enter() noexcept
  {
    std::unique_lock<sys::mutex> lock(*mutex_);
    changed_->wait(lock, [this] { return !shut_; });
    ++inside_;
  }

  void leave() noexcept
  {
    const std::lock_guard<sys::mutex> lock(*mutex_);
    --inside_;
    stuck_ = std::min(stuck_, inside_);
    if (shut_)
      changed_->notify_all();
  }

  // The thread that forks.

  /// Waits up to `bound` until no thread is inside. One that is still inside then is stuck in the kernel, and is not
  /// waited for the next time.
  void shut(std::chrono::milliseconds bound) noexcept
  {
    std::unique_lock<sys::mutex> lock(*mutex_);
    shut_ = true;
    if (!changed_->wait_for(lock, bound, [this] { return inside_ <= stuck_; }))
      stuck_ = inside_;
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
    inside_ = stuck_ = 0;
    shut_ = false;
  }

private:
  forkable<sys::renewable_mutex> mutex_;
  forkable<sys::condition_variable> changed_;

  // Guarded by mutex_.
  unsigned inside_ = 0;
  unsigned stuck_ = 0; // of them
  bool shut_ = false;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_FORK_GATE_HPP
