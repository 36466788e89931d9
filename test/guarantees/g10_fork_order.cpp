// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G10: in which order the program forks, notifies the context, and opens and closes in between, is free, as with Asio's
// own objects.
//
// A child checks for itself, and its exit status says what it found.

#include "support/prelude.hpp"

#include <deque>

#include <pthread.h>

#include "support/in_child.hpp"
#include "support/sanitizers.hpp"
#include "support/watched_thread.hpp"

using namespace support;
using asio::io_context;

namespace {

/// A descriptor that may be closed, and its number used again.
struct watched_fd
{
  explicit watched_fd(int n)
    : fd(n),
      what(referred_to(n))
  {
  }

  bool is_open() const
  {
    return referred_to(fd) == what;
  }

  bool is_closed_soon() const
  {
    return wait_until([this] { return !is_open(); });
  }

  int fd;
  std::string what;
};

/// Handlers of the program's own, older than those of the library: at a fork they are called between the library's.
struct handlers
{
  static void make()
  {
    if (!are_at_work)
      return;
    context.emplace();
    object.emplace(*context, local(), unix_ends().near.release());
    ++made;
  }

  static void end()
  {
    object.reset();
    context.reset();
  }

  static inline bool are_at_work = false;
  static inline int made = 0;
  static inline std::optional<io_context> context;
  static inline std::optional<local::socket> object;
  static inline const int are_registered = ::pthread_atfork(&make, &end, &end);
};

struct fixture
{
  std::optional<io_context> context{std::in_place};
  std::deque<local::socket> objects;
  std::deque<watched_fd> fds;

  ~fixture()
  {
    objects.clear();
  }

  local::socket& open()
  {
    const int fd = unix_ends().near.release();
    fds.emplace_back(fd);
    objects.emplace_back(*context, local(), fd);
    return objects.back();
  }

  void tell(io_context::fork_event e)
  {
    context->notify_fork(e);
  }

  /// Whether an object can be opened and closed, and a close completes.
  bool goes_on()
  {
    local::socket& s = open();
    bool closed = false;
    s.async_close([&](error_code ec) { closed = !ec; });
    return run_until(*context, [&] { return closed; }) && fds.back().is_closed_soon();
  }

  /// Forks; the child is told, and so is the parent. Whether both go on.
  bool both_go_on()
  {
    const bool child = in_child([this] { return tell(io_context::fork_child), goes_on(); });
    tell(io_context::fork_parent);
    return child && goes_on();
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_g10_fork_order, fixture, *boost::unit_test::label("forks"))

BOOST_AUTO_TEST_CASE(the_first_object_of_a_context_is_opened_after_the_preparation)
{
  tell(io_context::fork_prepare);
  open();
  BOOST_TEST(both_go_on());
}

BOOST_AUTO_TEST_CASE(objects_are_opened_and_closed_after_the_preparation)
{
  local::socket& first = open();
  local::socket& second = open();
  tell(io_context::fork_prepare);
  open();
  first.close();
  second.async_close([](error_code) {});
  BOOST_TEST(both_go_on());
  BOOST_TEST(fds[0].is_closed_soon());
  BOOST_TEST(fds[1].is_closed_soon());
}

BOOST_AUTO_TEST_CASE(a_context_ends_after_the_preparation)
{
  open();
  BOOST_TEST(goes_on());
  tell(io_context::fork_prepare);
  objects.clear();
  context.reset();
  BOOST_TEST(wait_until([] { return threads_named("interlock") == 0U; }));
}

BOOST_AUTO_TEST_CASE(the_end_of_a_fork_is_told_without_a_preparation)
{
  open();
  tell(io_context::fork_parent);
  BOOST_TEST(goes_on());
  BOOST_TEST(both_go_on());
}

BOOST_AUTO_TEST_CASE(handlers_of_the_program_make_and_end_a_context_during_a_fork)
{
  open();
  handlers::are_at_work = true;
  BOOST_TEST(both_go_on());
  BOOST_TEST(handlers::made == 1);
  handlers::are_at_work = false;
  BOOST_TEST(both_go_on());
}

BOOST_AUTO_TEST_CASE(a_fork_is_prepared_twice_and_fails_once)
{
  open();
  tell(io_context::fork_prepare);
  tell(io_context::fork_prepare);
  BOOST_TEST(both_go_on());
  tell(io_context::fork_prepare);
  tell(io_context::fork_parent);
  BOOST_TEST(goes_on());
}

// What the program has closed before the preparation is no descriptor of a child's, not even for a moment.
BOOST_AUTO_TEST_CASE(what_is_queued_is_closed_before_the_fork)
{
  for (int i = 0; i != 20; ++i)
    open().async_close([](error_code) {});
  while (context->poll_one() != 0)
  {
  }
  tell(io_context::fork_prepare);
  BOOST_TEST(in_child(
    [this]
    {
      return std::none_of(
        fds.begin(), fds.end(), [](const watched_fd& fd) { return fd.is_open(); });
    }));
  tell(io_context::fork_parent);
}

// --- In the child, before it is told.

BOOST_AUTO_TEST_CASE(a_child_opens_and_closes_before_it_is_told)
{
  local::socket& s = open();
  tell(io_context::fork_prepare);
  BOOST_TEST(in_child(
    [&]
    {
      open();
      s.close();
      tell(io_context::fork_child);
      return fds.front().is_closed_soon() && goes_on();
    }));
  tell(io_context::fork_parent);
  BOOST_TEST(fds.front().is_open());
}

BOOST_AUTO_TEST_CASE(a_child_begins_an_asynchronous_close_before_it_is_told)
{
  local::socket& s = open();
  for (const bool prepared : {true, false})
  {
    if (prepared)
      tell(io_context::fork_prepare);
    BOOST_TEST(in_child(
      [&]
      {
        bool closed = false;
        s.async_close([&](error_code ec) { closed = !ec; });
        tell(io_context::fork_child);
        return run_until(*context, [&] { return closed; }) && goes_on();
      }));
    if (prepared)
      tell(io_context::fork_parent);
  }
}

// It has detected the fork before, and has a worker.
BOOST_AUTO_TEST_CASE(a_child_that_is_told_late_has_one_worker)
{
  local::socket& first = open();
  BOOST_TEST(goes_on());
  BOOST_TEST(in_child(
    [&]
    {
      bool well = (first.close(), fds.front().is_closed_soon() && goes_on());
      tell(io_context::fork_child);
      well = well && goes_on() && threads_named("interlock") == 1U;
      tell(io_context::fork_child);
      return well && goes_on() && threads_named("interlock") == 1U;
    }));
}

BOOST_AUTO_TEST_CASE(a_child_forks_in_turn)
{
  open();
  const auto grandchild = [this] { return goes_on() && threads_named("interlock") == 1U; };
  for (const bool told : {true, false})
    BOOST_TEST(in_child(
      [&]
      {
        if (told)
          tell(io_context::fork_child);
        return in_child(grandchild) && grandchild();
      }));
}

// --- Beside threads of the library that are at work.

// Not under ThreadSanitizer, which does not start a thread in a child whose stack was that of a thread of the parent.
#if !defined(INTERLOCK_TEST_THREAD_SANITIZER)

// A thread of the library that is cut off has no lock, of ours, of Asio's or of the memory allocator's.
BOOST_AUTO_TEST_CASE(a_child_that_is_not_told_comes_while_the_worker_is_at_work)
{
  for (int round = 0; round != 50; ++round)
  {
    fds.clear();
    objects.clear();
    local::socket& kept = open();
    for (int i = 0; i != 50; ++i)
      open().async_close([](error_code) {});
    while (context->poll_one() != 0 && fds[25].is_open())
    {
    }
    BOOST_TEST(in_child(
      [&]
      {
        kept.close();
        const bool well = fds.front().is_closed_soon() && goes_on();
        objects.clear();
        context.reset();
        return well;
      }));
    turn(*context);
  }
}

#endif

BOOST_AUTO_TEST_SUITE_END()
