// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A pipe whose close(2) stands still, on a thread of the elastic lane, until the gate is opened.

#ifndef INTERLOCK_TEST_SUPPORT_STANDING_PIPE_HPP
#define INTERLOCK_TEST_SUPPORT_STANDING_PIPE_HPP

#include <boost/test/unit_test.hpp>

#include <interlock/detail/closing/close_worker.hpp>

#include "close_probe.hpp"
#include "descriptor_pairs.hpp"
#include "probe_job.hpp"

namespace support {

/// Submitted, it is closed in the end.
struct standing_pipe
{
  ends pipe = pipe_ends();
  close_watch watch{pipe.near.get()};
  probe_job job;

  standing_pipe()
  {
    watch.shut_gate();
  }

  /// One that stands already.
  explicit standing_pipe(interlock::detail::close_worker& worker)
    : standing_pipe()
  {
    submit(worker);
    BOOST_TEST(watch.wait_arrived());
  }

  standing_pipe(const standing_pipe&) = delete;
  standing_pipe& operator=(const standing_pipe&) = delete;

  ~standing_pipe()
  {
    watch.open_gate();
    BOOST_TEST(job.wait_closed());
  }

  void submit(interlock::detail::close_worker& worker)
  {
    worker.submit(job, unasked(pipe.near.release()));
  }
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_STANDING_PIPE_HPP
