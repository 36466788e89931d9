// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What the tenures of one execution context share: the worker, the list of them all, and the gate
// through which completions, and descriptors that are opened, reach the context.
//
// The list and the gate are in several parts. It outlives the context for as long as a tenure needs it. Shutting down
// closes the gate first (from then on no completion is posted or being posted, and no descriptor enters the reactor or
// is taken back), then ends every tenure, then stops the worker.

#ifndef INTERLOCK_DETAIL_CLOSING_CONTEXT_STATE_HPP
#define INTERLOCK_DETAIL_CLOSING_CONTEXT_STATE_HPP

#include <array>
#include <chrono>
#include <functional>
#include <mutex>
#include <vector>

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <interlock/close_statistics.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/closing/close_worker.hpp>
#include <interlock/detail/closing/context_part.hpp>
#include <interlock/detail/closing/fork_step.hpp>
#include <interlock/detail/closing/fork_watch.hpp>
#include <interlock/detail/closing/forkable.hpp>
#include <interlock/detail/descriptor/counted.hpp>
#include <interlock/detail/descriptor/place_by_address.hpp>
#include <interlock/detail/descriptor/process.hpp>
#include <interlock/detail/descriptor/wake_events.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class context_state final : public counted<context_state>, private fork_watch
{
public:
  /// `notify_fork` is called in a forked child, before the context is used, unless the program has notified the
  /// context. It calls `on_fork(fork_event::child)`, if it can.
  INTERLOCK_DECL INTERLOCK_OF_BOOST explicit context_state(
    worker_options options = {}, std::function<void()> notify_fork = {});
  context_state(const context_state&) = delete;
  context_state& operator=(const context_state&) = delete;
  INTERLOCK_DECL ~context_state();

  close_worker& worker() noexcept
  {
    return *worker_;
  }

  /// Of the threads that are blocked in synchronous calls.
  wake_events& kept_wake_events() noexcept
  {
    return kept_wake_events_;
  }

  /// False: the context has been shut down, nothing can be opened on it any more.
  bool add(context_member& m) noexcept
  {
    return part_of(&m).add(m);
  }

  void remove(context_member& m) noexcept
  {
    part_of(&m).remove(m);
  }

  /// Passage through the gate, for the time of posting one completion, or of one opening.
  class pass
  {
  public:
    explicit pass(context_state& c) noexcept
      : part_(c.part_of(this)),
        passes_(part_.enter())
    {
    }

    pass(const pass&) = delete;
    pass& operator=(const pass&) = delete;

    ~pass()
    {
      if (passes_)
        part_.leave();
    }

    explicit operator bool() const noexcept
    {
      return passes_;
    }

  private:
    context_part& part_;
    const bool passes_;
  };

  /// Memory for an object, which another one has left. Null: there is none.
  INTERLOCK_DECL void* take_block(std::size_t size) noexcept;

  /// An object has left this memory, of operator new. False: the caller keeps it.
  bool put_block(void* memory, std::size_t size) noexcept
  {
    return part_of_this_thread().put_block(memory, size);
  }

  /// Of what a member opens and closes.
  close_counts& counts_of(const context_member& m) noexcept
  {
    return part_of(&m).counts();
  }

  INTERLOCK_DECL close_statistics statistics() noexcept;
  INTERLOCK_DECL std::vector<close_in_progress> closes_in_progress();

  /// May be called more than once. Waits for passages under way, up to `bound` for threads inside
  /// a tenure, and up to `bound` for a close(2) under way.
  INTERLOCK_DECL void shut_down(std::chrono::milliseconds bound) noexcept;

  /// A member that is being shut down may have left the reactor.
  void note_progress(context_member& m) noexcept
  {
    if (down_)
      part_of(&m).tell_shutdown();
  }

  /// The thread that forks. No other thread uses the context between a preparation and its end, as Asio demands.
  INTERLOCK_DECL void on_fork(fork_event e) noexcept;

  /// Before a descriptor enters or leaves the reactor, before a close is posted, in the step of a close, and before a
  /// thread is blocked: a forked child shares the parent's reactor, has no worker, and counts threads of the parent as
  /// inside, until it adopts.
  void note_process() noexcept
  {
    if (process_.load(std::memory_order_acquire) != this_process())
      on_fork(fork_event::use);
  }

private:
  using lock_type = std::unique_lock<sys::mutex>;

  bool may_act(fork_event e, lock_type& lock) noexcept;
  void perform(fork_act act, lock_type& lock) noexcept;
  template <class Work>
  void unlocked(lock_type& lock, Work work) noexcept;
  void adopt() noexcept;
  void stop_watching() noexcept;

  void fork_begins() noexcept override;
  void forked_in_parent() noexcept override;
  void forked_in_child() noexcept override;

  // Of a tenure, or of a pass.
  context_part& part_of(const void* p) noexcept
  {
    return parts_[place_by_address(p, parts_.size())];
  }

  context_part& part_of_this_thread() noexcept
  {
    return parts_[place_of_this_thread(parts_.size())];
  }

  const close_worker_pointer worker_;
  const std::function<void()> notify_fork_;
  sys::atomic<long> process_; // that has the worker; written by the thread that adopts

  forkable<sys::mutex>
    fork_mutex_; // held while threads are parked, and go on, but not during an adoption
  forkable<sys::condition_variable> adopted_;

  // Guarded by fork_mutex_.
  fork_state fork_;
  unsigned adopting_ = 0;   // the notification, and the adoption within
  sys::thread::id adopter_; // may use the context meanwhile: services are notified before this one

  bool is_watching_ =
    false; // of the thread that makes the context, then of the one that shuts it down

  std::array<context_part, sys::parts> parts_;
  wake_events kept_wake_events_;
  sys::atomic<bool> down_{false};
};

using context_state_pointer = boost::intrusive_ptr<context_state>;

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_CONTEXT_STATE_HPP
