// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Guards of what a tenure counts: a thread inside, and a handler outstanding.

#ifndef INTERLOCK_DETAIL_TENURE_GUARDS_HPP
#define INTERLOCK_DETAIL_TENURE_GUARDS_HPP

#include <utility>

#include <interlock/config.hpp>
#include <interlock/detail/tenure/tenure_base.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// Leaves at the end of a scope: through the tenure, since the object may be gone by then.
class leave_guard
{
public:
  explicit leave_guard(tenure_base& t) noexcept
    : tenure_(t)
  {
  }

  leave_guard(const leave_guard&) = delete;
  leave_guard& operator=(const leave_guard&) = delete;

  INTERLOCK_HOT ~leave_guard()
  {
    tenure_.leave();
  }

private:
  tenure_base& tenure_;
};

/// One handler outstanding.
class handler_count
{
public:
  handler_count() = default;

  /// Takes over a handler that has been counted.
  explicit handler_count(tenure_base& t) noexcept
    : tenure_(&t)
  {
  }

  handler_count(handler_count&& other) noexcept
    : tenure_(std::exchange(other.tenure_, nullptr))
  {
  }

  handler_count& operator=(handler_count&&) = delete;

  ~handler_count()
  {
    if (tenure_)
      tenure_->handler_done();
  }

  tenure_base* tenure() const noexcept
  {
    return tenure_;
  }

  /// The count has another owner from now on.
  void dismiss() noexcept
  {
    tenure_ = nullptr;
  }

private:
  tenure_base* tenure_ = nullptr;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_TENURE_GUARDS_HPP
