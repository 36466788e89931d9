// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Closes without memory, threads or descriptors.

#include "schedules/scene.hpp"

using namespace schedules;
using interlock::close_mode;

namespace {

/// What would need a thread has none.
void use_no_threads(context& ctx)
{
  use_threads(
    ctx, [](std::function<void()>) -> interlock::detail::sys::thread { throw std::bad_alloc(); });
}

} // namespace

// The completion's step is left in a strand that failed to schedule itself.
SCENARIO(strand_that_cannot_schedule)
{
  calls closed;
  scene s;
  s.ctx.refuse_posts(scheduler::thread_of_library, 1);
  s.o->async_close(closed);
  s.ctx.run_until_called(closed);
}

// The step runs although its post has failed.
SCENARIO(strand_that_runs_and_fails)
{
  calls closed;
  scene s;
  s.ctx.refuse_posts(scheduler::thread_of_library, 1, true);
  s.o->async_close(closed);
  s.ctx.run_until_called(closed);
}

// The step of the detach is left in a strand, which the next close of the object replaces.
WIDE_SCENARIO(opened_again_over_a_dead_strand)
{
  calls first;
  calls late;
  calls second;
  scene s;
  s.ctx.refuse_posts("main", 1);
  s.o->async_close(first);
  thread other("late", [&] { s.o->async_close(late); });
  s.ctx.run_until_called(first);
  s.o->open();
  s.o->async_close(second);
  s.ctx.run_until_called(late, second);
}

SCENARIO(completion_tried_again_beside_a_closer)
{
  calls closed;
  calls late;
  scene s;
  s.ctx.refuse_posts(scheduler::thread_of_library, 2);
  s.o->async_close(closed);
  thread other("late", [&] { s.o->async_close(late, close_mode::immediate()); });
  s.ctx.run_until_called(closed, late);
}

// The application holds a lock around a close, and its factory takes the same.
SCENARIO(thread_factory_takes_a_lock)
{
  interlock::detail::sys::mutex app;
  bool is_in_factory = false;
  calls first;
  calls second;
  context ctx;
  use_threads(ctx,
    [&](std::function<void()> f)
    {
      is_in_factory = true;
      const std::lock_guard<interlock::detail::sys::mutex> lock(app);
      return interlock::detail::sys::thread(std::move(f));
    });
  object a(ctx);
  object b(ctx);
  a.open();
  b.open();
  std::unique_lock<interlock::detail::sys::mutex> lock(app);
  thread other("other", [&] { a.async_close(first); });
  wait_until([&] { return is_in_factory; });
  b.async_close(second);
  lock.unlock();
  ctx.run_until_called(first, second);
}

WIDE_SCENARIO(two_closes_and_one_thread_for_what_may_block)
{
  context ctx;
  use_options(ctx, one_thread());
  object a(ctx);
  object b(ctx);
  a.open(may_block);
  b.open(may_block);
  thread other("other", [&] { a.close(); });
  b.close();
}

SCENARIO(close_without_a_thread)
{
  calls closed;
  context ctx;
  use_no_threads(ctx);
  object o(ctx);
  o.open(may_block);
  thread other("other", [&] { o.close(); });
  o.async_close(closed);
  ctx.run_until_called(closed);
}

// What is closed in the worker's place is not waited for.
SCENARIO(preparation_of_a_fork_after_a_close_without_a_thread)
{
  calls closed;
  context ctx;
  use_no_threads(ctx);
  object o(ctx);
  o.open(may_block);
  o.async_close(closed);
  ctx.run_until_called(closed);
  const duration before = scheduler::current()->now();
  ctx.notify_fork(boost::asio::execution_context::fork_prepare);
  require(scheduler::current()->now() == before, "the preparation waits for a close that is over");
  ctx.notify_fork(boost::asio::execution_context::fork_parent);
}

SCENARIO(close_without_descriptors)
{
  calls closed;
  scene s(may_block);
  kernel::current().refuse_descriptors(true);
  thread other("other", [&] { s.o->close(); });
  s.o->async_close(closed);
  s.ctx.run_until_called(closed);
}
