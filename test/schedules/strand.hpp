// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What stands in the place of Asio's strand in a run: one that fails to schedule itself keeps what it was given, and
// never runs it.

#ifndef INTERLOCK_TEST_SCHEDULES_STRAND_HPP
#define INTERLOCK_TEST_SCHEDULES_STRAND_HPP

#include <deque>
#include <memory>
#include <utility>

#include <boost/asio/execution.hpp>
#include <boost/asio/execution_context.hpp>

#include "schedules/context.hpp"
#include "schedules/harness/race.hpp"
#include "schedules/harness/scheduler.hpp"

namespace schedules {

/// A strand over an executor, as Asio's: it takes a step first, and schedules itself then.
class strand
{
public:
  using inner_executor_type = executor;

  explicit strand(const executor& e)
    : inner_(e),
      state_(std::make_shared<state>())
  {
  }

  executor get_inner_executor() const noexcept
  {
    return inner_;
  }

  boost::asio::execution_context& query(boost::asio::execution::context_t c) const noexcept
  {
    return inner_.query(c);
  }

  static constexpr boost::asio::execution::blocking_t::possibly_t query(
    boost::asio::execution::blocking_t) noexcept
  {
    return boost::asio::execution::blocking.possibly;
  }

  strand require(boost::asio::execution::blocking_t::never_t) const noexcept
  {
    strand s(*this);
    s.never_ = true;
    return s;
  }

  strand require(boost::asio::execution::blocking_t::possibly_t) const noexcept
  {
    strand s(*this);
    s.never_ = false;
    return s;
  }

  template <class Function>
  void execute(Function f) const
  {
    scheduler& s = *scheduler::current();
    if (!never_ && state_->runner == s.self())
      return std::move(f)();
    task t(std::move(f));
    s.point("strand", state_.get());
    state_->steps.push_back(std::move(t));
    if (std::exchange(state_->is_scheduled, true))
      return;
    inner_.where().queue(task([kept = state_] { run(*kept); }));
  }

  friend bool operator==(const strand& a, const strand& b) noexcept
  {
    return a.state_ == b.state_;
  }

  friend bool operator!=(const strand& a, const strand& b) noexcept
  {
    return a.state_ != b.state_;
  }

private:
  struct state
  {
    std::deque<task> steps;
    bool is_scheduled = false;
    unsigned runner = choice::none;
  };

  static void run(state& s)
  {
    s.runner = scheduler::current()->self();
    while (!s.steps.empty())
    {
      task next = std::move(s.steps.front());
      s.steps.pop_front();
      race::acquire(&s);
      next();
      race::release(&s);
      scheduler::current()->point("next of a strand", &s);
    }
    s.runner = choice::none;
    s.is_scheduled = false;
  }

  executor inner_;
  std::shared_ptr<state> state_;
  bool never_ = false;
};

} // namespace schedules

#endif // INTERLOCK_TEST_SCHEDULES_STRAND_HPP
