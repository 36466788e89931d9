// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Marks the thread while a handler of a tenure runs.
//
// A composed operation starts its next step from the handler of the last one. If another thread closes
// and re-opens the object in between, the step would act on another connection. So a read or a write that
// starts in the running handler of an earlier tenure is refused, unless that handler has re-opened the
// object itself. The refused step completes the operation and counts as a handler of the earlier tenure:
// the close of that tenure waits for it.
//
// In a flush a write may start only in the handler of an outstanding write, so a running handler knows
// whether it is a write's. A running handler keeps its tenure from being recycled: an equal pointer means
// the same tenure.

#ifndef INTERLOCK_DETAIL_TENURE_RUNNING_HANDLER_HPP
#define INTERLOCK_DETAIL_TENURE_RUNNING_HANDLER_HPP

#include <interlock/config.hpp>
#include <interlock/detail/sys.hpp>
#include <interlock/detail/tenure/object_memory.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class tenure_base;

class INTERLOCK_DECL running_handler
{
public:
  /// `of_write`: the handler is that of a write which a flush waits for.
  explicit running_handler(tenure_base& tenure, bool of_write = false) noexcept
    : running_handler(&tenure, of_write)
  {
  }

  /// Null: of no tenure.
  explicit running_handler(tenure_base* tenure, bool of_write = false) noexcept
    : tenure_(tenure),
      below_(top_),
      of_write_(of_write)
  {
    top_ = this;
  }

  running_handler(const running_handler&) = delete;
  running_handler& operator=(const running_handler&) = delete;

  ~running_handler()
  {
    top_ = below_;
  }

  /// Whether a read or write may start in `tenure` on this thread.
  static bool allows(const tenure_base& tenure) noexcept;

  /// The tenure of `object` whose handler runs on this thread. Null: none runs, or it has re-opened `object`.
  static tenure_base* tenure_of(object_id object) noexcept;

  /// Whether this thread runs the handler of a write in `tenure`.
  static bool running_write(const tenure_base& tenure) noexcept;

  /// How many handlers of `tenure` this thread runs, one within another.
  struct counts
  {
    unsigned writes = 0;
    unsigned others = 0;
  };

  static counts of_tenure(const tenure_base& tenure) noexcept;

  /// A handler on this thread has re-opened `object`: what the handler starts from now on means the new
  /// tenure.
  static void reopened(object_id object) noexcept;

private:
  static const running_handler* innermost(object_id object) noexcept;

  static inline thread_local sys::per_thread<running_handler*> top_ = nullptr;

  tenure_base*
    tenure_; // null once the handler has re-opened the object itself, and of an operation of no tenure
  running_handler* below_;
  const bool of_write_;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_TENURE_RUNNING_HANDLER_HPP
