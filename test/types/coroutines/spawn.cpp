// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Coroutines with a stack of their own, by `spawn` and `yield_context`, on every asynchronous member of
// every type.

#define BOOST_TEST_MODULE smoke_spawn
#include <boost/test/unit_test.hpp>

#include <boost/asio/version.hpp>

// From Boost 1.80 on Boost.Context is enough; Boost.Coroutine says of itself that it is deprecated.
#if BOOST_ASIO_VERSION >= 102400
#define BOOST_ASIO_DISABLE_BOOST_COROUTINE
#else
#define BOOST_COROUTINES_NO_DEPRECATION_WARNING
#endif

#include <tuple>
#include <type_traits>
#include <utility>

#include <boost/asio/detached.hpp>
#include <boost/asio/spawn.hpp>

#include "support/token_trial.hpp"

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

/// Takes down what `start(yield[ec])` comes to.
template <class Outcome, class Start>
void take(Outcome& told, Start start, asio::yield_context yield)
{
  error_code ec;
  if constexpr (std::is_same<Outcome, support::told<>>::value)
  {
    start(yield[ec]);
    told.take(ec);
  }
  else
  {
    auto value = start(yield[ec]);
    told.take(ec, std::move(value));
  }
}

#if BOOST_ASIO_VERSION >= 102400
using subjects = support::every_subject;
#else
// A coroutine cannot be told of a socket yet, of Asio's neither: the value is made before it comes.
using subjects = support::joined<support::socket_subjects<support::as_they_are>,
  support::descriptor_subjects<support::as_they_are>, std::tuple<support::close_handle_subject>>;
#endif

template <class... Values>
struct by_yield : support::way<Values...>
{
  template <class Subject, class Start>
  void begin(Subject& s, Start start)
  {
    const auto body = [start, told = &this->outcome](asio::yield_context yield)
    { take(*told, start, yield); };
#if BOOST_ASIO_VERSION >= 102400
    asio::spawn(s.context, body, asio::detached);
#else
    asio::spawn(s.context, body);
#endif
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_spawn)

BOOST_AUTO_TEST_CASE_TEMPLATE(an_operation_is_yielded_to, Subject, subjects)
{
  support::try_token<by_yield, Subject>();
}

BOOST_AUTO_TEST_SUITE_END()
