// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Completions from an initiating function: of an operation that fails before Asio is called, and of a close
// or a release of an object that was never opened.
//
// A failed initiation never calls its handler from inside the initiating function, unless the
// handler has an immediate executor that allows it.

#ifndef INTERLOCK_DETAIL_CORE_COMPLETION_HPP
#define INTERLOCK_DETAIL_CORE_COMPLETION_HPP

#include <type_traits>
#include <utility>

#include <interlock/config.hpp>
#include <interlock/detail/core/adapted_handler.hpp>
#include <interlock/detail/tenure/inside_mark.hpp>

#if defined(INTERLOCK_HAS_IMMEDIATE_EXECUTORS)
#include <boost/asio/associated_immediate_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/system_executor.hpp>
#else
#include <boost/asio/post.hpp>
#endif

namespace interlock {
inline namespace abi_0 {
namespace detail {

namespace functions {

/// Completes `handler` as `adapter` calls it, from an initiating function of an object whose executor is `ex`.
template <class Executor, class Handler, class Adapter>
void complete_immediately(const Executor& ex, Handler& handler, Adapter adapter)
{
  namespace asio = boost::asio;
#if defined(INTERLOCK_HAS_IMMEDIATE_EXECUTORS)
  auto where = asio::get_associated_immediate_executor(handler, ex);
  asio::dispatch(where, functions::adapt(std::move(handler), std::move(adapter)));
#else
  asio::post(ex, functions::adapt(std::move(handler), std::move(adapter)));
#endif
}

} // namespace functions

#if defined(INTERLOCK_HAS_IMMEDIATE_EXECUTORS)

/// A handler without an immediate executor of its own, for comparison.
struct plain_handler
{
};

template <class Handler>
using immediate_executor_of =
  typename boost::asio::associated_immediate_executor<Handler, boost::asio::system_executor>::type;

/// Whether Asio may call the handler within its initiating function.
template <class Handler>
using may_complete_within = std::integral_constant<bool,
  !std::is_same<immediate_executor_of<Handler>, immediate_executor_of<plain_handler>>::value>;

template <class Handler>
using inside_mark_of =
  std::conditional_t<may_complete_within<Handler>::value, inside_mark, no_inside_mark>;

#else

template <class>
using inside_mark_of = no_inside_mark;

#endif

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CORE_COMPLETION_HPP
