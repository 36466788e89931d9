// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Walking over the allocations of a scenario, each of which is made to fail in turn: afterwards no
// descriptor and no memory may be left of it.

#ifndef INTERLOCK_TEST_SUPPORT_ALLOCATION_WALK_HPP
#define INTERLOCK_TEST_SUPPORT_ALLOCATION_WALK_HPP

#include <cstddef>
#include <new>
#include <utility>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/test/unit_test.hpp>

#include <interlock/local/stream_protocol.hpp>

#include "allocation_hook.hpp"
#include "census.hpp"
#include "close_probe.hpp"
#include "descriptor_pairs.hpp"
#include "handler_tally.hpp"
#include "loop.hpp"
#include "wait_until.hpp"

namespace support {

/// Calls `scenario(n)` for n = 1, 2, ... until the n-th allocation is not reached any more, which it
/// returns false for. Nothing may be left of any of them. Fewer than `fewest` are too few to show anything.
template <class Scenario>
void for_every_allocation(Scenario scenario, std::size_t fewest = 1)
{
  // What is made once in a process is made before.
  constexpr std::size_t never = 1 << 20;
  BOOST_TEST(!scenario(never));
  const census fds;
  const long live = live_allocations();
  const std::size_t strays = stray_closes();
  std::size_t n = 1;
  for (bool struck = true; struck; ++n)
  {
    struck = scenario(n);
    const bool restored = fds.restored();
    const bool freed = wait_until([live] { return live_allocations() == live; });
    BOOST_TEST(restored, "descriptors are left with allocation " << n);
    BOOST_TEST(freed, "memory is left with allocation " << n);
    BOOST_TEST(stray_closes() == strays);
  }
  BOOST_TEST(n >= fewest + 2);
}

/// What a call made of the failure.
struct attempt
{
  bool struck = false;
  bool threw = false;
};

template <class Call>
attempt with_failure(std::size_t nth, Call call)
{
  attempt a;
  const allocation_failure failure(nth);
  try
  {
    call();
  }
  catch (const std::bad_alloc&)
  {
    a.threw = true;
  }
  a.struck = failure.struck();
  return a;
}

/// A socket that is open, with a watch on its descriptor. Asio's own services are there already.
template <class Socket>
struct basic_closing_scene
{
  boost::asio::io_context context;
  handler_tally tally;
  ends pair = unix_ends();
  close_watch watch{pair.near.get()};
  Socket object{typename Socket::executor_type(context.get_executor()),
    typename Socket::protocol_type(), pair.near.release()};
  boost::system::error_code ec = boost::asio::error::fault;
  char buffer[8] = {};

  void run_until_ended()
  {
    BOOST_TEST(wait_until([this] { return turn(context), tally.all_ended(); }));
  }

  /// The socket is closed, by whatever closes it, once.
  void check_closed()
  {
    object.close();
    BOOST_TEST(watch.wait_closed());
    run_until_ended();
    BOOST_TEST(watch.arrived() == 1u);
  }
};

using closing_scene = basic_closing_scene<interlock::local::stream_protocol::socket>;

/// The same over a strand of the test's own: Asio leaves one undefined that runs out of memory while
/// it is being made, so that cannot be walked over.
using strand_scene = basic_closing_scene<interlock::local::stream_protocol::socket::rebind_executor<
  boost::asio::strand<boost::asio::io_context::executor_type>>::other>;

/// A counted handler that is not on the strand, which never calls any once it is without memory.
template <class Scene, class Handler>
auto in_context(Scene& s, Handler handler)
{
  return boost::asio::bind_executor(s.context.get_executor(), s.tally(std::move(handler)));
}

/// Walks over the allocations of one async_close: `prepare(scene)` returns what starts it, with a
/// handler of the scene's. Thrown from the start, the object is open as before. Otherwise it is
/// closing, the handler is called once, and nothing waits for a strand that has lost its memory.
template <class Prepare>
void walk_over_a_close(Prepare prepare)
{
  using boost::system::error_code;
  for_every_allocation(
    [prepare](std::size_t n)
    {
      strand_scene s;
      s.object.async_read_some(
        boost::asio::buffer(s.buffer), in_context(s, [](error_code, std::size_t) {}));
      const auto start = prepare(s);
      const attempt a = with_failure(n, [&] { start(in_context(s, into(s.ec))); });
      BOOST_TEST(s.object.is_open() == a.threw);
      if (!a.threw)
      {
        BOOST_TEST(s.watch.wait_closed());
        s.run_until_ended();
        BOOST_TEST(s.ec == error_code());
      }
      s.check_closed();
      BOOST_TEST(s.tally.called() == (a.threw ? 1 : 2));
      return a.struck;
    });
}

/// Runs the context until the n-th allocation has failed or `over()`, and what is ready then. What
/// throws meanwhile does not end it.
template <class Over>
attempt run_with_failure(std::size_t nth, boost::asio::io_context& context, Over over)
{
  attempt a;
  const auto go_on = [&]
  {
    try
    {
      return turn(context) != 0;
    }
    catch (const std::bad_alloc&)
    {
      return a.threw = true;
    }
  };
  bool came_to_it = false;
  {
    const allocation_failure failure(nth);
    came_to_it = wait_until([&] { return go_on(), failure.struck() || over(); });
    a.struck = failure.struck();
  }
  BOOST_TEST(came_to_it);
  while (go_on())
    continue;
  return a;
}

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_ALLOCATION_WALK_HPP
