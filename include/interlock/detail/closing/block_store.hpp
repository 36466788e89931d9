// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Blocks of memory that objects of one context have left, for the next objects. A few, so that a burst of connections
// does not stay in memory; of a few sizes, so that it takes no time to find one.
//
// The blocks are those of operator new. One thread at a time.

#ifndef INTERLOCK_DETAIL_CLOSING_BLOCK_STORE_HPP
#define INTERLOCK_DETAIL_CLOSING_BLOCK_STORE_HPP

#include <array>
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
  /// Of how many sizes there are blocks at most.
  static constexpr std::size_t sizes = 4;

  block_store() = default;
  block_store(const block_store&) = delete;
  block_store& operator=(const block_store&) = delete;

  ~block_store()
  {
    for (shelf& s : shelves_)
      clear(s);
  }

  /// Null: there is none of this size.
  void* take(std::size_t size) noexcept
  {
    for (shelf& s : shelves_)
      if (s.size == size && s.first)
        return unlink(s);
    return nullptr;
  }

  /// False: there are `most` blocks, and of no other size are there more. The size is at least that of a pointer.
  bool put(void* memory, std::size_t size, std::size_t most) noexcept
  {
    shelf& s = shelf_for(size);
    if (count_ >= most && !make_room(s))
      return false;
    s.first = ::new (memory) block{s.first};
    ++s.count;
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
  };

  struct shelf
  {
    std::size_t size = 0;
    std::size_t count = 0;
    block* first = nullptr;
  };

  // That of the size, or else the emptiest: a size that is not used any more gives way.
  shelf& shelf_for(std::size_t size) noexcept
  {
    shelf* emptiest = &shelves_[0];
    for (shelf& s : shelves_)
    {
      if (s.size == size)
        return s;
      if (s.count < emptiest->count)
        emptiest = &s;
    }
    clear(*emptiest);
    emptiest->size = size;
    return *emptiest;
  }

  // Of another size, of which there are more.
  bool make_room(const shelf& wanting) noexcept
  {
    shelf* fullest = &shelves_[0];
    for (shelf& s : shelves_)
      if (s.count > fullest->count)
        fullest = &s;
    if (fullest->count <= wanting.count)
      return false;
    ::operator delete(unlink(*fullest));
    return true;
  }

  void clear(shelf& s) noexcept
  {
    while (s.first)
      ::operator delete(unlink(s));
  }

  void* unlink(shelf& s) noexcept
  {
    --s.count;
    --count_;
    return std::exchange(s.first, s.first->next);
  }

  std::array<shelf, sizes> shelves_{};
  std::size_t count_ = 0;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_BLOCK_STORE_HPP
