// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The tracked handler, which Asio gets in place of the user's.
//
// It counts the operation as outstanding until the user's handler has run and been destroyed, or has been
// destroyed uninvoked, and marks the thread as running the handler meanwhile. What the operation has received is noted
// before.

#ifndef INTERLOCK_DETAIL_CORE_TRACKING_HPP
#define INTERLOCK_DETAIL_CORE_TRACKING_HPP

#include <type_traits>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/adapted_handler.hpp>
#include <interlock/detail/core/slot_bridge.hpp>
#include <interlock/detail/core/throw_if.hpp>
#include <interlock/detail/tenure/running_handler.hpp>
#include <interlock/detail/tenure/tenure_base.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// What an operation counts as until its handler has run and been destroyed.
enum class counts_as
{
  handler,
  write,  ///< A handler, and a write that a flush waits for.
  connect ///< A handler. Its success begins a connection.
};

/// The count and the running handler. Asio moves a handler several times, so a moved-from one must cost next
/// to nothing.
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

  /// A copy counts as well: an executor, or a hook of the handler, may call it in the place of this one.
  basic_tracking(const basic_tracking& other)
    : tenure_(other.tenure_)
  {
    if (tenure_)
      count_copy();
  }

  basic_tracking& operator=(basic_tracking&&) = delete;

  ~basic_tracking()
  {
    if (tenure_)
      abandon();
  }

  template <class Handler>
  void connect(const Handler&) noexcept // without a slot; see bridged_tracking
  {
  }

  template <class Handler, class... Args>
  void operator()(Handler&& handler, Args&&... args)
  {
    // They end in this order: the handler, the running handler's mark, the count (and with it a hopeless flush).
    tenure_base& t = *std::exchange(tenure_, nullptr);
    const count_guard counted{&t, note_result(t, args...)};
    const running_handler marked(t, What == counts_as::write);
    std::decay_t<Handler> own(std::move(handler));
    std::move(own)(std::forward<Args>(args)...);
  }

  /// Null once moved from.
  tenure_base* outstanding_in() const noexcept
  {
    return tenure_;
  }

protected:
  /// Takes over an operation that has been counted in `t`, or, if null, in no tenure.
  explicit basic_tracking(tenure_base* t) noexcept
    : tenure_(t)
  {
  }

  /// The caller has the count from now on.
  tenure_base* let_go() noexcept
  {
    return std::exchange(tenure_, nullptr);
  }

  struct count_guard
  {
    tenure_base* tenure;          ///< Null: counted in none.
    bool is_failed_write = false; ///< Then `tenure` is not null.

    INTERLOCK_HOT ~count_guard()
    {
      if (tenure)
        count_down(*tenure, is_failed_write);
    }
  };

private:
  /// Whether a write has failed.
  template <class... Values>
  static INTERLOCK_HOT bool note_result(
    tenure_base& t, const boost::system::error_code& ec, const Values&...) noexcept
  {
    if constexpr (What == counts_as::connect)
    {
      if (!ec)
        t.errors().begin_connection();
    }
    else if (ec)
    {
      note_error(t, ec);
      return What == counts_as::write;
    }
    return false;
  }

  static INTERLOCK_COLD void note_error(
    tenure_base& t, const boost::system::error_code& ec) noexcept
  {
    t.errors().note(ec);
  }

  // Asio's reactor does not serve a write that waits behind one which has met the end of the connection.
  static INTERLOCK_HOT void count_down(tenure_base& t, bool is_failed_write = false) noexcept
  {
    if constexpr (What == counts_as::write)
      t.write_done(is_failed_write && t.errors().have_ended_connection());
    else
      t.handler_done();
  }

  INTERLOCK_COLD void count_copy()
  {
    const duty d = What == counts_as::write ? tenure_->copy_write() : tenure_->add_handler();
    if (d != duty::none)
      throw_if(boost::asio::error::no_buffer_space, "copy");
  }

  INTERLOCK_COLD void abandon() noexcept
  {
    tenure_->errors().note_lost_result();
    count_down(*tenure_);
  }

  tenure_base* tenure_;
};

using tracking = basic_tracking<counts_as::handler>;

/// An operation that could not start: its handler is called with `values`.
template <class... Values>
class refused_operation : public tracking
{
public:
  /// `counted`: the tenure whose close waits for it, and has counted it. May be null.
  explicit refused_operation(tenure_base* counted, Values... values)
    : tracking(counted),
      values_(std::move(values)...)
  {
  }

  template <class Handler>
  void operator()(Handler&& handler)
  {
    // They end in this order: the handler, the running handler's mark, the count.
    const count_guard counted{let_go()};
    const running_handler marked(counted.tenure);
    std::decay_t<Handler> own(std::move(handler));
    values_(own);
  }

private:
  bound_values<Values...> values_;
};

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)

/// The same as `basic_tracking`, for a handler that may have a slot.
template <counts_as What>
class bridged_tracking : public basic_tracking<What>, public bridge_share
{
public:
  using basic_tracking<What>::basic_tracking;

  template <class Handler>
  void connect(const Handler& handler)
  {
    bridge_share::connect(handler, *this->outstanding_in());
  }
};

template <class Handler, counts_as What = counts_as::handler>
using tracking_of =
  std::conditional_t<may_have_slot<Handler>::value, bridged_tracking<What>, basic_tracking<What>>;

#else

template <class, counts_as What = counts_as::handler>
using tracking_of = basic_tracking<What>;

#endif

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CORE_TRACKING_HPP
