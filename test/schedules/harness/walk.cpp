// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include "schedules/harness/walk.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <random>
#include <sstream>
#include <stdexcept>

#include <boost/container/static_vector.hpp>

#include "schedules/harness/kernel.hpp"
#include "schedules/harness/scheduler.hpp"

namespace schedules {

namespace {

/// The thread that runs without a preemption.
unsigned next_of(const choice& among)
{
  if (among.running != choice::none)
    return among.running;
  return among.able.empty() ? among.timed.front() : among.able.front();
}

/// What one point offers, in the order in which it is tried.
struct options
{
  boost::container::static_vector<unsigned, scheduler::most_threads> threads;
  std::size_t free = 0; // the first so many cost no preemption

  static options of(const choice& among)
  {
    options o;
    if (among.running == choice::none && !among.able.empty())
      o.threads.assign(among.able.begin(), among.able.end());
    else
      o.threads.push_back(next_of(among));
    o.free = o.threads.size();
    for (const auto* others : {&among.able, &among.timed})
      for (const unsigned t : *others)
        if (std::find(o.threads.begin(), o.threads.end(), t) == o.threads.end())
          o.threads.push_back(t);
    return o;
  }
};

/// Depth-first search.
class search final : public strategy
{
public:
  explicit search(unsigned most)
    : most_(most)
  {
  }

  unsigned choose(const choice& among) override
  {
    const options o = options::of(among);
    if (at_ == taken_.size())
      taken_.push_back({o, 0, tries(o)});
    const decision& d = taken_[at_++];
    if (d.offered.threads != o.threads)
      scheduler::current()->fail(
        "the same schedule goes another way: the scenario depends on more than the order of threads");
    used_ += d.chosen >= o.free;
    return o.threads[d.chosen];
  }

  /// Goes to the next schedule. False: there is none.
  bool advance()
  {
    while (!taken_.empty() && taken_.back().chosen + 1 == taken_.back().tries)
      taken_.pop_back();
    if (taken_.empty())
      return false;
    ++taken_.back().chosen;
    begin();
    return true;
  }

  void begin()
  {
    at_ = 0;
    used_ = 0;
  }

private:
  struct decision
  {
    options offered;
    std::size_t chosen;
    std::size_t tries;
  };

  std::size_t tries(const options& o) const
  {
    return used_ < most_ ? o.threads.size() : o.free;
  }

  const unsigned most_;
  std::vector<decision> taken_;
  std::size_t at_ = 0;
  unsigned used_ = 0;
};

/// Notes what another strategy chooses.
class recorder final : public strategy
{
public:
  explicit recorder(strategy& of)
    : of_(of)
  {
  }

  unsigned choose(const choice& among) override
  {
    const unsigned chosen = of_.choose(among);
    if (chosen != next_of(among))
      choices[at_] = chosen;
    ++at_;
    return chosen;
  }

  std::map<std::size_t, unsigned> choices;

private:
  strategy& of_;
  std::size_t at_ = 0;
};

class replayed final : public strategy
{
public:
  explicit replayed(const std::map<std::size_t, unsigned>& choices)
    : choices_(choices)
  {
  }

  bool is_over() const
  {
    return choices_.empty() || at_ > choices_.rbegin()->first;
  }

  unsigned choose(const choice& among) override
  {
    const auto chosen = choices_.find(at_++);
    if (chosen == choices_.end())
      return next_of(among);
    const options o = options::of(among);
    if (std::find(o.threads.begin(), o.threads.end(), chosen->second) == o.threads.end())
      scheduler::current()->fail("the schedule is none of this scenario: at point "
        + std::to_string(chosen->first) + " thread " + std::to_string(chosen->second)
        + " cannot run");
    return chosen->second;
  }

private:
  const std::map<std::size_t, unsigned>& choices_;
  std::size_t at_ = 0;
};

/// The thread of the highest priority runs; at some points it gets the lowest. A wait ends at its time limit if
/// no thread can run, and at some of these points.
class priorities final : public strategy
{
public:
  priorities(std::uint64_t seed, unsigned changes, std::size_t points)
    : random_(seed)
  {
    for (unsigned i = 0; i != changes; ++i)
      changes_.push_back(random_() % std::max<std::size_t>(points, 1));
  }

  unsigned choose(const choice& among) override
  {
    const bool changes = std::find(changes_.begin(), changes_.end(), at_++) != changes_.end();
    std::vector<unsigned> able = among.able;
    if (among.running != choice::none)
      able.push_back(among.running);
    if (!among.timed.empty() && (able.empty() || (changes && random_() % 2 == 0)))
      return among.timed.front();
    const unsigned best = *std::max_element(able.begin(), able.end(),
      [this](unsigned a, unsigned b) { return priority(a) < priority(b); });
    if (changes)
      priority_[best] = --lowest_;
    return best;
  }

private:
  std::int64_t priority(unsigned thread)
  {
    const auto found = priority_.find(thread);
    if (found != priority_.end())
      return found->second;
    return priority_[thread] = static_cast<std::int64_t>(random_() % 1000000);
  }

  std::mt19937_64 random_;
  std::vector<std::size_t> changes_;
  std::map<unsigned, std::int64_t> priority_;
  std::int64_t lowest_ = 0;
  std::size_t at_ = 0;
};

run_result run_in_new_kernel(
  const std::function<void()>& scenario, strategy& s, bool traced, const fault* injected = nullptr)
{
  kernel::begin_run();
  faults::begin_run(injected);
  run_result r = scheduler::run(scenario, s, traced);
  // Each was closed at least once, then; a second time would have failed the run.
  if (r.failure.empty() && kernel::current().open_files() != 0)
    r.failure = "a descriptor is never closed";
  return r;
}

void run_one(walk_result& result, const std::function<void()>& scenario, strategy& s)
{
  recorder recorded(s);
  const run_result r = run_in_new_kernel(scenario, recorded, false);
  ++result.runs;
  result.most_points = std::max(result.most_points, r.points);
  if (r.failure.empty())
    return;
  result.failed = true;
  result.schedule.failure = r.failure;
  result.schedule.choices = std::move(recorded.choices);
}

/// One line for each step.
std::string text_of(const run_result& r)
{
  constexpr std::size_t most_printed = 1000; // of a run without end
  std::ostringstream out;
  std::map<const void*, std::size_t> objects;
  unsigned last = choice::none;
  for (std::size_t i = 0; i != r.steps.size(); ++i)
  {
    if (i == most_printed / 2 && r.steps.size() > most_printed)
    {
      out << "  ... (" << r.steps.size() - most_printed << " steps)\n";
      i = r.steps.size() - most_printed / 2;
    }
    const step& one = r.steps[i];
    const std::size_t object = objects.emplace(one.object, objects.size() + 1).first->second;
    out << (one.thread == last ? "  " : "* ") << r.threads[one.thread] << ": " << one.what << " #"
        << object << "  " << one.function << '\n';
    last = one.thread;
  }
  return out.str();
}

} // namespace

std::string failing_schedule::text() const
{
  std::ostringstream out;
  for (const auto& c : choices)
    out << (c == *choices.begin() ? "" : " ") << c.first << ':' << c.second;
  return out.str();
}

failing_schedule failing_schedule::from(const std::string& text)
{
  failing_schedule s;
  std::istringstream in(text);
  std::string one;
  while (in >> one)
  {
    std::size_t point = 0;
    unsigned thread = 0;
    char more = 0;
    if (std::sscanf(one.c_str(), "%zu:%u%c", &point, &thread, &more) != 2)
      throw std::invalid_argument("'" + one + "' is no POINT:THREAD of a schedule");
    s.choices[point] = thread;
  }
  return s;
}

walk_result walk_all(const std::function<void()>& scenario, unsigned preemptions)
{
  walk_result result;
  for (unsigned most = 0; most <= preemptions && !result.failed; ++most)
  {
    search s(most);
    result.runs = 0;
    do
    {
      run_one(result, scenario, s);
    } while (!result.failed && s.advance());
  }
  return result;
}

walk_result walk_random(
  const std::function<void()>& scenario, std::uint64_t seed, unsigned changes, std::uint64_t runs)
{
  walk_result result;
  for (std::uint64_t i = 0; i != runs && !result.failed; ++i)
  {
    priorities s(seed + i, changes, result.most_points);
    run_one(result, scenario, s);
  }
  return result;
}

fault_walk_result walk_faults(const std::function<void()>& scenario)
{
  fault_walk_result result;
  const auto run = [&](const fault* injected)
  {
    search s(0);
    result.failure = run_in_new_kernel(scenario, s, false, injected).failure;
    result.failed = !result.failure.empty();
    ++result.runs;
  };
  run(nullptr);
  const std::vector<const char*> calls = faults::current().calls();
  result.calls = calls.size();
  for (std::size_t i = 0; i != calls.size(); ++i)
    for (const int error : errors_of(calls[i]))
    {
      if (result.failed)
        return result;
      result.injected = {i, error};
      run(&result.injected);
    }
  return result;
}

replay_result replay(
  const std::function<void()>& scenario, const failing_schedule& s, const fault* injected)
{
  replayed again(s.choices);
  run_result r = run_in_new_kernel(scenario, again, true, injected);
  if (r.failure.empty() && !again.is_over())
    r.failure = "the schedule is none of this scenario, which ends before it";
  return {text_of(r), std::move(r.failure)};
}

} // namespace schedules
