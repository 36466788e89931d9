// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The state of an I/O object as its close handles see it, whatever the object's type.
//
// The object holds a reference, and so does each handle: a handle finds the state while the object is
// being moved, and after it is gone. It keeps memory alive, never a descriptor. An object converted
// into one of another type leaves its state behind; that then passes on what reaches it.

#ifndef INTERLOCK_DETAIL_CORE_OBJECT_BASE_HPP
#define INTERLOCK_DETAIL_CORE_OBJECT_BASE_HPP

#include <atomic>
#include <mutex>

#include <interlock/config.hpp>
#include <interlock/detail/tenure/closer.hpp>
#include <interlock/detail/tenure/tenure_base.hpp>

namespace interlock
{
inline namespace abi_0
{
namespace detail
{

inline object_id next_object_id() noexcept
{
  static std::atomic<object_id> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

class object_base
{
public:
  object_base(const object_base&) = delete;
  object_base& operator=(const object_base&) = delete;

  object_id id() const noexcept
  {
    return id_;
  }

  void add_reference() noexcept
  {
    references_.fetch_add(1, std::memory_order_relaxed);
  }

  void drop_reference() noexcept
  {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      delete this;
  }

  /// Detaches what is open.
  void close() noexcept
  {
    close_here();
    if (object_base* next = successor())
      next->close();
  }

  /// The same, and nothing can be opened any more.
  void retire() noexcept
  {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      retired_ = true;
    }
    close_here();
    if (object_base* next = successor())
      next->retire();
  }

  bool is_retired() const noexcept
  {
    return retired_.load(std::memory_order_acquire);
  }

  /// For a handle: closes what is open, and completes `c` when that is over.
  virtual void start_close(closer_pointer c) = 0;

  /// Before what is open here goes to another object.
  void begin_conversion() noexcept
  {
    close_asked_ = false;
  }

  /// It has gone to the object of `next`: who has closed this one meanwhile meant that one.
  void pass_on_to(object_base& next) noexcept
  {
    next.add_reference();
    successor_ = &next;
    if (is_retired())
      next.retire();
    else if (close_asked_)
      next.close();
  }

protected:
  object_base() noexcept
    : id_(next_object_id())
  {
  }

  virtual ~object_base()
  {
    if (object_base* next = successor())
      next->drop_reference();
  }

  /// Null until the first open.
  tenure_base* current() const noexcept
  {
    return current_.load(std::memory_order_acquire);
  }

  object_base* successor() const noexcept
  {
    return successor_.load();
  }

  std::atomic<tenure_base*> current_{nullptr};
  std::mutex mutex_; // serialises openers; never held while user code can run

private:
  void close_here() noexcept
  {
    close_asked_ = true;
    if (tenure_base* t = current())
      t->demand_detach();
  }

  const object_id id_;
  std::atomic<unsigned> references_{1};
  std::atomic<bool> retired_{false}; // set under mutex_, which publication holds, too
  // Each side of a conversion writes its own of these two before it looks at the other's.
  std::atomic<bool> close_asked_{false};
  std::atomic<object_base*> successor_{nullptr};
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CORE_OBJECT_BASE_HPP
