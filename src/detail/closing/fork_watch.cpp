// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/closing/fork_watch.hpp>

#include <mutex>
#include <new>

#include <interlock/detail/closing/forkable.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

namespace {

struct watches
{
  forkable<sys::mutex> mutex; // held from fork_begins on
  intrusive_list<fork_watch> all;
  bool has_handlers = false;
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
    every().mutex->lock();
    every().all.for_each([](fork_watch& w) { w.fork_begins(); });
  }

  static void in_parent()
  {
    every().all.for_each([](fork_watch& w) { w.forked_in_parent(); });
    every().mutex->unlock();
  }

  static void in_child()
  {
    every().mutex.renew();
    every().all.for_each([](fork_watch& w) { w.forked_in_child(); });
  }
};

void fork_watch::begin_watch()
{
  watches& w = every();
  const std::lock_guard<sys::mutex> lock(*w.mutex);
  if (!w.has_handlers && !fork_handlers::make())
    throw std::bad_alloc();
  w.has_handlers = true;
  w.all.push_back(*this);
}

void fork_watch::end_watch() noexcept
{
  const std::lock_guard<sys::mutex> lock(*every().mutex);
  every().all.remove(*this);
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
