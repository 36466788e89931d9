// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Closes whose strand runs no step: the library's thread detaches the descriptor after a time.

#include "schedules/scene.hpp"

using namespace schedules;

SCENARIO(close_that_no_thread_steps)
{
  calls closed;
  {
    scene s;
    thread closer("closer", [&] { s.o->async_close(closed); });
    await_close_of(s.fd);
    require(closed.destroyed == 0, "a handler has ended although its context does not run");
    closer.join();
    s.ctx.stop_services();
  }
  require_done(closed);
}

SCENARIO(close_beside_a_takeover)
{
  calls closed;
  scene s;
  s.o->async_close(closed);
  thread other("other", [&] { s.o->close(); });
  await_close_of(s.fd);
  s.ctx.run_until_called(closed);
}

SCENARIO(step_beside_a_takeover)
{
  calls closed;
  scene s;
  s.o->async_close(closed);
  thread runner("runner", [&] { s.ctx.run_until_called(closed); });
  await_close_of(s.fd);
}

SCENARIO(two_takeovers)
{
  calls first;
  calls second;
  {
    scene s;
    object later(s.ctx);
    const int fd = later.open();
    s.o->async_close(first);
    thread other("other", [&] { later.async_close(second); });
    await_close_of(fd);
    require(!kernel::current().is_open(s.fd), "a later close is taken over first");
    other.join();
    s.ctx.stop_services();
  }
  require_done(first);
  require_done(second);
}
