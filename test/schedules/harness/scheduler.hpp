// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Runs the threads of one scenario, one at a time, in an order that a strategy chooses.
//
// Each thread is a fiber of the one thread of the program. A fiber gives way at points only: before each
// operation on something that other threads may share, and where it blocks. Between two points nothing else
// runs, so the order of operations is sequentially consistent. Time stands still while a fiber can run; a
// wait with a time limit may end at its limit as soon as the strategy says so.

#ifndef INTERLOCK_TEST_SCHEDULES_HARNESS_SCHEDULER_HPP
#define INTERLOCK_TEST_SCHEDULES_HARNESS_SCHEDULER_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace schedules {

using duration = std::chrono::nanoseconds;

/// What a blocked thread waits for.
class condition
{
public:
  virtual bool holds() const = 0;

protected:
  ~condition() = default;
};

/// Holds when a function says so.
template <class Function>
class when final : public condition
{
public:
  explicit when(Function f)
    : function_(std::move(f))
  {
  }

  bool holds() const override
  {
    return function_();
  }

private:
  Function function_;
};

/// The choice at one point.
struct choice
{
  static constexpr unsigned none = ~0u;

  unsigned running = none;            ///< The thread that could go on without a preemption, if any.
  const std::vector<unsigned>& able;  ///< Threads that can run, without `running`.
  const std::vector<unsigned>& timed; ///< Threads whose wait would end at its time limit.
};

/// Chooses which thread runs next.
class strategy
{
public:
  virtual unsigned choose(const choice& among) = 0;

protected:
  ~strategy() = default;
};

struct step
{
  unsigned thread;
  const char* what;
  const void* object;
  std::string function; // empty unless the run is traced
};

struct run_result
{
  std::string failure;              // empty if the run was as it should be
  std::vector<step> steps;          // of a traced run
  std::vector<std::string> threads; // their names
  std::size_t points = 0;
};

class scheduler
{
public:
  static constexpr std::size_t most_threads = 16;

  /// The name of each thread of the library.
  static constexpr const char* thread_of_library = "worker";
  static constexpr std::size_t most_points = 20000;

  /// A wait whose time limit lies later than this in the run is one without end.
  static constexpr duration longest = std::chrono::hours(24);

  /// Runs `scenario` as the first thread. `traced`: notes the steps.
  static run_result run(const std::function<void()>& scenario, strategy& s, bool traced);

  /// The scheduler of the run that is under way. Null outside of runs.
  static scheduler* current() noexcept;

  // --- For the threads of the run.

  /// Another thread may run before what follows, which the caller does to `object`.
  void point(const char* what, const void* object);

  /// When a time limit may come.
  enum class limit : unsigned char
  {
    at_any_time, ///< Other threads may be slow.
    at_rest      ///< Not before all other threads wait.
  };

  /// Blocks until `c` holds. False: until the time limit.
  bool wait(const condition& c, duration until, const char* what, const void* object,
    limit l = limit::at_any_time);

  /// Starts a thread, which does not run before the next point.
  unsigned start(std::string name, std::function<void()> body);

  /// Calls `last` when the calling thread ends.
  void at_exit(std::function<void()> last);

  /// A thread has locked a mutex more, or less.
  void count_lock(unsigned thread, int change);

  /// Whether a thread with this name has locked a mutex.
  bool has_lock(const std::string& name) const;

  /// The run goes on as a forked child, which has the calling thread only. What the other threads have stays as it is,
  /// and is not missed at the end.
  void go_on_alone();

  bool has_ended(unsigned thread) const;
  unsigned self() const noexcept;
  const std::string& name_of_self() const noexcept;
  duration now() const noexcept;

  /// Of the runs of the program, from 1.
  std::uint64_t number_of_run() const noexcept;

  /// Ends the run: it has failed. Does not return.
  [[noreturn]] void fail(const std::string& why);

  static constexpr duration forever = duration::max();

private:
  struct thread;
  struct state;

  scheduler(strategy& s, bool traced);
  ~scheduler();

  std::unique_ptr<state> state_;
};

} // namespace schedules

#endif // INTERLOCK_TEST_SCHEDULES_HARNESS_SCHEDULER_HPP
