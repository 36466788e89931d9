// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/closing/fork_watch.hpp>

#include <mutex>
#include <new>

#include <interlock/detail/closing/forkable.hpp>
#include <interlock/detail/descriptor/short_locks.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

namespace {

class watches
{
public:
  // Not if the calling thread forks, which has locked it: a handler of the program's own runs between ours.
  std::unique_lock<sys::mutex> lock()
  {
    if (is_forking_ && forking_ == sys::this_thread_id())
      return std::unique_lock<sys::mutex>(*mutex_, std::defer_lock);
    return std::unique_lock<sys::mutex>(*mutex_);
  }

  void begin_fork()
  {
    mutex_->lock();
    forking_ = sys::this_thread_id();
    is_forking_ = true;
  }

  void end_fork_in_parent()
  {
    is_forking_ = false;
    mutex_->unlock();
  }

  void end_fork_in_child()
  {
    is_forking_ = false;
    mutex_.renew();
  }

  // Guarded by the lock.
  intrusive_list<fork_watch> all;
  bool has_handlers = false;

private:
  forkable<sys::mutex> mutex_; // locked during a fork
  sys::atomic<bool> is_forking_{false};
  sys::thread::id forking_; // written before is_forking_
};

watches& every()
{
  return sys::of_process<watches>();
}

} // namespace

struct fork_handlers
{
  static bool make() noexcept
  {
    return sys::pthread_atfork(&before, &in_parent, &in_child) == 0;
  }

  static void before()
  {
    every().begin_fork();
    every().all.for_each([](fork_watch& w) { w.fork_begins(); });
  }

  static void in_parent()
  {
    every().all.for_each([](fork_watch& w) { w.forked_in_parent(); });
    every().end_fork_in_parent();
  }

  static void in_child()
  {
    renew_short_locks();
    every().all.for_each([](fork_watch& w) { w.forked_in_child(); });
    every().end_fork_in_child();
  }
};

void fork_watch::begin_watch()
{
  const auto lock = every().lock();
  if (!every().has_handlers && !fork_handlers::make())
    throw std::bad_alloc();
  every().has_handlers = true;
  every().all.push_back(*this);
}

void fork_watch::end_watch() noexcept
{
  const auto lock = every().lock();
  every().all.remove(*this);
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
