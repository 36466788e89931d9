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
    closer.join();
    s.o.reset();
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
    closer.join();
    s.o.reset();
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
  {
    scene s;
    thread other("retiring", [&] { s.o->get_core().retire(); });
    s.ctx.stop_services();
    other.join();
    s.o.reset();
  }
}

SCENARIO(shutdown_beside_a_blocked_call)
{
  {
    scene s;
    thread blocked("blocked", [&] { read_blocking(*s.o); });
    s.ctx.stop_services();
    blocked.join();
    s.o.reset();
  }
}

SCENARIO(shutdown_beside_a_blocked_close)
{
  calls closed;
  {
    scene s;
    kernel::current().at(s.fd).close_blocks = true;
    s.o->async_close(closed);
    thread runner("runner", [&] { s.ctx.run_until([] { return true; }); });
    runner.join();
    s.ctx.stop_services();
    s.o.reset();
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
    s.o->start<interlock::detail::initiate_close>(
      cancellable(closed, signal.slot()), close_mode::deliver(milliseconds(50)));
    thread canceller("canceller", [&] { signal.emit(boost::asio::cancellation_type::terminal); });
    s.ctx.stop_services();
    canceller.join();
    s.o.reset();
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
    s.o.reset();
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
    thread inside("inside",
      [&]
      {
        if (t->enter() == interlock::detail::duty::none)
        {
          scheduler::current()->point("inside", nullptr);
          t->leave();
        }
      });
    t->keep_memory();
    s->o->async_close(closed);
    s->run_until([&] { return true; });
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
      s.o->start<interlock::detail::initiate_read>(elsewhere(read, other.get_executor()), 0);
      s.o->start<interlock::detail::initiate_close>(elsewhere(closed, other.get_executor()));
      thread runner("runner", [&] { s.ctx.run_until([] { return true; }); });
      runner.join();
      s.o.reset();
    }
    other.run_until([] { return true; });
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
    s->run_until([&] { return true; });
    s->o.reset();
    s.reset();
    slow.join();
    t->drop_memory();
  }
  require_done(closed);
}
