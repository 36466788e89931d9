// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The heap-stable state of one I/O object: which tenure is the current one, and those it has had.
//
// A tenure is never freed before this state: whoever has loaded `current` may still try to enter
// it, long after another has taken its place; it is then refused, or finds a later tenure of the
// same object. Tenures that have ended are used again, but never the current one, whose outcome
// late closers still ask for.

#ifndef INTERLOCK_DETAIL_CORE_OBJECT_STATE_HPP
#define INTERLOCK_DETAIL_CORE_OBJECT_STATE_HPP

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

#include <interlock/close_service.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/core/tenure.hpp>
#include <interlock/detail/tenure/mark.hpp>

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

template <class Inner>
class object_state
{
public:
  using tenure_type = tenure<Inner>;
  using executor_type = typename Inner::executor_type;

  object_state() noexcept
    : id_(next_object_id())
  {
  }

  object_state(const object_state&) = delete;
  object_state& operator=(const object_state&) = delete;

  /// The object is gone: what is open is closed, what is ended is freed, now or by the last to hold
  /// it.
  ~object_state()
  {
    tenure_type* t = tenures_;
    while (t)
    {
      tenure_type* next = t->next_of_object;
      t->demand_detach();
      t->disown();
      t = next;
    }
  }

  /// Null until the first open.
  tenure_type* current() const noexcept
  {
    return current_.load(std::memory_order_acquire);
  }

  object_id id() const noexcept
  {
    return id_;
  }

  bool is_open() const noexcept
  {
    const tenure_type* t = current();
    return t && t->current_phase() == phase::open;
  }

  /// A vacant tenure around `inner`, the caller's until it is published or given back. Null: the
  /// context has been shut down.
  tenure_type* take_vacant(Inner&& inner)
  {
    if (tenure_type* t = take_ended())
    {
      t->set_inner(std::move(inner));
      return t;
    }
    return make(std::move(inner));
  }

  /// Opens `t`. False: somebody else has opened the object in the meantime.
  bool publish(tenure_type& t) noexcept
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (is_open())
      return false;
    t.taken_by_opener = false;
    t.follows_another = current() != nullptr;
    t.publish();
    current_.store(&t, std::memory_order_release);
    mark::reopened(id_);
    return true;
  }

  /// Returns the number that `t` had by then, or -1.
  int give_back(tenure_type& t) noexcept
  {
    const int number = t.take_back();
    const std::lock_guard<std::mutex> lock(mutex_);
    t.taken_by_opener = false;
    return number;
  }

private:
  tenure_type* take_ended() noexcept
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (tenure_type* t = tenures_; t; t = t->next_of_object)
    {
      if (t == current() || t->taken_by_opener || !t->recycle())
        continue;
      t->taken_by_opener = true;
      return t;
    }
    return nullptr;
  }

  tenure_type* make(Inner&& inner)
  {
    std::shared_ptr<registry> shared = registry_for(inner);
    auto t = std::make_unique<tenure_type>(id_, shared, std::move(inner));
    if (!shared->add(*t))
      return nullptr;
    const std::lock_guard<std::mutex> lock(mutex_);
    t->next_of_object = tenures_;
    tenures_ = t.get();
    return t.release();
  }

  const object_id id_;
  std::atomic<tenure_type*> current_{nullptr};
  std::mutex mutex_;               // serialises openers; never held while user code can run
  tenure_type* tenures_ = nullptr; // guarded by mutex_
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CORE_OBJECT_STATE_HPP
