// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The tracked handler: what Asio gets in place of the user's.
//
// It counts the operation as outstanding until the user's handler has run and been destroyed, or
// been destroyed uninvoked, and marks the thread while it runs.

#ifndef INTERLOCK_DETAIL_CORE_TRACKING_HPP
#define INTERLOCK_DETAIL_CORE_TRACKING_HPP

#include <new>
#include <type_traits>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/adapted_handler.hpp>
#include <interlock/detail/core/slot_bridge.hpp>
#include <interlock/detail/core/tenure.hpp>
#include <interlock/detail/descriptor/calls.hpp>
#include <interlock/detail/tenure/running_handler.hpp>

namespace interlock
{
inline namespace abi_0
{
namespace detail
{

/// What an operation counts as until its handler has run and been destroyed.
enum class counts_as
{
  handler,
  write ///< A handler, and a write that a flush waits for.
};

/// The count and the mark. Asio moves a handler several times: what is left of each has to cost next to nothing.
template <counts_as What>
class basic_tracking
{
public:
  /// Takes over an operation that has been counted in `t`.
  explicit basic_tracking(tenure_base& t) noexcept
    : tenure_(&t)
  {
  }

  basic_tracking(basic_tracking&& other) noexcept
    : tenure_(std::exchange(other.tenure_, nullptr))
  {
  }

  basic_tracking& operator=(basic_tracking&&) = delete;

  ~basic_tracking()
  {
    if (tenure_)
      abandon();
  }

  template <class Handler>
  void connect(const Handler&) noexcept
  {
  }

  template <class Handler, class... Args>
  void operator()(Handler&& handler, Args&&... args)
  {
    // In this order they end: the handler, the mark, the count.
    const count_guard counted{*std::exchange(tenure_, nullptr)};
    const running_handler marked(counted.tenure, What == counts_as::write);
    std::decay_t<Handler> own(std::move(handler));
    std::move(own)(std::forward<Args>(args)...);
  }

  /// Null once moved from.
  tenure_base* outstanding_in() const noexcept
  {
    return tenure_;
  }

private:
  struct count_guard
  {
    tenure_base& tenure;

    INTERLOCK_HOT ~count_guard()
    {
      count_down(tenure);
    }
  };

  static INTERLOCK_HOT void count_down(tenure_base& t) noexcept
  {
    if constexpr (What == counts_as::write)
      t.write_done();
    else
      t.handler_done();
  }

  INTERLOCK_COLD void abandon() noexcept
  {
    count_down(*tenure_);
  }

  tenure_base* tenure_;
};

using tracking = basic_tracking<counts_as::handler>;

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)

/// A share in the bridge of a handler that may have a slot, if there is one.
class bridge_share
{
public:
  boost::asio::cancellation_slot slot() const noexcept
  {
    return bridge_ ? bridge_->slot() : boost::asio::cancellation_slot();
  }

protected:
  bridge_pointer bridge_;
};

/// The same as `basic_tracking`, for such a handler.
template <counts_as What>
class bridged_tracking : public basic_tracking<What>, public bridge_share
{
public:
  using basic_tracking<What>::basic_tracking;

  template <class Handler>
  void connect(const Handler& handler)
  {
    bridge_ = connect_slot(handler, *this->outstanding_in());
  }
};

/// A default that only comes back from handlers which have no slot of their own.
struct probe_slot
{
};

template <class Handler, counts_as What = counts_as::handler>
using tracking_of = std::conditional_t<
  std::is_same<typename boost::asio::associated_cancellation_slot<Handler, probe_slot>::type,
    probe_slot>::value,
  basic_tracking<What>, bridged_tracking<What>>;

#else

template <class, counts_as What = counts_as::handler>
using tracking_of = basic_tracking<What>;

#endif

/// Tracks an operation that Asio may complete although it is not over; it is begun again then.
/**
 * `Policy` has `possible(ec)`, `premature(tenure, ec)`, asked while inside, and `begin(inner, handler)`.
 */
template <class Inner, class Policy, class Tracking>
class repeating : public Tracking
{
public:
  repeating(Tracking&& t, Policy p)
    : Tracking(std::move(t)),
      policy_(std::move(p))
  {
  }

  template <class Handler, class... Args>
  void operator()(Handler&& handler, const boost::system::error_code& ec, Args&&... args)
  {
    if (!began_again(handler, ec, args...))
      Tracking::operator()(std::move(handler), ec, std::forward<Args>(args)...);
  }

private:
  // False: the operation is over, or cannot be looked into any more and is taken at its word.
  // Inside only for this look, not while the user's handler runs.
  template <class Handler, class... Args>
  bool began_again(Handler& handler, const boost::system::error_code& ec, Args&... args)
  {
    auto& t = static_cast<tenure<Inner>&>(*this->outstanding_in());
    if (!policy_.possible(ec) || t.enter() != duty::none)
      return false;
    const leave_guard leaves(t);
    if (!policy_.premature(t, ec))
      return false;
    Policy policy(policy_);
    auto next = adapt(std::move(handler), std::move(*this));
    try
    {
      policy.begin(t.inner(), std::move(next));
    }
    catch (const std::bad_alloc&)
    {
      // The memory is asked for before the handler is moved: it is completed rather than lost.
      next.adapter().Tracking::operator()(std::move(next.handler()),
        boost::system::error_code(boost::asio::error::no_memory), std::move(args)...);
    }
    return true;
  }

  Policy policy_;
};

/// A readiness that Asio had already fetched for another object, in the same recycled state of the
/// reactor.
template <class WaitType>
struct spurious_readiness
{
  WaitType what;
  short events;

  bool possible(const boost::system::error_code& ec) const noexcept
  {
    return !ec;
  }

  bool premature(tenure_base& t, const boost::system::error_code&) const noexcept
  {
    return !calls::ready(t.fd(), events);
  }

  template <class Inner, class Handler>
  void begin(Inner& inner, Handler&& handler)
  {
    inner.async_wait(what, std::forward<Handler>(handler));
  }
};

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)

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

#endif

} // namespace detail
} // namespace abi_0
} // namespace interlock

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)

namespace boost
{
namespace asio
{

template <class Handler, class Adapter, class Slot>
struct associated_cancellation_slot<interlock::detail::adapted_handler<Handler, Adapter>, Slot>
  : std::conditional_t<std::is_base_of<interlock::detail::bridge_share, Adapter>::value,
      interlock::detail::bridged_slot<Handler, Adapter>,
      interlock::detail::forwarded_slot<Handler, Adapter, Slot>>
{
};

} // namespace asio
} // namespace boost

#endif

#endif // INTERLOCK_DETAIL_CORE_TRACKING_HPP
