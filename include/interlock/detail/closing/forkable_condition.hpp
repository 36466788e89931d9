// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A condition variable with which a forked child can go on, though threads were waiting when it was
// forked.
//
// Those threads do not exist in the child, but are in the count: glibc's pthread_cond_broadcast and
// pthread_cond_destroy wait for them to leave, without end. So a child begins with a new one, in the
// place of the old one, which is never destroyed.

#ifndef INTERLOCK_DETAIL_CLOSING_FORKABLE_CONDITION_HPP
#define INTERLOCK_DETAIL_CLOSING_FORKABLE_CONDITION_HPP

#include <new>

#include <interlock/config.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class forkable_condition
{
public:
  forkable_condition()
  {
    make();
  }

  forkable_condition(const forkable_condition&) = delete;
  forkable_condition& operator=(const forkable_condition&) = delete;

  ~forkable_condition()
  {
    condition_.~condition_variable();
  }

  sys::condition_variable* operator->() noexcept
  {
    return &condition_;
  }

  /// In a forked child: nobody waits.
  void forget_blocked_threads()
  {
    make();
  }

private:
  void make()
  {
    ::new (static_cast<void*>(&condition_)) sys::condition_variable;
  }

  union
  {
    sys::condition_variable condition_;
  };
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_FORKABLE_CONDITION_HPP
