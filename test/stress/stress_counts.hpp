// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What a stress run counts. The counts lie in memory shared with the process that watches the run,
// so that they outlive a crash of it, and each says in a word what it is a count of.

#ifndef INTERLOCK_TEST_STRESS_STRESS_COUNTS_HPP
#define INTERLOCK_TEST_STRESS_STRESS_COUNTS_HPP

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <new>
#include <stdexcept>

#include <sys/mman.h>

namespace stress {

using counter = std::atomic<std::uint64_t>;
static_assert(counter::is_always_lock_free, "the counts are shared between processes");

struct counts
{
  // What was done.
  counter rounds{0};
  counter operations{0}; // asynchronous ones started
  counter completed{0};  // their handlers called
  counter destroyed{0};  // their handlers destroyed uninvoked, with their context
  counter calls{0};      // synchronous ones that have returned
  counter held{0};       // of these: held inside while the object was closed
  counter closes{0};     // calls of close()
  counter async_closes{0};
  counter closers_completed{0};
  counter closers_destroyed{0};
  counter fds{0};    // given to the library, or made by it
  counter closed{0}; // descriptors closed by the library
  counter given_back{0};
  counter victims{0};
  counter bytes{0}; // looked at

  // What must not happen.
  counter misdirected{0};  // bytes that came from a stranger, went to one, or are missing there
  counter crossed{0};      // steps of a composed operation on another connection than the first
  counter called_twice{0}; // handlers
  counter early{0};        // async_close handlers called before the object's last handler
  counter stolen{0};       // descriptors of victims, closed by other code
  counter stray_closes{0}; // close(2) of descriptors that were not open
  counter stuck{0};        // descriptors that were not closed after all had left
  counter unequal{0};      // counts above that do not add up
  counter leaked{0};       // descriptors open at the end that were not at the beginning

  // What has become of the processes.
  counter crashed{0};
  counter hung{0};

  /// Of the things that must not happen.
  std::uint64_t wrong() const
  {
    return misdirected + crossed + called_twice + early + stolen + stray_closes + stuck + unequal
      + leaked + crashed + hung;
  }

  /// Changes as long as the objects under test do what they are asked for. What is done to get
  /// others going is not part of it: it goes on although nothing moves.
  std::uint64_t progress() const
  {
    return rounds + completed + destroyed + calls + closers_completed + closers_destroyed;
  }

  /// Every handler came to one end, every descriptor was closed once.
  bool add_up() const
  {
    return operations == completed + destroyed
      && async_closes == closers_completed + closers_destroyed && fds == closed + given_back;
  }

  void print(const char* who, double seconds) const
  {
    const auto n = [](const counter& c) { return static_cast<unsigned long long>(c.load()); };
    std::printf(
      "%s: %.1f s, rounds %llu; operations %llu = completed %llu + destroyed %llu; calls %llu "
      "(held inside %llu); close %llu, async_close %llu = completed %llu + destroyed %llu; numbers "
      "%llu = closed %llu + given back %llu; victims %llu, bytes %llu; misdirected %llu, crossed "
      "%llu, twice %llu, early %llu, stolen %llu, stray closes %llu, stuck %llu, unequal %llu, "
      "leaked %llu, crashed %llu, hung %llu\n",
      who, seconds, n(rounds), n(operations), n(completed), n(destroyed), n(calls), n(held),
      n(closes), n(async_closes), n(closers_completed), n(closers_destroyed), n(fds), n(closed),
      n(given_back), n(victims), n(bytes), n(misdirected), n(crossed), n(called_twice), n(early),
      n(stolen), n(stray_closes), n(stuck), n(unequal), n(leaked), n(crashed), n(hung));
    std::fflush(stdout);
  }
};

/// Counts in memory that processes forked later share.
class shared_counts
{
public:
  shared_counts()
    : memory_(
      ::mmap(nullptr, sizeof(counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))
  {
    if (memory_ == MAP_FAILED)
      throw std::runtime_error("no shared memory");
    ::new (memory_) counts;
  }

  shared_counts(const shared_counts&) = delete;
  shared_counts& operator=(const shared_counts&) = delete;

  ~shared_counts()
  {
    ::munmap(memory_, sizeof(counts));
  }

  counts& get() const noexcept
  {
    return *static_cast<counts*>(memory_);
  }

private:
  void* memory_;
};

} // namespace stress

#endif // INTERLOCK_TEST_STRESS_STRESS_COUNTS_HPP
