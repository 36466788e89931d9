// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Runs a stress in a child process and watches it: a crash and a hang are counted like any other
// thing that must not happen, and what had been counted by then is not lost.

#ifndef INTERLOCK_TEST_STRESS_STRESS_RUNNER_HPP
#define INTERLOCK_TEST_STRESS_STRESS_RUNNER_HPP

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stress/stress_ledger.hpp"
#include "stress/stress_system_calls.hpp"
#include "stress/stress_victims.hpp"
#include "support/census.hpp"

namespace stress {

using clock = std::chrono::steady_clock;

/// The time that the program is to run, by its only argument; zero if that is not one.
inline clock::duration time_to_run(int argc, char** argv)
{
  const std::chrono::duration<double> seconds(argc == 2 ? std::atof(argv[1]) : 0);
  if (seconds.count() > 0)
    return std::chrono::duration_cast<clock::duration>(seconds);
  std::fprintf(stderr, "usage: %s SECONDS\n", argv[0]);
  return clock::duration::zero();
}

inline double seconds_since(clock::time_point begin)
{
  return std::chrono::duration<double>(clock::now() - begin).count();
}

/// Closes the books: everything that was opened has been closed.
inline void balance(counts& c)
{
  c.fds = books::made + books::lent;
  c.closed = books::closed.load();
  c.stray_closes += books::stray;
  c.unequal += !c.add_up();
}

/// `run(counts)` with its books and a census, in this process. Returns an exit status.
template <class Run>
int accounted(counts& c, Run run)
{
  ::signal(SIGPIPE, SIG_IGN);
  const support::census before;
  try
  {
    run(c);
  }
  catch (const std::exception& e)
  {
    std::fprintf(stderr, "stress: %s\n", e.what());
    return EXIT_FAILURE;
  }
  c.leaked += !before.restored();
  balance(c);
  return EXIT_SUCCESS;
}

/// Waits for `child`, which has the other end of the pipe `end`, and ends it when nothing has changed
/// for as long as `patience`. Returns whether it ended by itself.
inline bool watch(
  ::pid_t child, int end, int& status, const counts& c, std::chrono::seconds patience)
{
  const auto limit = std::chrono::milliseconds(patience).count();
  ::pollfd p = {end, POLLIN, 0};
  std::uint64_t seen = 0;
  do
    seen = c.progress();
  while (::poll(&p, 1, static_cast<int>(limit)) == 0 && c.progress() != seen);
  const bool has_ended = p.revents != 0;
  if (!has_ended)
    ::kill(child, SIGKILL);
  ::waitpid(child, &status, 0);
  return has_ended;
}

/// Runs `run(counts)` in a child, where `quiet` discards what its crash has to say.
template <class Run>
void run_in_child(counts& c, std::chrono::seconds patience, bool quiet, Run run)
{
  const std::uint64_t hung_before = c.hung;
  const ends life(kind::pipe);
  const ::pid_t child = ::fork();
  if (child < 0)
    throw std::system_error(errno, std::generic_category(), "fork");
  if (child == 0)
  {
    const int nothing = quiet ? ::open("/dev/null", O_WRONLY | O_CLOEXEC) : -1;
    if (nothing >= 0 && ::dup2(nothing, STDERR_FILENO) >= 0)
      really::close(nothing);
    // A sanitizer has its say at exit.
    std::exit(accounted(c, run));
  }
  really::close(life.second);
  int status = 0;
  if (!watch(child, life.first, status, c, patience))
    ++c.hung;
  else if (status != 0 && c.hung == hung_before)
    ++c.crashed;
  really::close(life.first);
}

} // namespace stress

#endif // INTERLOCK_TEST_STRESS_STRESS_RUNNER_HPP
