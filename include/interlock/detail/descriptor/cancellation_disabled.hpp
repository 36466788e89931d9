// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Puts off pthread_cancel(3) of the calling thread for a scope.
//
// close(2), and the write(2) that wakes a thread, are cancellation points (pthreads(7)). A cancellation that
// unwinds through a noexcept function ends the process, with the descriptor still open.

#ifndef INTERLOCK_DETAIL_DESCRIPTOR_CANCELLATION_DISABLED_HPP
#define INTERLOCK_DETAIL_DESCRIPTOR_CANCELLATION_DISABLED_HPP

#include <pthread.h>

#include <interlock/config.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class cancellation_disabled
{
public:
  cancellation_disabled() noexcept
  {
    sys::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_);
  }

  cancellation_disabled(const cancellation_disabled&) = delete;
  cancellation_disabled& operator=(const cancellation_disabled&) = delete;

  ~cancellation_disabled()
  {
    sys::pthread_setcancelstate(before_, nullptr);
  }

private:
  int before_ = PTHREAD_CANCEL_ENABLE;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_DESCRIPTOR_CANCELLATION_DISABLED_HPP
