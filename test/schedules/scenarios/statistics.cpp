// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What a context tells of its objects while threads open and close them.

#include <vector>

#include "schedules/scene.hpp"

using namespace schedules;
using interlock::close_in_progress;
using interlock::close_service;
using interlock::close_statistics;

namespace {

const close_service& service_of(context& c)
{
  return boost::asio::use_service<close_service>(c);
}

void require_nothing_left(context& c)
{
  const close_statistics s = service_of(c).statistics();
  require(s.open == 0 && s.closing() == 0, "what was closed counts as open or closing");
  require(s.opened == s.closed(), "what was opened has not ended");
}

} // namespace

WIDE_SCENARIO(statistics_beside_closes)
{
  calls closed;
  scene s;
  object second(s.ctx);
  second.open();
  thread reader("reader",
    [&]
    {
      const close_statistics seen = service_of(s.ctx).statistics();
      require(seen.opened == 2 && seen.closed() <= 2, "more was closed than has been opened");
      for (const close_in_progress& c : service_of(s.ctx).closes_in_progress())
        require(c.descriptor >= 0, "a close in progress has no descriptor");
    });
  s.o->close();
  second.async_close(closed);
  s.ctx.run_until_called(closed);
  reader.join();
  require_nothing_left(s.ctx);
}

SCENARIO(release_is_counted)
{
  scene s;
  thread other("other", [&] { release_and_close(*s.o); });
  s.o->close();
  other.join();
  require_nothing_left(s.ctx);
}

SCENARIO(statistics_beside_reopen)
{
  scene s;
  thread reader("reader",
    [&]
    {
      for (const close_in_progress& c : service_of(s.ctx).closes_in_progress())
        require(c.age >= duration::zero() && c.age <= scheduler::current()->now(),
          "a close is older than the run");
    });
  s.o->close();
  s.o->open();
  s.o->close();
  reader.join();
  require_nothing_left(s.ctx);
}

// The lease keeps the close in progress, and its age begins with the close.
SCENARIO(age_of_a_close)
{
  scene s;
  sleep(std::chrono::seconds(5));
  auto lease = std::make_unique<interlock::fd_lease>(s.o->get_core().lease());
  s.o->close();
  const std::vector<close_in_progress> all = service_of(s.ctx).closes_in_progress();
  require(all.size() == 1, "a close that waits for a lease is not in progress");
  require(all.front().descriptor == s.fd && all.front().leases == 1,
    "a close in progress has another descriptor, or another number of leases");
  require(all.front().age <= scheduler::current()->now() - std::chrono::seconds(5),
    "a close is older than the run");
  lease.reset();
  require(!kernel::current().is_open(s.fd), "the end of the lease does not close");
  require_nothing_left(s.ctx);
}

WIDE_SCENARIO(statistics_at_the_cap)
{
  context ctx;
  use_options(ctx, one_thread());
  object a(ctx);
  object b(ctx);
  const int held = open_held(a);
  const int queued = b.open(may_block);
  a.close();
  await_close_of(held);
  thread other("other", [&] { b.close(); });
  const close_statistics seen = service_of(ctx).statistics();
  require(seen.elastic_threads == 1, "a thread that closes is not counted");
  require(seen.waiting_for_threads <= 1, "more closes wait than there are");
  kernel::current().let_go(held);
  await_close_of(queued);
}
