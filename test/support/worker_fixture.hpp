// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A worker for one test case, and the check that nothing of it is left afterwards.

#ifndef INTERLOCK_TEST_SUPPORT_WORKER_FIXTURE_HPP
#define INTERLOCK_TEST_SUPPORT_WORKER_FIXTURE_HPP

#include <memory>

#include <boost/test/unit_test.hpp>

#include <interlock/detail/closing/close_worker.hpp>

#include "census.hpp"
#include "wait_until.hpp"

namespace support {

/// A worker that is stopped in the end, its thread gone, every descriptor closed.
struct worker_fixture
{
  census before;
  std::shared_ptr<interlock::detail::close_worker> worker =
    std::make_shared<interlock::detail::close_worker>();

  ~worker_fixture()
  {
    worker->stop(patience);
    const std::weak_ptr<interlock::detail::close_worker> gone = worker;
    worker.reset();
    BOOST_TEST(wait_until([&] { return gone.expired(); }));
    BOOST_TEST(before.restored());
  }
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_WORKER_FIXTURE_HPP
