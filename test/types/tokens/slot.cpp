// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// `bind_cancellation_slot` on every asynchronous member of every type: an emission of `total` ends what
// waits, but for a release, which goes on. Boost 1.77 or later.

#include <boost/asio/version.hpp>

#if BOOST_ASIO_VERSION >= 102000

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/test/unit_test.hpp>

#include "support/token_trial.hpp"

namespace asio = boost::asio;
using support::every_subject;

namespace {

template <class... Values>
struct by_signal : support::counted_way<Values...>
{
  static constexpr bool cancels = true;

  template <class Subject, class Start>
  void begin(Subject&, Start start)
  {
    start(asio::bind_cancellation_slot(signal_.slot(), this->counted()));
    support::check(this->tally.called() == 0);
  }

  void cancel()
  {
    signal_.emit(asio::cancellation_type::total);
  }

  /// An emission after the end finds nothing.
  void end()
  {
    signal_.emit(asio::cancellation_type::all);
    support::counted_way<Values...>::end();
  }

  asio::cancellation_signal signal_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_tokens_slot)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_signal_cancels_what_waits, Subject, every_subject)
{
  support::try_token<by_signal, Subject>();
}

BOOST_AUTO_TEST_SUITE_END()

#endif
