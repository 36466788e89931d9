// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Error codes of system calls by their errno, as values that a failed test can print.

#ifndef INTERLOCK_TEST_SUPPORT_SYSTEM_ERRORS_HPP
#define INTERLOCK_TEST_SUPPORT_SYSTEM_ERRORS_HPP

#include <boost/system/error_code.hpp>

namespace support
{

inline boost::system::error_code system_error(int value) noexcept
{
  return boost::system::error_code(value, boost::system::system_category());
}

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_SYSTEM_ERRORS_HPP
