// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The place of an object that its owner makes and destroys by hand: an optional that does not know whether it is there.

#ifndef INTERLOCK_DETAIL_CORE_LATE_HPP
#define INTERLOCK_DETAIL_CORE_LATE_HPP

#include <new>
#include <utility>

#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

template <class T>
class late
{
public:
  late() noexcept {}
  late(const late&) = delete;
  late& operator=(const late&) = delete;

  // The owner has destroyed what was in it.
  ~late() {}

  template <class... Args>
  void make(Args&&... args)
  {
    ::new (static_cast<void*>(&object_)) T(std::forward<Args>(args)...);
  }

  void destroy() noexcept
  {
    object_.~T();
  }

  T* operator->() noexcept
  {
    return &object_;
  }

  T& operator*() noexcept
  {
    return object_;
  }

  const T& operator*() const noexcept
  {
    return object_;
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

#endif // INTERLOCK_DETAIL_CORE_LATE_HPP
