// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What has been opened and closed in one part of a context. Any thread counts, and orders nothing by it.

#ifndef INTERLOCK_DETAIL_CLOSING_CLOSE_COUNTS_HPP
#define INTERLOCK_DETAIL_CLOSING_CLOSE_COUNTS_HPP

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include <interlock/close_outcome.hpp>
#include <interlock/close_statistics.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class close_counts
{
public:
  using duration = sys::clock::duration;

  void note_opened() noexcept
  {
    add_one(opened_);
  }

  void note_closed(close_outcome outcome, duration time) noexcept
  {
    add_one(outcomes_[static_cast<std::size_t>(outcome)]);
    add_one(times_[class_of(time)]);
  }

  void add_to(close_statistics& s) const noexcept
  {
    s.opened += opened_.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i != outcomes_.size(); ++i)
      s.outcomes[i] += outcomes_[i].load(std::memory_order_relaxed);
    for (std::size_t i = 0; i != times_.size(); ++i)
      s.times[i] += times_[i].load(std::memory_order_relaxed);
  }

  /// The number of bits of the microseconds.
  static std::size_t class_of(duration time) noexcept
  {
    std::size_t bits = 0;
    for (auto left = std::chrono::duration_cast<std::chrono::microseconds>(time).count(); left > 0;
         left >>= 1)
      ++bits;
    return std::min(bits, close_statistics::time_classes - 1);
  }

private:
  using counter = sys::noted<std::uint64_t>;

  static void add_one(counter& c) noexcept
  {
    c.fetch_add(1, std::memory_order_relaxed);
  }

  counter opened_{0};
  std::array<counter, close_outcomes> outcomes_{};
  std::array<counter, close_statistics::time_classes> times_{};
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_CLOSE_COUNTS_HPP
