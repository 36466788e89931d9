// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The waits of one synchronous call, each of which a close ends.
//
// The first wait enters the thread in the wait list; the call leaves it at its end, also where thread cancellation
// unwinds it. A forked child adopts the context first: later it would take a blocked thread of its own for one of the
// parent.

#ifndef INTERLOCK_DETAIL_TENURE_BLOCKED_CALL_HPP
#define INTERLOCK_DETAIL_TENURE_BLOCKED_CALL_HPP

#include <optional>

#include <boost/system/error_code.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/descriptor/waiting.hpp>
#include <interlock/detail/tenure/inside_mark.hpp>
#include <interlock/detail/tenure/tenure_base.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// What a caught signal does to a wait.
enum class on_signal
{
  restart, ///< As to a call that blocks in the kernel: see goes_on_after_signal.
  end      ///< As to poll(2), which is never restarted (signal(7)).
};

class blocked_call
{
public:
  using error_code = boost::system::error_code;

  /// The thread is inside the tenure for the life of the call.
  explicit blocked_call(tenure_base& t, on_signal s = on_signal::restart) noexcept
    : tenure_(t),
      on_signal_(s)
  {
  }

  blocked_call(const blocked_call&) = delete;
  blocked_call& operator=(const blocked_call&) = delete;

  ~blocked_call()
  {
    if (entry_)
      leave_list();
  }

  /// Blocks until the descriptor is ready for `events` (poll(2)). False, with ec set: the object is being closed
  /// (ECANCELED), or a signal has ended the wait (EINTR), or the system has failed. A cancellation point.
  INTERLOCK_DECL bool wait(short events, error_code& ec);

  /// Blocks for a moment: for what no event tells. False as `wait`.
  INTERLOCK_DECL bool pause(error_code& ec);

private:
  struct entry
  {
    explicit entry(tenure_base& t) noexcept;

    const inside_mark inside;
    blocked_thread thread;
  };

  template <class Block>
  bool repeat(error_code& ec, Block block);

  void enter_list();
  INTERLOCK_DECL void leave_list() noexcept;
  bool goes_on_after(const error_code& ec) const noexcept;

  tenure_base& tenure_;
  const on_signal on_signal_;
  std::optional<entry> entry_;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_TENURE_BLOCKED_CALL_HPP
