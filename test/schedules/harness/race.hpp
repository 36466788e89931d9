// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Finds accesses of two threads to the same memory that nothing orders, in whatever order they came, and
// accesses to memory that has been freed.
//
// Looked at are accesses by functions of the library, and by those that the standard library and Boost have for
// them. The library is compiled with the compiler's instrumentation for ThreadSanitizer, whose functions are here.
// Each thread, mutex and atomic has a vector clock; an access races with an earlier one of another thread that
// its clock does not know. Memory orders count: a relaxed operation orders nothing.

#ifndef INTERLOCK_TEST_SCHEDULES_HARNESS_RACE_HPP
#define INTERLOCK_TEST_SCHEDULES_HARNESS_RACE_HPP

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "schedules/harness/scheduler.hpp"

namespace schedules {
namespace race {

constexpr std::size_t most_threads = scheduler::most_threads;

/// What is known of each thread: how far it had come.
class vector_clock
{
public:
  void join(const vector_clock& other) noexcept
  {
    for (std::size_t i = 0; i != most_threads; ++i)
      if (times_[i] < other.times_[i])
        times_[i] = other.times_[i];
  }

  std::uint32_t& operator[](std::size_t thread) noexcept
  {
    return times_[thread];
  }

private:
  std::array<std::uint32_t, most_threads> times_{};
};

void begin_run() noexcept;

/// `child` begins with what `parent` knows.
void start(unsigned parent, unsigned child) noexcept;

/// The running thread learns what `ended` knew.
void join(unsigned ended) noexcept;

/// What the running thread knows, for another that will acquire it.
void release(vector_clock& into) noexcept;
void acquire(vector_clock& from) noexcept;

/// The same by the address of what carries it.
void release(const void* object) noexcept;
void acquire(const void* object) noexcept;

/// An operation on an atomic.
void atomic_load(const void* object, std::memory_order order) noexcept;
void atomic_store(const void* object, std::memory_order order) noexcept;
void atomic_exchange(const void* object, std::memory_order order) noexcept;

/// An access by what stands in Asio's place: looked at as those of the library are.
void read(const void* object) noexcept;
void write(const void* object) noexcept;

/// The running thread frees this memory, which counts as writing to it. It is not used again in the run.
void freed(const void* begin, std::size_t size) noexcept;

} // namespace race
} // namespace schedules

#endif // INTERLOCK_TEST_SCHEDULES_HARNESS_RACE_HPP
