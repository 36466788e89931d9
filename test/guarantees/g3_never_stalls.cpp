// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G3: no function blocks an event loop, or its caller, in a close(2) that can block: what may delay another close, and
// what becomes of a linger where no thread can wait. (Each way to close is in every_closer.cpp.) What is asserted is the
// thread that ran close(2), never a time.

#include "support/prelude.hpp"

#include "support/closing_socket.hpp"
#include "support/counted.hpp"
#include "support/held_pipe.hpp"
#include "support/lingering_socket.hpp"
#include "support/tcp_facts.hpp"

using namespace support;

namespace {

/// An async_close of the end of a held pipe has begun: the worker comes to it before it comes to `other`.
struct beside_a_held_pipe : counted_in_context
{
  held_pipe held;
  stream_descriptor object{context, held.release_writing_end()};
  told of_the_pipe;
  ends pair = narrow_tcp_ends();
  tcp::socket other{context, tcp::v4(), pair.near.release()};
  told of_the_other;

  beside_a_held_pipe()
  {
    object.async_close(of_the_pipe.handler());
  }

  bool run_until_told(const told& t)
  {
    return run_until(context, [&] { return t.times != 0; });
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

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_g3_never_stalls, counted_in_context)

BOOST_FIXTURE_TEST_CASE(a_pipe_that_is_held_delays_no_other_close, beside_a_held_pipe)
{
  other.async_close(of_the_other.handler());
  check_that_the_other_is_told();
  BOOST_TEST(!of_the_other.ec);
}

BOOST_FIXTURE_TEST_CASE(a_pipe_that_is_held_delays_no_deadline, beside_a_held_pipe)
{
  fill(other.native_handle());
  other.async_close(
    interlock::close_mode::deliver(std::chrono::milliseconds(1)), of_the_other.handler());
  check_that_the_other_is_told();
  BOOST_TEST(of_the_other.is(interlock::close_outcome::timed_out));
}

// Accepted from a listener with SO_LINGER: where the accept fails in the end, there is no data
// to deliver, and the close is inline.
BOOST_AUTO_TEST_CASE(a_connection_that_cannot_be_delivered_does_not_linger)
{
  tcp::acceptor a(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  set_linger(a.native_handle(), 3);
  asio::ip::tcp::socket client(context);
  client.connect(a.local_endpoint());
  tcp::socket peer(context);
  error_code ec;
  a.async_accept(peer, tally(into(ec)));
  peer.open(tcp::v4());
  run();
  BOOST_TEST(ec == error_code(asio::error::already_open));
  BOOST_TEST(tally.all_called());
}

// The first close(2) is blocked for longer than the shutdown waits: what lingers is closed all the same.
BOOST_FIXTURE_TEST_CASE(a_close_that_is_blocked_at_the_shutdown_delays_no_other, counted)
{
  ends first = unread_ends();
  ends second = tcp_ends();
  close_watch blocked(first.near.get());
  close_watch queued(second.near.get());
  blocked.shut_gate();
  set_linger(second.near, 3);
  fill(second.near.get());
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

// The objects outlive their context, whose shutdown comes to the socket first, since it is the newer.
// The worker has it by the time that a handler of the other object is destroyed.
BOOST_FIXTURE_TEST_CASE(what_is_open_at_the_shutdown_is_closed_without_lingering, counted)
{
  ends older = pipe_ends();
  ends pair = tcp_ends();
  close_watch watch(pair.near.get());
  set_linger(pair.near, 3);
  fill(pair.near.get());
  std::optional<asio::io_context> context(std::in_place);
  interlock::close_service::options o;
  o.shutdown_wait = patience;
  interlock::make_close_service(*context, o);
  stream_descriptor d(*context, older.near.release());
  tcp::socket s(*context, tcp::v4(), pair.near.release());
  const std::shared_ptr<void> last_act(nullptr, [&watch](void*) { watch.wait_arrived(); });
  d.async_close([last_act](error_code) {});
  context.reset();
  BOOST_TEST(watch.closed() == 1u);
  BOOST_TEST(!watch.lingered());
}

// Where no thread can be had, for want of a descriptor to wake it by, the caller closes.
BOOST_AUTO_TEST_CASE(without_a_worker_the_close_is_inline_and_does_not_linger)
{
  ends pair = tcp_ends();
  const close_watch watch(pair.near.get());
  set_linger(pair.near, 3);
  fill(pair.near.get());
  tcp::socket s(context, tcp::v4(), pair.near.release());
  {
    const no_more_descriptors full;
    s.close();
  }
  BOOST_TEST(watch.closed() == 1u);
  BOOST_TEST((watch.close_waiter() == std::this_thread::get_id()));
  BOOST_TEST(!watch.lingered());
}

// Everything else that says "not on a worker" rests on this.
BOOST_AUTO_TEST_CASE(the_worker_is_known_by_its_name)
{
  ends pair = unread_ends();
  close_watch watch(pair.near.get());
  stream_descriptor d(context, pair.near.release());
  BOOST_TEST(!on_worker());
  d.close();
  BOOST_TEST(watch.wait_closed());
  BOOST_TEST(watch.by_worker());
}

BOOST_AUTO_TEST_SUITE_END()
