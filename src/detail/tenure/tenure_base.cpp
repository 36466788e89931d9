// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/tenure/tenure_base.hpp>

#include <interlock/detail/descriptor/calls.hpp>
#include <interlock/detail/descriptor/cancellation_disabled.hpp>
#include <interlock/detail/descriptor/socket_facts.hpp>
#include <interlock/detail/probes.hpp>
#include <interlock/detail/sys.hpp>
#include <interlock/detail/tenure/guards.hpp>
#include <interlock/detail/tenure/serving_step.hpp>
#include <interlock/detail/tenure/waited_for.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

tenure_base::tenure_base(object_memory& object, context_state_pointer shared) noexcept
  : sealed_(false),
    down_(false),
    left_to_shutdown_(false),
    object_(object),
    context_state_(std::move(shared))
{
}

// --- Being inside.

void tenure_base::wake_blocked_threads(word::value before) noexcept
{
  if (!word::has_blocked_threads(before) || word::phase_of(before) > phase::closing)
    return;
  const std::lock_guard<sys::mutex> lock(mutex());
  blocked_threads().wake_all(this);
}

void tenure_base::act_slowly(duty d) noexcept
{
  const cancellation_disabled disabled;
  if (d == duty::detach)
    detach();
  else if (d == duty::close)
    part_with_descriptor();
  else if (d == duty::finish)
    finish();
  else if (d == duty::dispose)
    dispose();
}

// --- Closing.

// Before the transition, so that it is known in every later phase.
void tenure_base::note_begin() noexcept
{
  if (current_phase() == phase::open)
    context_state_->worker().note_begin(*this);
}

template <atomic_word::transition Demand>
void tenure_base::demand() noexcept
{
  const cancellation_disabled disabled;
  note_begin();
  word::value before = 0;
  const duty d = word_.apply<Demand>(&before);
  if (d == duty::detach)
    detach();
  else
    wake_blocked_threads(before);
}

void tenure_base::demand_detach() noexcept
{
  demand<word::demand>();
}

void tenure_base::demand_close() noexcept
{
  if (current_phase() <= phase::closing)
    marks_.close_at_once();
  demand<word::demand>();
}

void tenure_base::demand_close_unless_flushing() noexcept
{
  const phase p = current_phase();
  if (p == phase::open || p == phase::closing)
    marks_.close_at_once();
  demand<word::demand_unless_flushing>();
}

void tenure_base::demand_detach_later() noexcept
{
  if (current_phase() == phase::closing)
    context_state_->worker().watch(*this);
}

void tenure_base::watch_flush() noexcept
{
  context_state_->worker().watch_flush(*this);
}

int tenure_base::flush_queue() noexcept
{
  if (enter_to_cancel() != duty::none)
    return 0;
  const leave_guard leaves(*this);
  return static_cast<int>(output_queue(fd_));
}

void tenure_base::end_flush() noexcept
{
  if (current_phase() == phase::flushing)
    demand_close();
}

void tenure_base::await_close() noexcept
{
  const cancellation_disabled disabled;
  const auto under_way = [this]
  {
    const phase p = current_phase();
    return p == phase::flushing || p == phase::closing || p == phase::due || p == phase::detached;
  };
  if (!under_way())
    return;
  // Asio may have called the handler within an initiation: this thread is inside then, and must not wait.
  if (current_phase() != phase::due || running_handler::tenure_of(object()) != this)
    context_state_->worker().progress().await([&] { return !under_way(); });
}

void tenure_base::await_queued_closes() noexcept
{
  const cancellation_disabled disabled;
  context_state_->worker().progress().await_posted();
}

duty tenure_base::begin_close(bool flush) noexcept
{
  note_begin();
  word::value before = 0;
  const duty d = flush ? word_.apply<word::begin_flush>(&before)
                       : word_.apply<word::begin_close>(&before);
  if (d != duty::none && d != duty::flush)
    return d;
  note_outstanding(before, d == duty::flush);
  wake_blocked_threads(before);
  if (d == duty::flush && errors_.have_ended_connection())
    end_flush();
  return d;
}

void tenure_base::detach() noexcept
{
  leave_reactor();
  note_reactor_left();
  act(word_.apply<word::part>());
}

void tenure_base::leave_reactor() noexcept
{
  note_process();
  release_inner();
}

// The context's shutdown may be waiting for this.
void tenure_base::note_reactor_left() noexcept
{
  probes::detach(this, fd_);
  reactor_left_ = true;
  context_state_->note_progress(*this);
}

// If the descriptor has another owner, the tenure still goes to the worker, with no_descriptor, because the
// worker may be watching it for the detach.
void tenure_base::part_with_descriptor() noexcept
{
  bool taken = false;
  {
    const std::lock_guard<sys::mutex> lock(mutex());
    taken = sequence_ && sequence_->waiters.offer(fd_, !borrowed_);
  }
  // submit gives the tenure to the worker: the tenure, and with it the context state, may be gone before
  // submit returns.
  const context_state_pointer shared = context_state_;
  shared->note_process();
  if (taken || borrowed_)
    restore_linger();
  shared->worker().submit(*this, detached(taken || borrowed_));
}

// What other code may have changed is not known: the closer asks the system.
detached_descriptor tenure_base::detached(bool has_other_owner) const noexcept
{
  detached_descriptor d;
  d.fd = has_other_owner ? no_descriptor : fd_;
  d.linger = linger();
  d.kind = kind();
  d.at_once = marks_.closes_at_once();
  d.received = errors_.summarize(marks_.is_tainted());
  // Those of a flush that was cut short may still receive an error.
  d.received.are_all &= word::writes(word_.load()) == 0;
  if (marks_.is_tainted())
  {
    d.kind = descriptor_kind::unknown;
    if (d.linger == linger_setting::off())
      d.linger = linger_setting::unknown();
  }
  return d;
}

// The next owner finds on the descriptor what the object was told.
void tenure_base::restore_linger() noexcept
{
  const linger_setting told = linger();
  if (told.is_on())
    calls::set_linger(fd_, told.seconds());
}

void tenure_base::closed() noexcept
{
  const auto begun = context_state_->worker().begun(*this);
  note_closed(context_state_->counts_of(*this), report().outcome, sys::clock::now() - begun);
  act(word_.apply<word::report>());
}

bool tenure_base::add_close_waiter(close_waiter& c) noexcept
{
  const std::lock_guard<sys::mutex> lock(mutex());
  if (!sealed_)
    sequence_->waiters.push(c);
  return !sealed_;
}

close_waiter_pointer tenure_base::withdraw_close_waiter(
  const void* link, std::uint32_t generation) noexcept
{
  const std::lock_guard<sys::mutex> lock(mutex());
  return generation == generation_ && sequence_ ? sequence_->waiters.remove(link) : nullptr;
}

void tenure_base::hurry_close(std::uint32_t generation, const close_mode& mode) noexcept
{
  if (word_.apply<word::hold>() != duty::none)
    return;
  note_process();
  bool same = false;
  {
    // While it is held, the tenure cannot be recycled.
    const std::lock_guard<sys::mutex> lock(mutex());
    same = generation == generation_;
  }
  if (same)
    demand_mode(mode, nullptr);
  if (same && !mode.delivers())
    demand_close();
  leave();
}

bool tenure_base::outcome(close_verdict& v) noexcept
{
  const std::lock_guard<sys::mutex> lock(mutex());
  // After the shutdown the close may not be over, although no close waiter is added any more.
  if (!down_)
  {
    v.ec = error_code(close_error(), boost::system::system_category());
    v.report = report();
    v.report.refused_writes = refused_writes();
    v.lingered = has_lingered();
  }
  return !down_;
}

void tenure_base::demand_mode(const close_mode& mode, close_plan_pointer plan) noexcept
{
  context_state_->worker().demand(*this, mode, std::move(plan));
}

void tenure_base::demand_plainly() noexcept
{
  context_state_->worker().demand_plainly(*this);
}

// The descriptor is gone and the last handler has returned. The caller counts as inside.
void tenure_base::finish() noexcept
{
  bool served = false;
  {
    const std::lock_guard<sys::mutex> lock(mutex());
    sealed_ = true;
    served = !sequence_ || sequence_->waiters.empty();
  }
  if (tenure_base* s = std::exchange(successor_, nullptr))
  {
    s->errors_.inherit(errors_);
    s->handler_done();
  }
  if (served)
    leave();
  else
    hand_over_close_waiters();
}

// The caller counts as inside. This ends that count, or passes it on to the worker's watch or the shutdown.
void tenure_base::hand_over_close_waiters() noexcept
{
  const context_state_pointer shared = context_state_;
  const context_state::pass pass(*shared);
  if (!pass)
  {
    leave_to_shutdown();
    return;
  }
  if (post_step())
    leave();
  else
    shared->worker().retry_later(*this);
}

// The posted step counts as inside as well, until it has run or been destroyed.
bool tenure_base::post_step() noexcept
{
  if (word_.apply<word::hold>() != duty::none)
    return false;
  close_sequence& sequence = *sequence_;
  const step_token token = sequence.begin_posting();
  try
  {
    sequence.post(serving_step(*this, token));
  }
  catch (...)
  {
    if (!sequence.give_up(token))
      return true;
    leave();
    return false;
  }
  if (!sequence.end_posting(token))
  {
    take_close_waiters(); // and destroys them
    leave();
  }
  return true;
}

void tenure_base::serve_close_waiters(boost::intrusive_ptr<tenure_base> t, step_token token)
{
  if (!t->sequence_->begin_step(token))
    return;
  close_waiter_list close_waiters = t->take_close_waiters();
  close_verdict v;
  t->outcome(v);
  t->leave();
  t.reset(); // A handler may run for as long as it likes.
  close_waiters.complete_all(v);
}

void tenure_base::step_dropped(step_token token) noexcept
{
  if (!sequence_->drop_step(token))
    return;
  take_close_waiters(); // and destroys them
  leave();
}

close_waiter_list tenure_base::take_close_waiters() noexcept
{
  const std::lock_guard<sys::mutex> lock(mutex());
  return sequence_ ? std::move(sequence_->waiters) : close_waiter_list();
}

void tenure_base::drop_context() noexcept
{
  close_sequence* sequence = nullptr;
  {
    const std::lock_guard<sys::mutex> lock(mutex());
    sequence = sequence_.get();
  }
  if (sequence)
    sequence->drop_context();
}

void tenure_base::overdue() noexcept
{
  demand<word::demand_overdue>();
}

// No memory and no thread: nothing is left that could call the handlers.
void tenure_base::retry_never() noexcept
{
  take_close_waiters(); // and destroys them
  leave();
}

void tenure_base::dispose() noexcept
{
  context_state_->remove(*this);
  drop_context();
  drop_memory();
}

// --- What is told.

standing tenure_base::look() const noexcept
{
  const word::value w = word_.load();
  const auto stage = waited_for(word::phase_of(w), marks_.announced(), waits_for());
  return {!stage && word::phase_of(w) == phase::open, stage, context_state_->worker().begun(*this)};
}

// The mutex: it guards the descriptor's number against the next opening.
std::optional<close_in_progress> tenure_base::describe() const noexcept
{
  const std::lock_guard<sys::mutex> lock(mutex());
  auto c = close_under_way(word_.load(), marks_.announced(), waits_for());
  if (c)
  {
    c->descriptor = fd_;
    c->age = sys::clock::now() - context_state_->worker().begun(*this);
  }
  return c;
}

// --- The context's shutdown.

// The caller keeps only the memory. demand_close wakes blocked threads. The last thread inside, or
// demand_close if there is none, removes the descriptor from the reactor.
void tenure_base::shut_down() noexcept
{
  bool finisher_left_it = false;
  {
    const std::lock_guard<sys::mutex> lock(mutex());
    sealed_ = true;
    down_ = true;
    finisher_left_it = left_to_shutdown_;
    left_to_shutdown_ = false;
  }
  demand_close();
  take_close_waiters(); // and destroys them
  drop_context();
  if (finisher_left_it)
    leave();
}

void tenure_base::after_fork() noexcept
{
  // The descriptor is a copy of the parent's, which may change what both have in common. This process closes it
  // when the worker is there: the list of members does not change until then.
  marks_.share_with_parent();
  // The parent delivers what was being closed, and finishes its writes.
  const phase p = current_phase();
  if (p > phase::open && p < phase::closed)
    is_a_copy();
  context_state_->worker().adopt(*this);
  forget_inside();
  if (p == phase::flushing)
    demand_detach();
}

// This thread leaves as often as it has entered.
void tenure_base::forget_inside() noexcept
{
  const unsigned own = inside_mark::count(*this);
  if (own == 0)
    act(word_.apply<word::forget_inside>());
  else
    word_.apply<word::forget_others_inside>();
  for (unsigned more = 1; more < own; ++more)
    word_.apply<word::hold>();
}

// The gate is closed. The shutdown destroys the close waiters, because this thread may be the worker.
void tenure_base::leave_to_shutdown() noexcept
{
  {
    const std::lock_guard<sys::mutex> lock(mutex());
    left_to_shutdown_ = !down_;
    if (left_to_shutdown_)
      return;
  }
  leave();
}

// --- Belonging to an object.

bool tenure_base::publish() noexcept
{
  const std::lock_guard<sys::mutex> lock(mutex());
  if (down_)
    return false;
  reactor_left_ = false;
  note_opened(context_state_->counts_of(*this));
  word_.apply<word::publish>();
  return true;
}

bool tenure_base::recycle() noexcept
{
  // Held to the end, because the shutdown may come to this tenure while it is being reset.
  const std::lock_guard<sys::mutex> lock(mutex());
  if (down_ || is_watched() || word_.apply<word::recycle>() != duty::none)
    return false;
  reset();
  borrowed_ = false;
  ++generation_;
  sealed_ = false;
  flush_steps_ = 0;
  refused_writes_ = 0;
  errors_.reset();
  return true;
}

duty tenure_base::give_out(int& fd) noexcept
{
  const duty d = begin_give_out();
  if (d == duty::detach)
  {
    fd = fd_;
    leave_reactor();
    restore_linger();
    gave_out();
  }
  return d;
}

duty tenure_base::give_out_to(tenure_base& successor) noexcept
{
  const duty d = begin_give_out();
  if (d == duty::detach && successor.add_handler() == duty::none)
    successor_ = &successor;
  return d;
}

void tenure_base::gave_out() noexcept
{
  const context_state_pointer shared = context_state_;
  // A handler of an accept may still ask this tenure, after the new owner has changed the listener.
  marks_.taint();
  note_reactor_left();
  close_job::give_out();
  note_closed(context_state_->counts_of(*this), close_outcome::detached, {});
  act(word_.apply<word::report>());
  shared->worker().progress().note();
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
