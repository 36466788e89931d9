// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#ifndef INTERLOCK_TEST_SUPPORT_TOLD_HPP
#define INTERLOCK_TEST_SUPPORT_TOLD_HPP

#include <boost/system/error_code.hpp>

namespace support {

/// What one closer has been told. It has to outlive its handler.
template <class Report>
struct told_with
{
  int times = 0;
  boost::system::error_code ec;
  Report report;

  /// Takes a report, or none.
  auto handler()
  {
    return [this](boost::system::error_code e, const auto&... r)
    {
      ++times;
      ec = e;
      ((report = r), ...);
    };
  }
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_TOLD_HPP
