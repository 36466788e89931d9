// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A child does not have its parent's number, whichever call made it, and whatever handlers of pthread_atfork(3) run.

#include <interlock/detail/descriptor/process.hpp>

#include <thread>

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "support/in_child.hpp"

using interlock::detail::this_process;

namespace {

/// A fork without the handlers of pthread_atfork(3).
::pid_t clone_alone()
{
  return static_cast<::pid_t>(::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr));
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_process)

BOOST_AUTO_TEST_CASE(it_is_the_same_in_every_thread)
{
  const long here = this_process();
  long there = -1;
  std::thread([&there] { there = this_process(); }).join();
  BOOST_TEST(here == there);
  BOOST_TEST(here == this_process());
}

BOOST_AUTO_TEST_CASE(it_is_another_in_a_child)
{
  const long parent = this_process();
  const auto differs = [parent] { return this_process() != parent; };
  BOOST_TEST(support::in_child(differs));
  BOOST_TEST(support::in_child(differs, &clone_alone));
  BOOST_TEST(this_process() == parent);
}

BOOST_AUTO_TEST_CASE(it_is_another_in_a_grandchild)
{
  const long parent = this_process();
  BOOST_TEST(support::in_child(
    [parent]
    {
      const long child = this_process();
      return support::in_child(
        [=] { return this_process() != parent && this_process() != child; }, &clone_alone);
    }));
}

BOOST_AUTO_TEST_SUITE_END()
