// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Permission to use the raw descriptor of an I/O object.

#ifndef INTERLOCK_FD_LEASE_HPP
#define INTERLOCK_FD_LEASE_HPP

#include <utility>

#include <interlock/config.hpp>
#include <interlock/detail/descriptor/close_descriptor.hpp>
#include <interlock/detail/tenure/tenure_base.hpp>

namespace interlock
{
inline namespace abi_0
{

namespace detail
{

template <class Inner>
class io_core;

} // namespace detail

/// While it lasts, the descriptor that it names is not closed, and not anybody else's.
/**
 * Made by `obj.lease()`. A close of the object goes its way as far as the detach: operations are
 * aborted, the reactor forgets the descriptor. close(2), and the completion of `async_close`, wait for the
 * last lease, however long. It may outlive the object, and its execution context.
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Unsafe.
 *
 * @par Example
 * @code
 * if (interlock::fd_lease lease = socket.lease())
 *   ::getsockopt(lease.get(), ...);
 * @endcode
 */
class fd_lease
{
public:
  using native_handle_type = int;

  /// A lease on nothing.
  fd_lease() noexcept = default;

  /// The other is left without a lease.
  fd_lease(fd_lease&& other) noexcept
    : tenure_(std::exchange(other.tenure_, nullptr)),
      fd_(std::exchange(other.fd_, detail::no_descriptor))
  {
  }

  /// The lease held before ends.
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

  /// The lease ends. The last one hands the descriptor of a closed object to the worker.
  ~fd_lease()
  {
    reset();
  }

  /// Whether there is a lease: none is given on an object that is not open.
  explicit operator bool() const noexcept
  {
    return tenure_ != nullptr;
  }

  /// The descriptor, to be used but not closed; -1 without a lease.
  native_handle_type get() const noexcept
  {
    return fd_;
  }

  /// Ends the lease, if there is one.
  void reset() noexcept
  {
    fd_ = detail::no_descriptor;
    if (detail::tenure_base* t = std::exchange(tenure_, nullptr))
      t->lease_done();
  }

private:
  template <class Inner>
  friend class detail::io_core;

  // The lease has been counted.
  fd_lease(detail::tenure_base& t, int fd) noexcept
    : tenure_(&t),
      fd_(fd)
  {
  }

  detail::tenure_base* tenure_ = nullptr; // not over before the lease is
  int fd_ = detail::no_descriptor;
};

} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_FD_LEASE_HPP
