// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// How a close ends: every combination of what can be asked for and of where it takes place, held
// against rules in other words than those of the functions.

#include <interlock/detail/closing/close_decision.hpp>

#include <cstddef>

#include <boost/test/unit_test.hpp>

using interlock::close_mode;
using interlock::close_outcome;
using namespace interlock::detail;
using kind = close_mode::kind;

namespace {

/// Calls `check` with each wish at each place. How many there were.
template <class Check>
std::size_t for_each_case(Check check)
{
  std::size_t count = 0;
  for (const linger_setting linger :
    {linger_setting::off(), linger_setting::unsupported(), linger_setting::unknown(),
      linger_setting::on(0), linger_setting::on(1), linger_setting::on(5)})
    for (const auto lead : {close_lead::none, close_lead::mode, close_lead::linger})
      for (const auto planned : {kind::abort, kind::immediate, kind::deliver, kind::graceful})
        for (unsigned bits = 0; bits != 1u << 7; ++bits)
        {
          const auto bit = [bits](unsigned n) { return (bits >> n & 1) != 0; };
          const close_request w = {linger, bit(0), bit(1), bit(2), lead, planned};
          const close_circumstances p = {bit(3), bit(4), bit(5), bit(6)};
          check(w, p);
          ++count;
        }
  return count;
}

bool is_wait(close_step s)
{
  return s == close_step::deliver || s == close_step::drain;
}

/// Whether the descriptor can still be dealt with in any way but by close(2).
bool is_free(const close_circumstances& p)
{
  return p.has_descriptor && !p.is_copy && !p.is_delivered;
}

/// Whether a closer leads with a mode of this kind.
bool leads(const close_request& w, kind k)
{
  return w.lead != close_lead::none && w.planned == k;
}

bool leads_to_wait(const close_request& w)
{
  return leads(w, kind::deliver) || leads(w, kind::graceful);
}

/// Whether all that is known is what the option says.
bool is_left_to_option(const close_request& w)
{
  return w.lead == close_lead::none && !w.abortive && !w.prompt;
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_close_decision)

BOOST_AUTO_TEST_CASE(all_combinations_are_walked)
{
  BOOST_TEST(
    for_each_case([](const close_request&, const close_circumstances&) {}) == 6u * 3 * 4 * 128);
}

BOOST_AUTO_TEST_CASE(a_copy_or_what_has_been_delivered_is_closed_and_nothing_else)
{
  for_each_case(
    [](const close_request& w, const close_circumstances& p)
    {
      if (p.is_copy || p.is_delivered)
        BOOST_REQUIRE((next_step(w, p) == close_step::close));
    });
}

BOOST_AUTO_TEST_CASE(a_close_that_waits_may_and_has_a_reason)
{
  for_each_case(
    [](const close_request& w, const close_circumstances& p)
    {
      const bool may = is_free(p) && !p.in_hurry && !w.abortive && !w.prompt;
      const bool by_option = w.lead == close_lead::none && w.linger.waits();
      const bool is_let = !w.joined_plainly || w.linger.waits();
      const bool is_to_wait = may && (by_option || (leads_to_wait(w) && is_let));
      BOOST_REQUIRE_EQUAL(is_wait(next_step(w, p)), is_to_wait);
    });
}

BOOST_AUTO_TEST_CASE(a_fin_before_close2_is_sent_for_a_mode_only)
{
  for_each_case(
    [](const close_request& w, const close_circumstances& p)
    {
      const close_step s = next_step(w, p);
      if (is_wait(s))
        BOOST_REQUIRE_EQUAL(s == close_step::deliver, w.lead == close_lead::mode);
    });
}

BOOST_AUTO_TEST_CASE(the_option_decides_where_no_mode_was_requested)
{
  for_each_case(
    [](const close_request& w, const close_circumstances& p)
    {
      const bool unknown = is_left_to_option(w) && w.linger.is_unknown();
      BOOST_REQUIRE_EQUAL(
        next_step(w, p) == close_step::look_at_linger, unknown && is_free(p) && !p.in_hurry);
    });
}

BOOST_AUTO_TEST_CASE(a_reset_was_requested)
{
  for_each_case(
    [](const close_request& w, const close_circumstances& p)
    {
      if (p.is_copy || p.is_delivered)
        return;
      const bool by_option = is_left_to_option(w) && w.linger == linger_setting::on(0);
      const bool by_lead = !w.prompt && (leads(w, kind::abort) || by_option);
      BOOST_REQUIRE_EQUAL(next_step(w, p) == close_step::close_abortively, w.abortive || by_lead);
    });
}

// So that no close(2) waits.
BOOST_AUTO_TEST_CASE(as_the_descriptor_is_it_is_closed_only_if_it_cannot_linger)
{
  for_each_case(
    [](const close_request& w, const close_circumstances& p)
    {
      if (next_step(w, p) != close_step::close || p.is_copy || p.is_delivered)
        return;
      BOOST_REQUIRE((!p.in_hurry && is_left_to_option(w)));
      BOOST_REQUIRE(
        (w.linger == linger_setting::off() || !w.linger.is_supported() || !p.has_descriptor));
    });
}

BOOST_AUTO_TEST_CASE(the_last_step_never_waits_and_is_the_next_where_that_does_not)
{
  for_each_case(
    [](const close_request& w, const close_circumstances& p)
    {
      const close_step last = last_step(w, p);
      const close_step next = next_step(w, p);
      BOOST_REQUIRE((!is_wait(last) && last != close_step::look_at_linger));
      if (is_wait(next))
        BOOST_REQUIRE((last == close_step::close_promptly));
      else if (next != close_step::look_at_linger)
        BOOST_REQUIRE((last == next));
    });
}

BOOST_AUTO_TEST_CASE(what_is_told_is_what_is_done)
{
  for_each_case(
    [](const close_request& w, const close_circumstances& p)
    {
      const close_outcome told = outcome_of(w, p);
      BOOST_REQUIRE_EQUAL(told == close_outcome::detached, !p.has_descriptor);
      const bool is_reset = last_step(w, p) == close_step::close_abortively;
      if (p.has_descriptor)
        BOOST_REQUIRE((told
          == (is_reset && w.linger.is_supported() ? close_outcome::aborted
                                                  : close_outcome::closed)));
    });
}

BOOST_AUTO_TEST_SUITE_END()
