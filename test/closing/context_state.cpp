// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What the tenures of one context share: which members are told when the context goes, and that no completion
// is on its way to it by then.

#include <interlock/detail/closing/context_state.hpp>

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "support/census.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/lingering_socket.hpp"
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

  bool gate_is_open()
  {
    return static_cast<bool>(context_state::pass(*shared));
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_context_state, fixture)

BOOST_AUTO_TEST_CASE(the_gate_is_open_until_the_context_is_shut_down)
{
  BOOST_TEST(gate_is_open());
  BOOST_TEST(gate_is_open());
  shut_down();
  BOOST_TEST(!gate_is_open());
}

BOOST_AUTO_TEST_CASE(several_may_pass_the_gate_at_once)
{
  const context_state::pass first(*shared);
  const context_state::pass second(*shared);
  BOOST_TEST(static_cast<bool>(first));
  BOOST_TEST(static_cast<bool>(second));
}

// A thread that passes finds everything as it was; the next thread sees that the gate is closed.
BOOST_AUTO_TEST_CASE(a_shutdown_waits_for_all_threads_that_are_passing)
{
  shared->add(one);
  std::optional<context_state::pass> first(*shared);
  std::optional<context_state::pass> second(*shared);
  std::thread t([this] { shut_down(); });
  BOOST_TEST(support::wait_until([this] { return !gate_is_open(); }));
  first.reset();
  BOOST_TEST(!gate_is_open());
  BOOST_TEST(one.holds() == 0);
  BOOST_TEST(one.ends() == 0);
  second.reset();
  t.join();
  BOOST_TEST(one.ends() == 1);
}

BOOST_AUTO_TEST_CASE(a_pass_that_was_refused_keeps_no_thread_waiting)
{
  shut_down();
  const context_state::pass refused(*shared);
  BOOST_TEST(!refused);
  shut_down();
}

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

BOOST_AUTO_TEST_CASE(no_tenure_becomes_a_member_after_the_shutdown)
{
  shut_down();
  BOOST_TEST(!shared->add(one));
  shared->remove(one);
  shut_down();
  BOOST_TEST(one.holds() == 0);
}

BOOST_AUTO_TEST_CASE(no_tenure_becomes_a_member_during_the_shutdown)
{
  BOOST_TEST(shared->add(one));
  bool added = true;
  bool passed = true;
  one.on_shut_down = [&]
  {
    added = shared->add(two);
    passed = gate_is_open();
  };
  shut_down();
  BOOST_TEST(!added);
  BOOST_TEST(!passed);
  BOOST_TEST(two.holds() == 0);
}

BOOST_AUTO_TEST_CASE(a_removed_member_is_not_ended)
{
  for (member* m : {&one, &two, &three})
    BOOST_TEST(shared->add(*m));
  shared->remove(two);
  shared->remove(two);
  shut_down();
  BOOST_TEST(one.ends() == 1);
  BOOST_TEST(two.holds() == 0);
  BOOST_TEST(three.ends() == 1);
}

BOOST_AUTO_TEST_CASE(a_tenure_that_was_never_a_member_can_be_removed)
{
  BOOST_TEST(shared->add(one));
  shared->remove(two);
  shut_down();
  BOOST_TEST(one.ends() == 1);
}

BOOST_AUTO_TEST_CASE(a_removed_member_can_become_a_member_again)
{
  BOOST_TEST(shared->add(one));
  BOOST_TEST(shared->add(two));
  shared->remove(one);
  BOOST_TEST(shared->add(one));
  shut_down();
  BOOST_TEST(one.ends() == 1);
  BOOST_TEST(two.ends() == 1);
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

BOOST_AUTO_TEST_CASE(what_is_closed_in_a_shutdown_does_not_linger)
{
  support::lingering_socket socket;
  support::probe_job job;
  BOOST_TEST(shared->add(one));
  one.on_shut_down = [&]
  {
    shared->worker().submit(job, support::unasked(socket.release()));
    job.wait_closed();
  };
  shut_down();
  BOOST_TEST(!socket.lingers());
}

// Each thread's members come and go; each shut down once, or removed, or refused.
BOOST_AUTO_TEST_CASE(members_that_come_and_go_meet_the_shutdown_at_most_once)
{
  std::deque<member> members(300);
  std::atomic<std::size_t> begun{0};
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 3; ++t)
    threads.emplace_back(
      [&, t]
      {
        for (std::size_t i = t; i < members.size(); i += 3, ++begun)
        {
          const context_state::pass pass(*shared);
          if (!shared->add(members[i]))
            ++refused;
          else if (i % 2 == 0)
            shared->remove(members[i]);
        }
      });
  BOOST_TEST(support::wait_until([&] { return begun > members.size() / 4; }));
  shut_down();
  for (std::thread& t : threads)
    t.join();
  int ended = 0;
  for (const member& m : members)
  {
    BOOST_TEST((m.ends() <= 1 && !m.is_held()));
    ended += m.ends();
  }
  BOOST_TEST(ended > 0);
  BOOST_TEST(ended + refused <= 300);
}

BOOST_AUTO_TEST_SUITE_END()
