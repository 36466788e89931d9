// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The sequence of closes over a strand of Asio's.
//
// A strand that has failed to schedule itself never runs again, and keeps every step that it is given (a strand of the
// user's likewise keeps the user's handlers). The next close replaces it.

#ifndef INTERLOCK_DETAIL_CORE_STRAND_SEQUENCE_HPP
#define INTERLOCK_DETAIL_CORE_STRAND_SEQUENCE_HPP

#include <cstdint>
#include <utility>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/core/no_exceptions_support.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/inner_traits.hpp>
#include <interlock/detail/core/late.hpp>
#include <interlock/detail/sys.hpp>
#include <interlock/detail/tenure/close_sequence.hpp>
#include <interlock/detail/tenure/serving_step.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// Identifies the step that detaches among those of all tenures in one memory.
using detach_token = std::uint64_t;

template <class Executor>
class strand_sequence final : public close_sequence
{
public:
  using strand_type = typename strand_of<Executor>::type;

  explicit strand_sequence(const Executor& ex)
  {
    strand_.make(ex);
  }

  ~strand_sequence() override
  {
    strand_sequence::drop_context();
  }

  // --- The caller leads the close, and has passed the gate: no other thread uses the strand.

  /// Sends the step that detaches to the strand, which may run it within the call. If this throws, the step may have
  /// been destroyed, or lie where it will never run.
  template <class Step>
  void dispatch(Step step, const Executor& ex)
  {
    if (is_dead_)
      renew(ex);
    BOOST_TRY
    {
      boost::asio::dispatch(*strand_, std::move(step));
    }
    BOOST_CATCH(...)
    {
      is_dead_ = true;
      BOOST_RETHROW
    }
    BOOST_CATCH_END
  }

  // The completion needs no exclusion, since there is one finish: it bypasses a dead strand.
  void post(serving_step&& step) override
  {
    // For Asio's handler tracking.
    BOOST_ASIO_HANDLER_LOCATION((__FILE__, __LINE__, "completion of a close"));
    if (is_dead_)
    {
      boost::asio::post(strand_->get_inner_executor(), std::move(step));
      return;
    }
    BOOST_TRY
    {
      boost::asio::post(*strand_, std::move(step));
    }
    BOOST_CATCH(...)
    {
      is_dead_ = true;
      BOOST_RETHROW
    }
    BOOST_CATCH_END
  }

  // --- Any thread.

  // What lies in a strand, and the executor below it, may be the user's: no mutex is held. Nothing is dispatched or
  // posted any more.
  void drop_context() noexcept override
  {
    if (!is_dropped_.exchange(true))
      strand_.destroy();
  }

  /// The step that detaches has a token as long as it has a handler count.
  void begin_detach(detach_token token) noexcept
  {
    detach_token_ = token;
  }

  bool detaches(detach_token token) const noexcept
  {
    return detach_token_.load() == token;
  }

  /// Whether this call has ended it.
  bool end_detach(detach_token token) noexcept
  {
    return detach_token_.compare_exchange_strong(token, no_step);
  }

private:
  static constexpr detach_token no_step = 0;

  void renew(const Executor& ex)
  {
    strand_type other(ex);
    // Moved into place, because an executor need not be assignable.
    strand_.destroy();
    strand_.make(std::move(other));
    is_dead_ = false;
  }

  late<strand_type> strand_; // until it is dropped
  sys::atomic<detach_token> detach_token_{no_step};
  sys::atomic<bool> is_dead_{false};
  sys::atomic<bool> is_dropped_{false};
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CORE_STRAND_SEQUENCE_HPP
