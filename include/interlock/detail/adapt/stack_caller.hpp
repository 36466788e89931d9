// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The caller of a stack's close, and the stream that it gives.

#ifndef INTERLOCK_DETAIL_ADAPT_STACK_CALLER_HPP
#define INTERLOCK_DETAIL_ADAPT_STACK_CALLER_HPP

#include <memory>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/close_handler.hpp>
#include <interlock/detail/tenure/close_waiter.hpp>
#include <interlock/stack_report.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// A stream that is shared with the program, or only referred to.
template <class Stream>
class kept_stream
{
public:
  static kept_stream owned(std::shared_ptr<Stream> s) noexcept
  {
    return kept_stream(std::move(s), true);
  }

  static kept_stream referred(Stream& s) noexcept
  {
    return kept_stream(std::shared_ptr<Stream>(std::shared_ptr<void>(), &s), false);
  }

  bool is_owned() const noexcept
  {
    return is_owned_;
  }

  void reset() noexcept
  {
    stream_.reset();
  }

  explicit operator bool() const noexcept
  {
    return stream_ != nullptr;
  }

  Stream& operator*() const noexcept
  {
    return *stream_;
  }

  Stream* operator->() const noexcept
  {
    return stream_.get();
  }

private:
  kept_stream(std::shared_ptr<Stream> s, bool is_owned) noexcept
    : stream_(std::move(s)),
      is_owned_(is_owned)
  {
  }

  std::shared_ptr<Stream> stream_;
  bool is_owned_;
};

/// The result of a close of a stack.
class stack_result : public default_policy
{
public:
  /// Not as the close of one object is: see stack_cancellation.
  static constexpr bool can_be_cancelled = false;

  explicit stack_result(std::shared_ptr<const stack_report> report) noexcept
    : report_(std::move(report))
  {
  }

  static boost::system::error_code code(const close_verdict& v) noexcept
  {
    return v.ec;
  }

  bound_values<boost::system::error_code, stack_report> bind(
    const boost::system::error_code& ec, const close_verdict& /*v*/) const
  {
    return bound_values<boost::system::error_code, stack_report>(ec, *report_);
  }

private:
  std::shared_ptr<const stack_report> report_;
};

/// The handler of the caller, which is called or destroyed once.
class stack_caller
{
public:
  stack_caller() = default;

  template <class Handler, class Executor>
  static stack_caller make(Handler&& handler, const Executor& ex)
  {
    using waiter = close_handler<Handler, Executor, stack_result>;
    stack_caller c;
    c.report_ = std::make_shared<stack_report>();
    c.waiter_ = waiter::make(std::move(handler), ex, stack_result(c.report_));
    return c;
  }

  bool is_waiting() const noexcept
  {
    return waiter_ != nullptr;
  }

  void tell(const boost::system::error_code& ec, const stack_report& report)
  {
    if (!is_waiting())
      return;
    *report_ = report;
    waiter_.release()->complete({ec}, hand_over::post);
  }

  /// The caller does not wait any longer.
  void leave()
  {
    tell(boost::asio::error::operation_aborted, stack_report());
  }

  void destroy() noexcept
  {
    waiter_.reset();
  }

private:
  std::shared_ptr<stack_report> report_;
  close_waiter_pointer waiter_;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_ADAPT_STACK_CALLER_HPP
