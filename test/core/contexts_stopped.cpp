// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Contexts that are stopped and restarted, run by no thread, by one and by several. A stop only
// delays handlers: none is lost and none is called twice, a descriptor is closed all the same, and no
// result changes.

#include "support/prelude.hpp"

using namespace support;

namespace {

/// A connected socket on which one read is complete and one outstanding.
struct reader
{
  ends pair = unix_ends();
  close_watch watch{pair.near.get()};
  local::socket object;
  char first_buffer[8] = {};
  char second_buffer[8] = {};
  error_code first = not_called;
  error_code second = not_called;
  error_code closed = not_called;

  explicit reader(asio::io_context& context)
    : object(context, local(), pair.near.release())
  {
    send_text(pair.far, "x");
  }

  void start(handler_tally& tally)
  {
    object.async_read_some(asio::buffer(first_buffer), tally(into(first)));
    object.async_read_some(asio::buffer(second_buffer), tally(into(second)));
  }

  void close(handler_tally& tally)
  {
    object.async_close(tally(into(closed)));
  }

  /// What the handlers have been told: all of it, and nothing that the stop has changed.
  void check() const
  {
    BOOST_TEST(first == success);
    BOOST_TEST(second == aborted);
    BOOST_TEST(closed == success);
    BOOST_TEST(watch.closed() == 1u);
  }
};

struct stopping : no_trace
{
  asio::io_context context;
  handler_tally tally;

  ~stopping()
  {
    BOOST_TEST(tally.all_called());
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_contexts_stopped, stopping)

// --- Run by no thread.

BOOST_AUTO_TEST_CASE(results_wait_in_a_stopped_context_while_the_descriptor_is_closed)
{
  reader r(context);
  r.start(tally);
  context.stop();
  r.close(tally);
  BOOST_TEST(context.run() == 0u);
  BOOST_TEST(r.watch.wait_closed());
  BOOST_TEST(r.watch.by_worker());
  BOOST_TEST(tally.called() == 0);
  context.restart();
  context.run();
  r.check();
}

BOOST_AUTO_TEST_CASE(an_object_opened_on_a_stopped_context_works_after_the_restart)
{
  context.stop();
  reader r(context);
  r.start(tally);
  BOOST_TEST(r.object.is_open());
  BOOST_TEST(context.run() == 0u);
  context.restart();
  r.close(tally);
  context.run();
  r.check();
}

// Stopped before each handler, and run for one only.
BOOST_AUTO_TEST_CASE(a_context_may_be_stopped_and_restarted_between_any_two_handlers)
{
  reader r(context);
  r.start(tally);
  for (int i = 0; i != 3; ++i)
    r.close(tally);
  int called = 0;
  do
  {
    called = tally.called();
    context.stop();
    BOOST_TEST(context.run() == 0u);
    context.restart();
    context.run_one();
    BOOST_TEST(tally.called() <= called + 1);
  } while (tally.called() != tally.made());
  r.check();
  BOOST_TEST(tally.made() == 5);
}

// --- Run by one.

BOOST_AUTO_TEST_CASE(a_handler_may_stop_its_context_and_close_its_object)
{
  reader r(context);
  r.object.async_read_some(asio::buffer(r.first_buffer),
    tally(
      [&](error_code ec, std::size_t)
      {
        r.first = ec;
        context.stop();
        r.close(tally);
      }));
  r.object.async_read_some(asio::buffer(r.second_buffer), tally(into(r.second)));
  context.run();
  BOOST_TEST(tally.called() == 1);
  BOOST_TEST(r.watch.wait_closed());
  context.restart();
  context.run();
  r.check();
}

BOOST_AUTO_TEST_CASE(a_closer_may_stop_its_context)
{
  reader r(context);
  r.start(tally);
  for (int i = 0; i != 3; ++i)
    r.object.async_close(tally(
      [&](error_code ec)
      {
        r.closed = ec;
        context.stop();
      }));
  int runs = 0;
  for (; tally.called() != tally.made(); ++runs)
  {
    context.restart();
    context.run();
  }
  BOOST_TEST(runs == 3);
  r.check();
}

// --- Run by several.

BOOST_AUTO_TEST_CASE(each_handler_is_called_once_by_several_threads)
{
  constexpr int objects = 50;
  support::loop loop(4);
  std::vector<std::unique_ptr<reader>> readers;
  for (int i = 0; i != objects; ++i)
    readers.push_back(std::make_unique<reader>(loop.context));
  for (auto& r : readers)
  {
    r->start(tally);
    asio::post(loop.context, tally([this, r = r.get()] { r->close(tally); }));
    // With the close, from another thread: it wins or joins.
    r->object.async_close(tally([](error_code) {}));
  }
  loop.join();
  for (auto& r : readers)
  {
    // The close may have come before the read.
    BOOST_TEST((r->first == success || r->first == aborted));
    BOOST_TEST(r->second == aborted);
    BOOST_TEST(r->closed == success);
    BOOST_TEST(r->watch.closed() == 1u);
  }
  BOOST_TEST(tally.made() == objects * 5);
}

// The threads leave in the middle of many closes; what they have left is done by others.
BOOST_AUTO_TEST_CASE(closes_under_way_outlive_a_stop_under_several_threads)
{
  constexpr int objects = 50;
  support::loop loop(3);
  std::vector<std::unique_ptr<reader>> readers;
  for (int i = 0; i != objects; ++i)
  {
    readers.push_back(std::make_unique<reader>(loop.context));
    readers.back()->start(tally);
  }
  BOOST_TEST(wait_until([&] { return tally.called() == objects; }));
  std::thread stopper(
    [&]
    {
      wait_until([&] { return tally.called() > objects; });
      loop.context.stop();
    });
  for (auto& r : readers)
    r->close(tally);
  stopper.join();
  loop.join();
  for (auto& r : readers)
    BOOST_TEST(r->watch.wait_closed());
  loop.context.restart();
  loop.context.run();
  for (const auto& r : readers)
    r->check();
  BOOST_TEST(tally.made() == objects * 3);
}

BOOST_AUTO_TEST_SUITE_END()
