// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Members of several execution contexts, some of which end before the group: nothing of a context that is gone is
// used, and the group does not wait for its members.

#include "group_test.hpp"

using namespace groups;

namespace {

/// Beside the members of the group's own context, one on a strand of another one.
struct two_contexts : connections
{
  using strand = asio::strand<asio::io_context::executor_type>;
  using socket = local::socket::rebind_executor<strand>::other;

  std::optional<asio::io_context> other{std::in_place};
  support::ends pair = support::unix_ends();
  std::optional<socket> member{
    std::in_place, strand(other->get_executor()), local(), pair.near.release()};

  two_contexts()
  {
    group.add(*member);
  }

  void end_other()
  {
    member.reset();
    other.reset();
  }

  void start_and_end_other(const close_mode& mode)
  {
    start(mode);
    end_other();
    context.run();
    BOOST_TEST(ec == success);
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_close_group_contexts)

BOOST_FIXTURE_TEST_CASE(members_of_several_contexts_are_closed, two_contexts)
{
  start(close_mode::deliver(long_enough));
  while (ec == not_called)
  {
    other->poll();
    other->restart();
    context.poll();
    context.restart();
  }
  BOOST_TEST((*this)[close_outcome::acknowledged] == 4u);
}

// The timers of the round would run for a minute.
BOOST_FIXTURE_TEST_CASE(
  a_context_that_ends_during_a_close_leaves_its_member_unfinished, two_contexts)
{
  start_and_end_other(close_mode::deliver(long_enough));
  BOOST_TEST(tally.unfinished == 1u);
  BOOST_TEST((*this)[close_outcome::acknowledged] == 3u);
}

BOOST_FIXTURE_TEST_CASE(
  a_member_of_a_context_that_is_gone_is_not_aborted_at_the_deadline, two_contexts)
{
  support::fill(members[0].native_handle());
  start_and_end_other(close_mode::deliver(milliseconds(20)));
  BOOST_TEST(tally.unfinished == 1u);
  BOOST_TEST((*this)[close_outcome::timed_out] == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_member_of_a_context_that_is_gone_is_not_overtaken, two_contexts)
{
  support::fill(members[0].native_handle());
  start(close_mode::deliver(long_enough));
  end_other();
  group.async_close(close_mode::abort(), ignored);
  context.run();
  BOOST_TEST(tally.unfinished == 1u);
  BOOST_TEST(tally.members() == 4u);
}

BOOST_FIXTURE_TEST_CASE(a_member_of_a_context_that_is_gone_does_not_begin_in_a_window, two_contexts)
{
  group.spread(milliseconds(30));
  start_and_end_other(close_mode::deliver(long_enough));
  BOOST_TEST(tally.members() == 4u);
  BOOST_TEST((*this)[close_outcome::acknowledged] == 3u);
}

BOOST_FIXTURE_TEST_CASE(a_context_that_is_gone_before_has_no_members, two_contexts)
{
  end_other();
  BOOST_TEST(group.size() == 3u);
  close(close_mode::deliver(long_enough));
  BOOST_TEST(tally.members() == 3u);
  BOOST_TEST(tally.unfinished == 0u);
}

BOOST_AUTO_TEST_CASE(a_group_outlives_the_strands_of_its_members)
{
  asio::io_context own;
  close_group group(own);
  {
    asio::io_context context;
    const auto strand = asio::make_strand(context);
    using executor = asio::strand<asio::io_context::executor_type>;
    local::socket::rebind_executor<executor>::other s(
      strand, local(), support::unix_ends().near.release());
    tcp::acceptor::rebind_executor<executor>::other acceptor(strand, any_local_port());
    group.add(s);
    group.add(acceptor);
    BOOST_TEST(group.size() == 2u);
  }
  BOOST_TEST(group.size() == 0u);
}

// The member's handler is what is left of the group.
BOOST_AUTO_TEST_CASE(the_context_of_a_group_on_a_strand_ends_before_a_close_that_is_under_way)
{
  asio::io_context of_member;
  local::socket member(of_member, local(), support::unix_ends().near.release());
  int calls = 0;
  {
    asio::io_context own;
    close_group group(asio::make_strand(own));
    group.add(member);
    group.async_close(
      close_mode::deliver(long_enough), [&](error_code, const close_tally&) { ++calls; });
  }
  of_member.run();
  BOOST_TEST(!member.is_open());
  BOOST_TEST(calls == 0);
}

BOOST_FIXTURE_TEST_CASE(an_object_that_is_opened_again_during_a_close_stays_open, two_contexts)
{
  support::fill(members[0].native_handle());
  start(close_mode::deliver(milliseconds(20)));
  const auto open_again = [](socket& s) { s.assign(local(), support::unix_ends().near.release()); };
  open_again(*member);
  group.async_close(close_mode::abort(), ignored);
  group.abort_wait(milliseconds(10));
  context.run();
  BOOST_TEST(ec == success);
  BOOST_TEST(member->is_open());
  BOOST_TEST(tally.members() == 4u);
}

// The shutdown waits for a thread that is about to use the context.
BOOST_AUTO_TEST_CASE(contexts_end_while_the_group_closes_and_aborts_their_members)
{
  constexpr int rounds = 300;
  support::loop loop;
  for (int i = 0; i != rounds; ++i)
  {
    close_group group(loop.context);
    std::promise<std::size_t> members;
    {
      asio::io_context context;
      local::socket filled(context, local(), support::unix_ends().near.release());
      const support::ends pair = support::unix_ends();
      local::socket open(context, local(), ::dup(pair.near.get()));
      support::fill(open.native_handle());
      group.add(filled);
      group.add(open);
      asio::post(loop.context,
        [&]
        {
          group.async_close(close_mode::deliver(std::chrono::microseconds(50 * (i % 7))),
            [&](error_code, const close_tally& t) { members.set_value(t.members()); });
          group.async_close(close_mode::abort(), ignored);
        });
      context.poll();
    }
    BOOST_TEST(members.get_future().get() <= 2u);
  }
}

// The group's own sockets go with it.
BOOST_AUTO_TEST_CASE(the_context_of_an_acceptor_ends_while_accepted_connections_are_closed)
{
  asio::io_context own;
  close_group group(own);
  std::optional<asio::io_context> context(std::in_place);
  std::optional<tcp::acceptor> acceptor(std::in_place, *context, any_local_port());
  asio::ip::tcp::socket client(own);
  client.connect(acceptor->local_endpoint());
  group.add(*acceptor);
  close_tally tally;
  group.async_close(
    close_mode::graceful(long_enough), [&](error_code, const close_tally& t) { tally = t; });
  acceptor.reset();
  context.reset();
  own.run();
  BOOST_TEST(tally.unfinished == 2u);
  BOOST_TEST(tally.members() == 2u);
}

BOOST_AUTO_TEST_SUITE_END()
