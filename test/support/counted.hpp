// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Fixtures that leave no trace: as many descriptors are open after the case as before, and every handler that was
// counted has ended.

#ifndef INTERLOCK_TEST_SUPPORT_COUNTED_HPP
#define INTERLOCK_TEST_SUPPORT_COUNTED_HPP

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include "support/handler_tally.hpp"
#include "support/no_trace.hpp"

namespace support {

/// What a fixture derived from it owns is gone by the time of counting.
struct counted : no_trace
{
  handler_tally tally;

  ~counted()
  {
    BOOST_TEST(tally.all_ended());
  }
};

struct counted_in_context : counted
{
  boost::asio::io_context context;

  /// Returns when nothing is left to be done, although the context may have run out of work before.
  void run()
  {
    context.restart();
    context.run();
  }
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_COUNTED_HPP
