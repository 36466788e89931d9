// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The members of all I/O objects that Asio's lack: async_close, async_release, retire, lease, close handle.

#ifndef INTERLOCK_DETAIL_MEMBERS_CLOSING_MEMBERS_HPP
#define INTERLOCK_DETAIL_MEMBERS_CLOSING_MEMBERS_HPP

#include <type_traits>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/close_handle.hpp>
#include <interlock/close_mode.hpp>
#include <interlock/close_report.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/core/initiation.hpp>
#include <interlock/detail/core/io_core.hpp>
#include <interlock/fd_lease.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

using boost::system::error_code;

/// @cond
namespace bases {

template <class Core>
class closing_members;

} // namespace bases

struct access
{
  /// The core of an Interlock object. Asio's own do not convert, by which accept.hpp tells the two apart.
  template <class Core>
  static Core& core(bases::closing_members<Core>& o) noexcept
  {
    return o.interlock_core_;
  }
};

template <class Core>
using native_handle_of = typename Core::inner_type::native_handle_type;

/// The core of an Interlock object of type `Object`.
template <class Object>
using core_of = std::decay_t<decltype(access::core(std::declval<Object&>()))>;
/// @endcond

// The bases of public classes, and no function: argument-dependent lookup searches this namespace for a call with an
// object. A class of the program that derives from ours inherits the names of all members, private ones too.
// Therefore a name that Asio's class lacks, and that is no public member of Interlock, begins with `interlock_`.
namespace bases {

/// The base of all I/O objects. Owns the core, an io_core<Inner>, through which every member goes.
template <class Core>
class closing_members
{
protected:
  /// @cond
  explicit closing_members(const typename Core::executor_type& ex)
    : interlock_core_(ex)
  {
  }

  closing_members(closing_members&&) noexcept = default;
  closing_members& operator=(closing_members&&) noexcept = default;
  ~closing_members() = default;

  // Guards itself. Mutable, because const members enter the tenure as well.
  mutable Core interlock_core_;

  friend struct detail::access;
  /// @endcond

public:
  /// Start an asynchronous close of the object.
  /**
   * Any number of callers, from any thread, may call this: one close serves them all.
   *
   * @param token The completion token. The handler is called after every handler of this object's operations,
   * on any executor, has run and been destroyed: buffers and session may be freed then. It does not wait for
   * operations refused with bad_descriptor, except those that a handler of this object has started.
   *
   * @par Completion Signature
   * @code void(boost::system::error_code) @endcode
   * Success on an object that was never opened, and for EINTR and EINPROGRESS, after which the descriptor is
   * closed. Copies of the descriptor stay open, as after any close(2).
   *
   * @par Error Codes
   * @li The errno of close(2), such as EIO or ENOSPC of a file system that reports late.
   * @li boost::asio::error::timed_out, boost::asio::error::connection_reset: on a stream socket with SO_LINGER,
   * where the operation waits, up to the time of the option, until everything sent is acknowledged.
   * @li boost::asio::error::operation_aborted: this caller's cancellation.
   * @li boost::asio::error::no_buffer_space: 8,191 threads are in calls on the object, or 1,048,575 handlers
   * outstanding. The object stays as it is.
   *
   * @par Per-Operation Cancellation
   * Never leaves the object open.
   * @li @c terminal from the caller that started the close aborts it: a TCP connection is reset. The
   * handler is called when the close is over.
   * @li @c partial from that caller detaches at once, not in a step on the executor, and waits for no peer.
   * The handler is called when the close is over.
   * @li @c total, and every type from a caller that joined the close, completes this caller's operation only,
   * with boost::asio::error::operation_aborted.
   *
   * @par Thread Safety
   * Any thread, at the same time as any other member.
   */
  template <INTERLOCK_TOKEN_FOR(void(error_code)) CloseToken = default_token_of<Core>,
    class = if_close_token<CloseToken>>
  auto async_close(CloseToken&& token = default_token_of<Core>())
    -> initiation_result<CloseToken, void(error_code), initiate_close<Core>>
  {
    return boost::asio::async_initiate<CloseToken, void(error_code)>(
      initiate_close<Core>(&interlock_core_), token);
  }

  /// Start an asynchronous close of the object in the given mode, and report what became of the data.
  /**
   * Any number of callers, from any thread, may call this: one close serves them all, and each gets the
   * same report. The strongest of their modes wins; a call without a mode counts as immediate, or as
   * SO_LINGER requires. The destructor ends a wait for writes, `close` does not; neither changes the mode.
   *
   * @param mode How to close, and how long to wait for the peer: see close_mode.
   *
   * @param token The completion token. The handler is called after every handler of this object's
   * operations has run and been destroyed, on whatever executor.
   *
   * @par Completion Signature
   * @code void(boost::system::error_code, interlock::close_report) @endcode
   * What became of the data is not an error: the report contains it.
   *
   * @par Error Codes
   * As for the other overload, and, with the object closed nevertheless, immediately:
   * @li boost::system::errc::invalid_argument: a timeout is negative, or longer than
   * close_mode::longest_timeout.
   * @li boost::asio::error::operation_not_supported: the mode waits for a peer, but the object is not a
   * stream socket, or its descriptor is borrowed.
   *
   * @par Per-Operation Cancellation
   * As for the other overload, also while the close waits for the peer: @c terminal aborts it, @c partial
   * continues it in immediate mode.
   *
   * @par Thread Safety
   * Any thread, at the same time as any other member.
   */
  template <INTERLOCK_TOKEN_FOR(void(error_code, close_report)) CloseToken = default_token_of<Core>>
  auto async_close(const close_mode& mode, CloseToken&& token = default_token_of<Core>())
    -> initiation_result<CloseToken, void(error_code, close_report), initiate_close<Core>,
      const close_mode&>
  {
    return boost::asio::async_initiate<CloseToken, void(error_code, close_report)>(
      initiate_close<Core>(&interlock_core_), token, mode);
  }

  /// Start an asynchronous release: a close that gives the descriptor to the caller.
  /**
   * Outstanding operations are aborted, and blocked calls return. Unlike `release` this never fails with
   * `in_use`: it waits until every call inside has returned and every lease has ended.
   *
   * @param token The completion token. The handler is called after every handler of this object's
   * operations has run and been destroyed. If the handler is destroyed without being called, the descriptor
   * is closed, unless it is borrowed.
   *
   * @par Completion Signature
   * @code void(boost::system::error_code, native_handle_type) @endcode
   * The descriptor is O_NONBLOCK if an asynchronous operation has used it; -1 with an error. A later close
   * has nothing to close, and succeeds.
   *
   * @par Error Codes
   * @li boost::asio::error::bad_descriptor: the object is not open, or is being closed.
   *
   * @par Per-Operation Cancellation
   * None: the descriptor cannot be given back to the object.
   *
   * @par Thread Safety
   * Any thread, at the same time as any other member.
   */
  template <INTERLOCK_TOKEN_FOR(void(error_code, native_handle_of<Core>))
              ReleaseToken = default_token_of<Core>>
  auto async_release(ReleaseToken&& token = default_token_of<Core>())
    -> initiation_result<ReleaseToken, void(error_code, native_handle_of<Core>),
      initiate_release<Core>>
  {
    return boost::asio::async_initiate<ReleaseToken, void(error_code, native_handle_of<Core>)>(
      initiate_release<Core>(&interlock_core_), token);
  }

  /// Close the object for good.
  /**
   * As `close()`. In addition every later open, assign and connect, and an accept into this object, fails
   * with interlock::error::retired, so that a close just before a reconnect is not lost. A move carries this
   * state along. Throws nothing but std::bad_alloc, and only on an object that was never opened.
   *
   * @par Thread Safety
   * Any thread, at the same time as any other member.
   */
  void retire()
  {
    interlock_core_.retire();
  }

  /// Get permission to use the native descriptor: see fd_lease. Empty if the object is not open.
  /**
   * @returns The lease, which is empty if the object is not open, or is being closed.
   */
  fd_lease lease()
  {
    return interlock_core_.lease();
  }

  /// Get a handle that closes this object wherever it has been moved: see close_handle.
  /**
   * While a handle exists the object cannot be moved into one of another executor or protocol type:
   * that throws interlock::error::in_use.
   */
  close_handle get_close_handle()
  {
    return close_handle(interlock_core_.share_state(), interlock_core_.get_executor());
  }
};

} // namespace bases
} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_MEMBERS_CLOSING_MEMBERS_HPP
