// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Executors of every kind under the objects, and of handlers: each handler is called, and destroyed,
// where it belongs, and never on a worker.

#include <interlock/local/stream_protocol.hpp>
#include <interlock/posix/stream_descriptor.hpp>

#include <atomic>
#include <functional>
#include <thread>
#include <tuple>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include "support/descriptor_pairs.hpp"
#include "support/executors.hpp"
#include "support/handler_tally.hpp"
#include "support/loop.hpp"

namespace asio = boost::asio;
using boost::system::error_code;
using local = interlock::local::stream_protocol;

namespace {

const error_code success;
const error_code aborted = asio::error::operation_aborted;
const error_code not_called = asio::error::fault;

using io_executor = asio::io_context::executor_type;

/// Contexts, each with one thread that runs it, and an executor of the object.
struct loop_context
{
  support::loop loop;

  io_executor get()
  {
    return loop.context.get_executor();
  }

  void join()
  {
    loop.join();
  }
};

struct of_io_context : loop_context
{
};

struct of_any : loop_context
{
  asio::any_io_executor get()
  {
    return loop_context::get();
  }
};

struct of_strand : loop_context
{
  asio::strand<io_executor> strand{loop_context::get()};

  asio::strand<io_executor> get()
  {
    return strand;
  }
};

struct of_any_strand : loop_context
{
  asio::any_io_executor strand{asio::make_strand(loop_context::get())};

  asio::any_io_executor get()
  {
    return strand;
  }
};

struct of_custom : loop_context
{
  support::labelled_executor<io_executor> get()
  {
    return support::labelled(loop_context::get(), 1);
  }
};

struct of_any_custom : loop_context
{
  asio::any_io_executor get()
  {
    return support::labelled(loop_context::get(), 1);
  }
};

struct of_thread_pool
{
  asio::thread_pool pool{2};

  asio::thread_pool::executor_type get()
  {
    return pool.get_executor();
  }

  void join()
  {
    pool.join();
  }
};

using contexts = std::tuple<of_io_context, of_any, of_strand, of_any_strand, of_custom,
  of_any_custom, of_thread_pool>;

} // namespace

BOOST_AUTO_TEST_SUITE(test_executors)

BOOST_AUTO_TEST_CASE_TEMPLATE(an_object_works_over_every_executor, Context, contexts)
{
  Context context;
  using socket =
    typename local::socket::rebind_executor<std::decay_t<decltype(context.get())>>::other;
  support::ends pair = support::unix_ends();
  socket a(context.get(), local(), pair.near.release());
  socket b(context.get(), local(), pair.far.release());
  support::handler_tally tally;
  error_code written = not_called;
  error_code read = not_called;
  error_code pending = not_called;
  error_code closed = not_called;
  char buffer[5];
  char other[5];
  asio::async_write(a, asio::buffer("hello", 5), tally(support::into(written)));
  asio::async_read(b, asio::buffer(buffer),
    tally(
      [&](error_code ec, std::size_t)
      {
        read = ec;
        b.async_read_some(asio::buffer(other), tally(support::into(pending)));
        b.async_close(tally(support::into(closed)));
      }));
  context.join();
  BOOST_TEST(written == success);
  BOOST_TEST(read == success);
  BOOST_TEST(pending == aborted);
  BOOST_TEST(closed == success);
  BOOST_TEST(tally.all_called());
}

// The object's executor is where a handler without one of its own is called: all kinds of it.
BOOST_AUTO_TEST_CASE(handlers_are_called_on_the_executor_of_the_object)
{
  asio::io_context context;
  auto ex = support::labelled(context.get_executor(), 3);
  using socket = local::socket::rebind_executor<decltype(ex)>::other;
  support::ends pair = support::unix_ends();
  support::send_text(pair.far, "x");
  socket s(ex, local(), pair.near.release());
  support::handler_tally tally;
  int in_place = 0;
  const auto check = [&in_place](error_code, auto&&...)
  { in_place += support::label_scope::current() == 3 ? 1 : 0; };
  char buffer[8];
  s.async_read_some(asio::buffer(buffer), tally(check));
  s.async_wait(socket::wait_error, tally(check));
  s.async_close(tally(check));
  s.async_close(tally(check));
  context.run();
  context.restart();
  s.async_read_some(asio::buffer(buffer), tally(check));
  s.async_close(tally(check));
  context.run();
  BOOST_TEST(in_place == 6);
  BOOST_TEST(tally.all_called());
}

// Whatever becomes of an operation, its handler is called on the executor bound to it.
BOOST_AUTO_TEST_CASE(handlers_are_called_on_the_executors_bound_to_them)
{
  support::loop loop;
  asio::thread_pool pool(1);
  support::ends pair = support::unix_ends();
  support::send_text(pair.far, "x");
  local::socket s(loop.context, local(), pair.near.release());
  support::handler_tally tally;
  std::atomic<int> in_place{0};
  int labels = 0;
  const auto bound = [&]
  {
    const int label = ++labels;
    const auto check = [label, &in_place](error_code, auto&&...)
    { in_place += support::label_scope::current() == label ? 1 : 0; };
    return asio::bind_executor(support::labelled(pool.get_executor(), label), tally(check));
  };
  char first[8];
  char second[8];
  s.async_read_some(asio::buffer(first), bound());
  s.async_read_some(asio::buffer(second), bound());
  s.async_write_some(asio::buffer("x", 1), bound());
  s.async_wait(local::socket::wait_error, bound());
  s.async_close(bound());
  s.async_close(bound());
  s.async_read_some(asio::buffer(first), bound());
  loop.join();
  s.async_write_some(asio::buffer("x", 1), bound());
  loop.context.restart();
  loop.context.run();
  pool.join();
  BOOST_TEST(labels == 8);
  BOOST_TEST(in_place == labels);
  BOOST_TEST(tally.all_called());
}

// Two loop threads: what the object's own strand promises holds for the close as well.
BOOST_AUTO_TEST_CASE(a_strand_of_the_object_serialises_all_its_handlers)
{
  for (int i = 0; i != 30; ++i)
  {
    support::loop loop(3);
    auto strand = asio::make_strand(loop.context.get_executor());
    using socket = local::socket::rebind_executor<decltype(strand)>::other;
    support::ends pair = support::unix_ends();
    socket s(strand, local(), pair.near.release());
    support::handler_tally tally;
    int unguarded = 0;
    const auto count = [&](error_code, auto&&...)
    {
      BOOST_TEST(strand.running_in_this_thread());
      ++unguarded;
    };
    char buffer[8];
    s.async_read_some(asio::buffer(buffer), tally(count));
    s.async_wait(socket::wait_error, tally(count));
    s.async_wait(socket::wait_write, tally(count));
    std::thread other([&] { s.async_close(tally(count)); });
    s.async_close(tally(count));
    other.join();
    loop.join();
    BOOST_TEST(unguarded == 5);
    BOOST_TEST(tally.all_called());
  }
}

// A function object: what is bound to it is kept when it goes through async_close.
BOOST_AUTO_TEST_CASE(a_handler_may_be_an_lvalue_and_is_then_copied)
{
  asio::io_context context;
  interlock::posix::stream_descriptor d(context, support::pipe_ends().near.release());
  int calls = 0;
  const std::function<void(error_code)> handler = [&calls](error_code) { ++calls; };
  d.async_close(handler);
  d.async_close(handler);
  context.run();
  BOOST_TEST(calls == 2);
  BOOST_TEST(static_cast<bool>(handler));
}

BOOST_AUTO_TEST_SUITE_END()
