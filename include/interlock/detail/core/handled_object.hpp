// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What a close handle and its copies refer to: the state of an object, of which it is an owner, and a copy of the
// object's executor, on which a close is sequenced.

#ifndef INTERLOCK_DETAIL_CORE_HANDLED_OBJECT_HPP
#define INTERLOCK_DETAIL_CORE_HANDLED_OBJECT_HPP

#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <interlock/close_mode.hpp>
#include <interlock/close_service.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/closing/context_state.hpp>
#include <interlock/detail/core/object_base.hpp>
#include <interlock/detail/core/object_state.hpp>
#include <interlock/detail/core/strand_sequence.hpp>
#include <interlock/detail/descriptor/counted.hpp>
#include <interlock/detail/tenure/close_waiter.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// An object of any type.
class handled_object : public counted<handled_object>
{
public:
  virtual ~handled_object() = default;

  virtual object_base& state() const noexcept = 0;

  /// That of the object when the handle was made.
  virtual boost::asio::any_io_executor executor() const = 0;

  virtual context_state_pointer context() const = 0;

  virtual bool is_acceptor() const noexcept = 0;

  /// Closes what is open, and completes `c` when that is over.
  virtual void start_close(close_waiter_pointer c) const = 0;

  /// Makes such a close stronger, if it is one of `which`, and not over.
  virtual void overtake(const tenure_mark& which, const close_mode& mode) const noexcept
  {
    object_base::overtake(which, mode);
  }
};

namespace functions {

/// The state of a context that has all services that a close uses: no close adds one beside the shutdown.
template <class Inner, class Executor>
context_state_pointer ready_context(const Executor& ex)
{
  Inner reactor_user(ex);
  context_state_pointer shared = functions::context_state_for(reactor_user);
  const strand_sequence<Executor> strands_user(ex);
  shutdown_before_strands::ensure(ex);
  return shared;
}

} // namespace functions

using handled_object_pointer = boost::intrusive_ptr<const handled_object>;

template <class Inner>
class handled_object_of final : public handled_object
{
public:
  using executor_type = typename Inner::executor_type;

  handled_object_of(object_state<Inner>& s, const executor_type& ex)
    : state_(&s),
      executor_(ex)
  {
  }

  object_base& state() const noexcept override
  {
    return *state_;
  }

  boost::asio::any_io_executor executor() const override
  {
    return executor_;
  }

  context_state_pointer context() const override
  {
    return functions::ready_context<Inner>(executor_);
  }

  bool is_acceptor() const noexcept override
  {
    return detail::is_acceptor<Inner>::value;
  }

  const executor_type& own_executor() const noexcept
  {
    return executor_;
  }

  void start_close(close_waiter_pointer c) const override
  {
    state_->start(close_goal::close, std::move(c), executor_);
  }

private:
  const boost::intrusive_ptr<object_state<Inner>> state_;
  const executor_type executor_;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CORE_HANDLED_OBJECT_HPP
