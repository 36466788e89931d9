// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The service of an execution context: it owns the worker, and closes what is open when the context shuts
// down.
//
// It must shut down before Asio's reactor does. A context shuts its services down from the newest to the
// oldest, so the reactor must be the older one. Therefore context_state_for takes an I/O object: its existence
// proves that the reactor exists.

#ifndef INTERLOCK_CLOSE_SERVICE_HPP
#define INTERLOCK_CLOSE_SERVICE_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <iosfwd>
#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/error.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/version.hpp>
#include <boost/core/no_exceptions_support.hpp>
#include <boost/system/system_error.hpp>
#include <boost/throw_exception.hpp>

#include <interlock/close_statistics.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/closing/context_state.hpp>
#include <interlock/slow_close.hpp>

// Whether a context locks can be queried from Boost 1.87 on.
#if BOOST_ASIO_VERSION >= 103300
#define INTERLOCK_HAS_CONTEXT_CONFIG 1
#include <boost/asio/config.hpp>
#endif

namespace interlock {
inline namespace abi_0 {

namespace detail {

class shutdown_before_strands;

/// Whether `context` lacks a lock that a close from another thread needs, because of its concurrency hint or
/// its configuration. False before Boost 1.87, where a context cannot be queried.
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

/// The service that closes the objects of one execution context.
/**
 * The first object that opens a descriptor makes it. When the context shuts down, the service detaches and
 * closes every descriptor of its objects. It clears SO_LINGER first, and wakes threads inside a call. It
 * waits for those threads, and then for a blocked close(2), each up to `options::shutdown_wait`. It leaves
 * the thread of a longer close(2) behind.
 *
 * A program that forks notifies its context, as Asio requires: `notify_fork` with fork_prepare before, and
 * with fork_parent or fork_child after. Descriptors whose close is pending then are closed in both
 * processes. If the child's context was not notified, the service detects the fork before the child opens,
 * closes or releases an object, or ends the context, and notifies the context, so that the parent's reactor is
 * not changed. The threads of the service are parked while the program forks (pthread_atfork(3)).
 *
 * From Boost 1.87 on the service refuses a context without locks (an unsafe concurrency hint, or
 * a configuration that disables them): every function that opens an object fails with
 * @c boost::asio::error::operation_not_supported.
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Safe, until the context is destroyed.
 */
class INTERLOCK_DECL close_service : public boost::asio::execution_context::service
{
public:
  /// Asio's name for the kind of the service.
  using key_type = close_service;

  /// Asio's identifier of the service, for `use_service` and `has_service` of an `io_context`.
  inline static boost::asio::execution_context::id id;

  /// The options of a service: see make_close_service.
  struct options
  {
    /// How long the shutdown waits for threads inside a call, and then again for a blocked close(2),
    /// before it leaves them behind.
    std::chrono::milliseconds shutdown_wait{1000};

    /// How long an `async_close` waits for a thread of its context, before the worker takes the close over.
    std::chrono::milliseconds takeover{100};

    /// How many threads may run close(2) of descriptors that can block. While so many are stuck, further closes of
    /// such descriptors wait.
    std::size_t max_elastic_threads{16};

    /// Called once for each close(2) that has not returned for `slow_close_age`, on a thread of the service that
    /// has no other use. May destroy the context, or fork. Must not throw. Empty: nothing is reported.
    std::function<void(const slow_close&)> on_slow_close;

    /// After how long on_slow_close is called for a close(2).
    std::chrono::milliseconds slow_close_age{10000};

    /// Starts each thread of the service when a close needs it: runs its argument on a new thread that has no
    /// other use, and returns that std::thread, joinable; or throws. Empty: std::thread. The thread blocks all
    /// signals and sets its name. The service joins it, or detaches it at the shutdown of the context. Called in
    /// the thread that closes, or in one of the service, without a lock. Must not block: other closes wait meanwhile.
    /// Must not fork.
    detail::thread_factory thread_factory;
  };

  /// For Asio, which makes the service of a context. A program calls make_close_service.
  /**
   * @param context The context whose objects the service closes.
   */
  explicit close_service(boost::asio::execution_context& context)
    : close_service(context, options())
  {
  }

  /// The same, with options.
  /**
   * @param context The context whose objects the service closes.
   * @param o The options.
   */
  close_service(boost::asio::execution_context& context, options o)
    : boost::asio::execution_context::service(context),
      shutdown_wait_(std::min(o.shutdown_wait, longest_wait())),
      context_state_(new detail::context_state(
                       detail::worker_options{std::min(o.takeover, longest_wait()),
                         {o.max_elastic_threads, std::move(o.thread_factory),
                           std::min(o.slow_close_age, longest_wait()), std::move(o.on_slow_close)}},
                       [&context] { tell_of_fork(context); }),
        false)
  {
    // No object can be opened then, as after the shutdown. Nothing is open yet, so there is no wait.
    if (detail::does_not_lock(context))
      context_state_->shut_down(std::chrono::milliseconds::zero());
  }

  /// How many objects of the context are open, how many closes have ended how, what the others wait for.
  /**
   * Looks at each object in turn: what opens and closes meanwhile may be counted before or after. A thread that opens
   * or closes waits for a part of that time at most.
   */
  close_statistics statistics() const noexcept
  {
    return context_state_->statistics();
  }

  /// The closes that are not over, in no particular order.
  std::vector<close_in_progress> closes_in_progress() const
  {
    return context_state_->closes_in_progress();
  }

  /// Write a line for each close that is not over, which tells in words what it waits for.
  /**
   * @param stream What to write to.
   */
  template <class Traits>
  void dump(std::basic_ostream<char, Traits>& stream) const
  {
    for (const close_in_progress& c : closes_in_progress())
      stream << c << '\n';
  }

  /// The state that the tenures of the context share. Lives as long as one of them needs it.
  const detail::context_state_pointer& shared() const noexcept
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
    using asios = boost::asio::execution_context;
    context_state_->on_fork(event == asios::fork_prepare ? detail::fork_event::prepare
        : event == asios::fork_parent                    ? detail::fork_event::parent
                                                         : detail::fork_event::child);
  }

  // notify_fork gives the child's context a reactor of its own. Until then the child shares its parent's,
  // and would remove the parent's descriptors from it.
  static void tell_of_fork(boost::asio::execution_context& context) noexcept
  {
    BOOST_TRY
    {
      context.notify_fork(boost::asio::execution_context::fork_child);
    }
    BOOST_CATCH(...)
    {
      // No descriptor is left for a new reactor. Closes continue; no caller could receive this error.
    }
    BOOST_CATCH_END
  }

  // Long enough to mean for ever, and too short to overflow a clock.
  static constexpr std::chrono::milliseconds longest_wait() noexcept
  {
    return std::chrono::hours(24 * 365);
  }

  const std::chrono::milliseconds shutdown_wait_;
  const detail::context_state_pointer context_state_;
};

/// Make the service of a context with options, before the first object of the context is opened.
/**
 * @param context The execution context.
 * @param o The options: see close_service::options.
 *
 * @returns The service, which lives as long as the context.
 *
 * @par Thread Safety
 * Any thread, before another one opens an object of the context.
 *
 * @throws boost::asio::service_already_exists if the context has its service already.
 * @throws boost::system::system_error boost::asio::error::invalid_argument if a time is negative, or
 * `max_elastic_threads` zero.
 */
template <class ExecutionContext>
close_service& make_close_service(ExecutionContext& context, close_service::options o = {})
{
  if (o.shutdown_wait.count() < 0 || o.takeover.count() < 0 || o.slow_close_age.count() < 0
    || o.max_elastic_threads == 0)
    BOOST_THROW_EXCEPTION(
      boost::system::system_error(boost::asio::error::invalid_argument, "make_close_service"));
  // Makes the reactor, which must be older than the service.
  const boost::asio::posix::basic_stream_descriptor<typename ExecutionContext::executor_type>
    reactor_user(context.get_executor());
  return boost::asio::make_service<close_service>(context, std::move(o));
}

namespace detail {

namespace functions {

template <class Executor>
boost::asio::execution_context& context_of(const Executor& ex)
{
  if constexpr (boost::asio::can_query<const Executor&, boost::asio::execution::context_t>::value)
    return boost::asio::query(ex, boost::asio::execution::context);
  else
    return ex.context(); // an executor of the Networking TS
}

/// The shared state of the context of an I/O object.
template <class Inner>
const context_state_pointer& context_state_for(Inner& reactor_user)
{
  boost::asio::execution_context& context = functions::context_of(reactor_user.get_executor());
  return boost::asio::use_service<close_service>(context).shared();
}

} // namespace functions

/// Shuts close_service down before Asio's strand service, which drops queued handlers in its shutdown.
/**
 * The worker may be about to queue a handler in a strand at that moment. The first strand makes Asio's
 * service, perhaps after close_service; this service is made after it, and so shuts down before it.
 */
class INTERLOCK_DECL shutdown_before_strands final : public boost::asio::execution_context::service
{
public:
  using key_type = shutdown_before_strands;
  inline static boost::asio::execution_context::id id;

  explicit shutdown_before_strands(boost::asio::execution_context& context)
    : boost::asio::execution_context::service(context),
      service_(boost::asio::use_service<close_service>(context))
  {
  }

  /// Called after a strand over `ex` has been made.
  template <class Executor>
  static void ensure(const Executor& ex)
  {
    boost::asio::use_service<shutdown_before_strands>(functions::context_of(ex));
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
