// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The end of the worker, and what it does where it cannot begin: every descriptor is closed all the
// same, without waiting for anything.

#include <interlock/detail/closing/close_worker.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/lingering_socket.hpp"
#include "support/probe_job.hpp"
#include "support/wait_until.hpp"
#include "support/worker_fixture.hpp"

using interlock::detail::close_worker;
using interlock::detail::linger_setting;
using support::lingering_socket;
using support::probe_job;

namespace {

struct fixture : support::worker_fixture
{
  ~fixture()
  {
    worker->stop(support::patience);
  }

  /// Whether the worker takes no more jobs: one that is given to it is closed at once.
  bool is_stopped()
  {
    probes.emplace_back();
    worker->submit(probes.back(), {support::bad_fd});
    return probes.back().closes() != 0 && probes.back().thread() == std::this_thread::get_id();
  }

private:
  std::deque<probe_job> probes;
};

/// A connection whose close(2) blocks if the worker is not told to look: it lingers, and the peer does not
/// take what was sent.
struct stuck_socket
{
  support::ends tcp = support::tcp_ends();

  stuck_socket()
  {
    support::fill(tcp.near.get());
    support::set_linger(tcp.near, 60);
  }

  /// The peer resets the connection: nothing is left to wait for.
  void get_unstuck()
  {
    support::set_linger(tcp.far, 0);
    tcp.far.reset();
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_close_worker_stop, fixture)

BOOST_AUTO_TEST_CASE(a_worker_can_be_stopped_twice_and_without_having_begun)
{
  worker->stop(support::patience);
  worker->stop(support::patience);
  BOOST_TEST(is_stopped());
}

// The worker is held, so that the job is still queued when the worker is told to stop.
BOOST_AUTO_TEST_CASE(what_is_queued_is_closed_by_the_worker_without_linger)
{
  lingering_socket socket;
  probe_job job;
  support::worker_hold hold(*worker);
  BOOST_TEST_REQUIRE(hold.held());
  worker->submit(job, {socket.release()});
  std::thread stopper([this] { worker->stop(support::patience); });
  BOOST_TEST(support::wait_until([this] { return is_stopped(); }));
  BOOST_TEST(job.closes() == 0);
  BOOST_TEST(socket.lingers());
  hold.go_on();
  stopper.join();
  BOOST_TEST(job.closes() == 1);
  BOOST_TEST((job.thread() == hold.thread()));
  BOOST_TEST(!socket.lingers());
}

BOOST_AUTO_TEST_CASE(a_worker_in_a_hurry_closes_without_linger_and_goes_on)
{
  lingering_socket queued;
  lingering_socket later;
  probe_job jobs[2];
  {
    support::worker_hold hold(*worker);
    BOOST_TEST_REQUIRE(hold.held());
    worker->submit(jobs[0], {queued.release()});
    worker->hurry();
    BOOST_TEST(queued.lingers());
  }
  worker->submit(jobs[1], {later.release()});
  for (const probe_job& j : jobs)
  {
    BOOST_TEST(j.wait_closed());
    BOOST_TEST((j.thread() != std::this_thread::get_id()));
  }
  BOOST_TEST(!queued.lingers());
  BOOST_TEST(!later.lingers());
}

BOOST_AUTO_TEST_CASE(what_is_watched_expires_when_the_worker_stops)
{
  probe_job first;
  probe_job second;
  {
    support::worker_hold hold(*worker);
    BOOST_TEST(worker->watch(first));
    BOOST_TEST(worker->watch(second));
  }
  worker->stop(support::patience);
  BOOST_TEST(first.expiries() == 1);
  BOOST_TEST(second.expiries() == 1);
}

BOOST_AUTO_TEST_CASE(a_close_that_blocks_is_left_behind_and_the_stopping_thread_closes_the_queue)
{
  stuck_socket stuck;
  const int fd = stuck.tcp.near.get();
  probe_job blocked;
  worker->submit(blocked, {stuck.tcp.near.release(), linger_setting::unsupported()});
  // The descriptor is free as soon as close(2) has begun, long before it returns.
  BOOST_TEST(support::wait_until([&] { return !support::is_fd_open(fd); }));

  lingering_socket socket;
  probe_job queued;
  probe_job watched;
  worker->submit(queued, {socket.release()});
  BOOST_TEST(worker->watch(watched));
  worker->stop(std::chrono::milliseconds(1));
  BOOST_TEST(blocked.closes() == 0);
  BOOST_TEST(queued.closes() == 1);
  BOOST_TEST((queued.thread() == std::this_thread::get_id()));
  BOOST_TEST(!socket.lingers());
  BOOST_TEST(watched.expiries() == 1);
  BOOST_TEST((watched.thread() == std::this_thread::get_id()));

  stuck.get_unstuck();
  BOOST_TEST(blocked.wait_closed());
  BOOST_TEST((blocked.thread() != std::this_thread::get_id()));
}

// Otherwise the second wait would outlast the close, and that is over before the check.
BOOST_AUTO_TEST_CASE(a_thread_that_was_left_behind_is_not_waited_for_again)
{
  stuck_socket stuck;
  const int fd = stuck.tcp.near.get();
  probe_job blocked;
  worker->submit(blocked, {stuck.tcp.near.release(), linger_setting::unsupported()});
  BOOST_TEST(support::wait_until([&] { return !support::is_fd_open(fd); }));
  worker->stop(std::chrono::milliseconds(1));
  worker->stop(std::chrono::hours(1));
  BOOST_TEST(blocked.closes() == 0);
  stuck.get_unstuck();
  BOOST_TEST(blocked.wait_closed());
}

// The thread that was left behind has a share in the worker, whose owner is gone.
BOOST_AUTO_TEST_CASE(a_worker_lives_as_long_as_a_close_that_was_left_behind)
{
  stuck_socket stuck;
  const int fd = stuck.tcp.near.get();
  probe_job blocked;
  auto owned = std::make_shared<close_worker>();
  const std::weak_ptr<close_worker> remains = owned;
  owned->submit(blocked, {stuck.tcp.near.release(), linger_setting::unsupported()});
  BOOST_TEST(support::wait_until([&] { return !support::is_fd_open(fd); }));
  owned->stop(std::chrono::milliseconds(0));
  owned.reset();
  BOOST_TEST(!remains.expired());
  stuck.get_unstuck();
  BOOST_TEST(blocked.wait_closed());
  BOOST_TEST(support::wait_until([&] { return remains.expired(); }));
}

BOOST_AUTO_TEST_CASE(a_stopped_worker_closes_in_the_callers_thread_without_linger)
{
  worker->stop(support::patience);
  lingering_socket socket;
  probe_job job;
  worker->submit(job, {socket.release()});
  BOOST_TEST(job.closes() == 1);
  BOOST_TEST((job.thread() == std::this_thread::get_id()));
  BOOST_TEST(job.close_error() == 0);
  BOOST_TEST(!socket.lingers());
}

BOOST_AUTO_TEST_CASE(a_stopped_worker_watches_nothing)
{
  probe_job job;
  probe_job closed;
  worker->submit(closed, {support::bad_fd});
  BOOST_TEST(closed.wait_closed());
  worker->stop(support::patience);
  BOOST_TEST(!worker->watch(job));
  BOOST_TEST(!worker->watch_again(closed));
  worker->stop(support::patience);
  BOOST_TEST(job.expiries() == 0);
  BOOST_TEST(closed.expiries() == 0);
}

BOOST_AUTO_TEST_CASE(descriptors_that_come_while_the_worker_stops_are_each_closed_once)
{
  std::deque<probe_job> jobs(200);
  std::atomic<std::size_t> submitted{0};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 2; ++t)
    threads.emplace_back(
      [&, t]
      {
        for (std::size_t i = t; i < jobs.size(); i += 2, ++submitted)
          worker->submit(jobs[i], {support::pipe_ends().near.release()});
      });
  BOOST_TEST(support::wait_until([&] { return submitted > jobs.size() / 4; }));
  worker->stop(support::patience);
  for (std::thread& t : threads)
    t.join();
  for (const probe_job& j : jobs)
    BOOST_TEST((j.closes() == 1 && j.close_error() == 0));
}

BOOST_AUTO_TEST_CASE(without_a_descriptor_for_itself_it_closes_in_the_callers_thread)
{
  lingering_socket socket;
  probe_job job;
  probe_job watched;
  {
    const support::no_more_descriptors none;
    BOOST_TEST(!worker->watch(watched));
    worker->submit(job, {socket.release()});
    BOOST_TEST(job.closes() == 1);
  }
  BOOST_TEST((job.thread() == std::this_thread::get_id()));
  BOOST_TEST(job.close_error() == 0);
  BOOST_TEST(!socket.lingers());
  BOOST_TEST(watched.expiries() == 0);
}

BOOST_AUTO_TEST_CASE(a_worker_that_could_not_begin_does_so_with_the_next_job)
{
  support::ends pipe = support::pipe_ends();
  probe_job job;
  probe_job next;
  {
    const support::no_more_descriptors none;
    worker->submit(job, {support::bad_fd});
    BOOST_TEST((job.thread() == std::this_thread::get_id()));
  }
  worker->submit(next, {pipe.near.release()});
  BOOST_TEST(next.wait_closed());
  BOOST_TEST((next.thread() != std::this_thread::get_id()));
  BOOST_TEST(support::hung_up(pipe.far));
}

BOOST_AUTO_TEST_SUITE_END()
