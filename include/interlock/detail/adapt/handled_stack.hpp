// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A stack as a close_group sees it: its connection, the close of which is that of the whole stack. The stack itself is
// referred to weakly, and locked for the close.

#ifndef INTERLOCK_DETAIL_ADAPT_HANDLED_STACK_HPP
#define INTERLOCK_DETAIL_ADAPT_HANDLED_STACK_HPP

#include <memory>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/close_mode.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/adapt/initiate_stack_close.hpp>
#include <interlock/detail/adapt/layer.hpp>
#include <interlock/detail/adapt/running_closes.hpp>
#include <interlock/detail/adapt/stack_caller.hpp>
#include <interlock/detail/closing/context_state.hpp>
#include <interlock/detail/core/handled_object.hpp>
#include <interlock/detail/core/object_base.hpp>
#include <interlock/detail/groups/group_member.hpp>
#include <interlock/detail/groups/group_steps.hpp>
#include <interlock/detail/tenure/close_waiter.hpp>
#include <interlock/stack_report.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

template <class Stream>
class handled_stack final : public handled_object
{
public:
  /// Throws std::bad_weak_ptr if the stack is gone.
  explicit handled_stack(const std::weak_ptr<Stream>& stack)
    : handled_stack(stack, *std::shared_ptr<Stream>(stack))
  {
  }

  object_base& state() const noexcept override
  {
    return connection_->state();
  }

  boost::asio::any_io_executor executor() const override
  {
    return executor_;
  }

  context_state_pointer context() const override
  {
    return connection_->context();
  }

  bool is_acceptor() const noexcept override
  {
    return false;
  }

  /// Without the stream, or if the connection has been moved out of it, the connection is closed, or is over.
  void start_close(close_waiter_pointer c) const override
  {
    std::shared_ptr<Stream> s = stack_.lock();
    if (!s || functions::core_of(*s).identity() != &state())
      return connection_->start_close(std::move(c));
    const close_mode mode = *c->mode();
    const initiate_stack_close<Stream> initiate(kept_stream<Stream>::owned(std::move(s)));
    initiate(
      [c = std::move(c)](const boost::system::error_code& ec, const stack_report& r) mutable {
        c.release()->complete({ec, r.connection}, hand_over::dispatch);
      },
      mode);
  }

  /// The close of the stack may not have reached the connection yet.
  void overtake(const tenure_mark& which, const close_mode& mode) const noexcept override
  {
    bool is_told = false;
    if (state().mark() == which)
      functions::succeeds([&] { is_told = closes_->hurry(&state(), mode) != nullptr; });
    if (!is_told)
      handled_object::overtake(which, mode);
  }

private:
  handled_stack(const std::weak_ptr<Stream>& stack, Stream& s)
    : stack_(stack),
      executor_(s.get_executor()),
      connection_(functions::core_of(s).share_state()),
      closes_(running_closes::of(functions::core_of(s).get_executor()))
  {
  }

  const std::weak_ptr<Stream> stack_;
  const boost::asio::any_io_executor executor_;
  const handled_object_pointer connection_;
  const running_closes_pointer closes_;
};

template <class Stream>
struct handled_stack_of<Stream, std::enable_if_t<is_stack<Stream>::value>>
{
  static constexpr bool is_known = true;
  using type = handled_stack<Stream>;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_ADAPT_HANDLED_STACK_HPP
