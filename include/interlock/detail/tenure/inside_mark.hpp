// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Marks the thread where it is inside a tenure and may fork: while it starts an operation whose handler Asio may call
// within the start, and while it is blocked, when a signal handler may run.
//
// The child has this thread, which is inside still, and no other thread that was. A fork in any other place finds the
// forking thread outside.

#ifndef INTERLOCK_DETAIL_TENURE_INSIDE_MARK_HPP
#define INTERLOCK_DETAIL_TENURE_INSIDE_MARK_HPP

#include <interlock/config.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class tenure_base;

class INTERLOCK_DECL inside_mark
{
public:
  /// The thread has entered the tenure, and leaves it after the life of the mark.
  explicit inside_mark(const tenure_base& tenure) noexcept
    : tenure_(&tenure),
      below_(top_)
  {
    top_ = this;
  }

  inside_mark(const inside_mark&) = delete;
  inside_mark& operator=(const inside_mark&) = delete;

  ~inside_mark()
  {
    top_ = below_;
  }

  /// How many of this thread's, one within another, are in the tenure.
  static unsigned count(const tenure_base& tenure) noexcept
  {
    unsigned n = 0;
    for (const inside_mark* i = top_; i; i = i->below_)
      n += i->tenure_ == &tenure;
    return n;
  }

private:
  static inline thread_local sys::per_thread<inside_mark*> top_ = nullptr;

  const tenure_base* const tenure_;
  inside_mark* const below_;
};

/// For handlers that are never called within the start.
class no_inside_mark
{
public:
  explicit no_inside_mark(const tenure_base& /*tenure*/) noexcept {}
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_TENURE_INSIDE_MARK_HPP
