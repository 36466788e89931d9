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
  s.run_until([&] { return closed.called == 1; });
}

SCENARIO(step_beside_a_takeover)
{
  calls closed;
  scene s;
  s.o->async_close(closed);
  thread runner("runner", [&] { s.run_until([&] { return closed.called == 1; }); });
  await_close_of(s.fd);
}

SCENARIO(two_takeovers)
{
  calls first;
  calls second;
  {
    context ctx;
    object a(ctx);
    object b(ctx);
    const int one = a.open();
    const int two = b.open();
    thread other("other", [&] { a.async_close(first); });
    b.async_close(second);
    await_close_of(one);
    await_close_of(two);
    other.join();
    ctx.stop_services();
  }
  require_done(first);
  require_done(second);
}
