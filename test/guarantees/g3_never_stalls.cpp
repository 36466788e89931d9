// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G3: no function blocks an event loop, or its caller, in a close(2) that can block. What is asserted is the thread
// that ran close(2), never a time; and that both sides go on while a close(2) is held.

#include <interlock/close_mode.hpp>
#include <interlock/ip/tcp.hpp>
#include <interlock/posix/stream_descriptor.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include <interlock/close_service.hpp>

#include "support/census.hpp"
#include "support/close_probe.hpp"
#include "support/closing_socket.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/handler_tally.hpp"
#include "support/held_pipe.hpp"
#include "support/lingering_socket.hpp"
#include "support/loop.hpp"
#include "support/tcp_facts.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::ip::tcp;
using interlock::posix::stream_descriptor;

namespace {

/// The connection is reset when it is closed: the other side does not linger.
void reset_in_the_end(int fd)
{
  const ::linger abort = {1, 0};
  support::checked(::setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort)), "SO_LINGER");
}

/// Runs a function on the loop and waits for it: the loop is not blocked.
template <class Function>
void run_on(support::loop& loop, Function f)
{
  std::packaged_task<void()> task(std::move(f));
  std::future<void> done = task.get_future();
  asio::post(loop.context, std::move(task));
  done.get();
}

/// A connection with undelivered data, whose close(2) would take three seconds, held at a gate on
/// top of that.
struct lingering
{
  support::loop loop;
  support::ends pair = support::tcp_ends();
  support::close_watch watch{pair.near.get()};
  tcp::socket object{loop.context};

  lingering()
  {
    support::set_linger(pair.near, 3);
    reset_in_the_end(pair.far.get());
    support::fill(pair.near.get());
    watch.shut_gate();
    object.assign(tcp::v4(), pair.near.release());
  }

  /// The caller of the close has returned. The peer goes first, so that nothing is left to linger
  /// for once the gate is open.
  void check_closer()
  {
    run_on(loop, [] {});
    pair.far.reset();
    BOOST_TEST(watch.wait_arrived());
    BOOST_TEST(watch.closed() == 0u);
    run_on(loop, [] {});
    watch.open_gate();
    BOOST_TEST(watch.wait_closed());
    BOOST_TEST((watch.close_waiter() != std::this_thread::get_id()));
    BOOST_TEST((watch.close_waiter() != loop.thread_id()));
  }
};

/// An async_close of the end of a held pipe has begun: the worker comes to it before it comes to `other`.
struct beside_a_held_pipe
{
  asio::io_context context;
  support::held_pipe held;
  stream_descriptor object{context, held.release_writing_end()};
  support::told of_the_pipe;
  support::ends pair = support::narrow_tcp_ends();
  tcp::socket other{context, tcp::v4(), pair.near.release()};
  support::told of_the_other;

  beside_a_held_pipe()
  {
    object.async_close(of_the_pipe.handler());
  }

  bool run_until_told(const support::told& t)
  {
    return support::wait_until(
      [&]
      {
        support::turn(context);
        return t.times != 0;
      });
  }

  void check_that_the_other_is_told()
  {
    BOOST_TEST(run_until_told(of_the_other));
    BOOST_TEST(held.is_held());
    BOOST_TEST(of_the_pipe.times == 0);
    held.let_go();
    BOOST_TEST(run_until_told(of_the_pipe));
    BOOST_TEST(!of_the_pipe.ec);
  }
};

struct waits_in_the_end
{
  explicit waits_in_the_end(const support::close_watch& w)
    : watch(w)
  {
  }

  ~waits_in_the_end()
  {
    watch.wait_arrived();
  }

  const support::close_watch& watch;
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_g3_never_stalls)

BOOST_FIXTURE_TEST_CASE(close_leaves_close2_to_the_worker, lingering)
{
  object.close();
  check_closer();
}

BOOST_FIXTURE_TEST_CASE(a_close_in_a_handler_does_not_block_the_loop, lingering)
{
  run_on(loop, [this] { object.close(); });
  check_closer();
}

BOOST_FIXTURE_TEST_CASE(async_close_blocks_no_thread, lingering)
{
  support::handler_tally tally;
  object.async_close(tally([](error_code) {}));
  check_closer();
  loop.join();
  BOOST_TEST(tally.all_called());
}

BOOST_FIXTURE_TEST_CASE(the_destructor_does_not_block, lingering)
{
  {
    const tcp::socket dying(std::move(object));
  }
  check_closer();
}

BOOST_FIXTURE_TEST_CASE(move_assignment_does_not_block, lingering)
{
  object = tcp::socket(loop.context);
  BOOST_TEST(!object.is_open());
  check_closer();
}

BOOST_FIXTURE_TEST_CASE(a_move_assignment_of_another_executor_type_does_not_block, lingering)
{
  using other = tcp::socket::rebind_executor<asio::io_context::executor_type>::other;
  object = other(loop.context, tcp::v4());
  BOOST_TEST(object.is_open());
  check_closer();
}

BOOST_AUTO_TEST_CASE(a_descriptor_whose_close_can_block_is_left_to_the_worker_too)
{
  support::loop loop;
  support::ends pair = support::unread_ends();
  support::close_watch watch(pair.near.get());
  stream_descriptor d(loop.context, pair.near.release());
  watch.shut_gate();
  run_on(loop, [&d] { d.close(); });
  BOOST_TEST(watch.wait_arrived());
  run_on(loop, [] {});
  watch.open_gate();
  BOOST_TEST(watch.wait_closed());
  BOOST_TEST((watch.close_waiter() != loop.thread_id()));
  BOOST_TEST((watch.close_waiter() != std::this_thread::get_id()));
}

BOOST_FIXTURE_TEST_CASE(a_pipe_that_is_held_delays_no_other_close, beside_a_held_pipe)
{
  other.async_close(of_the_other.handler());
  check_that_the_other_is_told();
  BOOST_TEST(!of_the_other.ec);
}

BOOST_FIXTURE_TEST_CASE(a_pipe_that_is_held_delays_no_deadline, beside_a_held_pipe)
{
  support::fill(other.native_handle());
  other.async_close(
    interlock::close_mode::deliver(std::chrono::milliseconds(1)), of_the_other.handler());
  check_that_the_other_is_told();
  BOOST_TEST(of_the_other.is(interlock::close_outcome::timed_out));
}

// Accepted from a listener with SO_LINGER: where the accept fails in the end, there is no data
// to deliver, and the close is inline.
BOOST_AUTO_TEST_CASE(a_connection_that_cannot_be_delivered_does_not_linger)
{
  const support::census fds;
  {
    asio::io_context context;
    tcp::acceptor a(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    support::set_linger(a.native_handle(), 3);
    asio::ip::tcp::socket client(context);
    client.connect(a.local_endpoint());
    tcp::socket peer(context);
    support::handler_tally tally;
    error_code ec;
    a.async_accept(peer, tally(support::into(ec)));
    peer.open(tcp::v4());
    context.run();
    BOOST_TEST(ec == error_code(asio::error::already_open));
    BOOST_TEST(tally.all_called());
  }
  BOOST_TEST(fds.restored());
}

// The first close(2) is blocked for longer than the shutdown waits: what lingers is closed all the same.
BOOST_AUTO_TEST_CASE(a_close_that_is_blocked_at_the_shutdown_delays_no_other)
{
  const support::census fds;
  {
    support::ends first = support::unread_ends();
    support::ends second = support::tcp_ends();
    support::close_watch blocked(first.near.get());
    support::close_watch queued(second.near.get());
    blocked.shut_gate();
    support::set_linger(second.near, 3);
    support::fill(second.near.get());
    {
      asio::io_context context;
      stream_descriptor d(context, first.near.release());
      tcp::socket s(context, tcp::v4(), second.near.release());
      d.close();
      BOOST_TEST(blocked.wait_arrived());
      s.close();
    }
    BOOST_TEST(queued.closed() == 1u);
    BOOST_TEST(!queued.lingered());
    BOOST_TEST(queued.by_worker());
    BOOST_TEST(blocked.closed() == 0u);
    blocked.open_gate();
    BOOST_TEST(blocked.wait_closed());
    BOOST_TEST((blocked.close_waiter() != std::this_thread::get_id()));
  }
  BOOST_TEST(fds.restored());
}

// The objects outlive their context, whose shutdown comes to the socket first, since it is the newer.
// The worker has it by the time that a handler of the other object is destroyed.
BOOST_AUTO_TEST_CASE(what_is_open_at_the_shutdown_is_closed_without_lingering)
{
  support::ends older = support::pipe_ends();
  support::ends pair = support::tcp_ends();
  support::close_watch watch(pair.near.get());
  support::set_linger(pair.near, 3);
  support::fill(pair.near.get());
  std::optional<asio::io_context> context(std::in_place);
  interlock::close_service::options o;
  o.shutdown_wait = support::patience;
  interlock::make_close_service(*context, o);
  stream_descriptor d(*context, older.near.release());
  tcp::socket s(*context, tcp::v4(), pair.near.release());
  d.async_close([last_act = std::make_unique<waits_in_the_end>(watch)](error_code) {});
  context.reset();
  BOOST_TEST(watch.closed() == 1u);
  BOOST_TEST(!watch.lingered());
}

// Where no thread can be had, for want of a descriptor to wake it by, the caller closes.
BOOST_AUTO_TEST_CASE(without_a_worker_the_close_is_inline_and_does_not_linger)
{
  asio::io_context context;
  support::ends pair = support::tcp_ends();
  const support::close_watch watch(pair.near.get());
  support::set_linger(pair.near, 3);
  support::fill(pair.near.get());
  tcp::socket s(context, tcp::v4(), pair.near.release());
  {
    const support::no_more_descriptors full;
    s.close();
  }
  BOOST_TEST(watch.closed() == 1u);
  BOOST_TEST((watch.close_waiter() == std::this_thread::get_id()));
  BOOST_TEST(!watch.lingered());
}

// Everything else that says "not on a worker" rests on this.
BOOST_AUTO_TEST_CASE(the_worker_is_known_by_its_name)
{
  asio::io_context context;
  support::ends pair = support::unread_ends();
  support::close_watch watch(pair.near.get());
  stream_descriptor d(context, pair.near.release());
  BOOST_TEST(!support::on_worker());
  d.close();
  BOOST_TEST(watch.wait_closed());
  BOOST_TEST(watch.by_worker());
}

BOOST_AUTO_TEST_SUITE_END()
