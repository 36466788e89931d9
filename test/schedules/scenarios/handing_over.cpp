// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Descriptors that leave an object in other ways than by close(2).

#include <optional>

#include <boost/system/system_error.hpp>

#include <interlock/detail/members/common_calls.hpp>

#include "schedules/scene.hpp"

using namespace schedules;
using interlock::close_mode;
using std::chrono::milliseconds;

namespace {

void read_inside(object& o)
{
  error_code ignored;
  o.get_core().inside(ignored, [](auto& t, error_code& e) { return t.inner().read_some(e); });
}

/// Another part of the program opens something as soon as the descriptor is free.
int open_after_close_of(int fd)
{
  await_close_of(fd);
  return kernel::current().open_strangers_socket();
}

} // namespace

SCENARIO(release_beside_a_handle)
{
  scene s;
  auto handle = s.o->get_core().share_state();
  thread other("handle", [&] { handle->state().close(); });
  release_and_close(*s.o);
}

SCENARIO(release_beside_retire)
{
  scene s;
  thread other("retiring", [&] { s.o->get_core().retire(); });
  release_and_close(*s.o);
}

SCENARIO(release_beside_a_lease)
{
  scene s;
  thread user("user", [&] { use_a_lease(*s.o); });
  release_and_close(*s.o);
}

SCENARIO(release_beside_a_cancellation)
{
  calls read;
  boost::asio::cancellation_signal signal;
  scene s;
  s.o->async_read(cancellable(read, signal.slot()));
  thread canceller("canceller", [&] { signal.emit(boost::asio::cancellation_type::terminal); });
  release_and_close(*s.o);
  s.ctx.run_until_called(read);
}

SCENARIO(release_beside_a_blocked_call)
{
  scene s;
  thread blocked("blocked", [&] { read_blocking(*s.o); });
  release_and_close(*s.o);
  s.o->close();
}

SCENARIO(release_beside_shutdown)
{
  scene s;
  thread other("releasing", [&] { release_and_close(*s.o); });
  s.ctx.stop_services();
}

SCENARIO(release_beside_async_close)
{
  calls read;
  calls first;
  calls second;
  scene s;
  error_code ec;
  s.o->async_read(read);
  thread closer("closer",
    [&]
    {
      s.o->async_close(first, close_mode::immediate());
      s.o->async_close(second, close_mode::immediate());
    });
  const int fd = s.o->get_core().release(ec);
  s.ctx.run_until_called(first, second);
  require_same_outcome(first, second);
  if (!ec)
    kernel::current().close(fd);
}

SCENARIO(release_beside_a_thread_inside)
{
  scene s;
  thread user("user", [&] { read_inside(*s.o); });
  release_and_close(*s.o);
}

// A call that sets a mode comes before the move, and its mode goes along, or is refused, or refuses the move.
SCENARIO(mode_set_beside_a_move)
{
  scene s;
  error_code set;
  thread setter(
    "setter", [&] { interlock::detail::functions::set_non_blocking(s.o->get_core(), true, set); });
  std::optional<inner_socket> given;
  interlock::detail::flag_values flags;
  try
  {
    given.emplace(s.o->get_core().give_away(flags));
  }
  catch (const boost::system::system_error& e)
  {
    require(e.code() == interlock::error::in_use, "a move is refused for another reason");
  }
  setter.join();
  if (given)
  {
    require(set.failed() || flags.non_blocking, "a mode that was set is lost by a move");
    error_code ignored;
    kernel::current().close(given->release(ignored));
  }
}

SCENARIO(released_and_closed_before_a_handler_has_run)
{
  calls read;
  calls closed;
  scene s;
  error_code ec;
  s.o->async_read(read);
  const int fd = s.o->get_core().release(ec);
  thread closer("closer", [&] { s.o->async_close(closed, close_mode::immediate()); });
  s.ctx.run_until_called(closed);
  require(closed.report.outcome == interlock::close_outcome::detached,
    "a closer of a released descriptor receives another outcome");
  kernel::current().close(fd);
}

SCENARIO(async_release_beside_close)
{
  calls released;
  scene s;
  thread closer("closer", [&] { s.o->close(); });
  s.o->async_release(released);
  s.ctx.run_until_called(released);
  if (released.value >= 0)
    kernel::current().close(released.value);
}

SCENARIO(async_release_beside_async_close)
{
  calls released;
  calls closed;
  scene s;
  thread closer("closer", [&] { s.o->async_close(closed); });
  s.o->async_release(released);
  s.ctx.run_until_called(released, closed);
  if (released.value >= 0)
    kernel::current().close(released.value);
}

SCENARIO(async_release_beside_a_lease)
{
  calls released;
  scene s;
  thread user("user", [&] { use_a_lease(*s.o); });
  s.o->async_release(released);
  s.ctx.run_until_called(released);
  kernel::current().close(released.value);
}

SCENARIO(async_release_beside_shutdown)
{
  calls released;
  {
    scene s;
    thread other("releasing", [&] { s.o->async_release(released); });
    s.ctx.stop_services();
  }
  require_done(released);
}

SCENARIO(lease_beside_async_close)
{
  calls closed;
  scene s;
  thread user("user", [&] { use_a_lease(*s.o); });
  s.o->async_close(closed);
  s.ctx.run_until_called(closed);
}

SCENARIO(lease_beside_reopen)
{
  scene s;
  thread user("user", [&] { use_a_lease(*s.o); });
  s.o->close();
  s.o->open();
}

SCENARIO(lease_beside_shutdown)
{
  scene s;
  thread user("user", [&] { use_a_lease(*s.o); });
  s.ctx.stop_services();
}

SCENARIO(handles_async_close_beside_release)
{
  calls closed;
  scene s;
  auto handle = s.o->get_core().share_state();
  thread other("handle", [&] { async_close(*handle, s.ctx, closed); });
  release_and_close(*s.o);
  s.ctx.run_until_called(closed);
}

SCENARIO(handles_async_close_beside_the_destructor)
{
  calls closed;
  scene s;
  auto handle = s.o->get_core().share_state();
  thread other("handle", [&] { async_close(*handle, s.ctx, closed); });
  s.o.reset();
  s.ctx.run_until_called(closed);
}

SCENARIO(stranger_beside_close)
{
  calls read;
  scene s;
  s.o->async_read(read);
  int strangers = -1;
  thread stranger("stranger", [&] { strangers = open_after_close_of(s.fd); });
  thread user("user", [&] { read_inside(*s.o); });
  s.o->close();
  s.ctx.run_until_called(read);
  user.join();
  stranger.join();
  s.o.reset();
  kernel::current().close_strangers_socket(strangers);
}

SCENARIO(stranger_beside_a_delivery)
{
  calls closed;
  scene s;
  kernel::current().at(s.fd).queued = 1;
  int strangers = -1;
  thread stranger("stranger", [&] { strangers = open_after_close_of(s.fd); });
  s.o->async_close(closed, close_mode::deliver(milliseconds(50)));
  s.ctx.run_until_called(closed);
  stranger.join();
  s.o.reset();
  kernel::current().close_strangers_socket(strangers);
}

SCENARIO(lease_of_a_borrowed_descriptor_beside_close)
{
  scene s;
  object o(s.ctx);
  const int borrowed = o.try_open(inner_protocol(), true);
  thread user("user", [&] { use_a_lease(o); });
  o.close();
  user.join();
  require(kernel::current().is_open(borrowed), "a borrowed descriptor is closed");
  kernel::current().close(borrowed);
}
