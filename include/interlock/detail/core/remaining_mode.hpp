// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A mode with what is left of its time, for a part of a close that has used some of it.

#ifndef INTERLOCK_DETAIL_CORE_REMAINING_MODE_HPP
#define INTERLOCK_DETAIL_CORE_REMAINING_MODE_HPP

#include <algorithm>

#include <interlock/close_mode.hpp>
#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// A mode that does not deliver, or is not valid, stays as it is. Less than no time is none.
inline close_mode remaining_mode(const close_mode& mode, close_mode::duration left) noexcept
{
  if (!mode.delivers() || !is_valid(mode))
    return mode;
  left = std::max(left, close_mode::duration::zero());
  close_mode m = mode.what() == close_mode::kind::deliver ? close_mode::deliver(left)
                                                          : close_mode::graceful(left);
  if (mode.progress_timeout() != close_mode::no_timeout())
    m.progress_timeout(mode.progress_timeout());
  return m.discard_limit(mode.discard_limit());
}

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CORE_REMAINING_MODE_HPP
