// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The function that is told how far the close of a group is.
//
// It is called on the executor of the group, with the newest tally: a call that has been posted serves all that end
// before it runs. The mutex guards every member below it, and is not held while the function runs or is destroyed.

#ifndef INTERLOCK_DETAIL_GROUPS_GROUP_LISTENER_HPP
#define INTERLOCK_DETAIL_GROUPS_GROUP_LISTENER_HPP

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include <boost/asio/post.hpp>

#include <interlock/close_tally.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/groups/group_executor.hpp>
#include <interlock/detail/groups/group_state.hpp>
#include <interlock/detail/groups/group_steps.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class group_listener : public std::enable_shared_from_this<group_listener>
{
public:
  using function = std::function<void(const close_tally&)>;

  void set(function f)
  {
    auto shared = std::make_shared<const function>(std::move(f));
    const std::lock_guard<sys::mutex> lock(mutex_);
    function_.swap(shared);
  }

  /// One call at a time is under way, which serves all that end meanwhile. Without memory the next tally is told. A
  /// tally that comes after a later one is not.
  void tell(const group_executor& ex, const numbered_tally& tally) noexcept
  {
    {
      const std::lock_guard<sys::mutex> lock(mutex_);
      if (tally.number <= newest_.number)
        return;
      newest_ = tally;
      is_told_ = false;
      if (!function_ || std::exchange(is_calling_, true))
        return;
    }
    if (functions::succeeds(
          [&] { boost::asio::post(ex, [self = shared_from_this()] { self->call_for_all(); }); }))
      return;
    const std::lock_guard<sys::mutex> lock(mutex_);
    is_calling_ = false;
  }

private:
  // After an exception of the function no other call follows.
  void call_for_all()
  {
    while (call())
    {
    }
  }

  // False: all has been told.
  bool call()
  {
    std::shared_ptr<const function> f;
    close_tally tally;
    {
      const std::lock_guard<sys::mutex> lock(mutex_);
      is_calling_ = !std::exchange(is_told_, true);
      if (!is_calling_)
        return false;
      f = function_;
      tally = newest_.tally;
    }
    if (*f)
      (*f)(tally);
    return true;
  }

  sys::mutex mutex_;
  std::shared_ptr<const function> function_;
  numbered_tally newest_;
  bool is_told_ = true;
  bool is_calling_ = false;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_GROUPS_GROUP_LISTENER_HPP
