// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What the asynchronous closes of one tenure need: the callers that wait, and the strand that sequences a close. It is
// made with the first of them, and is part of the tenure's memory from then on.
//
// The waiters are completed in a step that is posted to the strand. The step may run, or be destroyed uninvoked, before
// the post has returned; and only the posting thread knows whether the post threw, and has to be tried again. So the
// state of the step says which thread acts.

#ifndef INTERLOCK_DETAIL_TENURE_CLOSE_SEQUENCE_HPP
#define INTERLOCK_DETAIL_TENURE_CLOSE_SEQUENCE_HPP

#include <cstdint>

#include <interlock/config.hpp>
#include <interlock/detail/sys.hpp>
#include <interlock/detail/tenure/close_waiter.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class serving_step;

/// Identifies a serving_step among those of all tenures in one memory. Its lowest two bits are zero.
using step_token = std::uint32_t;

class close_sequence
{
public:
  close_sequence() = default;
  close_sequence(const close_sequence&) = delete;
  close_sequence& operator=(const close_sequence&) = delete;
  virtual ~close_sequence() = default;

  /// Posts the step to the strand. If this throws, the step is given up, wherever it is.
  virtual void post(serving_step&& step) = 0;

  /// Destroys what belongs to the execution context. May be called more than once.
  virtual void drop_context() noexcept = 0;

  // --- The thread that posts a step.

  /// Returns the token of the step.
  step_token begin_posting() noexcept
  {
    const step_token token = (step_.load() | over) + 1; // the next whose state bits are zero
    step_.store(token | posting);
    return token;
  }

  /// False: the step has been destroyed, and the caller does what it would have done.
  bool end_posting(step_token token) noexcept
  {
    step_token state = token | posting;
    return step_.compare_exchange_strong(state, token | posted) || state != (token | dropped);
  }

  /// The post has thrown. False: the step has run all the same.
  bool give_up(step_token token) noexcept
  {
    return step_.exchange(token | over) != (token | over);
  }

  // --- The step.

  /// It runs. False: it has been given up.
  bool begin_step(step_token token) noexcept
  {
    step_token state = token | posting;
    return step_.compare_exchange_strong(state, token | over)
      || (state == (token | posted) && step_.compare_exchange_strong(state, token | over));
  }

  /// It has been destroyed uninvoked. True: the caller does what it would have done.
  bool drop_step(step_token token) noexcept
  {
    step_token state = token | posting;
    return !step_.compare_exchange_strong(state, token | dropped) && state == (token | posted);
  }

  close_waiter_list waiters; // guarded by the tenure's mutex

private:
  enum step_state : step_token
  {
    posting,
    posted,
    dropped,
    over // the step has run, or is given up
  };

  sys::atomic<step_token> step_{
    over}; // the state of the latest step, in the lowest bits of its token
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_TENURE_CLOSE_SEQUENCE_HPP
