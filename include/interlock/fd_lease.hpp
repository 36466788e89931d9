// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Permission to use the native descriptor of an I/O object.

#ifndef INTERLOCK_FD_LEASE_HPP
#define INTERLOCK_FD_LEASE_HPP

#include <utility>

#include <interlock/config.hpp>
#include <interlock/detail/descriptor/close_descriptor.hpp>
#include <interlock/detail/tenure/tenure_base.hpp>

namespace interlock {
inline namespace abi_0 {

namespace detail {

template <class Inner>
class io_core;

} // namespace detail

/// Permission to use a native descriptor: while a lease exists, the descriptor is not closed or reused.
/**
 * `obj.lease()` makes it. A close of the object still aborts the operations and detaches the descriptor from
 * the reactor. close(2), and the completion of `async_close`, wait for the last lease without a limit. A
 * lease may outlive the object and its execution context.
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Unsafe.
 *
 * @example_of{example/objects.cpp,objects_lease}
 */
class fd_lease
{
public:
  /// The type of a descriptor.
  using native_handle_type = int;

  /// Construct an empty lease.
  fd_lease() noexcept = default;

  /// Move-construct a lease. The moved-from lease is empty.
  /**
   * @param other The lease to take.
   */
  fd_lease(fd_lease&& other) noexcept
    : tenure_(std::exchange(other.tenure_, nullptr)),
      fd_(std::exchange(other.fd_, detail::no_descriptor))
  {
  }

  /// Move-assign a lease. Ends the lease held before.
  fd_lease& operator=(fd_lease&& other) noexcept
  {
    if (this != &other)
    {
      reset();
      tenure_ = std::exchange(other.tenure_, nullptr);
      fd_ = std::exchange(other.fd_, detail::no_descriptor);
    }
    return *this;
  }

  /// End the lease. The last lease of a closed object closes its descriptor if close(2) cannot block and no
  /// `async_close` has detached it. Otherwise the worker does.
  ~fd_lease()
  {
    reset();
  }

  /// Whether this is a lease. It is empty if the object was not open.
  explicit operator bool() const noexcept
  {
    return tenure_ != nullptr;
  }

  /// Get the descriptor, to be used but not closed; -1 if empty.
  native_handle_type get() const noexcept
  {
    return fd_;
  }

  /// End the lease, if any.
  void reset() noexcept
  {
    fd_ = detail::no_descriptor;
    if (detail::tenure_base* t = std::exchange(tenure_, nullptr))
      t->lease_done();
  }

private:
  template <class Inner>
  friend class detail::io_core;

  // The caller has counted the lease.
  fd_lease(detail::tenure_base& t, int fd) noexcept
    : tenure_(&t),
      fd_(fd)
  {
  }

  detail::tenure_base* tenure_ = nullptr; // lives until the lease ends
  int fd_ = detail::no_descriptor;
};

} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_FD_LEASE_HPP
