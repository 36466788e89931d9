// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Marks the thread while it starts an operation whose handler Asio may call within the start.
//
// If that handler forks, the child has this thread, which is inside still, and no other thread that was. A fork in any
// other place finds the forking thread outside.

#ifndef INTERLOCK_DETAIL_TENURE_RUNNING_INITIATION_HPP
#define INTERLOCK_DETAIL_TENURE_RUNNING_INITIATION_HPP

#include <interlock/config.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class tenure_base;

class running_initiation
{
public:
  /// The thread is inside the tenure for the life of the mark.
  explicit running_initiation(const tenure_base& tenure) noexcept
    : tenure_(&tenure),
      below_(top_)
  {
    top_ = this;
  }

  running_initiation(const running_initiation&) = delete;
  running_initiation& operator=(const running_initiation&) = delete;

  ~running_initiation()
  {
    top_ = below_;
  }

  /// How many of this thread's, one within another, are in the tenure.
  static unsigned count(const tenure_base& tenure) noexcept
  {
    unsigned n = 0;
    for (const running_initiation* i = top_; i; i = i->below_)
      n += i->tenure_ == &tenure;
    return n;
  }

private:
  static inline thread_local sys::per_thread<running_initiation*> top_ = nullptr;

  const tenure_base* const tenure_;
  running_initiation* const below_;
};

/// For handlers that are never called within the start.
class no_running_initiation
{
public:
  explicit no_running_initiation(const tenure_base& /*tenure*/) noexcept {}
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_TENURE_RUNNING_INITIATION_HPP
