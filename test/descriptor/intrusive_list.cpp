// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The list that allocates nothing: order, removal from any place, and what a move of it takes along.

#include <interlock/detail/descriptor/intrusive_list.hpp>

#include <type_traits>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

using interlock::detail::intrusive_list;
using interlock::detail::list_node;

namespace {

struct item : list_node
{
  int value = 0;
};

static_assert(sizeof(list_node) == 2 * sizeof(void*), "part of every close that waits");
static_assert(std::is_nothrow_move_constructible<intrusive_list<item>>::value, "");

struct three_items
{
  item items[3];
  intrusive_list<item> list;

  three_items()
  {
    for (int i = 0; i != 3; ++i)
    {
      items[i].value = i;
      list.push_back(items[i]);
    }
  }

  static void check(const intrusive_list<item>& l, const std::vector<int>& expected)
  {
    std::vector<int> values;
    l.for_each([&values](const item& i) { values.push_back(i.value); });
    BOOST_TEST(values == expected, boost::test_tools::per_element());
    BOOST_TEST(l.empty() == expected.empty());
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_intrusive_list)

BOOST_AUTO_TEST_CASE(an_empty_list_has_no_front)
{
  intrusive_list<item> list;
  BOOST_TEST(list.empty());
  BOOST_TEST(list.front() == nullptr);
  BOOST_TEST(list.pop_front() == nullptr);
  intrusive_list<item> moved(std::move(list));
  BOOST_TEST(moved.empty());
}

BOOST_FIXTURE_TEST_CASE(it_keeps_the_order_in_which_they_came, three_items)
{
  item other;
  other.value = 9;
  list.push_front(other);
  check(list, {9, 0, 1, 2});
  BOOST_TEST(list.pop_front() == &other);
  for (item& i : items)
    BOOST_TEST(list.pop_front() == &i);
  check(list, {});
}

BOOST_FIXTURE_TEST_CASE(any_of_them_can_be_removed, three_items)
{
  list.remove(items[1]);
  check(list, {0, 2});
  list.remove(items[2]);
  check(list, {0});
  list.remove(items[0]);
  check(list, {});
}

// Without the list, and again without an effect.
BOOST_FIXTURE_TEST_CASE(an_object_leaves_by_itself, three_items)
{
  items[0].unlist();
  BOOST_TEST(!items[0].is_listed());
  items[0].unlist();
  check(list, {1, 2});
  list.push_back(items[0]);
  BOOST_TEST(items[0].is_listed());
  check(list, {1, 2, 0});
}

BOOST_FIXTURE_TEST_CASE(a_move_takes_all_along, three_items)
{
  intrusive_list<item> moved(std::move(list));
  check(list, {});
  check(moved, {0, 1, 2});
  list.push_back(*moved.pop_front());
  check(list, {0});
  check(moved, {1, 2});
}

BOOST_FIXTURE_TEST_CASE(the_first_that_is_meant_is_found, three_items)
{
  BOOST_TEST(list.find([](const item& i) { return i.value > 0; }) == &items[1]);
  BOOST_TEST(list.find([](const item& i) { return i.value > 2; }) == nullptr);
  BOOST_TEST(list.after(items[1]) == &items[2]);
  BOOST_TEST(list.after(items[2]) == nullptr);
}

BOOST_FIXTURE_TEST_CASE(what_is_forgotten_is_not_touched, three_items)
{
  list.forget_all();
  check(list, {});
  BOOST_TEST(items[1].is_listed());
}

BOOST_AUTO_TEST_SUITE_END()
