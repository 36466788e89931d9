// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The members that sockets, acceptors and descriptors share, and pipes and serial ports lack:
// non-blocking modes, and waits until the object is ready.

#ifndef INTERLOCK_DETAIL_MEMBERS_WAITING_MEMBERS_HPP
#define INTERLOCK_DETAIL_MEMBERS_WAITING_MEMBERS_HPP

#include <boost/asio/async_result.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/initiation.hpp>
#include <interlock/detail/core/throw_if.hpp>
#include <interlock/detail/members/closing_members.hpp>
#include <interlock/detail/members/common_calls.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {
namespace bases {

/// The members of sockets, acceptors and descriptors that control whether a call waits, and that wait.
/** @c Base is what Asio's own class derives from: its names are members, too. */
template <class Members, class Base>
class waiting_members : public Base, public Members
{
protected:
  /// @cond
  using Members::interlock_core_;

  waiting_members(waiting_members&&) noexcept = default;
  waiting_members& operator=(waiting_members&&) noexcept = default;
  ~waiting_members() = default;
  /// @endcond

public:
  using typename Base::wait_type;

  using Members::Members;

  /// Perform an IO control command on the object.
  /**
   * @asio
   * @errors{ioctl(2)}
   */
  template <class IoControlCommand>
  void io_control(IoControlCommand& command)
  {
    functions::or_throw("io_control", [&](error_code& ec) { io_control(command, ec); });
  }

  /// Perform an IO control command on the object.
  template <class IoControlCommand>
  error_code io_control(IoControlCommand& command, error_code& ec)
  {
    return functions::control(interlock_core_, command, ec);
  }

  /// Get the non-blocking mode of the object.
  /**
   * @asio
   * @errors{fcntl(2)}
   */
  bool non_blocking() const
  {
    return functions::get_flag(interlock_core_, &user_flags::non_blocking);
  }

  /// Set the non-blocking mode of the object.
  void non_blocking(bool mode)
  {
    functions::or_throw("non_blocking", [&](error_code& ec) { non_blocking(mode, ec); });
  }

  /// Set the non-blocking mode of the object.
  error_code non_blocking(bool mode, error_code& ec)
  {
    return functions::set_non_blocking(interlock_core_, mode, ec);
  }

  /// Get the non-blocking mode of the native representation, as set by the other overloads or by an asynchronous
  /// operation.
  /**
   * @asio
   * @errors{fcntl(2)}
   */
  bool native_non_blocking() const
  {
    return functions::get_flag(interlock_core_, &user_flags::native_non_blocking);
  }

  /// Set the non-blocking mode of the native representation.
  /** The descriptor becomes O_NONBLOCK with `true`. With `false` it stays so, if the library has made it so. */
  void native_non_blocking(bool mode)
  {
    functions::or_throw(
      "native_non_blocking", [&](error_code& ec) { native_non_blocking(mode, ec); });
  }

  /// Set the non-blocking mode of the native representation.
  /** The descriptor becomes O_NONBLOCK with `true`. With `false` it stays so, if the library has made it so. */
  error_code native_non_blocking(bool mode, error_code& ec)
  {
    return functions::set_native_non_blocking(interlock_core_, mode, ec);
  }

  /// Wait for the object to become ready to read, ready to write, or to have pending error conditions.
  /**
   * @asio
   * @waiting_errors{poll(2)}
   */
  void wait(wait_type w)
  {
    functions::or_throw("wait", [&](error_code& ec) { wait(w, ec); });
  }

  /// Wait for the object to become ready to read, ready to write, or to have pending error conditions.
  error_code wait(wait_type w, error_code& ec)
  {
    return functions::wait_ready(interlock_core_, functions::events_of(w), ec);
  }

  /// Start an asynchronous wait for the object to become ready to read, ready to write, or to have
  /// pending error conditions.
  /**
   * @asio
   * @async_errors{epoll_ctl(2)}
   */
  template <INTERLOCK_TOKEN_FOR(void(error_code)) WaitToken = default_token_of<Members>>
  auto async_wait(wait_type w, WaitToken&& token = default_token_of<Members>())
    -> initiation_result<WaitToken, void(error_code), initiate_wait<core_of<Members>>, wait_type&>
  {
    return boost::asio::async_initiate<WaitToken, void(error_code)>(
      initiate_wait<core_of<Members>>(&interlock_core_), token, w);
  }
};

} // namespace bases
} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_MEMBERS_WAITING_MEMBERS_HPP
