// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What a look at a connected stream socket tells about the data on its way, and the few system calls
// that help it on.
//
// The caller owns the descriptor, and is alone in reading from it: a read, and SO_ERROR, take the error
// out of the socket, so the caller hands each on to the next look. Nothing here waits, retries
// or closes.

#ifndef INTERLOCK_DETAIL_DESCRIPTOR_SOCKET_FACTS_HPP
#define INTERLOCK_DETAIL_DESCRIPTOR_SOCKET_FACTS_HPP

#include <cstddef>
#include <cstdint>

#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// Which sockets tell what has become of their data.
enum class transport : unsigned char
{
  other, ///< None of these two: a datagram socket, another family, MPTCP, no socket at all.
  tcp,
  unix_stream
};

/// The states of TCP, by Linux's numbers (tcpi_state; netinet/tcp.h).
enum class tcp_state : unsigned char
{
  unknown, ///< The system would not tell.
  established,
  syn_sent,
  syn_received,
  fin_wait1, ///< Our FIN is queued or sent, and not acknowledged.
  fin_wait2, ///< It is acknowledged; the peer has not ended its side.
  time_wait, ///< Never seen: Linux moves it to a socket of its own and leaves ours in `close`.
  close,
  close_wait, ///< The peer has ended its side, we have not.
  last_ack,   ///< The peer has; our FIN is not acknowledged.
  listen,
  closing ///< Both have; our FIN is not acknowledged.
};

struct socket_facts
{
  transport kind = transport::other;
  tcp_state state = tcp_state::unknown; ///< TCP only.
  bool connected = false;               ///< AF_UNIX only: there is, or was, a peer.
  bool retrying = false;                ///< TCP only: the peer has kept us waiting (tcpi_backoff).
  int error = 0;                        ///< Why the connection is over; 0 while it is not.

  /// SIOCOUTQ. TCP: bytes not acknowledged, our FIN counted as one. AF_UNIX: memory not read.
  std::size_t queued = 0;
};

/// By SO_DOMAIN, SO_TYPE and SO_PROTOCOL: addresses and names do not matter.
INTERLOCK_DECL transport transport_of(int fd) noexcept;

/// Whether no data can come or go any more (POLLHUP). AF_UNIX: the peer has gone, or both sides have ended theirs.
INTERLOCK_DECL bool has_hung_up(int fd) noexcept;

/// Looks at a socket of that kind. `known_error` is what an earlier look, or an operation, has taken away.
/**
 * If a TCP connection has ended with data left, and its error is neither known nor in the socket any more, the error is
 * assumed: ECONNREFUSED if there never was a connection, ETIMEDOUT if the kernel had retransmitted without an answer,
 * otherwise ECONNRESET.
 *
 * The facts of one look are those of different moments, taken in an order in which a later one can
 * only be more final: the state of TCP before its queue and its error (tcp_reset() sets sk_err
 * first), the queue of AF_UNIX before its error (unix_release_sock() sets sk_err before it empties
 * the queue). SO_ERROR is left alone while a TCP connection lives.
 */
INTERLOCK_DECL socket_facts look(int fd, transport kind, int known_error) noexcept;

/// The same, but leaves an error in the socket for the copies of the descriptor: without the error, a read
/// on a copy would take a reset for the end of the stream.
/**
 * A look that takes nothing can only see that there may be an error. That of a TCP connection is always an assumed one.
 */
INTERLOCK_DECL socket_facts look_and_leave(int fd, transport kind) noexcept;

/// SIOCOUTQ, of whatever kind the socket is; 0 where there is none.
INTERLOCK_DECL std::size_t output_queue(int fd) noexcept;

/// What has moved over a socket: any difference between two looks is progress.
struct traffic
{
  std::size_t queued = 0;         ///< As output_queue.
  std::uint64_t acknowledged = 0; ///< Bytes. TCP only, as `received`.
  std::uint64_t received = 0;

  friend bool operator!=(const traffic& a, const traffic& b) noexcept
  {
    return a.queued != b.queued || a.acknowledged != b.acknowledged || a.received != b.received;
  }
};

INTERLOCK_DECL traffic traffic_of(int fd) noexcept;

/// SIOCOUTQNSD: bytes of TCP that have never been sent, our FIN counted as one. 0 elsewhere.
INTERLOCK_DECL std::size_t unsent_bytes(int fd, transport kind) noexcept;

/// shutdown(SHUT_WR): our FIN after all data. Never blocks, with SO_LINGER neither. False: there is
/// no connection to end.
INTERLOCK_DECL bool send_fin(int fd) noexcept;

/// What became of an attempt to read input and throw it away.
struct discarded_input
{
  std::uint64_t bytes = 0;
  bool ended = false; ///< The end of the stream. TCP: or our own shutdown(SHUT_RD).
  bool more = false;  ///< As much as was asked for has come; there may be more.
  int error = 0;      ///< Taken from the socket by reading.
};

/// Reads up to `most` bytes, or what is there. TCP copies none of it (MSG_TRUNC, tcp(7)).
/**
 * Of AF_UNIX, descriptors that come with the data are closed by the kernel in this call.
 */
INTERLOCK_DECL discarded_input discard_input(int fd, transport kind, std::uint64_t most) noexcept;

/// As discard_input, but takes nothing: says `more` if there is any.
INTERLOCK_DECL discarded_input examine_input(int fd) noexcept;

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_DESCRIPTOR_SOCKET_FACTS_HPP
