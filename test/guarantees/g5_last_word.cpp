// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G5: the handler of async_close is called after every handler of operations started on the object
// has run and been destroyed, whatever executors they ran on. (For each way to close that is in every_closer.cpp.)

#include "support/prelude.hpp"

#include "support/counted.hpp"

using namespace support;

namespace {

/// An open socket, with a watch on its descriptor.
struct watched_socket
{
  ends pair = unix_ends();
  close_watch watch{pair.near.get()};
  local::socket object;

  explicit watched_socket(asio::io_context& context)
    : object(context, local(), pair.near.release())
  {
  }
};

/// What a closer found when it was called without an error.
struct last_word
{
  std::atomic<int> ended_before{-1};
  std::atomic<bool> said{false};

  auto handler(const handler_tally& tally)
  {
    // In a loop's thread, where nothing may be asserted.
    return [this, &tally](error_code ec)
    {
      if (!ec)
        ended_before.store(tally.ended(), std::memory_order_relaxed);
      said.store(true);
    };
  }
};

/// A write of several steps whose handlers run in a context of their own: the first step is over, and
/// its handler is still to be run.
struct write_between_steps : counted_in_context
{
  asio::io_context steps;
  watched_socket s{context};
  last_word last;
  const std::vector<char> data = std::vector<char>(std::size_t{1} << 18);
  error_code result;

  write_between_steps()
  {
    asio::async_write(s.object, asio::buffer(data),
      asio::bind_executor(steps.get_executor(),
        tally(
          [this](error_code ec, std::size_t size)
          {
            result = ec;
            BOOST_TEST(size > 0u);
            BOOST_TEST(size < data.size());
          })));
    s.object.async_close(last.handler(tally));
    turn(context);
    BOOST_TEST(s.watch.wait_closed());
  }

  /// The next step is refused: the operation ends with it, and then the close.
  void check(const error_code& expected)
  {
    BOOST_TEST(steps.poll_one() == 1u);
    turn(context);
    BOOST_TEST(!last.said);
    BOOST_TEST(steps.poll_one() == 1u);
    BOOST_TEST(run_until(context, [this] { return last.said.load(); }));
    BOOST_TEST(last.ended_before == 1);
    BOOST_TEST(tally.all_called());
    BOOST_TEST(result == expected);
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_g5_last_word, counted_in_context)

// Two loops, two strands and a thread pool; the handlers that are destroyed there are counted.
BOOST_AUTO_TEST_CASE(the_closer_comes_after_handlers_on_three_executors)
{
  for (int i = 0; i != 50; ++i)
  {
    loop first(2);
    loop second;
    asio::thread_pool pool(1);
    watched_socket s(first.context);
    last_word last;
    char buffer[3][8];
    const auto start = [&](const auto& ex, char(&b)[8])
    {
      s.object.async_read_some(
        asio::buffer(b), asio::bind_executor(ex, tally([](error_code, std::size_t) {})));
      s.object.async_wait(
        local::socket::wait_error, asio::bind_executor(ex, tally([](error_code) {})));
    };
    start(asio::make_strand(first.context), buffer[0]);
    start(second.context.get_executor(), buffer[1]);
    start(pool.get_executor(), buffer[2]);
    s.object.async_close(last.handler(tally));
    first.join();
    pool.join();
    BOOST_TEST(last.ended_before == 6 * (i + 1));
    BOOST_TEST(tally.all_called());
  }
}

BOOST_AUTO_TEST_CASE(the_closer_waits_for_a_handler_that_is_still_running)
{
  loop first;
  loop second;
  watched_socket s(first.context);
  last_word last;
  char buffer[8];
  std::atomic<bool> running{false};
  std::atomic<bool> may_return{false};
  s.object.async_read_some(asio::buffer(buffer),
    asio::bind_executor(second.context.get_executor(),
      tally(
        [&](error_code, std::size_t)
        {
          running = true;
          wait_until([&] { return may_return.load(); });
        })));
  s.object.close();
  BOOST_TEST(wait_until([&] { return running.load(); }));
  s.object.async_close(last.handler(tally));
  BOOST_TEST(s.watch.wait_closed());
  BOOST_TEST(!last.said);
  may_return = true;
  first.join();
  BOOST_TEST(last.ended_before == 1);
}

BOOST_AUTO_TEST_CASE(the_closer_comes_after_a_handler_destroyed_uncalled_in_another_context)
{
  loop first;
  std::optional<asio::io_context> idle(std::in_place);
  watched_socket s(first.context);
  last_word last;
  char buffer[8];
  s.object.async_read_some(asio::buffer(buffer),
    asio::bind_executor(idle->get_executor(), tally([](error_code, std::size_t) {})));
  s.object.async_close(last.handler(tally));
  BOOST_TEST(s.watch.wait_closed());
  // The aborted handler has been handed over to the idle context when this has run.
  std::atomic<bool> handed_over{false};
  asio::post(first.context, [&] { handed_over = true; });
  BOOST_TEST(wait_until([&] { return handed_over.load(); }));
  BOOST_TEST(!last.said);
  idle.reset();
  first.join();
  BOOST_TEST(last.ended_before == 1);
  BOOST_TEST(tally.called() == 0);
}

// What a handler holds is destroyed after it has been called, and before the closer is.
BOOST_AUTO_TEST_CASE(the_handler_is_destroyed_before_the_closer_is_called)
{
  watched_socket s(context);
  int clock = 0;
  int called_at = 0;
  int destroyed_at = 0;
  int closer_at = 0;
  const auto tick = [&clock](int* at) { *at = ++clock; };
  char buffer[8];
  s.object.async_read_some(asio::buffer(buffer),
    [&, held = std::unique_ptr<int, decltype(tick)>(&destroyed_at, tick)](error_code, std::size_t)
    { called_at = ++clock; });
  s.object.async_close([&](error_code) { closer_at = ++clock; });
  run();
  BOOST_TEST(called_at == 1);
  BOOST_TEST(destroyed_at == 2);
  BOOST_TEST(closer_at == 3);
}

BOOST_AUTO_TEST_CASE(the_object_may_be_destroyed_by_the_closer)
{
  ends pair = unix_ends();
  auto s = std::make_unique<local::socket>(context, local(), pair.near.release());
  char buffer[8];
  s->async_read_some(asio::buffer(buffer), tally([](error_code, std::size_t) {}));
  s->async_close(tally([&s](error_code) { s.reset(); }));
  run();
  BOOST_TEST(!s);
  BOOST_TEST(tally.all_called());
}

BOOST_AUTO_TEST_CASE(the_closer_waits_for_a_composed_operation_that_it_came_into_between_two_steps)
{
  for (int i = 0; i != 20; ++i)
  {
    write_between_steps w;
    w.check(bad_descriptor);
  }
}

BOOST_AUTO_TEST_CASE(the_closer_waits_for_a_step_that_is_refused_since_the_object_is_open_again)
{
  for (int i = 0; i != 20; ++i)
  {
    write_between_steps w;
    w.s.object.assign(local(), unix_ends().near.release());
    w.check(aborted);
  }
}

// A handler closes and re-opens: the operations of the new tenure are not the old closer's to wait
// for.
BOOST_AUTO_TEST_CASE(the_closer_does_not_wait_for_operations_of_a_later_tenure)
{
  watched_socket s(context);
  char buffer[8];
  bool closer_called = false;
  s.object.async_close(tally([&](error_code) { closer_called = true; }));
  ends again = unix_ends();
  s.object.assign(local(), again.near.release());
  s.object.async_read_some(asio::buffer(buffer), tally([](error_code, std::size_t) {}));
  BOOST_TEST(run_until(context, [&] { return closer_called; }));
  BOOST_TEST(s.object.is_open());
  BOOST_TEST(tally.called() == 1);
  s.object.close();
  run();
  BOOST_TEST(tally.all_called());
}

BOOST_AUTO_TEST_SUITE_END()
