// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The one way from a user's cancellation slot to a tenure, for operations and for callers of async_close.
//
// The slot holds a share in a link. The link keeps the memory of the tenure, not the tenure, and knows the
// tenure by its generation, because by the time of an emission the memory may hold a later tenure. A handler
// without a connected slot has no link.
//
// No lock: Asio demands that the uses of one cancellation signal are synchronised, so an emission comes after
// the initiating function, which binds the link, and after the previous emission. Other threads count
// references. A new start (repeating.hpp) also installs in the bridge's signal, on the handler's executor: as
// for the steps of Asio's composed operations, the user must not emit at the same time.

#ifndef INTERLOCK_DETAIL_CORE_SLOT_LINK_HPP
#define INTERLOCK_DETAIL_CORE_SLOT_LINK_HPP

#include <cstdint>
#include <type_traits>
#include <utility>

#include <interlock/config.hpp>
#include <interlock/detail/core/asio_features.hpp>
#include <interlock/detail/descriptor/counted.hpp>
#include <interlock/detail/tenure/tenure_base.hpp>

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// The tenure that a link leads to; none until it is bound.
struct slot_target
{
  boost::intrusive_ptr<tenure_base> memory;
  std::uint32_t generation = 0;
};

/// `Effect` is what an emission does: `emit(target, type)`.
template <class Effect>
class slot_link final : public counted<slot_link<Effect>>
{
public:
  /// The caller is inside `t`.
  void bind(tenure_base& t) noexcept
  {
    target_ = slot_target{&t, t.generation()};
  }

  Effect& effect() noexcept
  {
    return effect_;
  }

  void emit(boost::asio::cancellation_type type)
  {
    if (target_.memory)
      effect_.emit(target_, type);
  }

private:
  slot_target target_;
  Effect effect_;
};

/// The share of an operation, or of a caller of async_close, in its link, if there is one.
template <class Effect>
class slot_share
{
public:
  /// Makes a link for the slot of `handler`, if that has one that is connected.
  template <class Handler>
  void connect(const Handler& handler)
  {
    auto slot = boost::asio::get_associated_cancellation_slot(handler);
    if (!slot.is_connected())
      return;
    link_ = link_pointer(new slot_link<Effect>, false);
    slot.template emplace<relay>(link_);
  }

  slot_link<Effect>* get() const noexcept
  {
    return link_.get();
  }

private:
  using link_pointer = boost::intrusive_ptr<slot_link<Effect>>;

  // What is installed in the slot.
  class relay
  {
  public:
    explicit relay(link_pointer l) noexcept
      : link_(std::move(l))
    {
    }

    void operator()(boost::asio::cancellation_type type)
    {
      link_->emit(type);
    }

  private:
    link_pointer link_;
  };

  link_pointer link_;
};

/// A default slot that only handlers without a slot of their own return.
struct probe_slot
{
};

/// Whether a handler of this type can have a slot that is connected.
template <class Handler>
using may_have_slot = std::integral_constant<bool,
  !std::is_same<typename boost::asio::associated_cancellation_slot<Handler, probe_slot>::type,
    probe_slot>::value>;

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_HAS_CANCELLATION_SLOTS

#endif // INTERLOCK_DETAIL_CORE_SLOT_LINK_HPP
