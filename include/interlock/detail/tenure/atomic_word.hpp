// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Applies the transitions of the tenure's word. Each that changes it is one compare-exchange: no other thread
// changes the word in between. Acquire and release: a thread that enters sees what was written before
// `publish`; a thread that gets a duty sees what the threads that have left wrote before.

#ifndef INTERLOCK_DETAIL_TENURE_ATOMIC_WORD_HPP
#define INTERLOCK_DETAIL_TENURE_ATOMIC_WORD_HPP

#include <interlock/config.hpp>
#include <interlock/detail/sys.hpp>
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

  /// The same, inlined for the read/write path: an open tenure and duty none. All else goes to `apply`.
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

  sys::atomic<value> value_{word::initial()};
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_TENURE_ATOMIC_WORD_HPP
