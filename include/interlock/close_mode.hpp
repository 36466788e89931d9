// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// How to close a descriptor, and what the close waits for.
//
// A mode is a value, and making one never fails. It keeps an invalid timeout, which `validate` reports.

#ifndef INTERLOCK_CLOSE_MODE_HPP
#define INTERLOCK_CLOSE_MODE_HPP

#include <chrono>
#include <cstdint>

#include <boost/system/error_code.hpp>

#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {

/// What a close waits for before it calls close(2).
/**
 * @li @c immediate: nothing. On TCP the kernel continues to send, and the outcome does not tell whether
 * the data arrives.
 *
 * @li @c abort: nothing, and the kernel sends no more data. The peer of a TCP connection sees a reset
 * (SO_LINGER with a time of zero, socket(7)); otherwise the same as immediate.
 *
 * @li @c deliver: until the peer's kernel has acknowledged all data and our FIN, which shutdown(2) sends;
 * on AF_UNIX until the peer's application has read everything. Unread input stays unread: close(2) of
 * a TCP socket answers it with a reset instead of an orderly end (RFC 2525, section 2.17), which can
 * destroy data that the peer has not read yet.
 *
 * @li @c graceful: as deliver, then until the peer ends its side as well. After our FIN the close reads
 * and discards input (MSG_TRUNC, tcp(7)). The only mode after which no reset can follow.
 *
 * The wait always ends: when its condition is met, at a reset by the peer, at the deadline, or when a
 * stronger mode overtakes it. Sockets other than stream sockets of TCP and AF_UNIX, unconnected sockets,
 * and descriptors that are not sockets are closed at once in every mode.
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Unsafe.
 *
 * @example_of{example/delivery.cpp,delivery_close}
 */
class close_mode
{
public:
  /// How times are given.
  using duration = std::chrono::steady_clock::duration;

  /// From the strongest, which overtakes every other, to the weakest.
  enum class kind : unsigned char
  {
    abort,     ///< Waits for nothing, and resets a TCP connection.
    immediate, ///< Waits for nothing.
    deliver,   ///< Waits until the peer has acknowledged everything.
    graceful   ///< Waits until the peer has ended its side as well.
  };

  /// The longest valid timeout: a year.
  static constexpr duration longest_timeout() noexcept
  {
    return std::chrono::hours(24 * 365);
  }

  /// The value of `progress_timeout()` if none is set.
  static constexpr duration no_timeout() noexcept
  {
    return duration::max();
  }

  /// The value of `discard_limit()` if none is set.
  static constexpr std::uint64_t no_limit() noexcept
  {
    return UINT64_MAX;
  }

  /// Wait for nothing: as close(2) of a socket without SO_LINGER.
  static constexpr close_mode immediate() noexcept
  {
    return close_mode(kind::immediate, duration::zero());
  }

  /// Wait for nothing, and discard what has not been delivered: a TCP connection is reset.
  static constexpr close_mode abort() noexcept
  {
    return close_mode(kind::abort, duration::zero());
  }

  /// Wait up to `timeout` for the peer's acknowledgement.
  /**
   * The timeout counts from the closing call, and includes the flush: the time in which writes already
   * started complete.
   *
   * @param timeout Of any duration type; from zero to longest_timeout, or the close reports invalid_argument.
   */
  template <class Rep, class Period>
  static constexpr close_mode deliver(std::chrono::duration<Rep, Period> timeout) noexcept
  {
    return close_mode(kind::deliver, saturated(timeout));
  }

  /// Wait up to `timeout` for the peer's acknowledgement and its end of the connection.
  /**
   * If the timeout passes between the two, the outcome is close_outcome::acknowledged.
   *
   * @param timeout As that of deliver.
   */
  template <class Rep, class Period>
  static constexpr close_mode graceful(std::chrono::duration<Rep, Period> timeout) noexcept
  {
    return close_mode(kind::graceful, saturated(timeout));
  }

  /// End the wait earlier, after this time without progress. Has no effect in immediate and abort mode.
  /**
   * Until everything is acknowledged, only acknowledgements count as progress; afterwards the peer's
   * input does. Polling detects progress, so the wait may be longer, up to twice this time, but never
   * shorter.
   *
   * @param timeout As that of deliver.
   *
   * @returns This mode. The overload without a parameter returns the value: no_timeout if none is set.
   */
  template <class Rep, class Period>
  constexpr close_mode& progress_timeout(std::chrono::duration<Rep, Period> timeout) noexcept
  {
    progress_timeout_ = saturated(timeout);
    return *this;
  }

  /// Limit the input to discard. Has an effect in graceful mode only.
  /**
   * Input beyond the limit stays unread, and the close continues as in deliver mode, so that an endless
   * sender cannot delay it further.
   *
   * @param bytes How much to read at most after our FIN, in bytes.
   *
   * @returns This mode. The overload without a parameter returns the value: no_limit if none is set.
   */
  constexpr close_mode& discard_limit(std::uint64_t bytes) noexcept
  {
    discard_limit_ = bytes;
    return *this;
  }

  /// Which of the four modes this is.
  constexpr kind what() const noexcept
  {
    return kind_;
  }

  /// The time for the whole close; zero in immediate and abort mode.
  constexpr duration timeout() const noexcept
  {
    return timeout_;
  }

  constexpr duration progress_timeout() const noexcept
  {
    return progress_timeout_;
  }

  constexpr std::uint64_t discard_limit() const noexcept
  {
    return discard_limit_;
  }

  /// Whether the mode waits for the peer.
  constexpr bool delivers() const noexcept
  {
    return kind_ >= kind::deliver;
  }

private:
  constexpr close_mode(kind k, duration timeout) noexcept
    : timeout_(timeout),
      kind_(k)
  {
  }

  // An overflowing cast would turn an invalid timeout into one that looks valid.
  template <class Rep, class Period>
  static constexpr duration saturated(std::chrono::duration<Rep, Period> d) noexcept
  {
    using approximate = std::chrono::duration<long double, duration::period>;
    if (approximate(d) >= approximate(no_timeout() - duration(1)))
      return no_timeout() - duration(1);
    // The negation also catches a NaN, which compares false.
    if (!(approximate(d) > approximate(duration::min())))
      return duration::min();
    return std::chrono::duration_cast<duration>(d);
  }

  duration timeout_;
  duration progress_timeout_ = no_timeout();
  std::uint64_t discard_limit_ = no_limit();
  kind kind_;
};

/// Whether a close in mode `a` overtakes one in mode `b` that is under way.
/**
 * @param a The mode of a closer that comes later.
 * @param b The mode of the close under way.
 */
constexpr bool stronger(close_mode::kind a, close_mode::kind b) noexcept
{
  return a < b;
}

constexpr bool stronger(const close_mode& a, const close_mode& b) noexcept
{
  return stronger(a.what(), b.what());
}

/// Whether the timeouts are valid: none is negative, or longer than `longest_timeout`.
/**
 * @param mode What to look at.
 */
constexpr bool is_valid(const close_mode& mode) noexcept
{
  constexpr auto sensible = [](close_mode::duration d)
  { return d >= close_mode::duration::zero() && d <= close_mode::longest_timeout(); };
  return sensible(mode.timeout())
    && (mode.progress_timeout() == close_mode::no_timeout() || sensible(mode.progress_timeout()));
}

/// Check the mode, as a close does.
/**
 * @param mode What to check.
 *
 * @any_thread
 *
 * @par Error Codes
 * @li boost::system::errc::invalid_argument: a timeout is negative, or longer than
 * `close_mode::longest_timeout`.
 */
inline boost::system::error_code validate(const close_mode& mode) noexcept
{
  return is_valid(mode) ? boost::system::error_code()
                        : boost::system::error_code(
                          boost::system::errc::invalid_argument, boost::system::system_category());
}

} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_CLOSE_MODE_HPP
