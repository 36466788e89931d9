// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Walking over the allocations of a scenario, each of which is made to fail in turn: afterwards no
// descriptor and no memory may be left of it.

#ifndef INTERLOCK_TEST_SUPPORT_ALLOCATION_WALK_HPP
#define INTERLOCK_TEST_SUPPORT_ALLOCATION_WALK_HPP

#include <cstddef>
#include <functional>
#include <new>
#include <ostream>
#include <type_traits>

#include <boost/asio/io_context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "allocation_hook.hpp"
#include "census.hpp"
#include "close_probe.hpp"
#include "handler_tally.hpp"
#include "loop.hpp"
#include "wait_until.hpp"

namespace support {

/// What a scenario makes its calls with: in each of them, the n-th allocation fails.
class failing
{
public:
  explicit failing(std::size_t nth) noexcept
    : nth_(nth)
  {
  }

  /// Calls `call()`. True: it threw std::bad_alloc.
  template <class Call>
  bool operator()(Call call)
  {
    const allocation_failure failure(nth_);
    bool threw = false;
    try
    {
      call();
    }
    catch (const std::bad_alloc&)
    {
      threw = true;
    }
    struck_ = struck_ || failure.struck();
    return threw;
  }

  /// Runs the context until the n-th allocation has failed or `over()`, and what is ready then. What
  /// throws meanwhile does not end it. True: something threw std::bad_alloc.
  template <class Over>
  bool run(boost::asio::io_context& context, Over over)
  {
    bool threw = false;
    const auto go_on = [&]
    {
      try
      {
        return turn(context) != 0;
      }
      catch (const std::bad_alloc&)
      {
        return threw = true;
      }
    };
    bool came_to_it = false;
    {
      const allocation_failure failure(nth_);
      came_to_it = wait_until([&] { return go_on(), failure.struck() || over(); });
      struck_ = struck_ || failure.struck();
    }
    BOOST_TEST(came_to_it);
    while (go_on())
      continue;
    return threw;
  }

  /// Whether a call has come to its n-th allocation.
  bool struck() const noexcept
  {
    return struck_;
  }

private:
  const std::size_t nth_;
  bool struck_ = false;
};

/// Calls `scenario` for n = 1, 2, ... until the n-th allocation is not reached any more. Nothing may be left
/// of any of them. Fewer than `fewest` are too few to show anything.
inline void walk(const std::function<void(failing&)>& scenario, std::size_t fewest = 1)
{
  const auto strikes = [&scenario](std::size_t nth)
  {
    failing f(nth);
    BOOST_TEST_CONTEXT("allocation " << nth)
    scenario(f);
    return f.struck();
  };
  // What is made once in a process is made before.
  constexpr std::size_t never = 1 << 20;
  BOOST_TEST(!strikes(never));
  const census fds;
  const long live = live_allocations();
  const std::size_t strays = stray_closes();
  std::size_t n = 1;
  for (bool struck = true; struck; ++n)
  {
    struck = strikes(n);
    const bool restored = fds.restored();
    const bool freed = wait_until([live] { return live_allocations() == live; });
    BOOST_TEST(restored, "descriptors are left with allocation " << n);
    BOOST_TEST(freed, "memory is left with allocation " << n);
    BOOST_TEST(stray_closes() == strays);
  }
  BOOST_TEST(n >= fewest + 2);
}

/// What a row of a table begins with: the name that is printed, and the `fewest` of its walk.
struct row
{
  const char* name;
  std::size_t fewest = 1;
};

inline std::ostream& operator<<(std::ostream& out, const row& r)
{
  return out << r.name;
}

template <class Rows>
using row_of = std::remove_extent_t<std::remove_reference_t<Rows>>;

/// A context that the test's thread runs, and its handlers.
struct walked_context
{
  boost::asio::io_context context;
  handler_tally handlers;

  void run_until_ended()
  {
    BOOST_TEST(run_until(context, [this] { return handlers.all_ended(); }));
  }
};

} // namespace support

/// A test case that is a walk: what follows is the scenario, which makes its calls with `fails`.
#define INTERLOCK_TEST_WALK(name, fewest) \
  static void scenario_of_##name(support::failing& fails); \
  BOOST_AUTO_TEST_CASE(name) \
  { \
    support::walk(&scenario_of_##name, fewest); \
  } \
  static void scenario_of_##name(support::failing& fails)

/// One for each row of a table, an array. The scenario has it as `row`.
#define INTERLOCK_TEST_WALK_ROWS(name, rows) \
  static void scenario_of_##name( \
    support::failing& fails, const support::row_of<decltype(rows)>& row); \
  BOOST_DATA_TEST_CASE(name, boost::unit_test::data::make(rows), row) \
  { \
    support::walk([&](support::failing& fails) { scenario_of_##name(fails, row); }, row.fewest); \
  } \
  static void scenario_of_##name( \
    support::failing& fails, const support::row_of<decltype(rows)>& row)

#endif // INTERLOCK_TEST_SUPPORT_ALLOCATION_WALK_HPP
