// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Handlers that are functions, on every asynchronous member of every type: one that is copied, and one
// that can only be moved. Neither is called in the initiating function; each is called once, and
// destroyed.

#include <type_traits>

#include <boost/test/unit_test.hpp>

#include "support/token_trial.hpp"

namespace asio = boost::asio;
using support::every_subject;

namespace {

/// The handler stays the caller's, and is a constant there.
template <class... Values>
struct by_copy : support::way<Values...>
{
  template <class Subject, class Start>
  void begin(Subject&, Start start)
  {
    const support::recorder<support::told<Values...>> handler = this->record();
    static_assert(std::is_void<decltype(start(handler))>::value, "");
    start(handler);
    support::check(this->outcome.calls == 0);
  }
};

template <class... Values>
struct by_move : support::counted_way<Values...>
{
  template <class Subject, class Start>
  void begin(Subject&, Start start)
  {
    start(this->counted());
    support::check(this->tally.called() == 0);
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_tokens_callback)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_that_is_copied_is_told, Subject, every_subject)
{
  support::try_token<by_copy, Subject>();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_that_can_only_be_moved_is_told, Subject, every_subject)
{
  support::try_token<by_move, Subject>();
}

BOOST_AUTO_TEST_SUITE_END()
