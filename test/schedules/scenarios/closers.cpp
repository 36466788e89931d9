// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Closers of one object, two and three at a time.

#include "schedules/scene.hpp"

using namespace schedules;
using interlock::close_mode;
using std::chrono::milliseconds;

static void close_beside_an_async_close_of(const inner_protocol& p)
{
  calls read;
  calls closed;
  scene s(p);
  s.o->async_read(read);
  thread closer("closer", [&] { s.o->close(); });
  s.o->async_close(last(closed, read));
  s.ctx.run_until_called(closed);
}

SCENARIO(close_beside_async_close)
{
  close_beside_an_async_close_of(inner_protocol());
}

WIDE_SCENARIO(close_that_may_block_beside_async_close)
{
  close_beside_an_async_close_of(may_block);
}

// The call of async_close may not have returned in its thread.
SCENARIO(object_that_is_destroyed_in_the_handler_of_its_close)
{
  calls read;
  calls closed;
  scene s;
  s.o->async_read(read);
  thread closer("closer", [&] { s.o->async_close(doing(closed, [&] { s.o.reset(); })); });
  s.ctx.run_until_called(closed);
  require_done(read);
}

SCENARIO(two_closers_with_modes)
{
  calls first;
  calls second;
  scene s;
  thread other("other", [&] { s.o->async_close(second, close_mode::deliver(milliseconds(50))); });
  s.o->async_close(first, close_mode::abort());
  s.ctx.run_until_called(first, second);
  require_same_outcome(first, second);
}

SCENARIO(destructor_under_an_async_close)
{
  calls closed;
  scene s;
  auto handle = s.o->get_core().share_state();
  thread other("handle", [&] { handle->state().close(); });
  s.o->async_close(closed);
  s.o.reset();
  s.ctx.run_until_called(closed);
}

SCENARIO(retire_beside_open)
{
  scene s;
  thread other("retiring", [&] { s.o->get_core().retire(); });
  s.o->close();
  s.o->try_open();
  other.join();
  require(!s.o->get_core().is_open(), "a retired object is open");
  require(s.o->try_open() < 0, "a retired object can be opened");
}

SCENARIO(reopened_beside_a_handler)
{
  calls read;
  calls second;
  scene s;
  s.o->async_read(read);
  thread other("reopening",
    [&]
    {
      s.o->close();
      s.o->try_open();
      s.o->async_read(second);
    });
  s.ctx.run_until_called(read);
  other.join();
  s.o->close();
  s.ctx.run_until_called(second);
}

SCENARIO(closers_of_a_close_that_fails)
{
  calls first;
  calls second;
  scene s;
  kernel::current().at(s.fd).close_error = EIO;
  thread other("other", [&] { s.o->async_close(second, close_mode::immediate()); });
  s.o->async_close(first, close_mode::immediate());
  s.ctx.run_until_called(first, second);
  require_same_outcome(first, second);
  require(first.ec.value() == EIO, "a closer does not receive the error of close(2)");
}

SCENARIO(closers_of_a_close_that_blocks)
{
  calls first;
  calls second;
  scene s;
  kernel::current().at(s.fd).close_blocks = true;
  thread other("other", [&] { s.o->async_close(second); });
  s.o->async_close(first);
  s.ctx.run_until_called(first, second);
}

LARGE_SCENARIO(three_closers)
{
  calls first;
  calls second;
  scene s;
  auto handle = s.o->get_core().share_state();
  thread one("one", [&] { s.o->async_close(second, close_mode::abort()); });
  thread two("two", [&] { handle->state().close(); });
  s.o->async_close(first);
  s.ctx.run_until_called(first, second);
}

SCENARIO(cancelled_close)
{
  calls first;
  calls second;
  boost::asio::cancellation_signal signal;
  scene s;
  kernel::current().at(s.fd).queued = 1;
  s.o->async_close(cancellable(first, signal.slot()), close_mode::deliver(milliseconds(50)));
  thread canceller("canceller", [&] { signal.emit(boost::asio::cancellation_type::terminal); });
  s.o->async_close(second);
  s.ctx.run_until_called(first, second);
}

SCENARIO(closer_that_stops_waiting)
{
  calls first;
  calls second;
  boost::asio::cancellation_signal signal;
  scene s;
  s.o->async_close(first);
  s.o->async_close(cancellable(second, signal.slot()));
  thread canceller("canceller", [&] { signal.emit(boost::asio::cancellation_type::total); });
  s.ctx.run_until_called(first, second);
  require(!first.ec, "a closer has an error because another one waits no more");
}

SCENARIO(destructor_under_a_blocked_close)
{
  calls closed;
  scene s;
  kernel::current().at(s.fd).close_blocks = true;
  s.o->async_close(closed, close_mode::immediate());
  s.o.reset();
  s.ctx.run_until_called(closed);
}

SCENARIO(late_closer_beside_reopen)
{
  calls first;
  calls late;
  scene s;
  s.o->async_close(first);
  s.ctx.run_until_called(first);
  thread other("late", [&] { s.o->async_close(late); });
  s.o->open();
  s.ctx.run_until_called(late);
}

// The memory of the first tenure serves the third, which is of a borrowed descriptor: no mode is supported there.
WIDE_SCENARIO(closer_with_a_mode_beside_two_reopens)
{
  calls closed;
  scene s;
  int borrowed = -1;
  thread other("reopening",
    [&]
    {
      s.o->close();
      s.o->open();
      s.o->close();
      borrowed = s.o->try_open(inner_protocol(), true);
    });
  s.o->async_close(closed, close_mode::deliver(milliseconds(50)));
  s.ctx.run_until_called(closed);
  other.join();
  const bool is_of_borrowed = closed.report.outcome == interlock::close_outcome::detached;
  const bool is_refused = closed.ec == boost::asio::error::operation_not_supported;
  require(
    is_refused == is_of_borrowed, "another descriptor has decided whether a mode is supported");
  s.o.reset();
  kernel::current().close(borrowed);
}

// The first descriptor lingers. The third, in the same memory, does not, and its peer acknowledges nothing.
WIDE_SCENARIO(closer_of_a_lingering_descriptor_beside_two_reopens)
{
  calls closed;
  scene s;
  s.o->get_core().current()->set_linger(interlock::detail::linger_setting::on(7));
  thread other("reopening",
    [&]
    {
      s.o->close();
      await_close_of(s.fd);
      s.o->open();
      s.o->close();
      const int third = s.o->open();
      if (kernel::current().is_open(third))
        kernel::current().at(third).queued = 1;
    });
  s.o->async_close(closed);
  s.ctx.run_until_called(closed);
  other.join();
  require(scheduler::current()->now() < std::chrono::seconds(7),
    "a close waits because another descriptor lingers");
}

// The memory of the first tenure serves the third, of a borrowed descriptor, which is not closed.
SCENARIO(closer_after_a_close_that_failed)
{
  calls closed;
  scene s;
  kernel::current().at(s.fd).close_error = EIO;
  s.o->close();
  s.o->open();
  s.o->close();
  const int borrowed = s.o->try_open(inner_protocol(), true);
  thread closer("closer", [&] { s.o->async_close(closed); });
  s.ctx.run_until_called(closed);
  require(!closed.ec, "a closer receives the error of another close");
  closer.join();
  kernel::current().close(borrowed);
}
