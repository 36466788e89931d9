// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/closing/close_plan.hpp>

#include <interlock/detail/closing/close_job.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

close_plan::close_plan(const close_mode& mode, clock::time_point since) noexcept
{
  want(mode, since);
}

void close_plan::delivered() noexcept
{
  delivered_->push_back(*job_);
}

close_mode close_plan::mode() const noexcept
{
  using kind = close_mode::kind;
  const auto timeout = until() - since_;
  close_mode m = demanded_ == kind::graceful ? close_mode::graceful(timeout)
    : demanded_ == kind::deliver             ? close_mode::deliver(timeout)
    : demanded_ == kind::immediate           ? close_mode::immediate()
                                             : close_mode::abort();
  return m.progress_timeout(progress_timeout_).discard_limit(discard_limit_);
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
