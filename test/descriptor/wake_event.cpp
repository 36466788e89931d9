// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The descriptor by which a waiting thread is woken: one for each thread, and how a wait does
// without.

#include <interlock/detail/descriptor/waiting.hpp>

#include <atomic>
#include <fstream>
#include <set>
#include <string>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/wait_entry.hpp"
#include "support/wait_until.hpp"

using boost::system::error_code;
using interlock::detail::blocked_thread;
using interlock::detail::blocked_thread_list;
using support::entry;
using support::guarded_list;

namespace {

struct fixture
{
  support::ends pipe = support::pipe_ends();
  guarded_list waiting;
  error_code ec;
};

/// The eventfd of the calling thread, by which its waits are woken: it must not have one yet.
template <class Function>
int event_made_by(Function f)
{
  const std::set<int> before = support::open_eventfds();
  f();
  for (int fd : support::open_eventfds())
    if (before.count(fd) == 0)
      return fd;
  return -1;
}

long count_of(int eventfd)
{
  std::ifstream file("/proc/self/fdinfo/" + std::to_string(eventfd));
  std::string word;
  while (file >> word)
    if (word == "eventfd-count:")
      return (file >> word) ? std::stol(word, nullptr, 16) : -1;
  return -1;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_wake_event, fixture)

BOOST_AUTO_TEST_CASE(a_thread_has_one_wake_up_descriptor_for_all_its_waits)
{
  int event = -1;
  int another = 0;
  int flags = 0;
  std::thread(
    [&]
    {
      event = event_made_by([] { blocked_thread(); });
      flags = ::fcntl(event, F_GETFD);
      another = event_made_by([] { blocked_thread(); });
    })
    .join();
  BOOST_TEST(event >= 0);
  BOOST_TEST(another == -1);
  BOOST_TEST((flags & FD_CLOEXEC) != 0);
  BOOST_TEST(!support::is_fd_open(event));
}

// What one of them woke in itself, the other would take for its own.
BOOST_AUTO_TEST_CASE(a_child_of_fork_has_a_wake_up_descriptor_of_its_own)
{
  int status = -1;
  long count = -1;
  std::thread(
    [&]
    {
      const int event = event_made_by([] { blocked_thread(); });
      const ::pid_t child = ::fork();
      if (child == 0)
      {
        blocked_thread_list list;
        blocked_thread w;
        list.add(w);
        list.wake_all();
        ::_exit(w.wait(pipe.near.get(), POLLIN, ec) || ec ? 1 : 0);
      }
      ::waitpid(child, &status, 0);
      count = count_of(event);
    })
    .join();
  BOOST_TEST((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  BOOST_TEST(count == 0);
}

// Each wait of a thread that has no wake-up descriptor is short, and says: look again.
BOOST_AUTO_TEST_CASE(without_a_wake_up_descriptor_a_wait_still_ends)
{
  std::atomic<bool> open{true};
  std::atomic<int> looks{0};
  bool ready = false;
  std::thread t(
    [&]
    {
      const support::no_more_descriptors none;
      entry e(waiting);
      for (; open && !ready && !ec; ++looks)
        ready = e.wait(pipe.near.get(), ec);
    });
  BOOST_TEST(support::wait_until([&] { return looks >= 2; }));
  open = false;
  waiting.wake_all();
  t.join();
  BOOST_TEST(!ready);
  BOOST_TEST(ec == error_code());
}

BOOST_AUTO_TEST_CASE(without_a_wake_up_descriptor_readiness_is_still_found)
{
  std::atomic<int> looks{0};
  bool ready = false;
  std::thread t(
    [&]
    {
      const support::no_more_descriptors none;
      entry e(waiting);
      for (; !ready && !ec; ++looks)
        ready = e.wait(pipe.near.get(), ec);
    });
  BOOST_TEST(support::wait_until([&] { return looks >= 1; }));
  support::send_text(pipe.far, "x");
  t.join();
  BOOST_TEST(ready);
  BOOST_TEST(ec == error_code());
}

BOOST_AUTO_TEST_CASE(a_thread_that_had_no_wake_up_descriptor_gets_one_for_a_later_wait)
{
  int during = 0;
  int later = -1;
  std::thread(
    [&]
    {
      {
        const support::no_more_descriptors none;
        const blocked_thread w;
      }
      later = event_made_by([] { blocked_thread(); });
      during = event_made_by([] { blocked_thread(); });
    })
    .join();
  BOOST_TEST(later >= 0);
  BOOST_TEST(during == -1);
}

BOOST_AUTO_TEST_SUITE_END()
