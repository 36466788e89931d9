// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The step in which the close waiters of a tenure are completed.
//
// It may outlive the tenure, in a strand that could not schedule itself and will never run it. So it keeps the
// tenure's memory, and its token tells the tenure whether it has been given up.

#ifndef INTERLOCK_DETAIL_TENURE_SERVING_STEP_HPP
#define INTERLOCK_DETAIL_TENURE_SERVING_STEP_HPP

#include <utility>

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/tenure/tenure_base.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// Called once, or destroyed uninvoked.
class serving_step
{
public:
  serving_step(tenure_base& t, step_token token) noexcept
    : tenure_(&t),
      token_(token)
  {
  }

  serving_step(serving_step&&) noexcept = default;
  serving_step& operator=(serving_step&&) = delete;

  ~serving_step()
  {
    if (tenure_)
      tenure_->step_dropped(token_);
  }

  void operator()()
  {
    tenure_base::serve_close_waiters(std::move(tenure_), token_);
  }

private:
  boost::intrusive_ptr<tenure_base> tenure_;
  step_token token_;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_TENURE_SERVING_STEP_HPP
