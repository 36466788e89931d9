// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// How a close ends, as pure functions: from what all closers that take part have asked for, and from where the close
// takes place, to what has to be done next.
//
// The strongest mode that has been asked for holds. A closer without a mode waits for a peer only because SO_LINGER
// says so. A copy of a parent's descriptor is closed and nothing else, and so is what has been delivered: a demand for
// a reset then comes too late. Only for a mode is our FIN sent before close(2). No function here has an effect.

#ifndef INTERLOCK_DETAIL_CLOSING_CLOSE_DECISION_HPP
#define INTERLOCK_DETAIL_CLOSING_CLOSE_DECISION_HPP

#include <chrono>

#include <interlock/close_mode.hpp>
#include <interlock/close_outcome.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/descriptor/linger_setting.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// What SO_LINGER, with this time, asks of a close that has not been told how.
constexpr close_mode lingering_mode(int seconds) noexcept
{
  return seconds == 0 ? close_mode::abort() : close_mode::deliver(std::chrono::seconds(seconds));
}

/// What says how a close is planned: nothing, the mode of the closer that leads, or the option.
enum class close_lead : unsigned char
{
  none,
  mode,
  linger
};

/// What has been asked for.
struct close_request
{
  linger_setting linger = linger_setting::unsupported();
  bool abortive = false;       ///< What has not been delivered is to be thrown away.
  bool prompt = false;         ///< Nothing is to be waited for, whatever SO_LINGER says.
  bool joined_plainly = false; ///< By a closer that waits for no peer.
  close_lead lead = close_lead::none;
  close_mode::kind planned = close_mode::kind::immediate; ///< If there is a lead.
};

/// Where the close takes place.
struct close_circumstances
{
  bool has_descriptor = true;
  bool is_copy = false;      ///< The descriptor is a copy of a parent's.
  bool is_delivered = false; ///< The outcome is known, and the descriptor prepared for close(2).
  bool in_hurry = false;     ///< No thread can, or may, wait.
};

enum class close_step : unsigned char
{
  deliver,          ///< As planned.
  drain,            ///< For the time of SO_LINGER.
  look_at_linger,   ///< What the option says is not known yet.
  close,            ///< As the descriptor is.
  close_promptly,   ///< With SO_LINGER off.
  close_abortively, ///< With a reset.
};

constexpr bool waits_for_peer(close_step s) noexcept
{
  return s == close_step::deliver || s == close_step::drain;
}

/// The mode that results. Waits are `deliver` or `graceful`.
constexpr close_mode::kind way_of(const close_request& w) noexcept
{
  using kind = close_mode::kind;
  if (w.abortive)
    return kind::abort;
  if (w.prompt)
    return kind::immediate;
  if (w.lead == close_lead::none)
    return w.linger.is_on() ? lingering_mode(w.linger.seconds()).what() : kind::immediate;
  const bool is_cut_short = w.joined_plainly && !w.linger.waits() && w.planned >= kind::deliver;
  return is_cut_short ? kind::immediate : w.planned;
}

/// Whether nothing has been asked for: then it is SO_LINGER's to say.
constexpr bool is_plain(const close_request& w) noexcept
{
  return !w.abortive && !w.prompt && w.lead == close_lead::none;
}

/// Of a close that does not wait any more.
constexpr close_step last_step(const close_request& w, const close_circumstances& p) noexcept
{
  if (p.is_copy || p.is_delivered)
    return close_step::close;
  if (way_of(w) == close_mode::kind::abort)
    return close_step::close_abortively;
  const bool may_linger = is_plain(w) && !w.linger.is_on();
  return p.in_hurry || !may_linger ? close_step::close_promptly : close_step::close;
}

constexpr close_step next_step(const close_request& w, const close_circumstances& p) noexcept
{
  if (!p.has_descriptor || p.is_copy || p.is_delivered || p.in_hurry)
    return last_step(w, p);
  if (way_of(w) >= close_mode::kind::deliver)
    return w.lead == close_lead::mode ? close_step::deliver : close_step::drain;
  return is_plain(w) && w.linger.is_unknown() ? close_step::look_at_linger : last_step(w, p);
}

/// What is told of a close that has waited for no peer.
constexpr close_outcome outcome_of(const close_request& w, const close_circumstances& p) noexcept
{
  if (!p.has_descriptor)
    return close_outcome::detached;
  const bool is_reset = last_step(w, p) == close_step::close_abortively && w.linger.is_supported();
  return is_reset ? close_outcome::aborted : close_outcome::closed;
}

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_CLOSE_DECISION_HPP
