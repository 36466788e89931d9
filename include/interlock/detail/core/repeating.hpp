// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Operations that are started again when Asio completes them too early, before the user's handler is called.

#ifndef INTERLOCK_DETAIL_CORE_REPEATING_HPP
#define INTERLOCK_DETAIL_CORE_REPEATING_HPP

#include <new>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/core/no_exceptions_support.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/adapted_handler.hpp>
#include <interlock/detail/core/tenure.hpp>
#include <interlock/detail/descriptor/calls.hpp>
#include <interlock/detail/tenure/guards.hpp>
#include <interlock/detail/tenure/tenure_base.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// Tracks an operation that Asio may complete although it is not over, and then starts it again.
/**
 * `Policy` has `possible(ec)`, `premature(tenure, ec)`, asked while inside, and `begin(inner, handler)`.
 */
template <class Inner, class Policy, class Tracking>
class repeating : public Tracking
{
public:
  repeating(Tracking&& t, Policy p)
    : Tracking(std::move(t)),
      policy_(std::move(p))
  {
  }

  template <class Handler, class... Args>
  void operator()(Handler&& handler, const boost::system::error_code& ec, Args&&... args)
  {
    if (!began_again(handler, ec, args...))
      Tracking::operator()(std::move(handler), ec, std::forward<Args>(args)...);
  }

private:
  // False: the operation is over, or the tenure cannot be entered any more and the completion stands.
  // The user's handler does not run inside the tenure, except with no_memory after a failed new start.
  template <class Handler, class... Args>
  bool began_again(Handler& handler, const boost::system::error_code& ec, Args&... args)
  {
    auto& t = static_cast<tenure<Inner>&>(*this->outstanding_in());
    if (!policy_.possible(ec) || t.enter() != duty::none)
      return false;
    const leave_guard leaves(t);
    if (!policy_.premature(t, ec))
      return false;
    Policy policy(policy_);
    auto next = functions::adapt(std::move(handler), std::move(*this));
    BOOST_TRY
    {
      policy.begin(t.inner(), std::move(next));
    }
    BOOST_CATCH(const std::bad_alloc&)
    {
      // Asio allocates before it moves the handler, so the handler is completed rather than lost.
      next.adapter().Tracking::operator()(std::move(next.handler()),
        boost::system::error_code(boost::asio::error::no_memory), std::move(args)...);
    }
    BOOST_CATCH_END
    return true;
  }

  Policy policy_;
};

/// A readiness that Asio had already fetched for another object whose reactor state was recycled for this
/// one. Only the first event of a descriptor can be that. A later one completes all waits, as with Asio, although the
/// handler of the first may have used up what the next was told of.
template <class WaitType>
struct spurious_readiness
{
  WaitType what;
  short events;

  bool possible(const boost::system::error_code& ec) const noexcept
  {
    return !ec;
  }

  template <class Tenure>
  bool premature(Tenure& t, const boost::system::error_code&) const noexcept
  {
    if (t.readiness().has(events))
      return false;
    const bool is_ready = calls::ready(t.fd(), events);
    if (is_ready)
      t.readiness().add(events);
    return !is_ready;
  }

  template <class Inner, class Handler>
  void begin(Inner& inner, Handler&& handler)
  {
    inner.async_wait(what, std::forward<Handler>(handler));
  }
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CORE_REPEATING_HPP
