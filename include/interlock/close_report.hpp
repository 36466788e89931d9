// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What a close can say about the connection it has ended.

#ifndef INTERLOCK_CLOSE_REPORT_HPP
#define INTERLOCK_CLOSE_REPORT_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>

#include <interlock/close_outcome.hpp>
#include <interlock/config.hpp>

namespace interlock
{
inline namespace abi_0
{

/// What became of a close, and of the data that was on its way.
/**
 * The same for every caller of the close. The byte counts are of the moment at which the outcome
 * was decided, just before close(2); they are zero where nobody has looked.
 */
struct close_report
{
  /// How the close ended.
  close_outcome outcome = close_outcome::closed;

  /// Bytes that were never sent: the peer's window, or the congestion window, had no room for them.
  /// TCP only (SIOCOUTQNSD), our FIN not counted. Part of `unacknowledged`.
  std::size_t unsent = 0;

  /// TCP: bytes that the peer's kernel has not acknowledged, sent or not (SIOCOUTQ, tcp(7)), our FIN
  /// not counted. Zero with the outcome timed_out means that only the FIN was not acknowledged.
  /// AF_UNIX: the memory, not the bytes, of what the peer's application has not read (SIOCOUTQ); that
  /// goes with the peer, so it is zero after a reset.
  std::size_t unacknowledged = 0;

  /// Bytes of input that were read and thrown away, so that close(2) would not answer them with a
  /// reset.
  std::uint64_t discarded = 0;

  /// Writes that were refused while those begun earlier ran to their end.
  std::size_t refused_writes = 0;

  /// From the close to the outcome; if nobody had asked for a report by then, from the first call that
  /// did.
  std::chrono::steady_clock::duration duration{};
};

} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_CLOSE_REPORT_HPP
