// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The memory of one I/O object: its state, and all of its tenures.
//
// It outlives the object for as long as a tenure has not ended, or the library's threads or a cancellation slot of the
// user's may point at it. No tenure is freed before all of it.

#ifndef INTERLOCK_DETAIL_TENURE_OBJECT_MEMORY_HPP
#define INTERLOCK_DETAIL_TENURE_OBJECT_MEMORY_HPP

#include <interlock/config.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class object_memory
{
public:
  object_memory(const object_memory&) = delete;
  object_memory& operator=(const object_memory&) = delete;

  void keep() noexcept
  {
    references_.fetch_add(1, std::memory_order_relaxed);
  }

  /// The last reference frees the memory.
  void drop() noexcept
  {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      free();
  }

protected:
  /// With one reference.
  object_memory() = default;
  virtual ~object_memory() = default;

private:
  virtual void free() noexcept = 0;

  sys::atomic<unsigned> references_{1};
};

/// Names one object. A later object in the same memory has the same name, so what keeps an id keeps the memory.
using object_id = const object_memory*;

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_TENURE_OBJECT_MEMORY_HPP
