// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What the close of a tenure waits for, as pure functions of its word.

#ifndef INTERLOCK_DETAIL_TENURE_WAITED_FOR_HPP
#define INTERLOCK_DETAIL_TENURE_WAITED_FOR_HPP

#include <optional>

#include <interlock/close_statistics.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/tenure/word.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// Null: no close is under way. `announced`: what a close waits for that closes the descriptor later. `detached`: what
/// the job of a detached descriptor waits for.
constexpr std::optional<close_stage> waited_for(
  phase p, const std::optional<close_stage>& announced, close_stage detached) noexcept
{
  switch (p)
  {
  case phase::open:
    return announced;
  case phase::flushing:
    return close_stage::writes;
  case phase::closing:
  case phase::due:
    return close_stage::detach;
  case phase::leased:
    return close_stage::lease;
  case phase::detached:
    return detached;
  case phase::closed:
    return close_stage::handlers;
  case phase::ended:
  case phase::vacant:
    break;
  }
  return std::nullopt;
}

/// The same, with what else the word tells.
constexpr std::optional<close_in_progress> close_under_way(
  word::value w, const std::optional<close_stage>& announced, close_stage detached) noexcept
{
  const auto stage = waited_for(word::phase_of(w), announced, detached);
  if (!stage)
    return std::nullopt;
  close_in_progress c;
  c.waits_for = *stage;
  c.handlers = word::handlers(w);
  c.writes = word::writes(w);
  c.leases = word::leases(w);
  return c;
}

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_TENURE_WAITED_FOR_HPP
