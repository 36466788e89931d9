// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What scenarios are written with, whatever they are about: threads, waits and requirements.

#ifndef INTERLOCK_TEST_SCHEDULES_SCENARIO_HPP
#define INTERLOCK_TEST_SCHEDULES_SCENARIO_HPP

#include <chrono>
#include <exception>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "schedules/harness/faults.hpp"
#include "schedules/harness/race.hpp"
#include "schedules/harness/scheduler.hpp"

namespace schedules {

/// If no call of the run fails.
inline void require(bool holds, const char* what)
{
  if (!holds && !faults::current().are_planned())
    scheduler::current()->fail(what);
}

/// Blocks until `over()`. If a call of the run has failed, that may never be.
template <class Over>
void wait_until(Over over, const char* what = "wait")
{
  scheduler& s = *scheduler::current();
  const bool may_fail = faults::current().are_planned();
  s.wait(when<Over>(over), may_fail ? s.now() + std::chrono::hours(12) : scheduler::forever, what,
    nullptr, scheduler::limit::at_rest);
}

/// Blocks for some time.
inline void sleep(duration d, scheduler::limit l = scheduler::limit::at_any_time)
{
  const auto never = [] { return false; };
  scheduler& s = *scheduler::current();
  s.wait(when<decltype(never)>(never), s.now() + d, "sleep", nullptr, l);
}

/// Something that one thread makes known to another, which knows what the first has done by then.
class announcement
{
public:
  void make()
  {
    race::release(known_);
    is_made_ = true;
  }

  void await()
  {
    wait_until([this] { return is_made_; }, "announcement");
    race::acquire(known_);
  }

private:
  race::vector_clock known_;
  bool is_made_ = false;
};

/// Calls it. What a call throws that fails for want of something, the scenario does not catch.
inline void call(const std::function<void()>& body)
{
  try
  {
    body();
  }
  catch (const std::exception&)
  {
    if (!faults::current().are_planned())
      throw;
  }
}

/// A thread of the scenario, joined by the end of the scope.
class thread
{
public:
  thread(std::string name, std::function<void()> body)
    : id_(scheduler::current()->start(std::move(name), [run = std::move(body)] { call(run); }))
  {
  }

  thread(const thread&) = delete;
  thread& operator=(const thread&) = delete;

  ~thread()
  {
    join();
  }

  void join() const
  {
    const unsigned id = id_;
    const auto has_ended = [id] { return scheduler::current()->has_ended(id); };
    scheduler::current()->wait(
      when<decltype(has_ended)>(has_ended), scheduler::forever, "join", nullptr);
    race::join(id);
  }

private:
  const unsigned id_;
};

struct scenario
{
  std::string name;
  std::function<void()> body;
  std::string fails;        // how, as long as it is known to
  unsigned preemptions = 0; // that it needs to fail
  bool is_large = false;    // too large to be walked: for random schedules
  bool is_wide = false;     // too many schedules with two preemptions: walked with one

  static std::vector<scenario>& all()
  {
    static std::vector<scenario> list;
    return list;
  }

  struct entry
  {
    explicit entry(scenario s)
    {
      all().push_back(std::move(s));
    }
  };
};

} // namespace schedules

/// Declares the scenario NAME; its body follows.
#define SCENARIO(NAME) SCENARIO_ENTRY(NAME, "", 0, false, false)

/// The same for one that is known to fail with so many preemptions: HOW is a part of what it fails with. The
/// reason stands above it.
#define FAULTY_SCENARIO(NAME, PREEMPTIONS, HOW) SCENARIO_ENTRY(NAME, HOW, PREEMPTIONS, false, false)

/// The same for one that has too many schedules to be walked.
#define LARGE_SCENARIO(NAME) SCENARIO_ENTRY(NAME, "", 0, true, false)

/// The same for one of which, unless it is asked for by its name, only the schedules with up to one preemption are
/// walked: it has more threads or steps than others, so there are very many with two.
#define WIDE_SCENARIO(NAME) SCENARIO_ENTRY(NAME, "", 0, false, true)

#define SCENARIO_ENTRY(NAME, ...) \
  static void NAME(); \
  static const ::schedules::scenario::entry NAME##_entry({#NAME, &NAME, __VA_ARGS__}); \
  static void NAME()

#endif // INTERLOCK_TEST_SCHEDULES_SCENARIO_HPP
