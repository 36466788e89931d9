// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A child does not have its parent's number, whichever call made it, and whatever handlers of pthread_atfork(3) run.

#include <interlock/detail/descriptor/process.hpp>

#include <cstdlib>
#include <thread>

#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "support/descriptor_pairs.hpp"

using interlock::detail::this_process;

namespace {

/// Whether `holds` does in a child that `fork` makes.
template <class Fork, class Condition>
bool in_child_of(Fork fork, Condition holds)
{
  const auto child = static_cast<::pid_t>(fork());
  if (child == 0)
    ::_exit(holds() ? EXIT_SUCCESS : EXIT_FAILURE);
  int status = 0;
  support::checked(::waitpid(child, &status, 0), "waitpid");
  return status == 0;
}

/// A fork without the handlers of pthread_atfork(3).
long clone_alone()
{
  return ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr);
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
  BOOST_TEST(in_child_of(&::fork, differs));
  BOOST_TEST(in_child_of(&clone_alone, differs));
  BOOST_TEST(this_process() == parent);
}

BOOST_AUTO_TEST_CASE(it_is_another_in_a_grandchild)
{
  const long parent = this_process();
  BOOST_TEST(in_child_of(&::fork,
    [parent]
    {
      const long child = this_process();
      return in_child_of(
        &clone_alone, [=] { return this_process() != parent && this_process() != child; });
    }));
}

BOOST_AUTO_TEST_SUITE_END()
