// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Leases on a tenure: a descriptor that has been detached is handed to the worker, or to its next owner,
// by the thread that ends the last lease.

#include <interlock/detail/tenure/tenure_base.hpp>

#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "support/descriptors.hpp"
#include "support/tenure_fixture.hpp"

using boost::system::error_code;
using interlock::detail::duty;
using interlock::detail::handler_count;
using interlock::detail::phase;
using support::elsewhere;
using support::fake_close_waiter;

namespace {

struct leasing : support::tenure_fixture
{
  /// As an object does it: inside.
  void lend()
  {
    BOOST_TEST_REQUIRE((tenure->enter() == duty::none));
    BOOST_TEST(tenure->lend());
    tenure->leave();
  }

  bool is_kept() const
  {
    return support::is_fd_open(opened) && !support::hung_up(far);
  }
};

/// A caller of async_release that writes down what it is offered.
class fake_taker final : public interlock::detail::close_waiter
{
public:
  void complete(const interlock::detail::close_verdict& v, interlock::detail::hand_over) override
  {
    code = v.ec;
    ++completions;
  }

  void destroy() noexcept override
  {
    ++destructions;
  }

  bool take(int n, bool is_owned) noexcept override
  {
    fd = n;
    owned = is_owned;
    ++offers;
    return true;
  }

  error_code code;
  int fd = -1;
  bool owned = false;
  std::atomic<int> offers{0};
  std::atomic<int> completions{0};
  std::atomic<int> destructions{0};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_tenure_lease, leasing)

BOOST_AUTO_TEST_CASE(without_a_lease_a_detached_descriptor_is_closed)
{
  lend();
  tenure->lease_done();
  BOOST_TEST(is(phase::open));
  tenure->demand_detach();
  BOOST_TEST(closes());
  BOOST_TEST(becomes(phase::ended));
}

BOOST_AUTO_TEST_CASE(with_a_lease_it_is_detached_and_stays_open)
{
  lend();
  tenure->demand_detach();
  BOOST_TEST(is(phase::leased));
  BOOST_TEST(record.detaches == 1);
  BOOST_TEST(is_kept());
  BOOST_TEST((tenure->enter() == duty::refuse));
  tenure->lease_done();
  BOOST_TEST(closes());
  BOOST_TEST(becomes(phase::ended));
}

BOOST_AUTO_TEST_CASE(the_last_of_several_leases_ends_it)
{
  for (int i = 0; i != 3; ++i)
    lend();
  tenure->demand_detach();
  tenure->lease_done();
  tenure->lease_done();
  BOOST_TEST(is(phase::leased));
  BOOST_TEST(is_kept());
  tenure->lease_done();
  BOOST_TEST(closes());
}

// The detach is the leaver's, the close the lender's.
BOOST_AUTO_TEST_CASE(a_thread_inside_and_a_lease_delay_different_things)
{
  BOOST_TEST((tenure->enter() == duty::none));
  BOOST_TEST(tenure->lend());
  tenure->demand_detach();
  BOOST_TEST(is(phase::due));
  BOOST_TEST(record.detaches == 0);
  const std::thread::id leaver = elsewhere([this] { tenure->leave(); });
  BOOST_TEST((record.detacher == leaver));
  BOOST_TEST(is(phase::leased));
  elsewhere([this] { tenure->lease_done(); });
  BOOST_TEST(closes());
  BOOST_TEST(record.detaches == 1);
}

BOOST_AUTO_TEST_CASE(a_lease_that_ends_before_the_detach_delays_nothing)
{
  BOOST_TEST((tenure->enter() == duty::none));
  BOOST_TEST(tenure->lend());
  tenure->demand_detach();
  tenure->lease_done();
  BOOST_TEST(is(phase::due));
  BOOST_TEST(is_kept());
  tenure->leave();
  BOOST_TEST(closes());
}

// A thread that is inside may lend, though the detach has been asked for.
BOOST_AUTO_TEST_CASE(a_lease_may_be_taken_when_the_detach_is_due)
{
  BOOST_TEST((tenure->enter() == duty::none));
  tenure->demand_detach();
  BOOST_TEST(tenure->lend());
  tenure->leave();
  BOOST_TEST(is(phase::leased));
  BOOST_TEST(is_kept());
  tenure->lease_done();
  BOOST_TEST(closes());
}

BOOST_AUTO_TEST_CASE(a_further_demand_changes_nothing_while_leased)
{
  lend();
  tenure->demand_detach();
  tenure->demand_detach();
  tenure->demand_detach_later();
  BOOST_TEST(is(phase::leased));
  BOOST_TEST(record.detaches == 1);
  BOOST_TEST(is_kept());
  tenure->lease_done();
  BOOST_TEST(closes());
}

BOOST_AUTO_TEST_CASE(closers_are_served_after_the_last_lease)
{
  fake_close_waiter leads;
  fake_close_waiter joins;
  lend();
  handler_count step = begin_close(leads);
  BOOST_TEST(is(phase::closing));
  make_step(std::move(step));
  BOOST_TEST(is(phase::leased));
  BOOST_TEST(join_close(joins));
  BOOST_TEST(record.steps.posts() == 0);
  tenure->lease_done();
  BOOST_TEST(wait_posted());
  record.steps.make();
  BOOST_TEST(leads.completions() == 1);
  BOOST_TEST(joins.completions() == 1);
  BOOST_TEST(leads.code() == error_code());
}

BOOST_AUTO_TEST_CASE(handlers_may_return_while_leased)
{
  BOOST_TEST((tenure->enter_with_handler() == duty::none));
  BOOST_TEST(tenure->lend());
  tenure->leave();
  tenure->demand_detach();
  tenure->handler_done();
  BOOST_TEST(is(phase::leased));
  tenure->lease_done();
  BOOST_TEST(closes());
  BOOST_TEST(becomes(phase::ended));
}

BOOST_AUTO_TEST_CASE(handlers_may_return_after_the_last_lease)
{
  BOOST_TEST((tenure->enter_with_handler() == duty::none));
  BOOST_TEST(tenure->lend());
  tenure->leave();
  tenure->demand_detach();
  tenure->lease_done();
  BOOST_TEST(closes());
  BOOST_TEST(becomes(phase::closed));
  tenure->handler_done();
  BOOST_TEST(is(phase::ended));
}

BOOST_AUTO_TEST_CASE(a_leased_descriptor_is_not_given_out)
{
  int given = -1;
  lend();
  BOOST_TEST((tenure->give_out(given) == duty::busy));
  BOOST_TEST((tenure->begin_give_out() == duty::busy));
  BOOST_TEST(given == -1);
  BOOST_TEST(is(phase::open));
  tenure->demand_detach();
  BOOST_TEST((tenure->give_out(given) == duty::refuse));
  tenure->lease_done();
  BOOST_TEST(closes());
}

BOOST_AUTO_TEST_CASE(a_descriptor_may_be_given_out_after_its_lease)
{
  int given = -1;
  lend();
  tenure->lease_done();
  BOOST_TEST((tenure->give_out(given) == duty::detach));
  const support::fd owned(given);
  BOOST_TEST(given == opened);
  BOOST_TEST(is_kept());
}

BOOST_AUTO_TEST_CASE(a_leased_tenure_is_not_used_again)
{
  lend();
  tenure->demand_detach();
  BOOST_TEST(!tenure->recycle());
  tenure->lease_done();
  BOOST_TEST(becomes(phase::ended));
  BOOST_TEST(recycles());
  open();
  BOOST_TEST(is(phase::open));
}

// The lease is all that keeps it.
BOOST_AUTO_TEST_CASE(a_lease_keeps_the_tenure_of_an_object_that_is_gone)
{
  lend();
  support::fake_tenure* kept = tenure;
  destroy_object();
  BOOST_TEST(record.detaches == 1);
  BOOST_TEST(record.frees == 0);
  BOOST_TEST(is_kept());
  kept->lease_done();
  BOOST_TEST(closes());
}

BOOST_AUTO_TEST_CASE(a_lease_outlives_the_shutdown_of_the_context)
{
  fake_close_waiter c;
  lend();
  make_step(begin_close(c));
  shared->shut_down(support::patience);
  BOOST_TEST(c.destructions() == 1);
  BOOST_TEST(record.context_drops >= 1);
  BOOST_TEST(is(phase::leased));
  BOOST_TEST(is_kept());
  tenure->lease_done();
  BOOST_TEST(support::hung_up(far));
  BOOST_TEST(is(phase::ended));
}

BOOST_AUTO_TEST_CASE(a_shutdown_detaches_what_is_leased_and_open)
{
  lend();
  shared->shut_down(support::patience);
  BOOST_TEST(record.detaches == 1);
  BOOST_TEST(is(phase::leased));
  BOOST_TEST(is_kept());
  support::fake_tenure* kept = tenure;
  destroy_object();
  BOOST_TEST(record.frees == 0);
  kept->lease_done();
  BOOST_TEST(support::hung_up(far));
  BOOST_TEST(record.frees == 1);
}

// Released, the descriptor is offered when the last lease ends, and is not closed.
BOOST_AUTO_TEST_CASE(a_descriptor_that_is_taken_is_offered_after_the_last_lease)
{
  fake_taker taker;
  lend();
  lend();
  make_step(begin_close(taker));
  tenure->lease_done();
  BOOST_TEST(taker.offers == 0);
  tenure->lease_done();
  BOOST_TEST(taker.offers == 1);
  const support::fd taken(taker.fd);
  BOOST_TEST(taker.fd == opened);
  BOOST_TEST(taker.owned);
  BOOST_TEST(wait_posted());
  BOOST_TEST(is_kept());
  record.steps.make();
  BOOST_TEST(taker.completions == 1);
  BOOST_TEST(taker.code == error_code());
}

// The taker has been destroyed meanwhile: no owner is left that could have it.
BOOST_AUTO_TEST_CASE(a_descriptor_whose_taker_is_gone_is_closed_after_the_last_lease)
{
  fake_taker taker;
  lend();
  make_step(begin_close(taker));
  shared->shut_down(support::patience);
  BOOST_TEST(taker.destructions == 1);
  BOOST_TEST(is_kept());
  tenure->lease_done();
  BOOST_TEST(taker.offers == 0);
  BOOST_TEST(support::hung_up(far));
}

BOOST_AUTO_TEST_CASE(a_borrowed_descriptor_is_not_closed_after_the_last_lease)
{
  tenure->demand_detach();
  BOOST_TEST(becomes(phase::ended));
  BOOST_TEST(recycles());
  tenure->set_borrowed(true);
  open();
  const support::fd lenders(opened);
  lend();
  tenure->demand_detach();
  BOOST_TEST(is(phase::leased));
  tenure->lease_done();
  BOOST_TEST(becomes(phase::ended));
  BOOST_TEST(is_kept());
}

BOOST_AUTO_TEST_CASE(a_borrowed_descriptor_is_offered_as_such)
{
  tenure->demand_detach();
  BOOST_TEST(becomes(phase::ended));
  BOOST_TEST(recycles());
  tenure->set_borrowed(true);
  open();
  const support::fd lenders(opened);
  fake_taker taker;
  make_step(begin_close(taker));
  BOOST_TEST(wait_posted());
  record.steps.make();
  BOOST_TEST(taker.fd == opened);
  BOOST_TEST(!taker.owned);
  BOOST_TEST(is_kept());
}

BOOST_AUTO_TEST_CASE(more_leases_than_can_be_counted_are_refused)
{
  constexpr int most = 1023;
  BOOST_TEST((tenure->enter() == duty::none));
  int given = 0;
  while (given <= most && tenure->lend())
    ++given;
  BOOST_TEST(given == most);
  tenure->leave();
  tenure->demand_detach();
  BOOST_TEST(is(phase::leased));
  for (; given > 1; --given)
    tenure->lease_done();
  BOOST_TEST(is(phase::leased));
  BOOST_TEST(is_kept());
  tenure->lease_done();
  BOOST_TEST(closes());
}

BOOST_AUTO_TEST_CASE(leases_of_many_threads_end_it_once)
{
  constexpr int threads = 8;
  for (int round = 0; round != 100; ++round)
  {
    for (int i = 0; i != threads; ++i)
      lend();
    std::atomic<int> ready{0};
    std::vector<std::thread> enders;
    for (int i = 0; i != threads; ++i)
      enders.emplace_back(
        [&]
        {
          ++ready;
          while (ready != threads)
            std::this_thread::yield();
          tenure->lease_done();
        });
    tenure->demand_detach();
    for (std::thread& t : enders)
      t.join();
    BOOST_TEST(record.detaches == round + 1);
    BOOST_TEST(closes());
    BOOST_TEST(becomes(phase::ended));
    BOOST_TEST(recycles());
    open();
  }
}

BOOST_AUTO_TEST_SUITE_END()
