// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A readiness that the reactor had already fetched for one object reaches the next, which has been
// given the same recycled state. Asio completes a wait with it; here it is not a completion.

#include "support/prelude.hpp"

#include <tuple>

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#endif

using namespace support;

namespace {

/// Two sockets are found ready in one look at the reactor. The handler of the first closes the second
/// and opens a third, which is not ready, and waits on it.
template <class Socket>
struct scene
{
  using protocol = typename Socket::protocol_type;

  asio::io_context context;
  ends first = unix_ends();
  ends second = unix_ends();
  ends third = unix_ends();
  handler_tally tally;
  error_code waited = not_called;
  Socket a{context, protocol(), first.near.release()};
  Socket b{context, protocol(), second.near.release()};
  std::optional<Socket> c;

  template <class Start>
  void play(Start start)
  {
    a.async_wait(Socket::wait_read,
      tally(
        [this, start](error_code)
        {
          b.close();
          c.emplace(context, protocol(), third.near.release());
          start();
        }));
    b.async_wait(Socket::wait_read, tally([](error_code) {}));
    context.poll();
    send_text(first.far, "x");
    send_text(second.far, "y");
    BOOST_TEST(wait_until([this] { return turn(context), tally.ended() >= 2; }));
    turn(context);
  }

  void wait_on_third()
  {
    c->async_wait(Socket::wait_read, tally(into(waited)));
  }
};

using ours = scene<local::socket>;
using plain = scene<asio::local::stream_protocol::socket>;
using both_sockets = std::tuple<local::socket, asio::local::stream_protocol::socket>;

} // namespace

BOOST_AUTO_TEST_SUITE(test_spurious_wait)

#if defined(BOOST_ASIO_HAS_EPOLL)
// The premise: nothing can be read, and plain Asio's wait completes.
BOOST_FIXTURE_TEST_CASE(plain_asio_completes_a_wait_that_is_not_over, plain)
{
  play([this] { wait_on_third(); });
  BOOST_TEST(waited == success);
  BOOST_TEST(c->available() == 0u);
}
#endif

BOOST_FIXTURE_TEST_CASE(a_stale_readiness_does_not_complete_a_wait, ours)
{
  play([this] { wait_on_third(); });
  BOOST_TEST(waited == not_called);
  send_text(third.far, "z");
  context.restart();
  context.run();
  BOOST_TEST(waited == success);
  BOOST_TEST(c->available() == 1u);
  BOOST_TEST(tally.all_called());
}

BOOST_FIXTURE_TEST_CASE(the_wait_that_goes_on_is_aborted_by_a_close, ours)
{
  play([this] { wait_on_third(); });
  BOOST_TEST(waited == not_called);
  c->async_close(tally([](error_code) {}));
  context.restart();
  context.run();
  BOOST_TEST(waited == aborted);
  BOOST_TEST(tally.all_called());
}

BOOST_FIXTURE_TEST_CASE(the_wait_that_goes_on_is_aborted_by_cancel, ours)
{
  play([this] { wait_on_third(); });
  c->cancel();
  context.restart();
  context.run();
  BOOST_TEST(waited == aborted);
  BOOST_TEST(tally.all_called());
}

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)
BOOST_FIXTURE_TEST_CASE(the_wait_that_goes_on_is_still_connected_to_its_slot, ours)
{
  asio::cancellation_signal signal;
  play(
    [this, &signal]
    {
      c->async_wait(
        local::socket::wait_read, asio::bind_cancellation_slot(signal.slot(), tally(into(waited))));
    });
  BOOST_TEST(waited == not_called);
  signal.emit(asio::cancellation_type::terminal);
  context.restart();
  context.run();
  BOOST_TEST(waited == aborted);
  BOOST_TEST(tally.all_called());
}
#endif

// The first handler uses up what both were told of.
BOOST_AUTO_TEST_CASE_TEMPLATE(two_waits_for_one_readiness_both_complete, Socket, both_sockets)
{
  asio::io_context context;
  ends pair = unix_ends();
  Socket s(context, typename Socket::protocol_type(), pair.near.release());
  handler_tally tally;
  char c = 0;
  error_code ec;
  for (int round = 0; round != 2; ++round)
  {
    s.async_wait(
      Socket::wait_read, tally([&](error_code) { s.read_some(asio::buffer(&c, 1), ec); }));
    s.async_wait(Socket::wait_read, tally([](error_code) {}));
    context.restart();
    context.poll();
    send_text(pair.far, "x");
    BOOST_TEST(wait_until([&] { return turn(context), tally.all_called(); }));
  }
}

// A wait for reading is not over because one for writing is.
BOOST_FIXTURE_TEST_CASE(a_stale_readiness_is_told_for_each_kind, ours)
{
  error_code written = not_called;
  play(
    [this, &written]
    {
      c->async_wait(local::socket::wait_write, tally(into(written)));
      wait_on_third();
    });
  BOOST_TEST(written == success);
  BOOST_TEST(waited == not_called);
  c->close();
  turn(context);
  BOOST_TEST(waited == aborted);
}

// A wait that is ready for another reason is over: the end of the stream, an error.
BOOST_FIXTURE_TEST_CASE(a_hang_up_completes_a_wait, ours)
{
  play([this] { wait_on_third(); });
  third.far.reset();
  context.restart();
  context.run();
  BOOST_TEST(waited == success);
  BOOST_TEST(tally.all_called());
}

BOOST_AUTO_TEST_SUITE_END()
