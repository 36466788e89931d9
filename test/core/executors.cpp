// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Executors of every kind under the objects, and of handlers: contexts that several threads run, strands, strands of
// strands, executors of the user's own, each also type-erased. What each promises to a handler holds for every handler
// of the object, the closers included: it is called, and destroyed, where it belongs, and never on a worker.

#include "support/prelude.hpp"

#include <tuple>

#include "support/executors.hpp"

using namespace support;

namespace {

using io_executor = asio::io_context::executor_type;
using io_strand = asio::strand<io_executor>;

constexpr int label = 7;

/// Contexts run by several threads, each with an executor and with what it promises: `holds()` is
/// asked in a handler. `serial`: no two handlers run at once.
struct several_threads
{
  static constexpr bool serial = false;
  support::loop loop{3};

  io_executor base()
  {
    return loop.context.get_executor();
  }

  void join()
  {
    loop.join();
  }
};

struct plain : several_threads
{
  io_executor executor{base()};

  bool holds() const
  {
    return executor.running_in_this_thread();
  }
};

struct custom : several_threads
{
  labelled_executor<io_executor> executor{base(), label};

  static bool holds()
  {
    return label_scope::current() == label;
  }
};

struct strand : several_threads
{
  static constexpr bool serial = true;
  io_strand executor{asio::make_strand(base())};

  bool holds() const
  {
    return executor.running_in_this_thread();
  }
};

struct strand_of_strand : several_threads
{
  static constexpr bool serial = true;
  io_strand inner{asio::make_strand(base())};
  // Named: make_strand would look into the strand for its own executor.
  asio::strand<io_strand> executor{inner};

  bool holds() const
  {
    return executor.running_in_this_thread() && inner.running_in_this_thread();
  }
};

struct custom_of_strand : several_threads
{
  static constexpr bool serial = true;
  io_strand inner{asio::make_strand(base())};
  labelled_executor<io_strand> executor{inner, label};

  bool holds() const
  {
    return inner.running_in_this_thread() && label_scope::current() == label;
  }
};

struct thread_pool
{
  static constexpr bool serial = false;
  asio::thread_pool pool{3};
  asio::thread_pool::executor_type executor{pool.get_executor()};

  bool holds() const
  {
    return executor.running_in_this_thread();
  }

  void join()
  {
    pool.join();
  }
};

struct strand_of_pool
{
  static constexpr bool serial = true;
  asio::thread_pool pool{3};
  asio::strand<asio::thread_pool::executor_type> executor{pool.get_executor()};

  bool holds() const
  {
    return executor.running_in_this_thread();
  }

  void join()
  {
    pool.join();
  }
};

/// The same behind an executor of any type.
template <class Layer>
struct any_of : private Layer
{
  using Layer::holds;
  using Layer::join;
  using Layer::serial;
  asio::any_io_executor executor{Layer::executor};
};

using layers = std::tuple<plain, custom, strand, strand_of_strand, custom_of_strand, thread_pool,
  strand_of_pool, any_of<plain>, any_of<custom>, any_of<strand>, any_of<strand_of_strand>>;

template <class Layer>
using socket_of =
  typename local::socket::rebind_executor<std::decay_t<decltype(Layer::executor)>>::other;

/// A layer, and what the handlers of one object have seen. Nothing may be asserted where they run.
template <class Layer>
struct observed : no_trace
{
  handler_tally tally;
  Layer layer;
  std::atomic<bool> running{false};
  std::atomic<int> misplaced{0};
  std::atomic<int> entered{0}; // began while another ran
  ends pair = unix_ends();
  const close_watch watch{pair.near.get()};
  char buffer[8] = {};

  ~observed()
  {
    BOOST_TEST(misplaced == 0);
    BOOST_TEST((Layer::serial ? entered == 0 : true));
    BOOST_TEST(tally.all_called());
    BOOST_TEST(watch.closed() == 1u);
  }

  /// A handler that keeps its error.
  auto into(error_code& kept)
  {
    return tally(
      [this, &kept](error_code ec, auto&&...)
      {
        entered += running.exchange(true) ? 1 : 0;
        misplaced += layer.holds() ? 0 : 1;
        kept = ec;
        running = false;
      });
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_executors)

// Operations that are complete, aborted and refused, closers that lead, join and come late, of the object and of a
// handle; the object is closed by three threads at once.
BOOST_AUTO_TEST_CASE_TEMPLATE(handlers_are_called_on_the_executor_of_the_object, Layer, layers)
{
  for (int i = 0; i != 20; ++i)
  {
    observed<Layer> seen;
    send_text(seen.pair.far, "x");
    socket_of<Layer> s(seen.layer.executor, local(), seen.pair.near.release());
    const interlock::close_handle handle = s.get_close_handle();
    error_code read = not_called;
    error_code written = not_called;
    error_code pending = not_called;
    error_code wait = not_called;
    error_code refused = not_called;
    error_code closed[4] = {not_called, not_called, not_called, not_called};
    s.async_read_some(asio::buffer(seen.buffer), seen.into(read));
    s.async_write_some(asio::buffer("hello", 5), seen.into(written));
    s.async_read_some(asio::buffer(seen.buffer), seen.into(pending));
    s.async_wait(local::socket::wait_error, seen.into(wait));
    std::thread first([&] { s.async_close(seen.into(closed[0])); });
    std::thread second([&] { handle.async_close(seen.into(closed[1])); });
    s.async_close(seen.into(closed[2]));
    s.async_read_some(asio::buffer(seen.buffer), seen.into(refused));
    first.join();
    second.join();
    handle.async_close(seen.into(closed[3]));
    seen.layer.join();
    BOOST_TEST(read == success);
    BOOST_TEST(written == success);
    BOOST_TEST(pending == aborted);
    BOOST_TEST(wait == aborted);
    BOOST_TEST(refused == bad_descriptor);
    for (const error_code& ec : closed)
      BOOST_TEST(ec == success);
  }
}

// The handlers run on the strand, the close is asked for from within it.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_on_every_layer_may_close_the_object, Layer, layers)
{
  observed<Layer> seen;
  socket_of<Layer> s(seen.layer.executor, local(), seen.pair.near.release());
  error_code read = not_called;
  error_code closed = not_called;
  error_code late = not_called;
  s.async_read_some(asio::buffer(seen.buffer), seen.into(read));
  asio::post(seen.layer.executor,
    seen.tally(
      [&]
      {
        s.async_close(seen.tally(
          [&](error_code ec)
          {
            closed = ec;
            s.async_close(seen.into(late));
          }));
      }));
  seen.layer.join();
  BOOST_TEST(read == aborted);
  BOOST_TEST(closed == success);
  BOOST_TEST(late == success);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_descriptor_is_released_on_every_layer, Layer, layers)
{
  observed<Layer> seen;
  const int opened = seen.pair.near.get();
  socket_of<Layer> s(seen.layer.executor, local(), seen.pair.near.release());
  error_code read = not_called;
  error_code released[2] = {not_called, not_called};
  fd owned;
  s.async_read_some(asio::buffer(seen.buffer), seen.into(read));
  s.async_release(
    [&owned, told = seen.into(released[0])](error_code ec, int n) mutable
    {
      owned.reset(n);
      told(ec);
    });
  s.async_release(seen.into(released[1]));
  seen.layer.join();
  BOOST_TEST(read == aborted);
  BOOST_TEST(released[0] == success);
  BOOST_TEST(released[1] == bad_descriptor);
  BOOST_TEST(owned.get() == opened);
}

// Bound to a handler instead of the object. Whatever becomes of an operation, its handler is called there.
BOOST_AUTO_TEST_CASE_TEMPLATE(every_layer_may_be_bound_to_a_handler, Layer, layers)
{
  observed<Layer> seen;
  asio::io_context context;
  send_text(seen.pair.far, "x");
  local::socket s(context, local(), seen.pair.near.release());
  error_code read = not_called;
  error_code pending = not_called;
  error_code refused = not_called;
  error_code closed = not_called;
  error_code joined = not_called;
  const auto bound = [&](error_code& ec)
  { return asio::bind_executor(seen.layer.executor, seen.into(ec)); };
  s.async_read_some(asio::buffer(seen.buffer), bound(read));
  s.async_read_some(asio::buffer(seen.buffer), bound(pending));
  s.async_close(bound(closed));
  s.async_close(bound(joined));
  s.async_read_some(asio::buffer(seen.buffer), bound(refused));
  context.run();
  seen.layer.join();
  BOOST_TEST(read == success);
  BOOST_TEST(pending == aborted);
  BOOST_TEST(refused == bad_descriptor);
  BOOST_TEST(closed == success);
  BOOST_TEST(joined == success);
}

// A function object: what is bound to it is kept when it goes through async_close.
BOOST_AUTO_TEST_CASE(a_handler_may_be_an_lvalue_and_is_then_copied)
{
  asio::io_context context;
  stream_descriptor d(context, pipe_ends().near.release());
  int calls = 0;
  const std::function<void(error_code)> handler = [&calls](error_code) { ++calls; };
  d.async_close(handler);
  d.async_close(handler);
  context.run();
  BOOST_TEST(calls == 2);
  BOOST_TEST(static_cast<bool>(handler));
}

BOOST_AUTO_TEST_SUITE_END()
