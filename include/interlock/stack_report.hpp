// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What the close of a stack of layers reports: of the connection, and of each layer above it.

#ifndef INTERLOCK_STACK_REPORT_HPP
#define INTERLOCK_STACK_REPORT_HPP

#include <iosfwd>
#include <utility>

#include <interlock/close_report.hpp>
#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {

/// How the close of a stack ended: a connection with TLS, a websocket, or both above it.
/**
 * What belongs to a layer that the stack does not have is false.
 */
struct stack_report
{
  /// The connection's own report. Its `duration` and `discarded` do not include the layers.
  close_report connection;

  /// The close has found the websocket open, and its close frame has been written to the connection.
  bool close_frame_sent = false;

  /// The peer has answered with a close frame. If the peer's frame has no code and a read of the program has received
  /// it, this stays false.
  bool close_frame_answered = false;

  /// TLS's close_notify has been written to the connection, by this close or before.
  bool notify_sent = false;

  /// The peer's close_notify has been received, in this close or before.
  bool notify_answered = false;

  /// A TLS session was established, and ends without a close_notify to the peer, which cannot tell this end from an
  /// attacker's. Always so in immediate and abort mode.
  bool truncated = false;
};

/// In words: "acknowledged after 12 ms; close frame sent, close_notify sent, close_notify answered". What is false is left
/// out.
template <class Traits>
std::basic_ostream<char, Traits>& operator<<(
  std::basic_ostream<char, Traits>& stream, const stack_report& report)
{
  stream << report.connection;
  const char* before = "; ";
  const auto note = [&](bool is_so, const char* what)
  {
    if (is_so)
      stream << std::exchange(before, ", ") << what;
  };
  note(report.close_frame_sent, "close frame sent");
  note(report.close_frame_answered, "close frame answered");
  note(report.notify_sent, "close_notify sent");
  note(report.notify_answered, "close_notify answered");
  note(report.truncated, "truncated");
  return stream;
}

} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_STACK_REPORT_HPP
