// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Applies the transitions of the tenure's word. Every transition is one read-modify-write: what a
// participant sees and what it becomes cannot come apart. Acquire on every success orders what the
// tenure holds after its publication, and release orders it before its end.

#ifndef INTERLOCK_DETAIL_TENURE_ATOMIC_WORD_HPP
#define INTERLOCK_DETAIL_TENURE_ATOMIC_WORD_HPP

#include <atomic>

#include <interlock/config.hpp>
#include <interlock/detail/tenure/word.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class atomic_word
{
public:
  using value = word::value;
  using transition = word::step (*)(value) noexcept;

  /// Installs `Transition` and returns the duty; `before`, when given, receives the word it was
  /// made from.
  template <transition Transition>
  duty apply(value* before = nullptr) noexcept
  {
    value w = value_.load(std::memory_order_acquire);
    for (;;)
    {
      const word::step s = Transition(w);
      if (s.next == w
        || value_.compare_exchange_weak(
          w, s.next, std::memory_order_acq_rel, std::memory_order_acquire))
      {
        if (before)
          *before = w;
        return s.then;
      }
    }
  }

  /// The same for what the read/write path does: the tenure is open, and nothing falls due.
  template <transition Transition>
  INTERLOCK_HOT duty apply_open() noexcept
  {
    value w = value_.load(std::memory_order_acquire);
    while (word::phase_of(w) == phase::open)
    {
      const word::step s = Transition(w);
      if (s.then != duty::none)
        break;
      if (value_.compare_exchange_weak(
            w, s.next, std::memory_order_acq_rel, std::memory_order_acquire))
        return duty::none;
    }
    return apply_otherwise<Transition>();
  }

  value load() const noexcept
  {
    return value_.load(std::memory_order_acquire);
  }

  phase current_phase() const noexcept
  {
    return word::phase_of(load());
  }

private:
  template <transition Transition>
  INTERLOCK_COLD duty apply_otherwise() noexcept
  {
    return apply<Transition>();
  }

  std::atomic<value> value_{word::initial()};
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_TENURE_ATOMIC_WORD_HPP
