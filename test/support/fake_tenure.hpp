// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A tenure without Asio: what it would post goes into a queue of the test's, which makes or drops
// each step when the test says so, and what becomes of it is written down outside of it.

#ifndef INTERLOCK_TEST_SUPPORT_FAKE_TENURE_HPP
#define INTERLOCK_TEST_SUPPORT_FAKE_TENURE_HPP

#include <atomic>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include <interlock/detail/tenure/serving_step.hpp>
#include <interlock/detail/tenure/tenure_base.hpp>

namespace support {

using interlock::detail::serving_step;

/// What posting does, and what has been posted.
class step_queue
{
public:
  enum class mode
  {
    keep,          ///< The step waits for the test.
    fail,          ///< Nothing is posted: bad_alloc.
    drop,          ///< The step is dropped before posting returns.
    drop_and_fail, ///< As if it had been moved when the posting failed.
    make           ///< The step is made before posting returns.
  };

  void set(mode m)
  {
    mode_ = m;
  }

  void post(serving_step&& given)
  {
    const mode m = mode_;
    ++posts_;
    if (m == mode::fail)
      throw std::bad_alloc();
    serving_step step(std::move(given));
    if (m == mode::make)
      step();
    if (m == mode::drop_and_fail)
      throw std::bad_alloc();
    if (m != mode::keep)
      return;
    const std::lock_guard<std::mutex> lock(mutex_);
    steps_.push_back(std::move(step));
  }

  /// How many times something was to be posted.
  int posts() const noexcept
  {
    return posts_;
  }

  std::size_t size() const
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    return steps_.size();
  }

  void make()
  {
    take()();
  }

  void drop()
  {
    take();
  }

private:
  serving_step take()
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    serving_step step = std::move(steps_.front());
    steps_.pop_front();
    return step;
  }

  std::atomic<mode> mode_{mode::keep};
  std::atomic<int> posts_{0};
  mutable std::mutex mutex_;
  std::deque<serving_step> steps_;
};

/// What has become of a tenure, to be read when it may be gone.
struct tenure_record
{
  std::atomic<int> detaches{0};
  std::atomic<int> context_drops{0};
  std::atomic<int> frees{0};
  std::thread::id detacher; // written before `detaches`
  step_queue steps;
};

class fake_sequence final : public interlock::detail::close_sequence
{
public:
  explicit fake_sequence(tenure_record& r)
    : record_(r)
  {
  }

  void post(serving_step&& step) override
  {
    record_.steps.post(std::move(step));
  }

  void drop_context() noexcept override
  {
    ++record_.context_drops;
  }

private:
  tenure_record& record_;
};

class fake_tenure;

/// The memory of an object with fake tenures, which it frees.
class fake_object final : public interlock::detail::object_memory
{
public:
  /// Keeps the memory for the tenure. The first takes over the first reference.
  void add(fake_tenure& t)
  {
    if (!tenures_.empty())
      keep();
    tenures_.emplace_back(&t);
  }

private:
  void free() noexcept override
  {
    delete this;
  }

  std::vector<std::unique_ptr<fake_tenure>> tenures_;
};

class fake_tenure final : public interlock::detail::tenure_base
{
public:
  /// In an object of its own, or in that of another tenure.
  fake_tenure(interlock::detail::context_state_pointer shared, tenure_record& r,
    fake_object& o = *new fake_object)
    : tenure_base(o, std::move(shared)),
      record_(r),
      own_(o)
  {
    sequence_ = std::make_unique<fake_sequence>(r);
    o.add(*this);
  }

  ~fake_tenure() override
  {
    ++record_.frees;
  }

  fake_object& own() noexcept
  {
    return own_;
  }

  /// Before publication, by the thread that opens.
  void put(int fd) noexcept
  {
    fd_ = fd;
  }

private:
  void release_inner() noexcept override
  {
    record_.detacher = std::this_thread::get_id();
    ++record_.detaches;
  }

  tenure_record& record_;
  fake_object& own_;
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_FAKE_TENURE_HPP
