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

#if defined(INTERLOCK_HAS_IMMEDIATE_EXECUTORS)
#include <boost/asio/associated_immediate_executor.hpp>
#include <boost/asio/dispatch.hpp>
#else
#include <boost/asio/post.hpp>
#endif

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// Completes `handler` with `values`, from an initiating function of an object whose executor is
/// `ex`.
template <class Executor, class Handler, class... Values>
void complete_immediately(const Executor& ex, Handler& handler, Values... values)
{
  namespace asio = boost::asio;
#if defined(INTERLOCK_HAS_IMMEDIATE_EXECUTORS)
  auto where = asio::get_associated_immediate_executor(handler, ex);
  asio::dispatch(where, adapt(std::move(handler), bound_values<Values...>(std::move(values)...)));
#else
  asio::post(ex, adapt(std::move(handler), bound_values<Values...>(std::move(values)...)));
#endif
}

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CORE_COMPLETION_HPP
