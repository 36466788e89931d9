// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Blocks of memory that objects of one context have left, for the next objects. A few, so that a burst of connections
// does not stay in memory; so few that the search for a size takes no time.
//
// The blocks are those of operator new. One thread at a time.

#ifndef INTERLOCK_DETAIL_CLOSING_BLOCK_STORE_HPP
#define INTERLOCK_DETAIL_CLOSING_BLOCK_STORE_HPP

#include <cstddef>
#include <new>
#include <utility>

#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class block_store
{
public:
  block_store() = default;
  block_store(const block_store&) = delete;
  block_store& operator=(const block_store&) = delete;

  ~block_store()
  {
    while (first_)
      ::operator delete(unlink(first_));
  }

  /// Null: there is none of this size.
  void* take(std::size_t size) noexcept
  {
    block** at = &first_;
    while (*at && (*at)->size != size)
      at = &(*at)->next;
    return *at ? unlink(*at) : nullptr;
  }

  /// False: there are `most` blocks. The size is at least that of two pointers.
  bool put(void* memory, std::size_t size, std::size_t most) noexcept
  {
    if (count_ >= most)
      return false;
    first_ = ::new (memory) block{first_, size};
    ++count_;
    return true;
  }

  std::size_t count() const noexcept
  {
    return count_;
  }

private:
  struct block
  {
    block* next;
    std::size_t size;
  };

  block* unlink(block*& at) noexcept
  {
    --count_;
    block* const next = at->next;
    return std::exchange(at, next);
  }

  block* first_ = nullptr;
  std::size_t count_ = 0;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_BLOCK_STORE_HPP
