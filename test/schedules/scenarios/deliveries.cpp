// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Closes that wait for writes and for the peer.

#include "schedules/scene.hpp"

using namespace schedules;
using interlock::close_mode;
using interlock::close_outcome;
using std::chrono::milliseconds;

SCENARIO(flush_overtaken)
{
  calls written;
  calls first;
  calls second;
  {
    scene s;
    kernel::current().at(s.fd).is_writable = false;
    s.o->async_write(written);
    thread other("other", [&] { s.o->async_close(second, close_mode::abort()); });
    s.o->async_close(first, close_mode::graceful(milliseconds(50)));
    s.run_until([&] { return first.called == 1 && second.called == 1; });
    require_same_outcome(first, second);
    other.join();
    s.o.reset();
  }
}

SCENARIO(delivery_beside_the_peer)
{
  calls closed;
  {
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
    s.o->async_close(closed, close_mode::deliver(milliseconds(50)));
    s.run_until([&] { return closed.called == 1; });
    peer.join();
    require(closed.report.outcome == close_outcome::acknowledged
        || closed.report.outcome == close_outcome::timed_out,
      "a delivery that the peer acknowledges has another outcome");
    s.o.reset();
  }
}

SCENARIO(reset_beside_a_delivery)
{
  calls closed;
  {
    scene s;
    kernel::current().at(s.fd).queued = 10;
    thread peer("peer", [&] { kernel::current().reset(s.fd); });
    s.o->async_close(closed, close_mode::graceful(milliseconds(50)));
    s.run_until([&] { return closed.called == 1; });
    peer.join();
    require(closed.report.outcome == close_outcome::reset
        || closed.report.outcome == close_outcome::timed_out,
      "a delivery that the peer resets has another outcome");
    s.o.reset();
  }
}

SCENARIO(end_of_the_peer_beside_a_delivery)
{
  calls closed;
  {
    scene s;
    thread peer("peer", [&] { kernel::current().end_stream(s.fd); });
    s.o->async_close(closed, close_mode::graceful(milliseconds(50)));
    s.run_until([&] { return closed.called == 1; });
    peer.join();
    require(closed.report.outcome == close_outcome::peer_closed
        || closed.report.outcome == close_outcome::acknowledged,
      "a delivery whose peer ends its side has another outcome");
    s.o.reset();
  }
}

// The handler of a write begins the next one, which belongs to the flush as well.
SCENARIO(flush_beside_a_chain_of_writes)
{
  calls first;
  calls second;
  calls closed;
  {
    scene s;
    s.o->start<interlock::detail::initiate_send>(
      doing(first, [&] { s.o->async_write(second); }), 0, 0);
    thread closer(
      "closer", [&] { s.o->async_close(closed, close_mode::deliver(milliseconds(50))); });
    s.run_until([&] { return second.called == 1 && closed.called == 1; });
    closer.join();
    s.o.reset();
  }
}

SCENARIO(cancellation_beside_a_flush)
{
  calls written;
  calls closed;
  {
    boost::asio::cancellation_signal signal;
    scene s;
    kernel::current().at(s.fd).is_writable = false;
    s.o->start<interlock::detail::initiate_send>(cancellable(written, signal.slot()), 0, 0);
    thread canceller("canceller", [&] { signal.emit(boost::asio::cancellation_type::terminal); });
    s.o->async_close(closed, close_mode::deliver(milliseconds(50)));
    s.run_until([&] { return written.called == 1 && closed.called == 1; });
    canceller.join();
    s.o.reset();
  }
}

SCENARIO(destructor_under_a_flush)
{
  calls written;
  calls closed;
  {
    scene s;
    kernel::current().at(s.fd).is_writable = false;
    s.o->async_write(written);
    auto handle = s.o->get_core().share_state();
    thread other("handle", [&] { handle->state().close(); });
    s.o->async_close(closed, close_mode::deliver(milliseconds(50)));
    s.o.reset();
    s.run_until([&] { return closed.called == 1; });
    other.join();
  }
}

SCENARIO(shutdown_beside_a_delivery)
{
  calls closed;
  {
    scene s;
    kernel::current().at(s.fd).queued = 10;
    thread other("other", [&] { s.o->async_close(closed, close_mode::deliver(milliseconds(50))); });
    s.ctx.stop_services();
    other.join();
    s.o.reset();
  }
  require_done(closed);
}
