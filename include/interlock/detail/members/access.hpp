// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The way from one I/O object to the core of another: accepting into it, moving from it.

#ifndef INTERLOCK_DETAIL_MEMBERS_ACCESS_HPP
#define INTERLOCK_DETAIL_MEMBERS_ACCESS_HPP

#include <type_traits>
#include <utility>

#include <interlock/config.hpp>

namespace interlock
{
inline namespace abi_0
{
namespace detail
{

struct access
{
  template <class Object>
  static auto core(Object& o) noexcept -> decltype((o.core_))
  {
    return o.core_;
  }
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_MEMBERS_ACCESS_HPP
