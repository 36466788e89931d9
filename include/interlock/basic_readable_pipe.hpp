// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The read end of a pipe, as boost/asio/basic_readable_pipe.hpp. Does not need Asio's own, which exists
// from Boost 1.80 on.

#ifndef INTERLOCK_BASIC_READABLE_PIPE_HPP
#define INTERLOCK_BASIC_READABLE_PIPE_HPP

#include <utility>

#include <boost/asio/any_io_executor.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/members/descriptor_members.hpp>
#include <interlock/detail/members/reading_members.hpp>

namespace interlock {
inline namespace abi_0 {

/// The read end of a pipe, which any thread may close at any moment while other threads use it.
/**
 * The members are those of Asio's basic_readable_pipe. @c close and the destructor never block.
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Safe, except for construction, move and destruction.
 */
template <class Executor = boost::asio::any_io_executor>
class basic_readable_pipe
  : public detail::bases::reading_members<detail::bases::descriptor_members<Executor>>
{
private:
  using interlock_base =
    detail::bases::reading_members<detail::bases::descriptor_members<Executor>>;

public:
  /// Rebinds the pipe type to another executor.
  template <class Executor1>
  struct rebind_executor
  {
    /// The pipe type when rebound to the specified executor.
    using other = basic_readable_pipe<Executor1>;
  };

  /// A pipe is always the lowest layer.
  using lowest_layer_type = basic_readable_pipe;

  /// Construct a pipe, closed or on an existing native pipe.
  using interlock_base::interlock_base;

  /// Move-construct a pipe. The moved-from object is as if newly constructed with its executor.
  basic_readable_pipe(basic_readable_pipe&& other) noexcept = default;

  /// Move-assign a pipe. Closes what this object has open, as its destructor does.
  basic_readable_pipe& operator=(basic_readable_pipe&& other) noexcept = default;

  /// Move-construct a pipe from one of another executor type; may throw error::in_use.
  template <class Executor1, detail::if_convertible<Executor1, Executor> = 0>
  basic_readable_pipe(basic_readable_pipe<Executor1>&& other)
    : interlock_base(other.get_executor())
  {
    detail::functions::convert_descriptor(other, this->interlock_core_);
  }

  /// Move-assign a pipe from one of another executor type.
  template <class Executor1, detail::if_convertible<Executor1, Executor> = 0>
  basic_readable_pipe& operator=(basic_readable_pipe<Executor1>&& other)
  {
    return *this = basic_readable_pipe(std::move(other));
  }

  /// Destroy the pipe. Closes what it has open; never blocks.
  ~basic_readable_pipe() = default;

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
};

} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_BASIC_READABLE_PIPE_HPP
