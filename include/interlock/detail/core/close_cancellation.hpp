// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Cancellation of a close that is under way. It never leaves the descriptor open.
//
// For the caller that leads the close: terminal aborts it, partial makes it immediate, total only ends this
// caller's wait. For a caller that has joined: every type only ends its wait.

#ifndef INTERLOCK_DETAIL_CORE_CLOSE_CANCELLATION_HPP
#define INTERLOCK_DETAIL_CORE_CLOSE_CANCELLATION_HPP

#include <type_traits>

#include <boost/asio/error.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/slot_link.hpp>
#include <interlock/detail/tenure/close_waiter.hpp>
#include <interlock/detail/tenure/tenure_base.hpp>

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)
#include <boost/asio/cancellation_type.hpp>
#endif

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// For a caller that cannot cancel.
class no_closer_link
{
public:
  template <class Handler>
  void connect(const Handler& /*handler*/) noexcept
  {
  }

  void bind_link(tenure_base& /*t*/, bool /*leads*/) noexcept {}

  const void* link_id() const noexcept
  {
    return nullptr;
  }
};

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)

class close_cancellation
{
public:
  void lead(bool leads) noexcept
  {
    leads_ = leads;
  }

  void emit(slot_target& at, boost::asio::cancellation_type type)
  {
    using boost::asio::cancellation_type;
    const bool terminal = (type & cancellation_type::terminal) != cancellation_type::none;
    const bool partial = (type & cancellation_type::partial) != cancellation_type::none;
    if (type == cancellation_type::none)
      return;
    if (leads_ && (terminal || partial))
      at.memory->hurry_close(
        at.generation, terminal ? close_mode::abort() : close_mode::immediate());
    else if (close_waiter_pointer c = at.memory->withdraw_close_waiter(this, at.generation))
    {
      // This caller is gone: its later emissions have no effect. `at` may be gone once it is completed.
      at.memory.reset();
      c.release()->complete({boost::asio::error::operation_aborted}, hand_over::post);
    }
  }

private:
  bool leads_ = false; // written by the initiating function, before any emission
};

/// The share of a caller in its link, if there is one.
class close_cancellation_share : private slot_share<close_cancellation>
{
public:
  using slot_share::connect;

  /// The caller is inside `t`.
  void bind_link(tenure_base& t, bool leads) noexcept
  {
    if (!get())
      return;
    get()->effect().lead(leads);
    get()->bind(t);
  }

  /// Identifies the close waiter to its cancellation, while it exists. Null: its slot is not connected.
  const void* link_id() const noexcept
  {
    return get() ? &get()->effect() : nullptr;
  }
};

template <class Handler, bool CanBeCancelled>
using closer_link_of = std::conditional_t<CanBeCancelled && may_have_slot<Handler>::value,
  close_cancellation_share, no_closer_link>;

#else

template <class, bool>
using closer_link_of = no_closer_link;

#endif

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CORE_CLOSE_CANCELLATION_HPP
