// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What a close reports about the connection that it ended.

#ifndef INTERLOCK_CLOSE_REPORT_HPP
#define INTERLOCK_CLOSE_REPORT_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iosfwd>

#include <interlock/close_outcome.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/words.hpp>

namespace interlock {
inline namespace abi_0 {

/// How a close ended, and what became of the data.
/**
 * The same for every caller of the close. The byte counts are taken when the outcome is decided, just
 * before close(2). They are zero if they were not determined.
 */
struct close_report
{
  /// How the close ended.
  close_outcome outcome = close_outcome::closed;

  /// Bytes never sent, because the peer's window or the congestion window was full. TCP only
  /// (SIOCOUTQNSD); does not count our FIN. Part of `unacknowledged`.
  std::size_t unsent = 0;

  /// TCP: bytes that the peer's kernel has not acknowledged, sent or not (SIOCOUTQ, tcp(7)); does not
  /// count our FIN. Zero with the outcome timed_out means that only the FIN was not acknowledged.
  /// AF_UNIX: the memory that data not read by the peer's application occupies (SIOCOUTQ), which is more
  /// than its bytes. Zero after a reset, because that memory is freed with the peer.
  std::size_t unacknowledged = 0;

  /// Bytes of input read and discarded, so that close(2) does not answer them with a reset. With the outcome
  /// peer_closed everything that had not been read, unless a limit or the deadline has ended the discarding.
  std::uint64_t discarded = 0;

  /// Writes refused during the flush, while earlier writes completed.
  std::size_t refused_writes = 0;

  /// The time from the close to the outcome. If the first call did not request a report, the time from
  /// the first call that did.
  std::chrono::steady_clock::duration duration{};
};

/// In words: "timed_out after 500 ms, 1200 bytes unacknowledged, 200 bytes unsent".
template <class Traits>
std::basic_ostream<char, Traits>& operator<<(
  std::basic_ostream<char, Traits>& stream, const close_report& report)
{
  stream << report.outcome << " after ";
  detail::functions::write_time(stream, report.duration);
  detail::functions::write_count(stream, report.unacknowledged, "bytes unacknowledged");
  detail::functions::write_count(stream, report.unsent, "bytes unsent");
  detail::functions::write_count(stream, report.discarded, "bytes discarded");
  detail::functions::write_count(stream, report.refused_writes, "writes refused");
  return stream;
}

} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_CLOSE_REPORT_HPP
