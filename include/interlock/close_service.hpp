// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The execution context's service: it owns the worker, and ends what is still open when the context
// goes.
//
// It has to be shut down before Asio's reactor is. A context shuts its services down from the
// newest to the oldest, so the reactor has to be there first: context_state_for takes an I/O object made
// before the call as its proof.

#ifndef INTERLOCK_CLOSE_SERVICE_HPP
#define INTERLOCK_CLOSE_SERVICE_HPP

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/version.hpp>
#include <boost/system/system_error.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/closing/context_state.hpp>

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

class shutdown_before_strands;

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
 * of its objects is detached and closed: SO_LINGER is cleared first, threads inside a call are woken and
 * waited for, and so is a close(2) that is blocked by then: both up to `options::shutdown_wait`. The
 * thread of a close(2) that takes longer is left behind.
 *
 * A program that forks tells its context, as Asio wants it: `notify_fork` with fork_prepare before, and
 * with fork_parent or fork_child after. What is being closed then is closed in both. A child of which
 * the context has not been told is found out when it closes an object: the context is told, so that the
 * parent's reactor stays as it is.
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

  /// How a service is to work: see make_close_service.
  struct options
  {
    /// How long the shutdown waits for threads inside a call, and again for a close(2) that is blocked,
    /// before it leaves that behind.
    std::chrono::milliseconds shutdown_wait{1000};

    /// How long an `async_close` waits for its context to come to it, before the close is taken over.
    std::chrono::milliseconds takeover{100};

    /// Called with what a thread is to run, when the first descriptor is closed: starts a thread that
    /// is there for nothing else, or throws. Empty: std::thread. The thread blocks all signals and
    /// names itself; it must be one that the shutdown of the context may leave behind.
    std::function<void(std::function<void()>)> thread_factory;
  };

  explicit close_service(boost::asio::execution_context& context)
    : close_service(context, options())
  {
  }

  close_service(boost::asio::execution_context& context, options o)
    : boost::asio::execution_context::service(context),
      shutdown_wait_(std::min(o.shutdown_wait, longest_wait())),
      context_state_(std::make_shared<detail::context_state>(
        detail::worker_options{std::min(o.takeover, longest_wait()), std::move(o.thread_factory)},
        [&context] { tell_of_fork(context); }))
  {
    // Nothing can be opened then, as after the shutdown; there is nothing yet to be waited for.
    if (detail::does_not_lock(context))
      context_state_->shut_down(std::chrono::milliseconds::zero());
  }

  /// What the tenures share. It outlives the service for as long as they need it.
  const std::shared_ptr<detail::context_state>& shared() const noexcept
  {
    return context_state_;
  }

private:
  friend class detail::shutdown_before_strands;

  // Called twice from Boost 1.82 on.
  void shutdown() override
  {
    context_state_->shut_down(shutdown_wait_);
  }

  void notify_fork(boost::asio::execution_context::fork_event event) override
  {
    if (event == boost::asio::execution_context::fork_prepare)
      context_state_->prepare_fork();
    else if (event == boost::asio::execution_context::fork_parent)
      context_state_->resume_after_fork();
    else
      context_state_->adopt_after_fork();
  }

  // The child shares the reactor of its parent, from which it would take the parent's descriptors, until
  // the context gets one of its own. That is what notify_fork does.
  static void tell_of_fork(boost::asio::execution_context& context) noexcept
  {
    try
    {
      context.notify_fork(boost::asio::execution_context::fork_child);
    }
    catch (...)
    {
      // No descriptors for a reactor: what can be closed is, and nobody can be told.
    }
  }

  // As good as for ever, and far from where a clock ends.
  static constexpr std::chrono::milliseconds longest_wait() noexcept
  {
    return std::chrono::hours(24 * 365);
  }

  const std::chrono::milliseconds shutdown_wait_;
  const std::shared_ptr<detail::context_state> context_state_;
};

/// Makes the service of a context with options of its own, before the first object of the context is
/// opened.
/**
 * @throws boost::asio::service_already_exists if the context has its service already.
 * @throws boost::system::system_error boost::asio::error::invalid_argument if a time is negative.
 */
template <class ExecutionContext>
close_service& make_close_service(ExecutionContext& context, close_service::options o = {})
{
  if (o.shutdown_wait.count() < 0 || o.takeover.count() < 0)
    throw boost::system::system_error(boost::asio::error::invalid_argument, "make_close_service");
  // Makes the reactor, which has to be older.
  const boost::asio::posix::basic_stream_descriptor<typename ExecutionContext::executor_type>
    reactor_user(context.get_executor());
  return boost::asio::make_service<close_service>(context, std::move(o));
}

namespace detail
{

template <class Executor>
boost::asio::execution_context& context_of(const Executor& ex)
{
  return boost::asio::query(ex, boost::asio::execution::context);
}

/// The context state of the context behind an I/O object's executor.
template <class Inner>
const std::shared_ptr<context_state>& context_state_for(Inner& reactor_user)
{
  boost::asio::execution_context& context = context_of(reactor_user.get_executor());
  return boost::asio::use_service<close_service>(context).shared();
}

/// Shuts the close_service down earlier, where there are strands.
/**
 * Asio's service of the strands, made with the first of them and so perhaps after close_service, drops
 * what is queued when it is shut down. A worker may be about to queue something then: so this service is
 * made after that one.
 */
class shutdown_before_strands final : public boost::asio::execution_context::service
{
public:
  using key_type = shutdown_before_strands;

  explicit shutdown_before_strands(boost::asio::execution_context& context)
    : boost::asio::execution_context::service(context),
      service_(boost::asio::use_service<close_service>(context))
  {
  }

  /// A strand over `ex` has been made.
  template <class Executor>
  static void ensure(const Executor& ex)
  {
    boost::asio::use_service<shutdown_before_strands>(context_of(ex));
  }

private:
  void shutdown() override
  {
    service_.shutdown();
  }

  close_service& service_;
};

} // namespace detail

} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_CLOSE_SERVICE_HPP
