// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include "schedules/harness/race.hpp"

#include <string>
#include <unordered_map>
#include <vector>

#include <boost/container/small_vector.hpp>

#include "schedules/harness/memory.hpp"
#include "schedules/harness/names.hpp"
#include "schedules/harness/scheduler.hpp"

// Where the linker has put the program's code.
extern "C" const char __executable_start;
extern "C" const char etext;

namespace schedules {
namespace race {

namespace {

/// One access to some bytes of an aligned word of eight.
struct access
{
  const void* pc; // null: it has been freed
  std::uint32_t time;
  std::uint8_t thread;
  std::uint8_t bytes; // a bit for each
  bool writes;
};

/// What a run has done to an aligned word of eight bytes. Most have been touched by one thread alone.
struct word
{
  std::uintptr_t key = 0;
  std::uint64_t run = 0;
  boost::container::small_vector<access, 2> accesses;
};

/// Spreads addresses that lie close together.
std::size_t hash_of(std::uintptr_t key, unsigned bits) noexcept
{
  return static_cast<std::size_t>(key * 0x9e3779b97f4a7c15u >> (64 - bits));
}

/// The words of a run, by their address; those of earlier runs are as good as empty.
class word_table
{
public:
  void begin_run() noexcept
  {
    ++run_;
    used_ = 0;
  }

  word& at(std::uintptr_t key)
  {
    // Neighbours stay neighbours, as they are touched together.
    std::size_t i = hash_of(key >> 3, bits - 3) << 3 | (key & 7);
    while (words_[i].run == run_ && words_[i].key != key)
      i = (i + 1) % words_.size();
    word& w = words_[i];
    if (w.run != run_)
    {
      if (++used_ == words_.size())
        scheduler::current()->fail("the run touches more memory than the detector has room for");
      w.key = key;
      w.run = run_;
      w.accesses.clear();
    }
    return w;
  }

private:
  static constexpr unsigned bits = 14;
  std::vector<word> words_ = std::vector<word>(std::size_t{1} << bits);
  std::uint64_t run_ = 0;
  std::size_t used_ = 0;
};

std::array<vector_clock, most_threads> clocks;
std::unordered_map<const void*, vector_clock> carried;
word_table words;

/// Whose code lies at `pc`, which is an address of the program.
origin origin_at(const void* pc)
{
  static std::vector<signed char> known(
    static_cast<std::size_t>(&etext - &__executable_start), static_cast<signed char>(-1));
  const auto place = static_cast<const char*>(pc) - &__executable_start;
  if (place < 0 || static_cast<std::size_t>(place) >= known.size())
    return origin::other;
  signed char& one = known[static_cast<std::size_t>(place)];
  if (one < 0)
    one = static_cast<signed char>(origin_of(function_at(pc)));
  return static_cast<origin>(one);
}

/// A stack's frame: the frame pointer is kept everywhere, so that one leads to the next.
struct frame
{
  const frame* caller;
  const void* return_address;
};

/// Where the library makes an access, that of the function that has called from `f`. Null: it is not the library's.
const void* place_in_library(const frame* f)
{
  for (;; f = f->caller)
    switch (origin_at(f->return_address))
    {
    case origin::library:
      return f->return_address;
    case origin::template_of_others:
      break;
    case origin::other:
      return nullptr;
    }
}

unsigned self() noexcept
{
  return scheduler::current()->self();
}

void check(const access& before, const access& now)
{
  if (!before.pc && (before.bytes & now.bytes) != 0)
    scheduler::current()->fail(
      short_name(function_at(now.pc)) + " touches memory that has been freed");
  if (before.thread == now.thread || (before.bytes & now.bytes) == 0
    || (!before.writes && !now.writes) || before.time <= clocks[now.thread][before.thread])
    return;
  const std::string first = function_at(before.pc);
  const std::string second = now.pc ? function_at(now.pc) : "the memory being freed";
  scheduler::current()->fail("a data race: " + short_name(first)
    + (before.writes ? " writes, " : " reads, ") + short_name(second)
    + (now.writes ? " writes" : " reads"));
}

void note_word(std::uintptr_t key, const access& now)
{
  word& w = words.at(key);
  // Most often a thread goes on with memory of its own.
  if (w.accesses.size() == 1 && w.accesses[0].thread == now.thread && w.accesses[0].pc
    && w.accesses[0].bytes == now.bytes && w.accesses[0].writes <= now.writes)
  {
    w.accesses[0] = now;
    return;
  }
  std::size_t kept = 0;
  for (const access& before : w.accesses)
  {
    check(before, now);
    // An access of the same thread to no more bytes adds nothing, unless it wrote and this one reads.
    const bool covered = before.thread == now.thread && (before.bytes & ~now.bytes) == 0
      && (now.writes || !before.writes);
    if (!covered)
      w.accesses[kept++] = before;
  }
  w.accesses.erase(w.accesses.begin() + static_cast<std::ptrdiff_t>(kept), w.accesses.end());
  w.accesses.push_back(now);
}

void note_words(const void* address, std::size_t size, bool writes, const void* pc)
{
  const auto thread = static_cast<std::uint8_t>(self());
  auto at = reinterpret_cast<std::uintptr_t>(address);
  const auto end = at + size;
  while (at < end)
  {
    const std::uintptr_t key = at / 8;
    std::uint8_t bytes = 0;
    for (; at < end && at / 8 == key; ++at)
      bytes = static_cast<std::uint8_t>(bytes | 1u << (at % 8));
    note_word(key, {pc, clocks[thread][thread], thread, bytes, writes});
  }
}

/// `f`: of the function that the instrumentation calls.
void note(const void* address, std::size_t size, bool writes, const void* f)
{
  if (!scheduler::current())
    return;
  const memory::of_harness harness;
  if (const void* pc = place_in_library(static_cast<const frame*>(f)))
    note_words(address, size, writes, pc);
}

bool acquires(std::memory_order order) noexcept
{
  return order != std::memory_order_relaxed && order != std::memory_order_release;
}

bool releases(std::memory_order order) noexcept
{
  return order == std::memory_order_release || order == std::memory_order_acq_rel
    || order == std::memory_order_seq_cst;
}

} // namespace

void begin_run() noexcept
{
  words.begin_run();
  clocks = {};
  for (std::size_t i = 0; i != most_threads; ++i)
    clocks[i][i] = 1;
  carried.clear();
}

void start(unsigned parent, unsigned child) noexcept
{
  clocks[child].join(clocks[parent]);
  ++clocks[parent][parent];
}

void join(unsigned ended) noexcept
{
  clocks[self()].join(clocks[ended]);
}

void release(vector_clock& into) noexcept
{
  const unsigned me = self();
  into.join(clocks[me]);
  ++clocks[me][me];
}

void acquire(vector_clock& from) noexcept
{
  clocks[self()].join(from);
}

void release(const void* object) noexcept
{
  const memory::of_harness harness;
  if (scheduler::current())
    release(carried[object]);
}

void acquire(const void* object) noexcept
{
  const memory::of_harness harness;
  if (scheduler::current())
    acquire(carried[object]);
}

void atomic_load(const void* object, std::memory_order order) noexcept
{
  if (acquires(order))
    acquire(object);
}

void atomic_store(const void* object, std::memory_order order) noexcept
{
  const memory::of_harness harness;
  if (!scheduler::current())
    return;
  carried[object] = vector_clock();
  if (releases(order))
    release(object);
}

// Goes on with the release sequence of the store before.
void atomic_exchange(const void* object, std::memory_order order) noexcept
{
  if (acquires(order))
    acquire(object);
  if (releases(order))
    release(object);
}

void read(const void* object) noexcept
{
  const memory::of_harness harness;
  note_words(object, 1, false, __builtin_return_address(0));
}

void write(const void* object) noexcept
{
  const memory::of_harness harness;
  note_words(object, 1, true, __builtin_return_address(0));
}

void freed(const void* begin, std::size_t size) noexcept
{
  const memory::of_harness harness;
  if (scheduler::current())
    note_words(begin, size, true, nullptr);
}

} // namespace race
} // namespace schedules

// --- What the compiler's instrumentation calls. -------------------------------------------------------------

using schedules::race::note;

#define INTERLOCK_ACCESS(SIZE) \
  void __tsan_read##SIZE(void* p) \
  { \
    note(p, SIZE, false, __builtin_frame_address(0)); \
  } \
  void __tsan_write##SIZE(void* p) \
  { \
    note(p, SIZE, true, __builtin_frame_address(0)); \
  } \
  void __tsan_unaligned_read##SIZE(void* p) \
  { \
    note(p, SIZE, false, __builtin_frame_address(0)); \
  } \
  void __tsan_unaligned_write##SIZE(void* p) \
  { \
    note(p, SIZE, true, __builtin_frame_address(0)); \
  }

#define INTERLOCK_ATOMIC(BITS, TYPE) \
  TYPE __tsan_atomic##BITS##_load(const volatile TYPE* p, int) \
  { \
    schedules::race::acquire(const_cast<const TYPE*>(p)); \
    return *p; \
  } \
  void __tsan_atomic##BITS##_store(volatile TYPE* p, TYPE v, int) \
  { \
    schedules::race::release(const_cast<const TYPE*>(p)); \
    *p = v; \
  } \
  TYPE __tsan_atomic##BITS##_exchange(volatile TYPE* p, TYPE v, int) \
  { \
    schedules::race::atomic_exchange(const_cast<const TYPE*>(p), std::memory_order_acq_rel); \
    const TYPE before = *p; \
    *p = v; \
    return before; \
  } \
  TYPE __tsan_atomic##BITS##_fetch_add(volatile TYPE* p, TYPE v, int) \
  { \
    schedules::race::atomic_exchange(const_cast<const TYPE*>(p), std::memory_order_acq_rel); \
    const TYPE before = *p; \
    *p = static_cast<TYPE>(before + v); \
    return before; \
  } \
  TYPE __tsan_atomic##BITS##_fetch_sub(volatile TYPE* p, TYPE v, int) \
  { \
    schedules::race::atomic_exchange(const_cast<const TYPE*>(p), std::memory_order_acq_rel); \
    const TYPE before = *p; \
    *p = static_cast<TYPE>(before - v); \
    return before; \
  } \
  int __tsan_atomic##BITS##_compare_exchange_strong( \
    volatile TYPE* p, TYPE* expected, TYPE v, int, int) \
  { \
    schedules::race::atomic_exchange(const_cast<const TYPE*>(p), std::memory_order_acq_rel); \
    if (*p != *expected) \
    { \
      *expected = *p; \
      return 0; \
    } \
    *p = v; \
    return 1; \
  } \
  int __tsan_atomic##BITS##_compare_exchange_weak( \
    volatile TYPE* p, TYPE* expected, TYPE v, int a, int b) \
  { \
    return __tsan_atomic##BITS##_compare_exchange_strong(p, expected, v, a, b); \
  }

extern "C"
{
  void __tsan_init() {}
  void __tsan_func_entry(void*) {}
  void __tsan_func_exit() {}
  void __tsan_atomic_thread_fence(int) {}

  INTERLOCK_ACCESS(1)
  INTERLOCK_ACCESS(2)
  INTERLOCK_ACCESS(4)
  INTERLOCK_ACCESS(8)
  INTERLOCK_ACCESS(16)

  INTERLOCK_ATOMIC(8, unsigned char)
  INTERLOCK_ATOMIC(32, unsigned)
  INTERLOCK_ATOMIC(64, unsigned long)

  void __tsan_read_range(void* p, unsigned long size)
  {
    note(p, size, false, __builtin_frame_address(0));
  }

  void __tsan_write_range(void* p, unsigned long size)
  {
    note(p, size, true, __builtin_frame_address(0));
  }

  // Constructors and destructors set the pointer to the virtual functions: only a change is a write.
  void __tsan_vptr_update(void* p, void* value)
  {
    if (*static_cast<void**>(p) != value)
      note(p, sizeof(void*), true, __builtin_frame_address(0));
  }

  void __tsan_vptr_read(void* p)
  {
    note(p, sizeof(void*), false, __builtin_frame_address(0));
  }
}
