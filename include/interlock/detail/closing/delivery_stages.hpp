// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The stages of a delivery, as pure transition functions: from what has been seen of a connection,
// and how much longer it is worth waiting, to what has to be done next.
//
// A verdict is final. `acknowledged` is latched: no later sight takes it back, though a reset is
// worse news and does end it. It is never said before our FIN has been sent, nor peer_closed before
// both FINs have been seen to arrive. A demand to abort, a deadline and a reset end every stage. No
// function here has an effect; the delivery engine looks, asks, and does as it is told.
//
// A delivery that begins as `draining` never sends a FIN, and means the data alone by `acknowledged`:
// shutdown(2) would end the connection for every copy of the descriptor, close(2) does for the last.

#ifndef INTERLOCK_DETAIL_CLOSING_DELIVERY_STAGES_HPP
#define INTERLOCK_DETAIL_CLOSING_DELIVERY_STAGES_HPP

#include <cerrno>
#include <cstddef>

#include <interlock/close_mode.hpp>
#include <interlock/close_outcome.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/descriptor/socket_facts.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

enum class delivery_stage : unsigned char
{
  fresh,        ///< Nothing has been done yet.
  draining,     ///< All that has been sent is to be acknowledged. Our FIN is left to close(2).
  awaiting_ack, ///< Our FIN follows the data; not everything is acknowledged.
  acknowledged, ///< Everything is; the peer's own FIN is awaited.
  over
};

/// What one look showed.
enum class delivery_sight : unsigned char
{
  unconnected,  ///< No connection that could deliver anything.
  pending,      ///< Something, be it our FIN, has not been acknowledged.
  acknowledged, ///< Nothing has not, if our FIN has been sent.
  ended, ///< No connection any more, no error, nothing left: after our FIN both have arrived.
  reset,
  given_up ///< By the kernel: it got no answer.
};

struct delivery_observation
{
  delivery_sight sight = delivery_sight::pending;
  bool drained = false;       ///< Nothing that has been sent of a connection is unacknowledged.
  bool peer_finished = false; ///< The peer has ended its side.
  bool input_left = false;    ///< There is input that may not, or cannot, be discarded.
  bool input_more = false;    ///< There may be input that is still to be discarded.
  bool fin_refused = false;   ///< shutdown(2) has just failed.
  bool stalled = false;       ///< The progress timeout has passed.
  bool expired = false;       ///< The deadline has passed.
};

/// What the caller has to do next.
enum class delivery_act : unsigned char
{
  wait,     ///< For an event, or for the time.
  send_fin, ///< shutdown(SHUT_WR), and look again. Only if that succeeds the next stage is reached.
  report    ///< It is over.
};

struct delivery_state
{
  delivery_stage stage = delivery_stage::fresh;
  close_outcome outcome = close_outcome::closed; ///< The verdict, once it is over.
};

constexpr bool drains(const delivery_state& s) noexcept
{
  return s.stage == delivery_stage::draining;
}

/// Whether the engine has sent our FIN.
constexpr bool has_sent_fin(const delivery_state& s) noexcept
{
  return s.stage == delivery_stage::awaiting_ack || s.stage == delivery_stage::acknowledged;
}

struct delivery_step
{
  delivery_state next;
  delivery_act act;
};

/// Why the kernel ended a connection, by its error. Only called with one.
constexpr delivery_sight sight_of_error(int error) noexcept
{
  switch (error)
  {
  case ECONNRESET:
  case EPIPE: // tcp_reset() in CLOSE_WAIT
  case ECONNABORTED:
    return delivery_sight::reset;
  case ECONNREFUSED: // there never was a connection
    return delivery_sight::unconnected;
  default:
    // tcp_write_err(): ETIMEDOUT, or the last that ICMP had to say.
    return delivery_sight::given_up;
  }
}

constexpr delivery_sight tcp_sight(const socket_facts& facts) noexcept
{
  switch (facts.state)
  {
  case tcp_state::unknown:
  case tcp_state::syn_sent: // shutdown(2) would end it without an error
  case tcp_state::listen:
    return delivery_sight::unconnected;
  case tcp_state::fin_wait2:
  case tcp_state::time_wait:
    return delivery_sight::acknowledged;
  case tcp_state::close:
    return facts.error ? sight_of_error(facts.error) : delivery_sight::ended;
  default:
    return delivery_sight::pending;
  }
}

constexpr delivery_sight unix_sight(const socket_facts& facts) noexcept
{
  if (facts.error)
    return sight_of_error(facts.error);
  return !facts.connected ? delivery_sight::unconnected
    : facts.queued        ? delivery_sight::pending
                          : delivery_sight::acknowledged;
}

constexpr delivery_sight sight_of(const socket_facts& facts) noexcept
{
  return facts.kind == transport::tcp      ? tcp_sight(facts)
    : facts.kind == transport::unix_stream ? unix_sight(facts)
                                           : delivery_sight::unconnected;
}

/// Whether the peer has ended its side. `end_read`: the end of the stream has been read.
/**
 * Of TCP only the state counts, since recv(2) also returns 0 after a shutdown(SHUT_RD) of our own.
 */
constexpr bool peer_finished(const socket_facts& facts, bool end_read) noexcept
{
  if (facts.kind != transport::tcp)
    return end_read;
  return facts.state == tcp_state::close_wait || facts.state == tcp_state::last_ack
    || facts.state == tcp_state::closing || facts.state == tcp_state::time_wait;
}

/// Whether a look shows that nothing sent is unacknowledged. `was_alive`: an earlier one has shown a
/// connection.
/**
 * A TCP socket without a connection and without an error may never have had one, and then nothing has
 * been acknowledged. In SYN_RECV SIOCOUTQ is 0 whatever has been sent.
 */
constexpr bool drained(const socket_facts& facts, bool was_alive) noexcept
{
  const delivery_sight sight = sight_of(facts);
  return facts.queued == 0
    && (sight == delivery_sight::acknowledged || (sight == delivery_sight::ended && was_alive)
      || (sight == delivery_sight::pending && facts.state != tcp_state::syn_received));
}

/// Whether our FIN is in the queue, be it the program's own.
constexpr bool fin_queued(const socket_facts& facts) noexcept
{
  return facts.kind == transport::tcp
    && (facts.state == tcp_state::fin_wait1 || facts.state == tcp_state::closing
      || facts.state == tcp_state::last_ack);
}

/// What of a queue is data: in TCP's, our FIN counts as one byte.
constexpr std::size_t data_in(std::size_t queued, bool has_fin) noexcept
{
  return has_fin && queued != 0 ? queued - 1 : queued;
}

/// The error of an operation that tells how a connection of this kind has ended; otherwise 0.
/**
 * On AF_UNIX only ECONNRESET does: a peer that has read everything before it has gone is one of EPIPE as well.
 */
constexpr int error_that_counts(transport kind, int received) noexcept
{
  return kind == transport::tcp || received == ECONNRESET ? received : 0;
}

constexpr delivery_step delivery_over(close_outcome outcome) noexcept
{
  return {{delivery_stage::over, outcome}, delivery_act::report};
}

/// There is, or was, a connection.
constexpr delivery_step begin_awaiting_ack(const delivery_observation& o) noexcept
{
  return o.fin_refused || o.sight == delivery_sight::ended
    ? delivery_over(close_outcome::closed)
    : delivery_step{{delivery_stage::awaiting_ack}, delivery_act::send_fin};
}

/// All has been acknowledged, our FIN too.
/**
 * What the peer has sent before its FIN is discarded to the end, or to a limit.
 */
constexpr delivery_step advance_acknowledged(
  const delivery_observation& o, close_mode::kind wanted) noexcept
{
  if (wanted != close_mode::kind::graceful)
    return delivery_over(close_outcome::acknowledged);
  const bool is_cut_short = o.stalled || o.expired || o.sight == delivery_sight::given_up
    || o.sight == delivery_sight::unconnected;
  const bool is_finished = o.peer_finished || o.sight == delivery_sight::ended;
  if (is_finished && (is_cut_short || !o.input_more))
    return delivery_over(close_outcome::peer_closed);
  if (is_cut_short || o.input_left)
    return delivery_over(close_outcome::acknowledged);
  return {{delivery_stage::acknowledged}, delivery_act::wait};
}

/// A reset, and a demand to abort, are dealt with.
/**
 * `ended` says that all has been acknowledged only of what is known to have been a connection, and it
 * is drained then. Nothing is known of any other, be it that there was none, or that the peer, and an
 * end that the program itself has sent, were there before: it is closed.
 */
constexpr delivery_step advance_draining(
  const delivery_state& s, const delivery_observation& o, close_mode::kind wanted) noexcept
{
  if (o.drained || o.sight == delivery_sight::acknowledged)
    return delivery_over(close_outcome::acknowledged);
  if (o.sight == delivery_sight::given_up)
    return delivery_over(close_outcome::timed_out);
  if (wanted == close_mode::kind::immediate || o.sight == delivery_sight::unconnected
    || o.sight == delivery_sight::ended)
    return delivery_over(close_outcome::closed);
  if (o.stalled || o.expired)
    return delivery_over(close_outcome::timed_out);
  return {s, delivery_act::wait};
}

/// The next stage. `wanted` is the strongest mode that has been asked for so far.
/**
 * A deadline that has passed from the start still sends our FIN: what can be delivered at once is.
 */
constexpr delivery_step advance(
  const delivery_state& s, const delivery_observation& o, close_mode::kind wanted) noexcept
{
  using sight = delivery_sight;
  const bool fresh = s.stage == delivery_stage::fresh;
  if (s.stage == delivery_stage::over)
    return {s, delivery_act::report};
  if (wanted == close_mode::kind::abort)
    return delivery_over(close_outcome::aborted);
  if (o.sight == sight::reset)
    return delivery_over(close_outcome::reset);
  if (s.stage == delivery_stage::draining)
    return advance_draining(s, o, wanted);
  if (s.stage == delivery_stage::acknowledged
    || (!fresh && (o.sight == sight::acknowledged || o.sight == sight::ended)))
    return advance_acknowledged(o, wanted);
  if (o.sight == sight::given_up)
    return delivery_over(close_outcome::timed_out);
  if (wanted == close_mode::kind::immediate || o.sight == sight::unconnected)
    return delivery_over(close_outcome::closed);
  if (fresh)
    return begin_awaiting_ack(o);
  if (o.stalled || o.expired)
    return delivery_over(close_outcome::timed_out);
  return {s, delivery_act::wait};
}

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_DELIVERY_STAGES_HPP
