// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Guarantee G12, by comparison: handlers and executors of any age. The hooks of handlers (asio_handler_invoke and the
// like), strand::wrap(), executors of the Networking TS, and executors that can be copied and not assigned.

#include "support/prelude.hpp"

#include <boost/asio/execution.hpp>
#include <boost/asio/executor.hpp>
#include <boost/asio/io_context_strand.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/socket_base.hpp>

#include <interlock/detail/core/asio_features.hpp>

#include "support/differential.hpp"

using namespace support;

namespace {

#if defined(INTERLOCK_HAS_HANDLER_HOOKS)

struct hook_counts
{
  int allocated = 0;
  int deallocated = 0;
  int invoked = 0;
};

/// A handler that counts what its hooks are asked for.
class hooked
{
public:
  hooked(notes& note, std::string what, hook_counts& counts)
    : note_(&note),
      what_(std::move(what)),
      counts_(&counts)
  {
  }

  template <class... Args>
  void operator()(const error_code& ec, Args&&...)
  {
    (*note_)(what_, ec);
  }

  friend void* asio_handler_allocate(std::size_t size, hooked* h)
  {
    ++h->counts_->allocated;
    return ::operator new(size);
  }

  friend void asio_handler_deallocate(void* memory, std::size_t, hooked* h)
  {
    ++h->counts_->deallocated;
    ::operator delete(memory);
  }

  template <class Function>
  friend void asio_handler_invoke(Function f, hooked* h)
  {
    ++h->counts_->invoked;
    f();
  }

private:
  notes* note_;
  std::string what_;
  hook_counts* counts_;
};

template <class Start>
void note_hooks(notes& note, const std::string& what, asio::io_context& context, Start start)
{
  hook_counts counts;
  start(hooked(note, what, counts));
  run(context);
  note(what + " allocated", counts.allocated);
  note(what + " deallocated", counts.deallocated);
  note(what + " invoked", counts.invoked);
}

#endif

/// An executor that refers to its context, as those of Asio's examples do.
class referring_executor
{
public:
  explicit referring_executor(asio::io_context& c)
    : context_(c)
  {
  }

  asio::execution_context& query(asio::execution::context_t) const noexcept
  {
    return context_;
  }

  static constexpr asio::execution::blocking_t::never_t query(asio::execution::blocking_t) noexcept
  {
    return asio::execution::blocking.never;
  }

  template <class Function>
  void execute(Function f) const
  {
    asio::post(context_, std::move(f));
  }

  friend bool operator==(const referring_executor& a, const referring_executor& b) noexcept
  {
    return &a.context_ == &b.context_;
  }

  // Asio requires it, and does not call it here.
  [[maybe_unused]] friend bool operator!=(
    const referring_executor& a, const referring_executor& b) noexcept
  {
    return !(a == b);
  }

private:
  asio::io_context& context_;
};

/// A connection of sockets with this executor: a read, a move, and the end.
template <class Family, class Executor>
void note_connection(notes& note, asio::io_context& context, const Executor& ex)
{
  using socket = typename Family::tcp::socket::template rebind_executor<Executor>::other;
  typename Family::tcp::acceptor acceptor(context, tcp_pair<Family>::loopback());
  socket first(ex);
  socket second(ex);
  first.connect(acceptor.local_endpoint());
  acceptor.accept(second);
  char c = 0;
  second.async_read_some(asio::buffer(&c, 1), note.handler("read"));
  asio::write(first, asio::buffer("x", 1));
  run(context);
  second = std::move(first);
  note("open after a move", second.is_open());
  second.async_read_some(asio::buffer(&c, 1), note.handler("read after a move"));
  second.close();
  run(context);
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_differential_handlers, compared)

#if defined(INTERLOCK_HAS_HANDLER_HOOKS)

BOOST_AUTO_TEST_CASE_TEMPLATE(the_hooks_of_a_handler_are_asked, F, both_families)
{
  tcp_pair<F> pair(context);
  typename F::tcp::acceptor acceptor(context, tcp_pair<F>::loopback());
  typename F::tcp::socket client(context);
  char buffer[4];
  note_hooks(note, "write", context,
    [&](hooked h) { pair.first.async_write_some(asio::buffer("x", 1), std::move(h)); });
  note_hooks(note, "read", context,
    [&](hooked h) { pair.second.async_read_some(asio::buffer(buffer), std::move(h)); });
  note_hooks(note, "wait", context,
    [&](hooked h) { pair.second.async_wait(asio::socket_base::wait_write, std::move(h)); });
  note_hooks(note, "connect", context,
    [&](hooked h) { client.async_connect(acceptor.local_endpoint(), std::move(h)); });
}

// The condition is asked in each step.
BOOST_AUTO_TEST_CASE_TEMPLATE(
  the_steps_of_a_composed_operation_run_in_the_strand_that_wraps_its_handler, F, both_families)
{
  asio::io_context::strand strand(context);
  tcp_pair<F> pair(context);
  char buffer[3];
  int steps = 0;
  const auto condition = [&](const error_code&, std::size_t n)
  {
    if (n != 0)
      note("step in the strand", strand.running_in_this_thread());
    if (++steps <= 3)
      asio::write(pair.first, asio::buffer("x", 1));
    return sizeof(buffer) - n;
  };
  asio::async_read(pair.second, asio::buffer(buffer), condition,
    strand.wrap(
      [&](const error_code& ec, std::size_t)
      {
        note("read", ec);
        note("handler in the strand", strand.running_in_this_thread());
      }));
  run(context);
}

#endif

BOOST_AUTO_TEST_CASE_TEMPLATE(an_executor_need_not_be_assignable, F, both_families)
{
  note_connection<F>(note, context, referring_executor(context));
}

#if !defined(BOOST_ASIO_NO_TS_EXECUTORS)

BOOST_AUTO_TEST_CASE_TEMPLATE(an_executor_may_be_one_of_the_networking_ts, F, both_families)
{
  note_connection<F>(note, context, asio::executor(context.get_executor()));
  note_connection<F>(note, context, asio::io_context::strand(context));
}

BOOST_AUTO_TEST_CASE(a_close_runs_with_an_executor_of_the_networking_ts)
{
  ends pair = unix_ends();
  local::socket::rebind_executor<asio::executor>::other s(
    asio::executor(context.get_executor()), local(), pair.near.release());
  error_code ec = asio::error::fault;
  s.async_close([&ec](const error_code& e) { ec = e; });
  context.run();
  BOOST_TEST(ec == error_code());
}

#endif

BOOST_AUTO_TEST_SUITE_END()
