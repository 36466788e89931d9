// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What any thread may note of a tenure, in one byte. Orders nothing: what a mark must be known for comes after it by
// other means.

#ifndef INTERLOCK_DETAIL_TENURE_TENURE_MARKS_HPP
#define INTERLOCK_DETAIL_TENURE_TENURE_MARKS_HPP

#include <optional>

#include <interlock/close_statistics.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class tenure_marks
{
public:
  /// Other code may have changed what close(2) of this descriptor does. A socket that is accepted inherits the
  /// taint of its listener.
  void taint() noexcept
  {
    bits_.fetch_or(tainted, std::memory_order_relaxed);
  }

  bool is_tainted() const noexcept
  {
    return has(tainted);
  }

  /// The thread that detaches also closes. Before the demand.
  void close_at_once() noexcept
  {
    bits_.fetch_or(at_once, std::memory_order_relaxed);
  }

  bool closes_at_once() const noexcept
  {
    return has(at_once);
  }

  /// What the close waits for that will close the descriptor later, and is not known to it.
  void announce(close_stage stage) noexcept
  {
    const auto added = static_cast<bits>((static_cast<unsigned>(stage) + 1) << stage_shift);
    bits now = bits_.load(std::memory_order_relaxed);
    while (!bits_.compare_exchange_weak(
      now, static_cast<bits>((now & other_marks) | added), std::memory_order_relaxed))
    {
    }
  }

  /// Null: there is no such close.
  std::optional<close_stage> announced() const noexcept
  {
    const unsigned number = bits_.load(std::memory_order_relaxed) >> stage_shift;
    return number != 0 ? std::optional(static_cast<close_stage>(number - 1)) : std::nullopt;
  }

  /// In a forked child, with one thread only: the parent uses the descriptor as well, and the worker closes it.
  void share_with_parent() noexcept
  {
    bits_.store(tainted, std::memory_order_relaxed);
  }

  /// For another descriptor, while the tenure is vacant.
  void reset() noexcept
  {
    bits_.store(0, std::memory_order_relaxed);
  }

private:
  using bits = unsigned char;
  static constexpr bits tainted = 1;
  static constexpr bits at_once = 2;
  static constexpr unsigned stage_shift = 2;
  static constexpr bits other_marks = tainted | at_once;
  static_assert((static_cast<unsigned>(close_stage::handlers) + 1) << stage_shift <= 0xff);

  bool has(bits mark) const noexcept
  {
    return (bits_.load(std::memory_order_relaxed) & mark) != 0;
  }

  sys::atomic<bits> bits_{0};
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_TENURE_TENURE_MARKS_HPP
