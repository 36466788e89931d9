// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// `deferred` on every asynchronous member of every type: nothing is started before the operation is
// called, by then from another thread. Boost 1.81 or later.

#include <boost/asio/version.hpp>

#if BOOST_ASIO_VERSION >= 102600

#include <thread>
#include <utility>

#include <boost/asio/deferred.hpp>
#include <boost/test/unit_test.hpp>

#include "support/token_trial.hpp"

namespace asio = boost::asio;
using support::every_subject;

namespace {

/// The operation that is called is a copy of one that is moved.
template <class... Values>
struct by_deferred : support::counted_way<Values...>
{
  template <class Subject, class Start>
  void begin(Subject& s, Start start)
  {
    auto operation = start(asio::deferred);
    support::check(s.context.poll() == 0);
    s.context.restart();
    auto moved = std::move(operation);
    auto copy = moved;
    std::thread([&] { std::move(copy)(this->counted()); }).join();
    support::check(this->tally.called() == 0);
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_tokens_deferred)

BOOST_AUTO_TEST_CASE_TEMPLATE(
  a_deferred_operation_is_started_when_it_is_called, Subject, every_subject)
{
  support::try_token<by_deferred, Subject>();
}

BOOST_AUTO_TEST_SUITE_END()

#endif
