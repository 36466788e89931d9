// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Where most scenarios begin: one context with one open object.

#ifndef INTERLOCK_TEST_SCHEDULES_SCENE_HPP
#define INTERLOCK_TEST_SCHEDULES_SCENE_HPP

#include <memory>
#include <utility>

#include <poll.h>

#include <interlock/close_service.hpp>
#include <interlock/fd_lease.hpp>

#include "schedules/object.hpp"
#include "schedules/scenario.hpp"

namespace schedules {

struct scene
{
  scene() = default;

  explicit scene(const inner_protocol& p)
    : protocol(p)
  {
  }

  const inner_protocol protocol;
  context ctx;
  std::unique_ptr<object> o = std::make_unique<object>(ctx);
  int fd = o->open(protocol);
};

/// Begins a close: the step that detaches has run.
template <class... Mode>
void begin_close(scene& s, calls& closed, const Mode&... mode)
{
  s.o->async_close(closed, mode...);
  s.ctx.run_queued();
}

/// The close service of a context, with options of the scenario's own.
inline void use_options(context& c, const interlock::close_service::options& o)
{
  boost::asio::make_service<interlock::close_service>(c, o);
}

/// With one thread for closes that can block.
inline interlock::close_service::options one_thread()
{
  interlock::close_service::options o;
  o.max_elastic_threads = 1;
  return o;
}

/// The close service of a context, with threads of the scenario's own.
inline void use_threads(context& c, interlock::detail::thread_factory make)
{
  interlock::close_service::options o;
  o.thread_factory = std::move(make);
  use_options(c, o);
}

/// A socket whose close can block, and does until it is let go.
inline int open_held(object& o)
{
  const int fd = o.open(may_block);
  kernel::current().at(fd).close_is_held = true;
  return fd;
}

inline void await_close_of(int fd)
{
  wait_until([fd] { return !kernel::current().is_open(fd); }, "close of a descriptor");
}

/// A synchronous read, which the end of the object ends.
inline void read_blocking(object& o)
{
  error_code ec;
  o.get_core().blocking(POLLIN, ec, [](auto& t, error_code& e) { return t.inner().read_some(e); });
  require(ec.failed(), "a blocked read ended without an error");
}

/// Enters a tenure, if that can be entered, and leaves it.
inline void pass_through(interlock::detail::tenure_base& t)
{
  if (t.enter() != interlock::detail::duty::none)
    return;
  scheduler::current()->point("inside", nullptr);
  t.leave();
}

/// Uses the object's descriptor while it has a lease of it.
inline void use_a_lease(object& o)
{
  const interlock::fd_lease lease = o.get_core().lease();
  if (lease)
    kernel::current().touch(lease.get(), "use of a lease");
}

/// A program that sets SO_LINGER past the library, by a lease if one can be had, while the peer acknowledges nothing.
template <class Object>
void let_linger(Object& o)
{
  const interlock::fd_lease lease = o.get_core().lease();
  if (!lease)
    return;
  file& f = kernel::current().touch(lease.get(), "setsockopt of the program");
  f.linger = {1, 5};
  f.queued = 1;
}

/// Takes the descriptor out of the object, if it can be had, and closes it at once.
inline void release_and_close(object& o)
{
  error_code ec;
  const int fd = o.get_core().release(ec);
  require(ec.failed() == (fd < 0), "a release without an error gave no descriptor");
  if (!ec)
    kernel::current().close(fd);
}

/// Closers of one close get one outcome.
inline void require_same_outcome(const calls& a, const calls& b)
{
  require(
    a.ec == b.ec && a.report.outcome == b.report.outcome, "closers of one close got two outcomes");
}

/// The context is gone: a handler that it did not call is destroyed.
inline void require_done(const calls& c)
{
  require(c.destroyed == 1, "a handler is neither called nor destroyed");
}

} // namespace schedules

#endif // INTERLOCK_TEST_SCHEDULES_SCENE_HPP
