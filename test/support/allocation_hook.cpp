// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The program's own operator new, operator delete and aligned_alloc, over malloc.

#include "allocation_hook.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <new>

#include <malloc.h>

namespace support {

namespace {

thread_local std::size_t asked_for = 0;
thread_local std::size_t left_to_failure = 0; // 0: none fails
std::atomic<long> live{0};
std::atomic<long> bytes{0};

bool fails() noexcept
{
  ++asked_for;
  return left_to_failure != 0 && --left_to_failure == 0;
}

void* aligned(std::size_t alignment, std::size_t size) noexcept
{
  void* memory = nullptr;
  const int error = ::posix_memalign(
    &memory, std::max(alignment, sizeof(void*)), std::max<std::size_t>(size, 1));
  return error == 0 ? memory : nullptr;
}

void* counted(void* memory) noexcept
{
  if (!memory)
    return nullptr;
  live.fetch_add(1, std::memory_order_relaxed);
  bytes.fetch_add(long(::malloc_usable_size(memory)), std::memory_order_relaxed);
  return memory;
}

void* allocate(std::size_t size) noexcept
{
  return fails() ? nullptr : counted(std::malloc(std::max<std::size_t>(size, 1)));
}

void* allocate(std::size_t size, std::align_val_t alignment) noexcept
{
  return fails() ? nullptr : counted(aligned(static_cast<std::size_t>(alignment), size));
}

void* or_throw(void* memory)
{
  if (!memory)
    throw std::bad_alloc();
  return memory;
}

void free_counted(void* memory) noexcept
{
  if (!memory)
    return;
  live.fetch_sub(1, std::memory_order_relaxed);
  bytes.fetch_sub(long(::malloc_usable_size(memory)), std::memory_order_relaxed);
  std::free(memory);
}

} // namespace

std::size_t allocations() noexcept
{
  return asked_for;
}

long live_allocations() noexcept
{
  return live.load(std::memory_order_relaxed);
}

long live_bytes() noexcept
{
  return bytes.load(std::memory_order_relaxed);
}

allocation_failure::allocation_failure(std::size_t nth) noexcept
{
  left_to_failure = nth;
}

allocation_failure::~allocation_failure()
{
  left_to_failure = 0;
}

bool allocation_failure::struck() const noexcept
{
  return left_to_failure == 0;
}

} // namespace support

// What is allocated here is freed by free, so that it does not matter whose delete it meets.

extern "C" __attribute__((visibility("default"))) void* aligned_alloc(
  std::size_t alignment, std::size_t size)
{
  if (!support::fails())
    return support::aligned(alignment, size);
  errno = ENOMEM;
  return nullptr;
}

void* operator new(std::size_t size)
{
  return support::or_throw(support::allocate(size));
}

void* operator new[](std::size_t size)
{
  return support::or_throw(support::allocate(size));
}

void* operator new(std::size_t size, const std::nothrow_t&) noexcept
{
  return support::allocate(size);
}

void* operator new[](std::size_t size, const std::nothrow_t&) noexcept
{
  return support::allocate(size);
}

void* operator new(std::size_t size, std::align_val_t alignment)
{
  return support::or_throw(support::allocate(size, alignment));
}

void* operator new[](std::size_t size, std::align_val_t alignment)
{
  return support::or_throw(support::allocate(size, alignment));
}

void operator delete(void* memory) noexcept
{
  support::free_counted(memory);
}

void operator delete[](void* memory) noexcept
{
  support::free_counted(memory);
}

void operator delete(void* memory, std::size_t) noexcept
{
  support::free_counted(memory);
}

void operator delete[](void* memory, std::size_t) noexcept
{
  support::free_counted(memory);
}

void operator delete(void* memory, const std::nothrow_t&) noexcept
{
  support::free_counted(memory);
}

void operator delete[](void* memory, const std::nothrow_t&) noexcept
{
  support::free_counted(memory);
}

void operator delete(void* memory, std::align_val_t) noexcept
{
  support::free_counted(memory);
}

void operator delete[](void* memory, std::align_val_t) noexcept
{
  support::free_counted(memory);
}

void operator delete(void* memory, std::size_t, std::align_val_t) noexcept
{
  support::free_counted(memory);
}

void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept
{
  support::free_counted(memory);
}
