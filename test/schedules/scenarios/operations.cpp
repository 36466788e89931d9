// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Operations beside a close.

#include "schedules/scene.hpp"

using namespace schedules;
using std::chrono::milliseconds;

SCENARIO(operation_beside_close)
{
  calls read;
  calls written;
  scene s;
  thread user("user",
    [&]
    {
      s.o->async_read(read);
      s.o->async_write(written);
    });
  s.o->close();
  s.ctx.run_until_called(read, written);
}

SCENARIO(cancellation_beside_close)
{
  calls read;
  boost::asio::cancellation_signal signal;
  scene s;
  s.o->async_read(cancellable(read, signal.slot()));
  thread canceller("canceller", [&] { signal.emit(boost::asio::cancellation_type::terminal); });
  s.o->close();
  s.ctx.run_until_called(read);
}

SCENARIO(arrival_beside_close)
{
  calls read;
  calls closed;
  scene s;
  s.o->async_read(read);
  thread peer("peer", [&] { kernel::current().arrive(s.fd, 5); });
  s.o->async_close(last(closed, read));
  s.ctx.run_until_called(closed);
}

SCENARIO(handler_elsewhere_beside_close)
{
  calls read;
  calls closed;
  context other;
  scene s;
  s.o->async_read(elsewhere(read, other.get_executor()));
  thread runner("runner", [&] { other.run_until_called(read); });
  s.o->async_close(last(closed, read));
  s.ctx.run_until_called(closed);
}

// The thread that starts the read is inside still when the handler closes.
SCENARIO(inline_handler_that_closes)
{
  calls read;
  scene s;
  kernel::current().at(s.fd).reads_inline = true;
  thread closer("closer", [&] { s.o->close(); });
  s.o->async_read(doing(read, [&] { s.o->close(); }));
  s.ctx.run_until_called(read);
}

SCENARIO(two_blocked_calls_beside_close)
{
  scene s;
  thread first("first reader", [&] { read_blocking(*s.o); });
  thread second("second reader", [&] { read_blocking(*s.o); });
  s.o->close();
}

SCENARIO(two_threads_run_the_handlers)
{
  calls read;
  calls closed;
  scene s;
  s.o->async_read(read);
  s.o->async_close(last(closed, read));
  const auto over = [&] { return closed.called == 1; };
  thread runner("runner", [&] { s.ctx.run_until(over); });
  s.ctx.run_until(over);
}

SCENARIO(blocked_call_beside_async_close)
{
  calls closed;
  scene s;
  thread blocked("blocked", [&] { read_blocking(*s.o); });
  s.o->async_close(closed);
  s.ctx.run_until_called(closed);
}

// No thread runs the step, nor does the library take the close over.
WIDE_SCENARIO(blocked_call_that_ends_before_the_step)
{
  calls closed;
  interlock::close_service::options options;
  options.takeover = std::chrono::hours(48);
  context ctx;
  use_options(ctx, options);
  object o(ctx);
  o.open();
  {
    thread blocked("blocked", [&] { read_blocking(o); });
    o.async_close(closed);
  }
  ctx.run_until_called(closed);
}

// What a handler starts is of the connection that the handler is of.
SCENARIO(chain_beside_reopen)
{
  calls first;
  calls second;
  scene s;
  kernel::current().at(s.fd).input = 1;
  s.o->async_read(doing(first, [&] { s.o->async_read(second); }));
  thread other("reopening",
    [&]
    {
      s.o->close();
      kernel::current().at(s.o->open()).input = 5;
    });
  s.ctx.run_until_called(first, second);
  require(second.ec.failed(), "a chain of reads goes on over another connection");
}

SCENARIO(blocked_call_beside_retire)
{
  scene s;
  auto handle = s.o->get_core().share_state();
  thread blocked("blocked", [&] { read_blocking(*s.o); });
  handle->state().retire();
}

// Without an eventfd the blocked thread looks from time to time whether it is to end.
SCENARIO(blocked_call_without_descriptors)
{
  scene s;
  kernel::current().refuse_descriptors(true);
  thread blocked("blocked", [&] { read_blocking(*s.o); });
  s.o->close();
}

SCENARIO(cancellation_beside_async_close)
{
  calls read;
  calls closed;
  boost::asio::cancellation_signal signal;
  scene s;
  s.o->async_read(cancellable(read, signal.slot()));
  thread canceller("canceller", [&] { signal.emit(boost::asio::cancellation_type::terminal); });
  s.o->async_close(last(closed, read));
  s.ctx.run_until_called(closed);
}

// The signal is that of an operation whose object has been opened again.
SCENARIO(cancellation_beside_reopen)
{
  calls read;
  calls second;
  boost::asio::cancellation_signal signal;
  scene s;
  s.o->async_read(cancellable(read, signal.slot()));
  thread canceller("canceller", [&] { signal.emit(boost::asio::cancellation_type::terminal); });
  s.o->close();
  s.o->open();
  s.o->async_read(second);
  s.ctx.run_until_called(read);
  canceller.join();
  require(second.called == 0, "a signal has cancelled another operation than its own");
  s.o->close();
  s.ctx.run_until_called(second);
}

// The signal is that of a close of the first tenure, whose memory serves the third.
WIDE_SCENARIO(cancellation_beside_two_reopens)
{
  calls closed;
  boost::asio::cancellation_signal signal;
  scene s;
  s.o->async_close(cancellable(closed, signal.slot()));
  s.ctx.run_until_called(closed);
  thread canceller("canceller", [&] { signal.emit(boost::asio::cancellation_type::terminal); });
  s.o->open();
  s.o->close();
  s.o->open();
  canceller.join();
  require(s.o->get_core().is_open(), "a signal has closed another connection than its own");
}

// The second wait has the event that has woken the first.
SCENARIO(blocked_call_after_one_that_was_woken)
{
  scene s;
  object second(s.ctx);
  second.open();
  thread blocked("blocked",
    [&]
    {
      read_blocking(*s.o);
      read_blocking(second);
    });
  s.o->close();
  sleep(milliseconds(1));
  second.close();
}
