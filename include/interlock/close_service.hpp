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
#include <boost/asio/version.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/worker/registry.hpp>

// The configuration of a context, which tells whether it locks: Boost 1.87.
#if BOOST_ASIO_VERSION >= 103300
#define INTERLOCK_HAS_CONTEXT_CONFIG 1
#include <boost/asio/config.hpp>
#endif

namespace interlock
{
inline namespace abi_0
{

namespace detail
{

/// Whether `context` does without a lock that closing from another thread needs: so it was told by
/// its concurrency hint or its configuration. Before Boost 1.87 it cannot be asked.
inline bool does_not_lock(boost::asio::execution_context& context)
{
#if defined(INTERLOCK_HAS_CONTEXT_CONFIG)
  const boost::asio::config settings(context);
  return !settings.get("scheduler", "locking", true)
    || !settings.get("reactor", "registration_locking", true)
    || !settings.get("reactor", "io_locking", true);
#else
  static_cast<void>(context);
  return false;
#endif
}

} // namespace detail

/// The service through which the objects of one execution context are closed.
/**
 * Made by the first object that opens a descriptor. When the context is shut down, every descriptor
 * of its objects is detached and closed: SO_LINGER is cleared first, and a close(2) that is blocked
 * by then is waited for up to one second and then left behind with its thread.
 *
 * A context that runs without locks (an unsafe concurrency hint, or a configuration that switches
 * them off) is refused where that can be asked, from Boost 1.87 on: whatever would open an object of
 * it fails with @c boost::asio::error::operation_not_supported.
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
    // Nothing can be opened then, as after the shutdown; there is nothing yet to be waited for.
    if (detail::does_not_lock(context))
      registry_->shut_down(std::chrono::milliseconds::zero());
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
