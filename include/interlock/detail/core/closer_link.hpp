// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Cancellation of a close that is under way. It never leaves the descriptor open.
//
// Of the one who leads the close: terminal aborts it, partial detaches at once, total only lets this
// caller go. Of one who has joined: any type only lets him go. The link is in the caller's slot, and
// keeps the memory of the tenure, not the tenure: by the time of the emission that may be closing
// something else.

#ifndef INTERLOCK_DETAIL_CORE_CLOSER_LINK_HPP
#define INTERLOCK_DETAIL_CORE_CLOSER_LINK_HPP

#include <atomic>
#include <cstdint>
#include <utility>

#include <boost/asio/error.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/asio_features.hpp>
#include <interlock/detail/tenure/tenure_base.hpp>

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/cancellation_type.hpp>
#endif

namespace interlock
{
inline namespace abi_0
{
namespace detail
{

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)

class closer_link
{
public:
  closer_link() = default;
  closer_link(const closer_link&) = delete;
  closer_link& operator=(const closer_link&) = delete;

  /// The caller is inside, and in the initiating function: no emission comes before that returns.
  void bind(tenure_base& t, bool leads) noexcept
  {
    t.add_memory_reference();
    tenure_ = &t;
    generation_ = t.generation();
    leads_ = leads;
  }

  void emit(boost::asio::cancellation_type type)
  {
    using boost::asio::cancellation_type;
    const bool terminal = (type & cancellation_type::terminal) != cancellation_type::none;
    const bool partial = (type & cancellation_type::partial) != cancellation_type::none;
    if (!tenure_ || type == cancellation_type::none)
      return;
    if (leads_ && (terminal || partial))
      tenure_->hurry_close(generation_, terminal);
    else if (closer_pointer c = tenure_->withdraw_closer(this, generation_))
      c.release()->complete(boost::asio::error::operation_aborted, hand_over::post);
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

private:
  ~closer_link()
  {
    if (tenure_)
      tenure_->drop_memory_reference();
  }

  std::atomic<unsigned> references_{1};
  tenure_base* tenure_ = nullptr; // until the close has been started
  std::uint64_t generation_ = 0;
  bool leads_ = false;
};

/// A share in a link, if there is one: of the closer, or of its slot.
class closer_link_share
{
public:
  closer_link_share() = default;

  explicit closer_link_share(closer_link& l) noexcept
    : link_(&l)
  {
    link_->add_reference();
  }

  closer_link_share(closer_link_share&& other) noexcept
    : link_(std::exchange(other.link_, nullptr))
  {
  }

  closer_link_share& operator=(closer_link_share&&) = delete;

  ~closer_link_share()
  {
    if (link_)
      link_->drop_reference();
  }

  /// Makes a link for the slot of `handler`, if that has one that is connected.
  template <class Handler>
  void connect(const Handler& handler)
  {
    auto slot = boost::asio::get_associated_cancellation_slot(handler);
    if (!slot.is_connected())
      return;
    link_ = new closer_link;
    slot.template emplace<closer_link_share>(*link_);
  }

  void bind(tenure_base& t, bool leads) noexcept
  {
    if (link_)
      link_->bind(t, leads);
  }

  const void* get() const noexcept
  {
    return link_;
  }

  void operator()(boost::asio::cancellation_type type)
  {
    link_->emit(type);
  }

private:
  closer_link* link_ = nullptr;
};

#else

/// Asio has no cancellation slots: there is nothing to link.
class closer_link_share
{
public:
  template <class Handler>
  void connect(const Handler&) noexcept
  {
  }

  void bind(tenure_base&, bool) noexcept {}

  const void* get() const noexcept
  {
    return nullptr;
  }
};

#endif

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CORE_CLOSER_LINK_HPP
