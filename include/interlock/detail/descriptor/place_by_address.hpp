// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Distributes what is found by its address over a few places.

#ifndef INTERLOCK_DETAIL_DESCRIPTOR_PLACE_BY_ADDRESS_HPP
#define INTERLOCK_DETAIL_DESCRIPTOR_PLACE_BY_ADDRESS_HPP

#include <cstddef>
#include <cstdint>

#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// By the upper bits of a product, which depend on all bits of the address (Knuth's multiplicative hashing): the lower
/// bits of the addresses of one kind of object, and of thread stacks, are mostly equal.
inline std::size_t place_by_address(const void* address, std::size_t places) noexcept
{
  constexpr std::uint64_t golden = 0x9e3779b97f4a7c15;
  const std::uint64_t product = reinterpret_cast<std::uintptr_t>(address) * golden;
  return (product >> 32) % places;
}

/// The same place for a thread at most times: its stack is far from those of other threads, and it mostly uses a small
/// part of it.
inline std::size_t place_of_this_thread(std::size_t places) noexcept
{
  const char here = 0;
  constexpr unsigned bits = 16;
  const auto stack = reinterpret_cast<std::uintptr_t>(&here) >> bits;
  return place_by_address(reinterpret_cast<const void*>(stack), places);
}

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_DESCRIPTOR_PLACE_BY_ADDRESS_HPP
