// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Where close(2) of a descriptor runs, once nothing is waited for any more: a pure function.

#ifndef INTERLOCK_DETAIL_CLOSING_CLOSE_PLACE_HPP
#define INTERLOCK_DETAIL_CLOSING_CLOSE_PLACE_HPP

#include <interlock/config.hpp>
#include <interlock/detail/descriptor/descriptor_kind.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

enum class close_place : unsigned char
{
  here,   ///< By the thread that has detached the descriptor: it cannot block for long.
  worker, ///< It cannot block, but an async_close leaves it to the worker.
  lane    ///< It can block.
};

/// `asynchronous`: only closers that wait for a completion have asked for the close.
constexpr close_place place_of(descriptor_kind kind, bool has_unread, bool asynchronous) noexcept
{
  switch (kind)
  {
  case descriptor_kind::tcp:
  case descriptor_kind::datagram:
  case descriptor_kind::event:
    return asynchronous ? close_place::worker : close_place::here;
  case descriptor_kind::unix_socket:
    if (has_unread)
      return close_place::lane;
    return asynchronous ? close_place::worker : close_place::here;
  case descriptor_kind::pipe:
    return asynchronous ? close_place::lane : close_place::here;
  default:
    return close_place::lane;
  }
}

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_CLOSE_PLACE_HPP
