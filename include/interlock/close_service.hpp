// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The execution context's service: it owns the worker, and ends what is still open when the context
// goes.
//
// It has to be shut down before Asio's reactor is. A context shuts its services down from the
// newest to the oldest, so the reactor has to be there first: service_for takes an I/O object made
// before the call as its proof.

#ifndef INTERLOCK_CLOSE_SERVICE_HPP
#define INTERLOCK_CLOSE_SERVICE_HPP

#include <chrono>
#include <memory>

#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/query.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/worker/registry.hpp>

namespace interlock
{
inline namespace abi_0
{

/// The service through which the objects of one execution context are closed.
/**
 * Made by the first object that opens a descriptor. When the context is shut down, every descriptor
 * of its objects is detached and closed: SO_LINGER is cleared first, and a close(2) that is blocked
 * by then is waited for up to one second and then left behind with its thread.
 *
 * @par Thread Safety
 * All of it is internal; the objects that use it may be used from any thread.
 */
class close_service : public boost::asio::execution_context::service
{
public:
  using key_type = close_service;

  explicit close_service(boost::asio::execution_context& context)
    : boost::asio::execution_context::service(context),
      registry_(std::make_shared<detail::registry>())
  {
  }

  /// What the tenures share. It outlives the service for as long as they need it.
  const std::shared_ptr<detail::registry>& shared() const noexcept
  {
    return registry_;
  }

private:
  static constexpr std::chrono::milliseconds shutdown_wait{1000};

  // Called twice from Boost 1.82 on.
  void shutdown() override
  {
    registry_->shut_down(shutdown_wait);
  }

  const std::shared_ptr<detail::registry> registry_;
};

namespace detail
{

/// The registry of the context behind an I/O object's executor.
template <class Inner>
const std::shared_ptr<registry>& registry_for(Inner& reactor_user)
{
  namespace asio = boost::asio;
  asio::execution_context& context = asio::query(
    reactor_user.get_executor(), asio::execution::context);
  return asio::use_service<close_service>(context).shared();
}

} // namespace detail

} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_CLOSE_SERVICE_HPP
