// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The descriptors by which waiting threads are woken, and how a wait does without.

#include <interlock/detail/descriptor/wake_events.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <interlock/detail/descriptor/waiting.hpp>
#include <interlock/detail/sys.hpp>

#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/in_child.hpp"
#include "support/wait_entry.hpp"
#include "support/wait_until.hpp"

using boost::system::error_code;
using interlock::detail::blocked_thread;
using interlock::detail::blocked_thread_list;
using interlock::detail::wake_event;
using interlock::detail::wake_events;
using support::entry;
using support::guarded_list;

namespace {

// A child would wait for ever for a lock that a thread of the parent had.
static_assert(std::atomic<wake_event>::is_always_lock_free, "wake_events.hpp counts on it");

struct fixture
{
  support::ends pipe = support::pipe_ends();
  guarded_list waiting;
  wake_events events;
  error_code ec;
};

/// What /proc says of the count of an eventfd.
long count_of(int eventfd)
{
  std::ifstream file("/proc/self/fdinfo/" + std::to_string(eventfd));
  std::string word;
  while (file >> word)
    if (word == "eventfd-count:")
      return (file >> word) ? std::stol(word, nullptr, 16) : -1;
  return -1;
}

/// How many eventfds are open besides `earlier`.
std::size_t made_since(const std::set<int>& earlier)
{
  const std::set<int> now = support::open_eventfds();
  return static_cast<std::size_t>(
    std::count_if(now.begin(), now.end(), [&](int fd) { return earlier.count(fd) == 0; }));
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_wake_events, fixture)

BOOST_AUTO_TEST_CASE(a_wait_after_another_has_the_same_wake_up_descriptor)
{
  const wake_event first = events.take();
  BOOST_TEST((::fcntl(first.descriptor, F_GETFD) & FD_CLOEXEC) != 0);
  BOOST_TEST((::fcntl(first.descriptor, F_GETFL) & O_NONBLOCK) != 0);
  events.put(first);
  wake_event second;
  std::thread([&] { second = events.take(); }).join();
  BOOST_TEST((second == first));
  events.put(second);
}

// A thread that ends has nothing to close.
BOOST_AUTO_TEST_CASE(a_few_are_kept_after_many_waits_until_the_context_ends)
{
  constexpr std::size_t most = 2 * interlock::detail::sys::kept_wake_events;
  const std::set<int> earlier = support::open_eventfds();
  {
    wake_events many;
    std::vector<wake_event> taken;
    for (std::size_t i = 0; i != most; ++i)
      taken.push_back(many.take());
    BOOST_TEST(made_since(earlier) == most);
    for (wake_event e : taken)
      many.put(e);
    BOOST_TEST(made_since(earlier) == most / 2);
  }
  BOOST_TEST(made_since(earlier) == 0U);
}

BOOST_AUTO_TEST_CASE(a_wait_that_was_woken_leaves_nothing_for_the_next)
{
  {
    entry e(waiting);
    waiting.wake_all();
    BOOST_TEST(!e.wait(pipe.near.get(), ec));
  }
  const wake_event used = waiting.events.take();
  BOOST_TEST(count_of(used.descriptor) == 0);
  waiting.events.put(used);
}

BOOST_AUTO_TEST_SUITE(in_a_child, *boost::unit_test::label("forks"))

// What one of them woke in itself, the other would take for its own.
BOOST_AUTO_TEST_CASE(a_child_of_fork_has_a_wake_up_descriptor_of_its_own)
{
  const wake_event parents = events.take();
  events.put(parents);
  BOOST_TEST(support::in_child(
    [&]
    {
      blocked_thread_list list;
      blocked_thread w(events);
      list.add(w);
      list.wake_all();
      return !w.wait(pipe.near.get(), POLLIN, ec) && !ec;
    }));
  BOOST_TEST(count_of(parents.descriptor) == 0);
  const wake_event again = events.take();
  BOOST_TEST((again == parents));
  events.put(again);
}

// A signal handler that forks while the thread is blocked: the wait ends in both processes.
BOOST_AUTO_TEST_CASE(a_child_does_not_keep_what_its_parent_had_taken)
{
  const wake_event taken = events.take();
  BOOST_TEST(support::in_child(
    [&]
    {
      events.put(taken);
      return !support::is_fd_open(taken.descriptor);
    }));
  BOOST_TEST(support::is_fd_open(taken.descriptor));
  events.put(taken);
}

BOOST_AUTO_TEST_SUITE_END()

// Each wait of a thread that has no wake-up descriptor is short, and says: look again.
BOOST_AUTO_TEST_CASE(without_a_wake_up_descriptor_a_wait_ends_and_readiness_is_found)
{
  for (const bool becomes_ready : {false, true})
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
    if (becomes_ready)
      support::send_text(pipe.far, "x");
    else
    {
      open = false;
      waiting.wake_all();
    }
    t.join();
    BOOST_TEST(ready == becomes_ready);
    BOOST_TEST(ec == error_code());
  }
}

BOOST_AUTO_TEST_CASE(a_wait_after_one_without_a_wake_up_descriptor_gets_one)
{
  {
    const support::no_more_descriptors none;
    const wake_event e = events.take();
    BOOST_TEST(e.descriptor == interlock::detail::no_descriptor);
    events.put(e);
  }
  const wake_event later = events.take();
  BOOST_TEST(later.descriptor >= 0);
  events.put(later);
}

BOOST_AUTO_TEST_SUITE_END()
