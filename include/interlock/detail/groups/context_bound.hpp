// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A value that must not outlive an execution context, nor be used after it: an executor, or what holds one. A
// strand's executor that is destroyed after its context uses freed memory.
//
// So the value has a seat in the list of what belongs to the context, which empties the seat when it shuts down. A
// thread that has passed the context's gate may use the value, or destroy it: the shutdown waits for such threads.

#ifndef INTERLOCK_DETAIL_GROUPS_CONTEXT_BOUND_HPP
#define INTERLOCK_DETAIL_GROUPS_CONTEXT_BOUND_HPP

#include <optional>
#include <utility>

#include <interlock/config.hpp>
#include <interlock/detail/closing/context_member.hpp>
#include <interlock/detail/closing/context_state.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

template <class T>
class context_bound
{
public:
  /// The caller keeps the context from ending meanwhile.
  context_bound(context_state_pointer context, T value)
    : context_(std::move(context)),
      seat_(new seat(*context_, std::move(value))),
      is_seated_(seat_->enlist())
  {
  }

  context_bound(const context_bound&) = delete;
  context_bound& operator=(const context_bound&) = delete;

  // Without a passage the shutdown empties the seat.
  ~context_bound()
  {
    context_->note_process();
    const context_state::pass passage(*context_);
    if (passage && is_seated_)
      seat_->leave();
    seat_->drop_memory();
  }

  /// Calls `f` with the value. False: the context is shut down. Any thread.
  template <class Function>
  bool use(Function f) const
  {
    context_->note_process();
    const context_state::pass passage(*context_);
    if (!passage || !is_seated_)
      return false;
    f(*seat_->value());
    return true;
  }

private:
  class seat final : public context_member
  {
  public:
    // With the reference of the owner.
    seat(context_state& context, T&& value)
      : context_(context),
        value_(std::move(value))
    {
    }

    // The context's list has a reference. False, and empty: the context is shut down.
    bool enlist() noexcept
    {
      keep_memory();
      if (context_.add(*this))
        return true;
      value_.reset();
      drop_memory();
      return false;
    }

    // The list drops its reference. The caller has passed the gate, or is the shutdown.
    void leave() noexcept
    {
      context_.remove(*this);
      value_.reset();
      drop_memory();
    }

    // Of a caller that has passed the gate.
    const std::optional<T>& value() const noexcept
    {
      return value_;
    }

    void keep_memory() noexcept override
    {
      references_.fetch_add(1, std::memory_order_relaxed);
    }

    void drop_memory() noexcept override
    {
      if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
        delete this;
    }

  private:
    ~seat() override = default;

    // The caller keeps the memory.
    void shut_down() noexcept override
    {
      leave();
    }

    bool has_left_reactor() const noexcept override
    {
      return true;
    }

    void after_fork() noexcept override {}

    context_state& context_; // the owner keeps it, or its shutdown is under way
    std::optional<T> value_;
    sys::atomic<unsigned> references_{1};
  };

  const context_state_pointer context_;
  seat* const seat_;
  const bool is_seated_;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_GROUPS_CONTEXT_BOUND_HPP
