// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What is made of each result of close(2): some errors mean that the descriptor is gone, and none is
// ever a reason to close it again.

#include <interlock/detail/descriptor/close_descriptor.hpp>

#include <cerrno>

#include <boost/test/unit_test.hpp>

#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"

using interlock::detail::close_descriptor;
using support::close_watch;

namespace {

/// What close_descriptor makes of `error`, and how many times it has closed.
int result_of(int error)
{
  support::ends pipe = support::pipe_ends();
  close_watch watch(pipe.near.get());
  watch.report(error);
  const int result = close_descriptor(pipe.near.release());
  BOOST_TEST(watch.closed() == 1u);
  BOOST_TEST(support::hung_up(pipe.far));
  return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_close_descriptor)

BOOST_AUTO_TEST_CASE(an_interrupted_close_has_closed_and_is_not_repeated)
{
  BOOST_TEST(result_of(EINTR) == 0);
  BOOST_TEST(result_of(EINPROGRESS) == 0);
}

BOOST_AUTO_TEST_CASE(any_other_error_is_reported_and_the_close_not_repeated)
{
  for (int error : {EIO, ENOSPC, EDQUOT, EAGAIN})
    BOOST_TEST(result_of(error) == error);
}

BOOST_AUTO_TEST_SUITE_END()
