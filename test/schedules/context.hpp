// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What stands in the place of Asio's io_context and its executor in a run.

#ifndef INTERLOCK_TEST_SCHEDULES_CONTEXT_HPP
#define INTERLOCK_TEST_SCHEDULES_CONTEXT_HPP

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/execution.hpp>
#include <boost/asio/execution_context.hpp>

#include "schedules/harness/kernel.hpp"
#include "schedules/harness/race.hpp"
#include "schedules/harness/scheduler.hpp"

namespace schedules {

/// A function that is called at most once.
class task
{
public:
  template <class Function>
  explicit task(Function f)
    : held_(new holder<Function>(std::move(f)))
  {
    race::release(known_);
  }

  task(task&&) noexcept = default;
  task& operator=(task&&) = delete;

  ~task()
  {
    if (held_)
      race::acquire(known_);
  }

  void operator()()
  {
    race::acquire(known_);
    const std::unique_ptr<base> once = std::move(held_);
    once->call();
  }

private:
  struct base
  {
    virtual ~base() = default;
    virtual void call() = 0;
  };

  template <class Function>
  struct holder final : base
  {
    explicit holder(Function f)
      : function(std::move(f))
    {
    }

    void call() override
    {
      Function own(std::move(function));
      std::move(own)();
    }

    Function function;
  };

  std::unique_ptr<base> held_;
  race::vector_clock known_; // to the thread that made it
};

class context;

/// A wait for a time. Its context owns it until its function has been called or dropped.
struct timer
{
  context& where;
  const duration at;
  task on_time;
};

class executor;

/// Stands in the place of Asio's reactor, which a child gets anew when its context is told of the fork.
class reactor_service final : public boost::asio::execution_context::service
{
public:
  using key_type = reactor_service;

  explicit reactor_service(boost::asio::execution_context& c)
    : boost::asio::execution_context::service(c)
  {
  }

private:
  void shutdown() override {}

  void notify_fork(boost::asio::execution_context::fork_event e) override
  {
    if (e == boost::asio::execution_context::fork_child)
      kernel::current().renew_reactor();
  }
};

class context : public boost::asio::execution_context
{
public:
  using executor_type = executor;

  context()
  {
    boost::asio::make_service<reactor_service>(*this);
  }

  ~context()
  {
    stop_services();
    destroy();
  }

  /// As io_context's shutdown: the services, the reactor, and what is queued, outside of any lock.
  void stop_services()
  {
    const duration begun = scheduler::current()->now();
    shutdown();
    reactor_.was_cut_short |= scheduler::current()->now() - begun >= std::chrono::seconds(1);
    reactor_.is_down = true;
    destroy_queue();
  }

  const schedules::reactor& reactor() const
  {
    return reactor_;
  }

  executor get_executor() noexcept;

  /// Runs what is queued, and what will be, until `over()` holds and nothing is queued. More than one thread may.
  template <class Over>
  void run_until(Over over);

  /// The same, until handlers that count have been called.
  template <class... Calls>
  void run_until_called(const Calls&... handlers)
  {
    run_until([&] { return (... && (handlers.called != 0)); });
  }

  /// Runs what is queued.
  void run_queued()
  {
    run_until([] { return true; });
  }

  /// The next so many posts of a thread fail, as when memory has run out. `queues`: they have queued the task
  /// by then.
  void refuse_posts(std::string thread, unsigned count, bool queues = false)
  {
    refused_of_ = std::move(thread);
    refused_ = count;
    refused_queue_ = queues;
  }

  void queue(task t)
  {
    scheduler& s = *scheduler::current();
    s.point("post", this);
    const bool refused = refused_ != 0 && s.name_of_self() == refused_of_;
    if (!refused || refused_queue_)
      tasks_.push_back(std::move(t));
    if (!refused)
      return;
    --refused_;
    s.point("post fails", this);
    throw std::bad_alloc();
  }

  /// From inside the reactor, whose operations own their memory.
  void queue_completion(task t)
  {
    tasks_.push_back(std::move(t));
  }

  /// Queues `t` at that time.
  std::weak_ptr<timer> start_timer(duration at, task t)
  {
    scheduler::current()->point("start of a timer", this);
    require_services("start of a timer");
    timers_.push_back(std::make_shared<timer>(timer{*this, at, std::move(t)}));
    ++timer_changes_;
    return timers_.back();
  }

  /// Its function is dropped by a thread that runs the context, unless it is queued already.
  void cancel_timer(const std::shared_ptr<timer>& t)
  {
    scheduler::current()->point("cancellation of a timer", this);
    const auto found = std::find(timers_.begin(), timers_.end(), t);
    if (found == timers_.end())
      return;
    timers_.erase(found);
    queue_completion(task([t] {}));
  }

  std::size_t timers() const
  {
    return timers_.size();
  }

  bool runs_here() const
  {
    return is_running_[scheduler::current()->self()];
  }

private:
  void run_one();

  void require_services(const char* what) const
  {
    if (reactor_.is_down)
      scheduler::current()->fail(std::string(what) + " of a context that has been shut down");
  }

  duration next_time() const
  {
    duration next = scheduler::forever;
    for (const std::shared_ptr<timer>& t : timers_)
      next = std::min(next, t->at);
    return next;
  }

  void queue_expired()
  {
    const duration now = scheduler::current()->now();
    const auto first = std::stable_partition(timers_.begin(), timers_.end(),
      [now](const std::shared_ptr<timer>& t) { return t->at > now; });
    for (auto t = first; t != timers_.end(); ++t)
      queue_completion(std::move((*t)->on_time));
    timers_.erase(first, timers_.end());
  }

  void destroy_queue()
  {
    const std::vector<std::shared_ptr<timer>> dropped_timers = std::exchange(timers_, {});
    while (!tasks_.empty())
    {
      const task dropped = std::move(tasks_.front());
      tasks_.pop_front();
    }
  }

  std::deque<task> tasks_;
  std::vector<std::shared_ptr<timer>> timers_;
  unsigned timer_changes_ = 0; // lets a thread that waits look at the times again
  std::array<bool, scheduler::most_threads> is_running_{}; // the threads in run_until
  schedules::reactor& reactor_ = kernel::current().make_reactor();
  unsigned refused_ = 0;
  bool refused_queue_ = false;
  std::string refused_of_;
};

class executor
{
public:
  explicit executor(context& c) noexcept
    : context_(&c)
  {
  }

  boost::asio::execution_context& query(boost::asio::execution::context_t) const noexcept
  {
    return *context_;
  }

  static constexpr boost::asio::execution::blocking_t::possibly_t query(
    boost::asio::execution::blocking_t) noexcept
  {
    return boost::asio::execution::blocking.possibly;
  }

  executor require(boost::asio::execution::blocking_t::never_t) const noexcept
  {
    executor e(*this);
    e.never_ = true;
    return e;
  }

  executor require(boost::asio::execution::blocking_t::possibly_t) const noexcept
  {
    return executor(*context_);
  }

  template <class Function>
  void execute(Function f) const
  {
    if (!never_ && context_->runs_here())
      std::move(f)();
    else
      context_->queue(task(std::move(f)));
  }

  context& where() const noexcept
  {
    return *context_;
  }

  friend bool operator==(const executor& a, const executor& b) noexcept
  {
    return a.context_ == b.context_;
  }

  friend bool operator!=(const executor& a, const executor& b) noexcept
  {
    return a.context_ != b.context_;
  }

private:
  context* context_;
  bool never_ = false;
};

inline executor context::get_executor() noexcept
{
  return executor(*this);
}

template <class Over>
void context::run_until(Over over)
{
  scheduler& s = *scheduler::current();
  unsigned seen = 0;
  const auto ready = [&] { return !tasks_.empty() || over() || timer_changes_ != seen; };
  for (;;)
  {
    seen = timer_changes_;
    queue_expired();
    s.wait(when<decltype(ready)>(ready), next_time(), "run", this);
    if (tasks_.empty() && over())
      return;
    if (!tasks_.empty())
      run_one();
  }
}

inline void context::run_one()
{
  bool& is_running = is_running_[scheduler::current()->self()];
  is_running = true;
  task next = std::move(tasks_.front());
  tasks_.pop_front();
  next();
  is_running = false;
}

} // namespace schedules

#endif // INTERLOCK_TEST_SCHEDULES_CONTEXT_HPP
