// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A write that comes when its tenure is not open any more.

#ifndef INTERLOCK_DETAIL_TENURE_WRITE_LATE_HPP
#define INTERLOCK_DETAIL_TENURE_WRITE_LATE_HPP

#include <interlock/config.hpp>
#include <interlock/detail/tenure/running_handler.hpp>
#include <interlock/detail/tenure/tenure_base.hpp>
#include <interlock/detail/tenure/word.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// For a write that enter_with_write has `refused`. A flush lets it in if the running handler is that of a
/// write which the flush waits for; otherwise the flush counts it.
INTERLOCK_COLD inline duty write_late(tenure_base& t, duty refused) noexcept
{
  duty d = refused;
  if (d == duty::refuse && running_handler::running_write(t))
    d = t.chain_write();
  if (d != duty::none)
    t.note_refused_write();
  return d;
}

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_TENURE_WRITE_LATE_HPP
