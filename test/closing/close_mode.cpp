// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Modes as values: what they say, which one overtakes which, and which make no sense; outcomes and
// reports.

#include <interlock/close_mode.hpp>

#include <chrono>
#include <cmath>
#include <sstream>
#include <string>

#include <boost/test/unit_test.hpp>

#include <interlock/close_outcome.hpp>
#include <interlock/close_report.hpp>

#include "support/system_errors.hpp"

using interlock::close_mode;
using interlock::close_outcome;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr close_mode of_each_kind[] = {close_mode::abort(), close_mode::immediate(),
  close_mode::deliver(seconds(1)), close_mode::graceful(seconds(1))};

std::string text_of(close_outcome o)
{
  std::ostringstream stream;
  stream << o;
  return stream.str();
}

// All of it can be done at compile time.
static_assert(close_mode::graceful(seconds(3)).timeout() == seconds(3), "");
static_assert(stronger(close_mode::abort(), close_mode::immediate()), "");
static_assert(is_valid(close_mode::deliver(seconds(0))), "");

} // namespace

BOOST_AUTO_TEST_SUITE(test_close_mode)

BOOST_AUTO_TEST_CASE(a_mode_says_what_it_was_made_of)
{
  BOOST_TEST((close_mode::immediate().what() == close_mode::kind::immediate));
  BOOST_TEST((close_mode::abort().what() == close_mode::kind::abort));
  const close_mode d = close_mode::deliver(milliseconds(1500));
  BOOST_TEST((d.what() == close_mode::kind::deliver));
  BOOST_TEST((d.timeout() == milliseconds(1500)));
  BOOST_TEST((d.progress_timeout() == close_mode::no_timeout()));
  BOOST_TEST(d.discard_limit() == close_mode::no_limit());
  const close_mode g = close_mode::graceful(hours(2)).progress_timeout(seconds(5)).discard_limit(7);
  BOOST_TEST((g.what() == close_mode::kind::graceful));
  BOOST_TEST((g.timeout() == hours(2)));
  BOOST_TEST((g.progress_timeout() == seconds(5)));
  BOOST_TEST(g.discard_limit() == 7u);
}

BOOST_AUTO_TEST_CASE(only_two_modes_wait_for_the_peer)
{
  BOOST_TEST(!close_mode::abort().delivers());
  BOOST_TEST(!close_mode::immediate().delivers());
  BOOST_TEST(close_mode::deliver(seconds(1)).delivers());
  BOOST_TEST(close_mode::graceful(seconds(1)).delivers());
}

BOOST_AUTO_TEST_CASE(each_mode_overtakes_those_that_wait_for_more)
{
  for (const close_mode& a : of_each_kind)
    for (const close_mode& b : of_each_kind)
      BOOST_TEST(stronger(a, b) == (&a < &b));
  BOOST_TEST(!stronger(close_mode::deliver(seconds(1)), close_mode::deliver(seconds(9))));
}

BOOST_AUTO_TEST_CASE(timeouts_from_nothing_to_a_year_make_sense)
{
  for (const close_mode& m : of_each_kind)
    BOOST_TEST(is_valid(m));
  BOOST_TEST(is_valid(close_mode::deliver(seconds(0))));
  BOOST_TEST(is_valid(close_mode::graceful(close_mode::longest_timeout())));
  BOOST_TEST(is_valid(close_mode::graceful(seconds(1)).progress_timeout(seconds(0))));
  BOOST_TEST(!validate(close_mode::deliver(seconds(0))));
}

BOOST_AUTO_TEST_CASE(a_negative_timeout_is_kept_and_reported)
{
  const close_mode m = close_mode::deliver(milliseconds(-1));
  BOOST_TEST((m.timeout() == milliseconds(-1)));
  BOOST_TEST(validate(m) == support::system_error(EINVAL));
  BOOST_TEST(!is_valid(close_mode::graceful(seconds(1)).progress_timeout(milliseconds(-1))));
}

BOOST_AUTO_TEST_CASE(an_absurd_timeout_does_not_overflow_into_a_sensible_one)
{
  for (const hours h : {hours::max(), hours::max() / 2, hours::min(), hours(24 * 365 + 1)})
  {
    BOOST_TEST(!is_valid(close_mode::deliver(h)));
    BOOST_TEST(!is_valid(close_mode::graceful(h)));
    BOOST_TEST(!is_valid(close_mode::graceful(seconds(1)).progress_timeout(h)));
  }
  using floating = std::chrono::duration<double>;
  BOOST_TEST(!is_valid(close_mode::deliver(floating(INFINITY))));
  BOOST_TEST(!is_valid(close_mode::deliver(floating(-INFINITY))));
  BOOST_TEST(!is_valid(close_mode::deliver(floating(NAN))));
  BOOST_TEST((close_mode::deliver(floating(0.5)).timeout() == milliseconds(500)));
}

// It would be taken for none at all.
BOOST_AUTO_TEST_CASE(the_longest_progress_timeout_is_no_missing_one)
{
  const auto longest = close_mode::no_timeout();
  BOOST_TEST(!is_valid(close_mode::graceful(seconds(1)).progress_timeout(longest)));
}

BOOST_AUTO_TEST_CASE(outcomes_have_names)
{
  BOOST_TEST(text_of(close_outcome::closed) == "closed");
  BOOST_TEST(text_of(close_outcome::acknowledged) == "acknowledged");
  BOOST_TEST(text_of(close_outcome::peer_closed) == "peer_closed");
  BOOST_TEST(text_of(close_outcome::reset) == "reset");
  BOOST_TEST(text_of(close_outcome::timed_out) == "timed_out");
  BOOST_TEST(text_of(close_outcome::aborted) == "aborted");
  BOOST_TEST(text_of(close_outcome::detached) == "detached");
  BOOST_TEST(text_of(static_cast<close_outcome>(99)) == "unknown");
}

BOOST_AUTO_TEST_CASE(a_fresh_report_says_closed_and_nothing_else)
{
  const interlock::close_report r;
  BOOST_TEST(r.outcome == close_outcome::closed);
  BOOST_TEST(r.unsent + r.unacknowledged + r.refused_writes == 0u);
  BOOST_TEST(r.discarded == 0u);
  BOOST_TEST((r.duration == std::chrono::steady_clock::duration::zero()));
}

BOOST_AUTO_TEST_SUITE_END()
