// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Per-operation cancellation: it reaches the operation wherever its object has gone, it may be
// emitted beside a close in another thread, and a late emission finds nothing and touches nothing.

#include <interlock/ip/tcp.hpp>
#include <interlock/local/stream_protocol.hpp>

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)

#include <atomic>
#include <memory>
#include <optional>
#include <thread>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "support/descriptor_pairs.hpp"
#include "support/handler_tally.hpp"
#include "support/loop.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
namespace data = boost::unit_test::data;
using boost::system::error_code;
using interlock::ip::tcp;
using local = interlock::local::stream_protocol;

namespace {

const error_code aborted = asio::error::operation_aborted;
const error_code not_called = asio::error::fault;

const auto each_type = data::make({static_cast<int>(asio::cancellation_type::terminal),
  static_cast<int>(asio::cancellation_type::partial),
  static_cast<int>(asio::cancellation_type::total)});

/// A signal, and what became of the operation connected to it.
struct cancellable
{
  asio::cancellation_signal signal;
  error_code ec = not_called;

  template <class Handler>
  auto bind(Handler handler)
  {
    return asio::bind_cancellation_slot(signal.slot(), std::move(handler));
  }

  auto handler(support::handler_tally& tally)
  {
    return bind(tally(support::into(ec)));
  }

  void emit(int type = static_cast<int>(asio::cancellation_type::terminal))
  {
    signal.emit(static_cast<asio::cancellation_type>(type));
  }
};

struct connected
{
  support::handler_tally tally;
  asio::io_context context;
  support::ends pair = support::unix_ends();
  local::socket object{context, local(), pair.near.release()};
  char buffer[8] = {};

  /// Runs until that many handlers have ended.
  void run_until(int ended)
  {
    BOOST_TEST(support::wait_until([&] { return support::turn(context), tally.ended() >= ended; }));
    BOOST_TEST(tally.ended() == ended);
  }

  /// Runs until nothing is outstanding any more.
  void run()
  {
    context.run();
    context.restart();
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_cancellation_slot)

BOOST_DATA_TEST_CASE(every_type_cancels_what_a_socket_does, each_type)
{
  connected c;
  support::fill(c.object.native_handle());
  cancellable read;
  cancellable write;
  cancellable wait;
  c.object.async_read_some(asio::buffer(c.buffer), read.handler(c.tally));
  c.object.async_write_some(asio::buffer("data", 4), write.handler(c.tally));
  c.object.async_wait(local::socket::wait_read, wait.handler(c.tally));
  c.context.poll();
  BOOST_TEST(c.tally.called() == 0);
  int cancelled = 0;
  for (cancellable* op : {&read, &write, &wait})
  {
    op->emit(sample);
    ++cancelled;
    c.run_until(cancelled);
    BOOST_TEST(op->ec == aborted);
  }
  BOOST_TEST(c.tally.all_called());
  BOOST_TEST(c.object.is_open());
}

BOOST_DATA_TEST_CASE(every_type_cancels_an_accept, each_type)
{
  support::handler_tally tally;
  asio::io_context context;
  tcp::acceptor a(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  tcp::socket peer(context);
  cancellable into_peer;
  cancellable into_new;
  a.async_accept(peer, into_peer.handler(tally));
  a.async_accept(into_new.handler(tally));
  context.poll();
  into_peer.emit(sample);
  into_new.emit(sample);
  context.restart();
  context.run();
  BOOST_TEST(into_peer.ec == aborted);
  BOOST_TEST(into_new.ec == aborted);
  BOOST_TEST(tally.all_called());
}

// The listener's backlog is full, so that no answer comes.
BOOST_DATA_TEST_CASE(every_type_cancels_a_connect, each_type)
{
  support::handler_tally tally;
  asio::io_context context;
  const support::fd listener = support::tcp_listener(0);
  const support::fd first = support::tcp_connected_to(listener);
  ::pollfd taken = {listener.get(), POLLIN, 0};
  BOOST_TEST(::poll(&taken, 1, -1) == 1);
  tcp::socket s(context);
  cancellable connect;
  s.async_connect(
    tcp::endpoint(asio::ip::address_v4::loopback(), ntohs(support::address_of(listener).sin_port)),
    connect.handler(tally));
  context.poll();
  BOOST_TEST(tally.called() == 0);
  connect.emit(sample);
  context.restart();
  context.run();
  BOOST_TEST(connect.ec == aborted);
  BOOST_TEST(tally.all_called());
}

BOOST_FIXTURE_TEST_CASE(only_the_operation_of_the_signal_is_cancelled, connected)
{
  cancellable first;
  cancellable second;
  char other[8];
  object.async_read_some(asio::buffer(buffer), first.handler(tally));
  object.async_read_some(asio::buffer(other), second.handler(tally));
  first.emit();
  run_until(1);
  BOOST_TEST(first.ec == aborted);
  BOOST_TEST(second.ec == not_called);
  support::send_text(pair.far, "x");
  context.run();
  BOOST_TEST(second.ec == error_code());
}

BOOST_FIXTURE_TEST_CASE(a_signal_may_be_used_for_one_operation_after_another, connected)
{
  cancellable op;
  for (int i = 0; i != 3; ++i)
  {
    op.ec = not_called;
    object.async_read_some(asio::buffer(buffer), op.handler(tally));
    op.emit();
    run();
    BOOST_TEST(op.ec == aborted);
  }
  BOOST_TEST(tally.all_called());
}

BOOST_FIXTURE_TEST_CASE(a_composed_operation_is_cancelled_in_its_second_step, connected)
{
  cancellable op;
  std::size_t size = 0;
  support::send_text(pair.far, "hell");
  asio::async_read(object, asio::buffer(buffer, 5),
    op.bind(tally(
      [&](error_code ec, std::size_t n)
      {
        op.ec = ec;
        size = n;
      })));
  BOOST_TEST(support::wait_until([&] { return context.poll(), object.available() == 0; }));
  op.emit();
  context.restart();
  context.run();
  BOOST_TEST(op.ec == aborted);
  BOOST_TEST(size == 4u);
}

BOOST_FIXTURE_TEST_CASE(an_emission_after_the_move_of_the_object_still_cancels, connected)
{
  cancellable op;
  object.async_read_some(asio::buffer(buffer), op.handler(tally));
  auto moved = std::make_unique<local::socket>(std::move(object));
  local::socket again(std::move(*moved));
  moved.reset();
  op.emit();
  run();
  BOOST_TEST(op.ec == aborted);
  BOOST_TEST(again.is_open());
}

BOOST_FIXTURE_TEST_CASE(an_emission_after_the_end_does_nothing, connected)
{
  cancellable read;
  object.async_read_some(asio::buffer(buffer), read.handler(tally));
  object.close();
  read.emit();
  run();
  BOOST_TEST(read.ec == aborted);
  read.emit();
  object.async_close(tally([](error_code) {}));
  run();
  read.emit();
  run();
  BOOST_TEST(tally.all_called());
}

// The memory of the first tenure serves the third, whose read is not the late signal's.
BOOST_FIXTURE_TEST_CASE(an_emission_for_an_earlier_tenure_cancels_nothing_of_a_later_one, connected)
{
  cancellable early;
  cancellable late;
  object.async_read_some(asio::buffer(buffer), early.handler(tally));
  for (int i = 0; i != 2; ++i)
  {
    object.async_close(tally([](error_code) {}));
    run();
    pair = support::unix_ends();
    object.assign(local(), pair.near.release());
  }
  object.async_read_some(asio::buffer(buffer), late.handler(tally));
  early.emit();
  BOOST_TEST(context.poll() == 0u);
  support::send_text(pair.far, "x");
  context.restart();
  context.run();
  BOOST_TEST(early.ec == aborted);
  BOOST_TEST(late.ec == error_code());
}

BOOST_AUTO_TEST_CASE(an_emission_after_object_and_context_are_gone_touches_nothing)
{
  cancellable called;
  cancellable uncalled;
  support::handler_tally tally;
  {
    connected c;
    char other[8];
    auto s = std::make_unique<local::socket>(std::move(c.object));
    s->async_read_some(asio::buffer(c.buffer), called.handler(tally));
    s->close();
    c.run();
    c.pair = support::unix_ends();
    s->assign(local(), c.pair.near.release());
    s->async_read_some(asio::buffer(other), uncalled.handler(tally));
    s.reset();
    called.emit();
    uncalled.emit();
  }
  called.emit();
  uncalled.emit();
  BOOST_TEST(called.ec == aborted);
  BOOST_TEST(uncalled.ec == not_called);
  BOOST_TEST(tally.all_ended());
}

// The program serialises its emissions with each other, not with a close.
BOOST_AUTO_TEST_CASE(an_emission_beside_a_close_in_another_thread_is_safe)
{
  for (int i = 0; i != 200; ++i)
  {
    support::loop loop;
    support::ends pair = support::unix_ends();
    local::socket s(loop.context, local(), pair.near.release());
    support::handler_tally tally;
    char buffer[8];
    cancellable read;
    cancellable wait;
    s.async_read_some(asio::buffer(buffer), read.handler(tally));
    s.async_wait(local::socket::wait_error, wait.handler(tally));
    std::atomic<bool> go{false};
    std::thread close_waiter(
      [&]
      {
        while (!go)
          std::this_thread::yield();
        s.close();
      });
    go = true;
    read.emit();
    wait.emit();
    close_waiter.join();
    loop.join();
    BOOST_TEST(read.ec == aborted);
    BOOST_TEST(wait.ec == aborted);
    BOOST_TEST(tally.all_called());
  }
}

BOOST_AUTO_TEST_SUITE_END()

#endif
