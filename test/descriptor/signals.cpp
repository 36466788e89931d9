// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Which handlers of signals decide whether an interrupted call goes on.

#include <interlock/detail/descriptor/signals.hpp>

#include <signal.h>

#include <boost/test/unit_test.hpp>

using interlock::detail::goes_on_after_signal;

namespace {

/// While it lives the signal has this handler; then everything is as it was.
class disposition
{
public:
  disposition(
    int signal, int flags, void (*handler)(int) = [](int) {})
    : signal_(signal)
  {
    struct ::sigaction action = {};
    action.sa_flags = flags;
    action.sa_handler = handler;
    BOOST_REQUIRE(::sigaction(signal, &action, &before_) == 0);
  }

  disposition(const disposition&) = delete;
  disposition& operator=(const disposition&) = delete;

  ~disposition()
  {
    ::sigaction(signal_, &before_, nullptr);
  }

private:
  const int signal_;
  struct ::sigaction before_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_signals)

BOOST_AUTO_TEST_CASE(a_call_goes_on_if_one_of_the_handlers_restarts)
{
  const disposition other(SIGUSR2, 0);
  BOOST_TEST(!goes_on_after_signal());
  const disposition restarts(SIGUSR1, SA_RESTART);
  BOOST_TEST(goes_on_after_signal());
}

BOOST_AUTO_TEST_CASE(a_signal_without_a_handler_does_not_count)
{
  const disposition other(SIGUSR2, 0);
  for (const auto handler : {SIG_IGN, SIG_DFL})
  {
    const disposition none(SIGUSR1, SA_RESTART, handler);
    BOOST_TEST(!goes_on_after_signal());
  }
}

// They come from the instruction that a thread executes, not while it is blocked.
BOOST_AUTO_TEST_CASE(the_faults_of_a_thread_do_not_count)
{
  const disposition other(SIGUSR2, 0);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP})
  {
    const disposition restarts(fault, SA_RESTART);
    BOOST_TEST(!goes_on_after_signal());
  }
}

BOOST_AUTO_TEST_SUITE_END()
