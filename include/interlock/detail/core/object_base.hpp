// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The state of an I/O object, and the way to it that close handles have, whatever the object's type.
//
// The object holds a reference on its state, and so does each handle by way of the anchor: a handle
// finds the state while the object is being moved, and after it is gone. It keeps memory alive, never
// a descriptor. An object converted into one of another type leaves its state behind; the anchor
// goes along, and leads to the new one from then on.

#ifndef INTERLOCK_DETAIL_CORE_OBJECT_BASE_HPP
#define INTERLOCK_DETAIL_CORE_OBJECT_BASE_HPP

#include <atomic>
#include <mutex>
#include <utility>

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/counted.hpp>
#include <interlock/detail/tenure/close_waiter.hpp>
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

class anchor;

class object_base : public counted<object_base>
{
public:
  virtual inline ~object_base();

  object_id id() const noexcept
  {
    return id_;
  }

  bool is_retired() const noexcept
  {
    return retired_.load(std::memory_order_acquire);
  }

  /// Detaches what is open. False: there is nothing that could still be detached here, though it may
  /// have gone to another object just now.
  virtual bool close() noexcept = 0;

  /// The same, and nothing can be opened any more.
  void retire() noexcept
  {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      retired_ = true;
    }
    close();
  }

  /// For a handle: closes what is open, and completes `c` when that is over. Returns `c` if what was
  /// open has gone to another object: the anchor leads there.
  virtual close_waiter_pointer start_close(close_waiter_pointer c) = 0;

  /// Before the object of this state is converted into another.
  inline void begin_conversion() noexcept;

  /// The object of `other` has been converted into this one's; `with_descriptor`: what it had open is open
  /// here. Handles and retirement go along; nobody else is at either object just now.
  inline void take_place_of(object_base& other, bool with_descriptor) noexcept;

protected:
  inline object_base() noexcept;

  /// Null until the first open.
  tenure_base* current() const noexcept
  {
    return current_.load(std::memory_order_acquire);
  }

  /// Knows the outcome, if the object was closed when it was converted into this one, until something is
  /// opened here.
  boost::intrusive_ptr<object_base> former() noexcept
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    return former_;
  }

  std::atomic<tenure_base*> current_{nullptr};
  std::atomic<bool> number_has_moved_on_{false}; // set before the tenure turns late closers away
  std::mutex mutex_; // serialises openers; never held while user code can run

  // Guarded by mutex_, but for the one who moves or destroys the object.
  boost::intrusive_ptr<anchor> anchor_; // the object's, gone with it
  boost::intrusive_ptr<object_base> former_;

private:
  const object_id id_;
  std::atomic<bool> retired_{false}; // set under mutex_, which publication holds, too
};

using object_pointer = boost::intrusive_ptr<object_base>;

/// What the close handles of one object share: leads to the object's state.
class anchor final : public counted<anchor>
{
public:
  explicit anchor(object_base& target) noexcept
    : target_(&target)
  {
  }

  void close() noexcept
  {
    object_pointer there = target();
    while (!there->close() && !leave_word(*there))
      there = target();
  }

  void retire() noexcept
  {
    object_pointer there;
    while (there != target())
    {
      there = target();
      there->retire();
    }
  }

  void start_close(close_waiter_pointer c)
  {
    while (c)
      c = target()->start_close(std::move(c));
  }

  /// Before what the object has open goes to another.
  void begin_conversion() noexcept
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    close_asked_ = false;
  }

  /// It has gone to `next`: who has closed or retired the former target meanwhile meant that one.
  void lead_to(object_base& next) noexcept
  {
    object_pointer former(&next);
    bool close_asked = false;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      former.swap(target_);
      close_asked = close_asked_;
    }
    if (former->is_retired())
      next.retire();
    else if (close_asked)
      next.close();
  }

private:
  object_pointer target() noexcept
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    return target_;
  }

  // There was nothing open there: should a conversion be under way, it closes what it has taken.
  // False: the conversion is over.
  bool leave_word(const object_base& there) noexcept
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    close_asked_ = true;
    return target_ == &there;
  }

  std::mutex mutex_;
  object_pointer target_;    // guarded by mutex_
  bool close_asked_ = false; // guarded by mutex_; of use during a conversion only
};

using anchor_pointer = boost::intrusive_ptr<anchor>;

object_base::object_base() noexcept
  : id_(next_object_id())
{
}

object_base::~object_base() = default;

void object_base::begin_conversion() noexcept
{
  if (anchor_)
    anchor_->begin_conversion();
}

void object_base::take_place_of(object_base& other, bool with_descriptor) noexcept
{
  other.number_has_moved_on_ = with_descriptor;
  if (!with_descriptor)
    former_ = other.current() ? object_pointer(&other) : other.former();
  anchor_ = std::move(other.anchor_);
  if (anchor_)
    anchor_->lead_to(*this);
  else if (other.is_retired())
    retire();
}

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CORE_OBJECT_BASE_HPP
