// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The child's side of a fork: it has the thread that forked, and adopts once what the library's threads had to do.

#include <functional>
#include <memory>
#include <utility>

#include "schedules/scene.hpp"

using namespace schedules;
using boost::asio::execution_context;
using interlock::close_mode;
using interlock::detail::close_progress;
using std::chrono::milliseconds;

namespace {

void become_child()
{
  kernel::current().fork_to_child();
}

void become_told_child(scene& s)
{
  become_child();
  s.ctx.notify_fork(execution_context::fork_child);
}

/// Forks once, by a function, when it is told that it is in a child.
class forking_service final : public execution_context::service
{
public:
  using key_type = forking_service;

  forking_service(execution_context& c, void (*fork)(execution_context&))
    : execution_context::service(c),
      fork_(fork)
  {
  }

private:
  void shutdown() override {}

  void notify_fork(execution_context::fork_event e) override
  {
    if (e == execution_context::fork_child && !std::exchange(has_forked_, true))
      fork_(context());
  }

  void (*const fork_)(execution_context&);
  bool has_forked_ = false;
};

void fork_and_tell(execution_context& c)
{
  become_child();
  c.notify_fork(execution_context::fork_child);
}

void fork_as_parent(execution_context& /*c*/)
{
  kernel::current().fork();
}

/// Prepares a fork after a close that has begun at this time, and has been submitted. A worker that is slow may take the
/// close over, and submit it too late.
void prepare_fork(scene& s, int fd, duration begun)
{
  s.ctx.notify_fork(execution_context::fork_prepare);
  const bool is_late = scheduler::current()->now() - begun >= close_progress::await_time;
  require(
    is_late || !kernel::current().is_open(fd), "what was submitted is open after the preparation");
}

void end_close(scene& s, calls& closed)
{
  s.ctx.run_until_called(closed);
  require_done(closed);
}

} // namespace

SCENARIO(told_child_with_a_close_under_way)
{
  calls closed;
  scene s;
  begin_close(s, closed);
  become_told_child(s);
  end_close(s, closed);
}

// The step that detaches is a handler that the child has a copy of.
SCENARIO(child_that_runs_the_step_of_a_close)
{
  calls closed;
  scene s;
  s.o->async_close(closed);
  become_child();
  end_close(s, closed);
}

WIDE_SCENARIO(told_child_with_a_close_that_may_block_under_way)
{
  calls closed;
  scene s(may_block);
  begin_close(s, closed);
  become_told_child(s);
  end_close(s, closed);
}

// The thread is in the kernel, where the descriptor is gone. Its number is free for what the child makes.
WIDE_SCENARIO(told_child_with_a_close_that_blocks)
{
  calls closed;
  scene s(may_block);
  kernel::current().at(s.fd).close_blocks = true;
  begin_close(s, closed);
  await_close_of(s.fd);
  become_told_child(s);
  end_close(s, closed);
}

// The delivery is the parent's.
SCENARIO(told_child_with_a_delivery_under_way)
{
  calls closed;
  scene s;
  kernel::current().at(s.fd).queued = 1;
  begin_close(s, closed, close_mode::deliver(milliseconds(50)));
  become_told_child(s);
  end_close(s, closed);
}

// The writes of the flush are the parent's: nothing ends it in the child.
SCENARIO(told_child_with_a_flush_under_way)
{
  calls written;
  calls closed;
  scene s;
  kernel::current().at(s.fd).is_writable = false;
  s.o->async_write(written);
  begin_close(s, closed, close_mode::deliver(std::chrono::hours(48)));
  become_told_child(s);
  s.ctx.run_until_called(written, closed);
  require_done(written);
  require_done(closed);
}

// The worker of the parent has both in its heap. In the child they wait for their leases.
WIDE_SCENARIO(told_child_with_two_flushes)
{
  calls written[2];
  calls closed[2];
  scene s;
  object other(s.ctx);
  const int fds[] = {s.fd, other.open()};
  object* const objects[] = {&*s.o, &other};
  interlock::fd_lease leases[2];
  for (std::size_t i = 0; i < 2; ++i)
  {
    kernel::current().at(fds[i]).is_writable = false;
    objects[i]->async_write(written[i]);
    leases[i] = objects[i]->get_core().lease();
    objects[i]->async_close(closed[i], close_mode::deliver(std::chrono::hours(48)));
  }
  s.ctx.run_queued();
  sleep(milliseconds(1), scheduler::limit::at_rest);
  become_told_child(s);
  sleep(milliseconds(1), scheduler::limit::at_rest);
  for (interlock::fd_lease& l : leases)
    l = interlock::fd_lease();
  s.ctx.run_until_called(written[0], written[1], closed[0], closed[1]);
  require_done(closed[0]);
  require_done(closed[1]);
}

// A handler whose executor is an immediate one runs inside the initiation. The child has this thread, which is inside
// until the initiation returns.
SCENARIO(child_that_forked_inside_an_initiation)
{
  scene s;
  auto& t = *s.o->get_core().current();
  require(t.enter() == interlock::detail::duty::none, "cannot enter");
  {
    const interlock::detail::inside_mark inside(t);
    become_told_child(s);
    s.o->close();
    require(kernel::current().is_open(s.fd), "a close under a thread that is inside");
  }
  t.leave();
  require(!kernel::current().is_open(s.fd), "the child has not closed its copy");
}

SCENARIO(child_that_closes_untold)
{
  scene s;
  become_child();
  s.o->close();
  require(!kernel::current().is_open(s.fd), "the child has not closed its copy");
}

// One of them adopts, and the other waits for that.
SCENARIO(threads_of_a_child_that_close_untold)
{
  scene s;
  object other(s.ctx);
  const int fd = other.open();
  become_child();
  thread second("second", [&] { other.close(); });
  s.o->close();
  second.join();
  require(!kernel::current().is_open(s.fd), "the child has not closed its copy");
  require(!kernel::current().is_open(fd), "the second thread has not closed its copy");
}

WIDE_SCENARIO(child_that_closes_untold_beside_a_close_under_way)
{
  calls closed;
  calls other_closed;
  scene s;
  object other(s.ctx);
  other.open();
  begin_close(s, closed);
  become_child();
  other.async_close(other_closed);
  s.ctx.run_until_called(closed, other_closed);
  require_done(closed);
  require_done(other_closed);
}

// The thread that closes is the parent's.
WIDE_SCENARIO(child_that_asks_for_statistics_untold)
{
  scene s(may_block);
  kernel::current().at(s.fd).close_is_held = true;
  s.o->close();
  await_close_of(s.fd);
  become_child();
  const auto& service = boost::asio::use_service<interlock::close_service>(s.ctx);
  require(service.statistics().elastic_threads == 0, "a thread of the parent is counted");
}

SCENARIO(child_that_opens_untold)
{
  calls closed;
  scene s;
  begin_close(s, closed);
  become_child();
  object other(s.ctx);
  other.open();
  end_close(s, closed);
}

// It is told after it has used the context, or is told twice.
SCENARIO(child_that_is_told_late_and_twice)
{
  calls closed;
  scene s;
  begin_close(s, closed);
  become_child();
  object other(s.ctx);
  other.open();
  s.ctx.notify_fork(execution_context::fork_child);
  s.ctx.notify_fork(execution_context::fork_child);
  end_close(s, closed);
}

SCENARIO(child_of_a_prepared_fork)
{
  calls closed;
  scene s;
  begin_close(s, closed);
  prepare_fork(s, s.fd, duration::zero());
  become_told_child(s);
  end_close(s, closed);
}

// A delivery is posted twice, and settled twice.
SCENARIO(child_of_a_fork_prepared_after_a_delivery)
{
  calls delivered;
  calls closed;
  scene s;
  object other(s.ctx);
  const int fd = other.open();
  kernel::current().at(s.fd).queued = 1;
  s.o->async_close(delivered, close_mode::deliver(milliseconds(50)));
  s.ctx.run_until_called(delivered);
  const auto begun = scheduler::current()->now();
  other.async_close(closed);
  s.ctx.run_queued();
  prepare_fork(s, fd, begun);
  become_told_child(s);
  end_close(s, closed);
}

SCENARIO(child_that_ends_its_context_untold)
{
  calls closed;
  scene s;
  begin_close(s, closed);
  become_child();
  s.ctx.stop_services();
  s.o.reset();
  require(closed.destroyed == 1, "the handler of a close is left over");
}

// The thread of the factory cannot be joined.
WIDE_SCENARIO(end_of_a_context_in_a_child_awaits_its_threads)
{
  const auto running = std::make_shared<unsigned>(0); // a thread may be left behind
  calls closed;
  context ctx;
  use_threads(ctx,
    [running](std::function<void()> f)
    {
      ++*running;
      interlock::detail::sys::thread(
        [running, own = std::move(f)]
        {
          own();
          --*running;
        })
        .detach();
      return interlock::detail::sys::thread();
    });
  object o(ctx);
  o.open(may_block);
  become_child();
  ctx.notify_fork(execution_context::fork_child);
  o.async_close(closed);
  ctx.run_until_called(closed);
  ctx.stop_services();
  require(*running == 0 || ctx.reactor().was_cut_short, "a thread of the library is left behind");
}

SCENARIO(child_of_a_child)
{
  calls closed;
  scene s;
  begin_close(s, closed);
  become_child();
  become_told_child(s);
  end_close(s, closed);
}

// The context is told by the library, as it has not been: first its older services, then the library's.
SCENARIO(child_of_an_older_service_that_forks_when_it_is_told)
{
  calls closed;
  context ctx;
  boost::asio::make_service<forking_service>(ctx, fork_and_tell);
  object o(ctx);
  o.open();
  o.async_close(closed);
  ctx.run_queued();
  become_child();
  object other(ctx);
  other.open();
  ctx.run_until_called(closed);
  require_done(closed);
}

SCENARIO(service_that_forks_when_it_is_told)
{
  calls closed;
  scene s;
  boost::asio::make_service<forking_service>(s.ctx, fork_as_parent);
  begin_close(s, closed);
  become_child();
  object other(s.ctx);
  other.open();
  end_close(s, closed);
}

SCENARIO(child_of_a_service_that_forks_when_it_is_told)
{
  calls closed;
  scene s;
  boost::asio::make_service<forking_service>(s.ctx, fork_and_tell);
  begin_close(s, closed);
  become_child();
  object other(s.ctx);
  other.open();
  {
    const thread forking("forking", [] { kernel::current().fork(); });
  }
  end_close(s, closed);
}

// Between the two forks the first child has adopted, and has a worker.
WIDE_SCENARIO(told_child_of_a_told_child)
{
  calls closed;
  scene s;
  begin_close(s, closed);
  become_told_child(s);
  become_told_child(s);
  end_close(s, closed);
}
