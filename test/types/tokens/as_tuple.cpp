// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// `as_tuple` on every asynchronous member of every type. Boost 1.81 or later.

#include <boost/asio/version.hpp>

#if BOOST_ASIO_VERSION >= 102600

#include <tuple>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/test/unit_test.hpp>

#include "support/token_trial.hpp"

namespace asio = boost::asio;
using support::every_subject;

namespace {

template <class... Values>
struct by_tuple : support::way<Values...>
{
  template <class Subject, class Start>
  void begin(Subject&, Start start)
  {
    start(
      asio::as_tuple([record = this->record()](auto all) { std::apply(record, std::move(all)); }));
    support::check(this->outcome.calls == 0);
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_tokens_as_tuple)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_tuple_has_the_error_and_the_values, Subject, every_subject)
{
  support::try_token<by_tuple, Subject>();
}

BOOST_AUTO_TEST_SUITE_END()

#endif
