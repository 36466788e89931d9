// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The tenure's word: which threads may touch a descriptor, in 64 bits, as pure transition functions.
//
//    63        54 53         39 38              19 18         6    5      4    3     0
//   +------------+-------------+------------------+------------+-------+-----+-------+
//   |   leases   |   writes    |     handlers     |   inside   |blocked|owned| phase |
//   +------------+-------------+------------------+------------+-------+-----+-------+
//       10 bits      15 bits         20 bits         13 bits       1      1    4 bits
//
//   leases    permissions to use the raw descriptor; each delays close(2), none the detach
//   writes    the outstanding handlers that a flush waits for
//   handlers  handlers of operations, until each has run and been destroyed
//   inside    threads between enter and leave: until the detach, only these use the Asio object
//   blocked   a thread has waited in a synchronous call (stays set): a closer wakes those that wait
//   owned     an object holds the tenure
//
// Only the phase open lets a new operation in. A flush is a close that first waits for the outstanding
// writes: it lets in the next write of a running write handler, a cancellation, and the worker's look at the
// send queue. Exactly one transition claims the detach, when the count inside is zero. Each later duty
// (close, finish, dispose) is returned by at most one transition as well. No function here has an effect;
// atomic_word.hpp applies them.

#ifndef INTERLOCK_DETAIL_TENURE_WORD_HPP
#define INTERLOCK_DETAIL_TENURE_WORD_HPP

#include <cstdint>

#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// Where a tenure stands. Only `open`, which is zero, lets new operations in. The code compares phases by
/// this order, against which only leased -> detached and the opening (vacant -> open) go.
enum class phase : std::uint64_t
{
  open,     ///< The descriptor belongs to the tenure and is in use.
  flushing, ///< No new operations; the last outstanding write demands the detach.
  closing,  ///< No new operations; the strand's step will demand the detach.
  due,      ///< The detach has been demanded; the last thread to leave does it.
  detached, ///< One thread has claimed the detach: it closes the descriptor, or gives it to the worker.
  leased, ///< Out of the reactor; the last lease to end claims the close.
  closed, ///< The descriptor is closed or has another owner; handlers are still outstanding.
  ended,  ///< Over. The outcome is kept until the memory serves another tenure.
  vacant  ///< No descriptor yet: never opened, or recycled.
};

/// What the thread that installed a transition has to do next.
enum class duty : unsigned char
{
  none,   ///< Nothing.
  detach, ///< Remove the descriptor from the reactor, then apply `part`; after give_out `report`.
  close, ///< Nothing uses the descriptor any more: close it, or give it to the worker or its next owner.
  finish,   ///< Serve the close waiters. The caller counts as inside from here on.
  dispose,  ///< Nothing holds the tenure any more: drop its own reference on its memory.
  refuse,   ///< The state of the tenure does not allow it; nothing has changed.
  overflow, ///< A count is full; nothing has changed.
  join,     ///< Another close is under way or over; nothing has changed.
  flush,    ///< The caller has begun a flush; writes are outstanding.
  busy      ///< The tenure is in use (give_out, recycle); nothing has changed.
};

/// The transitions, over counts of the given widths (narrow ones let a test walk every state).
/**
 * Each takes a word and returns the next one with the duty of the thread that installs it. If `next` is the
 * word itself, there is nothing to install. The upper half of each count but the leases is a reserve for
 * callers that must not fail: those of enter_to_close, begin_close, hold, chain_write, add_handler and copy_write.
 */
template <unsigned InsideBits, unsigned HandlerBits, unsigned WriteBits, unsigned LeaseBits>
class basic_word
{
public:
  using value = std::uint64_t;

  struct step
  {
    value next;
    duty then;
  };

  /// A tenure that has just been made for an object: owned by it, without a descriptor.
  static constexpr value initial() noexcept
  {
    return make(phase::vacant) | owned_bit;
  }

  static INTERLOCK_HOT constexpr phase phase_of(value w) noexcept
  {
    return static_cast<phase>(w & phase_mask);
  }

  static constexpr value inside(value w) noexcept
  {
    return (w & inside_mask) >> inside_shift;
  }

  static constexpr value handlers(value w) noexcept
  {
    return (w & handler_mask) >> handler_shift;
  }

  /// Those of the handlers that belong to writes.
  static constexpr value writes(value w) noexcept
  {
    return (w & write_mask) >> write_shift;
  }

  static constexpr value leases(value w) noexcept
  {
    return (w & lease_mask) >> lease_shift;
  }

  static constexpr bool owned(value w) noexcept
  {
    return (w & owned_bit) != 0;
  }

  static constexpr bool has_blocked_threads(value w) noexcept
  {
    return (w & blocked_bit) != 0;
  }

  /// Nothing holds the tenure any more: the thread that installed this word has freed it, or is about to.
  static constexpr bool dead(value w) noexcept
  {
    return !owned(w) && phase_of(w) >= phase::ended && (w & (inside_mask | handler_mask)) == 0;
  }

  /// A synchronous call: touches the descriptor until it leaves.
  static INTERLOCK_HOT constexpr step enter(value w) noexcept
  {
    return admit(w, inside_one, inside_half | handler_half);
  }

  /// Enters in a flush as well: to cancel something outstanding, or for the worker to look at the send queue.
  static constexpr step enter_to_cancel(value w) noexcept
  {
    if (phase_of(w) != phase::flushing)
      return enter(w);
    return (w & (inside_half | handler_half)) != 0 ? step{w, duty::overflow}
                                                   : step{w + inside_one, duty::none};
  }

  /// An initiation: inside until it returns, and one more handler outstanding.
  static INTERLOCK_HOT constexpr step enter_with_handler(value w) noexcept
  {
    return admit(w, inside_one + handler_one, inside_half | handler_half);
  }

  /// The initiation of a write: the same, and one more write outstanding.
  static INTERLOCK_HOT constexpr step enter_with_write(value w) noexcept
  {
    return admit(w, inside_one + handler_one + write_one, inside_half | handler_half | write_half);
  }

  /// A handler of a write that is outstanding initiates the next one, which belongs to the flush.
  static constexpr step chain_write(value w) noexcept
  {
    // In this phase a write is always outstanding: the last one ends it.
    if (phase_of(w) != phase::flushing)
      return {w, duty::refuse};
    if (full(w) || (w & write_mask) == write_mask)
      return {w, duty::overflow};
    return {w + inside_one + handler_one + write_one, duty::none};
  }

  /// A closer: inside in every phase, so that the tenure that it reads is the one that its begin_close or
  /// begin_flush finds. Refused only before the opening.
  static constexpr step enter_to_close(value w) noexcept
  {
    if (phase_of(w) == phase::vacant)
      return {w, duty::refuse};
    return full(w) ? step{w, duty::overflow} : step{w + inside_one, duty::none};
  }

  /// Ends what an enter, a hold or a finish began. In phase due the last thread out detaches.
  static INTERLOCK_HOT constexpr step leave(value w) noexcept
  {
    const value next = w - inside_one;
    if (phase_of(w) == phase::open)
      return {next, duty::none};
    if (phase_of(next) == phase::due && inside(next) == 0)
      return {with_phase(next, phase::detached), duty::detach};
    return {next, dead(next) ? duty::dispose : duty::none};
  }

  /// A handler has run and been destroyed, or been destroyed uninvoked.
  static INTERLOCK_HOT constexpr step handler_done(value w) noexcept
  {
    const value next = w - handler_one;
    if (phase_of(w) == phase::open)
      return {next, duty::none};
    if (phase_of(next) == phase::closed && handlers(next) == 0)
      return {with_phase(next, phase::ended) + inside_one, duty::finish};
    return {next, dead(next) ? duty::dispose : duty::none};
  }

  /// The same for the handler of a write. The last one out of a flush asks for the detach at once:
  /// no other write can come in between.
  static INTERLOCK_HOT constexpr step write_done(value w) noexcept
  {
    const step s = handler_done(w - write_one);
    return phase_of(w) == phase::flushing && writes(s.next) == 0 ? demand(s.next) : s;
  }

  /// The same for one that has met the end of the connection. A flush does not wait for the others.
  static constexpr step write_lost(value w) noexcept
  {
    const step s = handler_done(w - write_one);
    return phase_of(w) == phase::flushing ? demand(s.next) : s;
  }

  /// `async_close`, `async_release`, after enter_to_close: the caller stays inside, whatever the duty. Duty
  /// none: it leads the close, and holds two handler counts. One goes with the step that demands the detach on
  /// the strand; the caller keeps the other until that step is sent, or has failed. Overflow: handlers that
  /// were added since the caller has entered have taken the room of these two.
  static constexpr step begin_close(value w) noexcept
  {
    if (phase_of(w) != phase::open)
      return {w, duty::join};
    if (has_no_room_for_close(w))
      return {w, duty::overflow};
    return {with_phase(w, phase::closing) + 2 * handler_one, duty::none};
  }

  /// The same for a close that delivers what is being written: with writes outstanding (duty flush)
  /// the last of them, in place of the strand's step, asks for the detach.
  static constexpr step begin_flush(value w) noexcept
  {
    const step s = begin_close(w);
    if (s.then != duty::none || writes(w) == 0)
      return s;
    return {with_phase(s.next, phase::flushing), duty::flush};
  }

  /// Detach now, or when the last thread inside leaves. For the destructor, the strand's step, the worker
  /// when a watch or a flush has expired, a closer that ends a flush or finds that the connection has ended, a
  /// cancellation, and the shutdown.
  static constexpr step demand(value w) noexcept
  {
    if (phase_of(w) > phase::closing)
      return {w, duty::none};
    if (inside(w) == 0)
      return {with_phase(w, phase::detached), duty::detach};
    return {with_phase(w, phase::due), duty::none};
  }

  /// The strand's step has not come in time: the same, but only of a close that waits for it.
  static constexpr step demand_overdue(value w) noexcept
  {
    return phase_of(w) == phase::closing ? demand(w) : step{w, duty::none};
  }

  /// `close()`: the same, but that it changes nothing of a flush.
  static constexpr step demand_unless_flushing(value w) noexcept
  {
    return phase_of(w) == phase::flushing ? step{w, duty::none} : demand(w);
  }

  /// A thread inside takes a lease: the descriptor stays open until the lease ends.
  static constexpr step lend(value w) noexcept
  {
    return leases(w) == lease_mask >> lease_shift ? step{w, duty::overflow}
                                                  : step{w + lease_one, duty::none};
  }

  /// The thread that claimed the detach has removed the descriptor from the reactor.
  static constexpr step part(value w) noexcept
  {
    if (leases(w) == 0)
      return {w, duty::close};
    return {with_phase(w, phase::leased), duty::none};
  }

  static constexpr step lease_done(value w) noexcept
  {
    const value next = w - lease_one;
    if (phase_of(w) == phase::leased && leases(next) == 0)
      return {with_phase(next, phase::detached), duty::close};
    return {next, duty::none};
  }

  /// `release()`: detaches only if no thread is inside and no lease is out.
  static constexpr step give_out(value w) noexcept
  {
    if (phase_of(w) != phase::open)
      return {w, duty::refuse};
    if (inside(w) != 0 || leases(w) != 0)
      return {w, duty::busy};
    return {with_phase(w, phase::detached), duty::detach};
  }

  /// The descriptor is closed, or has gone to another owner; the outcome is known.
  static constexpr step report(value w) noexcept
  {
    if (handlers(w) != 0)
      return {with_phase(w, phase::closed), duty::none};
    return {with_phase(w, phase::ended) + inside_one, duty::finish};
  }

  /// A thread is about to wait for readiness; the closer has to wake it.
  static constexpr step announce_blocked_thread(value w) noexcept
  {
    return {w | blocked_bit, duty::none};
  }

  /// The object is gone, or has no more use for this tenure.
  static constexpr step disown(value w) noexcept
  {
    const value next = w & ~owned_bit;
    return {next, dead(next) ? duty::dispose : duty::none};
  }

  /// Takes an ended or vacant tenure up again. Busy: not ended, or a thread inside or a handler is counted.
  static constexpr step recycle(value w) noexcept
  {
    if (phase_of(w) < phase::ended || (w & (inside_mask | handler_mask)) != 0)
      return {w, duty::busy};
    return {initial(), duty::none};
  }

  /// The descriptor is in place: the tenure opens.
  static constexpr step publish(value w) noexcept
  {
    return {with_phase(w, phase::open), duty::none};
  }

  /// In a forked child: those inside before the detach were other threads, which do not exist there.
  /// Handlers stay outstanding: what is queued runs there, too.
  static constexpr step forget_inside(value w) noexcept
  {
    if (phase_of(w) > phase::due)
      return {w, duty::none};
    const value next = w & ~(inside_mask | blocked_bit);
    if (phase_of(w) == phase::due)
      return {with_phase(next, phase::detached), duty::detach};
    return {next, duty::none};
  }

  /// The same where the forking thread is inside itself, once or more often.
  static constexpr step forget_others_inside(value w) noexcept
  {
    if (phase_of(w) > phase::due)
      return {w, duty::none};
    return {(w & ~(inside_mask | blocked_bit)) + inside_one, duty::none};
  }

  /// Keeps the tenure from being disposed of or recycled, whatever its phase. Refused if it is `dead`.
  static constexpr step hold(value w) noexcept
  {
    if (dead(w))
      return {w, duty::refuse};
    return full(w) ? step{w, duty::overflow} : step{w + inside_one, duty::none};
  }

  /// Counts one more handler. The caller keeps the tenure from ending: it is a running handler of the tenure,
  /// or a converting move that is opening it, and counts the old tenure as one handler here. Never a write: a
  /// flush does not wait for the writes of the old tenure.
  static constexpr step add_handler(value w) noexcept
  {
    return full(w) ? step{w, duty::overflow} : step{w + handler_one, duty::none};
  }

  /// The same for a copy of the handler of a write, which is outstanding.
  static constexpr step copy_write(value w) noexcept
  {
    if (full(w) || (w & write_mask) == write_mask)
      return {w, duty::overflow};
    return {w + handler_one + write_one, duty::none};
  }

private:
  static constexpr unsigned inside_shift = 6;
  static constexpr unsigned handler_shift = inside_shift + InsideBits;
  static constexpr unsigned write_shift = handler_shift + HandlerBits;
  static constexpr unsigned lease_shift = write_shift + WriteBits;
  static constexpr value phase_mask = 15;
  static constexpr value owned_bit = 16;
  static constexpr value blocked_bit = 32;
  static constexpr value inside_one = value{1} << inside_shift;
  static constexpr value handler_one = value{1} << handler_shift;
  static constexpr value write_one = value{1} << write_shift;
  static constexpr value lease_one = value{1} << lease_shift;
  static constexpr value inside_mask = ((value{1} << InsideBits) - 1) << inside_shift;
  static constexpr value handler_mask = ((value{1} << HandlerBits) - 1) << handler_shift;
  static constexpr value write_mask = ((value{1} << WriteBits) - 1) << write_shift;
  static constexpr value lease_mask = ((value{1} << LeaseBits) - 1) << lease_shift;
  static constexpr value inside_half = value{1} << (handler_shift - 1);
  static constexpr value handler_half = value{1} << (write_shift - 1);
  static constexpr value write_half = value{1} << (lease_shift - 1);

  static_assert(lease_shift + LeaseBits <= 64, "the word has 64 bits");
  static_assert(
    InsideBits >= 2 && HandlerBits >= 2 && WriteBits >= 2, "half of each count is the reserve");

  static constexpr value make(phase p) noexcept
  {
    return static_cast<value>(p);
  }

  static constexpr value with_phase(value w, phase p) noexcept
  {
    return (w & ~phase_mask) | make(p);
  }

  // For what may use the reserve. Keeps one inside for a finish, and has room for a close's two handlers.
  static constexpr bool full(value w) noexcept
  {
    return (w & inside_mask) >= inside_mask - inside_one || has_no_room_for_close(w);
  }

  static constexpr bool has_no_room_for_close(value w) noexcept
  {
    return (w & handler_mask) > handler_mask - 2 * handler_one;
  }

  // One test decides the common case: phase open (which is zero) and no count in its reserve, the
  // upper `halves`.
  static INTERLOCK_HOT constexpr step admit(value w, value what, value halves) noexcept
  {
    if ((w & (phase_mask | halves)) == 0)
      return {w + what, duty::none};
    return {w, phase_of(w) == phase::open ? duty::overflow : duty::refuse};
  }
};

/// The widths in use: 4 096 threads inside, 524 288 handlers and 16 384 writes outstanding before a
/// newcomer is refused, and 1 023 leases.
using word = basic_word<13, 20, 15, 10>;

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_TENURE_WORD_HPP
