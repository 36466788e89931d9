// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/closing/close_job.hpp>

#include <mutex>
#include <new>
#include <utility>

#include <interlock/detail/closing/close_counts.hpp>
#include <interlock/detail/closing/close_place.hpp>
#include <interlock/detail/descriptor/calls.hpp>
#include <interlock/detail/probes.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

// --- What is demanded.

bool close_job::demand(const close_mode& mode, close_plan_pointer plan) noexcept
{
  const std::lock_guard<sys::mutex> lock(mutex());
  if (decided_)
    return false;
  if (mode.what() == close_mode::kind::abort)
    abortive_ = true;
  if (!mode.delivers())
    prompt_ = true;
  if (!plan_)
    plan_ = std::move(plan);
  else if (stronger(mode.what(), plan_->demanded_))
    plan_->tighten(mode, clock::now());
  return awaited_;
}

// It may come before the plan of the leader.
bool close_job::demand_plainly() noexcept
{
  const std::lock_guard<sys::mutex> lock(mutex());
  if (decided_)
    return false;
  joined_plainly_ = true;
  return awaited_;
}

// Of a job that has been submitted while it was watched, a notice will come.
void close_job::end_watch(bool submitted) noexcept
{
  const std::lock_guard<sys::mutex> lock(mutex());
  if (submitted || !submitted_)
    watched_ = false;
}

close_request close_job::request() const noexcept
{
  close_request w;
  w.linger = linger();
  w.abortive = abortive_;
  w.prompt = prompt_;
  w.joined_plainly = joined_plainly_;
  if (plan_)
  {
    w.lead = lead_.load(std::memory_order_relaxed);
    w.planned = plan_->demanded_;
  }
  return w;
}

// What the parent has closed has not been closed as a copy.
close_circumstances close_job::circumstances(bool in_hurry) const noexcept
{
  close_circumstances p;
  p.has_descriptor = fd_ != no_descriptor;
  p.is_copy = copied_ && !gone_;
  p.is_delivered = now_at() == stage::delivered;
  p.in_hurry = in_hurry;
  return p;
}

// --- Steps.

close_step close_job::hand_over(const detached_descriptor& d, bool in_hurry) noexcept
{
  // The worker may be asking how a flush is to go on.
  const std::lock_guard<sys::mutex> lock(mutex());
  note(stage::submitted);
  fd_ = d.fd;
  kind_ = d.kind;
  set_linger(d.linger);
  was_at_once_ = d.at_once;
  received_ = d.received;
  submitted_ = true;
  awaited_ = false;
  to_be_forgotten_ = watched_;
  return next_step(request(), circumstances(in_hurry));
}

close_step close_job::settle(bool in_hurry) noexcept
{
  learn_kind();
  const close_step s = decide(in_hurry);
  if (s != close_step::look_at_linger)
    return s;
  set_linger(calls::linger_time(fd_));
  return decide(in_hurry);
}

close_step close_job::decide(bool in_hurry) noexcept
{
  const std::lock_guard<sys::mutex> lock(mutex());
  const close_step s = next_step(request(), circumstances(in_hurry));
  if (waits_for_peer(s))
    awaited_ = true;
  else if (s != close_step::look_at_linger)
    seal();
  return s;
}

// Without a leader SO_LINGER says for how long, whatever those that have joined have planned.
close_plan* close_job::plan_wait(clock::time_point now) noexcept
{
  const linger_setting told = linger();
  const auto lingering = lingering_mode(told.is_on() ? told.seconds() : 0);
  std::unique_lock<sys::mutex> lock(mutex());
  lingered_ = told.waits();
  if (!plan_)
  {
    lock.unlock();
    close_plan_pointer made(new (std::nothrow) close_plan(lingering, now));
    lock.lock();
    if (!plan_)
      plan_ = std::move(made);
  }
  if (plan_ && request().lead == close_lead::none)
    plan_->want(lingering, now);
  return plan_.get();
}

close_mode::kind close_job::way() noexcept
{
  const std::lock_guard<sys::mutex> lock(mutex());
  return way_of(request());
}

void close_job::seal() noexcept
{
  decided_ = true;
  awaited_ = false;
  if (now_at() != stage::delivered)
    write_report();
}

bool close_job::can_block(bool asynchronous) noexcept
{
  if (fd_ == no_descriptor || gone_)
    return false;
  learn_kind();
  const bool has_unread = kind_ == descriptor_kind::unix_socket && may_hold_descriptors(fd_);
  return place_of(kind_, has_unread, asynchronous) == close_place::lane;
}

void close_job::learn_kind() noexcept
{
  if (kind_ != descriptor_kind::unknown || fd_ == no_descriptor || gone_)
    return;
  kind_ = kind_of(fd_);
  // Whatever the object is, close(2) of what it was given waits for SO_LINGER.
  if (kind_ == descriptor_kind::tcp && !linger().is_supported())
    set_linger(linger_setting::unknown());
}

void close_job::close_descriptor_now(close_step how) noexcept
{
  note(stage::in_close);
  if (fd_ == no_descriptor || gone_)
    return;
  if (how == close_step::close_abortively)
    calls::set_abortive(fd_);
  else if (how == close_step::close_promptly)
    calls::clear_linger(fd_);
  probes::close(this, fd_, how == close_step::close_abortively);
  error_ = static_cast<unsigned short>(close_descriptor(fd_));
  probes::close_return(this, fd_, error_);
}

void close_job::tell_closed() noexcept
{
  note(stage::closed);
  closed();
}

void close_job::give_out() noexcept
{
  const std::lock_guard<sys::mutex> lock(mutex());
  submitted_ = true;
  fd_ = no_descriptor;
  seal();
}

// One whose close(2) had not returned was in the kernel, where the descriptor was gone already: here there is nothing
// left to be closed of it, and its report has been written.
bool close_job::begin_again() noexcept
{
  if (now_at() == stage::idle || now_at() == stage::closed)
    return false;
  gone_ = now_at() == stage::in_close;
  if (gone_)
    note(stage::delivered);
  if (now_at() != stage::delivered && plan_)
    plan_->report_ = close_report();
  if (now_at() == stage::delivering)
    note(stage::submitted);
  return true;
}

// --- Statistics and probes.

void close_job::note_opened(close_counts& counts) const noexcept
{
  counts.note_opened();
  probes::open(this, fd_);
}

void close_job::note_closed(
  close_counts& counts, close_outcome outcome, clock::duration time) const noexcept
{
  counts.note_closed(outcome, time);
  probes::outcome(
    this, fd_, static_cast<int>(outcome), error_, std::chrono::nanoseconds(time).count());
}

// --- Reports.

close_report close_job::report() const noexcept
{
  if (plan_)
    return plan_->report();
  close_report r;
  r.outcome = outcome_of(request(), circumstances(false));
  return r;
}

// Of a close that has not waited for a peer.
void close_job::write_report() noexcept
{
  if (!plan_)
    return;
  close_report& r = plan_->report_;
  r.outcome = outcome_of(request(), circumstances(false));
  r.duration = clock::now() - plan_->since_;
}

void close_job::reset() noexcept
{
  plan_.reset();
  abortive_ = prompt_ = joined_plainly_ = false;
  submitted_ = watched_ = awaited_ = decided_ = to_be_forgotten_ = false;
  note(stage::idle);
  kind_ = descriptor_kind::unknown;
  was_at_once_ = lingered_ = copied_ = gone_ = false;
  how_ = close_step::close;
  watch_until_ = clock::time_point();
  set_linger(linger_setting::unsupported());
  fd_ = no_descriptor;
  error_ = 0;
  received_ = known_errors();
  lead(close_lead::none);
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
