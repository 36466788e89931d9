// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A part of the list of a context's tenures, of the gate through which threads pass to its reactor, and of the memory
// that the context keeps for the next objects. A context has several parts, so that the threads that open and close do
// not all meet at one mutex.

#ifndef INTERLOCK_DETAIL_CLOSING_CONTEXT_PART_HPP
#define INTERLOCK_DETAIL_CLOSING_CONTEXT_PART_HPP

#include <cstddef>
#include <mutex>
#include <vector>

#include <interlock/config.hpp>
#include <interlock/detail/closing/block_store.hpp>
#include <interlock/detail/closing/close_counts.hpp>
#include <interlock/detail/closing/context_member.hpp>
#include <interlock/detail/closing/forkable.hpp>
#include <interlock/detail/descriptor/intrusive_list.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class alignas(64) context_part // a cache line of its own
{
public:
  using time_point = sys::clock::time_point;

  context_part() = default;
  context_part(const context_part&) = delete;
  context_part& operator=(const context_part&) = delete;

  /// False: the gate is closed, for good.
  INTERLOCK_DECL bool add(context_member& m) noexcept;
  INTERLOCK_DECL void remove(context_member& m) noexcept;

  /// One thread passes the gate from `enter` to `leave`. False: the gate is closed.
  INTERLOCK_DECL bool enter() noexcept;
  INTERLOCK_DECL void leave() noexcept;

  /// Memory for an object. Null: there is none of this size.
  INTERLOCK_DECL void* take_block(std::size_t size) noexcept;

  /// False: the caller keeps it.
  INTERLOCK_DECL bool put_block(void* memory, std::size_t size) noexcept;

  /// A member may have left the reactor.
  INTERLOCK_DECL void tell_shutdown() noexcept;

  close_counts& counts() noexcept
  {
    return counts_;
  }

  /// Adds what the members are doing, and what has been counted. Returns the member whose close has begun first.
  INTERLOCK_DECL context_member_pointer add_to(close_statistics& s) noexcept;

  /// Adds the members that are in a close.
  INTERLOCK_DECL void add_closing_to(std::vector<context_member_pointer>& found);

  // The thread that shuts down: each of them for all parts, in this order.

  INTERLOCK_DECL void close_gate() noexcept;
  INTERLOCK_DECL void await_passages() noexcept;

  /// All members, before any is waited for: the threads inside of each are woken at once.
  INTERLOCK_DECL void shut_members_down() noexcept;
  INTERLOCK_DECL void await_members(time_point end) noexcept;

  // In a forked child, with one thread only.

  /// A passage that was under way in the parent is over here.
  INTERLOCK_DECL void renew_after_fork() noexcept;
  INTERLOCK_DECL void tell_members_of_fork() noexcept;

private:
  template <class See>
  void look_at_members(See see);

  using member_list = intrusive_list<context_member, member_node>;

  forkable<sys::mutex> mutex_;
  forkable<sys::condition_variable> progress_; // of what a shutdown waits for

  // Guarded by mutex_.
  member_list members_;
  member_list leaving_; // have been shut down, and may still be in the reactor
  member_list left_reactor_;
  std::size_t passing_ = 0;
  bool is_closed_ = false;
  block_store blocks_;

  sys::atomic<bool> has_blocks_{false}; // a hint: stored under the mutex
  close_counts counts_;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_CONTEXT_PART_HPP
