// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// `bind_immediate_executor` on every asynchronous member of every type: whatever is called in the
// initiating function is called once; a transfer that is refused always is. Boost 1.82 or later; empty
// before.

#include <boost/asio/version.hpp>

#if BOOST_ASIO_VERSION >= 102700

#include <cstddef>
#include <tuple>
#include <type_traits>

#include <boost/asio/bind_immediate_executor.hpp>
#include <boost/asio/system_executor.hpp>
#include <boost/test/unit_test.hpp>

#include "support/token_trial.hpp"

namespace asio = boost::asio;
using support::every_subject;

namespace {

template <class... Values>
struct by_immediate_handler : support::counted_way<Values...>
{
  template <class Subject, class Start>
  void begin(Subject& s, Start start)
  {
    const bool open = s.object.is_open();
    start(asio::bind_immediate_executor(asio::system_executor(), this->counted()));
    if (!open && std::is_same<std::tuple<Values...>, std::tuple<std::size_t>>::value)
      support::check(this->tally.called() == 1);
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_tokens_immediate)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_may_be_called_at_once, Subject, every_subject)
{
  support::try_token<by_immediate_handler, Subject>();
}

BOOST_AUTO_TEST_SUITE_END()

#endif
