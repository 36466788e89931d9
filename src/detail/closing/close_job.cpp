// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/closing/close_job.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

close_report close_job::report() const noexcept
{
  if (plan_)
    return plan_->report();
  close_report r;
  r.outcome = outcome_of(request(), circumstances());
  return r;
}

void close_job::write_report() noexcept
{
  if (!plan_)
    return;
  close_report& r = plan_->report_;
  r.outcome = outcome_of(request(), circumstances());
  r.duration = clock::now() - plan_->since_;
}

close_request close_job::request() const noexcept
{
  close_request w = request_;
  if (plan_)
  {
    w.lead = lead_.load(std::memory_order_relaxed);
    w.planned = plan_->demanded_;
  }
  return w;
}

// What the parent has closed has not been closed as a copy.
close_circumstances close_job::circumstances() const noexcept
{
  close_circumstances p;
  p.has_descriptor = fd_ != no_descriptor;
  p.is_copy = copied_ && !gone_;
  p.is_delivered = stage_ == stage::delivered;
  return p;
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
