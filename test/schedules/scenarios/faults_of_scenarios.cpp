// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Scenarios that are wrong on purpose: each kind of fault is found, and named.

#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>

#include <poll.h>

#include <interlock/detail/sys.hpp>

#include "schedules/harness/kernel.hpp"
#include "schedules/scenario.hpp"

using namespace schedules;
namespace sys = interlock::detail::sys;

namespace interlock {
namespace schedules_test {

// Only accesses of the library are looked at. The compiler must not see that the value is read no more.
[[gnu::noipa]] void write(int& value)
{
  value = 1;
}

[[gnu::noipa]] int call_itself(int n) // NOLINT(misc-no-recursion)
{
  return n == 0 ? 0 : call_itself(n + 1) + n;
}

[[gnu::noipa]] int read(const int& value)
{
  return value;
}

// Looked at as well: what the standard library does for the library.
[[gnu::noipa]] void reset(std::unique_ptr<int>& value)
{
  value.reset();
}

} // namespace schedules_test
} // namespace interlock

namespace {

/// What two threads of a scenario share.
struct shared
{
  sys::mutex first;
  sys::mutex second;
  sys::condition_variable changed;
  sys::atomic<int> value{0};
  bool ready = false;
};

/// What the compiler does not look through.
template <class T>
using place = T* volatile;

} // namespace

FAULTY_SCENARIO(harness_finds_a_deadlock, 1, "deadlock")
{
  shared s;
  thread other("other",
    [&]
    {
      const std::lock_guard<sys::mutex> outer(s.second);
      const std::lock_guard<sys::mutex> inner(s.first);
    });
  const std::lock_guard<sys::mutex> outer(s.first);
  const std::lock_guard<sys::mutex> inner(s.second);
}

// The flag is looked at, and set, without the mutex that the waiter holds.
FAULTY_SCENARIO(harness_finds_a_lost_wake_up, 1, "deadlock")
{
  shared s;
  thread other("other",
    [&]
    {
      s.value = 1;
      s.changed.notify_all();
    });
  std::unique_lock<sys::mutex> lock(s.first);
  s.changed.wait(lock, [&] { return s.value == 1; });
}

FAULTY_SCENARIO(harness_finds_an_update_that_is_lost, 1, "an update is lost")
{
  shared s;
  thread other("other", [&] { s.value = s.value + 1; });
  s.value = s.value + 1;
  other.join();
  require(s.value == 2, "an update is lost");
}

FAULTY_SCENARIO(harness_finds_a_run_without_end, 0, "the run does not end")
{
  shared s;
  while (s.value == 0)
  {
  }
}

FAULTY_SCENARIO(harness_finds_a_thread_that_does_nothing_without_end, 0, "a thread goes on without")
{
  volatile bool is_over = false;
  while (!is_over)
  {
  }
}

FAULTY_SCENARIO(
  harness_finds_an_exception_that_leaves_a_thread, 0, "std::terminate was called: one")
{
  throw std::runtime_error("one");
}

FAULTY_SCENARIO(harness_finds_a_stack_that_overflows, 0, "an address was accessed")
{
  interlock::schedules_test::call_itself(1);
}

FAULTY_SCENARIO(harness_finds_a_dependence_on_more_than_the_order, 1, "goes another way")
{
  static unsigned runs = 0;
  shared s;
  thread other("other", [&] { s.value = 1; });
  if (++runs % 2 == 0)
    thread one_more("one more", [&] { s.value = 2; });
  s.value = 3;
}

FAULTY_SCENARIO(harness_finds_a_call_that_its_kernel_does_not_have, 0, "has no listen")
{
  sys::listen(0, 1);
}

FAULTY_SCENARIO(harness_finds_memory_that_is_freed_twice, 0, "freed twice")
{
  place<int> kept = new int(1);
  delete kept;
  delete kept;
}

FAULTY_SCENARIO(
  harness_finds_the_use_of_a_mutex_after_its_end, 0, "lock of an object whose life is over")
{
  std::optional<sys::mutex> m;
  m.emplace();
  place<sys::mutex> kept = &*m;
  m.reset();
  kept->lock();
}

FAULTY_SCENARIO(harness_finds_too_many_threads, 0, "more threads than the scheduler has room for")
{
  std::vector<std::unique_ptr<thread>> threads;
  for (std::size_t i = 0; i != scheduler::most_threads; ++i)
    threads.push_back(std::make_unique<thread>("one of many", [] {}));
}

FAULTY_SCENARIO(harness_finds_a_call_past_the_scheduler, 0, "a call past the scheduler: poll")
{
  ::poll(nullptr, 0, 0);
}

FAULTY_SCENARIO(harness_finds_memory_that_is_not_freed, 0, "not freed")
{
  place<int> kept = new int(1);
  require(kept != nullptr, "no memory");
}

FAULTY_SCENARIO(harness_finds_a_write_to_freed_memory, 0, "touches memory that has been freed")
{
  place<int> kept = new int(1);
  delete kept;
  interlock::schedules_test::write(*kept);
}

FAULTY_SCENARIO(harness_finds_a_read_of_freed_memory, 0, "touches memory that has been freed")
{
  place<int> kept = new int(1);
  delete kept;
  interlock::schedules_test::read(*kept);
}

FAULTY_SCENARIO(harness_finds_an_atomic_in_freed_memory, 0, "load of memory that has been freed")
{
  place<sys::atomic<int>> kept = new sys::atomic<int>(1);
  delete kept;
  kept->load();
}

FAULTY_SCENARIO(harness_finds_a_data_race, 0,
  "a data race: schedules_test::write writes, schedules_test::write writes")
{
  int value = 0;
  thread other("other", [&] { interlock::schedules_test::write(value); });
  interlock::schedules_test::write(value);
}

FAULTY_SCENARIO(harness_finds_a_race_through_the_standard_library, 0,
  "a data race: schedules_test::reset writes, schedules_test::reset")
{
  std::unique_ptr<int> value;
  thread other("other", [&] { interlock::schedules_test::reset(value); });
  interlock::schedules_test::reset(value);
}

FAULTY_SCENARIO(harness_finds_an_order_that_is_too_weak, 1, "a data race")
{
  shared s;
  int value = 0;
  thread other("other",
    [&]
    {
      interlock::schedules_test::write(value);
      s.value.store(1, std::memory_order_relaxed);
    });
  if (s.value.load(std::memory_order_acquire) == 1)
    interlock::schedules_test::write(value);
  other.join();
}

FAULTY_SCENARIO(harness_finds_a_descriptor_that_is_not_open, 0, "is not open")
{
  kernel::current().close(kernel::current().open_socket() + 1);
}

FAULTY_SCENARIO(harness_finds_a_descriptor_that_is_never_closed, 0, "never closed")
{
  kernel::current().open_socket();
}

FAULTY_SCENARIO(
  harness_finds_a_touch_of_a_strangers_descriptor, 0, "which is another owner's by now")
{
  const int fd = kernel::current().open_strangers_socket();
  kernel::current().close(fd);
}
