// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Coroutines of the language on every asynchronous member of every type: `use_awaitable` over the context's
// own executor, and as the default token. C++20.

#define BOOST_TEST_MODULE smoke_coroutines_rebound
#include <boost/test/unit_test.hpp>

#include "support/token_awaitable.hpp"

namespace asio = boost::asio;

namespace {

using context_executor = asio::io_context::executor_type;
using of_context = support::awaiting<context_executor, asio::use_awaitable_t<context_executor>>;
using by_default = support::awaiting<asio::any_io_executor>;

using context_subjects = support::rebound_subjects<support::over_the_context>;
using default_subjects = support::rebound_subjects<support::with_default<asio::use_awaitable_t<>>>;

} // namespace

BOOST_AUTO_TEST_SUITE(test_coroutines_rebound)

BOOST_AUTO_TEST_CASE_TEMPLATE(an_operation_is_awaited_over_the_context, Subject, context_subjects)
{
  support::try_token<of_context::way, Subject>();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_operation_is_awaited_by_default, Subject, default_subjects)
{
  support::try_token<by_default::way, Subject>();
}

BOOST_AUTO_TEST_SUITE_END()
