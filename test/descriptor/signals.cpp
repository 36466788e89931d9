// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Which handlers of signals decide whether an interrupted call goes on.

#include <interlock/detail/descriptor/signals.hpp>

#include <signal.h>

#include <boost/test/unit_test.hpp>

#include "support/signal_disposition.hpp"

using interlock::detail::goes_on_after_signal;
using support::signal_disposition;

namespace {

void ignore(int) {}

} // namespace

BOOST_AUTO_TEST_SUITE(test_signals)

BOOST_AUTO_TEST_CASE(a_call_goes_on_if_one_of_the_handlers_restarts)
{
  const signal_disposition other(SIGUSR2, 0, &ignore);
  BOOST_TEST(!goes_on_after_signal());
  const signal_disposition restarts(SIGUSR1, SA_RESTART, &ignore);
  BOOST_TEST(goes_on_after_signal());
}

BOOST_AUTO_TEST_CASE(a_signal_without_a_handler_does_not_count)
{
  const signal_disposition other(SIGUSR2, 0, &ignore);
  for (const auto handler : {SIG_IGN, SIG_DFL})
  {
    const signal_disposition none(SIGUSR1, SA_RESTART, handler);
    BOOST_TEST(!goes_on_after_signal());
  }
}

// They come from the instruction that a thread executes, not while it is blocked.
BOOST_AUTO_TEST_CASE(the_faults_of_a_thread_do_not_count)
{
  const signal_disposition other(SIGUSR2, 0, &ignore);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP})
  {
    const signal_disposition restarts(fault, SA_RESTART, &ignore);
    BOOST_TEST(!goes_on_after_signal());
  }
}

BOOST_AUTO_TEST_SUITE_END()
