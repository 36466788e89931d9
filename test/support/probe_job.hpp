// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A close job that writes down what the worker does with it, and one that holds the worker up.

#ifndef INTERLOCK_TEST_SUPPORT_PROBE_JOB_HPP
#define INTERLOCK_TEST_SUPPORT_PROBE_JOB_HPP

#include <atomic>
#include <functional>
#include <future>
#include <thread>

#include <boost/test/unit_test.hpp>

#include <interlock/detail/closing/close_job.hpp>
#include <interlock/detail/closing/close_worker.hpp>

#include "descriptor_pairs.hpp"
#include "wait_until.hpp"

namespace support {

/// A descriptor of which nothing is known: the worker asks the system.
inline interlock::detail::detached_descriptor unasked(
  int fd, interlock::detail::linger_setting linger = interlock::detail::linger_setting::unknown())
{
  interlock::detail::detached_descriptor d;
  d.fd = fd;
  d.linger = linger;
  return d;
}

/// A descriptor whose close(2) cannot block, as its kind says: the worker closes it itself.
inline interlock::detail::detached_descriptor plain(
  int fd, interlock::detail::linger_setting linger = interlock::detail::linger_setting::unknown())
{
  interlock::detail::detached_descriptor d = unasked(fd, linger);
  d.kind = interlock::detail::descriptor_kind::event;
  return d;
}

class probe_job final : public interlock::detail::close_job
{
public:
  /// Called where the worker calls the job, before that is counted.
  std::function<void()> on_closed;
  std::function<void()> on_expired;

  // Of a flush, whose progress the test invents: by how much each look finds more steps, and a shorter queue.
  std::atomic<unsigned> step{0};
  std::atomic<int> queue_step{0};

  probe_job() = default;
  probe_job(const probe_job&) = delete;
  probe_job& operator=(const probe_job&) = delete;

  /// The worker has done with it by then.
  ~probe_job() override
  {
    wait_until([this] { return holds_ == 0; });
  }

  int closes() const noexcept
  {
    return closes_;
  }

  int expiries() const noexcept
  {
    return expiries_;
  }

  /// How many times there was no thread for a retry.
  int renunciations() const noexcept
  {
    return renunciations_;
  }

  bool wait_closed() const
  {
    return wait_until([this] { return closes_ != 0; });
  }

  bool wait_expired() const
  {
    return wait_until([this] { return expiries_ != 0; });
  }

  bool is(interlock::close_outcome o) const
  {
    return wait_closed() && report().outcome == o;
  }

  /// Where it was called last, once that has been counted.
  std::thread::id thread() const noexcept
  {
    return thread_;
  }

private:
  void keep_memory() noexcept override
  {
    ++holds_;
  }

  void drop_memory() noexcept override
  {
    --holds_;
  }

  void shut_down() noexcept override {}

  bool has_left_reactor() const noexcept override
  {
    return true;
  }

  void after_fork() noexcept override {}

  void closed() noexcept override
  {
    thread_ = std::this_thread::get_id();
    if (on_closed)
      on_closed();
    ++closes_;
  }

  void overdue() noexcept override
  {
    thread_ = std::this_thread::get_id();
    if (on_expired)
      on_expired();
    ++expiries_;
  }

  void flush_over() noexcept override
  {
    overdue();
  }

  void retry_never() noexcept override
  {
    ++renunciations_;
  }

  void retry() noexcept override
  {
    BOOST_ERROR("nothing is tried again here");
  }

  int flush_queue() noexcept override
  {
    return queue_ -= queue_step;
  }

  unsigned flush_steps() const noexcept override
  {
    return steps_ += step;
  }

  std::thread::id thread_;
  std::atomic<int> closes_{0};
  std::atomic<int> expiries_{0};
  std::atomic<int> renunciations_{0};
  mutable std::atomic<unsigned> steps_{0};
  std::atomic<int> queue_{1 << 20};
  std::atomic<int> holds_{0};
};

/// Holds a worker between two closes until it is told to go on, or is destroyed.
class worker_hold
{
public:
  explicit worker_hold(interlock::detail::close_worker& w)
  {
    job_.on_closed = [this]
    {
      arrived_ = true;
      gate_.get_future().wait();
    };
    w.submit(job_, plain(pipe_.near.release()));
    held_ = wait_until([this] { return arrived_.load(); });
  }

  worker_hold(const worker_hold&) = delete;
  worker_hold& operator=(const worker_hold&) = delete;

  ~worker_hold()
  {
    go_on();
    job_.wait_closed();
  }

  /// Whether the worker has come.
  bool held() const noexcept
  {
    return held_;
  }

  void go_on()
  {
    if (!gone_on_)
      gate_.set_value();
    gone_on_ = true;
  }

private:
  ends pipe_ = pipe_ends();
  probe_job job_;
  std::promise<void> gate_;
  std::atomic<bool> arrived_{false};
  bool held_ = false;
  bool gone_on_ = false;
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_PROBE_JOB_HPP
