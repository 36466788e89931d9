// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Many threads at once, for random schedules.

#include "schedules/scene.hpp"

using namespace schedules;
using interlock::close_mode;
using std::chrono::milliseconds;

LARGE_SCENARIO(everything_at_once)
{
  calls read;
  calls written;
  calls first;
  calls second;
  boost::asio::cancellation_signal signal;
  scene s;
  auto handle = s.o->get_core().share_state();
  s.o->async_read(cancellable(read, signal.slot()));
  {
    thread writer("writer", [&] { s.o->async_write(written); });
    thread canceller("canceller", [&] { signal.emit(boost::asio::cancellation_type::terminal); });
    thread user("user", [&] { use_a_lease(*s.o); });
    thread reader("reader", [&] { read_blocking(*s.o); });
    thread closer(
      "closer", [&] { s.o->async_close(first, close_mode::deliver(milliseconds(50))); });
    thread stronger("stronger", [&] { s.o->async_close(second, close_mode::abort()); });
    thread other("handle", [&] { handle->state().close(); });
    s.ctx.run_until_called(read, written, first, second);
    require_same_outcome(first, second);
  }
}

LARGE_SCENARIO(opened_again_and_again)
{
  std::array<calls, 3> reads;
  std::array<calls, 3> closes;
  scene s;
  auto handle = s.o->get_core().share_state();
  const auto in_time = [&](unsigned i) { return reads[i].called == 1 && closes[i].called == 1; };
  thread user("user", [&] { use_a_lease(*s.o); });
  thread other("handle", [&] { handle->state().close(); });
  for (unsigned i = 0; i != 3; ++i)
  {
    s.o->async_read(reads[i]);
    s.o->async_close(closes[i]);
    s.o->try_open();
  }
  s.ctx.run_until([&] { return in_time(0) && in_time(1) && in_time(2); });
}
