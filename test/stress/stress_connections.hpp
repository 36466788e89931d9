// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Which connection belongs to which object. A connection that an object was given belongs to it
// from the start; one that it accepted or made belongs to it once a byte has come through.

#ifndef INTERLOCK_TEST_STRESS_STRESS_CONNECTIONS_HPP
#define INTERLOCK_TEST_STRESS_STRESS_CONNECTIONS_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "stress/stress_pattern.hpp"

namespace stress {

/// No object's name.
constexpr std::uint32_t nobody = 0xffffffffu;

class connections
{
public:
  connections()
    : table_(size)
  {
  }

  std::uint32_t make(std::uint32_t owner)
  {
    const std::uint32_t name = next_++ & name_mask;
    table_[name % size] = pack(name, owner);
    return name;
  }

  /// Whether the object `by` may have received what the peer of connection `name` has sent.
  bool belongs(std::uint32_t name, std::uint32_t by)
  {
    std::uint64_t expected = pack(name, nobody);
    std::atomic<std::uint64_t>& entry = table_[name % size];
    return entry.compare_exchange_strong(expected, pack(name, by)) || expected == pack(name, by);
  }

private:
  // Far more than are ever open at a time, so that an entry is not used again too early.
  static constexpr std::size_t size = 1 << 16;

  static std::uint64_t pack(std::uint32_t name, std::uint32_t owner) noexcept
  {
    return std::uint64_t(name) << 32 | owner;
  }

  std::atomic<std::uint32_t> next_{0};
  std::vector<std::atomic<std::uint64_t>> table_;
};

} // namespace stress

#endif // INTERLOCK_TEST_STRESS_STRESS_CONNECTIONS_HPP
