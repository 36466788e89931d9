// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A program that sets options past the library: a descriptor that lingers, which the library was not told, is closed
// without a close(2) that waits.

#include "schedules/scene.hpp"

using namespace schedules;

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
  s.ctx.run_until_called(closed);
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
