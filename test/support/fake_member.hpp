// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A member of a context state that counts how often it is held and ended.

#ifndef INTERLOCK_TEST_SUPPORT_FAKE_MEMBER_HPP
#define INTERLOCK_TEST_SUPPORT_FAKE_MEMBER_HPP

#include <atomic>
#include <functional>

#include <interlock/detail/closing/context_state.hpp>

namespace support
{

class fake_member final : public interlock::detail::context_member
{
public:
  /// Called from within shut_down(), if set.
  std::function<void()> on_shut_down;

  int holds() const noexcept
  {
    return holds_;
  }

  bool is_held() const noexcept
  {
    return holds_ != lets_go_;
  }

  int ends() const noexcept
  {
    return ends_;
  }

private:
  void keep_memory() noexcept override
  {
    ++holds_;
  }

  void drop_memory() noexcept override
  {
    ++lets_go_;
  }

  bool has_left_reactor() const noexcept override
  {
    return true;
  }

  void shut_down() noexcept override
  {
    if (on_shut_down)
      on_shut_down();
    ++ends_;
  }

  void after_fork() noexcept override {}

  std::atomic<int> holds_{0};
  std::atomic<int> lets_go_{0};
  std::atomic<int> ends_{0};
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_FAKE_MEMBER_HPP
