// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Reads and writes on pipes, terminals, eventfds and similar descriptors, as
// boost/asio/posix/basic_stream_descriptor.hpp.

#ifndef INTERLOCK_POSIX_BASIC_STREAM_DESCRIPTOR_HPP
#define INTERLOCK_POSIX_BASIC_STREAM_DESCRIPTOR_HPP

#include <utility>

#include <interlock/config.hpp>
#include <interlock/detail/members/reading_members.hpp>
#include <interlock/posix/basic_descriptor.hpp>

namespace interlock {
inline namespace abi_0 {
namespace posix {

/// A stream descriptor that any thread may close at any moment while other threads use it.
/**
 * The members are those of boost::asio::posix::basic_stream_descriptor.
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Safe, except for construction, move and destruction.
 *
 * @example_of{example/objects.cpp,objects_descriptor}
 */
template <class Executor = boost::asio::any_io_executor>
class basic_stream_descriptor : public detail::bases::reading_members<
                                  detail::bases::writing_members<basic_descriptor<Executor>>>
{
private:
  using interlock_base =
    detail::bases::reading_members<detail::bases::writing_members<basic_descriptor<Executor>>>;

public:
  /// Rebinds the descriptor type to another executor.
  template <class Executor1>
  struct rebind_executor
  {
    /// The descriptor type when rebound to the specified executor.
    using other = basic_stream_descriptor<Executor1>;
  };

  /// Construct a descriptor: see basic_descriptor.
  using interlock_base::interlock_base;

  /// Move-construct a descriptor. The moved-from object is as if newly constructed with its executor.
  basic_stream_descriptor(basic_stream_descriptor&& other) noexcept = default;

  /// Move-assign a descriptor. Closes what this object has open, as its destructor does.
  basic_stream_descriptor& operator=(basic_stream_descriptor&& other) noexcept = default;

  /// Move-construct a descriptor from one of another executor type; may throw error::in_use.
  template <class Executor1, detail::if_convertible<Executor1, Executor> = 0>
  basic_stream_descriptor(basic_stream_descriptor<Executor1>&& other)
    : interlock_base(std::move(other))
  {
  }

  /// Move-assign a descriptor from one of another executor type.
  template <class Executor1, detail::if_convertible<Executor1, Executor> = 0>
  basic_stream_descriptor& operator=(basic_stream_descriptor<Executor1>&& other)
  {
    return *this = basic_stream_descriptor(std::move(other));
  }

  /// Take over what Asio's own descriptor has open.
  /** Its outstanding operations continue, but are not counted: a close aborts them without waiting for
   * their handlers. */
  explicit basic_stream_descriptor(boost::asio::posix::basic_stream_descriptor<Executor>&& other)
    : interlock_base(other.get_executor())
  {
    detail::functions::or_throw("move",
      [&](boost::system::error_code& ec)
      {
        detail::functions::adopt_from_asio(this->interlock_core_, std::move(other), ec,
          [](auto& t, boost::system::error_code&) { t.marks().taint(); });
      });
  }

  /// Give what this descriptor has open to Asio's own descriptor, with the outstanding operations.
  /**
   * @throws boost::system::system_error interlock::error::in_use while a call on it is under way or a
   * lease exists, boost::asio::error::bad_descriptor if it is closed.
   */
  boost::asio::posix::basic_stream_descriptor<Executor> to_asio()
  {
    return detail::functions::give_to_asio(this->interlock_core_);
  }

  /// Destroy the descriptor. Closes what it has open; never blocks.
  ~basic_stream_descriptor() = default;
};

} // namespace posix
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_POSIX_BASIC_STREAM_DESCRIPTOR_HPP
