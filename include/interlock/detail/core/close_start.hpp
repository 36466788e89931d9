// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// How a close begins: its caller leads it, joins a close that is under way, or receives the outcome of one
// that is over.

#ifndef INTERLOCK_DETAIL_CORE_CLOSE_START_HPP
#define INTERLOCK_DETAIL_CORE_CLOSE_START_HPP

#include <memory>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/close_mode.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/closing/close_decision.hpp>
#include <interlock/detail/closing/close_plan.hpp>
#include <interlock/detail/core/inner_traits.hpp>
#include <interlock/detail/core/tenure.hpp>
#include <interlock/detail/tenure/close_waiter.hpp>
#include <interlock/detail/tenure/guards.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// The error of a refused transition. None for other duties; `busy` too, which its callers report as in_use.
inline boost::system::error_code refusal(duty d) noexcept
{
  if (d == duty::refuse)
    return boost::asio::error::bad_descriptor;
  if (d == duty::overflow)
    return boost::asio::error::no_buffer_space;
  return boost::system::error_code();
}

/// What the closer waits for.
enum class close_goal
{
  close,  ///< The outcome of the close.
  release ///< The descriptor, when nothing can touch it any more.
};

/// The error for a caller that finds nothing to close, or to release. `how`: the mode it requested, or null.
inline boost::system::error_code nothing_open(close_goal what, const close_mode* how) noexcept
{
  if (what == close_goal::release)
    return boost::asio::error::bad_descriptor;
  return how ? validate(*how) : boost::system::error_code();
}

template <class Inner>
class close_start
{
public:
  using tenure_type = tenure<Inner>;
  using executor_type = typename Inner::executor_type;
  using error_code = boost::system::error_code;

  close_start(close_goal what, close_waiter_pointer c) noexcept
    : what_(what),
      close_waiter_(std::move(c))
  {
  }

  /// Begins in `t`, the object's current tenure. False: the object has another tenure by now.
  bool begin_in(tenure_type& t, const executor_type& ex)
  {
    t.note_process();
    const duty entered = t.enter_to_close();
    if (entered == duty::refuse)
      return false;
    if (entered == duty::none)
      go_on(t, begin_inside(t, ex), ex);
    else
      complete({refusal(entered)});
    return true;
  }

  /// Nothing has been opened on the object.
  void complete_unopened()
  {
    complete({nothing_open(what_, close_waiter_->mode())});
  }

private:
  // What the caller requests. Without a plan: no mode.
  struct demand
  {
    close_mode mode = close_mode::immediate();
    close_plan_pointer plan;
    close_lead leader = close_lead::mode; // if there is a plan

    void lead(tenure_type& t) noexcept
    {
      if (!plan)
        return;
      t.lead(leader);
      add_to(t);
    }

    void add_to(tenure_type& t) noexcept
    {
      t.demand_mode(mode, std::move(plan));
    }
  };

  // A mode that is not supported here closes at once all the same: its caller is done with the object.
  demand demand_of(tenure_type& t)
  {
    demand how;
    if (const close_mode* wanted = close_waiter_->mode())
    {
      error_code ec = validate(*wanted);
      if (!ec && wanted->delivers() && (!can_deliver<Inner>::value || t.is_borrowed()))
        ec = boost::asio::error::operation_not_supported;
      if (ec)
        close_waiter_->refuse_mode(ec.value());
      else
        how.mode = *wanted;
    }
    else if (t.linger().is_on() && !t.is_borrowed())
    {
      how.leader = close_lead::linger;
      how.mode = lingering_mode(t.linger().seconds());
    }
    else
      return how;
    how.plan = std::make_unique<close_plan>(how.mode);
    return how;
  }

  // What a closer does when it is not inside any more, and what it keeps of the tenure for that.
  struct continuation
  {
    enum class act
    {
      nothing,
      flush, // the last write demands the detach
      step   // the strand's step demands it
    };

    act next = act::nothing;
    handler_count for_step;
    handler_count own;
  };

  // Inside, the tenure cannot be recycled: what is read of it holds for the descriptor that is closed.
  continuation begin_inside(tenure_type& t, const executor_type& ex)
  {
    const leave_guard leaves(t);
    t.ensure_sequence(ex);
    demand how = what_ == close_goal::close ? demand_of(t) : demand();
    const duty d = t.begin_close(how.plan && how.mode.delivers());
    if (d == duty::none || d == duty::flush)
      return lead(t, std::move(how), d);
    if (d == duty::join)
      join(t, std::move(how));
    else
      complete({refusal(d)});
    return continuation();
  }

  // Not inside, because the strand may run the step within the call.
  static void go_on(tenure_type& t, continuation c, const executor_type& ex) noexcept
  {
    if (c.next == continuation::act::flush)
      t.watch_flush();
    else if (c.next == continuation::act::step)
      t.dispatch_detach(std::move(c.for_step), ex);
  }

  // begin_close has counted both handlers.
  continuation lead(tenure_type& t, demand how, duty d) noexcept
  {
    using act = typename continuation::act;
    how.lead(t);
    close_waiter& c = *close_waiter_.release();
    c.bind(t, true);
    // False: the context's shutdown has destroyed the earlier close waiters, and detaches.
    const bool added = t.add_close_waiter(c);
    if (!added)
      c.destroy();
    const act next = d == duty::flush ? act::flush : added ? act::step : act::nothing;
    return {next, handler_count(t), handler_count(t)};
  }

  void join(tenure_type& t, demand how)
  {
    close_verdict v;
    close_waiter_->bind(t, false);
    if (what_ == close_goal::release)
      complete({nothing_open(what_, nullptr)});
    else if (t.add_close_waiter(*close_waiter_))
    {
      close_waiter_.release();
      if (how.plan)
        how.add_to(t);
      else
        t.demand_plainly();
      if (!how.mode.delivers())
        t.end_flush();
    }
    else if (t.outcome(v))
      complete(v);
    // Otherwise the context has been shut down: the handler is destroyed uninvoked.
  }

  void complete(const close_verdict& v)
  {
    close_waiter_.release()->complete(v, hand_over::post);
  }

  const close_goal what_;
  close_waiter_pointer close_waiter_;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CORE_CLOSE_START_HPP
