// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include "schedules/harness/race.hpp"

#include <algorithm>
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

/// What a run has done to an aligned word of eight bytes. Most have been touched by one thread alone, whose latest
/// access says it all. Half a line of the cache: a run looks at thousands.
struct word
{
  std::uintptr_t key = 0;
  access latest = {};
  std::uint32_t run = 0;

  /// 1 + the place of the accesses before `latest` that still count. 0: there are none.
  std::uint32_t earlier = 0;
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
  using accesses = boost::container::small_vector<access, 2>;

  void begin_run() noexcept
  {
    ++run_;
    used_ = 0;
    used_lists_ = 0;
  }

  /// Of a word that no access has been to yet, `latest` has no bytes.
  word& at(std::uintptr_t key)
  {
    // Neighbours stay neighbours, as they are touched together.
    std::size_t i = hash_of(key >> 3, bits - 3) << 3 | (key & 7);
    while (words_[i].run == run_ && words_[i].key != key)
      i = (i + 1) % size;
    word& w = words_[i];
    if (w.run != run_)
    {
      if (++used_ == size)
        scheduler::current()->fail("the run touches more memory than the detector has room for");
      w = {key, {}, run_, 0};
    }
    return w;
  }

  accesses& earlier(word& w)
  {
    if (w.earlier == 0)
    {
      if (used_lists_ == lists_.size())
        lists_.emplace_back();
      lists_[used_lists_].clear();
      w.earlier = ++used_lists_;
    }
    return lists_[w.earlier - 1];
  }

private:
  static constexpr unsigned bits = 14;
  static constexpr std::size_t size = std::size_t{1} << bits;
  std::vector<word> words_ = std::vector<word>(size);
  std::vector<accesses> lists_;
  std::uint32_t run_ = 0;
  std::uint32_t used_lists_ = 0;
  std::size_t used_ = 0;
};

std::array<vector_clock, most_threads> clocks;
std::unordered_map<const void*, vector_clock> carried;
word_table words;

/// Whose code lies where: each address of the program that has been asked for, and those asked for lately once more.
class origins
{
public:
  origin at(const void* pc)
  {
    if (pc < &__executable_start || pc >= &etext)
      return origin::other;
    const auto place = static_cast<std::uint32_t>(
      static_cast<const char*>(pc) - &__executable_start);
    recent& r = recent_[hash_of(place, bits)];
    if (r.place != place)
      r = {place, find(pc)};
    return r.found;
  }

private:
  struct recent
  {
    std::uint32_t place = 0;
    origin found = origin::other;
  };

  origin find(const void* pc)
  {
    const memory::of_harness harness;
    const auto known = known_.find(pc);
    if (known != known_.end())
      return known->second;
    return known_[pc] = origin_of(function_at(pc));
  }

  static constexpr unsigned bits = 12;
  std::array<recent, std::size_t{1} << bits> recent_{};
  std::unordered_map<const void*, origin> known_;
};

origins code;

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
    switch (code.at(f->return_address))
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

/// Another thread, or other bytes of the word, come in: what no access covers is kept.
void note_shared_word(word& w, const access& now)
{
  const memory::of_harness harness;
  word_table::accesses& earlier = words.earlier(w);
  earlier.push_back(w.latest);
  std::size_t kept = 0;
  for (const access& before : earlier)
  {
    check(before, now);
    // An access of the same thread to no more bytes adds nothing, unless it wrote and this one reads.
    const bool covered = before.thread == now.thread && (before.bytes & ~now.bytes) == 0
      && (now.writes || !before.writes);
    if (!covered)
      earlier[kept++] = before;
  }
  earlier.erase(earlier.begin() + static_cast<std::ptrdiff_t>(kept), earlier.end());
  w.latest = now;
}

void note_word(std::uintptr_t key, const access& now)
{
  word& w = words.at(key);
  const access& before = w.latest;
  // Most often a thread goes on with memory of its own.
  const bool goes_on = before.thread == now.thread && before.pc && before.bytes == now.bytes
    && before.writes <= now.writes;
  if (w.earlier == 0 && (before.bytes == 0 || goes_on))
    w.latest = now;
  else
    note_shared_word(w, now);
}

void note_words(const void* address, std::size_t size, bool writes, const void* pc)
{
  const auto thread = static_cast<std::uint8_t>(self());
  const std::uint32_t time = clocks[thread][thread];
  const auto begin = reinterpret_cast<std::uintptr_t>(address);
  const std::uintptr_t end = begin + size;
  for (std::uintptr_t key = begin / 8; key * 8 < end; ++key)
  {
    const std::uintptr_t first = std::max(begin, key * 8) - key * 8;
    const std::uintptr_t last = std::min(end, key * 8 + 8) - key * 8;
    const auto bytes = static_cast<std::uint8_t>((1u << last) - (1u << first));
    note_word(key, {pc, time, thread, bytes, writes});
  }
}

/// `f`: of the function that the instrumentation calls.
void note(const void* address, std::size_t size, bool writes, const void* f)
{
  if (!scheduler::current())
    return;
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
  note_words(object, 1, false, __builtin_return_address(0));
}

void write(const void* object) noexcept
{
  note_words(object, 1, true, __builtin_return_address(0));
}

void freed(const void* begin, std::size_t size) noexcept
{
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
