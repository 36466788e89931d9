// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Waiting for readiness in a way that a close in another thread ends.
//
// A waiting thread polls two descriptors: the object's, and a wake-up eventfd that it has for the time
// of the wait. It enters itself in the list of the tenure's mutex, announces itself in the
// tenure's word, and looks at the phase; a closer changes the phase and, when the word has a waiter
// announced, wakes the list. Both are single read-modify-writes of one word, so one of the two sees
// the other.

#ifndef INTERLOCK_DETAIL_DESCRIPTOR_WAITING_HPP
#define INTERLOCK_DETAIL_DESCRIPTOR_WAITING_HPP

#include <boost/system/error_code.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/descriptor/intrusive_list.hpp>
#include <interlock/detail/descriptor/wake_events.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// One thread in a wait list, on that thread's stack.
class blocked_thread : private list_node
{
public:
  /// Takes one of `kept`, and puts it back at its end. Without one (EMFILE) the wait polls in slices.
  INTERLOCK_DECL explicit blocked_thread(wake_events& kept, const void* tenure = nullptr) noexcept;

  blocked_thread(const blocked_thread&) = delete;
  blocked_thread& operator=(const blocked_thread&) = delete;
  INTERLOCK_DECL ~blocked_thread();

  /// False in a child that a signal handler has forked meanwhile: it has made the lists anew, and this is in none.
  bool is_of_this_process() const noexcept
  {
    return event_.process == process_number();
  }

  /// Blocks until the descriptor has one of `events`, or an error or hang-up, or the thread is woken, or
  /// a signal comes (EINTR). Returns true when the descriptor is ready; false with ec clear means: look
  /// at the phase again. A cancellation point.
  /**
   * Called again after an error without one of `events`, it blocks until there is something new: an error can stay,
   * such as what is in the error queue of a socket (IP_RECVERR, a timestamp), and poll(2) reports it without end.
   */
  INTERLOCK_DECL bool wait(int fd, short events, boost::system::error_code& ec);

  /// Blocks for a moment, until the thread is woken, or a signal comes (EINTR). A cancellation point.
  INTERLOCK_DECL void pause(boost::system::error_code& ec);

private:
  friend class blocked_thread_list;
  friend class intrusive_list<blocked_thread>;

  INTERLOCK_DECL void wake() noexcept;
  bool wait_for_news(int fd, short events, boost::system::error_code& ec);
  bool make_edges(int fd, short events) noexcept;

  bool has_event() const noexcept
  {
    return event_.descriptor != no_descriptor;
  }

  wake_events& kept_;
  const wake_event event_;
  const void* const tenure_;
  int edges_ = no_descriptor; // an epoll set of the descriptor and the event
  bool woken_ = false;        // guarded by the mutex of the list
  bool error_stays_ = false;
};

/// The threads that wait on the tenures of one mutex, which guards the list.
class blocked_thread_list
{
public:
  void add(blocked_thread& w) noexcept
  {
    blocked_threads_.push_back(w);
  }

  /// Takes `w` out, if it is in, and its wake-up with it: none is left over for the thread's next wait.
  INTERLOCK_DECL void remove(blocked_thread& w) noexcept;

  /// Those that wait on this tenure.
  INTERLOCK_DECL void wake_all(const void* tenure = nullptr) noexcept;

private:
  intrusive_list<blocked_thread> blocked_threads_;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_DESCRIPTOR_WAITING_HPP
