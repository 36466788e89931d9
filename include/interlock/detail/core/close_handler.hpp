// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// One caller of async_close or async_release: its handler, in memory from the handler's allocator, and its
// outstanding work. Until it is completed it keeps the contexts of the object's executor and of the handler's
// own running. Small, because thousands of closes wait at once.

#ifndef INTERLOCK_DETAIL_CORE_CLOSE_HANDLER_HPP
#define INTERLOCK_DETAIL_CORE_CLOSE_HANDLER_HPP

#include <memory>
#include <type_traits>
#include <utility>

#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/execution/executor.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/is_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/require.hpp>
#include <boost/asio/system_executor.hpp>
#include <boost/core/no_exceptions_support.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/close_mode.hpp>
#include <interlock/close_outcome.hpp>
#include <interlock/close_report.hpp>
#include <interlock/close_service.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/core/adapted_handler.hpp>
#include <interlock/detail/core/asio_features.hpp>
#include <interlock/detail/core/close_cancellation.hpp>
#include <interlock/detail/core/slot_bridge.hpp>
#include <interlock/detail/descriptor/close_descriptor.hpp>
#include <interlock/detail/tenure/close_waiter.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// What the `Result` of a close_handler does by default: no mode, and does not take the descriptor.
class default_policy
{
public:
  static constexpr bool can_be_cancelled = true;

  /// As Asio's handler tracking names it.
  static constexpr const char* object = "close";
  static constexpr const char* operation = "async_close";

  static const close_mode* mode() noexcept
  {
    return nullptr;
  }

  void refuse_mode(int /*why*/) noexcept {}

  static bool take(int /*descriptor*/, bool /*owned*/) noexcept
  {
    return false;
  }
};

/// The result of async_close without a mode. SO_LINGER may have made the close wait.
class close_result : public default_policy
{
public:
  static boost::system::error_code code(const close_verdict& v) noexcept
  {
    return v.ec ? v.ec : undelivered(v);
  }

  static bound_values<boost::system::error_code> bind(
    const boost::system::error_code& ec, const close_verdict& /*v*/)
  {
    return bound_values<boost::system::error_code>(ec);
  }

private:
  static boost::system::error_code undelivered(const close_verdict& v) noexcept
  {
    if (v.lingered && v.report.outcome == close_outcome::timed_out)
      return boost::asio::error::timed_out;
    if (v.lingered && v.report.outcome == close_outcome::reset)
      return boost::asio::error::connection_reset;
    return {};
  }
};

/// The result of async_close with a mode, which is a base so that its padding is used.
class report_result : public default_policy, private close_mode
{
public:
  explicit report_result(const close_mode& mode) noexcept
    : close_mode(mode)
  {
  }

  const close_mode* mode() const noexcept
  {
    return this;
  }

  void refuse_mode(int why) noexcept
  {
    refused_ = why;
  }

  boost::system::error_code code(const close_verdict& v) const noexcept
  {
    return v.ec ? v.ec : boost::system::error_code(refused_, boost::system::system_category());
  }

  static bound_values<boost::system::error_code, close_report> bind(
    const boost::system::error_code& ec, const close_verdict& v)
  {
    return bound_values<boost::system::error_code, close_report>(ec, v.report);
  }

private:
  int refused_ = 0; // an errno
};

/// The result of async_release. If the handler is never called, the descriptor is closed.
class release_result : public default_policy
{
public:
  /// A descriptor that has left the reactor cannot be put back.
  static constexpr bool can_be_cancelled = false;

  static constexpr const char* operation = "async_release";

  release_result() = default;

  release_result(release_result&& other) noexcept
    : fd_(std::exchange(other.fd_, no_descriptor)),
      owned_(other.owned_)
  {
  }

  release_result& operator=(release_result&&) = delete;

  ~release_result()
  {
    if (fd_ != no_descriptor && owned_)
      close_unused(fd_);
  }

  bool take(int fd, bool owned) noexcept
  {
    fd_ = fd;
    owned_ = owned;
    return true;
  }

  static boost::system::error_code code(const close_verdict& v) noexcept
  {
    return v.ec;
  }

  class bound;
  inline bound bind(const boost::system::error_code& ec, const close_verdict& v) noexcept;

private:
  int fd_ = no_descriptor;
  bool owned_ = false;
};

/// An adapter that calls the handler with the descriptor.
class release_result::bound
{
public:
  bound(boost::system::error_code ec, release_result&& result) noexcept
    : ec_(ec),
      result_(std::move(result))
  {
  }

  template <class Handler>
  void operator()(Handler&& handler)
  {
    std::move(handler)(ec_, std::exchange(result_.fd_, no_descriptor));
  }

private:
  boost::system::error_code ec_;
  release_result result_;
};

release_result::bound release_result::bind(
  const boost::system::error_code& ec, const close_verdict& /*v*/) noexcept
{
  return bound(ec, std::move(*this));
}

/// Work that keeps the context of `Executor` running. For executors of the newer kind it is not Asio's work
/// guard: over a strand of such an executor the guard needs members that the executor does not have.
template <class Executor, class = void>
class kept_work;

#if defined(INTERLOCK_HAS_TS_EXECUTORS)

template <class Executor>
class kept_work<Executor, std::enable_if_t<!boost::asio::execution::is_executor<Executor>::value>>
  : public boost::asio::executor_work_guard<Executor>
{
public:
  using boost::asio::executor_work_guard<Executor>::executor_work_guard;
};

#endif

template <class Executor>
class kept_work<Executor, std::enable_if_t<boost::asio::execution::is_executor<Executor>::value>>
{
public:
  using executor_type = std::decay_t<decltype(boost::asio::prefer(
    std::declval<const Executor&>(), boost::asio::execution::outstanding_work.tracked))>;

  explicit kept_work(const Executor& ex)
    : executor_(boost::asio::prefer(ex, boost::asio::execution::outstanding_work.tracked))
  {
  }

  const executor_type& get_executor() const noexcept
  {
    return executor_;
  }

private:
  executor_type executor_;
};

template <class Handler, class Executor>
struct takes_executor
  : std::is_same<typename boost::asio::associated_executor<Handler, Executor>::type, Executor>
{
};

/// Whether `Handler` has no executor of its own. Asked with two different defaults: it must take both; the
/// second is asked only if the first holds.
template <class Handler, class Executor>
using takes_any_executor = std::conjunction<takes_executor<Handler, Executor>,
  takes_executor<Handler, boost::asio::system_executor>>;

/// The work of a close waiter, in the contexts of the object's executor and of the handler's own.
template <class Handler, class Executor, bool = takes_any_executor<Handler, Executor>::value>
class close_waiter_work
{
public:
  close_waiter_work(const Handler& handler, const Executor& ex)
    : object_(ex),
      handler_(boost::asio::get_associated_executor(handler, ex))
  {
  }

  decltype(auto) object_executor() const noexcept
  {
    return object_.get_executor();
  }

  decltype(auto) handler_executor() const noexcept
  {
    return handler_.get_executor();
  }

private:
  kept_work<Executor> object_;
  kept_work<typename boost::asio::associated_executor<Handler, Executor>::type> handler_;
};

/// The same for a handler that is called on the object's executor.
template <class Handler, class Executor>
class close_waiter_work<Handler, Executor, true>
{
public:
  close_waiter_work(const Handler& /*handler*/, const Executor& ex)
    : object_(ex)
  {
  }

  decltype(auto) object_executor() const noexcept
  {
    return object_.get_executor();
  }

  decltype(auto) handler_executor() const noexcept
  {
    return object_.get_executor();
  }

private:
  kept_work<Executor> object_;
};

/// Whether a function can be posted to `Executor`. It cannot to any_completion_executor, which cannot be
/// asked not to block.
template <class Executor>
using can_post = std::integral_constant<bool,
  boost::asio::can_require<Executor, boost::asio::execution::blocking_t::never_t>::value
    || boost::asio::is_executor<Executor>::value>;

/// `Result` makes the arguments of the handler. The macros are those of Asio's handler tracking, which a program
/// enables. They show a close as an operation, and its handler from the close's completion on: within that, or posted
/// from there under the operation's name.
template <class Handler, class Executor, class Result = close_result>
class close_handler final : public close_waiter,
                            private closer_link_of<Handler, Result::can_be_cancelled>
                              BOOST_ASIO_ALSO_INHERIT_TRACKED_HANDLER
{
public:
  static close_waiter_pointer make(Handler&& handler, const Executor& ex, Result result = Result())
  {
    allocator a(boost::asio::get_associated_allocator(handler));
    close_handler* memory = traits::allocate(a, 1);
    BOOST_TRY
    {
      traits::construct(a, memory, std::move(handler), ex, std::move(result));
    }
    BOOST_CATCH(...)
    {
      traits::deallocate(a, memory, 1);
      BOOST_RETHROW
    }
    BOOST_CATCH_END
    return close_waiter_pointer(memory);
  }

  close_handler(Handler&& handler, const Executor& ex, Result&& result)
    : work_(handler, ex),
      handler_(std::move(handler)),
      result_(std::move(result))
  {
    BOOST_ASIO_HANDLER_CREATION(
      (functions::context_of(ex), *this, Result::object, this, 0, Result::operation));
    this->connect(handler_);
  }

  void complete(const close_verdict& v, hand_over how) override
  {
    BOOST_ASIO_HANDLER_COMPLETION((*this));
    // The memory is freed first, so that the handler may use it for its next operation. The allocator is
    // copied before the handler moves, because a moved-from handler need not have one.
    allocator a(boost::asio::get_associated_allocator(handler_));
    Handler handler(std::move(handler_));
    const work kept(std::move(work_));
    const boost::system::error_code ec = result_.code(v);
    auto result = result_.bind(ec, v);
    free(a);
    auto bound = functions::adapt(std::move(handler), std::move(result));
    BOOST_ASIO_HANDLER_INVOCATION_BEGIN((ec));
    if (how == hand_over::dispatch)
      boost::asio::dispatch(kept.handler_executor(), std::move(bound));
    else
      post(kept, std::move(bound));
    BOOST_ASIO_HANDLER_INVOCATION_END;
  }

  void destroy() noexcept override
  {
    BOOST_ASIO_HANDLER_COMPLETION((*this));
    allocator a(boost::asio::get_associated_allocator(handler_));
    free(a);
  }

  const close_mode* mode() const noexcept override
  {
    return result_.mode();
  }

  void refuse_mode(int why) noexcept override
  {
    result_.refuse_mode(why);
  }

  void bind(tenure_base& t, bool leads) noexcept override
  {
    this->bind_link(t, leads);
  }

  const void* link() const noexcept override
  {
    return this->link_id();
  }

  bool take(int fd, bool owned) noexcept override
  {
    return result_.take(fd, owned);
  }

private:
  using associated = typename boost::asio::associated_allocator<Handler>::type;
  using allocator =
    typename std::allocator_traits<associated>::template rebind_alloc<close_handler>;
  using traits = std::allocator_traits<allocator>;
  using work = close_waiter_work<Handler, Executor>;

  // What is dispatched has no location: the handler may run within that call, and what it starts would have it, too.
  template <class Bound>
  static void post(const work& kept, Bound&& bound)
  {
    BOOST_ASIO_HANDLER_LOCATION((__FILE__, __LINE__, Result::operation));
    if constexpr (can_post<std::decay_t<decltype(kept.handler_executor())>>::value)
      boost::asio::post(kept.handler_executor(), std::forward<Bound>(bound));
    else
      // Goes on to the handler's.
      boost::asio::post(kept.object_executor(), std::forward<Bound>(bound));
  }

  void free(allocator& a) noexcept
  {
    traits::destroy(a, this);
    traits::deallocate(a, this, 1);
  }

  work work_;
  Handler handler_;
  Result result_;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CORE_CLOSE_HANDLER_HPP
