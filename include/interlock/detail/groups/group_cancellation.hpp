// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A caller of a group's close: its handler, and the cancellation of it.

#ifndef INTERLOCK_DETAIL_GROUPS_GROUP_CANCELLATION_HPP
#define INTERLOCK_DETAIL_GROUPS_GROUP_CANCELLATION_HPP

#include <memory>
#include <utility>

#include <interlock/close_mode.hpp>
#include <interlock/close_tally.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/core/asio_features.hpp>
#include <interlock/detail/core/close_handler.hpp>
#include <interlock/detail/groups/group_core.hpp>

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/cancellation_type.hpp>
#endif

namespace interlock {
inline namespace abi_0 {
namespace detail {

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)

/// In the caller's slot. Any thread may emit, also when the round is over, or the group is gone.
class group_cancellation
{
public:
  group_cancellation(std::weak_ptr<group_core> core, caller_number number) noexcept
    : core_(std::move(core)),
      number_(number)
  {
  }

  void operator()(boost::asio::cancellation_type type) const
  {
    using boost::asio::cancellation_type;
    const auto has = [type](cancellation_type one)
    { return (type & one) != cancellation_type::none; };
    const std::shared_ptr<group_core> core = core_.lock();
    if (core && type != cancellation_type::none)
      core->cancel(number_, has(cancellation_type::terminal), has(cancellation_type::partial));
  }

private:
  std::weak_ptr<group_core> core_;
  caller_number number_;
};

#endif

namespace functions {

/// The handler is called on `ex` if it has no executor of its own.
template <class Handler, class Executor>
void start_group_close(const std::shared_ptr<group_core>& core, const Executor& ex,
  Handler& handler, const close_mode& mode)
{
  group_caller caller;
  caller.number = core->new_caller();
  caller.told = std::make_shared<close_tally>();
#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)
  auto slot = boost::asio::get_associated_cancellation_slot(handler);
  if (slot.is_connected())
    slot.template emplace<group_cancellation>(core, caller.number);
#endif
  using waiter = close_handler<Handler, Executor, tally_result>;
  caller.waiter = waiter::make(std::move(handler), ex, tally_result(caller.told, validate(mode)));
  core->close(mode, std::move(caller));
}

} // namespace functions
} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_GROUPS_GROUP_CANCELLATION_HPP
