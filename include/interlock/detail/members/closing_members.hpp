// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The members of all I/O objects that Asio's do not have: how an object ends, and who may end it.

#ifndef INTERLOCK_DETAIL_MEMBERS_CLOSING_MEMBERS_HPP
#define INTERLOCK_DETAIL_MEMBERS_CLOSING_MEMBERS_HPP

#include <boost/asio/async_result.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/close_handle.hpp>
#include <interlock/close_mode.hpp>
#include <interlock/close_report.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/core/initiation.hpp>
#include <interlock/detail/core/io_core.hpp>
#include <interlock/fd_lease.hpp>

namespace interlock
{
inline namespace abi_0
{
namespace detail
{

/// Owns the core of an object.
template <class Core>
class closing_members
{
protected:
  /// @cond
  using error_code = boost::system::error_code;
  using initiate_async_close = initiate_close<Core>;
  using initiate_async_release = initiate_release<Core>;
  using default_token = detail::default_token<typename Core::executor_type>;
  using fd_type = typename Core::inner_type::native_handle_type;

  explicit closing_members(const typename Core::executor_type& ex)
    : core_(ex)
  {
  }

  closing_members(closing_members&&) noexcept = default;
  closing_members& operator=(closing_members&&) noexcept = default;
  ~closing_members() = default;

  mutable Core core_;
  /// @endcond

public:
  /// Start to close the object, and learn what became of it.
  /**
   * Any descriptor of callers, from any thread: one close serves them all.
   *
   * @param token The completion token. The handler is called after every handler of the operations
   * started on this object has run and been destroyed, whatever executor it ran on: buffers and
   * session may be freed then.
   *
   * @par Completion Signature
   * @code void(boost::system::error_code) @endcode
   * The errno of close(2), such as EIO or ENOSPC of a file system that reports late; success on an
   * object that was never opened. EINTR and EINPROGRESS mean closed, and are success. On a socket with
   * SO_LINGER and a time, which waits until everything sent has been acknowledged:
   * boost::asio::error::timed_out and boost::asio::error::connection_reset as well. Copies of the
   * descriptor can go on, as after any close(2).
   *
   * @par Per-Operation Cancellation
   * Never leaves the object open. Of the caller that has started the close: @c terminal aborts it (a
   * TCP connection is reset), @c partial detaches without waiting for the executor, and the handler is
   * called as ever, when the close is over; @c total ends only this caller's waiting, with
   * boost::asio::error::operation_aborted. Of one that has joined a close, each type does what total
   * does.
   *
   * @par Thread Safety
   * Any thread, at the same time as any other member.
   */
  template <class CloseToken = default_token, class = if_close_token<CloseToken>>
  auto async_close(CloseToken&& token = default_token())
    -> initiation_result<CloseToken, void(error_code), initiate_async_close>
  {
    return boost::asio::async_initiate<CloseToken, void(error_code)>(
      initiate_async_close(&core_), token);
  }

  /// Start to close the object in the given way, and learn what became of it and of the data.
  /**
   * Any descriptor of callers, from any thread: one close serves them all, and each gets the same report.
   * The strongest of their modes holds; that of a caller who has given none is immediate. `close` does
   * not change it, and the destructor does not either once the descriptor has been detached.
   *
   * @param mode How to close, and how long to wait for the peer: see close_mode.
   *
   * @param token The completion token. The handler is called after every handler of the operations
   * started on this object has run and been destroyed, whatever executor it ran on.
   *
   * @par Completion Signature
   * @code void(boost::system::error_code, interlock::close_report) @endcode
   * The errno of close(2), as with the other overload; what became of the data is no error, but the
   * report's outcome.
   * @li boost::system::errc::invalid_argument: a timeout is negative, or longer than
   * close_mode::longest_timeout.
   * @li boost::asio::error::operation_not_supported: the mode waits for a peer, and this is not a stream
   * socket, or the descriptor is borrowed.
   *
   * In both cases the object is closed all the same, immediately.
   *
   * @par Per-Operation Cancellation
   * As with the other overload, also while the peer is waited for: @c terminal aborts, @c partial goes
   * on immediately.
   *
   * @par Thread Safety
   * Any thread, at the same time as any other member.
   */
  template <class CloseToken = default_token>
  auto async_close(const close_mode& mode, CloseToken&& token = default_token())
    -> initiation_result<CloseToken, void(error_code, close_report), initiate_async_close,
      const close_mode&>
  {
    return boost::asio::async_initiate<CloseToken, void(error_code, close_report)>(
      initiate_async_close(&core_), token, mode);
  }

  /// Start to release ownership of the descriptor: as a close, but that the descriptor goes to the caller.
  /**
   * Operations outstanding are aborted, blocked calls return. Unlike `release` this never fails with
   * `in_use`: it waits until nobody is inside any more, or has a lease.
   *
   * @param token The completion token. The handler is called after every handler of the operations
   * started on this object has run and been destroyed. A descriptor that cannot be delivered, since the
   * handler is destroyed uncalled, is closed, unless it is borrowed.
   *
   * @par Completion Signature
   * @code void(boost::system::error_code, native_handle_type) @endcode
   * Success and the descriptor, which is in non-blocking mode if the object has used it;
   * boost::asio::error::bad_descriptor and -1 where nothing is open, or a close has come before. A
   * close that comes after has nothing to close, and succeeds.
   *
   * @par Thread Safety
   * Any thread, at the same time as any other member.
   */
  template <class ReleaseToken = default_token>
  auto async_release(ReleaseToken&& token = default_token())
    -> initiation_result<ReleaseToken, void(error_code, fd_type), initiate_async_release>
  {
    return boost::asio::async_initiate<ReleaseToken, void(error_code, fd_type)>(
      initiate_async_release(&core_), token);
  }

  /// Close the object for good.
  /**
   * As `close()`, and every later open, assign and connect, and an accept into this object, fails with
   * interlock::error::retired: a close that lands before a reconnect is not lost. A move takes it
   * along. Throws std::bad_alloc at most, and only on an object that has never been opened.
   *
   * @par Thread Safety
   * Any thread, at the same time as any other member.
   */
  void retire()
  {
    core_.retire();
  }

  /// A permission to use the raw descriptor: see fd_lease. Empty if the object is not open.
  fd_lease lease()
  {
    return core_.lease();
  }

  /// A handle that closes this object, wherever it is moved: see close_handle.
  /**
   * While a handle exists the object cannot be moved into one of another executor or protocol type:
   * that throws interlock::error::in_use.
   */
  close_handle get_close_handle()
  {
    return close_handle(core_.share_state(), core_.get_executor());
  }
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_MEMBERS_CLOSING_MEMBERS_HPP
