// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What every I/O object is made of: an executor, and the heap-stable state with its tenures.
//
// One thread at a time may construct, move or destroy the object. Any thread may call everything else at any
// time: it reaches the state through one atomic pointer and enters the tenure. The first open, close handle
// or retirement makes the state, so a moved-from object is as good as a new one.

#ifndef INTERLOCK_DETAIL_CORE_IO_CORE_HPP
#define INTERLOCK_DETAIL_CORE_IO_CORE_HPP

#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/core/no_exceptions_support.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/close_handler.hpp>
#include <interlock/detail/core/completion.hpp>
#include <interlock/detail/core/handled_object.hpp>
#include <interlock/detail/core/object_state.hpp>
#include <interlock/detail/core/throw_if.hpp>
#include <interlock/detail/core/tracking.hpp>
#include <interlock/detail/descriptor/calls.hpp>
#include <interlock/detail/descriptor/caught_error.hpp>
#include <interlock/detail/descriptor/close_descriptor.hpp>
#include <interlock/detail/sys.hpp>
#include <interlock/detail/tenure/blocked_call.hpp>
#include <interlock/detail/tenure/guards.hpp>
#include <interlock/detail/tenure/running_handler.hpp>
#include <interlock/detail/tenure/write_late.hpp>
#include <interlock/error.hpp>
#include <interlock/fd_lease.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// Whether an operation carries data. A transfer may not start in a running handler of an earlier tenure.
enum class op_kind
{
  transfer,
  write, ///< A transfer that a close in a delivery mode waits for.
  connect,
  other
};

constexpr bool carries_data(op_kind kind) noexcept
{
  return kind == op_kind::transfer || kind == op_kind::write;
}

constexpr counts_as count_of(op_kind kind) noexcept
{
  return kind == op_kind::write ? counts_as::write
    : kind == op_kind::connect  ? counts_as::connect
                                : counts_as::handler;
}

/// Which side keeps the descriptor if opening fails.
enum class descriptor_owner
{
  object, ///< The object, which made it: it is closed.
  caller  ///< The caller, which assigned it: it stays open.
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
      abandon_state(state_.exchange(other.state_.exchange(nullptr)));
      // Copied, because an executor need not be assignable.
      executor_.~executor_type();
      ::new (static_cast<void*>(std::addressof(executor_))) executor_type(other.executor_);
    }
    return *this;
  }

  ~io_core()
  {
    abandon_state(state());
  }

  /// Gives the Asio object away, with the operations outstanding on it, and the values of its flags.
  Inner give_away(flag_values& flags)
  {
    tenure_type* t = current();
    const duty d = t ? t->begin_give_out() : duty::refuse;
    throw_if(d == duty::busy ? make_error_code(error::in_use) : refusal(d), "move");
    // No call is inside any more: what one has set is there.
    flags = t->flags().values();
    Inner moved = t->take_inner();
    t->restore_linger();
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

  /// See object_base.
  tenure_mark mark() const noexcept
  {
    const object_state<Inner>* s = state();
    return s ? s->mark() : tenure_mark();
  }

  /// What follows the object through moves, from its first open on.
  const void* identity() const noexcept
  {
    const object_base* const s = state();
    return s ? static_cast<const void*>(s) : this;
  }

  /// Whether an operation is outstanding: until its handler has run and been destroyed.
  bool has_handlers() const noexcept
  {
    const tenure_type* t = current();
    return t && word::handlers(t->load_word()) != 0;
  }

  /// The same of asynchronous writes.
  bool has_writes() const noexcept
  {
    const tenure_type* t = current();
    return t && word::writes(t->load_word()) != 0;
  }

  /// The tenure of this object whose handler runs on this thread; null if none runs.
  tenure_base* running_here() const noexcept
  {
    const object_state<Inner>* s = state();
    return s ? running_handler::tenure_of(s) : nullptr;
  }

  /// Opens the object with the descriptor that `prepare(tenure, ec)` puts into the tenure's Asio
  /// object, which `seed` becomes. `make(tenure, ec)` comes before, and may block: the context's shutdown waits
  /// for `prepare` only.
  template <class Make, class Prepare>
  void open(error_code& ec, descriptor_owner whose, Inner&& seed, Make make, Prepare prepare)
  {
    ec = error_code();
    if (is_open())
    {
      ec = boost::asio::error::already_open;
      return;
    }
    object_state<Inner>& s = make_state(&seed);
    tenure_type* t = s.take_vacant(std::move(seed), ec);
    if (!t)
      return;
    vacancy unpublished(s, *t, whose);
    make(*t, ec);
    if (!ec)
      ec = unpublished.pass_gate();
    if (!ec)
      prepare(*t, ec);
    if (!ec)
      ec = unpublished.publish();
  }

  /// The same with a new Asio object. The first Asio object of a context makes the reactor, which needs
  /// descriptors of its own: that may fail.
  template <class Make, class Prepare>
  void open(error_code& ec, descriptor_owner whose, Make make, Prepare prepare)
  {
    BOOST_TRY
    {
      open(ec, whose, Inner(executor_), std::move(make), std::move(prepare));
    }
    BOOST_CATCH(const boost::system::system_error&)
    {
      ec = caught_error();
    }
    BOOST_CATCH_END
  }

  /// The same with a descriptor that is there, or that `prepare` makes without blocking.
  template <class Prepare>
  void open(error_code& ec, descriptor_owner whose, Prepare prepare)
  {
    open(ec, whose, &make_nothing, std::move(prepare));
  }

  /// Opens the object with the descriptor of `inner`, which is not open afterwards, also on failure.
  /// `complete(tenure, ec)` is the last step before publication.
  template <class Complete>
  void adopt(Inner&& inner, error_code& ec, Complete complete)
  {
    if (!inner.is_open())
      return;
    BOOST_TRY
    {
      open(ec, descriptor_owner::object, std::move(inner), &make_nothing,
        [&complete](tenure_type& t, error_code& e)
        {
          if (t.inner().native_non_blocking() || t.inner().non_blocking())
            t.come_prepared();
          complete(t, e);
        });
    }
    BOOST_CATCH(const std::bad_alloc&)
    {
      ec = boost::asio::error::no_memory;
    }
    BOOST_CATCH_END
    if (inner.is_open())
      close_unused(tenure_type::release_descriptor(inner));
  }

  /// Enters the current tenure. Null, with ec set: the object is not open.
  tenure_type* enter(error_code& ec) noexcept
  {
    tenure_type* t = current();
    const duty d = t ? t->enter() : duty::refuse;
    ec = refusal(d);
    return d == duty::none ? t : nullptr;
  }

  /// Returns `call(tenure, ec)`, made inside the tenure; a value-initialised result if it cannot enter.
  template <class Call>
  auto inside(error_code& ec, Call call) -> decltype(call(std::declval<tenure_type&>(), ec))
  {
    tenure_type* t = enter(ec);
    if (!t)
      return decltype(call(*t, ec))();
    const leave_guard leaves(*t);
    return call(*t, ec);
  }

  /// Repeats an attempt that does not block until it succeeds or fails. In between it waits for `events`, as long
  /// as the object is open.
  template <class Attempt>
  auto blocking(short events, error_code& ec, Attempt attempt)
    -> decltype(attempt(std::declval<tenure_type&>(), ec))
  {
    return inside(
      ec, [&](tenure_type& t, error_code& e) { return blocking_inside(t, events, e, attempt); });
  }

  /// The same inside the tenure. A descriptor that is no socket is made O_NONBLOCK.
  template <class Attempt>
  static auto blocking_inside(tenure_type& t, short events, error_code& ec, Attempt& attempt)
    -> decltype(attempt(t, ec))
  {
    if constexpr (!protocol_of<Inner>::is_socket)
    {
      t.prepare_synchronous(ec);
      if (ec)
        return decltype(attempt(t, ec))();
    }
    blocked_call call(t);
    for (;;)
    {
      auto result = attempt(t, ec);
      if (!calls::would_block(ec) || t.flags().non_blocking || !call.wait(events, ec))
      {
        if (ec)
          t.errors().note(ec);
        return result;
      }
    }
  }

  /// Starts an operation: calls `initiate(tenure, tracking, handler)` inside the tenure, or
  /// `fail(handler, ec)` if it may not start.
  template <op_kind Kind, class Handler, class Initiate, class Fail>
  INTERLOCK_HOT void start(Handler& handler, Initiate initiate, Fail fail)
  {
    tenure_type* t = current();
    const duty d = t ? enter_with<Kind>(*t) : duty::refuse;
    if (d != duty::none)
    {
      fail(handler, refusal(d));
      return;
    }
    const leave_guard leaves(*t);
    const inside_mark_of<Handler> running(*t);
    tracking_of<Handler, count_of(Kind)> tracked(*t);
    if (!t->is_plain())
    {
      if (const error_code refused = look_at(Kind, *t))
      {
        fail(handler, refused);
        return;
      }
    }
    tracked.connect(handler);
    initiate(*t, std::move(tracked), handler);
  }

  /// A synchronous write has failed. A flush counts it, if the flush is what refused it.
  INTERLOCK_COLD void note_failed_write(const error_code& ec) noexcept
  {
    tenure_type* t = current();
    if (t && ec == boost::asio::error::bad_descriptor)
      t->note_refused_write();
  }

  /// The descriptor, or -1. As soon as this returns, another thread may close it and its number may be
  /// reused.
  int fd() noexcept
  {
    error_code ec;
    tenure_type* t = enter(ec);
    if (!t)
      return no_descriptor;
    const leave_guard leaves(*t);
    t->marks().taint();
    return t->fd();
  }

  fd_lease lease() noexcept
  {
    error_code ec;
    tenure_type* t = enter(ec);
    if (!t)
      return fd_lease();
    const leave_guard leaves(*t);
    t->marks().taint();
    return t->lend() ? fd_lease(*t, t->fd()) : fd_lease();
  }

  void close() noexcept
  {
    if (object_state<Inner>* s = state())
      s->close();
  }

  /// For close handles. Makes the state if the object has none.
  handled_object_pointer share_state()
  {
    return handled_object_pointer(new handled_object_of<Inner>(make_state(), executor_), false);
  }

  void retire()
  {
    make_state().retire();
  }

  template <class Handler>
  void start_close(Handler& handler)
  {
    start_toward(close_goal::close, handler, close_result());
  }

  template <class Handler>
  void start_close(Handler& handler, const close_mode& mode)
  {
    start_toward(close_goal::close, handler, report_result(mode), close_report());
  }

  template <class Handler>
  void start_release(Handler& handler)
  {
    start_toward(close_goal::release, handler, release_result(), no_descriptor);
  }

  int release(error_code& ec) noexcept
  {
    int fd = no_descriptor;
    tenure_type* t = current();
    const duty d = t ? t->give_out(fd) : duty::refuse;
    ec = d == duty::busy ? make_error_code(error::in_use) : refusal(d);
    return fd;
  }

private:
  template <class, class>
  friend class conversion;

  /// `nothing`: the arguments after the error, for a close waiter that finds nothing open.
  template <class Handler, class Result, class... Nothing>
  void start_toward(close_goal what, Handler& handler, Result result, Nothing... nothing)
  {
    using handler_type = close_handler<Handler, executor_type, Result>;
    object_state<Inner>* s = state();
    if (!s || !s->current())
      functions::complete_immediately(executor_, handler,
        bound_values<error_code, Nothing...>(nothing_open(what, result.mode()), nothing...));
    else
      s->start(
        what, handler_type::make(std::move(handler), executor_, std::move(result)), executor_);
  }

  template <op_kind Kind>
  static INTERLOCK_HOT duty enter_with(tenure_type& t) noexcept
  {
    if constexpr (Kind == op_kind::write)
    {
      const duty d = t.enter_with_write();
      return d == duty::none ? d : detail::write_late(t, d);
    }
    else
      return t.enter_with_handler();
  }

  // The checks before an operation in a tenure that is not plain.
  INTERLOCK_COLD static error_code look_at(op_kind kind, tenure_type& t)
  {
    error_code ec;
    if (carries_data(kind) && t.follows_another() && !running_handler::allows(t))
      ec = boost::asio::error::operation_aborted;
    else
      t.prepare_asynchronous(ec);
    return ec;
  }

  static void make_nothing(tenure_type& /*t*/, error_code& /*ec*/) noexcept {}

  // Gives a tenure back that has not been published by the end of the scope, also after an exception. From
  // `pass_gate` on, the reactor does not shut down while the descriptor is put into it or taken back.
  class vacancy
  {
  public:
    vacancy(object_state<Inner>& s, tenure_type& t, descriptor_owner whose) noexcept
      : state_(s),
        tenure_(t),
        whose_(whose)
    {
    }

    vacancy(const vacancy&) = delete;
    vacancy& operator=(const vacancy&) = delete;

    error_code pass_gate() noexcept
    {
      pass_.emplace(*tenure_.shared());
      return *pass_ ? error_code() : error_code(boost::asio::error::operation_not_supported);
    }

    error_code publish() noexcept
    {
      const error_code ec = state_.publish(tenure_);
      published_ = !ec;
      return ec;
    }

    ~vacancy()
    {
      if (published_)
        return;
      const bool ours = whose_ == descriptor_owner::object && !tenure_.is_borrowed();
      const int fd = state_.give_back(tenure_);
      if (fd != no_descriptor && ours)
        close_unused(fd);
    }

  private:
    object_state<Inner>& state_;
    tenure_type& tenure_;
    const descriptor_owner whose_;
    std::optional<context_state::pass> pass_;
    bool published_ = false;
  };

  object_state<Inner>* state() const noexcept
  {
    return state_.load(std::memory_order_acquire);
  }

  // `seed`, if given, is of the context whose memory is used.
  object_state<Inner>& make_state(Inner* seed = nullptr)
  {
    object_state<Inner>* s = state();
    if (s)
      return *s;
    auto& made = object_state<Inner>::make(
      seed ? functions::context_state_for(*seed).get() : nullptr);
    if (state_.compare_exchange_strong(s, &made))
      return made;
    made.abandon();
    return *s;
  }

  static void abandon_state(object_state<Inner>* s) noexcept
  {
    if (s)
      s->abandon();
  }

  executor_type executor_;
  sys::atomic<object_state<Inner>*> state_{nullptr};
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CORE_IO_CORE_HPP
