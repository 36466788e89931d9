// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What the library's threads keep in memory: one of them may be left behind, and outlive whatever else holds it.
//
// The references of threads are counted apart: a forked child has none of the threads but, at most, the one that has
// forked, and drops what the others held.

#ifndef INTERLOCK_DETAIL_CLOSING_THREAD_OWNER_HPP
#define INTERLOCK_DETAIL_CLOSING_THREAD_OWNER_HPP

#include <utility>

#include <interlock/config.hpp>
#include <interlock/detail/descriptor/process.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class thread_owner
{
public:
  thread_owner(const thread_owner&) = delete;
  thread_owner& operator=(const thread_owner&) = delete;

  friend void intrusive_ptr_add_ref(thread_owner* o) noexcept
  {
    o->references_.fetch_add(1, std::memory_order_relaxed);
  }

  friend void intrusive_ptr_release(thread_owner* o) noexcept
  {
    if (o->references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      delete o;
  }

  /// The reference of one thread: part of the function that it runs.
  class hold
  {
  public:
    explicit hold(thread_owner& o) noexcept
      : owner_(&o),
        process_(this_process())
    {
      owner_->begin_hold();
    }

    hold(const hold& other) noexcept
      : owner_(other.owner_),
        process_(other.process_)
    {
      if (owner_)
        owner_->begin_hold();
    }

    hold(hold&& other) noexcept
      : owner_(std::exchange(other.owner_, nullptr)),
        process_(other.process_)
    {
    }

    hold& operator=(hold&&) = delete;

    /// Of the thread that has forked, after `forget_threads`.
    void renew_after_fork() noexcept
    {
      process_ = this_process();
      owner_->begin_hold();
    }

    // In a child the reference has been dropped.
    ~hold()
    {
      if (owner_ && is_of_this_process())
        owner_->end_hold();
    }

    bool is_of_this_process() const noexcept
    {
      return process_ == this_process();
    }

  private:
    thread_owner* owner_;
    long process_;
  };

protected:
  /// With one reference.
  thread_owner() = default;
  virtual ~thread_owner() = default;

  /// In a forked child. The caller has a reference that is no thread's.
  void forget_threads() noexcept
  {
    references_.fetch_sub(holds_.exchange(0));
  }

private:
  void begin_hold() noexcept
  {
    intrusive_ptr_add_ref(this); // first: a fork in between must not take away what is not there
    holds_.fetch_add(1, std::memory_order_relaxed);
  }

  void end_hold() noexcept
  {
    holds_.fetch_sub(1, std::memory_order_relaxed);
    intrusive_ptr_release(this);
  }

  sys::atomic<unsigned> references_{1};
  sys::atomic<unsigned> holds_{0}; // those of threads
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_THREAD_OWNER_HPP
