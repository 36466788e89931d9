// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What the tenures of one execution context share: the worker, the list of them all, and the gate
// through which completions, and descriptors that are opened, reach the context.
//
// It outlives the context for as long as a tenure needs it. Shutting down closes the gate first (from then
// on no completion is posted or being posted, and no descriptor enters the reactor or is taken back), then
// ends every tenure, then stops the worker.

#ifndef INTERLOCK_DETAIL_CLOSING_CONTEXT_STATE_HPP
#define INTERLOCK_DETAIL_CLOSING_CONTEXT_STATE_HPP

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

#include <interlock/config.hpp>
#include <interlock/detail/closing/close_worker.hpp>
#include <interlock/detail/closing/fork_step.hpp>
#include <interlock/detail/closing/fork_watch.hpp>
#include <interlock/detail/closing/forkable.hpp>
#include <interlock/detail/descriptor/intrusive_list.hpp>
#include <interlock/detail/descriptor/process.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// A tenure, as the context state sees it.
class context_member : private list_node // guarded by the context state's mutex
{
public:
  context_member(const context_member&) = delete;
  context_member& operator=(const context_member&) = delete;

protected:
  context_member() = default;
  ~context_member() = default;

private:
  friend class context_state;
  friend class intrusive_list<context_member>;

  /// Keeps the memory until `drop_memory`.
  virtual void keep_memory() noexcept = 0;
  virtual void drop_memory() noexcept = 0;

  /// The context is going: close the descriptor, destroy what belongs to the context.
  virtual void shut_down() noexcept = 0;

  /// Whether no thread touches the reactor on behalf of this any more.
  virtual bool has_left_reactor() const noexcept = 0;

  /// This is a forked child, with one thread only.
  virtual void after_fork() noexcept = 0;
};

class context_state : private fork_watch
{
public:
  /// `tell_of_fork` is called in a forked child that has not been told, before the context is used. It calls
  /// `on_fork(fork_event::child)`, if it can.
  INTERLOCK_DECL explicit context_state(
    worker_options options = {}, std::function<void()> tell_of_fork = {});
  context_state(const context_state&) = delete;
  context_state& operator=(const context_state&) = delete;
  INTERLOCK_DECL ~context_state();

  close_worker& worker() noexcept
  {
    return *worker_;
  }

  /// False: the context has been shut down, nothing can be opened on it any more.
  INTERLOCK_DECL bool add(context_member& r) noexcept;
  INTERLOCK_DECL void remove(context_member& r) noexcept;

  /// Passage through the gate, for the time of posting one completion, or of one opening.
  class pass
  {
  public:
    explicit pass(context_state& r) noexcept
      : context_state_(r.open_gate() ? &r : nullptr)
    {
    }

    pass(const pass&) = delete;
    pass& operator=(const pass&) = delete;

    ~pass()
    {
      if (context_state_)
        context_state_->close_gate();
    }

    explicit operator bool() const noexcept
    {
      return context_state_ != nullptr;
    }

  private:
    context_state* context_state_;
  };

  /// May be called more than once. Waits for passages under way, up to `bound` for threads inside
  /// a tenure, and up to `bound` for a close(2) under way.
  INTERLOCK_DECL void shut_down(std::chrono::milliseconds bound) noexcept;

  /// A member that is being shut down may have left the reactor.
  void note_progress() noexcept
  {
    if (down_)
      tell_shutdown();
  }

  /// The thread that forks. No other thread uses the context between a preparation and its end, as Asio demands.
  INTERLOCK_DECL void on_fork(fork_event e) noexcept;

  /// Before a descriptor enters or leaves the reactor, and before a close is posted: a forked child shares the parent's
  /// reactor, and has no worker, until it is told.
  void note_process() noexcept
  {
    if (process_.load(std::memory_order_acquire) != this_process())
      notice_fork();
  }

private:
  INTERLOCK_DECL void notice_fork() noexcept;
  void adopt() noexcept;

  void fork_begins() noexcept override;
  void forked_in_parent() noexcept override;
  void forked_in_child() noexcept override;

  INTERLOCK_DECL bool open_gate() noexcept;
  INTERLOCK_DECL void close_gate() noexcept;
  INTERLOCK_DECL void tell_shutdown() noexcept;
  void shut_members_down(std::unique_lock<sys::mutex>& lock) noexcept;
  void await_members(std::unique_lock<sys::mutex>& lock, std::chrono::milliseconds bound) noexcept;

  const std::shared_ptr<close_worker> worker_;
  const std::function<void()> tell_of_fork_;
  sys::atomic<long> process_; // that has the worker

  forkable<sys::mutex> fork_mutex_;
  forkable<sys::condition_variable> adopted_;

  // Guarded by fork_mutex_.
  fork_state fork_;
  bool is_being_told_ = false;
  sys::thread::id teller_; // the thread that tells the context, and may use it meanwhile

  forkable<sys::mutex> mutex_;
  forkable<sys::condition_variable> progress_; // of what a shutdown waits for
  sys::atomic<bool> down_{false};              // set under mutex_

  // Guarded by mutex_.
  intrusive_list<context_member> members_;
  intrusive_list<context_member> leaving_; // have been shut down, and may still be in the reactor
  intrusive_list<context_member> left_reactor_;
  std::size_t passing_ = 0;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_CONTEXT_STATE_HPP
