// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The callers of async_close that one close serves: each is ended exactly once, in the order in
// which they came, whatever the others throw.

#include <interlock/detail/tenure/close_waiter.hpp>

#include <cerrno>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "support/fake_close_waiter.hpp"

using boost::system::error_code;
using interlock::detail::close_verdict;
using interlock::detail::close_waiter_list;
using interlock::detail::hand_over;
using support::fake_close_waiter;

namespace {

const error_code bad_file(EBADF, boost::system::system_category());

struct three_closers
{
  fake_close_waiter close_waiters[3];
  std::vector<int> order;
  close_waiter_list list;

  three_closers()
  {
    for (int i = 0; i < 3; ++i)
    {
      close_waiters[i].on_complete = [this, i] { order.push_back(i); };
      list.push(close_waiters[i]);
    }
  }

  void throw_from(int i)
  {
    close_waiters[i].on_complete = [this, i]
    {
      order.push_back(i);
      throw i;
    };
  }

  void check_all_served_in_order() const
  {
    const std::vector<int> as_they_came{0, 1, 2};
    BOOST_TEST(order == as_they_came, boost::test_tools::per_element());
    for (const fake_close_waiter& c : close_waiters)
    {
      BOOST_TEST(c.completions() == 1);
      BOOST_TEST(c.destructions() == 0);
      BOOST_TEST(c.code() == bad_file);
    }
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_close_waiter_list)

BOOST_AUTO_TEST_CASE(an_empty_list_has_no_waiter_to_serve)
{
  close_waiter_list list;
  BOOST_TEST(list.empty());
  list.complete_all(close_verdict{bad_file, {}});
  BOOST_TEST(list.empty());
}

BOOST_FIXTURE_TEST_CASE(several_closers_are_posted_in_the_order_in_which_they_came, three_closers)
{
  BOOST_TEST(!list.empty());
  list.complete_all(close_verdict{bad_file, {}});
  check_all_served_in_order();
  for (const fake_close_waiter& c : close_waiters)
    BOOST_TEST((c.how() == hand_over::post));
  BOOST_TEST(list.empty());
}

BOOST_AUTO_TEST_CASE(a_single_closer_is_dispatched_and_what_it_throws_is_rethrown)
{
  for (const bool throws : {false, true})
  {
    fake_close_waiter only;
    if (throws)
      only.on_complete = [] { throw 7; };
    close_waiter_list list;
    list.push(only);
    int thrown = 0;
    try
    {
      list.complete_all(close_verdict{bad_file, {}});
    }
    catch (int what)
    {
      thrown = what;
    }
    BOOST_TEST(thrown == (throws ? 7 : 0));
    BOOST_TEST(only.ends() == 1);
    BOOST_TEST((only.how() == hand_over::dispatch));
    BOOST_TEST(only.code() == bad_file);
    BOOST_TEST(list.empty());
  }
}

BOOST_AUTO_TEST_CASE(the_first_of_the_exceptions_is_rethrown_when_all_closers_have_been_served)
{
  for (const int first : {0, 1, 2})
  {
    three_closers c;
    for (int i = first; i != 3; ++i)
      c.throw_from(i);
    BOOST_CHECK_EXCEPTION(c.list.complete_all(close_verdict{bad_file, {}}), int,
      [first](int thrown) { return thrown == first; });
    c.check_all_served_in_order();
    BOOST_TEST(c.list.empty());
  }
}

BOOST_AUTO_TEST_CASE(a_list_destroys_uninvoked_those_that_are_left)
{
  fake_close_waiter one;
  fake_close_waiter two;
  {
    close_waiter_list list;
    list.push(one);
    list.push(two);
  }
  BOOST_TEST(one.completions() == 0);
  BOOST_TEST(one.destructions() == 1);
  BOOST_TEST(two.completions() == 0);
  BOOST_TEST(two.destructions() == 1);
}

BOOST_FIXTURE_TEST_CASE(a_list_that_was_moved_from_is_empty_and_can_be_used_again, three_closers)
{
  close_waiter_list moved(std::move(list));
  BOOST_TEST(list.empty());
  BOOST_TEST(!moved.empty());

  // What it is given then is served, each time.
  for (int i = 0; i != 2; ++i)
  {
    fake_close_waiter later;
    list.push(later);
    list.complete_all(close_verdict());
    BOOST_TEST(later.completions() == 1);
    BOOST_TEST((later.how() == hand_over::dispatch));
  }

  moved.complete_all(close_verdict{bad_file, {}});
  check_all_served_in_order();
}

BOOST_AUTO_TEST_SUITE_END()
