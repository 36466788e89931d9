// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What a close_service tells of its objects: how many there are, how closes have ended, what those wait for that have
// not.

#ifndef INTERLOCK_CLOSE_STATISTICS_HPP
#define INTERLOCK_CLOSE_STATISTICS_HPP

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <numeric>

#include <interlock/close_outcome.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/words.hpp>

namespace interlock {
inline namespace abi_0 {

/// What a close that is not over waits for.
enum class close_stage : unsigned char
{
  writes, ///< Writes that were outstanding when the close began; then the ends that the layers of a stack send.
  detach, ///< A thread of the executor, or one that is inside a call on the object.
  lease,  ///< A fd_lease.
  queue,  ///< A thread of the service.
  peer,   ///< The peer: its acknowledgement, or its end of the connection.
  close_call, ///< close(2), which has been called.
  handlers ///< Handlers of operations, which have not run or not returned. The descriptor is closed.
};

/// The stage in words. Never null.
/**
 * @param stage One of the enumerators.
 */
constexpr const char* to_string(close_stage stage) noexcept
{
  switch (stage)
  {
  case close_stage::writes:
    return "outstanding writes";
  case close_stage::detach:
    return "a thread of the executor, or one inside a call";
  case close_stage::lease:
    return "a lease";
  case close_stage::queue:
    return "a thread of the service";
  case close_stage::peer:
    return "the peer";
  case close_stage::close_call:
    return "close(2)";
  case close_stage::handlers:
    return "handlers of operations";
  }
  return "unknown";
}

/// Writes the stage in words.
template <class Traits>
std::basic_ostream<char, Traits>& operator<<(
  std::basic_ostream<char, Traits>& stream, close_stage stage)
{
  return stream << to_string(stage);
}

/// A close that is not over.
struct close_in_progress
{
  /// From stage `handlers` on the system may have given the number to another descriptor.
  int descriptor = -1;

  /// What it waits for at the moment.
  close_stage waits_for = close_stage::queue;

  /// Since the close began. The close of a stack begins once for its layers, and again for its connection.
  std::chrono::steady_clock::duration age{};

  /// Handlers of operations that are outstanding or running.
  std::size_t handlers = 0;

  /// Writes that the close waits for, of those.
  std::size_t writes = 0;

  /// Leases that are out.
  std::size_t leases = 0;
};

/// In words: "descriptor 12 waits for the peer for 3200 ms, 1 handlers".
template <class Traits>
std::basic_ostream<char, Traits>& operator<<(
  std::basic_ostream<char, Traits>& stream, const close_in_progress& c)
{
  stream << "descriptor " << c.descriptor << " waits for " << c.waits_for << " for ";
  detail::functions::write_time(stream, c.age);
  detail::functions::write_count(stream, c.handlers, "handlers");
  detail::functions::write_count(stream, c.writes, "writes");
  detail::functions::write_count(stream, c.leases, "leases");
  return stream;
}

/// What a close_service has counted of the objects of its execution context.
/**
 * An object counts as opened with each descriptor. Without closes and opens in other threads meanwhile, `opened` is
 * the sum of `open`, `closed()`, and the closes in progress that are not in stage `handlers`.
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Unsafe.
 */
class close_statistics
{
public:
  /// The number of classes of times.
  static constexpr std::size_t time_classes = 40;

  /// How many closes are in progress, and wait for this.
  std::size_t operator[](close_stage stage) const noexcept
  {
    return stages[static_cast<std::size_t>(stage)];
  }

  /// How many closes have ended so.
  std::uint64_t operator[](close_outcome outcome) const noexcept
  {
    return outcomes[static_cast<std::size_t>(outcome)];
  }

  /// How many closes are in progress.
  std::size_t closing() const noexcept
  {
    return std::accumulate(stages.begin(), stages.end(), std::size_t{0});
  }

  /// How many descriptors have been closed or given to another owner.
  std::uint64_t closed() const noexcept
  {
    return std::accumulate(outcomes.begin(), outcomes.end(), std::uint64_t{0});
  }

  /// How many descriptors objects have been opened with.
  std::uint64_t opened = 0;

  /// How many objects are open now, and do not close.
  std::size_t open = 0;

  /// By close_stage.
  std::array<std::size_t, static_cast<std::size_t>(close_stage::handlers) + 1> stages{};

  /// By close_outcome.
  std::array<std::uint64_t, detail::close_outcomes> outcomes{};

  /// How many closes took how long, from the beginning to the end of close(2): element n counts those of less than 2
  /// to the power of n microseconds that no earlier element counts; the last one counts all others.
  std::array<std::uint64_t, time_classes> times{};

  /// The close in progress that has begun first, if there is one.
  close_in_progress oldest;

  /// How many threads call close(2) of descriptors that can block, or are about to.
  std::size_t elastic_threads = 0;

  /// How many such closes wait, because close_service::options::max_elastic_threads are under way.
  std::size_t waiting_for_threads = 0;
};

} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_CLOSE_STATISTICS_HPP
