// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Steps of a group's close that may fail for want of memory. The close goes on without them.

#ifndef INTERLOCK_DETAIL_GROUPS_GROUP_STEPS_HPP
#define INTERLOCK_DETAIL_GROUPS_GROUP_STEPS_HPP

#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/core/no_exceptions_support.hpp>

#include <interlock/close_mode.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/core/close_handler.hpp>
#include <interlock/detail/core/handled_object.hpp>
#include <interlock/detail/descriptor/cancellation_disabled.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

namespace functions {

/// Whether `f()` has returned. The cancellation of the thread (pthread_cancel), an exception that must not be
/// swallowed, is put off.
template <class Function>
bool succeeds(Function f) noexcept
{
  const cancellation_disabled put_off;
  bool done = false;
  BOOST_TRY
  {
    f();
    done = true;
  }
  BOOST_CATCH(...) {}
  BOOST_CATCH_END
  return done;
}

/// Begins the close of a member. Without memory it is closed all the same, and `handler` is destroyed uncalled.
///
/// The handler is called on the member's executor: if that does not run, the member keeps no work of the group's.
template <class Handler>
void close_member(const handled_object& object, Handler handler, const close_mode& mode) noexcept
{
  using waiter = close_handler<Handler, boost::asio::any_io_executor, report_result>;
  const auto begin = [&]
  { object.start_close(waiter::make(std::move(handler), object.executor(), report_result(mode))); };
  if (!succeeds(begin))
    object.state().close();
}

} // namespace functions
} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_GROUPS_GROUP_STEPS_HPP
