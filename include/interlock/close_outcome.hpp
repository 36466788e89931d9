// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What became of the data of a connection that has been closed.

#ifndef INTERLOCK_CLOSE_OUTCOME_HPP
#define INTERLOCK_CLOSE_OUTCOME_HPP

#include <iosfwd>

#include <interlock/config.hpp>

namespace interlock
{
inline namespace abi_0
{

/// How a close ended.
/**
 * Facts, not errors: a peer that has gone away is no failure of the close. They hold for the last
 * reference to the connection only: a copy of the descriptor elsewhere, by dup(2) or fork(2), keeps
 * it open.
 */
enum class close_outcome : unsigned char
{
  /// Closed, and nothing was found out about the data: nobody asked, the asking was cut short by
  /// an immediate close, or there was no connection any more, or ever. On TCP the kernel goes on
  /// sending what is left after an orderly close(2), up to its own limits (tcp_orphan_retries in
  /// tcp(7)).
  closed,

  /// Everything sent has arrived. TCP: the peer's kernel has acknowledged all data and our FIN.
  /// AF_UNIX: the peer's application has read it. Of a close that SO_LINGER has made wait, without our
  /// FIN, which close(2) sends.
  acknowledged,

  /// As acknowledged, and the peer has ended its side as well: no reset can destroy anything any
  /// more.
  peer_closed,

  /// The connection has been reset. Data that was acknowledged may not have been read.
  reset,

  /// The deadline or the progress timeout passed first, or the kernel gave the peer up (ETIMEDOUT,
  /// EHOSTUNREACH and the like; TCP_USER_TIMEOUT and tcp_retries2 in tcp(7)).
  timed_out,

  /// Closed on demand without regard to what was not delivered; the peer of a TCP connection sees a
  /// reset (SO_LINGER with a time of nothing, socket(7)). What AF_UNIX has sent stays with the peer.
  aborted,

  /// The descriptor belongs to another library: it was taken out of the reactor and not closed.
  detached
};

/// The enumerator's name.
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

template <class Traits>
std::basic_ostream<char, Traits>& operator<<(
  std::basic_ostream<char, Traits>& stream, close_outcome outcome)
{
  return stream << to_string(outcome);
}

} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_CLOSE_OUTCOME_HPP
