// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The way of a coroutine of the language, for token_trial.hpp: it awaits the operation, with a token or
// without one, and takes down the value or the error that is thrown. C++20.

#ifndef INTERLOCK_TEST_SUPPORT_TOKEN_AWAITABLE_HPP
#define INTERLOCK_TEST_SUPPORT_TOKEN_AWAITABLE_HPP

#include <type_traits>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "support/token_trial.hpp"

#if !defined(BOOST_ASIO_HAS_CO_AWAIT)
#error This program wants coroutines
#endif

namespace support {

/// Takes down what `co_await start(token...)` comes to.
template <class Executor, class Outcome, class Start, class... Token>
asio::awaitable<void, Executor> take(Outcome* outcome, Start start, Token... token)
{
  try
  {
    if constexpr (std::is_same<Outcome, told<>>::value)
    {
      co_await start(token...);
      outcome->take(boost::system::error_code());
    }
    else
    {
      auto value = co_await start(token...);
      outcome->take(boost::system::error_code(), std::move(value));
    }
  }
  catch (const boost::system::system_error& e)
  {
    outcome->take_error(e.code());
  }
}

/// Awaits with `Token`, in a coroutine over `Executor`.
template <class Executor, class... Token>
struct awaiting
{
  template <class... Values>
  struct way : support::way<Values...>
  {
    template <class Subject, class Start>
    void begin(Subject& s, Start start)
    {
      asio::co_spawn(Executor(s.context.get_executor()),
        take<Executor>(&this->outcome, start, Token()...), asio::detached);
    }
  };
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_TOKEN_AWAITABLE_HPP
