// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What every I/O object is made of: an executor, and the heap-stable state with its tenures.
//
// The object itself (construction, moves, destruction) is one thread's; everything else may be
// called from any thread at any time, since all it touches is reached through one atomic pointer
// and entered. The state is made with the first open, so that an object that was moved from is as
// good as new.

#ifndef INTERLOCK_DETAIL_CORE_IO_CORE_HPP
#define INTERLOCK_DETAIL_CORE_IO_CORE_HPP

#include <atomic>
#include <memory>
#include <new>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/close_handler.hpp>
#include <interlock/detail/core/completion.hpp>
#include <interlock/detail/core/object_state.hpp>
#include <interlock/detail/core/throw_if.hpp>
#include <interlock/detail/core/tracking.hpp>
#include <interlock/detail/number/calls.hpp>
#include <interlock/detail/number/close_number.hpp>
#include <interlock/error.hpp>

namespace interlock
{
inline namespace abi_0
{
namespace detail
{

/// Whether an operation carries data: only such is bound to the tenure whose handler started it.
enum class op_kind
{
  transfer,
  other
};

/// Whose a number is that could not be opened after all.
enum class number_of
{
  object, ///< Made here: it is closed.
  caller  ///< Lent by the caller: it stays his.
};

template <class Inner>
class io_core
{
public:
  using executor_type = typename Inner::executor_type;
  using inner_type = Inner;
  using tenure_type = tenure<Inner>;
  using error_code = boost::system::error_code;

  // --- The object: one thread.

  explicit io_core(const executor_type& ex)
    : executor_(ex)
  {
  }

  io_core(io_core&& other) noexcept
    : executor_(other.executor_),
      state_(other.state_.exchange(nullptr))
  {
  }

  io_core& operator=(io_core&& other) noexcept
  {
    if (this != &other)
    {
      delete state_.exchange(other.state_.exchange(nullptr));
      executor_ = other.executor_;
    }
    return *this;
  }

  ~io_core()
  {
    delete state_.load(std::memory_order_acquire);
  }

  /// Takes over what `other`, of another executor or protocol, has open. Its Asio object is moved
  /// with the operations outstanding on it, and they count as operations of this object until their
  /// handlers have returned. `complete(tenure, from, ec)` is the last step before publication.
  template <class OtherInner, class Complete>
  void take_from(io_core<OtherInner>& other, Complete complete)
  {
    auto* from = other.current();
    if (!from || from->current_phase() != phase::open)
      return;
    error_code ec;
    const flag_values flags = from->flags().values();
    open(ec, number_of::object,
      [&](tenure_type& to, error_code& failed)
      {
        if (from->give_out_to(to) != duty::detach)
        {
          failed = error::in_use;
          return;
        }
        OtherInner moved = from->take_inner();
        from->gave_out();
        to.set_inner(Inner(std::move(moved)));
        complete(to, *from, failed);
      });
    throw_if(ec, "move");
    current()->flags().set(flags);
  }

  /// Gives the Asio object away, with the operations outstanding on it.
  Inner give_away()
  {
    tenure_type* t = current();
    const duty d = t ? t->begin_give_out() : duty::refuse;
    throw_if(d == duty::busy ? make_error_code(error::in_use) : refusal(d), "move");
    Inner moved = t->take_inner();
    t->gave_out();
    return moved;
  }

  // --- From here on: any thread.

  const executor_type& get_executor() const noexcept
  {
    return executor_;
  }

  bool is_open() const noexcept
  {
    const object_state<Inner>* s = state();
    return s && s->is_open();
  }

  tenure_type* current() const noexcept
  {
    const object_state<Inner>* s = state();
    return s ? s->current() : nullptr;
  }

  /// The tenure of this object whose handler runs on this thread, if one does.
  tenure_base* running_here() const noexcept
  {
    const object_state<Inner>* s = state();
    return s ? mark::running(s->id()) : nullptr;
  }

  /// Opens the object with the number that `prepare(tenure, ec)` puts into the tenure's Asio
  /// object, which `seed` becomes.
  template <class Prepare>
  void open(error_code& ec, number_of whose, Inner&& seed, Prepare prepare)
  {
    ec = error_code();
    if (is_open())
    {
      ec = boost::asio::error::already_open;
      return;
    }
    object_state<Inner>& s = make_state();
    tenure_type* t = s.take_vacant(std::move(seed));
    if (!t)
    {
      // The context has been shut down: it could neither run the object's operations nor end them.
      ec = boost::asio::error::operation_not_supported;
      return;
    }
    vacancy unpublished(s, *t, whose);
    prepare(*t, ec);
    if (!ec && !unpublished.publish())
      ec = boost::asio::error::already_open;
  }

  /// The same with a new Asio object. The first of a context makes the reactor, which needs
  /// descriptors of its own.
  template <class Prepare>
  void open(error_code& ec, number_of whose, Prepare prepare)
  {
    try
    {
      open(ec, whose, Inner(executor_), std::move(prepare));
    }
    catch (const boost::system::system_error& e)
    {
      ec = e.code();
    }
  }

  /// Opens the object with what `inner` has open. Whatever happens, `inner` has nothing open
  /// afterwards. `complete(tenure, ec)` is the last step before publication.
  template <class Complete>
  void adopt(Inner&& inner, error_code& ec, Complete complete)
  {
    if (!inner.is_open())
      return;
    try
    {
      open(ec, number_of::object, std::move(inner), complete);
    }
    catch (const std::bad_alloc&)
    {
      ec = boost::asio::error::no_memory;
    }
    if (inner.is_open())
      close_unused(tenure_type::release_number(inner));
  }

  /// Enters the current tenure. Null, with ec set: the object is not open.
  tenure_type* enter(error_code& ec) noexcept
  {
    tenure_type* t = current();
    const duty d = t ? t->enter() : duty::refuse;
    ec = refusal(d);
    return d == duty::none ? t : nullptr;
  }

  /// `call(tenure, ec)`, inside the tenure. On failure to enter, a value-initialised result.
  template <class Call>
  auto inside(error_code& ec, Call call) -> decltype(call(std::declval<tenure_type&>(), ec))
  {
    tenure_type* t = enter(ec);
    if (!t)
      return decltype(call(*t, ec))();
    const leave_guard leaves(*t);
    return call(*t, ec);
  }

  /// Repeats a non-blocking attempt until it succeeds or fails, waiting for `events` in between as
  /// long as the object is open.
  template <class Attempt>
  auto blocking(short events, error_code& ec, Attempt attempt)
    -> decltype(attempt(std::declval<tenure_type&>(), ec))
  {
    return inside(ec,
      [&](tenure_type& t, error_code& e)
      {
        t.prepare(e);
        if (e)
          return decltype(attempt(t, e))();
        for (;;)
        {
          auto result = attempt(t, e);
          if (!calls::would_block(e) || t.flags().non_blocking || !t.wait(events, e))
            return result;
        }
      });
  }

  /// Starts an operation: `initiate(tenure, tracking, handler)` inside the tenure, or else
  /// `fail(handler, ec)`.
  template <class Handler, class Initiate, class Fail>
  INTERLOCK_HOT void start(op_kind kind, Handler& handler, Initiate initiate, Fail fail)
  {
    tenure_type* t = current();
    const duty d = t ? t->enter_with_handler() : duty::refuse;
    if (d != duty::none)
    {
      fail(handler, refusal(d));
      return;
    }
    const leave_guard leaves(*t);
    tracking_of<Handler> tracked(*t);
    if (kind == op_kind::transfer && t->follows_another && !mark::allows(*t))
    {
      fail(handler, error_code(boost::asio::error::operation_aborted));
      return;
    }
    if (!t->is_prepared() && !prepare(*t, handler, fail))
      return;
    tracked.connect(handler);
    initiate(*t, std::move(tracked), handler);
  }

  /// The number, or -1. It may be closed, and be another's, as soon as this has returned.
  int number() noexcept
  {
    error_code ec;
    tenure_type* t = enter(ec);
    if (!t)
      return -1;
    const leave_guard leaves(*t);
    return t->number();
  }

  void close() noexcept
  {
    if (tenure_type* t = current())
      t->demand_detach();
  }

  template <class Handler>
  void start_close(Handler& handler)
  {
    tenure_type* t = current();
    if (!t)
    {
      complete_immediately(executor_, handler, error_code());
      return;
    }
    t->ensure_strand(executor_);
    auto closer = close_handler<Handler, executor_type>::make(std::move(handler), executor_);
    duty d = t->begin_close();
    // Only a tenure that is not the current one any more can be vacant.
    while (d == duty::refuse)
    {
      t = current();
      t->ensure_strand(executor_);
      d = t->begin_close();
    }
    if (d == duty::none)
      begin_close(*t, *closer.release());
    else if (d == duty::join)
      join_close(*t, std::move(closer));
    else
      closer.release()->complete(refusal(d), hand_over::post);
  }

  int release(error_code& ec) noexcept
  {
    int number = -1;
    tenure_type* t = current();
    const duty d = t ? t->give_out(number) : duty::refuse;
    ec = d == duty::busy ? make_error_code(error::in_use) : refusal(d);
    return number;
  }

  /// A number that nobody has used: there is nothing to flush, and a linger inherited from a
  /// listener must not block.
  static void close_unused(int number) noexcept
  {
    calls::clear_linger(number);
    close_number(number);
  }

private:
  template <class Handler, class Fail>
  INTERLOCK_COLD static bool prepare(tenure_type& t, Handler& handler, Fail& fail)
  {
    error_code ec;
    t.prepare(ec);
    if (ec)
      fail(handler, ec);
    return !ec;
  }

  // Gives a tenure back that has not been published by the end of the scope, however that came.
  class vacancy
  {
  public:
    vacancy(object_state<Inner>& s, tenure_type& t, number_of whose) noexcept
      : state_(s),
        tenure_(t),
        whose_(whose)
    {
    }

    vacancy(const vacancy&) = delete;
    vacancy& operator=(const vacancy&) = delete;

    bool publish() noexcept
    {
      tenure_.set_number();
      published_ = state_.publish(tenure_);
      return published_;
    }

    ~vacancy()
    {
      const int number = published_ ? -1 : state_.give_back(tenure_);
      if (number >= 0 && whose_ == number_of::object)
        close_unused(number);
    }

  private:
    object_state<Inner>& state_;
    tenure_type& tenure_;
    const number_of whose_;
    bool published_ = false;
  };

  static error_code refusal(duty d) noexcept
  {
    if (d == duty::refuse)
      return boost::asio::error::bad_descriptor;
    if (d == duty::overflow)
      return boost::asio::error::no_buffer_space;
    return error_code();
  }

  object_state<Inner>* state() const noexcept
  {
    return state_.load(std::memory_order_acquire);
  }

  object_state<Inner>& make_state()
  {
    object_state<Inner>* s = state();
    if (s)
      return *s;
    auto made = std::make_unique<object_state<Inner>>();
    return state_.compare_exchange_strong(s, made.get()) ? *made.release() : *s;
  }

  void begin_close(tenure_type& t, closer_base& c) noexcept
  {
    ticket for_step(t);
    const ticket own(t);
    // Refused by the context's shutdown, which has destroyed those that came before.
    if (!t.add_closer(c))
      c.destroy();
    t.leave();
    t.dispatch_detach(std::move(for_step));
  }

  template <class Pointer>
  void join_close(tenure_type& t, Pointer closer)
  {
    const leave_guard leaves(t);
    if (t.add_closer(*closer))
    {
      closer.release();
      return;
    }
    error_code ec;
    // With its context shut down there is nowhere to complete: the handler is destroyed uninvoked.
    if (t.outcome(ec))
      closer.release()->complete(ec, hand_over::post);
  }

  executor_type executor_;
  std::atomic<object_state<Inner>*> state_{nullptr};
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CORE_IO_CORE_HPP
