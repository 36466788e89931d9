// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A program that sets options past the library: a descriptor that lingers, which the library was not told, is closed
// without a close(2) that waits.

#include "schedules/scene.hpp"

using namespace schedules;

namespace {

/// Sets SO_LINGER by a lease, if one can be had, while the peer acknowledges nothing.
void let_linger(object& o)
{
  const interlock::fd_lease lease = o.get_core().lease();
  if (!lease)
    return;
  file& f = kernel::current().touch(lease.get(), "setsockopt of the program");
  f.linger = {1, 5};
  f.queued = 1;
}

} // namespace

SCENARIO(lease_that_sets_linger_beside_close)
{
  scene s;
  thread user("user", [&] { let_linger(*s.o); });
  s.o->close();
}

SCENARIO(lease_that_sets_linger_beside_async_close)
{
  calls closed;
  scene s;
  thread user("user", [&] { let_linger(*s.o); });
  s.o->async_close(closed);
  s.run_until([&] { return closed.called == 1; });
}

SCENARIO(lease_that_sets_linger_beside_shutdown)
{
  calls closed;
  {
    scene s;
    thread user("user", [&] { let_linger(*s.o); });
    s.o->async_close(closed);
    s.ctx.stop_services();
  }
  require_done(closed);
}

SCENARIO(descriptor_that_lingers_unknown_to_its_object)
{
  scene s;
  let_linger(*s.o);
  thread other("other", [&] { use_a_lease(*s.o); });
  s.o->close();
}
