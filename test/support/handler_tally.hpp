// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Counts handlers from their making to their end. Each ends once: called, or destroyed uncalled.
//
// The counts are relaxed, so that they order nothing themselves: a closer that reads them is as
// well ordered after the handlers as the library makes it.

#ifndef INTERLOCK_TEST_SUPPORT_HANDLER_TALLY_HPP
#define INTERLOCK_TEST_SUPPORT_HANDLER_TALLY_HPP

#include <atomic>
#include <type_traits>
#include <utility>

#include <boost/system/error_code.hpp>

#include "close_probe.hpp"

namespace support {

class handler_tally;

/// The life of one handler, whatever is moved from where to where.
class handler_life
{
public:
  explicit handler_life(handler_tally& t) noexcept;

  handler_life(handler_life&& other) noexcept
    : home_(other.home_),
      owner_(std::exchange(other.owner_, false)),
      called_(other.called_)
  {
  }

  handler_life& operator=(handler_life&&) = delete;

  ~handler_life();

  void call() noexcept;

private:
  handler_tally* home_;
  bool owner_ = true;
  bool called_ = false;
};

/// A move-only handler. What it holds is destroyed before its end is counted.
template <class Function>
class counted_handler
{
public:
  counted_handler(handler_tally& t, Function f)
    : life_(t),
      function_(std::move(f))
  {
  }

  template <class... Args>
  void operator()(Args&&... args)
  {
    life_.call();
    function_(std::forward<Args>(args)...);
  }

private:
  handler_life life_;
  Function function_;
};

class handler_tally
{
public:
  handler_tally() = default;
  handler_tally(const handler_tally&) = delete;
  handler_tally& operator=(const handler_tally&) = delete;

  template <class Function>
  counted_handler<std::decay_t<Function>> operator()(Function&& f)
  {
    return {*this, std::forward<Function>(f)};
  }

  int made() const noexcept
  {
    return made_.load(std::memory_order_relaxed);
  }

  int called() const noexcept
  {
    return called_.load(std::memory_order_relaxed);
  }

  /// Destroyed, whether called or not.
  int ended() const noexcept
  {
    return left_reactor_.load(std::memory_order_relaxed);
  }

  bool all_called() const noexcept
  {
    return called() == made() && all_ended();
  }

  bool all_ended() const noexcept
  {
    return ended() == made() && wrong() == 0;
  }

  /// What must not happen: a second call of one handler; a call, or an end, on a worker.
  int wrong() const noexcept
  {
    return wrong_.load(std::memory_order_relaxed);
  }

private:
  friend class handler_life;

  static void add(std::atomic<int>& count) noexcept
  {
    count.fetch_add(1, std::memory_order_relaxed);
  }

  std::atomic<int> made_{0};
  std::atomic<int> called_{0};
  std::atomic<int> left_reactor_{0};
  std::atomic<int> wrong_{0};
};

inline handler_life::handler_life(handler_tally& t) noexcept
  : home_(&t)
{
  handler_tally::add(t.made_);
}

inline handler_life::~handler_life()
{
  if (!owner_)
    return;
  if (on_worker())
    handler_tally::add(home_->wrong_);
  handler_tally::add(home_->left_reactor_);
}

inline void handler_life::call() noexcept
{
  if (!owner_ || called_ || on_worker())
    handler_tally::add(home_->wrong_);
  called_ = true;
  handler_tally::add(home_->called_);
}

/// A handler that keeps the error it is told.
inline auto into(boost::system::error_code& kept)
{
  return [&kept](const boost::system::error_code& ec, auto&&...) { kept = ec; };
}

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_HANDLER_TALLY_HPP
