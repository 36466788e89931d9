// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What a close of many objects reports of them.

#ifndef INTERLOCK_CLOSE_TALLY_HPP
#define INTERLOCK_CLOSE_TALLY_HPP

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <numeric>
#include <utility>

#include <interlock/close_outcome.hpp>
#include <interlock/close_report.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/words.hpp>

namespace interlock {
inline namespace abi_0 {

/// How the members of a close_group were closed.
/**
 * Each member counts once: in one of the outcomes, or as unfinished.
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Unsafe.
 */
class close_tally
{
public:
  /// How many closes had this outcome.
  std::size_t operator[](close_outcome outcome) const noexcept
  {
    return outcomes_[static_cast<std::size_t>(outcome)];
  }

  /// How many members the group has closed, the unfinished ones included.
  std::size_t members() const noexcept
  {
    return std::accumulate(outcomes_.begin(), outcomes_.end(), unfinished);
  }

  /// Add the outcome of one member.
  /**
   * @param report What its close has reported.
   * @param has_failed Whether its close(2) has reported an error.
   */
  void add(const close_report& report, bool has_failed = false) noexcept
  {
    failed += has_failed ? 1 : 0;
    ++outcomes_[static_cast<std::size_t>(report.outcome)];
    unacknowledged += report.unacknowledged;
    refused_writes += report.refused_writes;
    slowest = std::max(slowest, report.duration);
  }

  /// Members whose close was not over when the group's was (a handler has not returned, a lease is out, close(2) is
  /// stuck, the execution context does not run), or whose execution context is gone.
  std::size_t unfinished = 0;

  /// Members whose close(2) has reported an error. They count in their outcome as well.
  std::size_t failed = 0;

  /// The sum of close_report::unacknowledged.
  std::uint64_t unacknowledged = 0;

  /// The sum of close_report::refused_writes.
  std::uint64_t refused_writes = 0;

  /// The longest close_report::duration.
  std::chrono::steady_clock::duration slowest{};

private:
  std::array<std::size_t, detail::close_outcomes> outcomes_{};
};

/// In words: "3 members: 2 acknowledged, 1 unfinished; the slowest after 12 ms".
template <class Traits>
std::basic_ostream<char, Traits>& operator<<(
  std::basic_ostream<char, Traits>& stream, const close_tally& tally)
{
  stream << tally.members() << (tally.members() == 1 ? " member" : " members");
  const char* before = ": ";
  const auto note = [&](std::uint64_t number, const auto& of_what)
  {
    if (number != 0)
      stream << std::exchange(before, ", ") << number << ' ' << of_what;
  };
  for (std::size_t o = 0; o != detail::close_outcomes; ++o)
    note(tally[static_cast<close_outcome>(o)], static_cast<close_outcome>(o));
  note(tally.unfinished, "unfinished");
  if (tally.members() == 0)
    return stream;
  stream << "; the slowest after ";
  detail::functions::write_time(stream, tally.slowest);
  detail::functions::write_count(stream, tally.failed, "failed");
  detail::functions::write_count(stream, tally.unacknowledged, "bytes unacknowledged");
  detail::functions::write_count(stream, tally.refused_writes, "writes refused");
  return stream;
}

} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_CLOSE_TALLY_HPP
