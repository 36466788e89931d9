// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Obligations: each asynchronous operation is one from its start until its handler has been called
// or destroyed. They are counted in all and for each object, and an object that is opened again
// only from the handler of async_close knows when its last handler must have been.

#ifndef INTERLOCK_TEST_STRESS_STRESS_LEDGER_HPP
#define INTERLOCK_TEST_STRESS_STRESS_LEDGER_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>

#include "stress/stress_counts.hpp"

namespace stress {

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

  void called() noexcept
  {
    if (!account_ || called_)
    {
      ++counts_.called_twice;
      return;
    }
    called_ = true;
    ++counts_.closers_completed;
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
