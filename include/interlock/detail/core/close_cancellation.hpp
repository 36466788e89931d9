// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Cancellation of a close that is under way. It never leaves the descriptor open.
//
// Of the one who leads the close: terminal aborts it, partial detaches at once, total only lets this
// caller go. Of one who has joined: any type only lets him go. The link is in the caller's slot, and
// keeps the memory of the tenure, not the tenure: by the time of the emission that may be closing
// something else.

#ifndef INTERLOCK_DETAIL_CORE_CLOSE_CANCELLATION_HPP
#define INTERLOCK_DETAIL_CORE_CLOSE_CANCELLATION_HPP

#include <cstdint>
#include <mutex>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/asio_features.hpp>
#include <interlock/detail/core/counted.hpp>
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

class close_cancellation : public counted<close_cancellation>
{
public:
  /// The caller is inside. An emission before has no effect.
  void bind(tenure_base& t, bool leads) noexcept
  {
    aim(target{&t, t.generation(), leads});
  }

  void emit(boost::asio::cancellation_type type)
  {
    using boost::asio::cancellation_type;
    const bool terminal = (type & cancellation_type::terminal) != cancellation_type::none;
    const bool partial = (type & cancellation_type::partial) != cancellation_type::none;
    const target at = aimed_at();
    if (!at.memory || type == cancellation_type::none)
      return;
    if (at.leads && (terminal || partial))
      at.memory->hurry_close(at.generation, terminal);
    else if (close_waiter_pointer c = at.memory->withdraw_close_waiter(this, at.generation))
    {
      // He has let go: what he emits from here on concerns nobody.
      aim(target());
      c.release()->complete({boost::asio::error::operation_aborted}, hand_over::post);
    }
  }

private:
  // What an emission means: nothing until the close has been started.
  struct target
  {
    boost::intrusive_ptr<tenure_base> memory;
    std::uint64_t generation = 0;
    bool leads = false;
  };

  void aim(target t) noexcept
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::swap(target_, t);
  }

  target aimed_at() const noexcept
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    return target_;
  }

  mutable std::mutex mutex_;
  target target_; // guarded by mutex_
};

/// The closer's share in a link, if there is one.
class close_cancellation_share
{
public:
  /// Makes a link for the slot of `handler`, if that has one that is connected.
  template <class Handler>
  void connect(const Handler& handler)
  {
    auto slot = boost::asio::get_associated_cancellation_slot(handler);
    if (!slot.is_connected())
      return;
    link_ = link_pointer(new close_cancellation, false);
    slot.template emplace<relay>(link_);
  }

  void bind(tenure_base& t, bool leads) noexcept
  {
    if (link_)
      link_->bind(t, leads);
  }

  const void* get() const noexcept
  {
    return link_.get();
  }

private:
  using link_pointer = boost::intrusive_ptr<close_cancellation>;

  // What is installed in the closer's slot.
  struct relay
  {
    explicit relay(link_pointer l) noexcept
      : link(std::move(l))
    {
    }

    void operator()(boost::asio::cancellation_type type)
    {
      link->emit(type);
    }

    link_pointer link;
  };

  link_pointer link_;
};

#else

/// Asio has no cancellation slots: there is nothing to link.
class close_cancellation_share
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

#endif // INTERLOCK_DETAIL_CORE_CLOSE_CANCELLATION_HPP
