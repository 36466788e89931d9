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

/// A worker that is stopped in the end, its thread gone, every descriptor closed.
struct worker_fixture
{
  census before;
  std::weak_ptr<void> life; // of the worker's memory
  interlock::detail::close_worker_pointer worker;

  worker_fixture()
  {
    auto kept = std::make_shared<int>();
    life = kept;
    interlock::detail::worker_options o;
    // The factory ends with the worker.
    o.lane.thread_factory = [kept = std::move(kept)](std::function<void()> run)
    { return std::thread(std::move(run)); };
    worker.reset(new interlock::detail::close_worker(std::move(o)), false);
  }

  ~worker_fixture()
  {
    worker->stop(patience);
    worker.reset();
    BOOST_TEST(wait_until([this] { return life.expired(); }));
    BOOST_TEST(before.restored());
  }
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_WORKER_FIXTURE_HPP
