// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Close handles in many threads, and beside an owner that moves, opens or destroys the object: every close is served.

#include "support/prelude.hpp"

#include "support/sanitizers.hpp"
#include "support/scene.hpp"

using namespace support;
using interlock::close_handle;

namespace {

// A tenth under a sanitizer, which slows them down by more than that.
#if defined(INTERLOCK_TEST_THREAD_SANITIZER) || defined(INTERLOCK_TEST_ADDRESS_SANITIZER)
constexpr int many_moves = 100000;
constexpr int rounds = 300;
#else
constexpr int many_moves = 1000000;
constexpr int rounds = 3000;
#endif

/// Threads that use handles of an object beside its owner, while a loop runs.
struct beside_the_owner : no_trace
{
  support::loop loop;
  handler_tally tally;
  std::atomic<int> failures{0};

  ~beside_the_owner()
  {
    loop.join();
    BOOST_TEST(tally.all_called());
    BOOST_TEST(failures == 0);
  }

  local::socket open()
  {
    return local::socket(loop.context, local(), unix_ends().near.release());
  }

  /// The one way or the other.
  void close(const close_handle& h, bool waits)
  {
    if (waits)
      h.async_close(tally([this](error_code ec) { failures += ec ? 1 : 0; }));
    else
      h.close();
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_close_handle_races, beside_the_owner)

// Half of them only close, the others want to know: one close(2), one outcome.
BOOST_FIXTURE_TEST_CASE(a_hundred_threads_are_served_by_one_close, no_trace)
{
  constexpr int threads = 100;
  for (int round = 0; round != 5; ++round)
  {
    loop loop(2);
    handler_tally tally;
    std::vector<error_code> outcomes(threads, not_called);
    local::socket s(loop.context, local(), unix_ends().near.release());
    close_watch watch(s.native_handle());
    watch.report(EIO);
    const close_handle h = s.get_close_handle();
    at_once(threads,
      [&](int i)
      {
        const close_handle own = h;
        if (i % 2)
          own.async_close(tally(into(outcomes[static_cast<std::size_t>(i)])));
        else
          own.close();
      });
    BOOST_TEST(!s.is_open());
    loop.join();
    BOOST_TEST(tally.made() == threads / 2);
    BOOST_TEST(tally.all_called());
    for (std::size_t i = 1; i < outcomes.size(); i += 2)
      BOOST_TEST(outcomes[i] == io_error);
    BOOST_TEST(watch.arrived() == 1u);
  }
}

// The owner goes on moving until the close has come.
BOOST_FIXTURE_TEST_CASE(it_closes_while_the_owner_moves_the_object_a_million_times, scene)
{
  const close_handle handle = object->get_close_handle();
  std::atomic<int> moves{0};
  std::atomic<bool> has_closed{false};
  std::thread owner(
    [&]
    {
      local::socket away(*context);
      while (moves.load() < many_moves || !has_closed)
      {
        away = std::move(*object);
        *object = std::move(away);
        moves += 2;
      }
    });
  BOOST_TEST(wait_until([&] { return moves.load() > 1000; }));
  handle.close();
  has_closed = true;
  owner.join();
  BOOST_TEST(moves.load() >= many_moves);
  BOOST_TEST(!object->is_open());
}

// Every move is into a new object; the owner opens it again when it finds it closed.
BOOST_AUTO_TEST_CASE(closes_of_a_moving_object_that_is_opened_again_are_all_served)
{
  auto s = std::make_unique<local::socket>(open());
  const close_handle h = s->get_close_handle();
  std::atomic<bool> over{false};
  std::atomic<int> closes{0};
  std::thread closer(
    [&]
    {
      while (!over)
      {
        close(h, true);
        close(h, false);
        closes += 2;
        // Not more handlers than the loop can serve.
        wait_until([&] { return tally.made() - tally.ended() < 100; });
      }
    });
  for (int i = 0; i < rounds || closes < 10; ++i)
  {
    s = std::make_unique<local::socket>(std::move(*s));
    if (!s->is_open())
      s->assign(local(), unix_ends().near.release());
  }
  over = true;
  closer.join();
  h.close();
  BOOST_TEST(!s->is_open());
}

BOOST_AUTO_TEST_CASE(it_may_race_with_the_destructor)
{
  for (int i = 0; i != rounds; ++i)
  {
    std::optional<local::socket> s(open());
    const close_handle h = s->get_close_handle();
    char buffer[8];
    s->async_read_some(asio::buffer(buffer), tally([](error_code, std::size_t) {}));
    at_once(2, [&](int side) { side == 0 ? s.reset() : close(h, i % 2 == 0); });
    wait_until([&] { return tally.all_ended(); });
  }
}

BOOST_AUTO_TEST_CASE(it_may_race_with_a_plain_move)
{
  int open_in_the_end = 0;
  for (int i = 0; i != rounds; ++i)
  {
    local::socket from = open();
    local::socket to(loop.context);
    const close_handle h = from.get_close_handle();
    at_once(2,
      [&](int side)
      {
        if (side == 0)
          to = std::move(from);
        else
          close(h, i % 2 == 0);
      });
    open_in_the_end += to.is_open() ? 1 : 0;
  }
  BOOST_TEST(open_in_the_end == 0);
}

BOOST_AUTO_TEST_CASE(handles_may_be_made_while_the_object_is_used)
{
  local::socket s(loop.context);
  at_once(4,
    [&](int side)
    {
      for (int i = 0; i != 300; ++i)
      {
        const close_handle h = s.get_close_handle();
        error_code ec;
        if (side == 0)
          s.open(local(), ec);
        else
          close(h, side != 1);
      }
    });
  s.close();
}

BOOST_AUTO_TEST_SUITE_END()
