// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Where most scenarios begin: one context with one open object.

#ifndef INTERLOCK_TEST_SCHEDULES_SCENE_HPP
#define INTERLOCK_TEST_SCHEDULES_SCENE_HPP

#include <memory>

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

  /// Runs handlers until `over()`, and those that are queued then.
  template <class Over>
  void run_until(Over over)
  {
    ctx.run_until(over);
  }
};

/// The close service of a context, with options of the scenario's own.
inline void use_options(context& c, const interlock::close_service::options& o)
{
  boost::asio::make_service<interlock::close_service>(c, o);
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

/// Uses the object's descriptor while it has a lease of it.
inline void use_a_lease(object& o)
{
  const interlock::fd_lease lease = o.get_core().lease();
  if (lease)
    kernel::current().touch(lease.get(), "use of a lease");
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
