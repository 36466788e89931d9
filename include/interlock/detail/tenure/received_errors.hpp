// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The errors by which operations of one tenure have learned that its connection has ended.
//
// The kernel reports such an error once (sock_error() in Linux): an operation that receives it takes it out of the
// socket, so the close would not find it there. Any thread notes errors; the thread that detaches reads them, after
// every thread inside has noted its own. `have_ended_connection` is asked at any time.

#ifndef INTERLOCK_DETAIL_TENURE_RECEIVED_ERRORS_HPP
#define INTERLOCK_DETAIL_TENURE_RECEIVED_ERRORS_HPP

#include <cstdint>

#include <boost/system/error_code.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/closing/known_errors.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class received_errors
{
public:
  /// An operation other than a connect has received this error.
  /**
   * ECONNRESET, ECONNABORTED and ETIMEDOUT always end a connection; the first of them is kept. What ICMP says may leave
   * the connection alive (IP_RECVERR, sk_err_soft), and is ignored. EPIPE is that of a connection that the peer has
   * reset, because tcp_done() ends our writing as well, unless the program has ended the writing itself.
   */
  INTERLOCK_DECL void note(const boost::system::error_code& ec) noexcept;

  /// A connect has succeeded. Errors of an earlier connection have no more meaning.
  INTERLOCK_DECL void begin_connection() noexcept;

  /// The program is about to end its writing: a write fails with EPIPE from now on, whatever the peer does.
  void end_writing() noexcept
  {
    add(writing_ended);
  }

  /// An operation may have received an error that no handler will note.
  void note_lost_result() noexcept
  {
    add(result_lost);
  }

  /// When the close begins: every operation that it does not wait for has ended, and has noted its error.
  void note_none_outstanding() noexcept
  {
    add(none_outstanding);
  }

  /// What another tenure of the same connection has received before.
  INTERLOCK_DECL void inherit(const received_errors& before) noexcept;

  void reset() noexcept
  {
    bits_.store(0, std::memory_order_relaxed);
  }

  /// Whether an operation has received an error that ends the connection, or EPIPE of the program's own making. A
  /// failed write asks before its change of the word, having noted its error, and a closer after its own that begins a
  /// flush: one of the two sees the other.
  bool have_ended_connection() const noexcept
  {
    return (bits_.load(std::memory_order_relaxed) & (error_mask | own_broken_pipe)) != 0;
  }

  /// `others`: other code may have used the descriptor. It may have ended the writing, and have received errors.
  INTERLOCK_DECL known_errors summarize(bool others) const noexcept;

private:
  // The error in the lowest bits, and flags. One word, because a close reads it once.
  using bits = std::uint32_t;
  static constexpr bits error_mask = 0xffff;
  static constexpr bits writing_ended = 0x10000;
  static constexpr bits result_lost = 0x20000;
  static constexpr bits none_outstanding = 0x40000;
  static constexpr bits own_broken_pipe = 0x80000;

  INTERLOCK_DECL void add(bits flag) noexcept;

  template <class Next>
  void change(Next next) noexcept;

  sys::atomic<bits> bits_{0};
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_TENURE_RECEIVED_ERRORS_HPP
