// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The initiations of all I/O objects: function objects that start an operation.
//
// Each has the executor of its object, which tokens such as cancel_after need. Each refers to the object's
// core, not to a tenure: a lazy token may call it later, from any thread, when the object has another one.

#ifndef INTERLOCK_DETAIL_CORE_INITIATION_HPP
#define INTERLOCK_DETAIL_CORE_INITIATION_HPP

#include <cstddef>
#include <type_traits>
#include <utility>

#include <poll.h>

#include <boost/asio/async_result.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/close_mode.hpp>
#include <interlock/close_report.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/core/asio_features.hpp>
#include <interlock/detail/core/io_core.hpp>
#include <interlock/detail/core/repeating.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

#if defined(INTERLOCK_HAS_TOKEN_CONCEPTS)

// A constant between the two concepts: gcc explains no parts of a constant, and lists no headers that lead to Asio's.
template <class Token, class Signature>
inline constexpr bool is_token_for = boost::asio::completion_token_for<Token, Signature>;

/// Whether `Token` can be the completion token of an operation that completes with `Signature`.
template <class Token, class Signature>
concept token_for = is_token_for<Token, Signature>;

// Stands in a template head in the place of "class".
#define INTERLOCK_TOKEN_FOR(signature) ::interlock::detail::token_for<signature>

#else

#define INTERLOCK_TOKEN_FOR(signature) class

#endif

/// Whether an operation that completes with `Values` can call a handler of type `Handler`.
template <class Handler, class... Values>
inline constexpr bool can_take = std::is_invocable<std::decay_t<Handler>, Values...>::value;

/// The handler of an initiation, to be moved from: a reference to a temporary, or a copy of anything else.
template <class Handler>
using own_handler = std::conditional_t<std::is_same<Handler, std::decay_t<Handler>>::value,
  Handler&, std::decay_t<Handler>>;

template <class Core>
class initiation
{
public:
  using executor_type = typename Core::executor_type;

  explicit initiation(Core* core) noexcept
    : core_(core)
  {
  }

  const executor_type& get_executor() const noexcept
  {
    return core_->get_executor();
  }

protected:
  using error_code = boost::system::error_code;
  using tenure_type = typename Core::tenure_type;

  /// Starts `begin(inner, tracked handler)`. If it cannot start, the handler gets the error and `values`.
  template <op_kind Kind, class Handler, class Begin, class... Values>
  INTERLOCK_HOT void start(Handler& handler, Begin begin, Values... values) const
  {
    core_->template start<Kind>(
      handler,
      [&begin](tenure_type& t, tracking_of<Handler, count_of(Kind)>&& tracked, Handler& h)
      { begin(t.inner(), functions::adapt(std::move(h), std::move(tracked))); },
      [&](Handler& h, error_code ec) { fail(h, ec, std::move(values)...); });
  }

  /// Starts `policy.begin(inner, handler)`, and repeats it while `policy` calls its completion premature.
  template <class Handler, class Policy, class... Values>
  void repeat(Handler& handler, Policy policy, Values... values) const
  {
    using repeats = repeating<typename Core::inner_type, Policy, tracking_of<Handler>>;
    core_->template start<op_kind::other>(
      handler,
      [&policy](tenure_type& t, tracking_of<Handler>&& tracked, Handler& h) {
        policy.begin(
          t.inner(), functions::adapt(std::move(h), repeats(std::move(tracked), policy)));
      },
      [&](Handler& h, error_code ec) { fail(h, ec, std::move(values)...); });
  }

  /// Completes an operation that could not start. In a handler of a tenure, the tenure's close waits for it.
  template <class Handler, class... Values>
  INTERLOCK_COLD void fail(Handler& handler, error_code ec, Values... values) const
  {
    tenure_base* t = core_->running_here();
    if (t && t->add_handler() != duty::none)
      t = nullptr;
    functions::complete_immediately(core_->get_executor(), handler,
      refused_operation<error_code, Values...>(t, ec, std::move(values)...));
  }

  Core* core_;
};

namespace functions {

/// The events of poll(2) behind an Asio wait type.
template <class WaitType>
short events_of(WaitType w) noexcept
{
  return w == WaitType::wait_read ? POLLIN : w == WaitType::wait_write ? POLLOUT : POLLPRI;
}

} // namespace functions

template <class Core>
class initiate_wait : public initiation<Core>
{
public:
  using initiation<Core>::initiation;
  using wait_type = typename Core::inner_type::wait_type;

  template <class Handler>
  void operator()(Handler&& handler, wait_type w) const
  {
    constexpr bool met = can_take<Handler, const boost::system::error_code&>;
    static_assert(met, "WaitHandler type requirements not met");
    if constexpr (met)
    {
      own_handler<Handler> own(handler);
      this->repeat(own, spurious_readiness<wait_type>{w, functions::events_of(w)});
    }
  }
};

template <class Core>
class initiate_connect : public initiation<Core>
{
public:
  using initiation<Core>::initiation;

  template <class Handler, class Endpoint>
  void operator()(
    Handler&& handler, const Endpoint& peer, const boost::system::error_code& open_ec) const
  {
    constexpr bool met = can_take<Handler, const boost::system::error_code&>;
    static_assert(met, "ConnectHandler type requirements not met");
    if constexpr (met)
    {
      own_handler<Handler> own(handler);
      if (open_ec)
        this->fail(own, open_ec);
      else
        this->template start<op_kind::connect>(own,
          [&peer](auto& inner, auto&& tracked) { inner.async_connect(peer, std::move(tracked)); });
    }
  }
};

template <class Core>
class initiate_close : public initiation<Core>
{
public:
  using initiation<Core>::initiation;

  template <class Handler>
  void operator()(Handler&& handler) const
  {
    constexpr bool met = can_take<Handler, boost::system::error_code>;
    static_assert(met, "CloseHandler type requirements not met");
    if constexpr (met)
    {
      own_handler<Handler> own(handler);
      this->core_->start_close(own);
    }
  }

  template <class Handler>
  void operator()(Handler&& handler, const close_mode& mode) const
  {
    constexpr bool met = can_take<Handler, boost::system::error_code, close_report>;
    static_assert(met, "CloseHandler type requirements not met");
    if constexpr (met)
    {
      own_handler<Handler> own(handler);
      this->core_->start_close(own, mode);
    }
  }
};

template <class Core>
class initiate_release : public initiation<Core>
{
public:
  using initiation<Core>::initiation;

  template <class Handler>
  void operator()(Handler&& handler) const
  {
    using native_handle = typename Core::inner_type::native_handle_type;
    constexpr bool met = can_take<Handler, boost::system::error_code, native_handle>;
    static_assert(met, "ReleaseHandler type requirements not met");
    if constexpr (met)
    {
      own_handler<Handler> own(handler);
      this->core_->start_release(own);
    }
  }
};

/// The result of starting an operation with `Token`. As a return type it makes a call with an unfit token a
/// substitution failure, which a concept check can detect, and no hard error.
template <class Token, class Signature, class Initiation, class... Args>
using initiation_result = decltype(boost::asio::async_initiate<Token, Signature>(
  std::declval<Initiation>(), std::declval<Token&>(), std::declval<Args>()...));

template <class Executor>
using default_token = typename boost::asio::default_completion_token<Executor>::type;

/// The default token of an object, or of its core.
template <class Object>
using default_token_of = default_token<typename Object::executor_type>;

/// Excludes close_mode from the tokens of a close.
template <class Token>
using if_close_token = std::enable_if_t<!std::is_same<std::decay_t<Token>, close_mode>::value>;

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CORE_INITIATION_HPP
