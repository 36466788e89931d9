// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Default tokens on every asynchronous member of every type: `deferred::as_default_on` of an object makes
// one whose members start nothing until they are called again. Boost 1.81 or later.

#include <boost/asio/version.hpp>

#if BOOST_ASIO_VERSION >= 102600

#include <boost/asio/deferred.hpp>
#include <boost/test/unit_test.hpp>

#include "support/token_trial.hpp"

namespace asio = boost::asio;
using deferred_subjects = support::rebound_subjects<support::with_default<asio::deferred_t>>;

namespace {

template <class... Values>
struct by_default : support::way<Values...>
{
  template <class Subject, class Start>
  void begin(Subject&, Start start)
  {
    start()(this->record());
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_tokens_default_deferred)

BOOST_AUTO_TEST_CASE_TEMPLATE(an_object_has_deferred_as_its_default, Subject, deferred_subjects)
{
  support::try_token<by_default, Subject>();
}

BOOST_AUTO_TEST_SUITE_END()

#endif
