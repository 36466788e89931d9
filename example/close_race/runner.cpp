// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// fork, wait with a limit, and read the child's end. SIGCHLD is blocked while a child is waited
// for: sigtimedwait is what gives the wait its limit.

#include "runner.hpp"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <system_error>

namespace close_race {

namespace {

// What a child may take beyond its time before it counts as hung.
constexpr std::chrono::seconds grace(12);

[[noreturn]] void fail(const char* what)
{
  throw std::system_error(errno, std::generic_category(), what);
}

shared_tally make_tally()
{
  void* const memory = ::mmap(
    nullptr, sizeof(tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    fail("mmap");
  return shared_tally(::new (memory) tally);
}

// Blocks SIGCHLD for its lifetime. Children put the former mask back.
class child_signal_blocked
{
public:
  child_signal_blocked()
  {
    ::sigemptyset(&signals_);
    ::sigaddset(&signals_, SIGCHLD);
    if (::sigprocmask(SIG_BLOCK, &signals_, &former_) == -1)
      fail("sigprocmask");
  }

  ~child_signal_blocked()
  {
    restore();
  }

  void restore() const noexcept
  {
    ::sigprocmask(SIG_SETMASK, &former_, nullptr);
  }

  // Returns at a signal or at the given time, or without a reason.
  void wait(clock::time_point until) const
  {
    const auto left = until - clock::now();
    if (left <= clock::duration::zero())
      return;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    const timespec time{static_cast<time_t>(seconds.count()),
      static_cast<long>(std::chrono::nanoseconds(left - seconds).count())};
    if (::sigtimedwait(&signals_, nullptr, &time) == -1 && errno != EAGAIN && errno != EINTR)
      fail("sigtimedwait");
  }

private:
  sigset_t signals_;
  sigset_t former_;
};

// In the child. No core files, no life without the parent, and no way back into the caller.
[[noreturn]] void child_main(scenario run, tally& counts, clock::time_point until, pid_t parent)
{
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent)
    ::_exit(EXIT_FAILURE);
  try
  {
    run(counts, until);
    ::_exit(EXIT_SUCCESS);
  }
  catch (const std::exception& e)
  {
    std::fprintf(stderr, "close_race: %s\n", e.what());
  }
  ::_exit(EXIT_FAILURE);
}

// Returns the child's status, or false when it had to be killed.
bool await_child(
  pid_t child, const child_signal_blocked& signals, clock::time_point give_up, int& status)
{
  bool in_time = true;
  for (;;)
  {
    const pid_t ended = ::waitpid(child, &status, in_time ? WNOHANG : 0);
    if (ended == child)
      return in_time;
    if (ended == -1 && errno != EINTR)
      fail("waitpid");
    if (in_time && clock::now() >= give_up)
    {
      ::kill(child, SIGKILL);
      in_time = false;
    }
    if (in_time)
      signals.wait(give_up);
  }
}

void run_child(scenario run, tally& counts, clock::time_point until)
{
  const child_signal_blocked signals;
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == -1)
    fail("fork");
  if (child == 0)
  {
    signals.restore();
    child_main(run, counts, until, parent);
  }

  int status = 0;
  if (!await_child(child, signals, until + grace, status))
  {
    ++counts.hung;
  }
  else if (WIFSIGNALED(status))
  {
    ++counts.crashes;
    counts.last_signal = static_cast<std::uint64_t>(WTERMSIG(status));
  }
  else if (WEXITSTATUS(status) != EXIT_SUCCESS)
  {
    ++counts.broken;
  }
}

} // namespace

void unmap_tally::operator()(tally* counts) const noexcept
{
  ::munmap(counts, sizeof(tally));
}

shared_tally run_repeatedly(scenario rounds, std::chrono::duration<double> time)
{
  shared_tally counts = make_tally();
  const auto until = clock::now() + std::chrono::duration_cast<clock::duration>(time);
  do
    run_child(rounds, *counts, until);
  while (clock::now() < until && counts->broken == 0);
  return counts;
}

shared_tally run_once(scenario once)
{
  shared_tally counts = make_tally();
  run_child(once, *counts, clock::now());
  return counts;
}

} // namespace close_race
