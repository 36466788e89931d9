// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Error codes of system calls by their errno, as values that a failed test can print, and how codes
// are compared.

#ifndef INTERLOCK_TEST_SUPPORT_SYSTEM_ERRORS_HPP
#define INTERLOCK_TEST_SUPPORT_SYSTEM_ERRORS_HPP

#include <boost/system/error_code.hpp>

namespace support {

inline boost::system::error_code system_error(int value) noexcept
{
  return boost::system::error_code(value, boost::system::system_category());
}

/// `ec` as two libraries are compared by it. A success of Asio's synchronous calls keeps, with Boost
/// 1.74, the category of the error that `ec` held before: it counts as any success.
inline boost::system::error_code comparable(const boost::system::error_code& ec) noexcept
{
  return ec ? ec : boost::system::error_code();
}

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_SYSTEM_ERRORS_HPP
