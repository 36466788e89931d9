// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A thread of the library's own: all signals blocked, thread cancellation disabled, named.

#ifndef INTERLOCK_DETAIL_CLOSING_LIBRARY_THREAD_HPP
#define INTERLOCK_DETAIL_CLOSING_LIBRARY_THREAD_HPP

#include <chrono>
#include <functional>
#include <utility>

#include <boost/core/no_exceptions_support.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/closing/forkable.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// Runs a function on a thread that has no other use, or throws. Empty: sys::thread.
using thread_factory = std::function<sys::thread(std::function<void()>)>;

class library_thread
{
public:
  library_thread() = default;
  library_thread(const library_thread&) = delete;
  library_thread& operator=(const library_thread&) = delete;

  ~library_thread()
  {
    leave_behind();
  }

  /// `body` keeps this object until it has run. False: no thread can be had now. The caller holds no lock, because the
  /// factory is the user's.
  template <class Body>
  bool start(const thread_factory& factory, const char* name, Body body) noexcept
  {
    bool started = true;
    BOOST_TRY
    {
      start_thread(factory, name, std::move(body));
    }
    BOOST_CATCH(...)
    {
      started = false;
    }
    BOOST_CATCH_END
    return started;
  }

  /// Waits up to `bound` for its end, then leaves it behind; called by itself at once.
  INTERLOCK_DECL void join(std::chrono::milliseconds bound) noexcept;

  /// The same without a bound, for a thread that has nothing left to do but to end.
  INTERLOCK_DECL void join() noexcept;

  /// It ends by itself, and is not waited for.
  INTERLOCK_DECL void leave_behind() noexcept;

  /// Whether the caller is this thread.
  INTERLOCK_DECL bool is_current() const noexcept;

  /// In a forked child, where it does not exist.
  INTERLOCK_DECL void forget_after_fork() noexcept;

private:
  INTERLOCK_DECL void start_thread(
    const thread_factory& factory, const char* name, std::function<void()> body);

  void note_end() noexcept;
  void join_ended() noexcept;

  forkable<sys::thread> thread_;
  sys::atomic<sys::thread::id> id_{
    sys::thread().get_id()}; // of the factory's thread too, which it may have detached
  forkable<sys::renewable_mutex> mutex_;
  forkable<sys::condition_variable> end_;
  bool has_ended_ = false; // guarded by mutex_
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_LIBRARY_THREAD_HPP
