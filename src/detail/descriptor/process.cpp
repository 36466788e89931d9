// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/descriptor/process.hpp>

#include <new>

#include <sys/mman.h>

#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

namespace {

#if defined(MADV_WIPEONFORK)

// A number that the kernel sets to zero in every child (madvise(2)). Null: it cannot be had. It is never given
// back, because threads may ask at any time.
sys::atomic<long>* make_number() noexcept
{
  constexpr std::size_t size = sizeof(sys::atomic<long>); // rounded up to a page
  void* const page = sys::mmap(
    nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED || sys::madvise(page, size, MADV_WIPEONFORK) != 0)
    return nullptr;
  return ::new (page) sys::atomic<long>(1);
}

#else

sys::atomic<long>* make_number() noexcept
{
  return nullptr;
}

#endif

// The last number that this process, or one that it comes from, has given to itself.
sys::atomic<long> latest{1};

} // namespace

long this_process() noexcept
{
  static sys::atomic<long>* const number = make_number();
  if (!number)
    return static_cast<long>(sys::getpid());
  long n = number->load(std::memory_order_relaxed);
  if (n == 0)
  {
    const long next = latest.fetch_add(1, std::memory_order_relaxed) + 1;
    if (number->compare_exchange_strong(n, next, std::memory_order_relaxed))
      n = next;
  }
  return n;
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
