// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Executors made of others under the objects: strands of strands, also behind a type-erased
// executor, an executor of the user's own over a strand, and plain contexts that several threads
// run. What each layer promises to a handler holds for every handler of the object, the closers
// included.

#include <interlock/local/stream_protocol.hpp>

#include <atomic>
#include <thread>
#include <tuple>
#include <type_traits>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/test/unit_test.hpp>

#include "support/census.hpp"
#include "support/close_probe.hpp"
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
const error_code bad_descriptor = asio::error::bad_descriptor;
const error_code not_called = asio::error::fault;

using io_executor = asio::io_context::executor_type;
using io_strand = asio::strand<io_executor>;

constexpr int label = 7;

/// Contexts run by several threads, each with an executor and with what it promises: `holds()` is
/// asked in a handler. `serial`: no two handlers run at once.
struct several_threads
{
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
  static constexpr bool serial = false;
  io_executor executor{base()};

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

struct any_of_strand_of_strand : several_threads
{
  static constexpr bool serial = true;
  io_strand inner{asio::make_strand(base())};
  asio::strand<io_strand> outer{inner};
  asio::any_io_executor executor{outer};

  bool holds() const
  {
    return outer.running_in_this_thread() && inner.running_in_this_thread();
  }
};

struct custom_of_strand : several_threads
{
  static constexpr bool serial = true;
  io_strand inner{asio::make_strand(base())};
  support::labelled_executor<io_strand> executor{inner, label};

  bool holds() const
  {
    return inner.running_in_this_thread() && support::label_scope::current() == label;
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

using layers =
  std::tuple<plain, strand_of_strand, any_of_strand_of_strand, custom_of_strand, strand_of_pool>;

/// What the handlers of one object have seen. Nothing may be asserted where they run.
template <class Layer>
class observer
{
public:
  explicit observer(const Layer& l)
    : layer_(l)
  {
  }

  /// A handler that keeps its error.
  auto operator()(error_code& kept)
  {
    return [this, &kept](error_code ec, auto&&...)
    {
      entered_ += running_.exchange(true) ? 1 : 0;
      misplaced_ += layer_.holds() ? 0 : 1;
      kept = ec;
      running_ = false;
    };
  }

  int misplaced() const
  {
    return misplaced_;
  }

  /// How many began while another ran.
  int entered() const
  {
    return entered_;
  }

private:
  const Layer& layer_;
  std::atomic<bool> running_{false};
  std::atomic<int> misplaced_{0};
  std::atomic<int> entered_{0};
};

template <class Layer>
using socket_of =
  typename local::socket::rebind_executor<std::decay_t<decltype(Layer::executor)>>::other;

} // namespace

BOOST_AUTO_TEST_SUITE(test_executors_layered)

// Operations that are aborted and refused, closers that lead, join and come late; the object is
// closed by three threads at once.
BOOST_AUTO_TEST_CASE_TEMPLATE(every_layer_keeps_its_promise_to_every_handler, Layer, layers)
{
  const support::census fds;
  for (int i = 0; i != 20; ++i)
  {
    support::handler_tally tally;
    Layer layer;
    observer<Layer> seen(layer);
    support::ends pair = support::unix_ends();
    const support::close_watch watch(pair.near.get());
    {
      socket_of<Layer> s(layer.executor, local(), pair.near.release());
      error_code read = not_called;
      error_code wait = not_called;
      error_code refused = not_called;
      error_code closed[4] = {not_called, not_called, not_called, not_called};
      char buffer[8];
      s.async_read_some(asio::buffer(buffer), tally(seen(read)));
      s.async_wait(local::socket::wait_error, tally(seen(wait)));
      std::thread first([&] { s.async_close(tally(seen(closed[0]))); });
      std::thread second([&] { s.async_close(tally(seen(closed[1]))); });
      s.async_close(tally(seen(closed[2])));
      s.async_read_some(asio::buffer(buffer), tally(seen(refused)));
      first.join();
      second.join();
      s.async_close(tally(seen(closed[3])));
      layer.join();
      BOOST_TEST(read == aborted);
      BOOST_TEST(wait == aborted);
      BOOST_TEST(refused == bad_descriptor);
      for (const error_code& ec : closed)
        BOOST_TEST(ec == success);
    }
    BOOST_TEST(seen.misplaced() == 0);
    BOOST_TEST((Layer::serial ? seen.entered() == 0 : true));
    BOOST_TEST(tally.made() == 7);
    BOOST_TEST(tally.all_called());
    BOOST_TEST(watch.closed() == 1u);
  }
  BOOST_TEST(fds.restored());
}

// The handlers run on the strand, the close is asked for from within it.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_on_every_layer_may_close_the_object, Layer, layers)
{
  const support::census fds;
  {
    support::handler_tally tally;
    Layer layer;
    observer<Layer> seen(layer);
    support::ends pair = support::unix_ends();
    const support::close_watch watch(pair.near.get());
    socket_of<Layer> s(layer.executor, local(), pair.near.release());
    error_code read = not_called;
    error_code closed = not_called;
    error_code late = not_called;
    char buffer[8];
    s.async_read_some(asio::buffer(buffer), tally(seen(read)));
    asio::post(layer.executor,
      tally(
        [&]
        {
          s.async_close(tally(
            [&](error_code ec)
            {
              closed = ec;
              s.async_close(tally(seen(late)));
            }));
        }));
    layer.join();
    BOOST_TEST(read == aborted);
    BOOST_TEST(closed == success);
    BOOST_TEST(late == success);
    BOOST_TEST(seen.misplaced() == 0);
    BOOST_TEST(tally.made() == 4);
    BOOST_TEST(tally.all_called());
    BOOST_TEST(watch.closed() == 1u);
  }
  BOOST_TEST(fds.restored());
}

// Bound to a handler instead of the object.
BOOST_AUTO_TEST_CASE_TEMPLATE(every_layer_may_be_bound_to_a_handler, Layer, layers)
{
  const support::census fds;
  {
    support::handler_tally tally;
    Layer layer;
    observer<Layer> seen(layer);
    asio::io_context context;
    support::ends pair = support::unix_ends();
    const support::close_watch watch(pair.near.get());
    local::socket s(context, local(), pair.near.release());
    error_code read = not_called;
    error_code closed = not_called;
    char buffer[8];
    const auto bound = [&](error_code& ec)
    { return asio::bind_executor(layer.executor, tally(seen(ec))); };
    s.async_read_some(asio::buffer(buffer), bound(read));
    s.async_close(bound(closed));
    context.run();
    layer.join();
    BOOST_TEST(read == aborted);
    BOOST_TEST(closed == success);
    BOOST_TEST(seen.misplaced() == 0);
    BOOST_TEST(tally.made() == 2);
    BOOST_TEST(tally.all_called());
    BOOST_TEST(watch.closed() == 1u);
  }
  BOOST_TEST(fds.restored());
}

BOOST_AUTO_TEST_SUITE_END()
