// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/tenure/close_waiter.hpp>

#include <exception>

namespace interlock {
inline namespace abi_0 {
namespace detail {

// Here, and not in the header, so that a program that is compiled without exceptions does not replace it.
void close_waiter_list::complete_all(const close_verdict& v, hand_over alone)
{
  // A single handler may run inline: no other waiter remains to be served.
  close_waiter* const first = close_waiters_.front();
  const hand_over how = first && !close_waiters_.after(*first) ? alone : hand_over::post;
  std::exception_ptr thrown;
  while (close_waiter* c = close_waiters_.pop_front())
  {
    try
    {
      c->complete(v, how);
    }
    catch (...)
    {
      if (!thrown)
        thrown = std::current_exception();
    }
  }
  if (thrown)
    std::rethrow_exception(thrown);
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
