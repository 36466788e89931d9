// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Walks the schedules of the scenarios. Exit status 0: each did as it is said to do.

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>

#include <boost/optional.hpp>
#include <boost/program_options.hpp>

#include "schedules/harness/scheduler.hpp"
#include "schedules/harness/walk.hpp"
#include "schedules/scenario.hpp"

namespace {

using namespace schedules;

constexpr unsigned most_preemptions = 9;

struct settings
{
  std::string scenario;
  boost::optional<std::string> replay;
  unsigned preemptions = 2;
  std::uint64_t random = 0;
  std::uint64_t seed = 0;
  unsigned changes = 3;
  bool injects = false;
  boost::optional<std::string> injected;
};

bool parse(settings& s, int argc, char** argv)
{
  namespace po = boost::program_options;
  po::options_description options("Options");
  options.add_options()("help", "print this")(
    "scenario", po::value(&s.scenario), "walk this scenario only")(
    "preemptions", po::value(&s.preemptions), "walk all schedules with up to so many (2)")(
    "random", po::value(&s.random), "run so many random schedules instead")(
    "seed", po::value(&s.seed), "of the first random schedule (by the clock)")(
    "changes", po::value(&s.changes), "of priorities in a random schedule (3)")(
    "replay", po::value(&s.replay), "print the steps of this schedule of the scenario")(
    "faults", po::bool_switch(&s.injects), "let each call fail instead, with each of its errors")(
    "fault", po::value(&s.injected), "the fault of the schedule that is replayed");
  po::variables_map given;
  po::store(po::parse_command_line(argc, argv, options), given);
  po::notify(given);
  if (given.count("help") != 0)
    std::cout << options;
  if (s.replay && s.scenario.empty())
    throw po::error("--replay needs a --scenario");
  if (s.preemptions > most_preemptions)
    throw po::error("so many preemptions are never over");
  if (given.count("seed") == 0)
    s.seed = static_cast<std::uint64_t>(
      std::chrono::system_clock::now().time_since_epoch().count());
  return given.count("help") == 0;
}

const char* text_of(int signal)
{
  switch (signal)
  {
  case SIGABRT:
    return "abort was called";
  case SIGPROF:
    return "a thread goes on without an operation that others could see";
  default:
    return "an address was accessed that has no memory";
  }
}

// These, and std::terminate, end the run, not the program.
void on_signal(int number)
{
  if (scheduler* s = scheduler::current())
    s->fail(text_of(number));
  std::_Exit(3);
}

std::string current_exception_text()
{
  try
  {
    if (std::current_exception())
      std::rethrow_exception(std::current_exception());
  }
  catch (const std::exception& e)
  {
    return std::string(": ") + e.what();
  }
  catch (...)
  {
    return ": an exception of no standard type";
  }
  return std::string();
}

void on_terminate()
{
  if (scheduler* s = scheduler::current())
    s->fail("std::terminate was called" + current_exception_text());
  std::_Exit(3);
}

void catch_faults()
{
  // A stack of its own, since that of a thread of the run may be what has no memory.
  static std::array<char, 64 * 1024> stack;
  ::stack_t other = {};
  other.ss_sp = stack.data();
  other.ss_size = stack.size();
  ::sigaltstack(&other, nullptr);
  struct ::sigaction action = {};
  action.sa_handler = &on_signal;
  action.sa_flags = SA_NODEFER | SA_ONSTACK;
  for (const int number : {SIGSEGV, SIGBUS, SIGABRT, SIGPROF})
    ::sigaction(number, &action, nullptr);
  std::set_terminate(&on_terminate);
}

walk_result walk(const scenario& c, const settings& s)
{
  if (s.random != 0)
    return walk_random(c.body, s.seed, s.changes, s.random);
  const bool is_asked_for = !s.scenario.empty();
  return walk_all(c.body, c.is_wide && !is_asked_for ? std::min(s.preemptions, 1u) : s.preemptions);
}

/// Whether a scenario did as it is said to do. A known fault may escape random schedules.
bool as_expected(const scenario& c, const settings& s, const walk_result& r)
{
  if (r.failed)
    return !c.fails.empty() && r.schedule.failure.find(c.fails) != std::string::npos;
  return c.fails.empty() || s.random != 0 || s.preemptions < c.preemptions;
}

/// Prints the result, and returns whether it is as expected.
bool report(const scenario& c, const settings& s, const walk_result& r)
{
  std::cout << c.name << ": " << r.runs << " schedules, " << r.most_points << " points at most";
  if (s.random != 0)
    std::cout << ", seed " << s.seed;
  const bool expected = as_expected(c, s, r);
  if (expected)
    std::cout << (r.failed ? ", fails as is known: " + r.schedule.failure : std::string()) << '\n';
  else if (!r.failed)
    std::cout << "\nis known to fail (" << c.fails << "), but does not: mended?\n";
  else
    std::cout << '\n'
              << replay(c.body, r.schedule, nullptr).steps << "failed: " << r.schedule.failure
              << "\n--replay '" << r.schedule.text() << "'\n";
  std::cout.flush();
  return expected;
}

/// Prints the result of a walk of faults, and returns whether each run has passed.
bool report(const scenario& c, const fault_walk_result& r)
{
  std::cout << c.name << ": " << r.calls << " calls, " << r.runs << " runs\n";
  if (r.failed)
    std::cout << replay([&c] { call(c.body); }, failing_schedule(), &r.injected).steps
              << "failed: " << r.failure << "\n--replay '' --fault " << r.injected.call << ':'
              << r.injected.error << '\n';
  std::cout.flush();
  return !r.failed;
}

/// As "17:5": the number of a call, and its error.
fault fault_from(const std::string& text)
{
  fault f = {};
  char more = 0;
  if (std::sscanf(text.c_str(), "%zu:%d%c", &f.call, &f.error, &more) != 2)
    throw std::invalid_argument("'" + text + "' is no CALL:ERROR");
  return f;
}

/// Prints the steps of one schedule, and returns whether it has passed.
bool show(const scenario& c, const settings& s)
{
  const fault injected = s.injected ? fault_from(*s.injected) : fault();
  const replay_result r = replay(
    [&c] { call(c.body); }, failing_schedule::from(*s.replay), s.injected ? &injected : nullptr);
  std::cout << r.steps << (r.failure.empty() ? "passed" : "failed: " + r.failure) << '\n';
  return r.failure.empty();
}

/// Whether a scenario takes part in what is asked for.
bool is_chosen(const scenario& c, const settings& s)
{
  if (!s.scenario.empty())
    return s.scenario == c.name;
  // A scenario that is known to fail has no call that could.
  return s.injects ? c.fails.empty() : !c.is_large || s.random != 0;
}

/// Returns whether the scenario did as it is said to do, and adds to the number of runs.
bool run(const scenario& c, const settings& s, std::uint64_t& runs)
{
  if (s.replay)
    return show(c, s);
  if (s.injects)
  {
    const fault_walk_result r = walk_faults([&c] { call(c.body); });
    runs += r.runs;
    return report(c, r);
  }
  const walk_result r = walk(c, s);
  runs += r.runs;
  return report(c, s, r);
}

int run(const settings& s)
{
  int failed = 0;
  int walked = 0;
  std::uint64_t runs = 0;
  for (const scenario& c : scenario::all())
    if (is_chosen(c, s))
    {
      ++walked;
      failed += !run(c, s, runs);
    }
  if (walked == 0)
    std::cerr << "no scenario is named " << s.scenario << '\n';
  std::cout << walked << " scenarios, " << failed << " failed, " << runs
            << (s.injects ? " faults\n" : " schedules\n");
  return walked == 0 || failed != 0;
}

} // namespace

int main(int argc, char** argv)
{
  settings s;
  try
  {
    if (!parse(s, argc, argv))
      return 0;
    catch_faults();
    // As long as a program has one thread, the C++ library counts references without atomics.
    std::thread([] {}).join();
    return run(s);
  }
  catch (const std::exception& e)
  {
    std::cerr << e.what() << '\n';
    return 2;
  }
}
