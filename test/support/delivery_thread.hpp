// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// An engine on a thread of its own, as its owner would run it.

#ifndef INTERLOCK_TEST_SUPPORT_DELIVERY_THREAD_HPP
#define INTERLOCK_TEST_SUPPORT_DELIVERY_THREAD_HPP

#include <atomic>
#include <chrono>
#include <thread>

#include <sys/eventfd.h>

#include <interlock/detail/closing/delivery_engine.hpp>

#include "descriptor_pairs.hpp"

namespace support {

class delivery_thread
{
public:
  explicit delivery_thread(interlock::detail::watching way)
    : engine(wake_.get(), way),
      thread_([this] { run(); })
  {
  }

  delivery_thread(const delivery_thread&) = delete;
  delivery_thread& operator=(const delivery_thread&) = delete;

  /// Ends what is left.
  ~delivery_thread()
  {
    stop();
  }

  void stop()
  {
    if (!thread_.joinable())
      return;
    stopping_ = true;
    engine.stop();
    thread_.join();
  }

  std::thread::id id() const
  {
    return thread_.get_id();
  }

private:
  // Waits without a limit: if a wake-up were lost, the test would hang.
  void run()
  {
    while (!stopping_ || !engine.idle())
      engine.run_once(std::chrono::hours(1));
  }

  fd wake_{checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")};

public:
  interlock::detail::delivery_engine engine;

private:
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_DELIVERY_THREAD_HPP
