// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// An engine that the test runs by itself, step by step, over edges and by polling.

#ifndef INTERLOCK_TEST_SUPPORT_DELIVERY_PROBE_HPP
#define INTERLOCK_TEST_SUPPORT_DELIVERY_PROBE_HPP

#include <chrono>
#include <tuple>

#include <boost/test/unit_test.hpp>

#include <interlock/close_mode.hpp>
#include <interlock/detail/closing/delivery_engine.hpp>

#include "delivery_driver.hpp"
#include "descriptor_pairs.hpp"
#include "no_trace.hpp"
#include "wait_until.hpp"

namespace support {

// The two ways of an engine, as types for test cases.

struct by_edges
{
  static constexpr interlock::detail::watching way = interlock::detail::watching::edges;
};

struct by_polling
{
  static constexpr interlock::detail::watching way = interlock::detail::watching::never;
};

using ways = std::tuple<by_edges, by_polling>;

/// The deadline of a delivery that is not to reach it.
constexpr std::chrono::seconds long_enough(60);

/// An engine that is run by the test's own thread. Nothing of it is left in the end.
template <class Way>
struct delivery_fixture : no_trace
{
  delivery_driver engine{Way::way};

  ~delivery_fixture()
  {
    BOOST_TEST(engine.idle());
  }

  void submit(delivery_probe& job, const fd& n, const interlock::close_mode& mode)
  {
    engine.submit(job, n.get(), mode);
  }

  /// Runs the engine until the condition holds, without waiting; each time before, `peer` has its
  /// turn.
  template <class Condition, class Peer>
  bool run_until(Condition condition, Peer peer, std::chrono::milliseconds wait = {})
  {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!condition())
    {
      if (std::chrono::steady_clock::now() > deadline)
        return false;
      peer();
      engine.run_once(wait);
    }
    return true;
  }

  template <class Condition>
  bool run_until(Condition condition)
  {
    constexpr std::chrono::milliseconds often_enough(20); // for what no event tells the engine
    return run_until(
      condition, [] {}, often_enough);
  }

  template <class Peer>
  bool run_until_delivered(const delivery_probe& job, Peer peer)
  {
    return run_until([&] { return job.reports() != 0; }, peer);
  }

  bool run_until_delivered(const delivery_probe& job)
  {
    return run_until([&] { return job.reports() != 0; });
  }
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_DELIVERY_PROBE_HPP
