// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A handler and an adapter that calls it. What is associated with the user's handler (executor, allocator,
// immediate executor; slot: slot_bridge.hpp) is associated with the adapted one. An executor that the user's
// handler does not have must not appear, or Asio would keep a second work guard for it.

#ifndef INTERLOCK_DETAIL_CORE_ADAPTED_HANDLER_HPP
#define INTERLOCK_DETAIL_CORE_ADAPTED_HANDLER_HPP

#include <cstddef>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/handler_continuation_hook.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/asio_features.hpp>

#if defined(INTERLOCK_HAS_HANDLER_HOOKS)
#include <boost/asio/handler_alloc_hook.hpp>
#include <boost/asio/handler_invoke_hook.hpp>
#endif

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associator.hpp>
#endif

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// `Adapter` is called with the handler, as an rvalue, and the arguments of the completion.
template <class Handler, class Adapter>
class adapted_handler
{
public:
  adapted_handler(Handler&& handler, Adapter&& adapter)
    : adapter_(std::move(adapter)),
      handler_(std::move(handler))
  {
  }

  template <class... Args>
  void operator()(Args&&... args)
  {
    adapter_(std::move(handler_), std::forward<Args>(args)...);
  }

  const Handler& handler() const noexcept
  {
    return handler_;
  }

  Handler& handler() noexcept
  {
    return handler_;
  }

  const Adapter& adapter() const noexcept
  {
    return adapter_;
  }

  Adapter& adapter() noexcept
  {
    return adapter_;
  }

  /// Asio's scheduler treats the steps of a composed operation as continuations; found by ADL.
  friend bool asio_handler_is_continuation(adapted_handler* self)
  {
    using boost::asio::asio_handler_is_continuation;
    return asio_handler_is_continuation(std::addressof(self->handler_));
  }

#if defined(INTERLOCK_HAS_HANDLER_HOOKS)

  // What a handler of the user's has for hooks decides where it is called and where its memory comes from: that of
  // strand::wrap() calls the steps of a composed operation in the strand.

  template <class Function>
  friend void asio_handler_invoke(Function& f, adapted_handler* self)
  {
    using boost::asio::asio_handler_invoke;
    asio_handler_invoke(f, std::addressof(self->handler_));
  }

  template <class Function>
  friend void asio_handler_invoke(const Function& f, adapted_handler* self)
  {
    using boost::asio::asio_handler_invoke;
    asio_handler_invoke(f, std::addressof(self->handler_));
  }

  friend void* asio_handler_allocate(std::size_t size, adapted_handler* self)
  {
    using boost::asio::asio_handler_allocate;
    return asio_handler_allocate(size, std::addressof(self->handler_));
  }

  friend void asio_handler_deallocate(void* memory, std::size_t size, adapted_handler* self)
  {
    using boost::asio::asio_handler_deallocate;
    asio_handler_deallocate(memory, size, std::addressof(self->handler_));
  }

#endif

private:
  Adapter adapter_; // first, so that the handler is destroyed before a tracking adapter counts down
  Handler handler_;
};

namespace functions {

template <class Handler, class Adapter>
adapted_handler<std::decay_t<Handler>, Adapter> adapt(Handler&& handler, Adapter&& adapter)
{
  static_assert(
    !std::is_lvalue_reference<Handler>::value && !std::is_lvalue_reference<Adapter>::value,
    "both are moved from");
  return {std::move(handler), std::move(adapter)};
}

} // namespace functions

/// An adapter that calls the handler with values of its own.
template <class... Values>
class bound_values
{
public:
  explicit bound_values(Values... values)
    : values_(std::move(values)...)
  {
  }

  template <class Handler>
  void operator()(Handler&& handler)
  {
    std::apply(
      [&handler](Values&... values) { std::move(handler)(std::move(values)...); }, values_);
  }

private:
  std::tuple<Values...> values_;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

namespace boost {
namespace asio {

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)

template <template <class, class> class Associator, class Handler, class Adapter, class Default>
struct associator<Associator, interlock::detail::adapted_handler<Handler, Adapter>, Default>
  : Associator<Handler, Default>
{
  using adapted = interlock::detail::adapted_handler<Handler, Adapter>;

  // Not decltype: that can instantiate `Default()`, and not every executor has a default constructor.
  static typename Associator<Handler, Default>::type get(const adapted& h) noexcept
  {
    return Associator<Handler, Default>::get(h.handler());
  }

  static auto get(const adapted& h, const Default& d) noexcept
    -> decltype(Associator<Handler, Default>::get(h.handler(), d))
  {
    return Associator<Handler, Default>::get(h.handler(), d);
  }
};

#else

template <class Handler, class Adapter, class Executor>
struct associated_executor<interlock::detail::adapted_handler<Handler, Adapter>, Executor>
  : associated_executor<Handler, Executor>
{
  using adapted = interlock::detail::adapted_handler<Handler, Adapter>;

  static typename associated_executor<Handler, Executor>::type get(
    const adapted& h, const Executor& ex = Executor()) noexcept
  {
    return associated_executor<Handler, Executor>::get(h.handler(), ex);
  }
};

template <class Handler, class Adapter, class Allocator>
struct associated_allocator<interlock::detail::adapted_handler<Handler, Adapter>, Allocator>
  : associated_allocator<Handler, Allocator>
{
  using adapted = interlock::detail::adapted_handler<Handler, Adapter>;

  static typename associated_allocator<Handler, Allocator>::type get(
    const adapted& h, const Allocator& a = Allocator()) noexcept
  {
    return associated_allocator<Handler, Allocator>::get(h.handler(), a);
  }
};

#endif

} // namespace asio
} // namespace boost

#endif // INTERLOCK_DETAIL_CORE_ADAPTED_HANDLER_HPP
