// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The base of descriptors, as boost/asio/posix/basic_descriptor.hpp. A class of Interlock's own, because
// Asio's descriptors have no protocol for which to specialise them.

#ifndef INTERLOCK_POSIX_BASIC_DESCRIPTOR_HPP
#define INTERLOCK_POSIX_BASIC_DESCRIPTOR_HPP

#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/descriptor_base.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/throw_if.hpp>
#include <interlock/detail/members/descriptor_members.hpp>
#include <interlock/detail/members/waiting_members.hpp>

namespace interlock {
inline namespace abi_0 {
namespace posix {

/// A descriptor that any thread may close at any moment while other threads use it.
/**
 * The members are those of boost::asio::posix::basic_descriptor. `close` and the destructor detach
 * the descriptor from the reactor. They call close(2) if it cannot block: for a pipe, an eventfd, a timerfd, a
 * signalfd and most sockets. Otherwise close(2), which may wait for a file system or a tty, runs on a separate
 * thread. The first operation sets O_NONBLOCK.
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Safe, except for construction, move and destruction.
 */
template <class Executor = boost::asio::any_io_executor>
class basic_descriptor
  : public detail::bases::waiting_members<detail::bases::descriptor_members<Executor>,
      boost::asio::posix::descriptor_base>
{
private:
  using interlock_base = detail::bases::waiting_members<detail::bases::descriptor_members<Executor>,
    boost::asio::posix::descriptor_base>;

protected:
  /// @cond
  using interlock_base::interlock_core_;
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

  using typename interlock_base::native_handle_type;

  /// A descriptor is always the lowest layer.
  using lowest_layer_type = basic_descriptor;

  /// Construct a descriptor, closed or on an existing native descriptor.
  using interlock_base::interlock_base;

  /// Move-construct a descriptor. The moved-from object is as if newly constructed with its executor.
  basic_descriptor(basic_descriptor&& other) noexcept = default;

  /// Move-assign a descriptor. Closes what this object has open, as its destructor does.
  basic_descriptor& operator=(basic_descriptor&& other) noexcept = default;

  /// Move-construct a descriptor from one of another executor type; may throw error::in_use.
  template <class Executor1, detail::if_convertible<Executor1, Executor> = 0>
  basic_descriptor(basic_descriptor<Executor1>&& other)
    : interlock_base(other.get_executor())
  {
    detail::functions::convert_descriptor(other, interlock_core_);
  }

  /// Move-assign a descriptor from one of another executor type.
  template <class Executor1, detail::if_convertible<Executor1, Executor> = 0>
  basic_descriptor& operator=(basic_descriptor<Executor1>&& other)
  {
    return *this = basic_descriptor(std::move(other));
  }

  /// Get a reference to the lowest layer.
  /**
   * @asio
   */
  lowest_layer_type& lowest_layer()
  {
    return *this;
  }

  /// Get a const reference to the lowest layer.
  const lowest_layer_type& lowest_layer() const
  {
    return *this;
  }

  using interlock_base::release;

  /// Release ownership of the native descriptor, and cancel the outstanding operations.
  /**
   * @returns The descriptor, or -1 if none is open, as with Asio's descriptors. (The form with an error_code, which
   * they lack, has boost::asio::error::bad_descriptor then.)
   * @throws boost::system::system_error interlock::error::in_use while a call on it is under way or a
   * lease exists.
   *
   * @par Error Codes
   * @li interlock::error::in_use: a call on the object is under way, or a lease exists.
   * @li boost::asio::error::bad_descriptor: none is open. From the form with an error_code only.
   */
  native_handle_type release()
  {
    return detail::functions::or_throw("release",
      [&](boost::system::error_code& ec)
      { return detail::functions::release_if_open(interlock_core_, ec); });
  }

protected:
  /// Destroy the descriptor. Closes what it has open: detached now, or when the last call inside returns.
  ~basic_descriptor() = default;
};

} // namespace posix
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_POSIX_BASIC_DESCRIPTOR_HPP
