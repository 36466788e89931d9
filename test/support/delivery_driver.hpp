// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A delivery that writes down its report, and what runs the engine as the worker does, step by step.

#ifndef INTERLOCK_TEST_SUPPORT_DELIVERY_DRIVER_HPP
#define INTERLOCK_TEST_SUPPORT_DELIVERY_DRIVER_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <utility>

#include <interlock/close_mode.hpp>
#include <interlock/close_report.hpp>
#include <interlock/detail/closing/deadline_heap.hpp>
#include <interlock/detail/closing/delivery_engine.hpp>
#include <interlock/detail/closing/delivery_job.hpp>
#include <interlock/detail/closing/edge_set.hpp>

namespace support {

class delivery_probe final : public interlock::detail::delivery_job
{
public:
  /// Called when the delivery is over, before that is counted.
  std::function<void()> on_delivered;

  /// Before it begins.
  interlock::detail::known_errors received = {0, true};

  int reports() const noexcept
  {
    return reports_;
  }

  // Once it has been reported.

  const interlock::close_report& report() const noexcept
  {
    return reported_;
  }

  interlock::close_outcome outcome() const noexcept
  {
    return reported_.outcome;
  }

private:
  friend class delivery_driver;

  void delivered()
  {
    is_begun_ = false;
    reported_ = report_;
    if (on_delivered)
      on_delivered();
    ++reports_;
  }

  bool is_begun_ = false; // and not over
  interlock::close_report reported_;
  int reports_ = 0;
};

class delivery_driver
{
public:
  using clock = interlock::detail::delivery_engine::clock;

  explicit delivery_driver(interlock::detail::watching way)
    : engine_(heap_, edges_, way)
  {
    edges_.open();
  }

  delivery_driver(const delivery_driver&) = delete;
  delivery_driver& operator=(const delivery_driver&) = delete;

  /// Begins when next run.
  void submit(delivery_probe& job, int fd, const interlock::close_mode& mode,
    clock::time_point since = clock::now())
  {
    plan(job, fd, mode, since, interlock::detail::delivery_stage::fresh);
  }

  void drain(delivery_probe& job, int fd, const interlock::close_mode& mode)
  {
    plan(job, fd, mode, clock::now(), interlock::detail::delivery_stage::draining);
  }

  /// By a stronger mode, while it lasts: close_job passes on no other. Has an effect when next run.
  void overtake(delivery_probe& job, const interlock::close_mode& mode)
  {
    job.tighten(mode, clock::now());
    overtaken_.push_back(&job);
  }

  bool idle() const
  {
    return begun_.empty() && heap_.empty();
  }

  /// When it has to be run at the latest.
  clock::time_point next_deadline() const
  {
    if (!begun_.empty() || !overtaken_.empty())
      return clock::time_point::min();
    return heap_.empty() ? clock::time_point::max() : heap_.front()->due();
  }

  /// Whether a socket wakes the thread, within so many milliseconds.
  bool has_edge(int milliseconds)
  {
    if (woken_.empty())
      await_edges(std::chrono::milliseconds(milliseconds));
    return !woken_.empty();
  }

  /// Waits, up to `timeout`, for something to do, and does it.
  void run_once(clock::duration timeout)
  {
    const auto next = next_deadline();
    if (next == clock::time_point::min() || !woken_.empty())
      timeout = clock::duration::zero();
    else if (next != clock::time_point::max())
      timeout = std::min(timeout, next - clock::now());
    await_edges(timeout);
    const auto now = clock::now();
    for (delivery_probe* job : std::exchange(woken_, {}))
      tell(*job, engine_.woken(*job, now));
    for (const begin& b : std::exchange(begun_, {}))
      tell(*b.job, engine_.begin(*b.job, {b.fd, b.first, b.job->demanded_, b.job->received}, now));
    for (delivery_probe* job : std::exchange(overtaken_, {}))
      if (job->is_begun_)
        tell(*job, engine_.overtake(*job, job->demanded_, now));
    while (!heap_.empty() && heap_.front()->due() <= now)
    {
      auto& job = static_cast<delivery_probe&>(*heap_.front());
      tell(job, engine_.look(job, now));
    }
  }

private:
  struct begin
  {
    delivery_probe* job;
    int fd;
    interlock::detail::delivery_stage first;
  };

  void plan(delivery_probe& job, int fd, const interlock::close_mode& mode, clock::time_point since,
    interlock::detail::delivery_stage first)
  {
    edges_.open();
    job.want(mode, since);
    job.is_begun_ = true;
    begun_.push_back({&job, fd, first});
  }

  void await_edges(clock::duration timeout)
  {
    void* tags[interlock::detail::edge_set::most];
    const std::size_t count = edges_.wait(timeout, tags);
    for (std::size_t i = 0; i < count; ++i)
      woken_.push_back(
        static_cast<delivery_probe*>(static_cast<interlock::detail::delivery_job*>(tags[i])));
  }

  static void tell(delivery_probe& job, bool is_over)
  {
    if (is_over)
      job.delivered();
  }

  interlock::detail::deadline_heap heap_;
  interlock::detail::edge_set edges_;
  interlock::detail::delivery_engine engine_;
  std::deque<begin> begun_;
  std::deque<delivery_probe*> overtaken_;
  std::deque<delivery_probe*> woken_;
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_DELIVERY_DRIVER_HPP
