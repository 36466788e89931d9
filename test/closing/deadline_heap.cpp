// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The heap of deadlines against a sorted sequence, by many random orders of events.

#include <interlock/detail/closing/deadline_heap.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <iterator>
#include <random>
#include <set>
#include <utility>

#include <boost/test/unit_test.hpp>

using interlock::detail::deadline_heap;
using interlock::detail::deadline_node;
using time_point = deadline_node::time_point;

namespace {

struct node : deadline_node
{
  bool in = false;
};

time_point at(unsigned milliseconds)
{
  return time_point(std::chrono::milliseconds(milliseconds));
}

/// The heap, and what should be in it.
class compared
{
public:
  explicit compared(unsigned seed)
    : random_(seed)
  {
  }

  void insert(node& n)
  {
    n.in = true;
    heap_.insert(n, at(random_() % 50));
    model_.emplace(n.due(), &n);
  }

  void remove(node& n)
  {
    n.in = false;
    model_.erase({n.due(), &n});
    heap_.remove(n);
  }

  void update(node& n)
  {
    model_.erase({n.due(), &n});
    heap_.update(n, at(random_() % 50));
    model_.emplace(n.due(), &n);
  }

  void change(node& n)
  {
    if (!n.in)
      insert(n);
    else if (random_() % 2)
      remove(n);
    else
      update(n);
  }

  bool agree() const
  {
    if (model_.empty() || heap_.empty())
      return model_.empty() && heap_.empty() && !heap_.front();
    return heap_.front()->due() == model_.begin()->first;
  }

  node* front() const
  {
    return static_cast<node*>(heap_.front());
  }

  unsigned random()
  {
    return static_cast<unsigned>(random_());
  }

private:
  std::mt19937 random_;
  deadline_heap heap_;
  std::set<std::pair<time_point, node*>> model_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_deadline_heap)

BOOST_AUTO_TEST_CASE(an_empty_heap_has_no_front)
{
  const deadline_heap h;
  BOOST_TEST(h.empty());
  BOOST_TEST(!h.front());
}

BOOST_AUTO_TEST_CASE(the_earliest_is_in_front_whatever_happens_to_the_others)
{
  for (unsigned seed = 0; seed < 20; ++seed)
  {
    compared c(seed);
    std::deque<node> nodes(1 + seed * 10);
    for (int i = 0; i < 2000; ++i)
    {
      c.change(nodes[c.random() % nodes.size()]);
      BOOST_TEST_REQUIRE(c.agree());
    }
    while (node* n = c.front())
    {
      c.remove(*n);
      BOOST_TEST_REQUIRE(c.agree());
    }
  }
}

// A chain of children as long as the heap: no recursion may follow it.
BOOST_AUTO_TEST_CASE(a_million_nodes_in_falling_order_come_out_in_rising_order)
{
  constexpr unsigned count = 1000000;
  std::deque<node> nodes(count);
  deadline_heap h;
  for (unsigned i = 0; i < count; ++i)
    h.insert(nodes[i], at(count - i));
  unsigned right = 0;
  for (unsigned i = 0; i < count; ++i)
  {
    right += h.front() == &nodes[count - 1 - i];
    h.remove(*h.front());
  }
  BOOST_TEST(right == count);
  BOOST_TEST(h.empty());
}

BOOST_AUTO_TEST_CASE(a_node_can_be_used_in_another_heap_afterwards)
{
  node n;
  deadline_heap one;
  deadline_heap two;
  one.insert(n, at(1));
  one.remove(n);
  two.insert(n, at(2));
  BOOST_TEST(one.empty());
  BOOST_TEST((two.front() == &n && n.due() == at(2)));
  two.remove(n);
}

BOOST_AUTO_TEST_SUITE_END()
