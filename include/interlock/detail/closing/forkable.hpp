// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A mutex, a condition variable or a thread that a forked child can make anew.
//
// Threads that the child does not have may have locked it, or wait for it: glibc's pthread_cond_broadcast and
// pthread_cond_destroy wait for those threads to leave, without end. So the child makes a new one in the place of the
// old one, which is never destroyed.

#ifndef INTERLOCK_DETAIL_CLOSING_FORKABLE_HPP
#define INTERLOCK_DETAIL_CLOSING_FORKABLE_HPP

#include <new>

#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

template <class T>
class forkable
{
public:
  forkable()
  {
    renew();
  }

  forkable(const forkable&) = delete;
  forkable& operator=(const forkable&) = delete;

  ~forkable()
  {
    object_.~T();
  }

  T* operator->() noexcept
  {
    return &object_;
  }

  const T* operator->() const noexcept
  {
    return &object_;
  }

  T& operator*() noexcept
  {
    return object_;
  }

  /// In a forked child: another one, that no thread uses.
  void renew()
  {
    ::new (static_cast<void*>(&object_)) T;
  }

private:
  union
  {
    T object_;
  };
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_FORKABLE_HPP
