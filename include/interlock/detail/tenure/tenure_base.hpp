// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A tenure: the time in which one descriptor is ours. This is the part that does not depend
// on Asio.
//
// The word says who may touch the descriptor and who does what next; this class does it. A tenure is
// held by its object, by each handler outstanding, by those inside, by the worker while it closes.
// When the word says that none of them is left, it is disposed of. Cancellation slots of users may
// still point at the memory then: they hold a reference on it, find that the tenure does not let
// them in, and do nothing.

#ifndef INTERLOCK_DETAIL_TENURE_TENURE_BASE_HPP
#define INTERLOCK_DETAIL_TENURE_TENURE_BASE_HPP

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include <boost/system/error_code.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/closing/close_job.hpp>
#include <interlock/detail/closing/context_state.hpp>
#include <interlock/detail/descriptor/waiting.hpp>
#include <interlock/detail/tenure/atomic_word.hpp>
#include <interlock/detail/tenure/close_waiter.hpp>
#include <interlock/detail/tenure/running_handler.hpp>

namespace interlock
{
inline namespace abi_0
{
namespace detail
{

class INTERLOCK_DECL tenure_base : public close_job, public context_member
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

  /// To cancel something that is outstanding: in a flush as well.
  duty enter_to_cancel() noexcept
  {
    return word_.apply<word::enter_to_cancel>();
  }

  /// In a flush, as enter_with_write, for the handler of a write of this tenure that starts the next one.
  duty chain_write() noexcept
  {
    const duty d = word_.apply<word::chain_write>();
    if (d == duty::none)
      flush_steps_.fetch_add(1, std::memory_order_relaxed);
    return d;
  }

  /// A write has not been let in. Counts if that was because of a flush.
  void note_refused_write() noexcept
  {
    if (current_phase() == phase::flushing)
      refused_writes_.fetch_add(1, std::memory_order_relaxed);
  }

  /// The last thing that one who was inside does to the tenure: it may be gone afterwards.
  INTERLOCK_HOT void leave() noexcept
  {
    act(word_.apply_open<word::leave>());
  }

  /// A handler has run and been destroyed, or been destroyed uninvoked. The tenure may be gone
  /// afterwards.
  INTERLOCK_HOT void handler_done() noexcept
  {
    act(word_.apply_open<word::handler_done>());
  }

  /// The same for the handler of a write. The last one of a flush detaches.
  INTERLOCK_HOT void write_done() noexcept
  {
    act(word_.apply_open<word::write_done>());
  }

  /// One more handler outstanding, for whoever keeps the tenure from ending: a handler of its own
  /// that runs, or the opener.
  duty add_handler() noexcept
  {
    return word_.apply<word::add_handler>();
  }

  phase current_phase() const noexcept
  {
    return word_.current_phase();
  }

  /// For those inside, and for the one who detaches.
  int fd() const noexcept
  {
    return fd_;
  }

  object_id object() const noexcept
  {
    return object_;
  }

  /// Whether somebody else owns the descriptor, and closes it when this tenure is over.
  bool is_borrowed() const noexcept
  {
    return borrowed_;
  }

  /// Counts the tenures in this memory, so that a late cancellation knows its own. For those
  /// inside.
  std::uint64_t generation() const noexcept
  {
    return generation_;
  }

  /// Blocks until the descriptor is ready for `events`. False, with ec set: the object is being closed,
  /// or a signal came. The caller is inside.
  bool wait(short events, error_code& ec) noexcept;

  // --- Ending. Any thread that holds the tenure.

  /// Detach now, or when the last inside has left.
  void demand_detach() noexcept;

  /// For `close()`: the same, but that a flush goes on.
  void demand_detach_unless_flushing() noexcept;

  /// `demand_detach`, if the strand's step has not come within the worker's watch time.
  void demand_detach_later() noexcept;

  /// After a close: waits, for a short time, until close(2) has been called, unless a lease delays
  /// it. Not for long, since somebody inside or before it in the queue may take longer. The tenure is
  /// the object's, which the caller keeps.
  void await_close() noexcept;

  /// For want of descriptors: waits, for a short time, until those queued for close(2) are closed.
  void await_queued_closes() noexcept;

  /// The first step of async_close: see word::begin_close. `flush`: of a close that delivers, see
  /// word::begin_flush.
  duty begin_close(bool flush = false) noexcept;

  /// The flush ends when the close may not wait any longer. The caller holds the tenure.
  void watch_flush() noexcept;

  /// A joiner who does not wait ends the flush. He is inside.
  void end_flush() noexcept;

  /// How many writes have been started in the flush: it makes progress. Any time.
  std::uint32_t flush_steps() const noexcept override
  {
    return flush_steps_.load(std::memory_order_relaxed);
  }

  /// How many writes have been refused because of the flush. Any time.
  std::uint32_t refused_writes() const noexcept
  {
    return refused_writes_.load(std::memory_order_relaxed);
  }

  /// Serves `c` with the close of this tenure. False: that is over, and `c` is the caller's. The
  /// caller is inside.
  bool add_close_waiter(close_waiter& c) noexcept;

  /// Takes the closer with this link out, if it has not been served. Any time, with a reference on the
  /// memory.
  close_waiter_pointer withdraw_close_waiter(const void* link, std::uint64_t generation) noexcept;

  /// Detaches now, in the tenure of this generation; `abort`: with what has been sent but not been
  /// delivered thrown away. Any time, with a reference on the memory.
  void hurry_close(std::uint64_t generation, bool abort) noexcept;

  /// What became of the close, for whoever was refused by add_close_waiter: nothing if its context has
  /// been shut down.
  bool outcome(close_verdict& v) noexcept;

  /// Somebody wants the close in this mode; `plan` is for it, should it be the first. The caller is
  /// inside.
  void demand_mode(const close_mode& mode, close_plan_pointer plan) noexcept;

  /// Somebody joins the close without having said how. The caller is inside.
  void demand_plainly() noexcept;

  /// For a close whose callers have not said how.
  linger_setting linger() const noexcept
  {
    return linger_.load(std::memory_order_relaxed);
  }

  void set_linger(linger_setting s) noexcept
  {
    linger_.store(s, std::memory_order_relaxed);
  }

  /// On the strand: completes every closer. The caller is inside; this is how it leaves.
  void serve_close_waiters();

  /// The posted call of serve_close_waiters was destroyed without having been made.
  void close_waiters_dropped() noexcept;

  // --- Leases.

  /// The caller is inside. False: there are too many.
  bool lend() noexcept
  {
    return word_.apply<word::lend>() == duty::none;
  }

  /// The tenure may be gone afterwards.
  void lease_done() noexcept
  {
    act(word_.apply<word::lease_done>());
  }

  // --- Belonging to an object. The object's mutex.

  void disown() noexcept
  {
    act(word_.apply<word::disown>());
  }

  /// Takes an ended tenure up again, if nobody looks at it any more.
  bool recycle() noexcept;

  /// Before the descriptor gets into the reactor: see context_state::note_process.
  void note_process() noexcept
  {
    context_state_->note_process();
  }

  /// False: the context is being shut down.
  bool publish() noexcept;

  /// While vacant.
  void set_borrowed(bool borrowed) noexcept
  {
    borrowed_ = borrowed;
  }

  /// `release()`: takes the descriptor out of the reactor and gives it to the caller, unless somebody
  /// is inside or has a lease.
  duty give_out(int& fd) noexcept;

  /// Whoever gets the descriptor finds SO_LINGER on it as the object was told.
  void restore_linger() noexcept;

  /// The same in two steps, for an Asio object that goes to another owner: it is moved between
  /// them. Where that is `successor`, handlers outstanding here count as the successor's too.
  duty begin_give_out() noexcept;
  duty give_out_to(tenure_base& successor) noexcept;
  void gave_out() noexcept;

  // --- The memory. Any thread.

  void keep_memory() noexcept final
  {
    memory_references_.fetch_add(1, std::memory_order_relaxed);
  }

  void drop_memory() noexcept final
  {
    if (memory_references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      delete this;
  }

  friend void intrusive_ptr_add_ref(tenure_base* t) noexcept
  {
    t->keep_memory();
  }

  friend void intrusive_ptr_release(tenure_base* t) noexcept
  {
    t->drop_memory();
  }

protected:
  tenure_base(object_id object, std::shared_ptr<context_state> shared);
  virtual ~tenure_base();

  /// Takes the descriptor from the Asio object and destroys that.
  virtual void release_inner() noexcept = 0;

  /// Posts a call of serve_close_waiters to the strand. May throw: then none has been posted.
  virtual void post_close_waiters() = 0;

  /// Destroys what belongs to the execution context.
  virtual void drop_context() noexcept = 0;

  /// Keeps the context as it is, for the time of handing something to it; false if that is over.
  context_state::pass pass_gate() noexcept
  {
    return context_state::pass(*context_state_);
  }

  /// Whether the context is being shut down. Under mutex_.
  bool is_down() const noexcept
  {
    return down_;
  }

  std::mutex mutex_;       // never held while user code can run
  int fd_ = no_descriptor; // written while the tenure is vacant

private:
  INTERLOCK_HOT void act(duty d) noexcept
  {
    if (d != duty::none)
      act_slowly(d);
  }

  INTERLOCK_COLD void act_slowly(duty d) noexcept;
  template <atomic_word::transition Demand>
  void demand() noexcept;
  void detach() noexcept;
  void leave_reactor() noexcept;
  void note_reactor_left() noexcept;
  void part_with_descriptor() noexcept;
  void finish() noexcept;
  void hand_over_close_waiters() noexcept;
  bool post_step() noexcept;
  close_waiter_list take_close_waiters() noexcept;
  void destroy_close_waiters() noexcept;
  void leave_to_shutdown() noexcept;
  void dispose() noexcept;
  void wake_blocked_threads(word::value before) noexcept;

  void closed() noexcept override;
  void expired() noexcept override;
  int flush_queue() noexcept override;
  void shut_down() noexcept override;
  bool has_left_reactor() const noexcept override;
  void after_fork() noexcept override;

  // The posting of serve_close_waiters: who destroys the step unmade, and who posted it, find out about
  // each other here.
  enum class step_state : unsigned char
  {
    posting,
    posted,
    dropped
  };

  // This and refused_writes_ are counted in any thread, and zero again while the tenure is vacant. Each
  // is where there was room.
  std::atomic<std::uint32_t> flush_steps_{0};
  atomic_word word_;
  const object_id object_;
  std::uint64_t generation_ = 0; // written while the tenure is vacant
  std::shared_ptr<context_state> context_state_;
  std::atomic<unsigned> memory_references_{1};
  std::atomic<step_state> step_{step_state::posting};
  std::atomic<bool> reactor_left_{true}; // the context may go
  std::atomic<linger_setting> linger_{linger_setting::unknown()};

  // Guarded by mutex_.
  blocked_thread_list blocked_threads_;
  close_waiter_list close_waiters_;
  bool sealed_ = false;           // the closers have been, or are being, served
  bool down_ = false;             // the context has been shut down
  bool left_to_shutdown_ = false; // a finisher found the gate closed, and is still inside

  bool borrowed_ = false; // written while the tenure is vacant
  std::atomic<std::uint32_t> refused_writes_{0};
  tenure_base* successor_ = nullptr; // written by the mover, read by the one who finishes
};

// In the header, not in src/: the mark of a thread has to be one and the same in all of a program.

inline void running_handler::reopened(object_id object) noexcept
{
  for (running_handler* m = top_; m; m = m->below_)
    if (m->tenure_ && m->tenure_->object() == object)
      m->tenure_ = nullptr;
}

// The innermost mark of an object is the one that counts.
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

inline bool running_handler::allows(const tenure_base& tenure) noexcept
{
  const tenure_base* running_here = tenure_of(tenure.object());
  return !running_here || running_here == &tenure;
}

/// For a write that enter_with_write has `refused`: a flush lets it in if it goes on with one that the
/// flush waits for, and counts it otherwise.
INTERLOCK_COLD inline duty write_late(tenure_base& t, duty refused) noexcept
{
  duty d = refused;
  if (d == duty::refuse && running_handler::running_write(t))
    d = t.chain_write();
  if (d != duty::none)
    t.note_refused_write();
  return d;
}

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_TENURE_TENURE_BASE_HPP
