// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What the tenures of one context share: which members are told when the context goes, and that the worker outlasts them.
// What other threads do meanwhile is walked by test/schedules.

#include <interlock/detail/closing/context_state.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <thread>

#include <boost/test/unit_test.hpp>

#include "support/census.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/probe_job.hpp"

using interlock::detail::context_state;

namespace {

// A member of a context state that counts how often it is held and ended.
class fake_member final : public interlock::detail::context_member
{
public:
  /// Called from within shut_down(), if set.
  std::function<void()> on_shut_down;

  int holds() const noexcept
  {
    return holds_;
  }

  bool is_held() const noexcept
  {
    return holds_ != lets_go_;
  }

  int ends() const noexcept
  {
    return ends_;
  }

private:
  void keep_memory() noexcept override
  {
    ++holds_;
  }

  void drop_memory() noexcept override
  {
    ++lets_go_;
  }

  bool has_left_reactor() const noexcept override
  {
    return true;
  }

  void shut_down() noexcept override
  {
    if (on_shut_down)
      on_shut_down();
    ++ends_;
  }

  void after_fork() noexcept override {}

  std::atomic<int> holds_{0};
  std::atomic<int> lets_go_{0};
  std::atomic<int> ends_{0};
};

using member = fake_member;

struct fixture
{
  support::census before;
  std::unique_ptr<context_state> shared = std::make_unique<context_state>();
  member one;
  member two;
  member three;

  ~fixture()
  {
    shut_down();
    shared.reset();
    BOOST_TEST(before.restored());
  }

  void shut_down()
  {
    shared->shut_down(support::patience);
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_context_state, fixture)

BOOST_AUTO_TEST_CASE(every_member_is_held_and_ended_once_in_however_many_shutdowns)
{
  for (member* m : {&one, &two, &three})
    BOOST_TEST(shared->add(*m));
  bool held_by_then = false;
  one.on_shut_down = [&] { held_by_then = one.is_held(); };
  shut_down();
  shut_down();
  BOOST_TEST(held_by_then);
  for (const member* m : {&one, &two, &three})
  {
    BOOST_TEST(!m->is_held());
    BOOST_TEST(m->ends() == 1);
  }
}

// More often than it has been added, and before it is added again.
BOOST_AUTO_TEST_CASE(a_member_that_is_removed_is_not_ended)
{
  for (member* m : {&one, &two})
    BOOST_TEST(shared->add(*m));
  for (member* m : {&two, &two, &three, &one})
    shared->remove(*m);
  BOOST_TEST(shared->add(one));
  shut_down();
  BOOST_TEST(one.ends() == 1);
  BOOST_TEST(two.holds() == 0);
  BOOST_TEST(three.holds() == 0);
}

// The end of one may be the end of others, and of itself.
BOOST_AUTO_TEST_CASE(members_may_be_removed_while_one_of_them_is_ended)
{
  for (member* m : {&one, &two, &three})
    BOOST_TEST(shared->add(*m));
  const auto remove_all = [this]
  {
    for (member* m : {&one, &two, &three})
      shared->remove(*m);
  };
  for (member* m : {&one, &two, &three})
    m->on_shut_down = remove_all;
  shut_down();
  BOOST_TEST(one.ends() + two.ends() + three.ends() == 1);
  for (const member* m : {&one, &two, &three})
    BOOST_TEST(!m->is_held());
}

BOOST_AUTO_TEST_CASE(an_ended_member_can_still_be_removed)
{
  for (member* m : {&one, &two, &three})
    BOOST_TEST(shared->add(*m));
  shut_down();
  for (member* m : {&two, &one, &three})
    shared->remove(*m);
  BOOST_TEST(two.ends() == 1);
}

// What the members give to the worker as they end is still closed.
BOOST_AUTO_TEST_CASE(the_worker_stops_after_the_last_member_has_ended)
{
  support::ends pipe = support::pipe_ends();
  support::probe_job job;
  BOOST_TEST(shared->add(one));
  one.on_shut_down = [&] { shared->worker().submit(job, support::unasked(pipe.near.release())); };
  shut_down();
  BOOST_TEST(job.closes() == 1);
  BOOST_TEST((job.thread() != std::this_thread::get_id()));
  BOOST_TEST(support::hung_up(pipe.far));

  support::ends late_pipe = support::pipe_ends();
  support::probe_job late;
  shared->worker().watch(late);
  BOOST_TEST(late.expiries() == 1);
  shared->worker().submit(late, support::unasked(late_pipe.near.release()));
  BOOST_TEST(late.closes() == 1);
}

BOOST_AUTO_TEST_SUITE_END()
