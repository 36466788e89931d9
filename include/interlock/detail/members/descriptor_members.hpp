// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What descriptors, pipes and serial ports have in common: a descriptor that is assigned, and its end.
//
// All are over Asio's stream descriptor. Its own pipes and serial ports are no more than that, but
// cannot be told that their descriptor is non-blocking already.

#ifndef INTERLOCK_DETAIL_MEMBERS_DESCRIPTOR_MEMBERS_HPP
#define INTERLOCK_DETAIL_MEMBERS_DESCRIPTOR_MEMBERS_HPP

#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <interlock/borrowed.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/core/io_core.hpp>
#include <interlock/detail/members/access.hpp>
#include <interlock/detail/members/closing_members.hpp>
#include <interlock/detail/members/common_calls.hpp>

namespace interlock
{
inline namespace abi_0
{
namespace detail
{

/// A descriptor may be a socket's.
template <class Executor>
struct may_linger<boost::asio::posix::basic_stream_descriptor<Executor>> : std::true_type
{
};

/// The members of descriptors, pipes and serial ports that have to do with their descriptor.
template <class Executor>
class descriptor_members
  : public closing_members<io_core<boost::asio::posix::basic_stream_descriptor<Executor>>>
{
#if !defined(INTERLOCK_HAS_DESCRIPTORS_OF_ANY_EXECUTOR)
  static_assert(std::is_same<Executor, boost::asio::any_io_executor>::value,
    "descriptors over other executors than any_io_executor need Boost 1.75");
#endif

protected:
  /// @cond
  using asio_type = boost::asio::posix::basic_stream_descriptor<Executor>;
  using core_type = io_core<asio_type>;
  using closing = closing_members<core_type>;
  using closing::core_;
  using error_code = boost::system::error_code;
  using default_token = detail::default_token<Executor>;
  template <class T>
  using if_context =
    std::enable_if_t<std::is_convertible<T&, boost::asio::execution_context&>::value, int>;
  template <class Executor1>
  using if_convertible = std::enable_if_t<std::is_convertible<Executor1, Executor>::value, int>;

  descriptor_members(descriptor_members&&) noexcept = default;
  descriptor_members& operator=(descriptor_members&&) noexcept = default;
  ~descriptor_members() = default;

  /// As a move from an object of another executor type.
  template <class Executor1>
  void take(descriptor_members<Executor1>& other)
  {
    core_.take_from(access::core(other), [](auto&, auto&, error_code&) {});
  }

  friend struct access;
  /// @endcond

public:
  /// The type of the executor associated with the object.
  using executor_type = Executor;

  /// The native representation of a descriptor.
  using native_handle_type = typename asio_type::native_handle_type;

  /// Construct a descriptor without opening it.
  explicit descriptor_members(const executor_type& ex)
    : closing(ex)
  {
  }

  /// Construct a descriptor without opening it.
  template <class ExecutionContext, if_context<ExecutionContext> = 0>
  explicit descriptor_members(ExecutionContext& context)
    : closing(context.get_executor())
  {
  }

  /// Construct a descriptor on an existing native descriptor.
  descriptor_members(const executor_type& ex, const native_handle_type& native_descriptor)
    : closing(ex)
  {
    assign(native_descriptor);
  }

  /// Construct a descriptor on an existing native descriptor.
  template <class ExecutionContext, if_context<ExecutionContext> = 0>
  descriptor_members(ExecutionContext& context, const native_handle_type& native_descriptor)
    : closing(context.get_executor())
  {
    assign(native_descriptor);
  }

  /// Construct on a native descriptor that somebody else owns.
  descriptor_members(
    const executor_type& ex, const native_handle_type& native_descriptor, borrowed_t borrowed)
    : closing(ex)
  {
    assign(native_descriptor, borrowed);
  }

  /// Construct on a native descriptor that somebody else owns.
  template <class ExecutionContext, if_context<ExecutionContext> = 0>
  descriptor_members(
    ExecutionContext& context, const native_handle_type& native_descriptor, borrowed_t borrowed)
    : closing(context.get_executor())
  {
    assign(native_descriptor, borrowed);
  }

  /// Get the executor associated with the object.
  const executor_type& get_executor() noexcept
  {
    return core_.get_executor();
  }

  /// Assign an existing native descriptor to the descriptor. On failure it remains the caller's.
  void assign(const native_handle_type& native_descriptor)
  {
    or_throw("assign", [&](error_code& ec) { assign(native_descriptor, ec); });
  }

  /// Assign an existing native descriptor to the descriptor. On failure it remains the caller's.
  error_code assign(const native_handle_type& native_descriptor, error_code& ec)
  {
    return assign_descriptor(native_descriptor, false, ec);
  }

  /// Assign a native descriptor that somebody else owns: see interlock::borrowed.
  void assign(const native_handle_type& native_descriptor, borrowed_t borrowed)
  {
    or_throw("assign", [&](error_code& ec) { assign(native_descriptor, borrowed, ec); });
  }

  /// Assign a native descriptor that somebody else owns: see interlock::borrowed.
  error_code assign(const native_handle_type& native_descriptor, borrowed_t, error_code& ec)
  {
    return assign_descriptor(native_descriptor, true, ec);
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
    return core_.fd();
  }

  /// Release ownership of the native descriptor, cancelling the operations outstanding on it.
  /**
   * @returns The descriptor, or -1 if none is open.
   * @throws boost::system::system_error interlock::error::in_use while a call on it is under way.
   */
  native_handle_type release()
  {
    return or_throw("release", [&](error_code& ec) { return release(ec); });
  }

  /// Release ownership of the native descriptor, cancelling the operations outstanding on it.
  /** @returns The descriptor, or -1 if none is open; that is no error, as with Asio's pipes. */
  native_handle_type release(error_code& ec)
  {
    const native_handle_type fd = core_.release(ec);
    if (ec == boost::asio::error::bad_descriptor)
      ec = error_code();
    return fd;
  }

  /// Cancel all asynchronous operations associated with the descriptor.
  void cancel()
  {
    or_throw("cancel", [&](error_code& ec) { cancel(ec); });
  }

  /// Cancel all asynchronous operations associated with the descriptor.
  error_code cancel(error_code& ec)
  {
    return cancel_all(core_, ec);
  }

private:
  error_code assign_descriptor(int fd, bool is_borrowed, error_code& ec)
  {
    core_.open(ec, descriptor_owner::caller,
      [&](auto& t, error_code& e)
      {
        t.set_borrowed(is_borrowed);
        t.inner().assign(fd, e);
      });
    return ec;
  }
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_MEMBERS_DESCRIPTOR_MEMBERS_HPP
