// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The thread that runs close(2): what it is, when it watches, and its end. What it does beside other threads is walked by
// test/schedules.

#include <interlock/detail/closing/close_worker.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <signal.h>

#include <boost/test/unit_test.hpp>

#include "support/census.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/lingering_socket.hpp"
#include "support/probe_job.hpp"
#include "support/worker_fixture.hpp"

using interlock::detail::close_job;
using interlock::detail::close_worker;
using interlock::detail::close_worker_pointer;
using support::probe_job;

namespace {

/// The line of this thread's status in /proc that begins with `name`.
std::string status_of_this_thread(const std::string& name)
{
  std::ifstream file("/proc/thread-self/status");
  std::string word;
  while (file >> word)
    if (word == name + ":")
      return (file >> word) ? word : std::string();
  return std::string();
}

/// Every signal but those that cannot be blocked, and those that the C library keeps to itself.
std::uint64_t all_signals()
{
  std::uint64_t all = 0;
  for (int signal = 1; signal <= SIGRTMAX; ++signal)
    if (signal != SIGKILL && signal != SIGSTOP && (signal < 32 || signal >= SIGRTMIN))
      all |= std::uint64_t(1) << (signal - 1);
  return all;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_close_worker, support::worker_fixture)

BOOST_AUTO_TEST_CASE(nothing_is_made_before_there_is_something_to_close)
{
  const std::set<int> earlier = support::open_eventfds();
  BOOST_TEST(!support::has_workers());
  worker->stop(support::patience);
  BOOST_TEST(!support::has_workers());
  BOOST_TEST((support::open_eventfds() == earlier));

  const close_worker_pointer another(new close_worker, false);
  BOOST_TEST((support::open_eventfds() == earlier));
}

BOOST_AUTO_TEST_CASE(descriptors_from_many_threads_are_each_closed_once)
{
  std::deque<probe_job> jobs(200);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back(
      [this, &jobs, t]
      {
        for (std::size_t i = static_cast<std::size_t>(t); i < jobs.size(); i += 4)
          worker->submit(jobs[i], support::plain(support::pipe_ends().near.release()));
      });
  for (std::thread& t : threads)
    t.join();
  for (const probe_job& j : jobs)
    BOOST_TEST_REQUIRE(j.wait_closed());
  for (const probe_job& j : jobs)
    BOOST_TEST((j.closes() == 1 && j.close_error() == 0));
}

BOOST_AUTO_TEST_CASE(the_thread_is_named_and_has_every_signal_blocked)
{
  const std::string own_mask = status_of_this_thread("SigBlk");
  std::string name;
  std::string mask;
  probe_job job;
  job.on_closed = [&]
  {
    name = status_of_this_thread("Name");
    mask = status_of_this_thread("SigBlk");
  };
  worker->submit(job, support::plain(support::bad_fd));
  BOOST_TEST(job.wait_closed());
  BOOST_TEST(name == "interlock");
  BOOST_TEST_REQUIRE(!mask.empty());
  BOOST_TEST(std::stoull(mask, nullptr, 16) == all_signals());
  BOOST_TEST(status_of_this_thread("SigBlk") == own_mask);
}

BOOST_AUTO_TEST_CASE(the_descriptor_of_the_worker_is_not_inherited)
{
  const std::set<int> earlier = support::open_eventfds();
  probe_job job;
  worker->submit(job, support::plain(support::bad_fd));
  BOOST_TEST(job.wait_closed());
  std::set<int> made = support::open_eventfds();
  for (int fd : earlier)
    made.erase(fd);
  BOOST_TEST_REQUIRE(made.size() == 1u);
  BOOST_TEST((::fcntl(*made.begin(), F_GETFD) & FD_CLOEXEC) != 0);
}

BOOST_AUTO_TEST_CASE(watched_jobs_expire_on_the_worker_in_their_order_and_not_early)
{
  const auto begin = close_job::clock::now();
  const auto time = interlock::detail::worker_options().watch_time;
  probe_job jobs[3];
  std::vector<int> order;
  bool is_early = false;
  for (int i = 0; i < 3; ++i)
  {
    jobs[i].on_expired = [&, i]
    {
      order.push_back(i);
      is_early |= close_job::clock::now() - begin < time;
    };
    worker->watch(jobs[i]);
  }
  BOOST_TEST(jobs[2].wait_expired());
  BOOST_TEST(!is_early);
  BOOST_TEST((jobs[2].thread() != std::this_thread::get_id()));
  const std::vector<int> as_they_came{0, 1, 2};
  BOOST_TEST(order == as_they_came, boost::test_tools::per_element());
}

// --- The end of the worker.

// The worker is held, so that the job is still queued when the worker is told to stop.
BOOST_AUTO_TEST_CASE(what_is_posted_to_a_worker_that_is_held_up_is_done_by_the_stopping_thread)
{
  support::lingering_socket socket;
  probe_job job;
  probe_job watched;
  support::worker_hold hold(*worker);
  BOOST_TEST_REQUIRE(hold.held());
  worker->submit(job, support::unasked(socket.release()));
  worker->watch(watched);
  BOOST_TEST(socket.lingers());
  worker->stop(std::chrono::milliseconds(1));
  BOOST_TEST(job.closes() == 1);
  BOOST_TEST((job.thread() == std::this_thread::get_id()));
  BOOST_TEST(!socket.lingers());
  BOOST_TEST(watched.expiries() == 1);
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
          worker->submit(jobs[i], support::plain(support::pipe_ends().near.release()));
      });
  BOOST_TEST(support::wait_until([&] { return submitted > jobs.size() / 4; }));
  worker->stop(support::patience);
  for (std::thread& t : threads)
    t.join();
  for (const probe_job& j : jobs)
    BOOST_TEST((j.closes() == 1 && j.close_error() == 0));
}

BOOST_AUTO_TEST_SUITE_END()
