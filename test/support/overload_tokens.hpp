// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The tokens with which every overload of every asynchronous member is compiled and called: a handler
// that can only be moved, a token that makes the member return a value, one that starts nothing
// before it is told to, and the executor's own where none is given. All end in the same handler.

#ifndef INTERLOCK_TEST_SUPPORT_OVERLOAD_TOKENS_HPP
#define INTERLOCK_TEST_SUPPORT_OVERLOAD_TOKENS_HPP

#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/async_result.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/error_code.hpp>

#include "support/differential.hpp"

namespace support {

/// As the documentation names them.
inline const std::vector<std::string>& token_names()
{
  static const std::vector<std::string> names = {
    "move-only handler", "returns a value", "lazy", "default"};
  return names;
}

/// Counts the completions of operations to which no token was given: those have no notes.
inline int& completions_by_default()
{
  static int count = 0;
  return count;
}

/// Can only be moved. Notes its error, and each descriptor or object that it is told.
class noting_handler
{
public:
  noting_handler() = default;

  noting_handler(notes& n, std::string what)
    : notes_(&n),
      what_(std::move(what))
  {
  }

  template <class... Args>
  void operator()(const boost::system::error_code& ec, Args&&... args)
  {
    if (!notes_)
    {
      ++completions_by_default();
      return;
    }
    (*notes_)(what_, ec);
    (note(args), ...);
  }

private:
  template <class Value>
  void note(const Value& value)
  {
    if constexpr (std::is_arithmetic<Value>::value)
      (*notes_)(what_ + " has", value);
    else
      (*notes_)(what_ + " is open", value.is_open());
  }

  notes* notes_ = nullptr;
  std::string what_;
  std::unique_ptr<int> cannot_be_copied_;
};

/// What an operation returns that was started with `as_value`.
struct started
{
};

struct as_value
{
  noting_handler handler;
};

struct as_lazy
{
  noting_handler handler;
};

/// The executor of a context, with a token for operations that are given none.
struct value_executor : boost::asio::io_context::executor_type
{
  using default_completion_token_type = as_value;

  value_executor(const boost::asio::io_context::executor_type& ex)
    : boost::asio::io_context::executor_type(ex)
  {
  }
};

} // namespace support

namespace boost {
namespace asio {

template <class Signature>
class async_result<support::as_value, Signature>
{
public:
  using return_type = support::started;

  template <class Initiation, class... Args>
  static return_type initiate(Initiation&& initiation, support::as_value token, Args&&... args)
  {
    std::forward<Initiation>(initiation)(std::move(token.handler), std::forward<Args>(args)...);
    return {};
  }
};

template <class Signature>
class async_result<support::as_lazy, Signature>
{
public:
  // Where a return type is asked for without the initiation, as by Boost 1.74, a function is it.
  using return_type = std::function<void()>;

  template <class Initiation, class... Args>
  static return_type initiate(Initiation&& initiation, support::as_lazy token, Args&&... args)
  {
    using kept =
      std::tuple<std::decay_t<Initiation>, support::noting_handler, std::decay_t<Args>...>;
    const auto all = std::make_shared<kept>(
      std::forward<Initiation>(initiation), std::move(token.handler), std::forward<Args>(args)...);
    return [all]
    {
      std::apply([](auto& start, auto& handler, auto&... rest)
        { std::move(start)(std::move(handler), std::move(rest)...); },
        *all);
    };
  }
};

} // namespace asio
} // namespace boost

#endif // INTERLOCK_TEST_SUPPORT_OVERLOAD_TOKENS_HPP
