// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The worker waits before it closes: plans and demands of jobs, SO_LINGER, and the time in which
// writes run to their end. Without Asio.

#include <interlock/detail/closing/close_worker.hpp>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <deque>
#include <memory>
#include <thread>

#include <boost/test/unit_test.hpp>

#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/lingering_socket.hpp"
#include "support/probe_job.hpp"
#include "support/tcp_facts.hpp"
#include "support/worker_fixture.hpp"

using interlock::close_mode;
using interlock::close_outcome;
using interlock::detail::close_job;
using interlock::detail::close_lead;
using interlock::detail::close_plan;
using interlock::detail::linger_setting;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr seconds long_enough(60);

/// A job that shows what the worker knows of it, with writes whose progress the test invents.
class planned_job final : public close_job
{
public:
  mutable std::atomic<unsigned> steps{0};
  std::atomic<unsigned> step{0}; // further with every look
  std::atomic<int> queue{1 << 20};
  std::atomic<int> queue_step{0};

  bool wait_closed() const
  {
    return support::wait_until([this] { return closes_ != 0; });
  }

  bool wait_expired() const
  {
    return support::wait_until([this] { return expiries_ != 0; });
  }

  int closes() const
  {
    return closes_;
  }

  int expiries() const
  {
    return expiries_;
  }

  std::thread::id thread() const
  {
    return thread_;
  }

  bool is(close_outcome o) const
  {
    return wait_closed() && report().outcome == o;
  }

private:
  void keep_memory() noexcept override
  {
    holds_.keep_memory();
  }

  void drop_memory() noexcept override
  {
    holds_.drop_memory();
  }

  void shut_down() noexcept override {}

  bool has_left_reactor() const noexcept override
  {
    return true;
  }

  void after_fork() noexcept override {}

  void closed() noexcept override
  {
    thread_ = std::this_thread::get_id();
    ++closes_;
  }

  void overdue() noexcept override
  {
    BOOST_ERROR("no detach is watched here");
  }

  void flush_over() noexcept override
  {
    ++expiries_;
  }

  void retry() noexcept override
  {
    BOOST_ERROR("nothing is tried again here");
  }

  void retry_never() noexcept override
  {
    retry();
  }

  int flush_queue() noexcept override
  {
    return queue -= queue_step;
  }

  unsigned flush_steps() const noexcept override
  {
    return steps += step;
  }

  std::thread::id thread_;
  std::atomic<int> closes_{0};
  std::atomic<int> expiries_{0};
  support::memory_holds holds_;
};

struct fixture : support::worker_fixture
{
  support::ends tcp = support::narrow_tcp_ends();
  std::size_t sent = support::fill(tcp.near.get());
  support::fd copy{support::checked(::dup(tcp.near.get()), "dup")};
  const int original = tcp.near.get();
  planned_job job;

  void demand(const close_mode& mode)
  {
    job.lead(close_lead::mode);
    join(mode);
  }

  void join(const close_mode& mode)
  {
    worker->demand(job, mode, std::make_unique<close_plan>(mode));
  }

  void submit(linger_setting linger = linger_setting::unsupported())
  {
    worker->submit(job, support::unasked(tcp.near.release(), linger));
  }

  bool is_delivering()
  {
    return support::wait_tcp_state(copy, TCP_FIN_WAIT1);
  }

  /// With an engine, which watches it, and without a FIN.
  bool is_lingering()
  {
    return support::wait_until([this] { return !support::watchers_of(original).empty(); })
      && support::tcp_state_of(copy) == TCP_ESTABLISHED;
  }

  void check_delivered()
  {
    BOOST_TEST(is_delivering());
    BOOST_TEST(job.closes() == 0);
    support::taken got;
    BOOST_TEST(got.take_all(tcp.far));
    BOOST_TEST(got.bytes == sent);
    BOOST_TEST(job.is(close_outcome::acknowledged));
    BOOST_TEST((job.thread() != std::this_thread::get_id()));
  }

  void check_lingers()
  {
    BOOST_TEST(is_lingering());
    BOOST_TEST(job.closes() == 0);
    support::taken got;
    BOOST_TEST(support::wait_until([&] { return got.take(tcp.far), job.closes() != 0; }));
    BOOST_TEST(job.is(close_outcome::acknowledged));
    BOOST_TEST(job.has_lingered());
    BOOST_TEST(support::tcp_state_of(copy) == TCP_ESTABLISHED);
    copy.reset();
    BOOST_TEST(got.take_all(tcp.far));
    BOOST_TEST((got.ended && got.bytes == sent));
  }

  /// Of a flush that makes progress.
  void check_expires_at_the_deadline()
  {
    const auto begin = close_job::clock::now();
    demand(close_mode::deliver(milliseconds(60)).progress_timeout(milliseconds(5)));
    worker->watch_flush(job);
    BOOST_TEST(job.wait_expired());
    BOOST_TEST((close_job::clock::now() - begin >= milliseconds(60)));
    submit();
    BOOST_TEST(job.is(close_outcome::timed_out));
    BOOST_TEST(job.expiries() == 1);
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_close_worker_delivery, fixture)

BOOST_AUTO_TEST_CASE(a_plan_is_carried_out)
{
  demand(close_mode::deliver(long_enough));
  submit();
  check_delivered();
}

BOOST_AUTO_TEST_CASE(a_job_without_a_plan_waits_for_no_peer)
{
  submit();
  BOOST_TEST(job.is(close_outcome::closed));
  BOOST_TEST(!job.has_lingered());
}

BOOST_AUTO_TEST_CASE(a_close_while_others_are_delivered_is_not_held_up)
{
  demand(close_mode::graceful(long_enough));
  submit();
  BOOST_TEST(is_delivering());
  support::ends pipe = support::pipe_ends();
  planned_job other;
  worker->submit(other, support::unasked(pipe.near.release()));
  BOOST_TEST(other.wait_closed());
  BOOST_TEST(job.closes() == 0);
  worker->demand(job, close_mode::abort());
  BOOST_TEST(job.is(close_outcome::aborted));
}

BOOST_AUTO_TEST_CASE(the_strongest_of_the_demands_before_the_submit_holds)
{
  demand(close_mode::graceful(long_enough));
  demand(close_mode::immediate());
  demand(close_mode::deliver(long_enough));
  submit();
  BOOST_TEST(job.is(close_outcome::closed));
}

BOOST_AUTO_TEST_CASE(a_plain_demand_ends_the_waiting)
{
  demand(close_mode::graceful(long_enough));
  submit();
  BOOST_TEST(is_delivering());
  worker->demand_plainly(job);
  BOOST_TEST(job.is(close_outcome::closed));
  BOOST_TEST(job.report().unacknowledged != 0u);
}

BOOST_AUTO_TEST_CASE(the_plan_of_a_joiner_of_a_plain_close_is_for_the_report)
{
  join(close_mode::graceful(long_enough));
  submit();
  BOOST_TEST(job.is(close_outcome::closed));
}

BOOST_AUTO_TEST_CASE(a_plain_demand_counts_although_it_comes_before_the_plan)
{
  worker->demand_plainly(job);
  demand(close_mode::graceful(long_enough));
  submit();
  BOOST_TEST(job.is(close_outcome::closed));
}

BOOST_AUTO_TEST_CASE(a_plain_demand_of_what_was_to_be_delivered_does_not_linger_in_the_kernel)
{
  support::set_linger(tcp.near, 60);
  demand(close_mode::deliver(long_enough));
  worker->demand_plainly(job);
  submit(linger_setting::unknown());
  BOOST_TEST(job.is(close_outcome::closed));
}

BOOST_AUTO_TEST_CASE(a_demand_after_the_end_changes_nothing)
{
  demand(close_mode::deliver(milliseconds(1)));
  submit();
  BOOST_TEST(job.is(close_outcome::timed_out));
  demand(close_mode::abort());
  worker->demand_plainly(job);
  BOOST_TEST(job.is(close_outcome::timed_out));
}

BOOST_AUTO_TEST_CASE(a_descriptor_that_is_not_the_jobs_is_detached)
{
  demand(close_mode::graceful(long_enough));
  worker->submit(job, support::unasked(interlock::detail::no_descriptor));
  BOOST_TEST(job.is(close_outcome::detached));
}

// --- SO_LINGER.

BOOST_AUTO_TEST_CASE(a_time_to_linger_is_delivered)
{
  submit(linger_setting::on(5));
  check_lingers();
}

BOOST_AUTO_TEST_CASE(a_plan_that_is_the_options_is_no_mode)
{
  const auto mode = interlock::detail::lingering_mode(5);
  job.lead(close_lead::linger);
  join(mode);
  submit(linger_setting::on(5));
  check_lingers();
}

BOOST_AUTO_TEST_CASE(a_time_on_the_descriptor_is_found)
{
  support::set_linger(tcp.near, 5);
  submit(linger_setting::unknown());
  check_lingers();
}

// For ever: getsockopt(2) tells it truncated.
BOOST_AUTO_TEST_CASE(a_negative_time_on_the_descriptor_is_found)
{
  support::set_linger(tcp.near, -1);
  submit(linger_setting::unknown());
  check_lingers();
}

BOOST_AUTO_TEST_CASE(a_time_of_nothing_is_an_abort)
{
  submit(linger_setting::on(0));
  BOOST_TEST(job.is(close_outcome::aborted));
  BOOST_TEST(!job.has_lingered());
}

BOOST_AUTO_TEST_CASE(an_immediate_mode_does_not_linger)
{
  support::set_linger(tcp.near, 60);
  demand(close_mode::immediate());
  submit(linger_setting::on(60));
  BOOST_TEST(job.is(close_outcome::closed));
}

BOOST_AUTO_TEST_CASE(a_plain_joiner_leaves_the_lingering_alone)
{
  submit(linger_setting::on(60));
  BOOST_TEST(is_lingering());
  worker->demand_plainly(job);
  check_lingers();
}

BOOST_AUTO_TEST_CASE(an_abort_overtakes_the_lingering)
{
  submit(linger_setting::on(60));
  BOOST_TEST(is_lingering());
  worker->demand(job, close_mode::abort());
  BOOST_TEST(job.is(close_outcome::aborted));
}

BOOST_AUTO_TEST_CASE(lingering_is_over_when_the_worker_stops)
{
  submit(linger_setting::on(60));
  BOOST_TEST(is_lingering());
  worker->stop(support::patience);
  BOOST_TEST(job.is(close_outcome::closed));
  BOOST_TEST(support::tcp_state_of(copy) == TCP_ESTABLISHED);
}

// --- The end of the worker, and where there is none.

BOOST_AUTO_TEST_CASE(deliveries_are_over_when_the_worker_stops)
{
  demand(close_mode::graceful(long_enough));
  submit();
  BOOST_TEST(is_delivering());
  worker->stop(support::patience);
  BOOST_TEST(job.closes() == 1);
  BOOST_TEST(job.is(close_outcome::closed));
}

BOOST_AUTO_TEST_CASE(a_worker_that_waits_for_nothing_when_told_to_stop_leaves_no_delivery)
{
  demand(close_mode::graceful(long_enough));
  submit();
  BOOST_TEST(is_delivering());
  worker->stop(milliseconds(0));
  BOOST_TEST(job.is(close_outcome::closed));
}

BOOST_AUTO_TEST_CASE(after_the_stop_nothing_is_delivered)
{
  worker->stop(support::patience);
  demand(close_mode::graceful(long_enough));
  submit(linger_setting::on(60));
  BOOST_TEST(job.closes() == 1);
  BOOST_TEST(job.is(close_outcome::closed));
  BOOST_TEST((job.thread() == std::this_thread::get_id()));
}

BOOST_AUTO_TEST_CASE(after_the_stop_a_time_of_nothing_is_an_abort_all_the_same)
{
  worker->stop(support::patience);
  copy.reset();
  submit(linger_setting::on(0));
  BOOST_TEST(job.is(close_outcome::aborted));
  support::taken got;
  BOOST_TEST(got.take_all(tcp.far));
  BOOST_TEST(got.error == ECONNRESET);
}

BOOST_AUTO_TEST_CASE(in_a_hurry_nothing_is_delivered)
{
  worker->hurry();
  demand(close_mode::graceful(long_enough));
  submit();
  BOOST_TEST(job.is(close_outcome::closed));
}

// --- Writes that run to their end.

BOOST_AUTO_TEST_CASE(a_flush_expires_at_the_deadline_although_it_makes_progress)
{
  job.step = 1;
  check_expires_at_the_deadline();
}

BOOST_AUTO_TEST_CASE(a_queue_that_becomes_shorter_is_progress)
{
  job.queue_step = 1;
  check_expires_at_the_deadline();
}

// Closes by the hundred, each of which calls for the next.
BOOST_AUTO_TEST_CASE(a_flood_of_closes_keeps_no_deadline_waiting)
{
  demand(close_mode::deliver(milliseconds(20)));
  submit();
  BOOST_TEST(is_delivering());
  std::atomic<bool> over{false};
  std::thread flood(
    [&]
    {
      while (!over)
      {
        std::deque<planned_job> others(256);
        for (planned_job& other : others)
          worker->submit(other, support::plain(interlock::detail::no_descriptor));
        for (planned_job& other : others)
          other.wait_closed();
      }
    });
  BOOST_TEST(job.is(close_outcome::timed_out));
  over = true;
  flood.join();
}

BOOST_AUTO_TEST_CASE(a_flush_expires_when_it_makes_no_progress)
{
  demand(close_mode::deliver(long_enough).progress_timeout(milliseconds(5)));
  worker->watch_flush(job);
  BOOST_TEST(job.wait_expired());
  submit();
  BOOST_TEST(job.is(close_outcome::timed_out));
}

BOOST_AUTO_TEST_CASE(a_stronger_mode_shortens_a_flush)
{
  demand(close_mode::graceful(long_enough));
  worker->watch_flush(job);
  worker->demand(job, close_mode::deliver(milliseconds(5)));
  BOOST_TEST(job.wait_expired());
  submit();
  BOOST_TEST(job.is(close_outcome::timed_out));
}

BOOST_AUTO_TEST_CASE(a_flush_that_is_over_does_not_expire)
{
  demand(close_mode::deliver(milliseconds(20)));
  worker->watch_flush(job);
  submit();
  BOOST_TEST(job.is(close_outcome::timed_out));
  BOOST_TEST(job.expiries() == 0);
}

BOOST_AUTO_TEST_CASE(a_flush_expires_when_the_worker_stops)
{
  demand(close_mode::graceful(long_enough));
  worker->watch_flush(job);
  worker->stop(support::patience);
  BOOST_TEST(job.expiries() == 1);
  submit();
  BOOST_TEST(job.is(close_outcome::closed));
}

BOOST_AUTO_TEST_SUITE_END()
