// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A close of many objects: what counts and how, what belongs to a round, and that every round ends, whatever its
// members do.

#include "group_test.hpp"

#include <algorithm>
#include <array>

#include <boost/asio/execution/bad_executor.hpp>
#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#endif

#include <interlock/ip/udp.hpp>

using namespace groups;

BOOST_AUTO_TEST_SUITE(test_close_group)

// --- Members.

BOOST_FIXTURE_TEST_CASE(no_handler_is_called_inside_the_initiating_function, scene)
{
  asio::post(context,
    [this]
    {
      start(close_mode::immediate());
      BOOST_TEST(ec == not_called);
    });
  context.run();
  BOOST_TEST(ec == success);
}

BOOST_FIXTURE_TEST_CASE(an_empty_group_is_closed, scene)
{
  close(close_mode::graceful(long_enough));
  BOOST_TEST(tally.members() == 0u);
}

BOOST_FIXTURE_TEST_CASE(every_member_is_closed_and_counts_once, connections)
{
  close(close_mode::deliver(long_enough));
  for (const local::socket& s : members)
    BOOST_TEST(!s.is_open());
  BOOST_TEST(tally.members() == 3u);
  BOOST_TEST((*this)[close_outcome::acknowledged] == 3u);
  BOOST_TEST(tally.unfinished == 0u);
  BOOST_TEST(tally.failed == 0u);
}

BOOST_FIXTURE_TEST_CASE(objects_of_every_kind_are_members, scene)
{
  interlock::ip::udp::socket datagrams(context, asio::ip::udp::v4());
  support::ends pipe = support::pipe_ends();
  interlock::posix::stream_descriptor descriptor(context, pipe.near.release());
  group.add(datagrams);
  group.add(descriptor.get_close_handle());
  close(close_mode::graceful(long_enough));
  BOOST_TEST(!datagrams.is_open());
  BOOST_TEST(!descriptor.is_open());
  BOOST_TEST((*this)[close_outcome::closed] == 2u);
  BOOST_TEST(tally.failed == 0u);
}

BOOST_FIXTURE_TEST_CASE(what_is_not_open_does_not_count, connections)
{
  members[0].close();
  context.run();
  local::socket unopened(context);
  group.add(unopened);
  close(close_mode::immediate());
  BOOST_TEST(tally.members() == 2u);
}

BOOST_FIXTURE_TEST_CASE(a_member_is_one_wherever_it_is_moved, connections)
{
  local::socket moved(std::move(members[0]));
  close(close_mode::immediate());
  BOOST_TEST(!moved.is_open());
  BOOST_TEST(tally.members() == 3u);
}

BOOST_FIXTURE_TEST_CASE(what_is_gone_is_forgotten, connections)
{
  BOOST_TEST(group.size() == 3u);
  members.clear();
  context.run();
  BOOST_TEST(group.size() == 0u);
  for (int i = 0; i != 1000; ++i)
  {
    local::socket s(context, local(), support::unix_ends().near.release());
    group.add(s);
  }
  BOOST_TEST(group.size() == 0u);
}

BOOST_FIXTURE_TEST_CASE(what_is_gone_is_forgotten_by_each_group_and_beside_handles, connections)
{
  close_group second(context);
  second.add(members[0]);
  const interlock::close_handle handle = members[0].get_close_handle();
  members.clear();
  context.run();
  BOOST_TEST(group.size() == 0u);
  BOOST_TEST(second.size() == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_handle_without_an_object_is_refused, scene)
{
  interlock::close_handle none;
  BOOST_CHECK_THROW(group.add(none), asio::execution::bad_executor);
  BOOST_TEST(group.size() == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_group_is_closed_as_often_as_it_has_something_open, connections)
{
  close(close_mode::immediate());
  BOOST_TEST(tally.members() == 3u);
  close(close_mode::immediate());
  BOOST_TEST(tally.members() == 0u);
}

// --- What is added later.

BOOST_FIXTURE_TEST_CASE(what_is_added_during_a_close_belongs_to_it, connections)
{
  fill_all();
  start(close_mode::deliver(long_enough));
  BOOST_TEST(!add().is_open());
  drain_all();
  context.run();
  BOOST_TEST(ec == success);
  BOOST_TEST(tally.members() == 4u);
}

BOOST_FIXTURE_TEST_CASE(what_is_added_after_a_close_is_closed, connections)
{
  close(close_mode::immediate());
  BOOST_TEST(!add().is_open());
  context.restart();
  context.run();
  BOOST_TEST(tally.members() == 3u);
}

namespace {

void open_and_add(close_group& group, asio::io_context& context, std::vector<local::socket>& own,
  std::size_t number)
{
  own.reserve(number);
  while (own.size() != number)
  {
    own.emplace_back(context, local(), support::unix_ends().near.release());
    group.add(own.back());
  }
}

} // namespace

BOOST_AUTO_TEST_CASE(threads_add_while_the_group_is_closed)
{
  constexpr int threads = 8;
  constexpr std::size_t each = 50;
  support::loop loop;
  close_group group(loop.context);
  std::array<std::vector<local::socket>, threads> sockets;
  std::size_t told = 0;
  int calls = 0;
  support::at_once(threads + 1,
    [&](int number)
    {
      if (number != threads)
        return open_and_add(group, loop.context, sockets[static_cast<std::size_t>(number)], each);
      group.async_close(close_mode::immediate(),
        [&](error_code, const close_tally& t)
        {
          ++calls;
          told = t.members();
        });
    });
  loop.join();
  for (const std::vector<local::socket>& own : sockets)
    for (const local::socket& s : own)
      BOOST_TEST(!s.is_open());
  BOOST_TEST(calls == 1);
  BOOST_TEST(told <= threads * each);
}

// --- The end of a round.

BOOST_FIXTURE_TEST_CASE(at_the_deadline_silent_peers_are_told_as_such, connections)
{
  support::fill(members[0].native_handle());
  close(close_mode::deliver(milliseconds(50)));
  BOOST_TEST((*this)[close_outcome::timed_out] == 1u);
  BOOST_TEST((*this)[close_outcome::acknowledged] == 2u);
  BOOST_TEST(tally.unacknowledged != 0u);
  BOOST_TEST((tally.slowest >= milliseconds(50)));
}

BOOST_FIXTURE_TEST_CASE(a_member_of_a_context_that_does_not_run_is_unfinished, connections)
{
  stuck member;
  group.add(member.socket);
  group.abort_wait(milliseconds(10));
  close(close_mode::deliver(milliseconds(10)));
  BOOST_TEST(tally.members() == 4u);
  BOOST_TEST(tally.unfinished == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_mode_that_is_not_valid_closes_at_once_and_is_told, connections)
{
  start(close_mode::deliver(milliseconds(-1)));
  context.run();
  BOOST_TEST(ec == invalid);
  BOOST_TEST((*this)[close_outcome::closed] == 3u);
}

namespace {

/// A group that is gone before its close ends.
struct gone : connections
{
  void close(const close_mode& mode, milliseconds spread)
  {
    std::optional<close_group> own(std::in_place, context);
    for (local::socket& s : members)
      own->add(s);
    own->spread(spread);
    std::size_t told = 0;
    own->async_close(mode, [&](error_code, const close_tally& t) { told = t.members(); });
    own.reset();
    context.run();
    BOOST_TEST(told == 3u);
    for (const local::socket& s : members)
      BOOST_TEST(!s.is_open());
  }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_group_that_is_gone_completes_a_close_that_is_spread, gone)
{
  close(close_mode::deliver(long_enough), milliseconds(30));
}

BOOST_FIXTURE_TEST_CASE(a_group_that_is_gone_completes_its_close, gone)
{
  close(close_mode::immediate(), milliseconds(0));
}

BOOST_AUTO_TEST_CASE(a_handler_is_destroyed_with_the_context_of_the_group)
{
  support::handler_tally handlers;
  std::optional<close_group> group;
  stuck member;
  {
    asio::io_context context;
    group.emplace(context);
    group->add(member.socket);
    group->async_close(close_mode::immediate(), handlers(ignored));
    context.poll();
    BOOST_TEST(handlers.ended() == 0);
  }
  BOOST_TEST(handlers.ended() == 1);
  BOOST_TEST(handlers.called() == 0);
}

// --- Many callers.

BOOST_FIXTURE_TEST_CASE(two_callers_are_told_the_same, connections)
{
  close_tally second;
  group.async_close(close_mode::immediate(), [&](error_code, const close_tally& t) { second = t; });
  close(close_mode::immediate());
  BOOST_TEST(second.members() == 3u);
  BOOST_TEST(tally.members() == 3u);
}

BOOST_FIXTURE_TEST_CASE(a_mode_that_is_not_valid_overtakes_and_its_caller_is_told, connections)
{
  fill_all();
  start(close_mode::deliver(long_enough));
  error_code second = not_called;
  group.async_close(close_mode::deliver(milliseconds(-1)),
    [&](error_code closed, const close_tally&) { second = closed; });
  context.run();
  BOOST_TEST(second == invalid);
  BOOST_TEST(ec == success);
  BOOST_TEST((*this)[close_outcome::closed] == 3u);
}

BOOST_FIXTURE_TEST_CASE(a_stronger_mode_overtakes, connections)
{
  fill_all();
  start(close_mode::deliver(long_enough));
  group.async_close(close_mode::abort(), ignored);
  context.run();
  BOOST_TEST(ec == success);
  BOOST_TEST((*this)[close_outcome::aborted] == 3u);
}

// --- Cancellation.

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)

namespace {

/// Members with something that their peers do not read; a caller that leads the close, and one that joins.
struct cancelled : connections
{
  asio::cancellation_signal leads;
  asio::cancellation_signal joins;
  error_code joined = not_called;

  cancelled()
  {
    fill_all();
    group.async_close(close_mode::deliver(long_enough),
      asio::bind_cancellation_slot(leads.slot(),
        [this](error_code closed, const close_tally& t)
        {
          ec = closed;
          tally = t;
        }));
    group.async_close(close_mode::deliver(long_enough),
      asio::bind_cancellation_slot(
        joins.slot(), [this](error_code closed, const close_tally&) { joined = closed; }));
  }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_terminal_cancellation_aborts_every_member, cancelled)
{
  leads.emit(asio::cancellation_type::terminal);
  context.run();
  BOOST_TEST(ec == success);
  BOOST_TEST(joined == success);
  BOOST_TEST((*this)[close_outcome::aborted] == 3u);
}

BOOST_FIXTURE_TEST_CASE(a_partial_cancellation_makes_every_close_immediate, cancelled)
{
  leads.emit(asio::cancellation_type::partial);
  context.run();
  BOOST_TEST(ec == success);
  BOOST_TEST((*this)[close_outcome::closed] == 3u);
}

BOOST_FIXTURE_TEST_CASE(a_total_cancellation_ends_the_wait_of_the_caller_alone, cancelled)
{
  leads.emit(asio::cancellation_type::total);
  turn_until([this] { return ec != not_called; });
  BOOST_TEST(ec == aborted);
  BOOST_TEST(joined == not_called);
  drain_all();
  context.run();
  BOOST_TEST(joined == success);
}

BOOST_FIXTURE_TEST_CASE(no_cancellation_of_a_caller_that_joined_reaches_the_members, cancelled)
{
  joins.emit(asio::cancellation_type::terminal);
  turn_until([this] { return joined != not_called; });
  BOOST_TEST(joined == aborted);
  drain_all();
  context.run();
  BOOST_TEST((*this)[close_outcome::acknowledged] == 3u);
}

BOOST_FIXTURE_TEST_CASE(a_cancellation_after_the_end_has_no_effect_on_the_next_close, connections)
{
  asio::cancellation_signal late;
  group.async_close(close_mode::immediate(), asio::bind_cancellation_slot(late.slot(), ignored));
  context.run();
  support::fill(add_open().native_handle());
  late.emit(asio::cancellation_type::all);
  BOOST_TEST(members.back().is_open());
  start(close_mode::deliver(long_enough));
  late.emit(asio::cancellation_type::all);
  support::drain(peers.back());
  context.restart();
  context.run();
  BOOST_TEST((*this)[close_outcome::acknowledged] == 1u);
}

#endif

// --- Settings.

BOOST_FIXTURE_TEST_CASE(a_window_spreads_the_closes, connections)
{
  group.spread(long_enough / 2);
  start(close_mode::deliver(long_enough));
  const auto is_open = [](const local::socket& s) { return s.is_open(); };
  BOOST_TEST(std::count_if(members.begin(), members.end(), is_open) == 2);
  group.async_close(close_mode::immediate(), ignored);
  context.run();
  BOOST_TEST(ec == success);
  BOOST_TEST(tally.members() == 3u);
}

BOOST_FIXTURE_TEST_CASE(the_last_of_a_window_are_closed_in_it, connections)
{
  group.spread(milliseconds(30));
  close(close_mode::deliver(long_enough));
  BOOST_TEST((*this)[close_outcome::acknowledged] == 3u);
}

// Also while a close is under way.
BOOST_AUTO_TEST_CASE(every_close_ends_while_a_thread_changes_the_settings)
{
  stuck member;
  support::loop loop;
  std::atomic<bool> done{false};
  close_group group(loop.context);
  group.add(member.socket);
  std::thread changes(
    [&]
    {
      for (int i = 0; !done; ++i)
        group.abort_wait(milliseconds(i % 3));
    });
  for (int i = 0; i != 100; ++i)
  {
    std::promise<std::size_t> unfinished;
    group.async_close(close_mode::immediate(),
      [&](error_code, const close_tally& t) { unfinished.set_value(t.unfinished); });
    BOOST_TEST(unfinished.get_future().get() == 1u);
  }
  done = true;
  changes.join();
}

BOOST_FIXTURE_TEST_CASE(the_progress_of_members_that_do_not_end_is_told_at_the_end, connections)
{
  stuck member;
  group.add(member.socket);
  group.abort_wait(milliseconds(10));
  close_tally last;
  group.on_progress([&](const close_tally& t) { last = t; });
  close(close_mode::immediate());
  BOOST_TEST(last.members() == 4u);
  BOOST_TEST(last.unfinished >= 1u); // those that can end may need longer than the wait
  BOOST_TEST(last.unfinished == tally.unfinished);
}

BOOST_AUTO_TEST_SUITE_END()
