// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The errors that no system call reports. All other errors are those of the system or of Asio.

#ifndef INTERLOCK_ERROR_HPP
#define INTERLOCK_ERROR_HPP

#include <type_traits>

#include <boost/system/error_code.hpp>

#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace error {

/// Errors of Interlock itself.
enum errc
{
  /// The descriptor cannot be given away, because a call on it is under way or a lease exists. A move to
  /// another executor or protocol type: also because a close handle of the object exists. Try again
  /// later, or close.
  in_use = 1,

  /// The object has been retired and cannot be opened again.
  retired = 2
};

/// The category of errc, named "interlock".
/**
 * @any_thread
 */
INTERLOCK_DECL const boost::system::error_category& get_category() noexcept;

/// An error_code of the category "interlock".
/**
 * @param e The error.
 *
 * @any_thread
 */
inline boost::system::error_code make_error_code(errc e) noexcept
{
  return boost::system::error_code(static_cast<int>(e), get_category());
}

} // namespace error
} // namespace abi_0
} // namespace interlock

namespace boost {
namespace system {

template <>
struct is_error_code_enum<interlock::error::errc> : std::true_type
{
};

} // namespace system
} // namespace boost

#endif // INTERLOCK_ERROR_HPP
