// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The state of an I/O object as its close handles see it, whatever the object's type.
//
// The object is one owner of its state, and each close handle is another. So a handle finds the state while the object
// is moved, and after the object is gone. Without owners the state still is in memory until its tenures have ended. An
// owner keeps memory alive, never a descriptor.

#ifndef INTERLOCK_DETAIL_CORE_OBJECT_BASE_HPP
#define INTERLOCK_DETAIL_CORE_OBJECT_BASE_HPP

#include <cstdint>

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <interlock/close_mode.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/descriptor/short_locks.hpp>
#include <interlock/detail/sys.hpp>
#include <interlock/detail/tenure/close_waiter.hpp>
#include <interlock/detail/tenure/object_memory.hpp>
#include <interlock/detail/tenure/tenure_base.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// One descriptor of an object: what has been open in a tenure's memory at some time.
struct tenure_mark
{
  tenure_base* tenure = nullptr;
  std::uint32_t generation = 0;

  friend bool operator==(const tenure_mark& a, const tenure_mark& b) noexcept
  {
    return a.tenure == b.tenure && a.generation == b.generation;
  }
};

class object_base : public object_memory
{
public:
  bool is_retired() const noexcept
  {
    return has(flag_retired);
  }

  /// Whether a close handle refers to this object. For the thread that moves the object: false stays
  /// false, because only the object and its handles make a handle. What earlier handles did happens before the return.
  bool has_handle() const noexcept
  {
    return (owners_.load(std::memory_order_acquire) & count) > 1;
  }

  /// Whether a descriptor is open, or a close of one is not over.
  bool is_in_use() const noexcept
  {
    const tenure_base* t = current();
    return t && t->current_phase() < phase::ended;
  }

  /// Whether handles are all that is left: nothing is in use, nor can be opened any more.
  bool is_gone() const noexcept
  {
    return has(flag_left) && !is_in_use();
  }

  /// What is open now, or is being closed.
  tenure_mark mark() const noexcept
  {
    tenure_base* const t = current();
    return t ? tenure_mark{t, t->current_generation()} : tenure_mark();
  }

  /// Makes the close of a descriptor stronger. No effect if that is over. The caller is an owner of the object.
  static void overtake(const tenure_mark& which, const close_mode& mode) noexcept
  {
    if (which.tenure)
      which.tenure->hurry_close(which.generation, mode);
  }

  /// As the object's `close()`: no effect in a flush; waits for close(2) if the type frees an address.
  virtual void close() noexcept = 0;

  /// The same, and nothing can be opened any more.
  void retire() noexcept
  {
    {
      const std::lock_guard<sys::mutex> lock(mutex());
      set(flag_retired);
    }
    close();
  }

  friend void intrusive_ptr_add_ref(object_base* o) noexcept
  {
    o->owners_.fetch_add(1, std::memory_order_relaxed);
  }

  friend void intrusive_ptr_release(object_base* o) noexcept
  {
    if ((o->owners_.fetch_sub(1, std::memory_order_acq_rel) & count) == 1)
      o->lose_owners();
  }

protected:
  /// With one owner.
  object_base() = default;

  /// Null until the first open.
  tenure_base* current() const noexcept
  {
    return current_.load(std::memory_order_acquire);
  }

  /// Guards members of object_state as well. Never held while user code can run.
  sys::mutex& mutex() const noexcept
  {
    return object_mutex(this);
  }

  /// The object is gone, or has been converted. Drops its share.
  void leave() noexcept
  {
    if (has_handle())
      set(flag_left);
    intrusive_ptr_release(this);
  }

  // Never taken back. The first two are set under the mutex, the last by the object for its handles.
  using flag = unsigned;
  static constexpr flag flag_retired = 1u << 31;
  static constexpr flag flag_has_tenure = 1u << 30;
  static constexpr flag flag_left = 1u << 29;

  void set(flag f) noexcept
  {
    owners_.fetch_or(f, std::memory_order_release);
  }

  bool has(flag f) const noexcept
  {
    return (owners_.load(std::memory_order_acquire) & f) != 0;
  }

private:
  /// The last owner is gone. Drops the owners' reference on the memory.
  virtual void lose_owners() noexcept = 0;

  static constexpr unsigned count = flag_left - 1;

  sys::atomic<unsigned> owners_{1}; // their count, and the flags

protected:
  sys::atomic<tenure_base*> current_{nullptr}; // stored under the mutex
};

/// An owner.
using object_pointer = boost::intrusive_ptr<object_base>;

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CORE_OBJECT_BASE_HPP
