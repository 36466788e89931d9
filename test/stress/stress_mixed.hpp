// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Everything at once: loop threads run the context, others read, write, accept, connect, cancel,
// close and open a set of shared objects as chance has it, some asynchronously, some in blocking
// calls, while victims come and go.
//
// A round ends in one of two ways: every operation runs to its completion, or the context is
// stopped and destroyed with what is outstanding. The books must balance in both.

#ifndef INTERLOCK_TEST_STRESS_STRESS_MIXED_HPP
#define INTERLOCK_TEST_STRESS_STRESS_MIXED_HPP

#include <atomic>
#include <future>
#include <optional>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>

#include "stress/stress_objects.hpp"
#include "stress/stress_victims.hpp"

namespace stress {

enum class ending
{
  drained, ///< Every handler is called.
  stopped  ///< The context is destroyed with handlers outstanding.
};

template <class Family>
class mixed_round
{
public:
  explicit mixed_round(counts& c)
    : book_(c),
      world_(std::in_place, c),
      objects_(*world_)
  {
  }

  void run(ending how)
  {
    auto work = asio::make_work_guard(world_->context);
    std::vector<std::thread> loops;
    for (int i = 0; i != 2; ++i)
      loops.emplace_back([this] { world_->context.run(); });
    start_threads();
    over_.get_future().wait();
    world_->stop = true;
    if (how == ending::stopped)
      world_->context.stop();
    wait_for_steps();
    objects_.for_all([this](auto& s) { start_close<Family>(*world_, s); });
    if (how == ending::drained)
      drain_operations();
    work.reset();
    for (std::thread& t : loops)
      t.join();
    end_objects();
    ++book_.rounds;
  }

private:
  // Stretches of steps of all threads, most of them of those that never block: about half a second.
  static constexpr int enough = 4000;

  using set = objects<Family>;

  void start(void (set::*step)(random&))
  {
    ++running_;
    threads_.emplace_back(
      [this, step]
      {
        random r(std::random_device{}());
        // Several at a stretch: with a pause after each, most of the time would go into those.
        while (!world_->stop)
        {
          for (int i = 0; i != 16 && !world_->stop; ++i)
            (objects_.*step)(r);
          if (++stretches_ == enough)
            over_.set_value();
          std::this_thread::yield();
        }
        --running_;
      });
  }

  void start_threads()
  {
    for (int i = 0; i != 3; ++i)
      start(&set::disturb);
    for (int i = 0; i != 2; ++i)
      start(&set::read_blocking);
    start(&set::write_blocking);
    start(&set::accept_blocking);
    start(&set::connect_blocking);
    threads_.emplace_back([this] { churn(stop_others_, book_); });
    threads_.emplace_back(
      [this] { world_->far.run(stop_others_, [this] { world_->tcp.turn(); }); });
  }

  // What is blocked returns when its object is closed; one may have been opened after that. Peers
  // and victims stay until no operation is left.
  void wait_for_steps()
  {
    while (running_ != 0)
    {
      objects_.for_all([this](auto& s) { close(*world_, s); });
      std::this_thread::yield();
    }
  }

  // The loops call every handler.
  void drain_operations()
  {
    while (outstanding() || book_.async_closes != book_.closers_completed + book_.closers_destroyed)
      std::this_thread::yield();
  }

  bool outstanding()
  {
    bool some = false;
    objects_.for_all([&some](auto& s) { some = some || s.book.outstanding != 0; });
    return some;
  }

  void end_objects()
  {
    objects_.for_all([](auto& s) { s.object.reset(); });
    stop_others_ = true;
    for (std::thread& t : threads_)
      t.join();
    world_->far.finish();
    world_.reset();
  }

  counts& book_;
  std::optional<world> world_;
  set objects_;
  std::vector<std::thread> threads_;
  std::atomic<int> running_{0}; // threads that take steps
  std::atomic<int> stretches_{0};
  std::promise<void> over_;
  std::atomic<bool> stop_others_{false};
};

} // namespace stress

#endif // INTERLOCK_TEST_STRESS_STRESS_MIXED_HPP
