// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/closing/library_thread.hpp>

#include <mutex>
#include <utility>

#include <pthread.h>
#include <signal.h>

#include <interlock/detail/descriptor/cancellation_disabled.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

namespace {

/// Blocks all signals of the calling thread for the time of a scope: a thread that is started in it inherits the mask.
class signals_blocked
{
public:
  signals_blocked() noexcept
  {
    ::sigset_t all;
    ::sigfillset(&all);
    sys::pthread_sigmask(SIG_BLOCK, &all, &before_);
  }

  signals_blocked(const signals_blocked&) = delete;
  signals_blocked& operator=(const signals_blocked&) = delete;

  ~signals_blocked()
  {
    sys::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

private:
  ::sigset_t before_;
};

} // namespace

void library_thread::start_thread(
  const thread_factory& factory, const char* name, std::function<void()> body)
{
  auto run = [this, name, own = std::move(body)]
  {
    // A thread of the user's may not have inherited this.
    const signals_blocked blocked;
    const cancellation_disabled disabled;
#if defined(__linux__)
    sys::pthread_setname_np(::pthread_self(), name);
#else
    static_cast<void>(name);
#endif
    id_.store(sys::this_thread_id(), std::memory_order_relaxed);
    own();
    note_end();
  };
  const signals_blocked blocked;
  *thread_ = factory ? factory(std::move(run)) : sys::thread(std::move(run));
}

void library_thread::note_end() noexcept
{
  const std::lock_guard<sys::mutex> lock(*mutex_);
  has_ended_ = true;
  end_->notify_all();
}

void library_thread::join(std::chrono::milliseconds bound) noexcept
{
  if (is_current())
    return leave_behind();
  std::unique_lock<sys::mutex> lock(*mutex_);
  const bool ended = end_->wait_for(lock, bound, [this] { return has_ended_; });
  lock.unlock();
  ended ? join_ended() : leave_behind();
}

void library_thread::join() noexcept
{
  if (is_current())
    return leave_behind();
  std::unique_lock<sys::mutex> lock(*mutex_);
  end_->wait(lock, [this] { return has_ended_; });
  lock.unlock();
  join_ended();
}

bool library_thread::is_current() const noexcept
{
  return id_.load(std::memory_order_relaxed) == sys::this_thread_id();
}

// The factory may have returned a thread that is not to be joined.
void library_thread::join_ended() noexcept
{
  if (thread_->joinable())
    thread_->join();
}

void library_thread::forget_after_fork() noexcept
{
  thread_.renew();
  id_.store(sys::thread().get_id(), std::memory_order_relaxed);
  mutex_.renew();
  end_.renew();
  has_ended_ = false;
}

void library_thread::leave_behind() noexcept
{
  if (thread_->joinable())
    thread_->detach();
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
