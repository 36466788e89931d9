// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// How long the layers of a stack have: until the deadline of the close, or until nothing has moved for its progress
// timeout. A pure function of what is noted.

#ifndef INTERLOCK_DETAIL_ADAPT_LAYER_TIME_HPP
#define INTERLOCK_DETAIL_ADAPT_LAYER_TIME_HPP

#include <algorithm>
#include <chrono>

#include <interlock/close_mode.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/core/remaining_mode.hpp>
#include <interlock/detail/descriptor/socket_facts.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class layer_time
{
public:
  using clock = std::chrono::steady_clock;

  /// `mode` is valid.
  layer_time(const close_mode& mode, clock::time_point now) noexcept
    : mode_(mode),
      deadline_(now + mode.timeout()),
      moved_(now)
  {
  }

  const close_mode& mode() const noexcept
  {
    return mode_;
  }

  /// Something has moved that the kernel does not count.
  void note_progress(clock::time_point now) noexcept
  {
    moved_ = now;
  }

  /// What the kernel has counted by now.
  void note(const traffic& t, clock::time_point now) noexcept
  {
    if (t != seen_)
      moved_ = now;
    seen_ = t;
  }

  bool is_over(clock::time_point now) const noexcept
  {
    return now >= end();
  }

  /// When to look again. What moves is looked at four times in a progress timeout.
  clock::time_point next_look(clock::time_point now) const noexcept
  {
    if (!has_progress_timeout())
      return deadline_;
    const clock::duration least = std::chrono::milliseconds(1);
    return std::min(end(), now + std::max(mode_.progress_timeout() / 4, least));
  }

  /// A stronger mode can shorten the time, not lengthen it.
  void hurry(const close_mode& mode, clock::time_point now) noexcept
  {
    mode_ = mode;
    deadline_ = std::min(deadline_, now + mode.timeout());
  }

  /// The mode with what is left of its time.
  close_mode remaining(clock::time_point now) const noexcept
  {
    return remaining_mode(mode_, deadline_ - now);
  }

private:
  bool has_progress_timeout() const noexcept
  {
    return mode_.progress_timeout() != close_mode::no_timeout();
  }

  clock::time_point end() const noexcept
  {
    return has_progress_timeout() ? std::min(deadline_, moved_ + mode_.progress_timeout())
                                  : deadline_;
  }

  close_mode mode_;
  clock::time_point deadline_;
  clock::time_point moved_; // when progress was last seen
  traffic seen_;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_ADAPT_LAYER_TIME_HPP
