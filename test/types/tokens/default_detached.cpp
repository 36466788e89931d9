// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Default tokens on every asynchronous member of every type: `detached::as_default_on` of an object makes
// one that is told nothing, as long as it is not given a token.

#include <type_traits>

#include <boost/asio/detached.hpp>
#include <boost/test/unit_test.hpp>

#include "support/token_trial.hpp"

namespace asio = boost::asio;
using detached_subjects = support::rebound_subjects<support::with_default<asio::detached_t>>;

namespace {

template <class... Values>
struct by_default : support::way<Values...>
{
  static constexpr bool tells = false;

  template <class Subject, class Start>
  void begin(Subject&, Start start)
  {
    static_assert(std::is_void<decltype(start())>::value, "");
    start();
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_tokens_default_detached)

BOOST_AUTO_TEST_CASE_TEMPLATE(an_object_has_detached_as_its_default, Subject, detached_subjects)
{
  support::try_token<by_default, Subject>();
}

BOOST_AUTO_TEST_SUITE_END()
