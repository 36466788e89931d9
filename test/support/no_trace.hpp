// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A fixture that leaves no trace: as many descriptors are open after the case as before.

#ifndef INTERLOCK_TEST_SUPPORT_NO_TRACE_HPP
#define INTERLOCK_TEST_SUPPORT_NO_TRACE_HPP

#include <boost/test/unit_test.hpp>

#include "census.hpp"

namespace support {

/// What a fixture derived from it owns is gone by the time of counting.
struct no_trace
{
  census before;

  ~no_trace()
  {
    BOOST_TEST(before.restored());
  }
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_NO_TRACE_HPP
