// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Starts the close of a stack, and leads the cancellation of its caller to it.

#ifndef INTERLOCK_DETAIL_ADAPT_INITIATE_STACK_CLOSE_HPP
#define INTERLOCK_DETAIL_ADAPT_INITIATE_STACK_CLOSE_HPP

#include <memory>
#include <utility>

#include <boost/core/no_exceptions_support.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/close_mode.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/adapt/layer.hpp>
#include <interlock/detail/adapt/running_closes.hpp>
#include <interlock/detail/adapt/stack_caller.hpp>
#include <interlock/detail/adapt/stack_close.hpp>
#include <interlock/detail/core/asio_features.hpp>
#include <interlock/detail/core/initiation.hpp>
#include <interlock/stack_report.hpp>

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/cancellation_type.hpp>
#endif

namespace interlock {
inline namespace abi_0 {
namespace detail {

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)

/// In the caller's slot. Any thread may emit, also when the close is over.
class stack_cancellation
{
public:
  explicit stack_cancellation(std::weak_ptr<stack_caller> caller) noexcept
    : caller_(std::move(caller))
  {
  }

  void operator()(boost::asio::cancellation_type type) const
  {
    using boost::asio::cancellation_type;
    const auto has = [type](cancellation_type one)
    { return (type & one) != cancellation_type::none; };
    const std::shared_ptr<stack_caller> caller = caller_.lock();
    const std::shared_ptr<running_close> close = caller ? caller->close.lock() : nullptr;
    if (close && type != cancellation_type::none)
      close->cancel_soon(caller, has(cancellation_type::terminal), has(cancellation_type::partial));
  }

private:
  std::weak_ptr<stack_caller> caller_;
};

#endif

/// No layer has anything to set.
struct no_settings
{
  template <class States>
  void operator()(States& /*states*/) const noexcept
  {
  }
};

/// `Settings` is called with the states of the layers before the close starts.
template <class Stream, class Settings = no_settings>
class initiate_stack_close
{
public:
  using executor_type = typename Stream::executor_type;

  explicit initiate_stack_close(kept_stream<Stream> stream, Settings settings = Settings())
    : stream_(std::move(stream)),
      executor_(stream_->get_executor()),
      closes_(running_closes::of(functions::connection_of(*stream_).get_executor())),
      settings_(std::move(settings))
  {
  }

  const executor_type& get_executor() const noexcept
  {
    return executor_;
  }

  template <class Handler>
  void operator()(Handler&& handler, const close_mode& mode) const
  {
    constexpr bool met = can_take<Handler, boost::system::error_code, stack_report>;
    static_assert(met, "StackCloseHandler type requirements not met");
    if constexpr (met)
    {
      own_handler<Handler> own(handler);
      start(own, mode);
    }
  }

private:
  template <class Handler>
  void start(Handler& handler, const close_mode& mode) const
  {
#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)
    auto slot = boost::asio::get_associated_cancellation_slot(handler);
#endif
    stack_callers caller;
    caller.push_back(
      stack_caller::make(std::move(handler), executor_, validate(mode), stream_.owner()));
#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)
    if (slot.is_connected())
      slot.template emplace<stack_cancellation>(caller.front());
#endif
    const close_mode valid = is_valid(mode) ? mode : close_mode::immediate();
    while (!join(valid, caller) && !lead(valid, caller))
    {
    } // another caller's close has begun meanwhile
  }

  bool join(const close_mode& mode, stack_callers& caller) const
  {
    return closes_->join(functions::core_of(*stream_).identity(), mode, caller);
  }

  bool lead(const close_mode& mode, stack_callers& caller) const
  {
    const auto close = std::make_shared<stack_close<Stream>>(closes_, stream_, mode);
    settings_(close->states());
    if (!closes_->lead(*close, caller))
      return false;
    BOOST_TRY
    {
      close->begin_soon();
    }
    BOOST_CATCH(...)
    {
      close->fail_to_begin();
      BOOST_RETHROW
    }
    BOOST_CATCH_END
    return true;
  }

  kept_stream<Stream> stream_;
  executor_type executor_;
  running_closes_pointer closes_;
  Settings settings_;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_ADAPT_INITIATE_STACK_CLOSE_HPP
