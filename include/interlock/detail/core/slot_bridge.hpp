// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Per-operation cancellation that may come late, or beside a close in another thread.
//
// Asio installs a pointer into its own object in a handler's cancellation slot, and reads it without a lock.
// So the user's slot gets a link, and Asio gets the slot of a signal in the link. An emission enters the
// tenure, emits into that signal, and leaves. It has an effect only while the tenure is open or flushing.

#ifndef INTERLOCK_DETAIL_CORE_SLOT_BRIDGE_HPP
#define INTERLOCK_DETAIL_CORE_SLOT_BRIDGE_HPP

#include <type_traits>

#include <interlock/config.hpp>
#include <interlock/detail/core/adapted_handler.hpp>
#include <interlock/detail/core/slot_link.hpp>
#include <interlock/detail/tenure/guards.hpp>
#include <interlock/detail/tenure/tenure_base.hpp>

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// The effect of an emission on an operation: it is passed on to Asio.
class slot_bridge
{
public:
  boost::asio::cancellation_slot slot() noexcept
  {
    return signal_.slot();
  }

  void emit(slot_target& at, boost::asio::cancellation_type type)
  {
    tenure_base& t = *at.memory;
    if (t.enter_to_cancel() != duty::none)
      return;
    const leave_guard leaves(t);
    if (t.generation() == at.generation)
      signal_.emit(type);
  }

private:
  boost::asio::cancellation_signal signal_;
};

/// The share of an operation in its link, if there is one.
class bridge_share
{
public:
  boost::asio::cancellation_slot slot() const noexcept
  {
    slot_link<slot_bridge>* const link = link_.get();
    return link ? link->effect().slot() : boost::asio::cancellation_slot();
  }

protected:
  /// The caller is inside `t`.
  template <class Handler>
  void connect(const Handler& handler, tenure_base& t)
  {
    link_.connect(handler);
    if (link_.get())
      link_.get()->bind(t);
  }

private:
  slot_share<slot_bridge> link_;
};

/// The slot of a tracked handler: the bridge's, or one that is not connected. Never the user's.
template <class Handler, class Adapter>
struct bridged_slot
{
  using type = boost::asio::cancellation_slot;

  template <class... Default>
  static type get(const adapted_handler<Handler, Adapter>& h, const Default&...) noexcept
  {
    return h.adapter().slot();
  }
};

/// The slot of any other adapted handler: the handler's own.
template <class Handler, class Adapter, class Slot>
struct forwarded_slot : boost::asio::associated_cancellation_slot<Handler, Slot>
{
  using base = boost::asio::associated_cancellation_slot<Handler, Slot>;

  static auto get(const adapted_handler<Handler, Adapter>& h) noexcept
    -> decltype(base::get(h.handler()))
  {
    return base::get(h.handler());
  }

  static auto get(const adapted_handler<Handler, Adapter>& h, const Slot& s) noexcept
    -> decltype(base::get(h.handler(), s))
  {
    return base::get(h.handler(), s);
  }
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

namespace boost {
namespace asio {

template <class Handler, class Adapter, class Slot>
struct associated_cancellation_slot<interlock::detail::adapted_handler<Handler, Adapter>, Slot>
  : std::conditional_t<std::is_base_of<interlock::detail::bridge_share, Adapter>::value,
      interlock::detail::bridged_slot<Handler, Adapter>,
      interlock::detail::forwarded_slot<Handler, Adapter, Slot>>
{
};

} // namespace asio
} // namespace boost

#endif // INTERLOCK_HAS_CANCELLATION_SLOTS

#endif // INTERLOCK_DETAIL_CORE_SLOT_BRIDGE_HPP
