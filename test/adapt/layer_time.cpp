// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// How long the layers of a stack have.

#include <interlock/detail/adapt/layer_time.hpp>

#include <chrono>

#include <boost/test/unit_test.hpp>

using interlock::close_mode;
using interlock::detail::layer_time;
using interlock::detail::traffic;
using std::chrono::milliseconds;

namespace {

const layer_time::clock::time_point start;

layer_time::clock::time_point after(int ms)
{
  return start + milliseconds(ms);
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_layer_time)

BOOST_AUTO_TEST_CASE(without_a_progress_timeout_the_deadline_counts)
{
  layer_time t(close_mode::graceful(milliseconds(100)), start);
  BOOST_TEST((t.next_look(after(10)) == after(100)));
  BOOST_TEST(!t.is_over(after(99)));
  t.note_progress(after(99));
  BOOST_TEST(t.is_over(after(100)));
  BOOST_TEST((t.remaining(after(30)).timeout() == milliseconds(70)));
  BOOST_TEST((t.remaining(after(130)).timeout() == milliseconds(0)));
}

BOOST_AUTO_TEST_CASE(without_progress_the_time_is_over_earlier)
{
  layer_time t(close_mode::graceful(milliseconds(100)).progress_timeout(milliseconds(40)), start);
  t.note(traffic(), after(0));
  BOOST_TEST((t.next_look(after(0)) == after(10)));
  BOOST_TEST((t.next_look(after(35)) == after(40)));
  t.note(traffic(), after(35));
  BOOST_TEST(!t.is_over(after(39)));
  BOOST_TEST(t.is_over(after(40)));
}

BOOST_AUTO_TEST_CASE(what_moves_gives_time_up_to_the_deadline)
{
  layer_time t(close_mode::graceful(milliseconds(100)).progress_timeout(milliseconds(40)), start);
  t.note({7, 0, 0}, after(10));
  BOOST_TEST(t.is_over(after(50)));
  t.note({6, 0, 0}, after(30));
  BOOST_TEST(!t.is_over(after(69)));
  t.note({6, 1, 0}, after(60));
  t.note({6, 1, 1}, after(70));
  t.note({6, 1, 1}, after(80));
  BOOST_TEST(!t.is_over(after(99)));
  BOOST_TEST(t.is_over(after(100)));
}

BOOST_AUTO_TEST_CASE(a_stronger_mode_shortens_the_time)
{
  layer_time t(close_mode::graceful(milliseconds(100)), start);
  t.hurry(close_mode::deliver(milliseconds(200)), after(10));
  BOOST_TEST(t.is_over(after(100)));
  t.hurry(close_mode::deliver(milliseconds(20)), after(10));
  BOOST_TEST(t.is_over(after(30)));
  BOOST_TEST((t.mode().what() == close_mode::kind::deliver));
}

BOOST_AUTO_TEST_SUITE_END()
