// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Closes that block, and the threads for them: how many there are, what waits for one, and the reports of those that
// are stuck.

#include <functional>
#include <new>

#include "schedules/scene.hpp"

using namespace schedules;
using interlock::close_mode;
using interlock::detail::elastic_lane;
using std::chrono::milliseconds;

namespace {

interlock::close_service::options reporting(
  std::function<void(const interlock::slow_close&)> report)
{
  interlock::close_service::options o = one_thread();
  o.slow_close_age = milliseconds(50);
  o.on_slow_close = std::move(report);
  return o;
}

} // namespace

WIDE_SCENARIO(lane_at_its_cap)
{
  calls first;
  calls second;
  calls plain;
  context ctx;
  use_options(ctx, one_thread());
  object a(ctx);
  object b(ctx);
  object tcp(ctx);
  const int held = open_held(a);
  const int next = open_held(b);
  tcp.open();
  a.async_close(first);
  b.async_close(second);
  thread other("other", [&] { tcp.async_close(plain); });
  ctx.run_until_called(plain);
  require(first.called == 0 && second.called == 0, "a closer is told before the end of close(2)");
  kernel::current().let_go(held);
  kernel::current().let_go(next);
  ctx.run_until_called(first, second);
  require(kernel::current().most_held_closes() == 1, "more closes at a time than threads");
}

WIDE_SCENARIO(delivery_beside_a_stuck_close)
{
  calls stuck;
  calls delivered;
  context ctx;
  object a(ctx);
  object tcp(ctx);
  const int held = open_held(a);
  kernel::current().at(tcp.open()).queued = 1;
  thread other("other", [&] { a.async_close(stuck); });
  tcp.async_close(delivered, close_mode::deliver(milliseconds(50)));
  ctx.run_until_called(delivered);
  kernel::current().let_go(held);
  ctx.run_until_called(stuck);
}

// The worker has a thread, and no other can be had.
WIDE_SCENARIO(lane_without_a_thread)
{
  unsigned started = 0;
  calls first;
  calls second;
  context ctx;
  use_threads(ctx,
    [&started](std::function<void()> f)
    {
      if (++started > 1)
        throw std::bad_alloc();
      return interlock::detail::sys::thread(std::move(f));
    });
  object a(ctx);
  object b(ctx);
  a.open(may_block);
  b.open(may_block);
  thread other("other", [&] { a.async_close(first); });
  b.async_close(second);
  ctx.run_until_called(first, second);
}

WIDE_SCENARIO(lane_thread_that_ends_beside_another_close)
{
  context ctx;
  use_options(ctx, one_thread());
  object a(ctx);
  object b(ctx);
  const int fd = a.open(may_block);
  b.open(may_block);
  a.close();
  await_close_of(fd);
  thread other("other",
    [&]
    {
      sleep(elastic_lane::idle_time);
      b.close();
    });
}

// The one thread of the lane is left behind, and does not close what waits for it.
WIDE_SCENARIO(lane_that_stops_at_its_cap)
{
  context ctx;
  use_options(ctx, one_thread());
  object a(ctx);
  object b(ctx);
  const int stuck = open_held(a);
  const int queued = b.open(may_block);
  a.close();
  await_close_of(stuck);
  b.close();
  ctx.stop_services();
  await_close_of(queued);
  kernel::current().let_go(stuck);
}

WIDE_SCENARIO(report_beside_the_end_of_its_close)
{
  unsigned reports = 0;
  int held = -1;
  context ctx;
  use_options(ctx,
    reporting(
      [&](const interlock::slow_close& s)
      {
        ++reports;
        require(s.descriptor == held, "a report tells of another descriptor");
        require(s.age >= milliseconds(50), "a close is reported too early");
        require(reports == 1, "a close is reported twice");
      }));
  object a(ctx);
  held = open_held(a);
  a.close();
  thread other("other",
    [&]
    {
      sleep(milliseconds(50));
      kernel::current().let_go(held);
    });
}

// The second is held as well, and becomes slow long after the first has been reported. The third waits behind it.
WIDE_SCENARIO(reports_of_what_was_queued)
{
  unsigned reports = 0;
  context ctx;
  use_options(ctx,
    reporting(
      [&](const interlock::slow_close& s)
      {
        ++reports;
        require(reports != 2 || s.waiting == 1, "a report miscounts what waits for a thread");
      }));
  object a(ctx);
  object b(ctx);
  object c(ctx);
  const int first = open_held(a);
  const int second = open_held(b);
  c.open(may_block);
  a.close();
  await_close_of(first);
  b.close();
  c.close();
  wait_until([&] { return reports == 1; }, "the first report");
  sleep(2 * elastic_lane::idle_time, scheduler::limit::at_rest);
  kernel::current().let_go(first);
  wait_until([&] { return reports == 2; }, "the second report");
  kernel::current().let_go(second);
}

WIDE_SCENARIO(report_that_ends_the_context)
{
  announcement ended;
  context ctx;
  use_options(ctx,
    reporting(
      [&](const interlock::slow_close&)
      {
        ctx.stop_services();
        ended.make();
      }));
  object a(ctx);
  const int held = open_held(a);
  a.close();
  ended.await();
  kernel::current().let_go(held);
}

// The fork does not wait for the thread that it is made by.
WIDE_SCENARIO(report_that_forks)
{
  announcement forked;
  calls closed;
  context ctx;
  use_options(ctx,
    reporting(
      [&](const interlock::slow_close&)
      {
        kernel::current().fork();
        forked.make();
      }));
  object a(ctx);
  object tcp(ctx);
  const int held = open_held(a);
  tcp.open();
  a.close();
  forked.await();
  kernel::current().let_go(held);
  tcp.async_close(closed);
  ctx.run_until_called(closed);
}
