// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include "schedules/harness/scheduler.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <boost/context/fiber.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <cxxabi.h>
#include <sys/time.h>

#include "schedules/harness/memory.hpp"
#include "schedules/harness/names.hpp"
#include "schedules/harness/race.hpp"

namespace schedules {

namespace {

scheduler* the_current = nullptr;
std::uint64_t runs = 0;

/// Of processor time. A run takes a fraction of a millisecond.
constexpr ::itimerval longest_run = {{0, 0}, {2, 0}};

/// Stacks are used again by the next run. A page without memory ends each.
class stack_pool
{
public:
  boost::context::stack_context allocate()
  {
    if (free_.empty())
      return latest_ = boost::context::protected_fixedsize_stack(size).allocate();
    latest_ = free_.back();
    free_.pop_back();
    return latest_;
  }

  /// What `allocate` has returned last.
  const boost::context::stack_context& latest() const
  {
    return latest_;
  }

  void deallocate(const boost::context::stack_context& s)
  {
    ended_.push_back(s);
  }

  /// Within one run no stack has two threads: an access to it belongs to one.
  void begin_run()
  {
    free_.insert(free_.end(), ended_.begin(), ended_.end());
    ended_.clear();
  }

private:
  static constexpr std::size_t size = 256 * 1024;
  std::vector<boost::context::stack_context> free_;
  std::vector<boost::context::stack_context> ended_;
  boost::context::stack_context latest_;
};

stack_pool stacks;

struct pooled_stack
{
  boost::context::stack_context allocate()
  {
    return stacks.allocate();
  }

  void deallocate(boost::context::stack_context& s) noexcept
  {
    stacks.deallocate(s);
  }
};

/// The exceptions that a thread is handling: the C++ runtime keeps them for the thread of the system.
struct exception_state
{
  void* caught = nullptr;
  unsigned uncaught = 0;

  static exception_state& of_system_thread()
  {
    return *reinterpret_cast<exception_state*>(abi::__cxa_get_globals());
  }
};

} // namespace

struct scheduler::thread
{
  std::string name;
  std::function<void()> body;
  std::vector<std::function<void()>> at_exit;
  boost::context::fiber fiber;
  boost::context::stack_context stack;
  exception_state exceptions;
  const condition* waiting = nullptr;
  duration until = forever;
  limit kind = limit::at_any_time;
  int locks = 0; // that it holds
  bool timed_out = false;
  bool ended = false;
  bool is_gone = false; // exists in the parent only
};

struct scheduler::state
{
  strategy& chooses;
  const bool is_traced;
  std::vector<std::unique_ptr<thread>> threads;
  boost::context::fiber main;
  unsigned running = 0;
  duration now{0};
  run_result result;
  std::vector<unsigned> able;
  std::vector<unsigned> timed;
  bool is_child = false;

  bool can_run(unsigned i) const
  {
    const thread& t = *threads[i];
    return !t.ended && !t.is_gone && (!t.waiting || t.waiting->holds());
  }

  bool is_timed(unsigned i) const
  {
    const thread& t = *threads[i];
    return !t.ended && !t.is_gone && t.waiting && t.until <= longest && !t.waiting->holds();
  }

  void note(const char* what, const void* object)
  {
    if (is_traced)
      result.steps.push_back({running, what, object, calling_function()});
  }

  boost::context::fiber run(thread& t, boost::context::fiber&& loop);

  /// Runs the threads until none can go on, or one has failed.
  void run_all();

  /// Picks the thread that runs next.
  void choose_next();
  void give_way();
  void end_wait(unsigned next);

  /// Takes the stacks of threads that a child does not have. What is on them stays as it is: unwinding them would run
  /// code of the library.
  void forget_gone();
};

boost::context::fiber scheduler::state::run(thread& t, boost::context::fiber&& loop)
{
  main = std::move(loop);
  {
    const memory::of_scenario counted;
    t.body();
    t.body = nullptr;
    for (const auto& last : t.at_exit)
      last();
  }
  t.ended = true;
  choose_next();
  return std::move(main);
}

void scheduler::state::run_all()
{
  exception_state& system = exception_state::of_system_thread();
  while (running != choice::none && result.failure.empty())
  {
    thread& t = *threads[running];
    std::swap(system, t.exceptions);
    t.fiber = std::move(t.fiber).resume();
    std::swap(system, t.exceptions);
  }
  for (const auto& t : threads)
  {
    result.threads.push_back(t->name);
    if (!t->ended && !t->is_gone && result.failure.empty())
      result.failure = "deadlock: " + t->name + " waits without end";
  }
}

void scheduler::state::choose_next()
{
  able.clear();
  timed.clear();
  choice among{choice::none, able, timed};
  if (can_run(running))
    among.running = running;
  for (unsigned i = 0; i != threads.size(); ++i)
  {
    if (i != running && can_run(i))
      able.push_back(i);
    else if (is_timed(i))
      timed.push_back(i);
  }
  if (among.running != choice::none || !able.empty())
    timed.erase(std::remove_if(timed.begin(), timed.end(),
                  [this](unsigned i) { return threads[i]->kind == limit::at_rest; }),
      timed.end());
  std::stable_sort(timed.begin(), timed.end(),
    [this](unsigned a, unsigned b) { return threads[a]->until < threads[b]->until; });
  if (among.running == choice::none && able.empty() && timed.empty())
  {
    running = choice::none;
    return;
  }
  end_wait(chooses.choose(among));
}

void scheduler::state::end_wait(unsigned next)
{
  thread& t = *threads[next];
  t.timed_out = t.waiting && !t.waiting->holds();
  if (t.timed_out)
    now = std::max(now, t.until);
  running = next;
}

// Back to the loop of `run`, which resumes the thread that has been chosen.
void scheduler::state::give_way()
{
  main = std::move(main).resume();
}

void scheduler::state::forget_gone()
{
  for (auto& t : threads)
    if (t->is_gone)
    {
      stacks.deallocate(t->stack);
      t.release();
    }
}

scheduler::scheduler(strategy& s, bool traced)
  : state_(new state{s, traced, {}, {}, 0, duration(0), {}, {}, {}, false})
{
}

scheduler::~scheduler() = default;

scheduler* scheduler::current() noexcept
{
  return the_current;
}

void scheduler::count_lock(unsigned thread, int change)
{
  state_->threads[thread]->locks += change;
}

bool scheduler::has_lock(const std::string& name) const
{
  return std::any_of(state_->threads.begin(), state_->threads.end(),
    [&](const auto& t) { return t->name == name && t->locks != 0; });
}

unsigned scheduler::self() const noexcept
{
  return state_->running;
}

const std::string& scheduler::name_of_self() const noexcept
{
  return state_->threads[self()]->name;
}

duration scheduler::now() const noexcept
{
  return state_->now;
}

std::uint64_t scheduler::number_of_run() const noexcept
{
  return runs;
}

void scheduler::go_on_alone()
{
  state& s = *state_;
  s.is_child = true;
  for (unsigned i = 0; i != s.threads.size(); ++i)
    if (i != s.running)
    {
      s.threads[i]->is_gone = !s.threads[i]->ended;
      race::join(i);
    }
}

bool scheduler::has_ended(unsigned t) const
{
  return state_->threads[t]->ended;
}

void scheduler::point(const char* what, const void* object)
{
  const memory::of_harness harness;
  state& s = *state_;
  if (++s.result.points > most_points)
    fail("the run does not end");
  const unsigned self = s.running;
  s.choose_next();
  if (s.running != self)
    s.give_way();
  s.note(what, object);
}

bool scheduler::wait(
  const condition& c, duration until, const char* what, const void* object, limit l)
{
  const memory::of_harness harness;
  state& s = *state_;
  if (++s.result.points > most_points)
    fail("the run does not end");
  const unsigned self = s.running;
  thread& t = *s.threads[self];
  t.waiting = &c;
  t.until = until;
  t.kind = l;
  s.choose_next();
  if (s.running != self)
    s.give_way();
  t.waiting = nullptr;
  s.note(t.timed_out ? "time limit of" : what, object);
  return !t.timed_out;
}

unsigned scheduler::start(std::string name, std::function<void()> body)
{
  const memory::of_harness harness;
  state& s = *state_;
  if (s.threads.size() == most_threads)
    fail("more threads than the scheduler has room for");
  auto t = std::make_unique<thread>();
  thread& made = *t;
  t->name = std::move(name);
  t->body = std::move(body);
  t->fiber = boost::context::fiber(std::allocator_arg, pooled_stack(),
    [&s, &made](boost::context::fiber&& main) { return s.run(made, std::move(main)); });
  made.stack = stacks.latest();
  s.threads.push_back(std::move(t));
  race::start(s.running, static_cast<unsigned>(s.threads.size() - 1));
  return static_cast<unsigned>(s.threads.size() - 1);
}

void scheduler::at_exit(std::function<void()> last)
{
  const memory::of_harness harness;
  state_->threads[self()]->at_exit.push_back(std::move(last));
}

void scheduler::fail(const std::string& why)
{
  const memory::of_harness harness;
  state_->result.failure = why;
  for (;;)
    state_->give_way();
}

run_result scheduler::run(const std::function<void()>& scenario, strategy& s, bool traced)
{
  auto* const self = new scheduler(s, traced);
  the_current = self;
  ++runs;
  ::setitimer(ITIMER_PROF, &longest_run, nullptr);
  memory::begin_run();
  race::begin_run();
  stacks.begin_run();
  self->start("main", scenario);
  self->state_->run_all();
  the_current = nullptr;
  run_result result = std::move(self->state_->result);
  // The stacks of a run that has failed stay as they are.
  if (result.failure.empty())
  {
    const bool is_child = self->state_->is_child;
    self->state_->forget_gone();
    delete self;
    result.failure = memory::end_run(is_child);
  }
  else
    memory::abandon_run();
  return result;
}

} // namespace schedules
