// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G10: a forked child cannot take the parent's descriptors out of the reactor that they share until
// the child's context is told of the fork; with notify_fork both go on, and what was being closed is
// closed in both.
//
// A child checks for itself, and its exit status says what it found.

#include "support/prelude.hpp"

#include <cstdlib>
#include <deque>

#include <dirent.h>

#include "support/closers.hpp"
#include "support/in_child.hpp"
#include "support/sleeps_in_poll.hpp"
#include "support/watched_thread.hpp"

using namespace support;

namespace {

/// Whether Asio's context is told of the fork.
enum class told
{
  yes,
  no
};

/// Whether all other threads sleep. A thread that the fork cuts off in the middle of something may
/// have a mutex, of ours or of the memory allocator's, that no thread gives back in the child.
bool others_sleep()
{
  ::DIR* folder = ::opendir("/proc/self/task");
  bool all = folder != nullptr;
  while (const ::dirent* entry = all ? ::readdir(folder) : nullptr)
  {
    const ::pid_t thread = std::atoi(entry->d_name);
    all = thread == 0 || thread == this_thread_id() || sleeps_in(thread) >= 0;
  }
  if (folder)
    ::closedir(folder);
  return all;
}

/// Runs `child` in a child, where it says whether all is well, and `parent` meanwhile. Whether all was.
template <class Child, class Parent>
bool fork_and(asio::io_context& context, told t, Child child, Parent parent)
{
  if (t == told::yes)
    context.notify_fork(asio::io_context::fork_prepare);
  BOOST_TEST(wait_until(others_sleep));
  const ::pid_t pid = fork_to(
    [&]
    {
      if (t == told::yes)
        context.notify_fork(asio::io_context::fork_child);
      return child();
    });
  if (t == told::yes)
    context.notify_fork(asio::io_context::fork_parent);
  parent();
  return was_well(pid);
}

template <class Child>
bool in_child(asio::io_context& context, told t, Child child)
{
  return fork_and(context, t, child, [] {});
}

/// Whether `check` says of both processes that all is well.
template <class Check>
bool in_both(asio::io_context& context, Check check)
{
  bool is_well_here = false;
  const bool is_well_there = fork_and(context, told::yes, check, [&] { is_well_here = check(); });
  return is_well_here && is_well_there;
}

bool gone(int fd)
{
  return wait_until([fd] { return !is_fd_open(fd); });
}

/// An open socket, and the other end of its connection.
template <class Protocol>
struct connection
{
  handler_tally tally;
  std::optional<asio::io_context> context{std::in_place};
  ends pair = unix_ends();
  const int fd = pair.near.get();
  typename Protocol::socket object{*context, Protocol(), pair.near.release()};
  char buffer[4] = {};
  error_code ec = not_called;

  void read()
  {
    object.async_read_some(asio::buffer(buffer), tally(into(ec)));
  }

  /// Whether what the far end sends reaches the read.
  bool is_served()
  {
    if (::write(pair.far.get(), "ping", 4) != 4)
      return false;
    turn(*context);
    return !ec && buffer[0] == 'p' && tally.all_called();
  }

  template <class Condition>
  bool run_until(Condition condition)
  {
    return support::run_until(*context, condition);
  }

  /// Whether an async_close is over, with success.
  bool closes()
  {
    bool closed = false;
    object.async_close([&closed](error_code e) { closed = !e; });
    return run_until([&closed] { return closed; });
  }
};

using ours = connection<local>;
using asios = connection<asio::local::stream_protocol>;

} // namespace

BOOST_AUTO_TEST_SUITE(test_g10_fork, *boost::unit_test::label("forks"))

// The positive control: Asio's own socket takes the parent's registration away.
BOOST_FIXTURE_TEST_CASE(asios_own_socket_closed_in_a_child_is_lost_to_the_parent, asios)
{
  read();
  BOOST_TEST(in_child(*context, told::no, [this] { return object.close(), true; }));
  BOOST_TEST(!is_served());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_close_in_a_child_leaves_the_parent_its_registration, Way, every_way)
{
  for (told t : {told::no, told::yes})
  {
    ours s;
    s.read();
    const auto close = [&s]
    {
      bool is_over = !Way::is_asynchronous;
      Way::close(s.object, [&is_over](error_code ec) { is_over = !ec; });
      return s.run_until([&] { return is_over && s.ec == aborted; }) && gone(s.fd);
    };
    BOOST_TEST(in_child(*s.context, t, close));
    BOOST_TEST(s.is_served());
  }
}

BOOST_AUTO_TEST_CASE(a_release_in_a_child_leaves_the_parent_its_registration)
{
  for (told t : {told::no, told::yes})
  {
    ours s;
    s.read();
    BOOST_TEST(in_child(*s.context, t, [&] { return s.object.release() == s.fd; }));
    BOOST_TEST(s.is_served());
  }
}

BOOST_AUTO_TEST_CASE(the_end_of_a_context_in_a_child_leaves_the_parent_its_registration)
{
  for (told t : {told::no, told::yes})
  {
    ours s;
    s.read();
    BOOST_TEST(in_child(*s.context, t, [&] { return s.context.reset(), gone(s.fd); }));
    BOOST_TEST(s.is_served());
  }
}

// The child that nothing has told of the fork notices it in the middle of the close.
BOOST_AUTO_TEST_CASE(a_context_ends_in_a_child_that_has_closed_in_a_handler)
{
  for (told t : {told::no, told::yes})
  {
    ours s;
    const auto close = [&]
    {
      asio::post(*s.context, [&] { s.object.async_close([](error_code) {}); });
      turn(*s.context);
      s.context.reset();
      return gone(s.fd);
    };
    BOOST_TEST(in_child(*s.context, t, close));
  }
}

BOOST_FIXTURE_TEST_CASE(parent_and_child_both_go_on, ours)
{
  read();
  ends second = unix_ends();
  const auto child = [&]
  {
    // A connection of the child's own, and the copy of the parent's.
    local::socket own(*context, local(), second.near.release());
    char data[4] = {};
    bool has_read = false;
    own.async_read_some(asio::buffer(data), [&](error_code e, std::size_t) { has_read = !e; });
    if (::write(second.far.get(), "pong", 4) != 4)
      return false;
    turn(*context);
    own.close();
    object.close();
    return has_read && gone(fd);
  };
  BOOST_TEST(in_child(*context, told::yes, child));
  // Not before: the child's copy would read what comes as well.
  BOOST_TEST(is_served());
  object.close();
  BOOST_TEST(gone(fd));
}

BOOST_AUTO_TEST_CASE(what_is_queued_for_close2_is_closed_in_both)
{
  asio::io_context context;
  interlock::close_service::options o;
  o.max_elastic_threads = 1;
  interlock::make_close_service(context, o);
  ends pairs[] = {unread_ends(), unread_ends()}; // close(2) can block
  const int standing_fd = pairs[0].near.get();
  const int queued_fd = pairs[1].near.get();
  local::socket standing(context, local(), pairs[0].near.release());
  local::socket queued(context, local(), pairs[1].near.release());
  close_watch watch(standing_fd);
  watch.shut_gate();
  standing.close();
  BOOST_TEST(watch.wait_arrived());
  queued.close();
  BOOST_TEST(fork_and(
    context, told::yes, [&] { return gone(queued_fd); },
    [&]
    {
      BOOST_TEST(is_fd_open(queued_fd));
      watch.open_gate();
      BOOST_TEST(gone(standing_fd));
      BOOST_TEST(gone(queued_fd));
    }));
}

BOOST_FIXTURE_TEST_CASE(closers_that_wait_at_the_fork_are_served_in_both, ours)
{
  read();
  int closed = 0;
  for (int i = 0; i != 2; ++i)
    object.async_close([&](error_code e) { closed += e ? 0 : 1; });
  const auto are_served = [&]
  { return run_until([&] { return closed == 2; }) && ec == aborted && gone(fd); };
  BOOST_TEST(in_both(*context, are_served));
}

// The worker is in the middle of it, and hands closers over while the fork is prepared.
BOOST_AUTO_TEST_CASE(closers_of_a_flood_are_served_in_both)
{
  constexpr int count = 200;
  for (int round = 0; round != 10; ++round)
  {
    asio::io_context context;
    std::deque<local::socket> objects;
    int closed = 0;
    for (int i = 0; i != count; ++i)
    {
      objects.emplace_back(context, local(), unix_ends().near.release());
      objects.back().async_close([&](error_code ec) { closed += ec ? 0 : 1; });
    }
    for (int i = 0; i != count; ++i)
      context.poll_one();
    BOOST_TEST(
      in_both(context, [&] { return run_until(context, [&] { return closed == count; }); }));
  }
}

// No thread runs the child's context: its own worker takes the close over.
BOOST_FIXTURE_TEST_CASE(a_close_that_waits_for_its_strand_is_taken_over_in_a_child, ours)
{
  object.async_close([](error_code) {});
  BOOST_TEST(in_both(*context, [this] { return gone(fd); }));
}

BOOST_FIXTURE_TEST_CASE(after_a_close_the_outcome_is_known_in_both, ours)
{
  BOOST_TEST(closes());
  BOOST_TEST(in_both(*context, [this] { return closes(); }));
  BOOST_TEST(in_child(*context, told::no, [this] { return closes(); }));
}

// The thread does not exist in the child, where it would never leave.
BOOST_AUTO_TEST_CASE(a_thread_blocked_in_the_parent_does_not_keep_the_child_from_closing)
{
  for (told t : {told::no, told::yes})
  {
    ours s;
    watched_thread thread([&] { s.object.read_some(asio::buffer(s.buffer), s.ec); });
    BOOST_TEST(thread.falls_asleep());
    BOOST_TEST(in_child(*s.context, t, [&] { return s.object.close(), gone(s.fd); }));
    send_text(s.pair.far, "ping");
    thread.join();
    BOOST_TEST(!s.ec);
  }
}

BOOST_AUTO_TEST_CASE(objects_are_opened_and_closed_in_a_child)
{
  for (told t : {told::no, told::yes})
  {
    ours s;
    s.object.close();
    BOOST_TEST(gone(s.fd));
    const auto again = [&]
    {
      const int n = s.pair.far.get();
      s.object.assign(local(), s.pair.far.release());
      s.object.close();
      return gone(n);
    };
    BOOST_TEST(in_child(*s.context, t, again));
  }
}

BOOST_AUTO_TEST_SUITE_END()
