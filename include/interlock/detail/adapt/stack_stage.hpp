// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// How the close of a stack of layers goes on, as pure functions: what has happened, and what is to be done next.
//
// The writes end first, then each open layer from the top ends, then the connection is closed. The stages never go
// backwards, except from layer to layer. What is started is a step; the caller is told once, when the connection is
// being closed and no step is outstanding.

#ifndef INTERLOCK_DETAIL_ADAPT_STACK_STAGE_HPP
#define INTERLOCK_DETAIL_ADAPT_STACK_STAGE_HPP

#include <cstddef>
#include <optional>

#include <interlock/close_mode.hpp>
#include <interlock/close_statistics.hpp>
#include <interlock/config.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

enum class stack_stage : unsigned char
{
  open,      ///< No close has begun.
  draining,  ///< Writes are outstanding.
  looking,   ///< The current layer is looked at.
  sending,   ///< The current layer sends its end.
  receiving, ///< The current layer waits for the peer's end.
  closing,   ///< The connection is being closed.
  over       ///< The caller has been told.
};

/// What a close in this stage waits for. Null: the connection's close tells.
constexpr std::optional<close_stage> waited_for(stack_stage s) noexcept
{
  if (s == stack_stage::receiving)
    return close_stage::peer;
  if (s == stack_stage::open || s >= stack_stage::closing)
    return std::nullopt;
  return close_stage::writes;
}

/// What is to be done after a transition.
enum class stack_act : unsigned char
{
  nothing,
  drain,   ///< Call `drained` when no write is outstanding.
  look,    ///< Call `looked` with whether the current layer is open.
  send,    ///< Have the current layer send its end.
  receive, ///< Have the current layer wait for the peer's end.
  close,   ///< Close the connection: a step. A second time: in a stronger mode, which overtakes.
  complete ///< Tell the caller.
};

class stack_progress
{
public:
  /// `layers`: those that have an end to send.
  explicit stack_progress(std::size_t layers) noexcept
    : layers_(layers)
  {
  }

  stack_stage stage() const noexcept
  {
    return stage_;
  }

  /// The current layer, from zero at the top.
  std::size_t layer() const noexcept
  {
    return layer_;
  }

  /// The close begins, unless a stronger mode has come first. Only a mode that delivers ends the layers.
  stack_act begin(close_mode::kind how) noexcept
  {
    if (stage_ != stack_stage::open)
      return stack_act::nothing;
    receives_ = how == close_mode::kind::graceful;
    if (how < close_mode::kind::deliver)
      return close();
    stage_ = stack_stage::draining;
    return stack_act::drain;
  }

  void start_step() noexcept
  {
    ++steps_;
  }

  /// A step is gone without having come to an end.
  void drop_step() noexcept
  {
    --steps_;
  }

  stack_act end_step() noexcept
  {
    --steps_;
    if (stage_ != stack_stage::closing || steps_ != 0)
      return stack_act::nothing;
    stage_ = stack_stage::over;
    return stack_act::complete;
  }

  stack_act drained() noexcept
  {
    return stage_ == stack_stage::draining ? enter_layer(0) : stack_act::nothing;
  }

  stack_act looked(bool is_open) noexcept
  {
    if (stage_ != stack_stage::looking)
      return stack_act::nothing;
    if (!is_open)
      return enter_layer(layer_ + 1);
    stage_ = stack_stage::sending;
    return stack_act::send;
  }

  /// Whether this layer is about to send its end.
  bool is_sending(std::size_t layer) const noexcept
  {
    return stage_ == stack_stage::sending && layer == layer_;
  }

  /// Whether this layer waits for the peer's end.
  bool is_receiving(std::size_t layer) const noexcept
  {
    return stage_ == stack_stage::receiving && layer == layer_;
  }

  /// The end of this layer has been written to the connection.
  stack_act sent(std::size_t layer) noexcept
  {
    if (!is_sending(layer))
      return stack_act::nothing;
    if (!receives_)
      return enter_layer(layer_ + 1);
    stage_ = stack_stage::receiving;
    return stack_act::receive;
  }

  /// Nothing more is to come of this layer: the peer has answered, or an operation on it has failed.
  stack_act ended(std::size_t layer) noexcept
  {
    const bool is_current = is_sending(layer) || is_receiving(layer);
    return is_current ? enter_layer(layer_ + 1) : stack_act::nothing;
  }

  /// The time of the layers is over, or the connection is closed already. A layer does not wait for the peer any
  /// longer, but those below it may still send their ends, if the time is not over again. Otherwise they are left as
  /// they are.
  stack_act give_up() noexcept
  {
    if (stage_ != stack_stage::receiving)
      return stage_ < stack_stage::closing ? close() : stack_act::nothing;
    return receive_no_more();
  }

  /// The mode becomes stronger.
  stack_act hurry(close_mode::kind how) noexcept
  {
    if (stage_ == stack_stage::over)
      return stack_act::nothing;
    const bool is_late = stage_ == stack_stage::closing;
    return is_late || how < close_mode::kind::deliver ? close() : receive_no_more();
  }

  /// What was to be done has failed, and the connection is closed.
  void fail() noexcept
  {
    if (stage_ < stack_stage::over)
      stage_ = stack_stage::closing;
  }

  /// An exception has ended the close. Nothing follows.
  void abandon() noexcept
  {
    stage_ = stack_stage::over;
  }

private:
  stack_act enter_layer(std::size_t layer) noexcept
  {
    if (layer == layers_)
      return close();
    layer_ = layer;
    stage_ = stack_stage::looking;
    return stack_act::look;
  }

  // The layers below may still send their ends.
  stack_act receive_no_more() noexcept
  {
    receives_ = false;
    return stage_ == stack_stage::receiving ? enter_layer(layer_ + 1) : stack_act::nothing;
  }

  stack_act close() noexcept
  {
    stage_ = stack_stage::closing;
    return stack_act::close;
  }

  const std::size_t layers_;
  std::size_t layer_ = 0;
  std::size_t steps_ = 0;
  stack_stage stage_ = stack_stage::open;
  bool receives_ = false;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_ADAPT_STACK_STAGE_HPP
