// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Comparing a type of ours with Asio's: what it names, what it is constructible from, and what its
// members return and throw.

#ifndef INTERLOCK_TEST_SUPPORT_DROPIN_CALLS_HPP
#define INTERLOCK_TEST_SUPPORT_DROPIN_CALLS_HPP

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/system_executor.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/system/error_code.hpp>

#include "support/differential.hpp"

namespace support {

using context_executor = boost::asio::io_context::executor_type;

template <class Ours, class Plain, class... Args>
constexpr bool constructible_alike()
{
  return std::is_constructible<Ours, Args...>::value
    == std::is_constructible<Plain, Args...>::value;
}

template <class Ours, class Plain>
constexpr bool moved_alike()
{
  return std::is_nothrow_move_constructible<Ours>::value && std::is_move_assignable<Ours>::value
    && !std::is_copy_constructible<Ours>::value && !std::is_copy_assignable<Ours>::value
    && !std::is_default_constructible<Ours>::value
    && !std::is_convertible<boost::asio::io_context&, Ours>::value
    && constructible_alike<Ours, Plain, boost::asio::io_context&>()
    && constructible_alike<Ours, Plain, context_executor>()
    && constructible_alike<Ours, Plain, boost::asio::any_io_executor>()
    && constructible_alike<Ours, Plain, boost::asio::system_executor>()
    && constructible_alike<Ours, Plain, std::string>();
}

template <class Ours, class Plain>
constexpr bool names_alike()
{
  using rebound = typename Ours::template rebind_executor<context_executor>::other;
  return std::is_same<typename Ours::executor_type, typename Plain::executor_type>::value
    && std::is_same<typename Ours::native_handle_type, typename Plain::native_handle_type>::value
    && std::is_same<typename rebound::executor_type, context_executor>::value
    && std::is_same<typename rebound::template rebind_executor<typename Ours::executor_type>::other,
      Ours>::value;
}

template <class Object>
using on_context = typename Object::template rebind_executor<context_executor>::other;

/// The executor of a context, with a token for operations that are given none.
struct future_executor : context_executor
{
  using default_completion_token_type = boost::asio::use_future_t<>;

  future_executor(const context_executor& ex)
    : context_executor(ex)
  {
  }
};

template <class Object>
using with_futures = typename Object::template rebind_executor<future_executor>::other;

// Each call is by itself: what one throws does not keep the next from being made.

/// The result of `call()`, its type, and the exception if there is one.
template <class Call>
void try_call(notes& note, const std::string& what, Call call)
{
  using result = decltype(call());
  note(what + " returns nothing", std::is_void<result>::value);
  note(what + " returns an error_code", std::is_same<result, boost::system::error_code>::value);
  note.thrown(what, [&] { static_cast<void>(call()); });
}

/// `call(ec...)` without and with an error_code, which is noted.
template <class Call>
void try_both(notes& note, const std::string& what, Call call)
{
  boost::system::error_code ec;
  try_call(note, what, [&]() -> decltype(auto) { return call(); });
  try_call(note, what + " with ec", [&]() -> decltype(auto) { return call(ec); });
  note(what, ec);
}

/// A handler that can only be moved, and notes what it is told.
inline auto move_only(notes& note, const std::string& what)
{
  return [&note, what, only = std::unique_ptr<int>()](
           const boost::system::error_code& ec, auto&&... more)
  {
    note(what, ec);
    const int each[] = {0, (note(what + " has", more), 0)...};
    static_cast<void>(each);
  };
}

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_DROPIN_CALLS_HPP
