// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G9, for want of memory, of groups. Each allocation of `add` and of `async_close` is made to fail in turn. An `add`
// that throws has no effect. An `async_close` that throws has closed nothing, and a second one closes everything; one
// that does not throw has its handler called once. Every descriptor is closed once.

#define BOOST_TEST_MODULE interlock_alloc_failure_groups
#include <boost/test/unit_test.hpp>

#include <interlock/close_group.hpp>
#include <interlock/close_mode.hpp>
#include <interlock/close_tally.hpp>
#include <interlock/ip/tcp.hpp>
#include <interlock/local/stream_protocol.hpp>

#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include "support/allocation_walk.hpp"
#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/group_scene.hpp"
#include "support/handler_tally.hpp"
#include "support/loop.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::close_group;
using interlock::close_mode;
using interlock::close_tally;
using interlock::ip::tcp;
using local = interlock::local::stream_protocol;
using std::chrono::hours;
using std::chrono::milliseconds;
using support::attempt;
using support::for_every_allocation;
using support::with_failure;

namespace {

const error_code success;

/// What a closer of the group has been told.
struct told
{
  int times = 0;
  error_code ec;
  close_tally tally;

  auto handler()
  {
    return [this](error_code e, const close_tally& t)
    {
      ++times;
      ec = e;
      tally = t;
    };
  }
};

/// Over strands of the test's own: see strand_scene.
using strand = asio::strand<asio::io_context::executor_type>;
using local_socket = local::socket::rebind_executor<strand>::other;
using tcp_acceptor = tcp::acceptor::rebind_executor<strand>::other;

/// An acceptor with a connection in its queue, and two sockets.
struct scene
{
  asio::io_context context;
  support::handler_tally handlers;
  close_group group{context};
  tcp_acceptor acceptor{
    strand(context.get_executor()), asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  asio::ip::tcp::socket client{context};
  support::ends first_pair = support::unix_ends();
  support::ends second_pair = support::unix_ends();
  support::close_watch watch_of_acceptor{acceptor.native_handle()};
  support::close_watch watch_of_first{first_pair.near.get()};
  support::close_watch watch_of_second{second_pair.near.get()};
  local_socket first{strand(context.get_executor()), local(), first_pair.near.release()};
  local_socket second{strand(context.get_executor()), local(), second_pair.near.release()};

  scene()
  {
    client.connect(acceptor.local_endpoint());
    const asio::steady_timer services(context); // of Asio's, made before
    group.abort_wait(milliseconds(20));
  }

  void add_all()
  {
    group.add(acceptor);
    group.add(first);
    group.add(second);
  }

  std::size_t open() const
  {
    return std::size_t(acceptor.is_open()) + std::size_t(first.is_open())
      + std::size_t(second.is_open());
  }

  std::size_t closes() const
  {
    return watch_of_acceptor.closed() + watch_of_first.closed() + watch_of_second.closed();
  }

  void run_until_ended()
  {
    BOOST_TEST(support::wait_until(
      [this]
      {
        support::turn(context);
        return handlers.all_ended();
      }));
  }

  /// By the group, and each once.
  void check_closed()
  {
    BOOST_TEST(open() == 0u);
    BOOST_TEST(support::wait_until([this] { return closes() == 3; }));
  }

  /// The connection in the queue has ended, regularly or by a reset.
  error_code end_of_client()
  {
    return support::end_of(client);
  }

  /// Has no effect on what has been closed before.
  void close_again()
  {
    told second_time;
    group.async_close(close_mode::immediate(), handlers(second_time.handler()));
    run_until_ended();
    BOOST_TEST(second_time.times == 1);
    BOOST_TEST(second_time.ec == success);
  }
};

/// One close by `start(scene, handler)` with a failure.
template <class Start>
attempt close_with_failure(std::size_t n, Start start)
{
  scene s;
  s.add_all();
  told t;
  const attempt a = with_failure(n, [&] { start(s, s.handlers(t.handler())); });
  BOOST_TEST(s.open() == (a.threw ? 3u : 0u));
  s.run_until_ended();
  BOOST_TEST(t.times == (a.threw ? 0 : 1));
  if (!a.threw)
    BOOST_TEST(t.tally.members() >= 3u);
  s.close_again();
  s.check_closed();
  BOOST_TEST(s.end_of_client() != success);
  return a;
}

void walk(const close_mode& mode, std::size_t fewest)
{
  for_every_allocation(
    [mode](std::size_t n)
    {
      const auto start = [mode](scene& s, auto handler)
      { s.group.async_close(mode, std::move(handler)); };
      return close_with_failure(n, start).struck;
    },
    fewest);
}

} // namespace

BOOST_AUTO_TEST_CASE(an_add_that_throws_has_no_effect)
{
  for_every_allocation(
    [](std::size_t n)
    {
      scene s;
      std::size_t added = 0;
      const attempt a = with_failure(n,
        [&]
        {
          s.group.add(s.acceptor);
          ++added;
          s.group.add(s.first);
          ++added;
          s.group.add(s.second);
          ++added;
        });
      BOOST_TEST(a.threw == (added != 3));
      BOOST_TEST(s.group.size() == added);
      told t;
      s.group.async_close(close_mode::deliver(hours(1)), s.handlers(t.handler()));
      s.run_until_ended();
      BOOST_TEST(s.open() == 3 - added);
      // The connection in the queue of the acceptor is one.
      BOOST_TEST(t.tally.members() == (added == 0 ? 0u : added + 1));
      return a.struck;
    },
    4);
}

BOOST_AUTO_TEST_CASE(an_immediate_close_closes_all_or_throws)
{
  walk(close_mode::immediate(), 6);
}

BOOST_AUTO_TEST_CASE(a_close_that_delivers_closes_all_or_throws)
{
  walk(close_mode::deliver(milliseconds(20)), 10);
}

// Without memory for the timer the others do not wait for their turn.
BOOST_AUTO_TEST_CASE(a_close_that_is_spread_closes_all_or_throws)
{
  for_every_allocation(
    [](std::size_t n)
    {
      scene s;
      s.add_all();
      s.group.spread(milliseconds(10));
      told t;
      const attempt a = with_failure(n,
        [&]
        { s.group.async_close(close_mode::deliver(milliseconds(50)), s.handlers(t.handler())); });
      BOOST_TEST((!a.threw || s.open() == 3));
      s.run_until_ended();
      BOOST_TEST(t.times == (a.threw ? 0 : 1));
      s.close_again();
      s.check_closed();
      return a.struck;
    },
    10);
}

// The first waits for peers that do not read.
BOOST_AUTO_TEST_CASE(a_stronger_close_overtakes_or_throws)
{
  for (const close_mode mode : {close_mode::deliver(hours(1)), close_mode::abort()})
    for_every_allocation(
      [mode](std::size_t n)
      {
        scene s;
        s.add_all();
        support::fill(s.first.native_handle());
        support::fill(s.second.native_handle());
        told t;
        s.group.async_close(close_mode::deliver(hours(1)), s.handlers(t.handler()));
        told joined;
        const attempt a = with_failure(
          n, [&] { s.group.async_close(mode, s.handlers(joined.handler())); });
        s.first_pair.far.reset();
        s.second_pair.far.reset();
        s.run_until_ended();
        BOOST_TEST(t.times == 1);
        BOOST_TEST(joined.times == (a.threw ? 0 : 1));
        BOOST_TEST((a.threw || joined.tally.members() == t.tally.members()));
        BOOST_TEST(t.tally.unfinished == 0u);
        s.check_closed();
        return a.struck;
      },
      3);
}

BOOST_AUTO_TEST_CASE(an_object_added_during_a_close_is_closed_or_stays_open)
{
  for_every_allocation(
    [](std::size_t n)
    {
      scene s;
      s.group.add(s.first);
      support::fill(s.first.native_handle());
      told t;
      s.group.async_close(close_mode::deliver(milliseconds(50)), s.handlers(t.handler()));
      const attempt a = with_failure(n, [&] { s.group.add(s.second); });
      BOOST_TEST(s.second.is_open() == a.threw);
      BOOST_TEST(s.group.size() == (a.threw ? 1u : 2u));
      s.run_until_ended();
      BOOST_TEST(t.times == 1);
      BOOST_TEST(t.tally.members() == (a.threw ? 1u : 2u));
      return a.struck;
    },
    2);
}
