// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A context that goes while tenures of it are still there: every descriptor is closed, and
// close waiters are destroyed uninvoked by the shutdown, never by the worker.

#include <interlock/detail/tenure/tenure_base.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include <boost/test/unit_test.hpp>

#include "support/descriptors.hpp"
#include "support/probe_job.hpp"
#include "support/tenure_fixture.hpp"
#include "support/watched_thread.hpp"

using boost::system::error_code;
using interlock::detail::context_state;
using interlock::detail::duty;
using interlock::detail::handler_count;
using interlock::detail::phase;
using support::elsewhere;
using support::fake_close_waiter;
using mode = support::step_queue::mode;

namespace {

/// Keeps a shutdown between the closing of the gate and the first member.
class shutdown_hold
{
public:
  explicit shutdown_hold(context_state& shared)
    : shared_(shared),
      passing_(std::in_place, shared)
  {
  }

  /// Waits until the shutdown has come: the gate is closed, no member has ended.
  bool wait_reached()
  {
    return support::wait_until([this] { return gate_is_closed(); });
  }

  void go_on()
  {
    passing_.reset();
  }

private:
  // All parts of it: which one a pass uses depends on its address.
  bool gate_is_closed()
  {
    std::array<std::optional<context_state::pass>, 64> passes;
    return std::none_of(
      passes.begin(), passes.end(), [this](auto& p) { return bool(p.emplace(shared_)); });
  }

  context_state& shared_;
  std::optional<context_state::pass> passing_;
};

struct fixture : support::tenure_fixture
{
  fake_close_waiter first;
  fake_close_waiter second;

  std::thread::id shut_down_elsewhere()
  {
    return elsewhere([this] { shared->shut_down(support::patience); });
  }

  static void check_destroyed_uninvoked(const fake_close_waiter& c, std::thread::id where)
  {
    BOOST_TEST(c.completions() == 0);
    BOOST_TEST(c.destructions() == 1);
    BOOST_TEST((c.thread() == where));
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_tenure_shutdown, fixture)

BOOST_AUTO_TEST_CASE(what_is_open_is_closed)
{
  const std::thread::id shutdown = shut_down_elsewhere();
  BOOST_TEST(record.detaches == 1);
  BOOST_TEST((record.detacher == shutdown));
  BOOST_TEST(support::hung_up(far));
  BOOST_TEST(is(phase::ended));
  BOOST_TEST(record.context_drops == 1);
}

BOOST_AUTO_TEST_CASE(what_has_ended_lets_go_of_the_context)
{
  tenure->demand_detach();
  BOOST_TEST(becomes(phase::ended));
  BOOST_TEST(record.context_drops == 0);
  shut_down_elsewhere();
  BOOST_TEST(record.context_drops == 1);
  BOOST_TEST(record.frees == 0);
}

BOOST_AUTO_TEST_CASE(closers_that_wait_for_the_strand_are_destroyed_by_the_shutdown)
{
  handler_count step = begin_close(first);
  BOOST_TEST(join_close(second));
  const std::thread::id shutdown = shut_down_elsewhere();
  BOOST_TEST(support::hung_up(far));
  check_destroyed_uninvoked(first, shutdown);
  check_destroyed_uninvoked(second, shutdown);
  BOOST_TEST(record.frees == 0);
  make_step(std::move(step));
  BOOST_TEST(record.steps.posts() == 0);
}

BOOST_AUTO_TEST_CASE(closers_that_wait_for_a_handler_are_destroyed_by_the_shutdown)
{
  BOOST_TEST((tenure->enter_with_handler() == duty::none));
  tenure->leave();
  make_step(begin_close(first));
  BOOST_TEST(becomes(phase::closed));
  check_destroyed_uninvoked(first, shut_down_elsewhere());
  support::fake_tenure* t = tenure;
  destroy_object();
  BOOST_TEST(record.frees == 0);
  t->handler_done();
  BOOST_TEST(record.frees == 1);
  BOOST_TEST(record.steps.posts() == 0);
}

BOOST_AUTO_TEST_CASE(closers_whose_step_is_queued_are_destroyed_by_the_shutdown)
{
  make_step(begin_close(first));
  BOOST_TEST(wait_posted());
  check_destroyed_uninvoked(first, shut_down_elsewhere());
  record.steps.drop();
  BOOST_TEST(first.ends() == 1);
}

// A context may be run once more by what its shutdown destroys.
BOOST_AUTO_TEST_CASE(a_step_that_runs_after_the_shutdown_finds_no_waiter)
{
  make_step(begin_close(first));
  BOOST_TEST(wait_posted());
  check_destroyed_uninvoked(first, shut_down_elsewhere());
  record.steps.make();
  BOOST_TEST(first.ends() == 1);
}

BOOST_AUTO_TEST_CASE(closers_whose_step_can_never_be_posted_are_destroyed_by_the_shutdown)
{
  record.steps.set(mode::fail);
  make_step(begin_close(first));
  BOOST_TEST(support::wait_until([this] { return record.steps.posts() >= 2; }));
  check_destroyed_uninvoked(first, shut_down_elsewhere());
}

// The worker stands between the closing of the gate and the end of this tenure.
BOOST_AUTO_TEST_CASE(a_finisher_that_finds_the_gate_closed_leaves_the_closers_to_the_shutdown)
{
  shutdown_hold before_us(*shared);
  support::probe_job after_us;
  support::worker_hold hold(shared->worker());
  make_step(begin_close(first));
  shared->worker().submit(after_us, support::unasked(support::bad_fd));
  std::thread shutdown([this] { shared->shut_down(support::patience); });
  const std::thread::id shutdown_id = shutdown.get_id();
  BOOST_TEST(before_us.wait_reached());
  hold.go_on();
  BOOST_TEST(after_us.wait_closed());
  BOOST_TEST(is(phase::ended));
  BOOST_TEST(support::hung_up(far));
  BOOST_TEST(first.ends() == 0);
  BOOST_TEST(record.steps.posts() == 0);
  destroy_object();
  BOOST_TEST(record.frees == 0);
  before_us.go_on();
  shutdown.join();
  check_destroyed_uninvoked(first, shutdown_id);
  BOOST_TEST(record.frees == 1);
}

// The shutdown has passed this tenure by when the worker comes to it.
BOOST_AUTO_TEST_CASE(a_finisher_that_comes_after_the_shutdown_of_the_tenure_finds_no_waiter)
{
  support::worker_hold hold(shared->worker());
  make_step(begin_close(first));
  std::thread shutdown([this] { shared->shut_down(support::patience); });
  const std::thread::id shutdown_id = shutdown.get_id();
  BOOST_TEST(support::wait_until([this] { return first.ends() == 1; }));
  check_destroyed_uninvoked(first, shutdown_id);
  BOOST_TEST(is(phase::detached));
  hold.go_on();
  shutdown.join();
  BOOST_TEST(is(phase::ended));
  BOOST_TEST(support::hung_up(far));
  BOOST_TEST(record.steps.posts() == 0);
}

// The thread may use the reactor to the last.
BOOST_AUTO_TEST_CASE(the_shutdown_waits_for_a_thread_inside)
{
  BOOST_TEST((tenure->enter() == duty::none));
  int detaches = 0;
  support::watched_thread shutdown(
    [&]
    {
      shared->shut_down(support::patience);
      detaches = record.detaches;
    });
  BOOST_TEST(becomes(phase::due));
  BOOST_TEST(shutdown.comes_to_wait());
  tenure->leave();
  shutdown.join();
  BOOST_TEST(detaches == 1);
  BOOST_TEST((record.detacher == std::this_thread::get_id()));
}

BOOST_AUTO_TEST_CASE(the_shutdown_waits_for_a_thread_that_gives_the_descriptor_away)
{
  BOOST_TEST((tenure->begin_give_out() == duty::detach));
  support::watched_thread shutdown([&] { shared->shut_down(support::patience); });
  BOOST_TEST(shutdown.comes_to_wait());
  const support::fd ours(tenure->fd());
  tenure->gave_out();
  shutdown.join();
  BOOST_TEST(is(phase::ended));
}

// Threads inside of each are woken before any is waited for.
BOOST_AUTO_TEST_CASE(every_tenure_is_shut_down_before_one_is_waited_for)
{
  BOOST_TEST((tenure->enter() == duty::none));
  support::tenure_record record_of_newer;
  support::ends pipe = support::pipe_ends();
  auto* newer = new support::fake_tenure(shared, record_of_newer);
  BOOST_TEST_REQUIRE(shared->add(*newer));
  newer->put(pipe.near.release());
  newer->publish();
  BOOST_TEST((newer->enter() == duty::none));
  support::watched_thread shutdown([&] { shared->shut_down(support::patience); });
  BOOST_TEST(becomes(phase::due));
  BOOST_TEST(support::wait_until([&] { return newer->current_phase() == phase::due; }));
  newer->leave();
  tenure->leave();
  shutdown.join();
  newer->disown();
  BOOST_TEST(support::wait_until([&] { return record_of_newer.frees == 1; }));
}

BOOST_AUTO_TEST_CASE(a_tenure_is_not_published_after_the_shutdown)
{
  tenure->demand_detach();
  BOOST_TEST(becomes(phase::ended));
  BOOST_TEST(recycles());
  shut_down_elsewhere();
  BOOST_TEST(!tenure->publish());
  BOOST_TEST(is(phase::vacant));
}

BOOST_AUTO_TEST_CASE(a_thread_inside_for_longer_than_the_wait_closes_inline)
{
  BOOST_TEST((tenure->enter() == duty::none));
  shared->shut_down(std::chrono::milliseconds::zero());
  BOOST_TEST(is(phase::due));
  BOOST_TEST(support::is_fd_open(tenure->fd()));
  tenure->leave();
  BOOST_TEST((record.detacher == std::this_thread::get_id()));
  BOOST_TEST(support::hung_up(far));
  BOOST_TEST(is(phase::ended));
}

BOOST_AUTO_TEST_CASE(a_closer_that_comes_after_the_shutdown_keeps_its_handler)
{
  shut_down_elsewhere();
  BOOST_TEST(!join_close(first));
  interlock::detail::close_verdict v;
  BOOST_TEST(!tenure->outcome(v));
  BOOST_TEST(first.ends() == 0);
}

BOOST_AUTO_TEST_CASE(a_tenure_is_not_used_again_after_the_shutdown)
{
  tenure->demand_detach();
  BOOST_TEST(becomes(phase::ended));
  shut_down_elsewhere();
  BOOST_TEST(!tenure->recycle());
  BOOST_TEST(is(phase::ended));
}

BOOST_AUTO_TEST_CASE(a_tenure_that_was_freed_before_is_not_ended_by_the_shutdown)
{
  destroy_object();
  BOOST_TEST(support::wait_until([this] { return record.frees == 1; }));
  const int drops = record.context_drops;
  shut_down_elsewhere();
  BOOST_TEST(record.context_drops == drops);
}

// Threads leave, and the object goes, while the context is shut down.
BOOST_AUTO_TEST_CASE(everybody_may_go_at_once)
{
  BOOST_TEST((tenure->enter_with_handler() == duty::none));
  handler_count step = begin_close(first);
  BOOST_TEST(join_close(second));
  support::fake_tenure* t = tenure;
  std::thread leaver([t] { t->leave(); });
  std::thread handler([t] { t->handler_done(); });
  std::thread strand([&] { make_step(std::move(step)); });
  std::thread object([this] { destroy_object(); });
  std::thread shutdown([this] { shared->shut_down(support::patience); });
  for (std::thread* each : {&leaver, &handler, &strand, &object, &shutdown})
    each->join();
  if (record.steps.size() != 0)
    record.steps.make();
  BOOST_TEST(first.ends() == 1);
  BOOST_TEST(second.ends() == 1);
  BOOST_TEST(support::wait_until([this] { return record.frees == 1; }));
  BOOST_TEST(record.detaches == 1);
  BOOST_TEST(support::hung_up(far));
}

BOOST_AUTO_TEST_SUITE_END()
