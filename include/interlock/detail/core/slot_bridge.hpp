// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Per-operation cancellation that may come late, or beside a close in another thread.
//
// Asio installs in a handler's cancellation slot a pointer into its own object, and reads it
// without a lock. So the user's slot gets a bridge instead, and Asio the slot of a signal in it. An
// emission enters the tenure, is passed on, and leaves; once the tenure does not let it in, nothing
// is left to be cancelled. The bridge keeps the tenure's memory, not the tenure. A handler without
// a connected slot has none of this.

#ifndef INTERLOCK_DETAIL_CORE_SLOT_BRIDGE_HPP
#define INTERLOCK_DETAIL_CORE_SLOT_BRIDGE_HPP

#include <cstdint>
#include <type_traits>
#include <utility>

#include <interlock/config.hpp>
#include <interlock/detail/core/adapted_handler.hpp>
#include <interlock/detail/core/counted.hpp>
#include <interlock/detail/tenure/tenure_base.hpp>

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>

namespace interlock
{
inline namespace abi_0
{
namespace detail
{

class slot_bridge : public counted<slot_bridge>
{
public:
  /// Made while inside `t`.
  explicit slot_bridge(tenure_base& t) noexcept
    : tenure_(&t),
      generation_(t.generation())
  {
  }

  boost::asio::cancellation_slot slot() noexcept
  {
    return signal_.slot();
  }

  void emit(boost::asio::cancellation_type type)
  {
    if (tenure_->enter_to_cancel() != duty::none)
      return;
    const leave_guard leaves(*tenure_);
    if (tenure_->generation() == generation_)
      signal_.emit(type);
  }

private:
  const boost::intrusive_ptr<tenure_base> tenure_; // its memory
  const std::uint64_t generation_;
  // Changed by the initiating function only; emissions are the user's to serialise, as with Asio.
  boost::asio::cancellation_signal signal_;
};

using bridge_pointer = boost::intrusive_ptr<slot_bridge>;

/// What is installed in the user's slot: it has a share in the bridge.
class bridge_relay
{
public:
  explicit bridge_relay(bridge_pointer b) noexcept
    : bridge_(std::move(b))
  {
  }

  void operator()(boost::asio::cancellation_type type)
  {
    bridge_->emit(type);
  }

private:
  bridge_pointer bridge_;
};

/// Connects the slot of `handler`, if it has one that is connected, to a bridge into `t`, in which the
/// caller gets a share. The caller is inside.
template <class Handler>
bridge_pointer connect_slot(const Handler& handler, tenure_base& t)
{
  auto slot = boost::asio::get_associated_cancellation_slot(handler);
  if (!slot.is_connected())
    return nullptr;
  bridge_pointer own(new slot_bridge(t), false);
  slot.template emplace<bridge_relay>(own);
  return own;
}

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif

#endif // INTERLOCK_DETAIL_CORE_SLOT_BRIDGE_HPP
