// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What a close handle and its copies refer to: the state of an object, of which it is an owner, and a copy of the
// object's executor, on which a close is sequenced.

#ifndef INTERLOCK_DETAIL_CORE_HANDLED_OBJECT_HPP
#define INTERLOCK_DETAIL_CORE_HANDLED_OBJECT_HPP

#include <utility>

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/object_base.hpp>
#include <interlock/detail/core/object_state.hpp>
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

  /// Closes what is open, and completes `c` when that is over.
  virtual void start_close(close_waiter_pointer c) const = 0;
};

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
