// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A tenure: the time in which one descriptor belongs to an object. This is the part that does not
// depend on Asio.
//
// The word says which threads may touch the descriptor and what each transition leaves to do; this class
// does it. The object, each outstanding handler, each thread inside, each lease, and the worker while it
// closes hold the tenure. When the word says that none of them is left, the tenure is disposed of. A user's
// cancellation slot may still point at the memory then: it keeps a reference on the memory, cannot enter
// the tenure, and does nothing.

#ifndef INTERLOCK_DETAIL_TENURE_TENURE_BASE_HPP
#define INTERLOCK_DETAIL_TENURE_TENURE_BASE_HPP

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/closing/close_job.hpp>
#include <interlock/detail/closing/context_state.hpp>
#include <interlock/detail/descriptor/descriptor_kind.hpp>
#include <interlock/detail/descriptor/waiting.hpp>
#include <interlock/detail/sys.hpp>
#include <interlock/detail/tenure/atomic_word.hpp>
#include <interlock/detail/tenure/close_sequence.hpp>
#include <interlock/detail/tenure/close_waiter.hpp>
#include <interlock/detail/tenure/inside_mark.hpp>
#include <interlock/detail/tenure/object_memory.hpp>
#include <interlock/detail/tenure/received_errors.hpp>
#include <interlock/detail/tenure/running_handler.hpp>
#include <interlock/detail/tenure/tenure_marks.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class INTERLOCK_DECL tenure_base : public close_job
{
public:
  using error_code = boost::system::error_code;

  // --- Being inside. Any thread.

  INTERLOCK_HOT duty enter() noexcept
  {
    return word_.apply_open<word::enter>();
  }

  INTERLOCK_HOT duty enter_with_handler() noexcept
  {
    return word_.apply_open<word::enter_with_handler>();
  }

  INTERLOCK_HOT duty enter_with_write() noexcept
  {
    return word_.apply_open<word::enter_with_write>();
  }

  /// Possible in a flush as well: to cancel an outstanding operation, and for flush_queue.
  duty enter_to_cancel() noexcept
  {
    return word_.apply<word::enter_to_cancel>();
  }

  /// For a closer, which must be inside before it reads what decides its close. Refused only while the tenure
  /// is vacant.
  duty enter_to_close() noexcept
  {
    return word_.apply<word::enter_to_close>();
  }

  /// In a flush, as enter_with_write: the running handler of a write of this tenure starts the next write.
  duty chain_write() noexcept
  {
    const duty d = word_.apply<word::chain_write>();
    if (d == duty::none)
      flush_steps_.fetch_add(1, std::memory_order_relaxed);
    return d;
  }

  /// A write was refused. Counts it if the reason was a flush.
  void note_refused_write() noexcept
  {
    if (current_phase() == phase::flushing)
      refused_writes_.fetch_add(1, std::memory_order_relaxed);
  }

  /// The calling thread's last use of the tenure, which may be gone afterwards.
  INTERLOCK_HOT void leave() noexcept
  {
    act(word_.apply_open<word::leave>());
  }

  /// A handler has run and been destroyed, or been destroyed uninvoked. The tenure may be gone afterwards.
  INTERLOCK_HOT void handler_done() noexcept
  {
    act(word_.apply_open<word::handler_done>());
  }

  /// The same for the handler of a write. The last write of a flush, or a `lost` one, demands the detach.
  INTERLOCK_HOT void write_done(bool lost = false) noexcept
  {
    act(lost ? word_.apply<word::write_lost>() : word_.apply_open<word::write_done>());
  }

  /// Counts one more handler. The caller keeps the tenure from ending: it is a running handler of it, or its opener.
  duty add_handler() noexcept
  {
    return word_.apply<word::add_handler>();
  }

  /// The same for a copy of the handler of a write, which is outstanding.
  duty copy_write() noexcept
  {
    return word_.apply<word::copy_write>();
  }

  phase current_phase() const noexcept
  {
    return word_.current_phase();
  }

  /// For what is outstanding: see word.
  word::value load_word() const noexcept
  {
    return word_.load();
  }

  /// For threads inside, and for the thread that detaches.
  int fd() const noexcept
  {
    return fd_;
  }

  object_id object() const noexcept
  {
    return &object_;
  }

  /// Whether the descriptor is borrowed: its owner closes it after this tenure.
  bool is_borrowed() const noexcept
  {
    return borrowed_;
  }

  /// Counts the tenures in this memory, so that a late cancellation recognises its own. For its holders.
  std::uint32_t generation() const noexcept
  {
    return generation_;
  }

  // For a call that blocks: see blocked_call.

  /// A forked child adopts the context before.
  wake_events& adopted_wake_events() noexcept
  {
    note_process();
    return context_state_->kept_wake_events();
  }

  void add_blocked_thread(blocked_thread& b) noexcept
  {
    const std::lock_guard<sys::mutex> lock(mutex());
    blocked_threads().add(b);
  }

  void remove_blocked_thread(blocked_thread& b) noexcept
  {
    const std::lock_guard<sys::mutex> lock(mutex());
    blocked_threads().remove(b);
  }

  /// From now on a closer wakes the list.
  void announce_blocked_thread() noexcept
  {
    word_.apply<word::announce_blocked_thread>();
  }

  /// For operations, before the thread leaves or the user's handler runs.
  received_errors& errors() noexcept
  {
    return errors_;
  }

  // --- Closing. Any thread that holds the tenure.

  /// Detaches now, or when the last thread inside leaves. The worker closes the descriptor.
  void demand_detach() noexcept;

  /// For the destructor and the shutdown: the same, but that the thread that detaches also closes the descriptor,
  /// unless that may block.
  void demand_close() noexcept;

  /// For `close()`: the same as demand_close, except that it has no effect in a flush.
  void demand_close_unless_flushing() noexcept;

  /// Has the worker demand the detach if the strand's step has not run within the watch time.
  void demand_detach_later() noexcept;

  /// After a close: waits until close(2) has been called, unless a lease delays it; at most for
  /// close_progress::await_time, because a thread inside, or a close that is queued before, may take longer.
  /// The caller keeps the object, and with it the tenure.
  void await_close() noexcept;

  /// On EMFILE or ENFILE: waits for a short time until the closes that are queued have been made.
  void await_queued_closes() noexcept;

  /// Begins a close, or joins one: word::begin_close, or word::begin_flush for a close that delivers. If the connection
  /// has ended, that flush is over at once. The caller is inside by enter_to_close, and stays so.
  duty begin_close(bool flush = false) noexcept;

  /// Has the worker end the flush at the close's deadline, or when writes stall. The caller holds the tenure.
  void watch_flush() noexcept;

  /// Ends the flush. The caller is inside, or a handler of the tenure.
  void end_flush() noexcept;

  /// How many writes have started in the flush, which shows its progress. Any time.
  std::uint32_t flush_steps() const noexcept override
  {
    return flush_steps_.load(std::memory_order_relaxed);
  }

  /// How many writes have been refused because of the flush. Any time.
  std::uint32_t refused_writes() const noexcept
  {
    return refused_writes_.load(std::memory_order_relaxed);
  }

  /// Adds `c` to the waiters of this tenure's close. False: the close is over or the context is shut down;
  /// `c` stays the caller's then. The caller is inside.
  bool add_close_waiter(close_waiter& c) noexcept;

  /// Removes the close waiter with this link and returns it; null if it has been served. Any time, with a
  /// reference on the memory.
  close_waiter_pointer withdraw_close_waiter(const void* link, std::uint32_t generation) noexcept;

  /// If the tenure is still of this generation: makes the close stronger. A mode that does not deliver demands the
  /// detach. Any time, with a reference on the memory.
  void hurry_close(std::uint32_t generation, const close_mode& mode) noexcept;

  /// Of the close under way, or of what is open: for hurry_close. Any time, with a reference on the memory.
  std::uint32_t current_generation() const noexcept
  {
    const std::lock_guard<sys::mutex> lock(mutex());
    return generation_;
  }

  /// The outcome of the close: for serve_close_waiters, and for a caller that add_close_waiter has refused.
  /// False: the context has been shut down, and `v` is unchanged.
  bool outcome(close_verdict& v) noexcept;

  /// Requests the close in this mode. `plan` serves the close if it has none yet. The caller is inside.
  void demand_mode(const close_mode& mode, close_plan_pointer plan) noexcept;

  /// A closer without a mode joins the close. The caller is inside.
  void demand_plainly() noexcept;

  tenure_marks& marks() noexcept
  {
    return marks_;
  }

  const tenure_marks& marks() const noexcept
  {
    return marks_;
  }

  /// The close of what the descriptor carries waits for this, before that of the descriptor. The caller is inside.
  void announce_close(close_stage waits_for) noexcept
  {
    if (!marks_.announced())
      note_begin();
    marks_.announce(waits_for);
  }

  /// The step with this token runs: completes every close waiter, and leaves for the step. No effect if the
  /// step has been given up.
  static void serve_close_waiters(boost::intrusive_ptr<tenure_base> t, step_token token);

  /// The step with this token was destroyed uninvoked.
  void step_dropped(step_token token) noexcept;

  // --- Leases.

  /// Takes a lease. The caller is inside. False: too many leases are out.
  bool lend() noexcept
  {
    return word_.apply<word::lend>() == duty::none;
  }

  /// A lease has ended. The tenure may be gone afterwards.
  void lease_done() noexcept
  {
    act(word_.apply<word::lease_done>());
  }

  // --- Belonging to an object. `recycle` and `publish`: under the object's mutex.

  void disown() noexcept
  {
    act(word_.apply<word::disown>());
  }

  /// Takes an ended or vacant tenure up again. False: it is still in use, or the context is down.
  bool recycle() noexcept;

  /// Before the descriptor enters or leaves the reactor, and before a close: detects a fork that the context was not
  /// notified of. The caller keeps the tenure from being disposed of.
  void note_process() noexcept
  {
    context_state_->note_process();
  }

  /// Passage to the context, for the time of posting something to it, or of putting a descriptor into its
  /// reactor. False: the context is shutting down.
  context_state::pass pass_gate() noexcept
  {
    return context_state::pass(*context_state_);
  }

  /// Opens the tenure. False: the context is being shut down.
  bool publish() noexcept;

  /// While vacant. Resets what is known of an earlier descriptor.
  void set_kind(descriptor_kind kind) noexcept
  {
    is_of_kind(kind);
    marks_.reset();
  }

  /// While vacant.
  void set_borrowed(bool borrowed) noexcept
  {
    borrowed_ = borrowed;
  }

  /// `release()`: removes the descriptor from the reactor and gives it to the caller, unless a thread is
  /// inside or a lease is out.
  duty give_out(int& fd) noexcept;

  /// Sets SO_LINGER on the descriptor as the object was told, for the next owner.
  void restore_linger() noexcept;

  /// `give_out` in two steps: one of the first two, then, when the Asio object has its new owner, gave_out.
  /// If the owner is a tenure, `successor`, it counts one handler until this tenure finishes.
  duty begin_give_out() noexcept
  {
    return word_.apply<word::give_out>();
  }

  duty give_out_to(tenure_base& successor) noexcept;
  void gave_out() noexcept;

  const context_state_pointer& shared() const noexcept
  {
    return context_state_;
  }

  // --- The memory. Any thread.

  void keep_memory() noexcept final
  {
    object_.keep();
  }

  void drop_memory() noexcept final
  {
    object_.drop();
  }

  friend void intrusive_ptr_add_ref(tenure_base* t) noexcept
  {
    t->keep_memory();
  }

  friend void intrusive_ptr_release(tenure_base* t) noexcept
  {
    t->drop_memory();
  }

  // --- What is told.

  standing look() const noexcept final;
  std::optional<close_in_progress> describe() const noexcept final;

protected:
  /// The object keeps the memory for the tenure, until dispose.
  tenure_base(object_memory& object, context_state_pointer shared) noexcept;
  ~tenure_base() override = default;

  /// Takes the descriptor out of the Asio object (its release()) and destroys the Asio object.
  virtual void release_inner() noexcept = 0;

  /// Whether the context is being shut down. Under the mutex.
  bool is_down() const noexcept
  {
    return down_;
  }

private:
  INTERLOCK_HOT void act(duty d) noexcept
  {
    if (d != duty::none)
      act_slowly(d);
  }

  INTERLOCK_COLD void act_slowly(duty d) noexcept;
  template <atomic_word::transition Demand>
  void demand() noexcept;
  void note_outstanding(word::value before, bool flush) noexcept;
  void note_begin() noexcept;
  void detach() noexcept;
  void leave_reactor() noexcept;
  void note_reactor_left() noexcept;
  void part_with_descriptor() noexcept;
  void finish() noexcept;
  void hand_over_close_waiters() noexcept;
  bool post_step() noexcept;
  close_waiter_list take_close_waiters() noexcept;

  void drop_context() noexcept;
  void leave_to_shutdown() noexcept;
  void forget_inside() noexcept;
  void dispose() noexcept;
  void wake_blocked_threads(word::value before) noexcept;

  detached_descriptor detached(bool has_other_owner) const noexcept;

  void closed() noexcept override;
  void overdue() noexcept override;

  void flush_over() noexcept override
  {
    demand_detach();
  }

  void retry() noexcept override
  {
    hand_over_close_waiters();
  }

  void retry_never() noexcept override;
  int flush_queue() noexcept override;
  void shut_down() noexcept override;

  bool has_left_reactor() const noexcept override
  {
    return reactor_left_;
  }

  void after_fork() noexcept override;

  // The order leaves no padding.

  sys::atomic<bool> reactor_left_{true}; // a shutdown need not wait for this tenure

  // Guarded by the mutex.
  bool sealed_ : 1;           // no more close waiters: they are served, or the context is down
  bool down_ : 1;             // the context has been shut down
  bool left_to_shutdown_ : 1; // a finishing thread found the gate closed, and counts as inside

  bool borrowed_ = false; // written while the tenure is vacant

protected:
  /// Written under the mutex, once. Null if no caller has waited for a close.
  std::unique_ptr<close_sequence> sequence_;

private:
  atomic_word word_;
  object_memory& object_;
  const context_state_pointer context_state_;
  tenure_base* successor_ = nullptr; // written by the mover, read by the thread that finishes

  // Any thread counts in these. Zero while the tenure is vacant.
  sys::atomic<std::uint32_t> flush_steps_{0};
  sys::atomic<std::uint32_t> refused_writes_{0};

  std::uint32_t generation_ = 0; // written under the mutex; readers hold it or the tenure
  received_errors errors_;
  tenure_marks marks_;
};

// In the header, not in src/: a program and its shared objects must see one list of running handlers.

inline void running_handler::reopened(object_id object) noexcept
{
  for (running_handler* m = top_; m; m = m->below_)
    if (m->tenure_ && m->tenure_->object() == object)
      m->tenure_ = nullptr;
}

// The innermost running handler of an object is the one that counts.
inline const running_handler* running_handler::innermost(object_id object) noexcept
{
  for (const running_handler* m = top_; m; m = m->below_)
    if (m->tenure_ && m->tenure_->object() == object)
      return m;
  return nullptr;
}

inline tenure_base* running_handler::tenure_of(object_id object) noexcept
{
  const running_handler* m = innermost(object);
  return m ? m->tenure_ : nullptr;
}

inline bool running_handler::running_write(const tenure_base& tenure) noexcept
{
  const running_handler* m = innermost(tenure.object());
  return m && m->tenure_ == &tenure && m->of_write_;
}

inline running_handler::counts running_handler::of_tenure(const tenure_base& tenure) noexcept
{
  counts c;
  for (const running_handler* m = top_; m; m = m->below_)
    if (m->tenure_ == &tenure)
      ++(m->of_write_ ? c.writes : c.others);
  return c;
}

inline bool running_handler::allows(const tenure_base& tenure) noexcept
{
  const tenure_base* running_here = tenure_of(tenure.object());
  return !running_here || running_here == &tenure;
}

// Handlers that run here have noted what they received; a flush waits for its writes. Any other outstanding operation
// may receive an error until the detach, which waits for the caller to leave.
inline void tenure_base::note_outstanding(word::value before, bool flush) noexcept
{
  const running_handler::counts here = running_handler::of_tenure(*this);
  const word::value waited_for = flush ? word::writes(before) : here.writes;
  if (word::handlers(before) == waited_for + here.others)
    errors_.note_none_outstanding();
}

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_TENURE_TENURE_BASE_HPP
