// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A caller of async_close that only writes down what becomes of it.

#ifndef INTERLOCK_TEST_SUPPORT_FAKE_CLOSE_WAITER_HPP
#define INTERLOCK_TEST_SUPPORT_FAKE_CLOSE_WAITER_HPP

#include <atomic>
#include <functional>
#include <thread>

#include <boost/system/error_code.hpp>

#include <interlock/detail/tenure/close_waiter.hpp>

namespace support {

/// Owned by the test, not by the list: it is there to be asked when it has ended.
class fake_close_waiter final : public interlock::detail::close_waiter
{
public:
  /// Called from within complete(), if set. May throw.
  std::function<void()> on_complete;

  void complete(
    const interlock::detail::close_verdict& v, interlock::detail::hand_over how) override
  {
    code_ = v.ec;
    how_ = how;
    thread_ = std::this_thread::get_id();
    ++completions_;
    if (on_complete)
      on_complete();
  }

  void destroy() noexcept override
  {
    thread_ = std::this_thread::get_id();
    ++destructions_;
  }

  int completions() const noexcept
  {
    return completions_;
  }

  int destructions() const noexcept
  {
    return destructions_;
  }

  /// How many times it has ended, one way or the other: never more than once.
  int ends() const noexcept
  {
    return completions_ + destructions_;
  }

  // Once it has ended.

  boost::system::error_code code() const noexcept
  {
    return code_;
  }

  interlock::detail::hand_over how() const noexcept
  {
    return how_;
  }

  std::thread::id thread() const noexcept
  {
    return thread_;
  }

private:
  boost::system::error_code code_;
  interlock::detail::hand_over how_ = interlock::detail::hand_over::post;
  std::thread::id thread_;
  std::atomic<int> completions_{0};
  std::atomic<int> destructions_{0};
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_FAKE_CLOSE_WAITER_HPP
