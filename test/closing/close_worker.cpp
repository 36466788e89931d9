// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The thread that runs close(2): what it is, in which order it closes, and what it tells.

#include <interlock/detail/closing/close_worker.hpp>

#include <cerrno>
#include <cstdint>
#include <deque>
#include <fstream>
#include <memory>
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

BOOST_AUTO_TEST_CASE(a_descriptor_is_closed_and_the_job_told_once_and_elsewhere)
{
  support::ends pipe = support::pipe_ends();
  const int fd = pipe.near.get();
  probe_job job;
  bool open_when_told = true;
  job.on_closed = [&] { open_when_told = support::is_fd_open(fd); };
  worker->submit(job, support::plain(pipe.near.release()));
  BOOST_TEST(job.wait_closed());
  BOOST_TEST(!open_when_told);
  BOOST_TEST(job.close_error() == 0);
  BOOST_TEST((job.thread() != std::this_thread::get_id()));
  BOOST_TEST(support::hung_up(pipe.far));

  // Whatever the worker had still to do with the job, it has done by the time of another.
  probe_job another;
  support::ends other = support::pipe_ends();
  worker->submit(another, support::plain(other.near.release()));
  BOOST_TEST(another.wait_closed());
  BOOST_TEST(job.closes() == 1);
  BOOST_TEST(job.expiries() == 0);
}

BOOST_AUTO_TEST_CASE(the_job_is_told_the_error_of_close)
{
  probe_job job;
  worker->submit(job, support::plain(support::bad_fd));
  BOOST_TEST(job.wait_closed());
  BOOST_TEST(job.close_error() == EBADF);
}

BOOST_AUTO_TEST_CASE(a_job_can_be_used_for_another_descriptor)
{
  probe_job job;
  worker->submit(job, support::plain(support::bad_fd));
  BOOST_TEST(job.wait_closed());
  job.reset();
  BOOST_TEST(job.close_error() == 0);
  support::ends pipe = support::pipe_ends();
  worker->submit(job, support::plain(pipe.near.release()));
  BOOST_TEST(support::wait_until([&] { return job.closes() == 2; }));
  BOOST_TEST(job.close_error() == 0);
  BOOST_TEST(support::hung_up(pipe.far));
}

BOOST_AUTO_TEST_CASE(descriptors_are_closed_in_the_order_in_which_they_come)
{
  constexpr int count = 5;
  support::ends pipes[count];
  probe_job jobs[count];
  std::vector<int> order;
  {
    support::worker_hold hold(*worker);
    BOOST_TEST(hold.held());
    for (int i = 0; i < count; ++i)
    {
      pipes[i] = support::pipe_ends();
      jobs[i].on_closed = [&order, i] { order.push_back(i); };
      worker->submit(jobs[i], support::plain(pipes[i].near.release()));
    }
    BOOST_TEST(order.empty());
  }
  for (const probe_job& j : jobs)
    BOOST_TEST(j.wait_closed());
  const std::vector<int> as_they_came{0, 1, 2, 3, 4};
  BOOST_TEST(order == as_they_came, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_worker_that_sleeps_is_woken_each_time)
{
  for (int i = 0; i < 100; ++i)
  {
    support::ends pipe = support::pipe_ends();
    probe_job job;
    worker->submit(job, support::plain(pipe.near.release()));
    BOOST_TEST_REQUIRE(job.wait_closed());
  }
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

BOOST_AUTO_TEST_CASE(linger_is_left_alone_where_the_option_is_not_to_be_asked)
{
  support::lingering_socket socket;
  probe_job job;
  worker->submit(
    job, support::plain(socket.release(), interlock::detail::linger_setting::unsupported()));
  BOOST_TEST(job.wait_closed());
  BOOST_TEST(socket.lingers());
}

BOOST_AUTO_TEST_SUITE_END()
