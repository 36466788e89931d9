// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What became of the data when a connection was closed.

#ifndef INTERLOCK_CLOSE_OUTCOME_HPP
#define INTERLOCK_CLOSE_OUTCOME_HPP

#include <cstddef>
#include <iosfwd>

#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {

/// How a close ended.
/**
 * Facts, not errors: a peer that is gone is not a failure of the close. They assume that no copy of the
 * descriptor exists: a copy made by dup(2) or fork(2) keeps the connection open.
 */
enum class close_outcome : unsigned char
{
  /// Closed, and the fate of the data is unknown: no caller chose a mode that waits, an immediate close
  /// ended the wait, there was no connection, or other code has received the error of the connection. On TCP the kernel
  /// continues to send after an orderly close(2), within its own limits (tcp_orphan_retries in tcp(7)).
  closed,

  /// Everything sent has arrived. TCP: the peer's kernel has acknowledged all data and our FIN.
  /// AF_UNIX: the peer's application has read everything. If only SO_LINGER made the close wait, our FIN
  /// is not included, because close(2) sends it afterwards.
  acknowledged,

  /// As acknowledged, and the peer has ended its side as well. No reset can destroy data any more.
  peer_closed,

  /// The peer has reset the connection, before the close or during it. Its application may not have read all
  /// acknowledged data.
  reset,

  /// The deadline or the progress timeout passed, or the kernel gave up on the peer (ETIMEDOUT,
  /// EHOSTUNREACH and similar; TCP_USER_TIMEOUT and tcp_retries2 in tcp(7)).
  timed_out,

  /// Closed on request without waiting for undelivered data. The peer of a TCP connection sees a reset
  /// (SO_LINGER with a time of zero, socket(7)). On AF_UNIX the peer keeps what was sent.
  aborted,

  /// The descriptor is borrowed: it was detached from the reactor and not closed.
  detached
};

/// The name of an outcome, or what a close_stage is, in words. Never null.
/**
 * @param outcome One of the enumerators.
 */
constexpr const char* to_string(close_outcome outcome) noexcept
{
  switch (outcome)
  {
  case close_outcome::closed:
    return "closed";
  case close_outcome::acknowledged:
    return "acknowledged";
  case close_outcome::peer_closed:
    return "peer_closed";
  case close_outcome::reset:
    return "reset";
  case close_outcome::timed_out:
    return "timed_out";
  case close_outcome::aborted:
    return "aborted";
  case close_outcome::detached:
    return "detached";
  }
  return "unknown";
}

/// Writes the enumerator's name.
template <class Traits>
std::basic_ostream<char, Traits>& operator<<(
  std::basic_ostream<char, Traits>& stream, close_outcome outcome)
{
  return stream << to_string(outcome);
}

namespace detail {

inline constexpr std::size_t close_outcomes = static_cast<std::size_t>(close_outcome::detached) + 1;

} // namespace detail

} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_CLOSE_OUTCOME_HPP
