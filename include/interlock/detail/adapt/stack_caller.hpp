// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A caller of a stack's close, and the stream that it gives.

#ifndef INTERLOCK_DETAIL_ADAPT_STACK_CALLER_HPP
#define INTERLOCK_DETAIL_ADAPT_STACK_CALLER_HPP

#include <list>
#include <memory>
#include <utility>

#include <boost/assert.hpp>
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
    BOOST_ASSERT_MSG(s, "a close of no stack");
    return kept_stream(s.get(), s);
  }

  static kept_stream referred(Stream& s) noexcept
  {
    return kept_stream(&s, nullptr);
  }

  /// Null: it is only referred to.
  const std::shared_ptr<void>& owner() const noexcept
  {
    return owner_;
  }

  Stream& operator*() const noexcept
  {
    return *stream_;
  }

  Stream* operator->() const noexcept
  {
    return stream_;
  }

private:
  kept_stream(Stream* s, std::shared_ptr<void> owner) noexcept
    : stream_(s),
      owner_(std::move(owner))
  {
  }

  Stream* stream_;
  std::shared_ptr<void> owner_;
};

/// The result of a close of a stack: the caller's own error, unless it is told another one. Keeps the stream until the
/// handler has been called.
class stack_result : public default_policy
{
public:
  /// Not as the close of one object is: see stack_cancellation.
  static constexpr bool can_be_cancelled = false;

  stack_result(std::shared_ptr<const stack_report> report, const boost::system::error_code& ec,
    std::shared_ptr<void> stream) noexcept
    : report_(std::move(report)),
      ec_(ec),
      stream_(std::move(stream))
  {
  }

  boost::system::error_code code(const close_verdict& v) const noexcept
  {
    return v.ec ? v.ec : ec_;
  }

  class bound;
  inline bound bind(const boost::system::error_code& ec, const close_verdict& v) noexcept;

private:
  std::shared_ptr<const stack_report> report_;
  boost::system::error_code ec_;
  std::shared_ptr<void> stream_;
};

/// An adapter that calls the handler with the report.
class stack_result::bound
{
public:
  bound(const boost::system::error_code& ec, stack_result&& result) noexcept
    : ec_(ec),
      result_(std::move(result))
  {
  }

  template <class Handler>
  void operator()(Handler&& handler)
  {
    std::move(handler)(ec_, *result_.report_);
  }

private:
  boost::system::error_code ec_;
  stack_result result_;
};

stack_result::bound stack_result::bind(
  const boost::system::error_code& ec, const close_verdict& /*v*/) noexcept
{
  return bound(ec, std::move(*this));
}

class running_close;

/// One caller, whose handler is called or destroyed once. The close has it, until it is told; its cancellation slot
/// refers to it weakly.
class stack_caller
{
public:
  /// `ec`: why the mode is not the caller's. `stream`: null if the caller keeps it.
  template <class Handler, class Executor>
  static std::shared_ptr<stack_caller> make(Handler&& handler, const Executor& ex,
    const boost::system::error_code& ec, const std::shared_ptr<void>& stream)
  {
    using waiter = close_handler<Handler, Executor, stack_result>;
    auto c = std::make_shared<stack_caller>();
    c->may_leave_ = stream != nullptr;
    c->report_ = std::make_shared<stack_report>();
    c->waiter_ = waiter::make(std::move(handler), ex, stack_result(c->report_, ec, stream));
    return c;
  }

  /// Whether its handler may be called before the close is over: nothing that the caller keeps is in use.
  bool may_leave() const noexcept
  {
    return may_leave_;
  }

  /// The caller is told by the waiter, which becomes the other's.
  close_waiter& tell(const stack_report& report) noexcept
  {
    *report_ = report;
    return *waiter_.release();
  }

  // Set once, before the initiation returns.
  std::weak_ptr<running_close> close;
  bool leads = false;

private:
  bool may_leave_ = false;
  std::shared_ptr<stack_report> report_;
  close_waiter_pointer waiter_;
};

/// A list can be extended without an exception.
using stack_callers = std::list<std::shared_ptr<stack_caller>>;

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_ADAPT_STACK_CALLER_HPP
