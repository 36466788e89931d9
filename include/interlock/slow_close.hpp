// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#ifndef INTERLOCK_SLOW_CLOSE_HPP
#define INTERLOCK_SLOW_CLOSE_HPP

#include <chrono>
#include <cstddef>

#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {

/// A close(2) that does not return: see `close_service::options::on_slow_close`.
struct slow_close
{
  /// The number that was passed to close(2). The system may have given it to another descriptor since.
  int descriptor = -1;

  /// Since the call of close(2).
  std::chrono::steady_clock::duration age{};

  /// How many calls of close(2) the service has under way that can block, this one included.
  std::size_t under_way = 0;

  /// How many closes wait, because `close_service::options::max_elastic_threads` are under way.
  std::size_t waiting = 0;
};

} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_SLOW_CLOSE_HPP
