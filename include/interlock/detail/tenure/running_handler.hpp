// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Marks the thread while a handler of a tenure runs.
//
// A composed operation starts its next step from the handler of the last one. If another thread closes
// and re-opens the object in between, the step would act on another connection: so a
// step under the mark of an earlier tenure is refused. A handler that re-opens the object itself
// means the new connection, and is exempt from then on. A step that is refused is completed as the
// operation's last, and counts with the tenure of the mark: a close that came in between is not over
// before it.
// In a flush a write may start from the handler of a write that is outstanding, and from no other: so
// a running handler knows whether it is a write's. a running handler keeps its tenure from being used
// again, so that an equal pointer means the same tenure.

#ifndef INTERLOCK_DETAIL_TENURE_RUNNING_HANDLER_HPP
#define INTERLOCK_DETAIL_TENURE_RUNNING_HANDLER_HPP

#include <cstdint>

#include <interlock/config.hpp>

namespace interlock
{
inline namespace abi_0
{
namespace detail
{

class tenure_base;

/// Names one object for as long as the process lives; a later object in the same memory has
/// another.
using object_id = std::uint64_t;

class running_handler
{
public:
  /// `of_write`: the handler is that of a write which a flush waits for.
  explicit running_handler(tenure_base& tenure, bool of_write = false) noexcept
    : tenure_(&tenure),
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

  /// The tenure of `object` whose handler runs on this thread, if one does.
  static tenure_base* tenure_of(object_id object) noexcept;

  /// Whether the handler of `tenure`'s object that runs on this thread is one of a write in `tenure`.
  static bool running_write(const tenure_base& tenure) noexcept;

  /// A handler on this thread has re-opened `object`: what it starts from now on means the new tenure.
  static void reopened(object_id object) noexcept;

private:
  static const running_handler* innermost(object_id object) noexcept;

  static inline thread_local running_handler* top_ = nullptr;

  tenure_base* tenure_; // null once the handler has re-opened the object itself
  running_handler* below_;
  const bool of_write_;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_TENURE_RUNNING_HANDLER_HPP
