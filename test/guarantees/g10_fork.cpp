// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G10: a forked child cannot take the parent's descriptors out of the reactor that they share until
// the child's context is told of the fork; with notify_fork both go on, and what was being closed is
// closed in both.
//
// A child checks for itself, and its exit status says what it found.

#include <interlock/close_service.hpp>
#include <interlock/ip/tcp.hpp>
#include <interlock/local/stream_protocol.hpp>

#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>
#include <thread>

#include <dirent.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/handler_tally.hpp"
#include "support/in_child.hpp"
#include "support/loop.hpp"
#include "support/sleeps_in_poll.hpp"
#include "support/wait_until.hpp"
#include "support/watched_thread.hpp"

namespace asio = boost::asio;
using boost::system::error_code;
using local = interlock::local::stream_protocol;

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
    all = thread == 0 || thread == support::this_thread_id() || support::sleeps_in(thread) >= 0;
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
  BOOST_TEST(support::wait_until(others_sleep));
  const ::pid_t pid = support::fork_to(
    [&]
    {
      if (t == told::yes)
        context.notify_fork(asio::io_context::fork_child);
      return child();
    });
  if (t == told::yes)
    context.notify_fork(asio::io_context::fork_parent);
  parent();
  return support::was_well(pid);
}

template <class Child>
bool in_child(asio::io_context& context, told t, Child child)
{
  return fork_and(context, t, child, [] {});
}

/// An open socket, and the other end of its connection.
template <class Protocol>
struct connection
{
  asio::io_context context;
  support::ends pair = support::unix_ends();
  const int fd = pair.near.get();
  std::unique_ptr<typename Protocol::socket> object = std::make_unique<typename Protocol::socket>(
    context, Protocol(), pair.near.release());
  support::handler_tally tally;
  char buffer[4] = {};
  error_code ec = asio::error::fault;

  void read()
  {
    object->async_read_some(
      asio::buffer(buffer), tally([this](error_code e, std::size_t) { ec = e; }));
  }

  /// Whether what the far end sends reaches the read.
  bool is_served()
  {
    if (::write(pair.far.get(), "ping", 4) != 4)
      return false;
    support::turn(context);
    return !ec && buffer[0] == 'p';
  }
};

using ours = connection<local>;
using asios = connection<asio::local::stream_protocol>;

bool gone(int fd)
{
  return support::wait_until([fd] { return !support::is_fd_open(fd); });
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_g10_fork, *boost::unit_test::label("forks"))

// The positive control: Asio's own socket takes the parent's registration away.
BOOST_AUTO_TEST_CASE(asios_own_socket_closed_in_a_child_is_lost_to_the_parent)
{
  asios s;
  s.read();
  BOOST_TEST(in_child(s.context, told::no, [&] { return s.object->close(), true; }));
  BOOST_TEST(!s.is_served());
}

BOOST_AUTO_TEST_CASE(a_close_in_a_child_leaves_the_parent_its_registration)
{
  for (told t : {told::no, told::yes})
  {
    ours s;
    s.read();
    BOOST_TEST(in_child(s.context, t, [&] { return s.object->close(), gone(s.fd); }));
    BOOST_TEST(s.is_served());
    BOOST_TEST(s.tally.all_called());
  }
}

BOOST_AUTO_TEST_CASE(an_async_close_in_a_child_leaves_the_parent_its_registration)
{
  for (told t : {told::no, told::yes})
  {
    ours s;
    s.read();
    const auto close = [&]
    {
      bool closed = false;
      s.object->async_close([&](error_code ec) { closed = !ec; });
      return support::wait_until([&] { return support::turn(s.context), closed; })
        && s.ec == asio::error::operation_aborted && gone(s.fd);
    };
    BOOST_TEST(in_child(s.context, t, close));
    BOOST_TEST(s.is_served());
  }
}

BOOST_AUTO_TEST_CASE(a_release_in_a_child_leaves_the_parent_its_registration)
{
  for (told t : {told::no, told::yes})
  {
    ours s;
    s.read();
    BOOST_TEST(in_child(s.context, t, [&] { return s.object->release() == s.fd; }));
    BOOST_TEST(s.is_served());
  }
}

BOOST_AUTO_TEST_CASE(the_end_of_an_object_in_a_child_leaves_the_parent_its_registration)
{
  for (told t : {told::no, told::yes})
  {
    ours s;
    s.read();
    BOOST_TEST(in_child(s.context, t, [&] { return s.object.reset(), gone(s.fd); }));
    BOOST_TEST(s.is_served());
  }
}

BOOST_AUTO_TEST_CASE(the_end_of_a_context_in_a_child_leaves_the_parent_its_registration)
{
  for (told t : {told::no, told::yes})
  {
    std::optional<asio::io_context> context(std::in_place);
    support::ends pair = support::unix_ends();
    const int fd = pair.near.get();
    local::socket s(*context, local(), pair.near.release());
    support::handler_tally tally;
    char buffer[4] = {};
    s.async_read_some(asio::buffer(buffer), tally([](error_code, std::size_t) {}));
    BOOST_TEST(in_child(*context, t, [&] { return context.reset(), gone(fd); }));
    BOOST_TEST(::write(pair.far.get(), "ping", 4) == 4);
    support::turn(*context);
    BOOST_TEST(tally.all_called());
  }
}

// The child that nothing has told of the fork notices it in the middle of the close.
BOOST_AUTO_TEST_CASE(a_context_ends_in_a_child_that_has_closed_in_a_handler)
{
  for (told t : {told::no, told::yes})
  {
    std::optional<asio::io_context> context(std::in_place);
    support::ends pair = support::unix_ends();
    const int fd = pair.near.get();
    local::socket s(*context, local(), pair.near.release());
    const auto close = [&]
    {
      asio::post(*context, [&] { s.async_close([](error_code) {}); });
      support::turn(*context);
      context.reset();
      return gone(fd);
    };
    BOOST_TEST(in_child(*context, t, close));
  }
}

BOOST_AUTO_TEST_CASE(parent_and_child_both_go_on)
{
  ours s;
  s.read();
  support::ends second = support::unix_ends();
  const auto child = [&]
  {
    // A connection of the child's own, and the copy of the parent's.
    local::socket own(s.context, local(), second.near.release());
    char buffer[4] = {};
    bool read = false;
    own.async_read_some(asio::buffer(buffer), [&](error_code ec, std::size_t) { read = !ec; });
    if (::write(second.far.get(), "pong", 4) != 4)
      return false;
    support::turn(s.context);
    own.close();
    s.object->close();
    return read && gone(s.fd);
  };
  BOOST_TEST(in_child(s.context, told::yes, child));
  // Not before: the child's copy would read what comes as well.
  BOOST_TEST(s.is_served());
  s.object->close();
  BOOST_TEST(gone(s.fd));
}

BOOST_AUTO_TEST_CASE(what_is_queued_for_close2_is_closed_in_both)
{
  asio::io_context context;
  interlock::close_service::options o;
  o.max_elastic_threads = 1;
  interlock::make_close_service(context, o);
  support::ends pairs[] = {support::unread_ends(), support::unread_ends()}; // close(2) can block
  const int standing_fd = pairs[0].near.get();
  const int queued_fd = pairs[1].near.get();
  local::socket standing(context, local(), pairs[0].near.release());
  local::socket queued(context, local(), pairs[1].near.release());
  support::close_watch watch(standing_fd);
  watch.shut_gate();
  standing.close();
  BOOST_TEST(watch.wait_arrived());
  queued.close();
  BOOST_TEST(fork_and(
    context, told::yes, [&] { return gone(queued_fd); },
    [&]
    {
      BOOST_TEST(support::is_fd_open(queued_fd));
      watch.open_gate();
      BOOST_TEST(gone(standing_fd));
      BOOST_TEST(gone(queued_fd));
    }));
}

BOOST_AUTO_TEST_CASE(closers_that_wait_at_the_fork_are_served_in_both)
{
  ours s;
  s.read();
  int closed = 0;
  for (int i = 0; i != 2; ++i)
    s.object->async_close([&](error_code ec) { closed += ec ? 0 : 1; });
  const auto run = [&]
  {
    return support::wait_until([&] { return support::turn(s.context), closed == 2; })
      && s.ec == asio::error::operation_aborted && gone(s.fd);
  };
  bool well = false;
  BOOST_TEST(fork_and(s.context, told::yes, run, [&] { well = run(); }));
  BOOST_TEST(well);
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
      objects.emplace_back(context, local(), support::unix_ends().near.release());
      objects.back().async_close([&](error_code ec) { closed += ec ? 0 : 1; });
    }
    for (int i = 0; i != count; ++i)
      context.poll_one();
    const auto run = [&]
    { return support::wait_until([&] { return support::turn(context), closed == count; }); };
    bool well = false;
    BOOST_TEST(fork_and(context, told::yes, run, [&] { well = run(); }));
    BOOST_TEST(well);
  }
}

// No thread runs the child's context: its own worker takes the close over.
BOOST_AUTO_TEST_CASE(a_close_that_waits_for_its_strand_is_taken_over_in_a_child)
{
  ours s;
  s.object->async_close([](error_code) {});
  BOOST_TEST(fork_and(
    s.context, told::yes, [&] { return gone(s.fd); }, [&] { BOOST_TEST(gone(s.fd)); }));
}

BOOST_AUTO_TEST_CASE(after_a_close_the_outcome_is_known_in_both)
{
  ours s;
  s.object->async_close([](error_code) {});
  s.context.run();
  const auto ask = [&]
  {
    bool told = false;
    s.object->async_close([&](error_code ec) { told = !ec; });
    return support::wait_until([&] { return support::turn(s.context), told; });
  };
  bool well = false;
  BOOST_TEST(fork_and(s.context, told::yes, ask, [&] { well = ask(); }));
  BOOST_TEST(well);
  BOOST_TEST(in_child(s.context, told::no, ask));
}

// The thread does not exist in the child, where it would never leave.
BOOST_AUTO_TEST_CASE(a_thread_blocked_in_the_parent_does_not_keep_the_child_from_closing)
{
  ours s;
  support::watched_thread thread([&] { s.object->read_some(asio::buffer(s.buffer), s.ec); });
  BOOST_TEST(thread.falls_asleep());
  BOOST_TEST(in_child(s.context, told::yes, [&] { return s.object->close(), gone(s.fd); }));
  BOOST_TEST(::write(s.pair.far.get(), "ping", 4) == 4);
  thread.join();
  BOOST_TEST(!s.ec);
}

BOOST_AUTO_TEST_CASE(objects_are_opened_and_closed_in_a_child)
{
  for (told t : {told::no, told::yes})
  {
    ours s;
    s.object->close();
    BOOST_TEST(gone(s.fd));
    const auto again = [&]
    {
      const int fd = s.pair.far.get();
      s.object->assign(local(), s.pair.far.release());
      s.object->close();
      return gone(fd);
    };
    BOOST_TEST(in_child(s.context, t, again));
  }
}

BOOST_AUTO_TEST_SUITE_END()
