// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// On a busy machine the system delivers what goes over loopback later than the call that sends it returns,
// but in order for each processor. The barrier keeps its thread on one, and sends after the others a
// datagram of its own, whose arrival tells that all have arrived.

#ifndef INTERLOCK_TEST_SUPPORT_LOOPBACK_BARRIER_HPP
#define INTERLOCK_TEST_SUPPORT_LOOPBACK_BARRIER_HPP

#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>

#include "support/descriptor_pairs.hpp"
#include "support/dropin_types.hpp"

namespace support {

class loopback_barrier
{
public:
  loopback_barrier()
    : ends_(bound_ends(SOCK_DGRAM, 0, own_ip(5), own_ip(6)))
  {
    ::pthread_getaffinity_np(::pthread_self(), sizeof(before_), &before_);
    ::cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(checked(::sched_getcpu(), "sched_getcpu"), &one);
    checked(-::pthread_setaffinity_np(::pthread_self(), sizeof(one), &one), "affinity");
  }

  loopback_barrier(const loopback_barrier&) = delete;
  loopback_barrier& operator=(const loopback_barrier&) = delete;

  ~loopback_barrier()
  {
    ::pthread_setaffinity_np(::pthread_self(), sizeof(before_), &before_);
  }

  /// What has been sent has arrived, and so have the answers, and the answers to those.
  void pass() const
  {
    for (int round = 0; round != 4; ++round)
    {
      char byte = 0;
      checked(static_cast<int>(::send(ends_.near.get(), &byte, 1, 0)), "send");
      checked(static_cast<int>(::recv(ends_.far.get(), &byte, 1, 0)), "recv");
    }
  }

private:
  ends ends_;
  ::cpu_set_t before_ = {};
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_LOOPBACK_BARRIER_HPP
