// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The state of an I/O object as its close handles see it, whatever the object's type.
//
// The object holds one reference on its state, and each handle another. So a handle finds the state
// while the object is moved, and after the object is gone. A handle keeps memory alive, never a
// descriptor.

#ifndef INTERLOCK_DETAIL_CORE_OBJECT_BASE_HPP
#define INTERLOCK_DETAIL_CORE_OBJECT_BASE_HPP

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/counted.hpp>
#include <interlock/detail/descriptor/short_locks.hpp>
#include <interlock/detail/sys.hpp>
#include <interlock/detail/tenure/close_waiter.hpp>
#include <interlock/detail/tenure/tenure_base.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

inline object_id next_object_id() noexcept
{
  static sys::atomic<object_id> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

class object_base : public counted<object_base>
{
public:
  virtual ~object_base() = default;

  object_id id() const noexcept
  {
    return id_;
  }

  bool is_retired() const noexcept
  {
    return retired_.load(std::memory_order_acquire);
  }

  /// Whether a close handle refers to this object. For the thread that moves the object: false stays
  /// false, because only the object and its handles make a handle.
  bool has_handle() const noexcept
  {
    return is_shared();
  }

  /// As the object's `close()`: no effect in a flush; waits for close(2) if the type frees an address.
  virtual void close() noexcept = 0;

  /// The same, and nothing can be opened any more.
  void retire() noexcept
  {
    {
      const std::lock_guard<sys::mutex> lock(mutex());
      retired_ = true;
    }
    close();
  }

  /// For a handle: closes what is open, and completes `c` when that is over.
  virtual void start_close(close_waiter_pointer c) = 0;

protected:
  object_base() noexcept
    : id_(next_object_id())
  {
  }

  /// Null until the first open.
  tenure_base* current() const noexcept
  {
    return current_.load(std::memory_order_acquire);
  }

  sys::atomic<tenure_base*> current_{nullptr}; // stored under the mutex
  /// Guards members of object_state as well. Never held while user code can run.
  sys::mutex& mutex() const noexcept
  {
    return object_mutex(this);
  }

private:
  const object_id id_;
  sys::atomic<bool> retired_{false}; // set under the mutex, which publication holds, too
};

using object_pointer = boost::intrusive_ptr<object_base>;

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CORE_OBJECT_BASE_HPP
