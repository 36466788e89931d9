// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Counts the threads that use a resource. It is freed once: by the thread that calls `end`, or by the last user after
// it.

#ifndef INTERLOCK_DETAIL_CLOSING_USE_COUNT_HPP
#define INTERLOCK_DETAIL_CLOSING_USE_COUNT_HPP

#include <interlock/config.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class use_count
{
public:
  /// False: it has ended. Otherwise the thread uses it until `leave`.
  bool enter() noexcept
  {
    unsigned now = users_.load(std::memory_order_relaxed);
    while ((now & ended) == 0)
      if (users_.compare_exchange_weak(
            now, now + 1, std::memory_order_acquire, std::memory_order_relaxed))
        return true;
    return false;
  }

  /// Changes with each fork, in the child.
  unsigned round() const noexcept
  {
    return round_;
  }

  /// `entered`: the round in which the thread has entered. In the child its parent's users count no more. True: the
  /// caller frees.
  bool leave(unsigned entered) noexcept
  {
    return entered == round_ && users_.fetch_sub(1, std::memory_order_acq_rel) == (ended | 1);
  }

  /// May be called more than once. True: the caller frees.
  bool end() noexcept
  {
    return users_.fetch_or(ended, std::memory_order_acq_rel) == 0;
  }

  /// In a forked child, with one thread only: no other uses it.
  void renew_after_fork() noexcept
  {
    users_.store(users_.load(std::memory_order_relaxed) & ended, std::memory_order_relaxed);
    ++round_;
  }

private:
  static constexpr unsigned ended = 1u << 31;

  sys::atomic<unsigned> users_{0};
  unsigned round_ = 0; // written by the one thread of a child
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_USE_COUNT_HPP
