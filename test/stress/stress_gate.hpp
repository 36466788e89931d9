// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Holds one thread at one system call: it has been told the descriptor by then and has yet to use it.

#ifndef INTERLOCK_TEST_STRESS_STRESS_GATE_HPP
#define INTERLOCK_TEST_STRESS_STRESS_GATE_HPP

#include <condition_variable>
#include <mutex>
#include <utility>

namespace stress {

enum class place
{
  transfer, ///< The call that moves data.
  wait      ///< The call that waits for readiness.
};

class gate
{
public:
  explicit gate(place where) noexcept
    : where_(where)
  {
  }

  gate(const gate&) = delete;
  gate& operator=(const gate&) = delete;

  /// The calling thread stops at its next call of that kind.
  void arm() noexcept
  {
    armed_ = this;
  }

  /// The calling thread will not come to it any more.
  void disarm()
  {
    armed_ = nullptr;
    arrive(false);
  }

  /// Returns once the thread is held; false if it never will be.
  bool wait_for_thread()
  {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return arrived_; });
    return held_;
  }

  void open()
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

  /// Called by every thread on its way into a system call.
  static void pass(place here)
  {
    if (armed_ && armed_->where_ == here)
      std::exchange(armed_, nullptr)->hold();
  }

private:
  void hold()
  {
    arrive(true);
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return open_; });
  }

  void arrive(bool held)
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!arrived_)
      held_ = held;
    arrived_ = true;
    changed_.notify_all();
  }

  static inline thread_local gate* armed_ = nullptr;

  const place where_;
  std::mutex mutex_;
  std::condition_variable changed_;

  // Guarded by mutex_.
  bool arrived_ = false;
  bool held_ = false;
  bool open_ = false;
};

} // namespace stress

#endif // INTERLOCK_TEST_STRESS_STRESS_GATE_HPP
