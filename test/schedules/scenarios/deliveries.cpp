// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Closes that wait for writes and for the peer.

#include "schedules/scene.hpp"

using namespace schedules;
using interlock::close_mode;
using interlock::close_outcome;
using std::chrono::milliseconds;

namespace {

// Longer than a run: what waits for it waits without end.
constexpr std::chrono::hours no_deadline(48);

/// Begins a close that waits for a write, which waits for room in the kernel.
void begin_flush(object& o, int fd, calls& written, calls& closed,
  const close_mode& mode = close_mode::deliver(no_deadline))
{
  kernel::current().at(fd).is_writable = false;
  o.async_write(written);
  o.async_close(closed, mode);
}

} // namespace

SCENARIO(flush_overtaken)
{
  calls written;
  calls first;
  calls second;
  scene s;
  kernel::current().at(s.fd).is_writable = false;
  s.o->async_write(written);
  thread other("other", [&] { s.o->async_close(second, close_mode::abort()); });
  s.o->async_close(first, close_mode::graceful(milliseconds(50)));
  s.ctx.run_until_called(first, second);
  require_same_outcome(first, second);
}

SCENARIO(delivery_beside_the_peer)
{
  calls closed;
  scene s;
  file& f = kernel::current().at(s.fd);
  f.queued = 10;
  thread peer("peer",
    [&]
    {
      scheduler::current()->point("acknowledgement", nullptr);
      if (kernel::current().is_open(s.fd))
      {
        kernel::current().at(s.fd).queued = 0;
        kernel::current().changed(s.fd);
      }
    });
  s.o->async_close(closed, close_mode::deliver(no_deadline));
  s.ctx.run_until_called(closed);
  peer.join();
  require(closed.report.outcome == close_outcome::acknowledged,
    "a delivery that the peer acknowledges has another outcome");
}

// The peer acknowledges nothing.
WIDE_SCENARIO(stronger_closer_of_a_delivery)
{
  calls first;
  calls second;
  scene s;
  kernel::current().at(s.fd).queued = 1;
  s.o->async_close(first, close_mode::deliver(no_deadline));
  thread other("other", [&] { s.o->async_close(second, close_mode::immediate()); });
  s.ctx.run_until_called(first, second);
  require_same_outcome(first, second);
}

WIDE_SCENARIO(plain_closer_of_a_delivery)
{
  calls first;
  calls second;
  scene s;
  kernel::current().at(s.fd).queued = 1;
  s.o->async_close(first, close_mode::deliver(no_deadline));
  thread other("other", [&] { s.o->async_close(second); });
  s.ctx.run_until_called(first, second);
}

// The program's SO_LINGER has the close wait for the peer until another closer does not.
SCENARIO(stronger_closer_of_a_lingering_close)
{
  calls closed;
  scene s;
  kernel::current().at(s.fd).queued = 1;
  kernel::current().at(s.fd).linger = {1, 65535};
  s.o->get_core().current()->set_linger(interlock::detail::linger_setting::on(65535));
  s.o->close();
  thread other("other", [&] { s.o->async_close(closed, close_mode::immediate()); });
  s.ctx.run_until_called(closed);
  require(scheduler::current()->now() < std::chrono::seconds(60000),
    "a close lingers although a stronger closer does not wait");
}

SCENARIO(reset_beside_a_delivery)
{
  calls closed;
  scene s;
  kernel::current().at(s.fd).queued = 10;
  thread peer("peer", [&] { kernel::current().reset(s.fd); });
  s.o->async_close(closed, close_mode::graceful(milliseconds(50)));
  s.ctx.run_until_called(closed);
  peer.join();
  require(closed.report.outcome == close_outcome::reset
      || closed.report.outcome == close_outcome::timed_out,
    "a delivery that the peer resets has another outcome");
}

SCENARIO(end_of_the_peer_beside_a_delivery)
{
  calls closed;
  scene s;
  thread peer("peer", [&] { kernel::current().end_stream(s.fd); });
  s.o->async_close(closed, close_mode::graceful(milliseconds(50)));
  s.ctx.run_until_called(closed);
  peer.join();
  require(closed.report.outcome == close_outcome::peer_closed
      || closed.report.outcome == close_outcome::acknowledged,
    "a delivery whose peer ends its side has another outcome");
}

// The handler of a write begins the next one, which belongs to the flush as well.
SCENARIO(flush_beside_a_chain_of_writes)
{
  calls first;
  calls second;
  calls closed;
  scene s;
  s.o->async_write(doing(first, [&] { s.o->async_write(second); }));
  thread closer("closer", [&] { s.o->async_close(closed, close_mode::deliver(no_deadline)); });
  s.ctx.run_until_called(second, closed);
  require(!second.ec, "a write of a chain is refused");
}

SCENARIO(write_beside_a_flush)
{
  calls first;
  calls second;
  calls closed;
  scene s;
  begin_flush(*s.o, s.fd, first, closed);
  thread newcomer("newcomer",
    [&]
    {
      s.o->async_write(second);
      kernel::current().make_room(s.fd);
    });
  s.ctx.run_until_called(first, second, closed);
  require(!first.ec, "a flush has ended before its write");
  require(second.ec.failed(), "a newcomer is let into a flush");
}

// The memory of the first tenure serves the third.
WIDE_SCENARIO(close_after_a_flush_that_has_refused_a_write)
{
  calls written;
  calls refused;
  calls first;
  calls third;
  scene s;
  begin_flush(*s.o, s.fd, written, first);
  s.o->async_write(refused);
  kernel::current().make_room(s.fd);
  s.ctx.run_until_called(written, refused, first);
  require(first.report.refused_writes == 1, "a refused write is not counted");
  s.o->open();
  s.o->close();
  s.o->open();
  thread closer("closer", [&] { s.o->async_close(third, close_mode::immediate()); });
  s.ctx.run_until_called(third);
  require(third.report.refused_writes == 0, "a write is counted that another flush has refused");
}

// The memory of the first tenure serves the third, but not before the worker has forgotten the first flush.
SCENARIO(object_used_again_beside_the_end_of_a_flush)
{
  calls written;
  calls first;
  calls second;
  calls again;
  calls third;
  scene s;
  begin_flush(*s.o, s.fd, written, first);
  s.ctx.run_queued();
  s.o->async_close(second, close_mode::abort());
  kernel::current().reset(s.fd);
  s.ctx.run_until_called(written, first, second);
  s.o->open();
  s.o->close();
  begin_flush(*s.o, s.o->open(), again, third,
    close_mode::deliver(no_deadline).progress_timeout(milliseconds(50)));
  s.ctx.run_until_called(again, third);
}

SCENARIO(close_beside_a_flush)
{
  calls written;
  calls closed;
  scene s;
  begin_flush(*s.o, s.fd, written, closed);
  thread other("other",
    [&]
    {
      s.o->close();
      kernel::current().make_room(s.fd);
    });
  s.ctx.run_until_called(written, closed);
  require(!written.ec, "a close has ended a flush");
}

// The second write receives nothing: see inner_socket.
SCENARIO(two_writes_and_a_reset_beside_a_flush)
{
  calls first;
  calls second;
  calls closed;
  scene s;
  kernel::current().at(s.fd).is_writable = false;
  s.o->async_write(first);
  s.o->async_write(second);
  kernel::current().reset(s.fd);
  thread closer("closer", [&] { s.o->async_close(closed, close_mode::deliver(no_deadline)); });
  s.ctx.run_until_called(first, second, closed);
  require(second.ec == boost::asio::error::operation_aborted, "a write without an end has one");
  require(closed.report.outcome == close_outcome::reset, "a reset is not reported");
}

SCENARIO(flush_that_stalls)
{
  calls written;
  calls closed;
  scene s;
  kernel::current().at(s.fd).is_writable = false;
  s.o->async_write(written);
  thread closer("closer",
    [&] {
      s.o->async_close(closed, close_mode::deliver(no_deadline).progress_timeout(milliseconds(50)));
    });
  s.ctx.run_until_called(written, closed);
  require(written.ec == boost::asio::error::operation_aborted, "a flush that stalls goes on");
}

SCENARIO(cancellation_beside_a_flush)
{
  calls written;
  calls closed;
  boost::asio::cancellation_signal signal;
  scene s;
  kernel::current().at(s.fd).is_writable = false;
  s.o->async_write(cancellable(written, signal.slot()));
  thread canceller("canceller", [&] { signal.emit(boost::asio::cancellation_type::terminal); });
  s.o->async_close(closed, close_mode::deliver(milliseconds(50)));
  s.ctx.run_until_called(written, closed);
}

SCENARIO(destructor_under_a_flush)
{
  calls written;
  calls closed;
  scene s;
  kernel::current().at(s.fd).is_writable = false;
  s.o->async_write(written);
  auto handle = s.o->get_core().share_state();
  thread other("handle", [&] { handle->state().close(); });
  s.o->async_close(closed, close_mode::deliver(milliseconds(50)));
  s.o.reset();
  s.ctx.run_until_called(closed);
}

SCENARIO(shutdown_beside_a_delivery)
{
  calls closed;
  {
    scene s;
    kernel::current().at(s.fd).queued = 10;
    thread other("other", [&] { s.o->async_close(closed, close_mode::deliver(milliseconds(50))); });
    s.ctx.stop_services();
  }
  require_done(closed);
}
