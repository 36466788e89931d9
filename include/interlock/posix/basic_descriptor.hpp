// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What stream and other descriptors have in common, as boost/asio/posix/basic_descriptor.hpp.
// Asio's descriptors have no protocol to specialise for, so this is a class of its own.

#ifndef INTERLOCK_POSIX_BASIC_DESCRIPTOR_HPP
#define INTERLOCK_POSIX_BASIC_DESCRIPTOR_HPP

#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/descriptor_base.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/initiation.hpp>
#include <interlock/detail/members/common_calls.hpp>
#include <interlock/detail/members/descriptor_members.hpp>

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
                         public detail::descriptor_members<Executor>
{
protected:
  /// @cond
  using members = detail::descriptor_members<Executor>;
  using members::core_;
  using typename members::core_type;
  using typename members::default_token;
  using typename members::error_code;
  using initiate_async_wait = detail::initiate_wait<core_type>;
  /// @endcond

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

  using typename members::native_handle_type;

  /// A descriptor is always the lowest layer.
  using lowest_layer_type = basic_descriptor;

  /// Construct a descriptor, closed or on an existing native descriptor.
  using members::members;

  /// Move-construct a descriptor. The moved-from object is as one constructed with its executor.
  basic_descriptor(basic_descriptor&& other) noexcept = default;

  /// Move-assign a descriptor. What this object has open is closed as by its destructor.
  basic_descriptor& operator=(basic_descriptor&& other) noexcept = default;

  /// Move-construct a descriptor from one of another executor type.
  template <class Executor1, typename members::template if_convertible<Executor1> = 0>
  basic_descriptor(basic_descriptor<Executor1>&& other)
    : members(other.get_executor())
  {
    this->take(other);
  }

  /// Move-assign a descriptor from one of another executor type.
  template <class Executor1, typename members::template if_convertible<Executor1> = 0>
  basic_descriptor& operator=(basic_descriptor<Executor1>&& other)
  {
    return *this = basic_descriptor(std::move(other));
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

  using members::release;

  /// Release ownership of the native descriptor, cancelling the operations outstanding on it. An error
  /// if none is open.
  native_handle_type release(error_code& ec)
  {
    return core_.release(ec);
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

protected:
  /// What the descriptor has open is closed: detached now, or when the last call inside has
  /// returned.
  ~basic_descriptor() = default;
};

} // namespace posix
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_POSIX_BASIC_DESCRIPTOR_HPP
