// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The end of a context beside closes.

#include "schedules/scene.hpp"

using namespace schedules;
using interlock::close_mode;
using std::chrono::milliseconds;

SCENARIO(shutdown_beside_async_close)
{
  calls read;
  calls closed;
  {
    scene s;
    s.o->async_read(read);
    thread closer("closer", [&] { s.o->async_close(closed); });
    s.ctx.stop_services();
  }
  require_done(read);
  require_done(closed);
}

static void shut_down_beside_a_close_of(const inner_protocol& p)
{
  calls read;
  {
    scene s(p);
    s.o->async_read(read);
    thread closer("closer", [&] { s.o->close(); });
    s.ctx.stop_services();
  }
  require_done(read);
}

SCENARIO(shutdown_beside_close)
{
  shut_down_beside_a_close_of(inner_protocol());
}

WIDE_SCENARIO(shutdown_beside_close_that_may_block)
{
  shut_down_beside_a_close_of(may_block);
}

SCENARIO(shutdown_beside_retire)
{
  scene s;
  thread other("retiring", [&] { s.o->get_core().retire(); });
  s.ctx.stop_services();
}

SCENARIO(shutdown_beside_a_blocked_call)
{
  scene s;
  thread blocked("blocked", [&] { read_blocking(*s.o); });
  s.ctx.stop_services();
}

SCENARIO(shutdown_beside_a_blocked_close)
{
  calls closed;
  {
    scene s;
    kernel::current().at(s.fd).close_blocks = true;
    begin_close(s, closed);
    s.ctx.stop_services();
  }
  require_done(closed);
}

SCENARIO(shutdown_beside_a_cancellation)
{
  calls closed;
  {
    boost::asio::cancellation_signal signal;
    scene s;
    kernel::current().at(s.fd).queued = 1;
    s.o->async_close(cancellable(closed, signal.slot()), close_mode::deliver(milliseconds(50)));
    thread canceller("canceller", [&] { signal.emit(boost::asio::cancellation_type::terminal); });
    s.ctx.stop_services();
  }
  require_done(closed);
}

SCENARIO(shutdown_beside_a_reopening_thread)
{
  calls closed;
  {
    scene s;
    thread other("reopening",
      [&]
      {
        s.o->async_close(closed);
        s.o->try_open();
      });
    s.ctx.stop_services();
    other.join();
    require(
      !s.o->get_core().is_open(), "an object is open although its context has been shut down");
  }
  require_done(closed);
}

SCENARIO(open_beside_shutdown)
{
  context ctx;
  object o(ctx);
  o.open();
  o.close();
  thread opener("opener", [&] { o.try_open(); });
  ctx.stop_services();
  opener.join();
  require(!o.get_core().is_open(), "an object is open although its context has been shut down");
}

SCENARIO(shutdown_beside_a_thread_inside)
{
  calls closed;
  {
    auto s = std::make_unique<scene>();
    auto* t = s->o->get_core().current();
    thread inside("inside", [t] { pass_through(*t); });
    t->keep_memory();
    s->o->async_close(closed);
    s->ctx.run_queued();
    s->o.reset();
    s.reset();
    inside.join();
    t->drop_memory();
  }
  require_done(closed);
}

SCENARIO(handlers_that_outlive_their_context)
{
  calls read;
  calls closed;
  {
    context other;
    {
      scene s;
      s.o->async_read(elsewhere(read, other.get_executor()));
      s.o->async_close(elsewhere(closed, other.get_executor()));
      s.ctx.run_queued();
    }
    other.run_queued();
  }
  require_done(read);
  require_done(closed);
}

SCENARIO(expired_beside_a_slow_call)
{
  calls closed;
  {
    auto s = std::make_unique<scene>();
    auto* t = s->o->get_core().current();
    t->keep_memory();
    bool is_inside = false;
    thread slow("slow",
      [&]
      {
        require(t->enter() == interlock::detail::duty::none, "cannot enter");
        is_inside = true;
        sleep(milliseconds(1500));
        t->leave();
      });
    wait_until([&] { return is_inside; });
    s->o->async_close(closed);
    s->ctx.run_queued();
    s->o.reset();
    s.reset();
    slow.join();
    t->drop_memory();
  }
  require_done(closed);
}

// A thread of the library runs more of the program's code when the library has left it: see close_service::options.
WIDE_SCENARIO(end_of_a_context_joins_its_threads)
{
  const auto running = std::make_shared<unsigned>(0); // a thread may be left behind
  context ctx;
  use_threads(ctx,
    [running](std::function<void()> f)
    {
      ++*running;
      return interlock::detail::sys::thread(
        [running, own = std::move(f)]
        {
          own();
          scheduler::current()->point("end of a thread", nullptr);
          --*running;
        });
    });
  object o(ctx);
  o.open(may_block);
  o.close();
  ctx.stop_services();
  require(*running == 0 || ctx.reactor().was_cut_short, "a thread of the library is left behind");
}
