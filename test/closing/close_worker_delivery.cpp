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

struct fixture : support::worker_fixture
{
  support::ends tcp = support::narrow_tcp_ends();
  std::size_t sent = support::fill(tcp.near.get());
  support::fd copy{support::checked(::dup(tcp.near.get()), "dup")};
  const int original = tcp.near.get();
  support::probe_job job;

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

/// What the program has set on the descriptor (0: nothing), what the object was told, and what closers ask for before the
/// submit.
struct situation
{
  const char* shows;
  int on_descriptor;
  linger_setting told;
  void (*ask)(fixture&);
  close_outcome outcome; // acknowledged: it has lingered
};

void nothing(fixture&) {}

// getsockopt(2) tells a negative time, which is for ever, truncated.
const situation situations[] = {
  {"a job without a plan waits for no peer", 0, linger_setting::unsupported(), nothing,
    close_outcome::closed},
  {"the strongest of the demands holds", 0, linger_setting::unsupported(),
    [](fixture& f)
    {
      f.demand(close_mode::graceful(long_enough));
      f.demand(close_mode::immediate());
      f.demand(close_mode::deliver(long_enough));
    },
    close_outcome::closed},
  {"the plan of a joiner of a plain close is for the report", 0, linger_setting::unsupported(),
    [](fixture& f) { f.join(close_mode::graceful(long_enough)); }, close_outcome::closed},
  {"a plain demand counts although it comes before the plan, and nothing lingers in the kernel", 60,
    linger_setting::unknown(),
    [](fixture& f)
    {
      f.worker->demand_plainly(f.job);
      f.demand(close_mode::graceful(long_enough));
    },
    close_outcome::closed},
  {"an immediate mode does not linger", 60, linger_setting::on(60),
    [](fixture& f) { f.demand(close_mode::immediate()); }, close_outcome::closed},
  {"a time of nothing is an abort", 0, linger_setting::on(0), nothing, close_outcome::aborted},
  {"a time that the object was told", 0, linger_setting::on(5), nothing,
    close_outcome::acknowledged},
  {"a plan that is the option's is no mode", 0, linger_setting::on(5),
    [](fixture& f)
    {
      f.job.lead(close_lead::linger);
      f.join(interlock::detail::lingering_mode(5));
    },
    close_outcome::acknowledged},
  {"a time on the descriptor is found", 5, linger_setting::unknown(), nothing,
    close_outcome::acknowledged},
  {"a negative time on the descriptor is found", -1, linger_setting::unknown(), nothing,
    close_outcome::acknowledged},
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_close_worker_delivery)

BOOST_FIXTURE_TEST_CASE(a_plan_is_carried_out, fixture)
{
  demand(close_mode::deliver(long_enough));
  submit();
  BOOST_TEST(is_delivering());
  support::ends pipe = support::pipe_ends();
  support::probe_job other;
  worker->submit(other, support::unasked(pipe.near.release()));
  BOOST_TEST(other.wait_closed()); // although this one is delivered meanwhile
  check_delivered();
}

BOOST_AUTO_TEST_CASE(the_option_lingers_unless_a_closer_is_stronger)
{
  for (const situation& s : situations)
    BOOST_TEST_CONTEXT(s.shows)
    {
      fixture f;
      if (s.on_descriptor != 0)
        support::set_linger(f.tcp.near, s.on_descriptor);
      s.ask(f);
      f.submit(s.told);
      if (s.outcome == close_outcome::acknowledged)
        f.check_lingers();
      BOOST_TEST(f.job.is(s.outcome));
      BOOST_TEST(f.job.has_lingered() == (s.outcome == close_outcome::acknowledged));
    }
}

BOOST_FIXTURE_TEST_CASE(a_demand_after_the_end_changes_nothing, fixture)
{
  demand(close_mode::deliver(milliseconds(1)));
  submit();
  BOOST_TEST(job.is(close_outcome::timed_out));
  demand(close_mode::abort());
  worker->demand_plainly(job);
  BOOST_TEST(job.is(close_outcome::timed_out));
}

// --- SO_LINGER.

BOOST_FIXTURE_TEST_CASE(a_plain_joiner_leaves_the_lingering_alone, fixture)
{
  submit(linger_setting::on(60));
  BOOST_TEST(is_lingering());
  worker->demand_plainly(job);
  check_lingers();
}

BOOST_FIXTURE_TEST_CASE(an_abort_overtakes_the_lingering, fixture)
{
  submit(linger_setting::on(60));
  BOOST_TEST(is_lingering());
  worker->demand(job, close_mode::abort());
  BOOST_TEST(job.is(close_outcome::aborted));
}

// --- The end of the worker, and where there is none.

// However long the stop may wait.
BOOST_AUTO_TEST_CASE(deliveries_and_lingering_are_over_when_the_worker_stops)
{
  for (const bool lingers : {false, true})
    for (const milliseconds wait : {milliseconds(support::patience), milliseconds(0)})
    {
      fixture f;
      if (!lingers)
        f.demand(close_mode::graceful(long_enough));
      f.submit(lingers ? linger_setting::on(60) : linger_setting::unsupported());
      BOOST_TEST((lingers ? f.is_lingering() : f.is_delivering()));
      f.worker->stop(wait);
      BOOST_TEST(f.job.is(close_outcome::closed));
      BOOST_TEST(f.job.closes() == 1);
      if (lingers)
        BOOST_TEST(support::tcp_state_of(f.copy) == TCP_ESTABLISHED);
    }
}

BOOST_FIXTURE_TEST_CASE(after_the_stop_nothing_is_delivered, fixture)
{
  worker->stop(support::patience);
  demand(close_mode::graceful(long_enough));
  submit(linger_setting::on(60));
  BOOST_TEST(job.closes() == 1);
  BOOST_TEST(job.is(close_outcome::closed));
  BOOST_TEST((job.thread() == std::this_thread::get_id()));
}

BOOST_FIXTURE_TEST_CASE(after_the_stop_a_time_of_nothing_is_an_abort_all_the_same, fixture)
{
  worker->stop(support::patience);
  copy.reset();
  submit(linger_setting::on(0));
  BOOST_TEST(job.is(close_outcome::aborted));
  support::taken got;
  BOOST_TEST(got.take_all(tcp.far));
  BOOST_TEST(got.error == ECONNRESET);
}

// --- Writes that run to their end.

BOOST_FIXTURE_TEST_CASE(a_flush_expires_at_the_deadline_although_it_makes_progress, fixture)
{
  job.step = 1;
  check_expires_at_the_deadline();
}

BOOST_FIXTURE_TEST_CASE(a_queue_that_becomes_shorter_is_progress, fixture)
{
  job.queue_step = 1;
  check_expires_at_the_deadline();
}

// Closes by the hundred, each of which calls for the next.
BOOST_FIXTURE_TEST_CASE(a_flood_of_closes_keeps_no_deadline_waiting, fixture)
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
        std::deque<support::probe_job> others(256);
        for (support::probe_job& other : others)
          worker->submit(other, support::plain(interlock::detail::no_descriptor));
        for (support::probe_job& other : others)
          other.wait_closed();
      }
    });
  BOOST_TEST(job.is(close_outcome::timed_out));
  over = true;
  flood.join();
}

BOOST_FIXTURE_TEST_CASE(a_stronger_mode_shortens_a_flush, fixture)
{
  demand(close_mode::graceful(long_enough));
  worker->watch_flush(job);
  worker->demand(job, close_mode::deliver(milliseconds(5)));
  BOOST_TEST(job.wait_expired());
  submit();
  BOOST_TEST(job.is(close_outcome::timed_out));
}

BOOST_FIXTURE_TEST_CASE(a_flush_expires_when_the_worker_stops, fixture)
{
  demand(close_mode::graceful(long_enough));
  worker->watch_flush(job);
  worker->stop(support::patience);
  BOOST_TEST(job.expiries() == 1);
  submit();
  BOOST_TEST(job.is(close_outcome::closed));
}

BOOST_AUTO_TEST_SUITE_END()
