// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What stream and other descriptors have in common, as boost/asio/posix/basic_descriptor.hpp.
// Asio's descriptors have no protocol to specialise for, so this is a class of its own.

#ifndef INTERLOCK_POSIX_BASIC_DESCRIPTOR_HPP
#define INTERLOCK_POSIX_BASIC_DESCRIPTOR_HPP

#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/posix/descriptor_base.hpp>

#include <interlock/borrowed.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/core/initiation.hpp>
#include <interlock/detail/core/io_core.hpp>
#include <interlock/detail/face/access.hpp>
#include <interlock/detail/face/closing_members.hpp>
#include <interlock/detail/face/common_calls.hpp>

namespace interlock
{
inline namespace abi_0
{
namespace posix
{

/// A descriptor that may be closed from any thread, at any moment, while other threads use it.
/**
 * The members are those of boost::asio::posix::basic_descriptor. `close` and the destructor never
 * block: the descriptor is detached from the reactor, and close(2), which may wait for a file
 * system or a tty, follows on a thread of its own. The descriptor is made O_NONBLOCK by the first
 * transfer, not before.
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Safe, but for construction, move and destruction.
 */
template <class Executor = boost::asio::any_io_executor>
class basic_descriptor : public boost::asio::posix::descriptor_base,
                         public detail::closing_members<
                           detail::io_core<boost::asio::posix::basic_stream_descriptor<Executor>>>
{
protected:
  /// @cond
  using asio_type = boost::asio::posix::basic_stream_descriptor<Executor>;
  using core_type = detail::io_core<asio_type>;
  using closing = detail::closing_members<core_type>;
  using closing::core_;
  using error_code = boost::system::error_code;
  using initiate_async_wait = detail::initiate_wait<core_type>;
  using default_token = detail::default_token<Executor>;
  template <class T>
  using if_context =
    std::enable_if_t<std::is_convertible<T&, boost::asio::execution_context&>::value, int>;
  template <class Executor1>
  using if_convertible = std::enable_if_t<std::is_convertible<Executor1, Executor>::value, int>;
  /// @endcond

#if !defined(INTERLOCK_HAS_DESCRIPTORS_OF_ANY_EXECUTOR)
  static_assert(std::is_same<Executor, boost::asio::any_io_executor>::value,
    "descriptors over other executors than any_io_executor need Boost 1.75");
#endif

public:
  /// The type of the executor associated with the object.
  using executor_type = Executor;

  /// Rebinds the descriptor type to another executor.
  template <class Executor1>
  struct rebind_executor
  {
    /// The descriptor type when rebound to the specified executor.
    using other = basic_descriptor<Executor1>;
  };

  /// The native representation of a descriptor.
  using native_handle_type = typename asio_type::native_handle_type;

  /// A descriptor is always the lowest layer.
  using lowest_layer_type = basic_descriptor;

  /// Construct a descriptor without opening it.
  explicit basic_descriptor(const executor_type& ex)
    : closing(ex)
  {
  }

  /// Construct a descriptor without opening it.
  template <class ExecutionContext, if_context<ExecutionContext> = 0>
  explicit basic_descriptor(ExecutionContext& context)
    : closing(context.get_executor())
  {
  }

  /// Construct a descriptor on an existing native descriptor.
  basic_descriptor(const executor_type& ex, const native_handle_type& native_descriptor)
    : closing(ex)
  {
    assign(native_descriptor);
  }

  /// Construct a descriptor on an existing native descriptor.
  template <class ExecutionContext, if_context<ExecutionContext> = 0>
  basic_descriptor(ExecutionContext& context, const native_handle_type& native_descriptor)
    : closing(context.get_executor())
  {
    assign(native_descriptor);
  }

  /// Construct on a native descriptor that somebody else owns.
  basic_descriptor(
    const executor_type& ex, const native_handle_type& native_descriptor, borrowed_t borrowed)
    : closing(ex)
  {
    assign(native_descriptor, borrowed);
  }

  /// Construct on a native descriptor that somebody else owns.
  template <class ExecutionContext, if_context<ExecutionContext> = 0>
  basic_descriptor(
    ExecutionContext& context, const native_handle_type& native_descriptor, borrowed_t borrowed)
    : closing(context.get_executor())
  {
    assign(native_descriptor, borrowed);
  }

  /// Move-construct a descriptor. The moved-from object is as one constructed with its executor.
  basic_descriptor(basic_descriptor&& other) noexcept = default;

  /// Move-assign a descriptor. What this object has open is closed as by its destructor.
  basic_descriptor& operator=(basic_descriptor&& other) noexcept = default;

  /// Move-construct a descriptor from one of another executor type.
  template <class Executor1, if_convertible<Executor1> = 0>
  basic_descriptor(basic_descriptor<Executor1>&& other)
    : closing(other.get_executor())
  {
    core_.take_from(detail::access::core(other), [](auto&, auto&, error_code&) {});
  }

  /// Move-assign a descriptor from one of another executor type.
  template <class Executor1, if_convertible<Executor1> = 0>
  basic_descriptor& operator=(basic_descriptor<Executor1>&& other)
  {
    return *this = basic_descriptor(std::move(other));
  }

  /// Get the executor associated with the object.
  const executor_type& get_executor() noexcept
  {
    return core_.get_executor();
  }

  /// Get a reference to the lowest layer.
  lowest_layer_type& lowest_layer()
  {
    return *this;
  }

  /// Get a const reference to the lowest layer.
  const lowest_layer_type& lowest_layer() const
  {
    return *this;
  }

  /// Assign an existing native descriptor to the descriptor. On failure it remains the caller's.
  void assign(const native_handle_type& native_descriptor)
  {
    detail::or_throw("assign", [&](error_code& ec) { assign(native_descriptor, ec); });
  }

  /// Assign an existing native descriptor to the descriptor. On failure it remains the caller's.
  error_code assign(const native_handle_type& native_descriptor, error_code& ec)
  {
    return assign_number(native_descriptor, false, ec);
  }

  /// Assign a native descriptor that somebody else owns: see interlock::borrowed.
  void assign(const native_handle_type& native_descriptor, borrowed_t borrowed)
  {
    detail::or_throw("assign", [&](error_code& ec) { assign(native_descriptor, borrowed, ec); });
  }

  /// Assign a native descriptor that somebody else owns: see interlock::borrowed.
  error_code assign(const native_handle_type& native_descriptor, borrowed_t, error_code& ec)
  {
    return assign_number(native_descriptor, true, ec);
  }

  /// Determine whether the descriptor is open.
  bool is_open() const
  {
    return core_.is_open();
  }

  /// Close the descriptor: see basic_socket::close. Never fails, never blocks.
  void close()
  {
    core_.close();
  }

  /// Close the descriptor. @c ec is always clear.
  error_code close(error_code& ec)
  {
    core_.close();
    return ec = error_code();
  }

  /// Get the native descriptor representation: -1 when closed. It may be closed, and be another's,
  /// at any time after.
  native_handle_type native_handle()
  {
    return core_.number();
  }

  /// Release ownership of the native descriptor, cancelling the operations outstanding on it.
  /**
   * @returns The descriptor, or -1 if none is open.
   * @throws boost::system::system_error interlock::error::in_use while a call on it is under way.
   */
  native_handle_type release()
  {
    error_code ec;
    const native_handle_type number = release(ec);
    if (ec != boost::asio::error::bad_descriptor)
      detail::throw_if(ec, "release");
    return number;
  }

  /// Release ownership of the native descriptor, cancelling the operations outstanding on it.
  native_handle_type release(error_code& ec)
  {
    return core_.release(ec);
  }

  /// Cancel all asynchronous operations associated with the descriptor.
  void cancel()
  {
    detail::or_throw("cancel", [&](error_code& ec) { cancel(ec); });
  }

  /// Cancel all asynchronous operations associated with the descriptor.
  error_code cancel(error_code& ec)
  {
    return detail::cancel_all(core_, ec);
  }

  /// Perform an IO control command on the descriptor.
  template <class IoControlCommand>
  void io_control(IoControlCommand& command)
  {
    detail::or_throw("io_control", [&](error_code& ec) { io_control(command, ec); });
  }

  /// Perform an IO control command on the descriptor.
  template <class IoControlCommand>
  error_code io_control(IoControlCommand& command, error_code& ec)
  {
    return detail::control(core_, command, ec);
  }

  /// Get the non-blocking mode of the descriptor.
  bool non_blocking() const
  {
    return detail::get_flag(core_, &detail::user_flags::non_blocking);
  }

  /// Set the non-blocking mode of the descriptor.
  void non_blocking(bool mode)
  {
    detail::or_throw("non_blocking", [&](error_code& ec) { non_blocking(mode, ec); });
  }

  /// Set the non-blocking mode of the descriptor.
  error_code non_blocking(bool mode, error_code& ec)
  {
    return detail::set_non_blocking(core_, mode, ec);
  }

  /// Get the non-blocking mode of the native descriptor implementation, as set by the other
  /// overload.
  bool native_non_blocking() const
  {
    return detail::get_flag(core_, &detail::user_flags::native_non_blocking);
  }

  /// Set the non-blocking mode of the native descriptor implementation. The descriptor stays
  /// O_NONBLOCK once it is.
  void native_non_blocking(bool mode)
  {
    detail::or_throw("native_non_blocking", [&](error_code& ec) { native_non_blocking(mode, ec); });
  }

  /// Set the non-blocking mode of the native descriptor implementation. The descriptor stays
  /// O_NONBLOCK once it is.
  error_code native_non_blocking(bool mode, error_code& ec)
  {
    return detail::set_native_non_blocking(core_, mode, ec);
  }

  /// Wait for the descriptor to become ready to read, ready to write, or to have pending error
  /// conditions.
  void wait(wait_type w)
  {
    detail::or_throw("wait", [&](error_code& ec) { wait(w, ec); });
  }

  /// Wait for the descriptor to become ready to read, ready to write, or to have pending error
  /// conditions.
  error_code wait(wait_type w, error_code& ec)
  {
    return detail::wait_ready(core_, detail::events_of(w), ec);
  }

  /// Start an asynchronous wait for the descriptor to become ready to read, ready to write, or to
  /// have an error pending.
  template <class WaitToken = default_token>
  auto async_wait(wait_type w, WaitToken&& token = default_token())
    -> detail::initiation_result<WaitToken, void(error_code), initiate_async_wait, wait_type&>
  {
    return boost::asio::async_initiate<WaitToken, void(error_code)>(
      initiate_async_wait(&core_), token, w);
  }

private:
  error_code assign_number(int number, bool is_borrowed, error_code& ec)
  {
    core_.open(ec, detail::number_of::caller,
      [&](auto& t, error_code& e)
      {
        t.set_borrowed(is_borrowed);
        t.inner().assign(number, e);
      });
    return ec;
  }

protected:
  /// What the descriptor has open is closed: detached now, or when the last call inside has
  /// returned.
  ~basic_descriptor() = default;

  /// @cond
  friend struct detail::access;

  /// @endcond
};

} // namespace posix
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_POSIX_BASIC_DESCRIPTOR_HPP
