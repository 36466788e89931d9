// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The heap-stable state of one I/O object: which tenure is the current one, and those it has had. The first tenure is
// part of it.
//
// A tenure is never freed before this state. A thread that has loaded `current` may try to enter it long
// after another tenure has taken its place: it is refused, or enters a later tenure of the same object.
// Ended tenures are recycled, except the current one, whose outcome late closers still ask for.

#ifndef INTERLOCK_DETAIL_CORE_OBJECT_STATE_HPP
#define INTERLOCK_DETAIL_CORE_OBJECT_STATE_HPP

#include <memory>
#include <new>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/close_service.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/core/close_start.hpp>
#include <interlock/detail/core/inner_traits.hpp>
#include <interlock/detail/core/object_base.hpp>
#include <interlock/detail/core/tenure.hpp>
#include <interlock/detail/sys.hpp>
#include <interlock/detail/tenure/running_handler.hpp>
#include <interlock/error.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

template <class Inner>
class object_state final : public object_base
{
public:
  using tenure_type = tenure<Inner>;
  using executor_type = typename Inner::executor_type;
  using error_code = boost::system::error_code;

  /// With one owner. `shared`, if given, has memory that earlier objects have left.
  static object_state& make(context_state* shared = nullptr)
  {
    void* memory = shared ? shared->take_block(sizeof(object_state)) : nullptr;
    if (!memory)
      memory = ::operator new(sizeof(object_state));
    return *::new (memory) object_state;
  }

  /// Null until the first open.
  tenure_type* current() const noexcept
  {
    return static_cast<tenure_type*>(object_base::current());
  }

  bool is_open() const noexcept
  {
    const tenure_type* t = current();
    return t && t->current_phase() == phase::open;
  }

  void close() noexcept override
  {
    tenure_type* t = current();
    if (!t)
      return;
    t->note_process();
    t->demand_close_unless_flushing();
    if (frees_address<Inner>::value)
      t->await_close();
  }

  /// The object is gone: every tenure detaches now, one that flushes too. Only handles still keep the state.
  void abandon() noexcept
  {
    for (tenure_type* t = first(); t; t = t->next_of_object)
    {
      t->note_process();
      t->demand_close();
    }
    leave();
  }

  /// The object has been converted into one of another type, and has no handle. A close under way
  /// takes its course.
  void leave_behind() noexcept
  {
    leave();
  }

  /// A vacant tenure around `inner`, the caller's until it is published or given back. Null, with ec
  /// set and `inner` as it was: nothing can be opened on this object, or on its context, any more.
  tenure_type* take_vacant(Inner&& inner, error_code& ec)
  {
    if (is_retired())
    {
      ec = error::retired;
      return nullptr;
    }
    tenure_type* t = take_ended();
    if (!t)
      t = make_tenure(functions::context_state_for(inner));
    if (!t)
    {
      ec = boost::asio::error::operation_not_supported;
      return nullptr;
    }
    t->set_inner(std::move(inner));
    t->note_process();
    return t;
  }

  /// Opens `t`. An error: another thread has opened or retired the object, or shut the context down, in the
  /// meantime.
  error_code publish(tenure_type& t) noexcept
  {
    const std::lock_guard<sys::mutex> lock(mutex());
    if (is_retired())
      return error::retired;
    if (is_open())
      return boost::asio::error::already_open;
    t.set_descriptor(current() != nullptr);
    if (!t.publish())
      return boost::asio::error::operation_not_supported;
    t.taken_by_opener = false;
    current_.store(&t, std::memory_order_release);
    running_handler::reopened(this);
    return error_code();
  }

  /// Returns the descriptor that `t` had by then, or no_descriptor.
  int give_back(tenure_type& t) noexcept
  {
    const int fd = t.take_back();
    const std::lock_guard<sys::mutex> lock(mutex());
    t.taken_by_opener = false;
    return fd;
  }

  /// Detaches what is open, and completes `c` when that is over.
  void start(close_goal what, close_waiter_pointer c, const executor_type& ex)
  {
    close_start<Inner> starting(what, std::move(c));
    // Only a tenure that is not the current one any more can be vacant.
    tenure_type* t = current();
    while (t && !starting.begin_in(*t, ex))
      t = current();
    if (!t)
      starting.complete_unopened();
  }

private:
  object_state() noexcept
  {
    static_assert(alignof(object_state) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__,
      "the memory is that of operator new");
  }

  // Each tenure keeps the memory until it has ended.
  void lose_owners() noexcept override
  {
    for (tenure_type* t = first(); t; t = t->next_of_object)
      t->disown();
    drop();
  }

  void free() noexcept override
  {
    const context_state_pointer shared = first() ? first_.shared() : nullptr;
    this->~object_state();
    if (!shared || !shared->put_block(this, sizeof(object_state)))
      ::operator delete(this);
  }

  ~object_state() override
  {
    if (!first())
      return;
    while (tenure_type* t = first_.next_of_object)
    {
      first_.next_of_object = t->next_of_object;
      delete t;
    }
    first_.~tenure_type();
  }

  tenure_type* first() noexcept
  {
    return has(flag_has_tenure) ? &first_ : nullptr;
  }

  tenure_type* take_ended() noexcept
  {
    const std::lock_guard<sys::mutex> lock(mutex());
    for (tenure_type* t = first(); t; t = t->next_of_object)
    {
      if (t == current() || t->taken_by_opener || !t->recycle())
        continue;
      t->taken_by_opener = true;
      return t;
    }
    return nullptr;
  }

  // Null: the context has been shut down.
  tenure_type* make_tenure(const context_state_pointer& shared)
  {
    shared->note_process();
    tenure_type* const t = make_first(shared);
    if (!t)
      return make_further(shared);
    return shared->add(*t) ? t : nullptr;
  }

  // Null: there is one. If the context does not take it, it stays taken.
  tenure_type* make_first(const context_state_pointer& shared) noexcept
  {
    const std::lock_guard<sys::mutex> lock(mutex());
    if (first())
      return nullptr;
    keep();
    ::new (static_cast<void*>(&first_)) tenure_type(*this, shared);
    set(flag_has_tenure);
    return &first_;
  }

  tenure_type* make_further(const context_state_pointer& shared)
  {
    auto t = std::make_unique<tenure_type>(*this, shared);
    if (!shared->add(*t))
      return nullptr;
    keep();
    const std::lock_guard<sys::mutex> lock(mutex());
    t->next_of_object = first_.next_of_object;
    first_.next_of_object = t.get();
    return t.release();
  }

  union
  {
    tenure_type first_; // the head of the list of tenures
  };
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CORE_OBJECT_STATE_HPP
