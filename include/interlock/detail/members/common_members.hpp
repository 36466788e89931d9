// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The members that Asio's sockets, acceptors, descriptors, pipes and serial ports share, over any core.

#ifndef INTERLOCK_DETAIL_MEMBERS_COMMON_MEMBERS_HPP
#define INTERLOCK_DETAIL_MEMBERS_COMMON_MEMBERS_HPP

#include <type_traits>
#include <utility>

#include <boost/asio/execution_context.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/throw_if.hpp>
#include <interlock/detail/members/closing_members.hpp>
#include <interlock/detail/members/common_calls.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// @cond
/// Allows a call with an execution context.
template <class T>
using if_context =
  std::enable_if_t<std::is_convertible<T&, boost::asio::execution_context&>::value, int>;

/// Allows a call with a type that converts.
template <class From, class To>
using if_convertible = std::enable_if_t<std::is_convertible<From, To>::value, int>;
/// @endcond

namespace bases {

/// The members of every object that Asio's objects have as well.
template <class Core>
class common_members : public closing_members<Core>
{
private:
  using interlock_base = closing_members<Core>;

protected:
  /// @cond
  using interlock_base::interlock_core_;

  common_members(common_members&&) noexcept = default;
  common_members& operator=(common_members&&) noexcept = default;
  ~common_members() = default;
  /// @endcond

public:
  /// The type of the executor associated with the object.
  using executor_type = typename Core::executor_type;

  /// The native representation of the object.
  using native_handle_type = native_handle_of<Core>;

  /// Construct the object without opening it.
  /**
   * @asio
   */
  explicit common_members(const executor_type& ex)
    : interlock_base(ex)
  {
  }

  /// Construct the object without opening it.
  template <class ExecutionContext, if_context<ExecutionContext> = 0>
  explicit common_members(ExecutionContext& context)
    : interlock_base(context.get_executor())
  {
  }

  /// Get the executor associated with the object.
  /**
   * @asio
   */
  const executor_type& get_executor() noexcept
  {
    return interlock_core_.get_executor();
  }

  /// Determine whether the object is open.
  /**
   * False from the moment in which a close begins, in whichever thread and mode.
   */
  bool is_open() const
  {
    return interlock_core_.is_open();
  }

  /// Close the object.
  /**
   * When this returns, the object is closed for every thread. Outstanding operations complete with
   * boost::asio::error::operation_aborted, blocked calls return the same error, and new calls return
   * boost::asio::error::bad_descriptor. The descriptor is detached from the reactor: now, or when the last
   * call inside returns. The thread that detaches it also calls close(2) if that cannot block, otherwise
   * close(2) runs on a separate thread. Never fails; has no effect on an object that is not open.
   *
   * Never blocks, with one exception. If another thread is in a call on a datagram socket, a raw socket or an
   * acceptor, or has yet to close it, `close` waits for that thread, for 100 ms at most, so that the local
   * address is free when this returns.
   * While a lease exists, `close` waits for the detach only.
   *
   * @par Error Codes
   * None. The errno of close(2) goes to the callers of async_close.
   */
  void close()
  {
    interlock_core_.close();
  }

  /// Close the object. @c ec is always clear.
  error_code close(error_code& ec)
  {
    interlock_core_.close();
    return ec = error_code();
  }

  /// Get the native representation, or -1 if the object is closed.
  /**
   * From then on another thread may close the descriptor, and the system may reuse its value: see lease.
   *
   * @returns The descriptor, or -1.
   */
  native_handle_type native_handle()
  {
    return interlock_core_.fd();
  }

  /// Release ownership of the native representation, and cancel the outstanding operations.
  /**
   * @returns The descriptor, or -1 on failure.
   * @throws boost::system::system_error interlock::error::in_use while a call on the object is under way
   * or a lease exists, boost::asio::error::bad_descriptor if the object is not open.
   *
   * @par Error Codes
   * @li interlock::error::in_use: a call on the object is under way, or a lease exists. async_release waits for both.
   * @li boost::asio::error::bad_descriptor: the object is not open, or is being closed. No error on a pipe.
   */
  native_handle_type release()
  {
    return functions::or_throw("release", [&](error_code& ec) { return release(ec); });
  }

  /// Release ownership of the native representation, and cancel the outstanding operations.
  native_handle_type release(error_code& ec)
  {
    return interlock_core_.release(ec);
  }

  /// Cancel all asynchronous operations associated with the object.
  /**
   * @asio
   * @errors{epoll_ctl(2)}
   */
  void cancel()
  {
    functions::or_throw("cancel", [&](error_code& ec) { cancel(ec); });
  }

  /// Cancel all asynchronous operations associated with the object.
  error_code cancel(error_code& ec)
  {
    return functions::cancel_all(interlock_core_, ec);
  }
};

} // namespace bases
} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_MEMBERS_COMMON_MEMBERS_HPP
