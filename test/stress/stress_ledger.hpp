// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What a stress run counts, and the obligations by which it counts.
//
// The counts lie in memory shared with the process that watches the run, so that they outlive a crash
// of it, and each says in a word what it is a count of. Each asynchronous operation is an obligation
// from its start until its handler has been called or destroyed. They are counted in all and for each
// object, and an object that is opened again only from the handler of async_close knows when its last
// handler must have been.

#ifndef INTERLOCK_TEST_STRESS_STRESS_LEDGER_HPP
#define INTERLOCK_TEST_STRESS_STRESS_LEDGER_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <new>
#include <stdexcept>
#include <utility>

#include <sys/mman.h>

#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>

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
  counter failed{0};       // async_close handlers called with an error
  counter stolen{0};       // descriptors of victims, closed by other code
  counter stray_closes{0}; // close(2) of descriptors that were not open
  counter unequal{0};      // counts above that do not add up
  counter leaked{0};       // descriptors open at the end that were not at the beginning

  // What has become of the processes.
  counter crashed{0};
  counter hung{0};

  /// Of the things that must not happen.
  std::uint64_t wrong() const
  {
    return misdirected + crossed + called_twice + early + stolen + failed + stray_closes + unequal
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

  void print(const char* name, double seconds) const
  {
    const auto n = [](const counter& c) { return static_cast<unsigned long long>(c.load()); };
    std::printf(
      "%s: %.1f s, rounds %llu; operations %llu = completed %llu + destroyed %llu; calls %llu; "
      "close %llu, async_close %llu = completed %llu + destroyed %llu; numbers "
      "%llu = closed %llu + given back %llu; victims %llu, bytes %llu; misdirected %llu, crossed "
      "%llu, twice %llu, early %llu, failed %llu, stolen %llu, stray closes %llu, unequal %llu, "
      "leaked %llu, crashed %llu, hung %llu\n",
      name, seconds, n(rounds), n(operations), n(completed), n(destroyed), n(calls), n(closes),
      n(async_closes), n(closers_completed), n(closers_destroyed), n(fds), n(closed), n(given_back),
      n(victims), n(bytes), n(misdirected), n(crossed), n(called_twice), n(early), n(failed),
      n(stolen), n(stray_closes), n(unequal), n(leaked), n(crashed), n(hung));
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

/// The lives of one object, one after the other: each is over once the handler of an async_close
/// that was started in it has been called.
class lives
{
public:
  /// Whether the caller, which has to call `opened` or `not_opened`, may open the object.
  bool may_open() noexcept
  {
    if (opening_.exchange(true))
      return false;
    const bool over = ended_ == current_;
    opening_ = over;
    return over;
  }

  void opened() noexcept
  {
    ++current_;
    opening_ = false;
  }

  void not_opened() noexcept
  {
    opening_ = false;
  }

  /// What a closer keeps, to call `over` with from its handler.
  std::uint64_t now() const noexcept
  {
    return current_;
  }

  void over(std::uint64_t life) noexcept
  {
    std::uint64_t ended = ended_;
    while (ended < life && !ended_.compare_exchange_weak(ended, life))
      continue;
  }

  /// Whether every life that the object has had is over. In this order: it was so at the first
  /// load, and no thread has begun to open the object since.
  bool all_over() const noexcept
  {
    const std::uint64_t ended = ended_;
    return !opening_ && current_ == ended;
  }

private:
  std::atomic<std::uint64_t> current_{0};
  std::atomic<std::uint64_t> ended_{0};
  std::atomic<bool> opening_{false};
};

/// What is counted for one object.
struct account
{
  std::atomic<int> outstanding{0};
  lives* orderly = nullptr; ///< Set for objects that are opened again only after async_close.
};

/// The right to write, where writers that cut each other's records off would hide what is looked
/// for.
class turn
{
public:
  turn() = default;

  explicit turn(std::atomic<bool>& taken) noexcept
    : taken_(taken.exchange(true) ? nullptr : &taken)
  {
  }

  turn(turn&& other) noexcept
    : taken_(std::exchange(other.taken_, nullptr))
  {
  }

  turn& operator=(turn&&) = delete;

  ~turn()
  {
    if (taken_)
      *taken_ = false;
  }

  explicit operator bool() const noexcept
  {
    return taken_ != nullptr;
  }

private:
  std::atomic<bool>* taken_ = nullptr;
};

/// One asynchronous operation, kept by its handler.
class obligation
{
public:
  obligation(account& a, counts& c) noexcept
    : account_(&a),
      counts_(c)
  {
    ++counts_.operations;
    ++account_->outstanding;
  }

  obligation(obligation&& other) noexcept
    : account_(std::exchange(other.account_, nullptr)),
      counts_(other.counts_),
      called_(other.called_),
      refused_(other.refused_)
  {
  }

  obligation& operator=(obligation&&) = delete;

  ~obligation()
  {
    if (!account_)
      return;
    counts_.destroyed += !called_;
    look_whether_early();
    --account_->outstanding;
  }

  /// The handler is called. An operation that was refused at its first step belongs to no life of
  /// its object.
  void called(const boost::system::error_code& ec, std::size_t transferred = 0) noexcept
  {
    if (!account_ || called_)
    {
      ++counts_.called_twice;
      return;
    }
    called_ = true;
    refused_ = ec == boost::asio::error::bad_descriptor && transferred == 0;
    ++counts_.completed;
    look_whether_early();
  }

private:
  // Whatever was started in a life must be gone, its memory too, when async_close's handler is
  // called.
  void look_whether_early() noexcept
  {
    if (called_ && !refused_ && account_->orderly)
      counts_.early += account_->orderly->all_over();
  }

  account* account_;
  counts& counts_;
  bool called_ = false;
  bool refused_ = false;
};

/// One caller of async_close, kept by its handler.
class closing
{
public:
  closing(account& a, counts& c) noexcept
    : account_(&a),
      life_(a.orderly ? a.orderly->now() : 0),
      counts_(c)
  {
    ++counts_.async_closes;
  }

  closing(closing&& other) noexcept
    : account_(std::exchange(other.account_, nullptr)),
      life_(other.life_),
      counts_(other.counts_),
      called_(other.called_)
  {
  }

  closing& operator=(closing&&) = delete;

  ~closing()
  {
    if (account_ && !called_)
      ++counts_.closers_destroyed;
  }

  void called(const boost::system::error_code& ec) noexcept
  {
    if (!account_ || called_)
    {
      ++counts_.called_twice;
      return;
    }
    called_ = true;
    ++counts_.closers_completed;
    counts_.failed += ec ? 1 : 0;
    if (account_->orderly)
      account_->orderly->over(life_);
  }

private:
  account* account_;
  std::uint64_t life_;
  counts& counts_;
  bool called_ = false;
};

} // namespace stress

#endif // INTERLOCK_TEST_STRESS_STRESS_LEDGER_HPP
