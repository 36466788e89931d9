// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A fixture that leaves no trace: as many descriptors are open after the case as before, and close(2) has been called
// for none that was not.

#ifndef INTERLOCK_TEST_SUPPORT_NO_TRACE_HPP
#define INTERLOCK_TEST_SUPPORT_NO_TRACE_HPP

#include <cstddef>

#include <boost/test/unit_test.hpp>

#include "census.hpp"
#include "close_probe.hpp"

namespace support {

/// What a fixture derived from it owns is gone by the time of counting.
struct no_trace
{
  census before;
  const std::size_t strays = stray_closes();

  ~no_trace()
  {
    BOOST_TEST(before.restored());
    BOOST_TEST(stray_closes() == strays);
  }
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_NO_TRACE_HPP
