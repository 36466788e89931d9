// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A base for objects that boost::intrusive_ptr shares.

#ifndef INTERLOCK_DETAIL_DESCRIPTOR_COUNTED_HPP
#define INTERLOCK_DETAIL_DESCRIPTOR_COUNTED_HPP

#include <interlock/config.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// Counts references, starting with one, and deletes the object with the last.
template <class Derived>
class counted
{
public:
  counted() = default;
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;

  friend void intrusive_ptr_add_ref(const counted* c) noexcept
  {
    c->references_.fetch_add(1, std::memory_order_relaxed);
  }

  friend void intrusive_ptr_release(const counted* c) noexcept
  {
    if (c->references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      delete static_cast<const Derived*>(c);
  }

  /// Whether there is more than one reference. If false, what other holders did before they dropped theirs
  /// happens before this call returns.
  bool is_shared() const noexcept
  {
    return references_.load(std::memory_order_acquire) > 1;
  }

protected:
  ~counted() = default;

private:
  mutable sys::atomic<unsigned> references_{1};
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_DESCRIPTOR_COUNTED_HPP
