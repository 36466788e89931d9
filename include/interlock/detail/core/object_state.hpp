// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The heap-stable state of one I/O object: which tenure is the current one, and those it has had.
// How a close begins, for the object's own callers and for those who have a handle.
//
// A tenure is never freed before this state: whoever has loaded `current` may still try to enter
// it, long after another has taken its place; it is then refused, or finds a later tenure of the
// same object. Tenures that have ended are used again, but never the current one, whose outcome
// late closers still ask for.

#ifndef INTERLOCK_DETAIL_CORE_OBJECT_STATE_HPP
#define INTERLOCK_DETAIL_CORE_OBJECT_STATE_HPP

#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/close_service.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/core/object_base.hpp>
#include <interlock/detail/core/tenure.hpp>
#include <interlock/detail/tenure/running_handler.hpp>
#include <interlock/error.hpp>

namespace interlock
{
inline namespace abi_0
{
namespace detail
{

inline boost::system::error_code refusal(duty d) noexcept
{
  if (d == duty::refuse)
    return boost::asio::error::bad_descriptor;
  if (d == duty::overflow)
    return boost::asio::error::no_buffer_space;
  return boost::system::error_code();
}

/// Whether a close waits, for a short time, for close(2): what has an address to itself, which is to be
/// free then.
template <class Inner>
struct frees_address : std::false_type
{
};

template <class Inner>
class object_state final : public object_base
{
public:
  using tenure_type = tenure<Inner>;
  using executor_type = typename Inner::executor_type;
  using error_code = boost::system::error_code;

  /// Null until the first open.
  tenure_type* current() const noexcept
  {
    return static_cast<tenure_type*>(object_base::current());
  }

  bool is_open() const noexcept
  {
    const tenure_type* t = current();
    return t && t->current_phase() == phase::open;
  }

  void close() noexcept override
  {
    tenure_type* t = current();
    if (!t)
      return;
    t->demand_detach_unless_flushing();
    if (frees_address<Inner>::value)
      t->await_close();
  }

  /// The object is gone: what is open is closed. Only handles are left.
  void abandon() noexcept
  {
    for (tenure_type* t = tenures_; t; t = t->next_of_object)
      t->demand_detach();
    intrusive_ptr_release(this);
  }

  /// The object has been converted into one of another type, and has no handle. A close under way
  /// takes its course.
  void leave_behind() noexcept
  {
    intrusive_ptr_release(this);
  }

  /// A vacant tenure around `inner`, the caller's until it is published or given back. Null, with ec
  /// set and `inner` as it was: nothing can be opened on this object, or on its context, any more.
  tenure_type* take_vacant(Inner&& inner, error_code& ec)
  {
    if (is_retired())
    {
      ec = error::retired;
      return nullptr;
    }
    tenure_type* t = take_ended();
    if (!t)
      t = make(context_state_for(inner));
    if (!t)
    {
      ec = boost::asio::error::operation_not_supported;
      return nullptr;
    }
    t->set_inner(std::move(inner));
    t->note_process();
    return t;
  }

  /// Opens `t`. An error: somebody else has opened or retired the object, or shut the context down, in the
  /// meantime.
  error_code publish(tenure_type& t) noexcept
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (is_retired())
      return error::retired;
    if (is_open())
      return boost::asio::error::already_open;
    t.set_descriptor(current() != nullptr);
    if (!t.publish())
      return boost::asio::error::operation_not_supported;
    t.taken_by_opener = false;
    current_.store(&t, std::memory_order_release);
    running_handler::reopened(id());
    return error_code();
  }

  /// Returns the descriptor that `t` had by then, or no_descriptor.
  int give_back(tenure_type& t) noexcept
  {
    const int fd = t.take_back();
    const std::lock_guard<std::mutex> lock(mutex_);
    t.taken_by_opener = false;
    return fd;
  }

  /// What the closer waits for.
  enum class close_goal
  {
    close,  ///< The outcome of the close.
    release ///< The descriptor, when nothing can touch that any more.
  };

  /// Detaches what is open, and completes `c` when that is over.
  void start(close_goal what, close_waiter_pointer c, const executor_type& ex)
  {
    duty d = duty::refuse;
    tenure_type* t = nullptr;
    close_demand how;
    // Only a tenure that is not the current one any more can be vacant.
    while (d == duty::refuse && (t = current()) != nullptr)
    {
      t->ensure_strand(ex);
      how = what == close_goal::close ? demand_of(*t, *c) : close_demand();
      d = t->begin_close(how.plan && how.mode.delivers());
    }
    if (d == duty::none || d == duty::flush)
      lead(*t, *c.release(), std::move(how), d);
    else if (d == duty::join)
      join(what, *t, std::move(c), std::move(how));
    else
    {
      const error_code ec = t ? refusal(d) : nothing_open(what, c->mode());
      c.release()->complete({ec}, hand_over::post);
    }
  }

  // --- For close handles.

  /// For a handle, which closes on `ex` if the state has not kept an executor before.
  object_pointer share(const executor_type& ex)
  {
    keep_executor(ex);
    return object_pointer(this);
  }

  void start_close(close_waiter_pointer c) override
  {
    start(close_goal::close, std::move(c), *executor_);
  }

  /// What a closer is told where nothing is open, and never has been. `how` may be null.
  static error_code nothing_open(close_goal what, const close_mode* how) noexcept
  {
    if (what == close_goal::release)
      return boost::asio::error::bad_descriptor;
    return how ? validate(*how) : error_code();
  }

private:
  void keep_executor(const executor_type& ex)
  {
    if (has_executor())
      return;
    auto kept = std::make_unique<executor_type>(ex);
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!executor_)
      executor_ = std::move(kept);
  }

  bool has_executor() noexcept
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    return executor_ != nullptr;
  }

  // Those who hold a tenure otherwise free it when they let go of it.
  ~object_state() override
  {
    tenure_type* t = tenures_;
    while (t)
    {
      tenure_type* next = t->next_of_object;
      t->disown();
      t = next;
    }
  }

  // How somebody wants the close: not at all in particular, without a plan.
  struct close_demand
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

  // A mode that means nothing here closes at once all the same: who closes is done with the object.
  static close_demand demand_of(tenure_type& t, close_waiter& c)
  {
    close_demand how;
    if (const close_mode* wanted = c.mode())
    {
      error_code ec = validate(*wanted);
      if (!ec && wanted->delivers() && (!can_deliver<Inner>::value || t.is_borrowed()))
        ec = boost::asio::error::operation_not_supported;
      if (ec)
        c.refuse_mode(ec.value());
      else
        how.mode = *wanted;
    }
    else if (t.linger() >= 0 && !t.is_borrowed())
    {
      how.leader = close_lead::linger;
      how.mode = lingering_mode(t.linger());
    }
    else
      return how;
    how.plan = std::make_unique<close_plan>(how.mode);
    return how;
  }

  // With a flush the last of the writes detaches, otherwise the strand's step.
  void lead(tenure_type& t, close_waiter& c, close_demand how, duty d) noexcept
  {
    handler_count for_step(t);
    const handler_count own(t);
    how.lead(t);
    c.bind(t, true);
    // Refused by the context's shutdown, which has destroyed those that came before, and detaches.
    const bool added = t.add_close_waiter(c);
    if (!added)
      c.destroy();
    t.leave();
    if (d == duty::flush)
      t.watch_flush();
    else if (added)
      t.dispatch_detach(std::move(for_step));
  }

  void join(close_goal what, tenure_type& t, close_waiter_pointer c, close_demand how)
  {
    const leave_guard leaves(t);
    close_verdict v;
    c->bind(t, false);
    if (what == close_goal::release)
      c.release()->complete({nothing_open(what, nullptr)}, hand_over::post);
    else if (t.add_close_waiter(*c))
    {
      c.release();
      if (how.plan)
        how.add_to(t);
      else
        t.demand_plainly();
      if (!how.mode.delivers())
        t.end_flush();
    }
    else if (t.outcome(v))
      c.release()->complete(v, hand_over::post);
    // Otherwise the context has been shut down: the handler is destroyed uninvoked.
  }

  tenure_type* take_ended() noexcept
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (tenure_type* t = tenures_; t; t = t->next_of_object)
    {
      if (t == current() || t->taken_by_opener || !t->recycle())
        continue;
      t->taken_by_opener = true;
      return t;
    }
    return nullptr;
  }

  // Null: the context has been shut down.
  tenure_type* make(const std::shared_ptr<context_state>& shared)
  {
    auto t = std::make_unique<tenure_type>(id(), shared);
    if (!shared->add(*t))
      return nullptr;
    const std::lock_guard<std::mutex> lock(mutex_);
    t->next_of_object = tenures_;
    tenures_ = t.get();
    return t.release();
  }

  // Guarded by mutex_.
  tenure_type* tenures_ = nullptr;
  std::unique_ptr<const executor_type> executor_; // made with the first handle, then constant
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CORE_OBJECT_STATE_HPP
