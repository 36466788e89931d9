// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/descriptor/caught_error.hpp>

#include <boost/system/system_error.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

boost::system::error_code caught_error()
{
  try
  {
    throw;
  }
  catch (const boost::system::system_error& e)
  {
    return e.code();
  }
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
