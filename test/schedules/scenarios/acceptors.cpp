// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Objects that have an address to themselves, and the connections that they accept.

#include <interlock/detail/members/accept.hpp>

#include "schedules/scene.hpp"

using namespace schedules;
using interlock::detail::close_progress;

namespace {

using acceptor = basic_object<inner_acceptor>;

/// What a connection is accepted into.
class accepted_object : public interlock::detail::bases::closing_members<object::core>
{
public:
  explicit accepted_object(context& c)
    : closing_members(c.get_executor())
  {
  }

  using closing_members::interlock_core_;

  bool is_open() const
  {
    return interlock_core_.is_open();
  }

  executor get_executor() const
  {
    return interlock_core_.get_executor();
  }
};

struct listening
{
  context ctx;
  acceptor o{ctx};
  int fd = o.open();
  accepted_object peer{ctx};

  void async_accept(calls& accepted)
  {
    interlock::detail::initiate_accept<acceptor::core>{&o.get_core()}(
      counting(accepted), &peer, static_cast<int*>(nullptr));
  }

  void connect() const
  {
    kernel::current().arrive(fd, 1);
  }
};

} // namespace

SCENARIO(address_is_free_when_a_close_returns)
{
  listening s;
  thread inside("inside", [&t = *s.o.get_core().current()] { pass_through(t); });
  s.o.close();
  require(
    !kernel::current().is_open(s.fd) || scheduler::current()->now() >= close_progress::await_time,
    "an address is in use after the close");
}

WIDE_SCENARIO(accept_beside_close)
{
  calls accepted;
  calls closed;
  listening s;
  s.async_accept(accepted);
  thread peer("peer", [&] { s.connect(); });
  s.o.async_close(last(closed, accepted));
  s.ctx.run_until_called(closed);
  require(accepted.ec.failed() != s.peer.is_open(), "an accepted connection is lost");
}

SCENARIO(accept_beside_shutdown)
{
  calls accepted;
  {
    listening s;
    thread other("other",
      [&]
      {
        s.async_accept(accepted);
        s.connect();
      });
    s.ctx.stop_services();
  }
  require_done(accepted);
}

// An accept without a descriptor waits once for the closes that are queued.
SCENARIO(accept_without_descriptors_beside_close)
{
  calls accepted;
  calls closed;
  listening s;
  object other(s.ctx);
  other.open();
  s.async_accept(accepted);
  kernel::current().refuse_descriptors(true);
  s.connect();
  thread closer("closer",
    [&]
    {
      other.async_close(closed);
      kernel::current().refuse_descriptors(false);
    });
  s.ctx.run_until_called(accepted, closed);
  require(accepted.ec.failed() != s.peer.is_open(), "an accepted connection is lost");
}

// What the library was not told of the listener is not known of the connection either.
SCENARIO(connection_of_a_listener_that_lingers)
{
  calls accepted;
  listening s;
  let_linger(s.o);
  s.async_accept(accepted);
  thread peer("peer", [&] { s.connect(); });
  s.ctx.run_until_called(accepted);
  s.peer.interlock_core_.close();
}
