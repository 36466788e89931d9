// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The write end of a pipe: Asio's basic_writable_pipe, specialised for a closable executor. Asio has the
// template from Boost 1.80 on; before that this header declares it.

#ifndef INTERLOCK_BASIC_WRITABLE_PIPE_HPP
#define INTERLOCK_BASIC_WRITABLE_PIPE_HPP

#include <utility>

#include <boost/asio/any_io_executor.hpp>

#include <interlock/closable_executor.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/core/asio_features.hpp>
#include <interlock/detail/members/pipe_members.hpp>
#include <interlock/detail/members/reading_members.hpp>

#if defined(INTERLOCK_HAS_PIPES)
#include <boost/asio/basic_writable_pipe.hpp>
#endif

namespace boost {
namespace asio {

#if !defined(INTERLOCK_HAS_PIPES)
template <class Executor = any_io_executor>
class basic_writable_pipe;
#endif

/// The write end of a pipe, which any thread may close at any moment while other threads use it.
/**
 * The members are those of Asio's basic_writable_pipe. @c close and the destructor never block. A
 * write to a pipe whose read end is closed raises SIGPIPE, as write(2) does.
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Safe, except for construction, move and destruction.
 *
 * @example_of{example/objects.cpp,objects_pipes}
 */
template <class Executor>
class basic_writable_pipe<interlock::closable_executor<Executor>>
  : public interlock::detail::bases::writing_members<
      interlock::detail::bases::pipe_members<boost::asio::basic_writable_pipe, Executor>>
{
private:
  using interlock_base = interlock::detail::bases::writing_members<
    interlock::detail::bases::pipe_members<boost::asio::basic_writable_pipe, Executor>>;

public:
  /// Construct a pipe, closed, on an existing native pipe, or from Asio's own.
  using interlock_base::interlock_base;

  /// Move-construct a pipe. The moved-from object is as if newly constructed with its executor.
  basic_writable_pipe(basic_writable_pipe&& other) noexcept = default;

  /// Move-assign a pipe. Closes what this object has open, as its destructor does.
  basic_writable_pipe& operator=(basic_writable_pipe&& other) noexcept = default;

  /// Move-construct a pipe from one of another executor type; may throw error::in_use.
  template <class Executor1, interlock::detail::if_convertible<Executor1, Executor> = 0>
  basic_writable_pipe(basic_writable_pipe<interlock::closable_executor<Executor1>>&& other)
    : interlock_base(other.get_executor())
  {
    interlock::detail::functions::convert_descriptor(other, this->interlock_core_);
  }

  /// Move-assign a pipe from one of another executor type.
  template <class Executor1, interlock::detail::if_convertible<Executor1, Executor> = 0>
  basic_writable_pipe& operator=(
    basic_writable_pipe<interlock::closable_executor<Executor1>>&& other)
  {
    return *this = basic_writable_pipe(std::move(other));
  }

  /// Destroy the pipe. Closes what it has open; never blocks.
  ~basic_writable_pipe() = default;
};

} // namespace asio
} // namespace boost

namespace interlock {
inline namespace abi_0 {

/// The write end of a pipe that any thread may close.
template <class Executor = boost::asio::any_io_executor>
using basic_writable_pipe = boost::asio::basic_writable_pipe<closable_executor<Executor>>;

} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_BASIC_WRITABLE_PIPE_HPP
