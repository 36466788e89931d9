// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/descriptor/short_locks.hpp>

#include <array>
#include <cstddef>
#include <new>

#include <interlock/detail/descriptor/place_by_address.hpp>
#include <interlock/detail/descriptor/process.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

namespace {

struct alignas(64) lock_place // a cache line of its own
{
  sys::mutex mutex;
  blocked_thread_list blocked_threads; // guarded by it
};

class lock_table
{
public:
  lock_place& of(const void* address) noexcept
  {
    return places_[place_by_address(address, places_.size())];
  }

private:
  std::array<lock_place, sys::short_locks> places_;
};

struct lock_tables
{
  lock_table objects;
  lock_table tenures;
  sys::atomic<long> process{this_process()};
};

lock_tables& tables() noexcept
{
  return sys::of_process<lock_tables>();
}

} // namespace

sys::mutex& object_mutex(const void* object) noexcept
{
  return tables().objects.of(object).mutex;
}

sys::mutex& tenure_mutex(const void* tenure) noexcept
{
  return tables().tenures.of(tenure).mutex;
}

blocked_thread_list& blocked_threads_near(const void* tenure) noexcept
{
  return tables().tenures.of(tenure).blocked_threads;
}

void renew_short_locks() noexcept
{
  if (tables().process != this_process())
    ::new (static_cast<void*>(&tables())) lock_tables;
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
