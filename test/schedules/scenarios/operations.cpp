// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Operations beside a close.

#include "schedules/scene.hpp"

using namespace schedules;
using interlock::close_mode;
using std::chrono::milliseconds;

SCENARIO(operation_beside_close)
{
  calls read;
  calls written;
  {
    scene s;
    thread user("user",
      [&]
      {
        s.o->async_read(read);
        s.o->async_write(written);
      });
    s.o->close();
    s.run_until([&] { return read.called == 1 && written.called == 1; });
    user.join();
    s.o.reset();
  }
}

SCENARIO(blocked_call_beside_close)
{
  {
    scene s;
    thread blocked("blocked", [&] { read_blocking(*s.o); });
    s.o->close();
    blocked.join();
    s.o.reset();
  }
}

SCENARIO(cancellation_beside_close)
{
  calls read;
  {
    boost::asio::cancellation_signal signal;
    scene s;
    s.o->start<interlock::detail::initiate_read>(cancellable(read, signal.slot()), 0);
    thread canceller("canceller", [&] { signal.emit(boost::asio::cancellation_type::terminal); });
    s.o->close();
    s.run_until([&] { return read.called == 1; });
    canceller.join();
    s.o.reset();
  }
}

SCENARIO(arrival_beside_close)
{
  calls read;
  calls closed;
  {
    scene s;
    s.o->async_read(read);
    thread peer("peer", [&] { kernel::current().arrive(s.fd, 5); });
    s.o->start<interlock::detail::initiate_close>(last(closed, read));
    s.run_until([&] { return closed.called == 1; });
    peer.join();
    s.o.reset();
  }
}

SCENARIO(handler_elsewhere_beside_close)
{
  calls read;
  calls closed;
  {
    context other;
    scene s;
    s.o->start<interlock::detail::initiate_read>(elsewhere(read, other.get_executor()), 0);
    thread runner("runner", [&] { other.run_until([&] { return read.called == 1; }); });
    s.o->start<interlock::detail::initiate_close>(last(closed, read));
    s.run_until([&] { return closed.called == 1; });
    runner.join();
    s.o.reset();
  }
}

// The thread that starts the read is inside still when the handler closes.
SCENARIO(inline_handler_that_closes)
{
  calls read;
  {
    scene s;
    kernel::current().at(s.fd).reads_inline = true;
    thread closer("closer", [&] { s.o->close(); });
    s.o->start<interlock::detail::initiate_read>(doing(read, [&] { s.o->close(); }), 0);
    s.run_until([&] { return read.called == 1; });
    closer.join();
    s.o.reset();
  }
}

SCENARIO(two_blocked_calls_beside_close)
{
  {
    scene s;
    thread first("first reader", [&] { read_blocking(*s.o); });
    thread second("second reader", [&] { read_blocking(*s.o); });
    s.o->close();
    second.join();
    first.join();
    s.o.reset();
  }
}

SCENARIO(two_threads_run_the_handlers)
{
  calls read;
  calls closed;
  {
    scene s;
    s.o->async_read(read);
    s.o->start<interlock::detail::initiate_close>(last(closed, read));
    const auto over = [&] { return closed.called == 1; };
    thread runner("runner", [&] { s.ctx.run_until(over); });
    s.ctx.run_until(over);
    runner.join();
    s.o.reset();
  }
}

SCENARIO(blocked_call_beside_async_close)
{
  calls closed;
  {
    scene s;
    thread blocked("blocked", [&] { read_blocking(*s.o); });
    s.o->async_close(closed);
    s.run_until([&] { return closed.called == 1; });
    blocked.join();
    s.o.reset();
  }
}

// What a handler starts is of the connection that the handler is of.
SCENARIO(chain_beside_reopen)
{
  calls first;
  calls second;
  scene s;
  kernel::current().at(s.fd).input = 1;
  s.o->start<interlock::detail::initiate_read>(doing(first, [&] { s.o->async_read(second); }), 0);
  thread other("reopening",
    [&]
    {
      s.o->close();
      kernel::current().at(s.o->open()).input = 5;
    });
  s.run_until([&] { return first.called == 1 && second.called == 1; });
  require(second.ec.failed(), "a chain of reads goes on over another connection");
}

SCENARIO(blocked_call_beside_retire)
{
  {
    scene s;
    auto handle = s.o->get_core().share_state();
    thread blocked("blocked", [&] { read_blocking(*s.o); });
    handle->state().retire();
    blocked.join();
    s.o.reset();
  }
}

// Without an eventfd the blocked thread looks from time to time whether it is to end.
SCENARIO(blocked_call_without_descriptors)
{
  {
    scene s;
    kernel::current().refuse_descriptors(true);
    thread blocked("blocked", [&] { read_blocking(*s.o); });
    s.o->close();
    blocked.join();
    s.o.reset();
  }
}

SCENARIO(cancellation_beside_async_close)
{
  calls read;
  calls closed;
  {
    boost::asio::cancellation_signal signal;
    scene s;
    s.o->start<interlock::detail::initiate_read>(cancellable(read, signal.slot()), 0);
    thread canceller("canceller", [&] { signal.emit(boost::asio::cancellation_type::terminal); });
    s.o->start<interlock::detail::initiate_close>(last(closed, read));
    s.run_until([&] { return closed.called == 1; });
    canceller.join();
    s.o.reset();
  }
}

// The signal is that of an operation whose object has been opened again.
SCENARIO(cancellation_beside_reopen)
{
  calls read;
  calls second;
  {
    boost::asio::cancellation_signal signal;
    scene s;
    s.o->start<interlock::detail::initiate_read>(cancellable(read, signal.slot()), 0);
    thread canceller("canceller", [&] { signal.emit(boost::asio::cancellation_type::terminal); });
    s.o->close();
    s.o->open();
    s.o->async_read(second);
    s.run_until([&] { return read.called == 1; });
    canceller.join();
    require(second.called == 0, "a signal has cancelled another operation than its own");
    s.o->close();
    s.run_until([&] { return second.called == 1; });
    s.o.reset();
  }
}
