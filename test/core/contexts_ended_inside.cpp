// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A context that ends within a function of the program's, which an object of that context, or its service, has called.

#include "support/prelude.hpp"

using namespace support;
using interlock::close_service;

namespace {

/// What an object of a context that ends needs besides.
struct fixture
{
  ends pair = unread_ends();
  close_watch watch{pair.near.get()};
  std::optional<asio::io_context> context{std::in_place};
  asio::io_context elsewhere; // where handlers run
  handler_tally tally;
  char buffer[8] = {};

  ~fixture()
  {
    elsewhere.restart();
    elsewhere.poll();
    BOOST_TEST(!context);
    BOOST_TEST(watch.wait_closed());
    BOOST_TEST(watch.closed() == 1u);
    BOOST_TEST(watch.arrived() == 1u);
    BOOST_TEST(tally.all_ended());
  }

  local::socket open()
  {
    return local::socket(*context, local(), pair.near.release());
  }

  template <class Handler>
  auto run_elsewhere(Handler h)
  {
    return asio::bind_executor(elsewhere.get_executor(), tally(std::move(h)));
  }

  /// A handler of whatever signature that ends the context.
  auto ending()
  {
    return [this](auto&&...) { context.reset(); };
  }

  void run_until_ended()
  {
    BOOST_TEST(wait_until(
      [this]
      {
        if (context)
          turn(*context);
        turn(elsewhere);
        return !context;
      }));
  }

  /// A close that is slow, and reported: `report` is called with the context that the object is of.
  template <class Report>
  void close_slowly(std::chrono::milliseconds shutdown_wait, Report report)
  {
    std::atomic<bool> reported{false};
    close_service::options o;
    o.slow_close_age = std::chrono::milliseconds(1);
    o.shutdown_wait = shutdown_wait;
    o.on_slow_close = [&](const interlock::slow_close&)
    {
      report();
      reported = true;
    };
    make_close_service(*context, o);
    watch.shut_gate();
    open().close();
    BOOST_TEST(wait_until([&] { return reported.load(); }));
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_contexts_ended_inside, fixture)

// --- In a handler that runs in another context.

BOOST_AUTO_TEST_CASE(a_handler_may_destroy_the_context_of_its_object)
{
  local::socket s = open();
  s.async_read_some(asio::buffer(buffer), run_elsewhere(ending()));
  run_until_ended();
  BOOST_TEST(tally.all_called());
}

// What has not ended is destroyed with the context.
BOOST_AUTO_TEST_CASE(a_handler_may_destroy_it_beside_operations_and_a_close)
{
  local::socket s = open();
  s.async_read_some(asio::buffer(buffer), run_elsewhere(ending()));
  s.async_read_some(asio::buffer(buffer), tally([](error_code, std::size_t) {}));
  context->poll();
  s.async_close(tally([](error_code) {}));
  elsewhere.poll();
  BOOST_TEST(tally.called() == 1);
}

BOOST_AUTO_TEST_CASE(a_handler_may_destroy_it_although_it_owns_the_object)
{
  auto own = std::make_shared<local::socket>(open());
  local::socket& s = *own;
  s.async_read_some(asio::buffer(buffer),
    run_elsewhere([own = std::move(own), this](error_code, std::size_t) { context.reset(); }));
  run_until_ended();
}

BOOST_AUTO_TEST_CASE(the_handler_of_a_close_may_destroy_the_context)
{
  local::socket s = open();
  s.async_close(run_elsewhere(ending()));
  run_until_ended();
}

// One close serves both; the first that is called ends the context of the second.
BOOST_AUTO_TEST_CASE(one_of_two_closers_may_destroy_the_context)
{
  local::socket s = open();
  s.async_close(run_elsewhere(ending()));
  s.async_close(run_elsewhere([](error_code) {}));
  run_until_ended();
}

BOOST_AUTO_TEST_CASE(the_destructor_of_a_handler_may_destroy_another_context)
{
  local::socket s = open();
  s.async_wait(local::socket::wait_error, tally([](error_code) {}));
  const auto end = [this](const void*) { context.reset(); };
  ends ends = unix_ends();
  std::optional<asio::io_context> second(std::in_place);
  local::socket other(*second, local(), ends.near.release());
  other.async_read_some(asio::buffer(buffer),
    tally([owner = std::shared_ptr<const void>(this, end)](error_code, std::size_t) {}));
  second.reset();
  BOOST_TEST(tally.called() == 0);
}

// --- In a report of a close that is slow.

BOOST_AUTO_TEST_CASE(on_slow_close_may_destroy_the_context)
{
  close_slowly(std::chrono::milliseconds(1), [this] { context.reset(); });
  BOOST_TEST(watch.closed() == 0u);
  watch.open_gate();
  BOOST_TEST(watch.wait_closed());
}

// The close is over by then. The thread that reports does not wait for itself.
BOOST_AUTO_TEST_CASE(on_slow_close_destroys_the_context_without_a_wait)
{
  close_slowly(std::chrono::hours(1),
    [this]
    {
      watch.open_gate();
      watch.wait_closed();
      context.reset();
    });
}

BOOST_AUTO_TEST_SUITE_END()
