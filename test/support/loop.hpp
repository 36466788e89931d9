// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// An event loop: a context, and the threads that run it until the loop is destroyed.

#ifndef INTERLOCK_TEST_SUPPORT_LOOP_HPP
#define INTERLOCK_TEST_SUPPORT_LOOP_HPP

#include <cstddef>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "support/wait_until.hpp"

namespace support {

/// Runs what is ready, although the context may have run out of work before.
inline std::size_t turn(boost::asio::io_context& context)
{
  context.restart();
  return context.poll();
}

/// Runs the context in turns until the condition holds. Whether it came to hold in time.
template <class Condition>
bool run_until(boost::asio::io_context& context, Condition condition)
{
  return wait_until([&] { return turn(context), condition(); });
}

class loop
{
public:
  explicit loop(int threads = 1)
    : work_(context.get_executor())
  {
    for (int i = 0; i != threads; ++i)
      threads_.emplace_back([this] { context.run(); });
  }

  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;

  ~loop()
  {
    join();
  }

  /// Returns when nothing is left to be done.
  void join()
  {
    work_.reset();
    for (std::thread& t : threads_)
      t.join();
    threads_.clear();
  }

  std::thread::id thread_id() const noexcept
  {
    return threads_.front().get_id();
  }

  boost::asio::io_context context;

private:
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::vector<std::thread> threads_;
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_LOOP_HPP
