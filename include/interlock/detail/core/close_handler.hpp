// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// One caller of async_close or async_release: its handler, in memory from the handler's allocator, and the work it
// stands for. Until it is completed it keeps the contexts of the object's executor and of its own
// running.

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

#include <interlock/close_mode.hpp>
#include <interlock/close_outcome.hpp>
#include <interlock/close_report.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/core/adapted_handler.hpp>
#include <interlock/detail/core/closer_link.hpp>
#include <interlock/detail/number/close_number.hpp>
#include <interlock/detail/tenure/closer.hpp>

namespace interlock
{
inline namespace abi_0
{
namespace detail
{

/// What a closer has to do with the number: nothing, and he says nothing about how it is closed.
class plain_ending
{
public:
  static constexpr bool can_be_cancelled = true;

  static const close_mode* mode() noexcept
  {
    return nullptr;
  }

  void refuse_mode(boost::system::error_code /*why*/) noexcept {}
  void tell(const close_verdict& /*v*/) noexcept {}

  static bool take(int /*number*/, bool /*owned*/) noexcept
  {
    return false;
  }
};

/// What a caller of async_close is told who has not said how. He may have said it by SO_LINGER before.
class close_result : public plain_ending
{
public:
  void tell(const close_verdict& v) noexcept
  {
    if (v.lingered && v.report.outcome == close_outcome::timed_out)
      undelivered_ = boost::asio::error::timed_out;
    else if (v.lingered && v.report.outcome == close_outcome::reset)
      undelivered_ = boost::asio::error::connection_reset;
  }

  bound_values<boost::system::error_code> bind(boost::system::error_code ec) const
  {
    return bound_values<boost::system::error_code>(ec ? ec : undelivered_);
  }

private:
  boost::system::error_code undelivered_;
};

/// What a caller of async_close is told who has said how.
class report_result : public plain_ending
{
public:
  explicit report_result(const close_mode& mode) noexcept
    : mode_(mode)
  {
  }

  const close_mode* mode() const noexcept
  {
    return &mode_;
  }

  void refuse_mode(boost::system::error_code why) noexcept
  {
    refused_ = why;
  }

  void tell(const close_verdict& v) noexcept
  {
    report_ = v.report;
  }

  bound_values<boost::system::error_code, close_report> bind(boost::system::error_code ec) const
  {
    return bound_values<boost::system::error_code, close_report>(ec ? ec : refused_, report_);
  }

private:
  close_mode mode_;
  boost::system::error_code refused_;
  close_report report_;
};

/// What the caller of async_release is told. The number is closed if the handler never is called.
class release_result : public plain_ending
{
public:
  /// What has been taken out of the reactor cannot be put back.
  static constexpr bool can_be_cancelled = false;

  release_result() = default;

  release_result(release_result&& other) noexcept
    : number_(std::exchange(other.number_, no_number)),
      owned_(other.owned_)
  {
  }

  release_result& operator=(release_result&&) = delete;

  ~release_result()
  {
    if (number_ != no_number && owned_)
      close_unused(number_);
  }

  bool take(int number, bool owned) noexcept
  {
    number_ = number;
    owned_ = owned;
    return true;
  }

  class bound;
  inline bound bind(boost::system::error_code ec) noexcept;

private:
  int number_ = no_number;
  bool owned_ = false;
};

/// An adapter that calls the handler with the number.
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
    std::move(handler)(ec_, std::exchange(result_.number_, no_number));
  }

private:
  boost::system::error_code ec_;
  release_result result_;
};

release_result::bound release_result::bind(boost::system::error_code ec) noexcept
{
  return bound(ec, std::move(*this));
}

/// Work that keeps the context of `Executor` running. Not Asio's guard where that can be avoided: over
/// a strand of an executor of the newer kind it asks for members that such an executor does not have.
template <class Executor, class = void>
class kept_work : public boost::asio::executor_work_guard<Executor>
{
public:
  using boost::asio::executor_work_guard<Executor>::executor_work_guard;
};

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

/// Whether a function can be posted to `Executor`. It cannot to any_completion_executor, which cannot be
/// asked not to block.
template <class Executor>
using can_post = std::integral_constant<bool,
  boost::asio::can_require<Executor, boost::asio::execution::blocking_t::never_t>::value
    || boost::asio::is_executor<Executor>::value>;

/// `Result` is what the handler is told.
template <class Handler, class Executor, class Result = close_result>
class close_handler final : public closer_base
{
public:
  static closer_pointer make(Handler&& handler, const Executor& ex, Result result = Result())
  {
    allocator a(boost::asio::get_associated_allocator(handler));
    close_handler* memory = traits::allocate(a, 1);
    try
    {
      traits::construct(a, memory, std::move(handler), ex, std::move(result));
    }
    catch (...)
    {
      traits::deallocate(a, memory, 1);
      throw;
    }
    return closer_pointer(memory);
  }

  close_handler(Handler&& handler, const Executor& ex, Result&& result)
    : object_work_(ex),
      handler_work_(boost::asio::get_associated_executor(handler, ex)),
      handler_(std::move(handler)),
      result_(std::move(result))
  {
    if (Result::can_be_cancelled)
      link_.connect(handler_);
  }

  void complete(boost::system::error_code ec, hand_over how) override
  {
    // Out of the memory first: the handler may begin another operation and find it free. The
    // allocator before the handler: what is left of a handler need not have one.
    allocator a(boost::asio::get_associated_allocator(handler_));
    Handler handler(std::move(handler_));
    [[maybe_unused]] const work object_work(std::move(object_work_));
    const handler_work own_work(std::move(handler_work_));
    auto result = result_.bind(ec);
    free(a);
    auto bound = adapt(std::move(handler), std::move(result));
    if (how == hand_over::dispatch)
      boost::asio::dispatch(own_work.get_executor(), std::move(bound));
    else if constexpr (can_post<typename handler_work::executor_type>::value)
      boost::asio::post(own_work.get_executor(), std::move(bound));
    else
      boost::asio::post(object_work.get_executor(), std::move(bound)); // Goes on to the handler's.
  }

  void destroy() noexcept override
  {
    allocator a(boost::asio::get_associated_allocator(handler_));
    free(a);
  }

  const close_mode* mode() const noexcept override
  {
    return result_.mode();
  }

  void refuse_mode(boost::system::error_code why) noexcept override
  {
    result_.refuse_mode(why);
  }

  void tell(const close_verdict& v) noexcept override
  {
    result_.tell(v);
  }

  void bind(tenure_base& t, bool leads) noexcept override
  {
    link_.bind(t, leads);
  }

  const void* link() const noexcept override
  {
    return link_.get();
  }

  bool take(int number, bool owned) noexcept override
  {
    return result_.take(number, owned);
  }

private:
  using associated = typename boost::asio::associated_allocator<Handler>::type;
  using allocator =
    typename std::allocator_traits<associated>::template rebind_alloc<close_handler>;
  using traits = std::allocator_traits<allocator>;
  using work = kept_work<Executor>;
  using handler_work =
    kept_work<typename boost::asio::associated_executor<Handler, Executor>::type>;

  void free(allocator& a) noexcept
  {
    traits::destroy(a, this);
    traits::deallocate(a, this, 1);
  }

  work object_work_;
  handler_work handler_work_;
  Handler handler_;
  Result result_;
  closer_link_share link_;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CORE_CLOSE_HANDLER_HPP
