// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// `detached` on every asynchronous member of every type: it is done all the same, and an accepted
// connection that no handler takes is closed.

#include <type_traits>

#include <boost/asio/detached.hpp>
#include <boost/test/unit_test.hpp>

#include "support/token_trial.hpp"

namespace asio = boost::asio;
using support::every_subject;

namespace {

template <class... Values>
struct no_handler : support::way<Values...>
{
  static constexpr bool tells = false;

  template <class Subject, class Start>
  void begin(Subject&, Start start)
  {
    static_assert(std::is_void<decltype(start(asio::detached))>::value, "");
    start(asio::detached);
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_tokens_detached)

BOOST_AUTO_TEST_CASE_TEMPLATE(
  an_operation_is_done_although_no_handler_learns_of_it, Subject, every_subject)
{
  support::try_token<no_handler, Subject>();
}

BOOST_AUTO_TEST_SUITE_END()
