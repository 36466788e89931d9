// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/closing/elastic_lane.hpp>

#include <algorithm>
#include <memory>
#include <new>
#include <utility>

#include <interlock/detail/closing/close_call.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// One thread of the lane. Freed by the thread that joins it. But for `thread` and `share` guarded by the lane's mutex.
class elastic_lane::member : private list_node
{
public:
  library_thread thread;
  thread_owner::hold* share = nullptr; // in what holds the lane; the thread's own, null at its end
  bool is_started = false;             // before it does anything
  bool is_reported = true;             // if it closes: not to be reported
  int descriptor = no_descriptor;      // that it closes
  sys::clock::time_point begun;

private:
  friend class intrusive_list<member>;
};

elastic_lane::~elastic_lane()
{
  join(ended_threads_);
}

bool elastic_lane::add(
  close_job& job, close_step how, thread_owner& owner, fork_gate::round& entered) noexcept
{
  lock_type lock(*mutex_);
  if (!stopped_ && queued_ >= idle_ && closing_ < options_.max_threads)
    start_closing(lock, owner, &entered);
  if (stopped_ || closing_ == 0)
    return false;
  job.how_ = how;
  jobs_.push_back(job);
  ++queued_;
  added_->notify_one();
  // No other thread adds meanwhile: there is one worker. The new thread begins when the lock is free.
  if (options_.on_slow_close && !reporting_)
    reporting_ = start(lock, owner, &elastic_lane::report_slow, &entered);
  return true;
}

// --- Threads.

// Unlocks meanwhile: the factory is the user's. `entered`, of a thread inside the gate: the factory may take a lock
// that a thread has which forks.
bool elastic_lane::start(
  lock_type& lock, thread_owner& owner, work what, fork_gate::round* entered) noexcept
{
  std::unique_ptr<member> m(new (std::nothrow) member);
  if (!m)
    return false;
  threads_.push_back(*m);
  lock.unlock();
  if (entered)
    gate_.begin_call(*entered);
  const bool started = m->thread.start(options_.thread_factory, "interlock-close",
    [this, self = m.get(), what, share = thread_owner::hold(owner)]() mutable
    {
      self->share = &share;
      run(*self, what);
    });
  if (entered)
    *entered = gate_.end_call(*entered);
  lock.lock();
  if (started)
    m.release()->is_started = true;
  else
    threads_.remove(*m);
  changed_->notify_all();
  return started;
}

bool elastic_lane::start_closing(
  lock_type& lock, thread_owner& owner, fork_gate::round* entered) noexcept
{
  ++closing_;
  const bool started = start(lock, owner, &elastic_lane::close_jobs, entered);
  if (!started)
    --closing_;
  return started;
}

void elastic_lane::run(member& self, work what) noexcept
{
  lock_type lock(*mutex_);
  changed_->wait(lock, [&self] { return self.is_started; });
  (this->*what)(self, lock);
  self.share = nullptr;
  if (lock.owns_lock())
    end(self, lock);
}

// Joins those that have ended before, so that no more than one is left of them. A forked child reads the lists, so they
// change inside the gate only. The threads that are joined may run a function of the user's to its end.
void elastic_lane::end(member& self, lock_type& lock) noexcept
{
  lock.unlock();
  const fork_gate::round entered = gate_.enter();
  lock.lock();
  intrusive_list<member> earlier(std::move(ended_threads_));
  threads_.remove(self);
  ended_threads_.push_back(self);
  changed_->notify_all();
  lock.unlock();
  gate_.leave(entered);
  join(earlier);
}

// --- Closing.

void elastic_lane::close_jobs(member& self, lock_type& lock) noexcept
{
  while (await_job(lock))
    close_next(self, lock);
  --closing_;
}

// False: there has been none for `idle_time`, or there will be none.
bool elastic_lane::await_job(lock_type& lock) noexcept
{
  ++idle_;
  added_->wait_for(lock, idle_time, [this] { return queued_ != 0 || stopped_; });
  --idle_;
  return queued_ != 0;
}

// Another thread may have taken the job for which this one has come.
void elastic_lane::close_next(member& self, lock_type& lock) noexcept
{
  lock.unlock();
  fork_gate::round entered = gate_.enter();
  lock.lock();
  if (close_job* const job = jobs_.pop_front())
  {
    --queued_;
    self.descriptor = job->fd_;
    self.begun = sys::clock::now();
    self.is_reported = false;
    if (reporting_)
      changed_->notify_all();
    lock.unlock();
    entered = close_call::make(*job, job->how_, progress_, gate_, entered);
    lock.lock();
    self.descriptor = no_descriptor;
    self.is_reported = true;
  }
  lock.unlock();
  gate_.leave(entered);
  lock.lock();
}

void elastic_lane::add_to(close_statistics& s) noexcept
{
  const lock_type lock(*mutex_);
  s.elastic_threads += closing_ - idle_;
  s.waiting_for_threads += queued_;
}

// --- Reports.

// As long as a close is queued, or is to be reported if it is not over in time.
void elastic_lane::report_slow(member& self, lock_type& lock) noexcept
{
  const auto stopped = [this] { return stopped_; };
  const auto has_work = [this] { return stopped_ || next_slow() != nullptr; };
  while ((changed_->wait_for(lock, idle_time, has_work) || queued_ != 0) && !stopped_)
  {
    member* const slow = next_slow();
    if (!slow)
      continue;
    const auto due = slow->begun + options_.slow_close_age;
    if (sys::clock::now() < due)
      changed_->wait_until(lock, due, stopped);
    else if (!report(*slow, self, lock))
      return;
  }
  reporting_ = false;
}

// The thread of `slow` may have ended when this returns. False, and unlocked: `on_slow_close` has forked, and this is
// the child, which has not adopted the lane. Its mutexes are those of the parent.
bool elastic_lane::report(member& slow, const member& self, lock_type& lock) noexcept
{
  slow_close about;
  about.descriptor = slow.descriptor;
  about.age = sys::clock::now() - slow.begun;
  about.waiting = queued_;
  threads_.for_each([&](member& m) { about.under_way += m.descriptor != no_descriptor; });
  slow.is_reported = true;
  lock.unlock();
  const fork_gate::round entered = gate_.enter();
  gate_.begin_call(entered);
  options_.on_slow_close(about);
  if (!self.share->is_of_this_process())
    return false;
  gate_.leave(gate_.end_call(entered));
  lock.lock();
  return true;
}

// The one that has been under way for the longest time, of those that are to be reported.
elastic_lane::member* elastic_lane::next_slow() const noexcept
{
  member* first = nullptr;
  threads_.for_each(
    [&first](member& m)
    {
      if (!m.is_reported && (!first || m.begun < first->begun))
        first = &m;
    });
  return first;
}

// --- The end.

void elastic_lane::join(intrusive_list<member>& ended) noexcept
{
  while (member* m = ended.pop_front())
  {
    m->thread.join();
    delete m;
  }
}

void elastic_lane::stop(sys::clock::time_point end, thread_owner& owner) noexcept
{
  lock_type lock(*mutex_);
  if (std::exchange(stopped_, true))
    return;
  added_->notify_all();
  changed_->notify_all();
  for (std::size_t more = std::min(queued_, options_.max_threads); more != 0; --more)
    if (!start_closing(lock, owner, nullptr))
      break;
  changed_->wait_until(lock, end, [this] { return others_have_ended(); });
  intrusive_list<member> ended(std::move(ended_threads_));
  lock.unlock();
  join(ended);
}

// All threads but the calling one: `on_slow_close` may end the context.
bool elastic_lane::others_have_ended() const noexcept
{
  const auto is_other = [](member& m) { return !m.is_started || !m.thread.is_current(); };
  return threads_.find(is_other) == nullptr;
}

void elastic_lane::forget(member& gone) noexcept
{
  gone.thread.forget_after_fork();
  delete &gone;
}

// The calling thread may be one of the lane: `on_slow_close` may fork.
void elastic_lane::stay(member& self) noexcept
{
  self.share->renew_after_fork();
  threads_.push_back(self);
}

void elastic_lane::renew_after_fork() noexcept
{
  mutex_.renew();
  added_.renew();
  changed_.renew();
  jobs_.forget_all();
  while (member* m = ended_threads_.pop_front())
    forget(*m);
  intrusive_list<member> all(std::move(threads_));
  while (member* m = all.pop_front())
    m->share && m->thread.is_current() ? stay(*m) : forget(*m);
  queued_ = closing_ = idle_ = 0;
  reporting_ = false;
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
