// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// `cancel_after` and `cancel_at` on every asynchronous member of every type: an operation that is over in
// time is not touched, one that is not is cancelled. Boost 1.86 or later; empty before.

#include <boost/asio/version.hpp>

#if BOOST_ASIO_VERSION >= 103100

#include <chrono>

#include <boost/asio/cancel_after.hpp>
#include <boost/asio/cancel_at.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/unit_test.hpp>

#include "support/token_trial.hpp"

namespace asio = boost::asio;
using support::every_subject;

namespace {

/// A point of time around a length of time.
template <class... Values>
struct in_time : support::counted_way<Values...>
{
  static constexpr bool cancels = true;

  template <class Subject, class Start>
  void begin(Subject&, Start start)
  {
    using clock = std::chrono::steady_clock;
    start(asio::cancel_at(clock::now() + limit_, asio::cancellation_type::total,
      asio::cancel_after(limit_, asio::cancellation_type::total, this->counted())));
    support::check(this->tally.called() == 0);
  }

  void cancel_soon()
  {
    limit_ = std::chrono::hours(0);
  }

  std::chrono::hours limit_{1};
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_tokens_cancel_after)

BOOST_AUTO_TEST_CASE_TEMPLATE(what_takes_too_long_is_cancelled, Subject, every_subject)
{
  support::try_token<in_time, Subject>();
}

BOOST_AUTO_TEST_SUITE_END()

#endif
