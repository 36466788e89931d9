// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A worker for one test case, and the check that nothing of it is left afterwards.

#ifndef INTERLOCK_TEST_SUPPORT_WORKER_FIXTURE_HPP
#define INTERLOCK_TEST_SUPPORT_WORKER_FIXTURE_HPP

#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include <boost/test/unit_test.hpp>

#include <interlock/detail/closing/close_worker.hpp>

#include "census.hpp"
#include "wait_until.hpp"

namespace support {

/// A worker, and whether it still is in memory.
struct observed_worker
{
  interlock::detail::close_worker_pointer worker;
  std::weak_ptr<void> life;

  explicit observed_worker(interlock::detail::worker_options o = {})
  {
    auto kept = std::make_shared<int>();
    life = kept;
    // Its factory ends with it.
    o.lane.thread_factory = [kept = std::move(kept), own = std::move(o.lane.thread_factory)](
                              std::function<void()> run)
    { return own ? own(std::move(run)) : std::thread(std::move(run)); };
    worker.reset(new interlock::detail::close_worker(std::move(o)), false);
  }
};

/// A worker that is stopped in the end, its thread gone, every descriptor closed.
struct worker_fixture
{
  census before;
  observed_worker observed;
  interlock::detail::close_worker_pointer worker;

  explicit worker_fixture(interlock::detail::worker_options o = {})
    : observed(std::move(o)),
      worker(std::move(observed.worker))
  {
  }

  ~worker_fixture()
  {
    worker->stop(patience);
    worker.reset();
    BOOST_TEST(wait_until([this] { return observed.life.expired(); }));
    BOOST_TEST(before.restored());
  }
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_WORKER_FIXTURE_HPP
