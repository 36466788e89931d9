// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Asserts that one thread at a time runs what an executor is to serialise.

#ifndef INTERLOCK_DETAIL_ADAPT_SERIAL_HPP
#define INTERLOCK_DETAIL_ADAPT_SERIAL_HPP

#include <atomic>

#include <boost/assert.hpp>

#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class serial
{
public:
  /// `running` is false while no thread is inside.
  explicit serial(std::atomic<bool>& running) noexcept
    : running_(running)
  {
    const bool another = running_.exchange(true, std::memory_order_relaxed);
    BOOST_ASSERT_MSG(
      !another, "the executor of the stream is no strand, but several threads run it");
    static_cast<void>(another);
  }

  serial(const serial&) = delete;
  serial& operator=(const serial&) = delete;

  ~serial()
  {
    running_.store(false, std::memory_order_relaxed);
  }

private:
  std::atomic<bool>& running_;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_ADAPT_SERIAL_HPP
