// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The members that descriptors, pipes and serial ports share: assign.
//
// All of them contain Asio's stream descriptor. Asio's own pipes and serial ports do the same transfers, but
// lack native_non_blocking(), with which tenure::prepare tells Asio that the descriptor is O_NONBLOCK.

#ifndef INTERLOCK_DETAIL_MEMBERS_DESCRIPTOR_MEMBERS_HPP
#define INTERLOCK_DETAIL_MEMBERS_DESCRIPTOR_MEMBERS_HPP

#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <interlock/borrowed.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/core/conversion.hpp>
#include <interlock/detail/core/io_core.hpp>
#include <interlock/detail/core/throw_if.hpp>
#include <interlock/detail/members/common_members.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// @cond
/// The descriptor may be a socket.
template <class Executor>
struct may_linger<boost::asio::posix::basic_stream_descriptor<Executor>> : std::true_type
{
};

template <class Executor>
using descriptor_core = io_core<boost::asio::posix::basic_stream_descriptor<Executor>>;

namespace functions {

template <class Core>
error_code assign_descriptor(Core& core, int fd, bool is_borrowed, error_code& ec)
{
  core.open(ec, descriptor_owner::caller,
    [&](auto& t, error_code& e)
    {
      t.set_borrowed(is_borrowed);
      t.marks().taint();
      t.inner().assign(fd, e);
    });
  return ec;
}

/// As `release` of Asio's descriptors and pipes: to have no descriptor is no error.
template <class Core>
int release_if_open(Core& core, error_code& ec)
{
  const int fd = core.release(ec);
  if (ec == boost::asio::error::bad_descriptor)
    ec = error_code();
  return fd;
}

/// Moves from an object of another executor type.
template <class Other, class Core>
void convert_descriptor(Other& other, Core& core)
{
  functions::convert(access::core(other), core, [](auto&, auto&, error_code&) {});
}

} // namespace functions
/// @endcond

namespace bases {

/// The members that descriptors, pipes and serial ports share.
template <class Executor>
class descriptor_members : public common_members<descriptor_core<Executor>>
{
#if !defined(INTERLOCK_HAS_DESCRIPTORS_OF_ANY_EXECUTOR)
  static_assert(std::is_same<Executor, boost::asio::any_io_executor>::value,
    "descriptors with an executor other than any_io_executor need Boost 1.75");
#endif

private:
  using interlock_base = common_members<descriptor_core<Executor>>;

protected:
  /// @cond
  using interlock_base::interlock_core_;

  descriptor_members(descriptor_members&&) noexcept = default;
  descriptor_members& operator=(descriptor_members&&) noexcept = default;
  ~descriptor_members() = default;
  /// @endcond

public:
  using typename interlock_base::executor_type;
  using typename interlock_base::native_handle_type;

  using interlock_base::interlock_base;

  /// Construct a descriptor on an existing native descriptor.
  descriptor_members(const executor_type& ex, const native_handle_type& native_descriptor)
    : interlock_base(ex)
  {
    assign(native_descriptor);
  }

  /// Construct a descriptor on an existing native descriptor.
  template <class ExecutionContext, if_context<ExecutionContext> = 0>
  descriptor_members(ExecutionContext& context, const native_handle_type& native_descriptor)
    : interlock_base(context.get_executor())
  {
    assign(native_descriptor);
  }

  /// Construct a descriptor on a native descriptor that another library owns.
  descriptor_members(
    const executor_type& ex, const native_handle_type& native_descriptor, borrowed_t borrowed)
    : interlock_base(ex)
  {
    assign(native_descriptor, borrowed);
  }

  /// Construct a descriptor on a native descriptor that another library owns.
  template <class ExecutionContext, if_context<ExecutionContext> = 0>
  descriptor_members(
    ExecutionContext& context, const native_handle_type& native_descriptor, borrowed_t borrowed)
    : interlock_base(context.get_executor())
  {
    assign(native_descriptor, borrowed);
  }

  /// Assign an existing native descriptor to the descriptor. On failure the caller keeps it.
  /**
   * @asio
   * An object with interlock::borrowed never closes the descriptor.
   *
   * @opening_errors{epoll_ctl(2): EPERM for a regular file}
   */
  void assign(const native_handle_type& native_descriptor)
  {
    functions::or_throw("assign", [&](error_code& ec) { assign(native_descriptor, ec); });
  }

  /// Assign an existing native descriptor to the descriptor. On failure the caller keeps it.
  error_code assign(const native_handle_type& native_descriptor, error_code& ec)
  {
    return functions::assign_descriptor(interlock_core_, native_descriptor, false, ec);
  }

  /// Assign a native descriptor that another library owns: see interlock::borrowed.
  void assign(const native_handle_type& native_descriptor, borrowed_t borrowed)
  {
    functions::or_throw("assign", [&](error_code& ec) { assign(native_descriptor, borrowed, ec); });
  }

  /// Assign a native descriptor that another library owns: see interlock::borrowed.
  error_code assign(const native_handle_type& native_descriptor, borrowed_t, error_code& ec)
  {
    return functions::assign_descriptor(interlock_core_, native_descriptor, true, ec);
  }
};

} // namespace bases
} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_MEMBERS_DESCRIPTOR_MEMBERS_HPP
