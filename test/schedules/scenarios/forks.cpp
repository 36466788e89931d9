// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The parent's side of a fork beside closes: the library's threads are parked, and go on.

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "schedules/scene.hpp"

using namespace schedules;
using boost::asio::execution_context;
using interlock::close_mode;
using interlock::detail::close_progress;
using std::chrono::milliseconds;

namespace {

/// Runs the context until a close has completed, while another thread forks.
void fork_beside(scene& s, const calls& closed)
{
  thread forking("forking", [] { kernel::current().fork(); });
  s.ctx.run_until_called(closed);
  forking.join();
}

} // namespace

SCENARIO(fork_beside_async_close)
{
  calls closed;
  scene s;
  s.o->async_close(closed);
  fork_beside(s, closed);
}

WIDE_SCENARIO(fork_beside_a_close_that_may_block)
{
  calls closed;
  scene s(may_block);
  s.o->async_close(closed);
  fork_beside(s, closed);
}

SCENARIO(fork_beside_a_delivery)
{
  calls closed;
  scene s;
  kernel::current().at(s.fd).queued = 1;
  s.o->async_close(closed, close_mode::deliver(milliseconds(50)));
  fork_beside(s, closed);
}

WIDE_SCENARIO(two_forks_beside_async_close)
{
  calls closed;
  scene s;
  s.o->async_close(closed);
  thread other("other", [] { kernel::current().fork(); });
  fork_beside(s, closed);
}

// The other threads stay out of the context from the preparation on. The worker does not.
SCENARIO(prepared_fork_with_a_close_under_way)
{
  calls closed;
  scene s;
  begin_close(s, closed);
  s.ctx.notify_fork(execution_context::fork_prepare);
  kernel::current().fork();
  s.ctx.notify_fork(execution_context::fork_parent);
  s.ctx.run_until_called(closed);
}

WIDE_SCENARIO(fork_beside_a_prepared_fork)
{
  calls closed;
  scene s;
  begin_close(s, closed);
  thread other("other", [] { kernel::current().fork(); });
  s.ctx.notify_fork(execution_context::fork_prepare);
  kernel::current().fork();
  s.ctx.notify_fork(execution_context::fork_parent);
  s.ctx.run_until_called(closed);
}

// The first fork waits in vain for the close(2). The second does not wait for it, but for the other threads.
WIDE_SCENARIO(fork_after_one_that_has_waited_for_a_blocked_close)
{
  calls blocked;
  calls closed;
  {
    scene s(may_block);
    kernel::current().at(s.fd).close_blocks = true;
    begin_close(s, blocked);
    object other(s.ctx);
    other.open();
    other.async_close(closed);
    thread forking("forking",
      []
      {
        kernel::current().fork();
        kernel::current().fork();
      });
    s.ctx.run_until_called(closed);
    forking.join();
    s.ctx.stop_services();
  }
  require_done(blocked);
}

// The kernel has taken the descriptor away: no child will have it.
WIDE_SCENARIO(preparation_after_one_that_has_waited_for_a_blocked_close)
{
  calls blocked;
  {
    scene s(may_block);
    kernel::current().at(s.fd).close_blocks = true;
    begin_close(s, blocked);
    await_close_of(s.fd);
    s.ctx.notify_fork(execution_context::fork_prepare);
    s.ctx.notify_fork(execution_context::fork_parent);
    const auto begun = scheduler::current()->now();
    s.ctx.notify_fork(execution_context::fork_prepare);
    s.ctx.notify_fork(execution_context::fork_parent);
    // Not zero where the close has ended meanwhile.
    require(scheduler::current()->now() - begun != close_progress::await_time,
      "the second preparation waits for the same close");
    s.ctx.stop_services();
  }
  require_done(blocked);
}

// The program has a lock at the fork that its factory of threads takes: in the thread that closes, and in the worker.
WIDE_SCENARIO(fork_with_a_lock_of_the_thread_factory)
{
  interlock::detail::sys::mutex app;
  calls closed;
  context ctx;
  use_threads(ctx,
    [&](std::function<void()> f)
    {
      const std::lock_guard<interlock::detail::sys::mutex> lock(app);
      return interlock::detail::sys::thread(std::move(f));
    });
  object o(ctx);
  o.open(may_block);
  o.async_close(closed);
  thread forking("forking",
    [&]
    {
      const std::lock_guard<interlock::detail::sys::mutex> lock(app);
      kernel::current().fork();
    });
  ctx.run_until_called(closed);
}

// The program has a lock at the fork that each thread takes which its factory has made, when the library has left it.
WIDE_SCENARIO(fork_with_a_lock_of_threads_that_end)
{
  const auto app = std::make_shared<interlock::detail::sys::mutex>(); // a thread may be left behind
  calls closed[2];
  context ctx;
  use_threads(ctx,
    [app](std::function<void()> f)
    {
      return interlock::detail::sys::thread(
        [app, own = std::move(f)]
        {
          own();
          const std::lock_guard<interlock::detail::sys::mutex> lock(*app);
        });
    });
  object a(ctx);
  object b(ctx);
  a.open(may_block);
  b.open(may_block);
  a.async_close(closed[0]);
  b.async_close(closed[1]);
  ctx.run_until_called(closed[0], closed[1]);
  sleep(2 * interlock::detail::elastic_lane::idle_time);
  const std::lock_guard<interlock::detail::sys::mutex> lock(*app);
  kernel::current().fork();
}

SCENARIO(close_after_a_preparation)
{
  calls closed;
  scene s;
  s.ctx.notify_fork(execution_context::fork_prepare);
  s.o->async_close(closed);
  kernel::current().fork();
  s.ctx.notify_fork(execution_context::fork_parent);
  s.ctx.run_until_called(closed);
}

SCENARIO(context_that_ends_after_a_preparation)
{
  calls closed;
  {
    scene s;
    begin_close(s, closed);
    s.ctx.notify_fork(execution_context::fork_prepare);
    s.ctx.stop_services();
  }
  require_done(closed);
}

WIDE_SCENARIO(fork_beside_the_end_of_a_context)
{
  calls closed;
  {
    auto s = std::make_unique<scene>();
    s->o->async_close(closed);
    thread forking("forking", [] { kernel::current().fork(); });
    s->ctx.run_queued();
    s.reset();
  }
  require_done(closed);
}
