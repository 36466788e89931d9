// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Receives a notification of each fork(2) of the program, by handlers of pthread_atfork(3). posix_spawn(3), vfork(2)
// and a clone(2) that the program makes itself call no handlers: their children do not use the library, or detect the
// fork by this_process().
//
// The handlers are made with the first watch, and end with the library: glibc removes those of a shared object that is
// unloaded.

#ifndef INTERLOCK_DETAIL_CLOSING_FORK_WATCH_HPP
#define INTERLOCK_DETAIL_CLOSING_FORK_WATCH_HPP

#include <interlock/config.hpp>
#include <interlock/detail/descriptor/intrusive_list.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class fork_watch : private list_node // guarded by the mutex of all watches
{
public:
  fork_watch(const fork_watch&) = delete;
  fork_watch& operator=(const fork_watch&) = delete;

protected:
  fork_watch() = default;
  virtual ~fork_watch() = default;

  // A handler of the program's own may call these during a fork.

  /// Notifications come from now on. Throws std::bad_alloc if no handler can be made.
  INTERLOCK_DECL void begin_watch();

  /// None comes any more. Waits for a fork that is under way in another thread.
  INTERLOCK_DECL void end_watch() noexcept;

private:
  friend struct fork_handlers;
  friend class intrusive_list<fork_watch>;

  /// In the thread that forks, before. Until one of the others is called, other threads begin and end no watch.
  virtual void fork_begins() noexcept = 0;

  /// The same thread, after: in the parent, and in the child, which may call exec(3) at once.
  virtual void forked_in_parent() noexcept = 0;
  virtual void forked_in_child() noexcept = 0;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_FORK_WATCH_HPP
