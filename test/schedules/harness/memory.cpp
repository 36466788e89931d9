// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include "schedules/harness/memory.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#include "schedules/harness/race.hpp"
#include "schedules/harness/scheduler.hpp"

namespace schedules {
namespace memory {

namespace {

constexpr unsigned char freed_pattern = 0xdd;

enum class owner : std::uint64_t
{
  harness = 0x4a52,
  scenario = 0x5c3e,
  freed = 0xdead
};

/// Before each block.
struct alignas(std::max_align_t) header
{
  owner whose;
  std::size_t size;
  header* next; // of the freed blocks of this run
  std::uint64_t run;

  unsigned char* bytes() noexcept
  {
    return reinterpret_cast<unsigned char*>(this + 1);
  }
};

bool in_scenario = false;
std::uint64_t run = 0;
std::size_t live = 0; // blocks of this run
header* freed = nullptr;

void* allocate(std::size_t size) noexcept
{
  auto* h = static_cast<header*>(std::malloc(sizeof(header) + size));
  if (!h)
    return nullptr;
  *h = {in_scenario ? owner::scenario : owner::harness, size, nullptr, run};
  if (in_scenario)
    ++live;
  return h->bytes();
}

void release(void* p) noexcept
{
  if (!p)
    return;
  header* h = static_cast<header*>(p) - 1;
  if (h->whose == owner::freed)
    scheduler::current()->fail("memory is freed twice");
  if (h->whose == owner::harness || h->run != run)
  {
    std::free(h);
    return;
  }
  --live;
  race::freed(p, h->size);
  std::memset(p, freed_pattern, h->size);
  h->whose = owner::freed;
  h->next = freed;
  freed = h;
}

bool is_whole(header& h) noexcept
{
  for (std::size_t i = 0; i != h.size; ++i)
    if (h.bytes()[i] != freed_pattern)
      return false;
  return true;
}

} // namespace

void begin_run() noexcept
{
  ++run;
  live = 0;
  freed = nullptr;
}

std::string end_run(bool as_child)
{
  std::string failure;
  while (header* h = freed)
  {
    freed = h->next;
    if (!is_whole(*h))
      failure = "memory was written to after it had been freed";
    std::free(h);
  }
  if (failure.empty() && live != 0 && !as_child)
    failure = std::to_string(live) + " blocks of memory were not freed";
  return failure;
}

void abandon_run() noexcept
{
  freed = nullptr;
}

bool is_freed(const void* p) noexcept
{
  const auto* at = static_cast<const unsigned char*>(p);
  for (header* h = freed; h; h = h->next)
    if (at >= h->bytes() && at < h->bytes() + h->size)
      return true;
  return false;
}

of_harness::of_harness() noexcept
  : before_(in_scenario)
{
  in_scenario = false;
}

of_harness::~of_harness()
{
  in_scenario = before_;
}

of_scenario::of_scenario() noexcept
  : before_(in_scenario)
{
  in_scenario = true;
}

of_scenario::~of_scenario()
{
  in_scenario = before_;
}

} // namespace memory
} // namespace schedules

void* operator new(std::size_t size)
{
  if (void* p = schedules::memory::allocate(size))
    return p;
  throw std::bad_alloc();
}

void* operator new(std::size_t size, const std::nothrow_t&) noexcept
{
  return schedules::memory::allocate(size);
}

void operator delete(void* p) noexcept
{
  schedules::memory::release(p);
}

void operator delete(void* p, std::size_t) noexcept
{
  schedules::memory::release(p);
}
