// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What a thread waits for until a close has made progress: that one close is over, or that those are which have
// been posted by now.
//
// A thread that makes progress takes no lock unless another waits.

#ifndef INTERLOCK_DETAIL_CLOSING_CLOSE_PROGRESS_HPP
#define INTERLOCK_DETAIL_CLOSING_CLOSE_PROGRESS_HPP

#include <chrono>
#include <cstdint>
#include <mutex>

#include <interlock/config.hpp>
#include <interlock/detail/closing/forkable.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class close_progress
{
public:
  /// How long a thread waits at most.
  static constexpr std::chrono::milliseconds await_time{100};

  close_progress() = default;
  close_progress(const close_progress&) = delete;
  close_progress& operator=(const close_progress&) = delete;

  /// Waits, up to `await_time`, until `over()`: asked now, and after each note.
  template <class Over>
  void await(Over over) noexcept
  {
    waiting_.fetch_add(1, std::memory_order_seq_cst);
    {
      std::unique_lock<sys::mutex> lock(*mutex_);
      changed_->wait_for(lock, await_time, over);
    }
    waiting_.fetch_sub(1, std::memory_order_relaxed);
  }

  /// What a thread waits for may have come about.
  void note() noexcept
  {
    // A read-modify-write, so that either this sees the waiting thread, or that sees what has come about.
    if (waiting_.fetch_add(0, std::memory_order_seq_cst) == 0)
      return;
    const std::lock_guard<sys::mutex> lock(*mutex_);
    changed_->notify_all();
  }

  /// A close has been posted; `note_settled` follows when it is made, or waits for a peer.
  void note_posted() noexcept
  {
    posted_.fetch_add(1, std::memory_order_relaxed);
  }

  void note_settled() noexcept
  {
    settled_.fetch_add(1, std::memory_order_release);
    note();
  }

  /// One that has been posted is about to be made by a call that may block: the kernel takes the number away first.
  void begin_call() noexcept
  {
    in_call_.fetch_add(1, std::memory_order_release);
    note();
  }

  /// The call is over; note_settled follows.
  void end_call() noexcept
  {
    in_call_.fetch_sub(1, std::memory_order_relaxed);
  }

  /// Waits, up to `await_time`, until as many closes are settled as have been posted now.
  void await_posted() noexcept
  {
    const std::uint64_t posted = posted_.load(std::memory_order_relaxed);
    await([this, posted] { return settled_.load(std::memory_order_acquire) >= posted; });
  }

  /// The same, but that calls which have begun are not waited for.
  void await_calls() noexcept
  {
    const std::uint64_t posted = posted_.load(std::memory_order_relaxed);
    await(
      [this, posted]
      {
        const std::uint64_t settled = settled_.load(std::memory_order_acquire);
        return settled + in_call_.load(std::memory_order_acquire) >= posted;
      });
  }

  /// In a forked child: no thread waits, and nothing has been posted.
  void renew_after_fork() noexcept
  {
    mutex_.renew();
    changed_.renew();
    waiting_.store(0, std::memory_order_relaxed);
    posted_.store(0, std::memory_order_relaxed);
    settled_.store(0, std::memory_order_relaxed);
    in_call_.store(0, std::memory_order_relaxed);
  }

private:
  sys::atomic<unsigned> waiting_{0};
  sys::atomic<std::uint64_t> posted_{0};
  sys::atomic<std::uint64_t> settled_{0};
  sys::atomic<unsigned> in_call_{0};     // of those that are posted and not settled
  forkable<sys::renewable_mutex> mutex_; // of nothing but the wait
  forkable<sys::condition_variable> changed_;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_CLOSE_PROGRESS_HPP
