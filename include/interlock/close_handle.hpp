// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Closing an I/O object without having it.

#ifndef INTERLOCK_CLOSE_HANDLE_HPP
#define INTERLOCK_CLOSE_HANDLE_HPP

#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/bad_executor.hpp>
#include <boost/system/error_code.hpp>
#include <boost/throw_exception.hpp>

#include <interlock/close_mode.hpp>
#include <interlock/close_report.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/core/close_handler.hpp>
#include <interlock/detail/core/handled_object.hpp>
#include <interlock/detail/core/initiation.hpp>

namespace interlock {
inline namespace abi_0 {

class close_handle;

namespace detail {
namespace bases {

template <class Core>
class closing_members;

} // namespace bases

const handled_object_pointer& object_of(const close_handle& handle) noexcept;

} // namespace detail

/// Closes an object from any thread, also while the object is being moved, and after it is gone.
/**
 * The tool of a watchdog, which has to close an object that another part of the program owns, moves and
 * destroys. Made by `obj.get_close_handle()`. A handle follows its object through moves
 * within one type. A move into an object of another executor or protocol type throws
 * interlock::error::in_use while a handle of the object exists, a copy of one or a lazy operation of one
 * included. An object given to Asio's own type is out of the handle's reach. It keeps a little memory
 * alive, and never a descriptor.
 *
 * A close of an object that is closed or gone has no effect. A handle that refers to no object, default
 * constructed or moved from, may be closed too; `async_close` throws boost::asio::execution::bad_executor.
 *
 * The handle has a copy of the object's executor, for which Asio's own rules hold: one of a strand must
 * not outlive the execution context.
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Safe, except for assignment, move and destruction.
 *
 * @example_of{example/objects.cpp,objects_close_handle}
 */
class close_handle
{
public:
  /// The type of the executor on which handlers are called that have none of their own.
  using executor_type = boost::asio::any_io_executor;

  /// A handle that refers to no object.
  close_handle() noexcept = default;

  /// Whether the handle refers to an object, which may be closed or gone.
  explicit operator bool() const noexcept
  {
    return object_ != nullptr;
  }

  /// The executor of the object when the handle was made.
  const executor_type& get_executor() const noexcept
  {
    return executor_;
  }

  /// Close the object: as its own `close()`, which never fails.
  void close() const noexcept
  {
    if (object_)
      object_->state().close();
  }

  /// Close the object, and let nothing be opened on it any more: as its own `retire()`.
  void retire() const noexcept
  {
    if (object_)
      object_->state().retire();
  }

  /// Start to close the object, and learn what became of it: as its own `async_close()`.
  /**
   * After the object is gone the outcome of its last close is still told, as long as the execution
   * context lasts.
   *
   * @param token The completion token. The handler is called as late as that of the object's own async_close.
   *
   * @par Completion Signature
   * @code void(boost::system::error_code) @endcode
   * @code void(boost::system::error_code, interlock::close_report) @endcode
   * Success on an object that was never opened.
   *
   * @par Error Codes
   * Those of the object's own async_close.
   *
   * @par Per-Operation Cancellation
   * As that of the object's own async_close.
   */
  template <INTERLOCK_TOKEN_FOR(void(boost::system::error_code))
              CloseToken = detail::default_token<executor_type>,
    class = detail::if_close_token<CloseToken>>
  auto async_close(CloseToken&& token = detail::default_token<executor_type>()) const;

  /// Start to close the object in the given way: as its own `async_close()`.
  /**
   * As the other overload.
   *
   * @param mode How to close: see close_mode.
   *
   * @param token The completion token.
   */
  template <INTERLOCK_TOKEN_FOR(void(boost::system::error_code, close_report))
              CloseToken = detail::default_token<executor_type>>
  auto async_close(
    const close_mode& mode, CloseToken&& token = detail::default_token<executor_type>()) const;

private:
  template <class Core>
  friend class detail::bases::closing_members;
  friend const detail::handled_object_pointer& detail::object_of(
    const close_handle& handle) noexcept;

  close_handle(detail::handled_object_pointer object, const executor_type& ex)
    : executor_(ex),
      object_(std::move(object))
  {
  }

  class initiate_async_close;

  executor_type executor_;
  detail::handled_object_pointer object_;
};

namespace detail {

inline const handled_object_pointer& object_of(const close_handle& handle) noexcept
{
  return handle.object_;
}

} // namespace detail

// Holds a handle of its own: a lazy token may call it later.
class close_handle::initiate_async_close
{
public:
  using executor_type = close_handle::executor_type;

  explicit initiate_async_close(const close_handle& handle)
    : handle_(handle)
  {
  }

  const executor_type& get_executor() const noexcept
  {
    return handle_.get_executor();
  }

  template <class Handler>
  void operator()(Handler&& handler) const
  {
    constexpr bool met = detail::can_take<Handler, boost::system::error_code>;
    static_assert(met, "CloseHandler type requirements not met");
    if constexpr (met)
    {
      detail::own_handler<Handler> own(handler);
      start(own, detail::close_result());
    }
  }

  template <class Handler>
  void operator()(Handler&& handler, const close_mode& mode) const
  {
    constexpr bool met = detail::can_take<Handler, boost::system::error_code, close_report>;
    static_assert(met, "CloseHandler type requirements not met");
    if constexpr (met)
    {
      detail::own_handler<Handler> own(handler);
      start(own, detail::report_result(mode));
    }
  }

private:
  template <class Handler, class Result>
  void start(Handler& handler, Result result) const
  {
    if (!handle_)
      boost::throw_exception(boost::asio::execution::bad_executor());
    using handler_type = detail::close_handler<Handler, executor_type, Result>;
    handle_.object_->start_close(
      handler_type::make(std::move(handler), handle_.get_executor(), std::move(result)));
  }

  close_handle handle_;
};

template <INTERLOCK_TOKEN_FOR(void(boost::system::error_code)) CloseToken, class>
auto close_handle::async_close(CloseToken&& token) const
{
  return boost::asio::async_initiate<CloseToken, void(boost::system::error_code)>(
    initiate_async_close(*this), token);
}

template <INTERLOCK_TOKEN_FOR(void(boost::system::error_code, close_report)) CloseToken>
auto close_handle::async_close(const close_mode& mode, CloseToken&& token) const
{
  return boost::asio::async_initiate<CloseToken, void(boost::system::error_code, close_report)>(
    initiate_async_close(*this), token, mode);
}

} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_CLOSE_HANDLE_HPP
