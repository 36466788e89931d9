// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What the values that are told in words have in common.

#ifndef INTERLOCK_DETAIL_WORDS_HPP
#define INTERLOCK_DETAIL_WORDS_HPP

#include <chrono>
#include <cstdint>

#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {
namespace functions {

/// As ", 3 handlers". Nothing if the number is zero.
template <class Stream>
void write_count(Stream& stream, std::uint64_t number, const char* of_what)
{
  if (number != 0)
    stream << ", " << number << ' ' << of_what;
}

/// As "12 ms".
template <class Stream>
void write_time(Stream& stream, std::chrono::steady_clock::duration time)
{
  stream << std::chrono::duration_cast<std::chrono::milliseconds>(time).count() << " ms";
}

} // namespace functions
} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_WORDS_HPP
