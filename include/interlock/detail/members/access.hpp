// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Gives functions outside an I/O object its core: to accept into the object, or to move from it.

#ifndef INTERLOCK_DETAIL_MEMBERS_ACCESS_HPP
#define INTERLOCK_DETAIL_MEMBERS_ACCESS_HPP

#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

template <class Core>
class closing_members;

struct access
{
  /// The core of an object of Interlock's, or of a class derived from it. Does not accept Asio's own objects.
  template <class Core>
  static Core& core(closing_members<Core>& o) noexcept
  {
    return o.core_;
  }
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_MEMBERS_ACCESS_HPP
