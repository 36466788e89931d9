// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Reads and writes on pipes, ttys, eventfds and the like, as
// boost/asio/posix/basic_stream_descriptor.hpp.

#ifndef INTERLOCK_POSIX_BASIC_STREAM_DESCRIPTOR_HPP
#define INTERLOCK_POSIX_BASIC_STREAM_DESCRIPTOR_HPP

#include <utility>

#include <interlock/config.hpp>
#include <interlock/detail/members/reading_members.hpp>
#include <interlock/posix/basic_descriptor.hpp>

namespace interlock
{
inline namespace abi_0
{
namespace posix
{

/// A stream descriptor that may be closed from any thread, at any moment, while other threads use
/// it.
/**
 * The members are those of boost::asio::posix::basic_stream_descriptor.
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Safe, but for construction, move and destruction.
 */
template <class Executor = boost::asio::any_io_executor>
class basic_stream_descriptor
  : public detail::reading_members<detail::writing_members<basic_descriptor<Executor>>>
{
private:
  using base = detail::reading_members<detail::writing_members<basic_descriptor<Executor>>>;
  using typename base::error_code;

public:
  /// The type of the executor associated with the object.
  using executor_type = Executor;

  /// Rebinds the descriptor type to another executor.
  template <class Executor1>
  struct rebind_executor
  {
    /// The descriptor type when rebound to the specified executor.
    using other = basic_stream_descriptor<Executor1>;
  };

  using typename base::native_handle_type;

  /// Construct a descriptor: see basic_descriptor.
  using base::base;

  /// Move-construct a descriptor. The moved-from object is as one constructed with its executor.
  basic_stream_descriptor(basic_stream_descriptor&& other) noexcept = default;

  /// Move-assign a descriptor. What this object has open is closed as by its destructor.
  basic_stream_descriptor& operator=(basic_stream_descriptor&& other) noexcept = default;

  /// Move-construct a descriptor from one of another executor type.
  template <class Executor1, typename base::template if_convertible<Executor1> = 0>
  basic_stream_descriptor(basic_stream_descriptor<Executor1>&& other)
    : base(std::move(other))
  {
  }

  /// Move-assign a descriptor from one of another executor type.
  template <class Executor1, typename base::template if_convertible<Executor1> = 0>
  basic_stream_descriptor& operator=(basic_stream_descriptor<Executor1>&& other)
  {
    return *this = basic_stream_descriptor(std::move(other));
  }

  /// Take over what Asio's own descriptor has open.
  /** Operations outstanding on it go on, but are not known to this object: a close aborts them
   * without waiting for them. */
  explicit basic_stream_descriptor(typename base::asio_type&& other)
    : base(other.get_executor())
  {
    detail::or_throw("move",
      [&](error_code& ec) { this->core_.adopt(std::move(other), ec, [](auto&, error_code&) {}); });
  }

  /// Give what this descriptor has open to Asio's own.
  /**
   * A named function, since Asio's own converting constructor would take this for an object of its
   * own.
   *
   * @throws boost::system::system_error interlock::error::in_use while a call on it is under way,
   * bad_descriptor if closed.
   */
  typename base::asio_type to_asio()
  {
    return this->core_.give_away();
  }

  /// Closes what the descriptor has open: never blocks, see close().
  ~basic_stream_descriptor() = default;
};

} // namespace posix
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_POSIX_BASIC_STREAM_DESCRIPTOR_HPP
