// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Per-operation cancellation: it reaches the operation wherever its object has gone, it may be
// emitted beside a close in another thread, and a late emission finds nothing and touches nothing.

#include "support/prelude.hpp"

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/read.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include "support/blocking_subjects.hpp"
#include "support/local_port.hpp"
#include "support/scene.hpp"

using namespace support;
namespace data = boost::unit_test::data;

namespace {

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

  auto handler(handler_tally& tally)
  {
    return bind(tally(into(ec)));
  }

  void emit(int type = static_cast<int>(asio::cancellation_type::terminal))
  {
    signal.emit(static_cast<asio::cancellation_type>(type));
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_cancellation_slot, scene)

BOOST_DATA_TEST_CASE_F(scene, every_type_cancels_what_a_socket_does, each_type)
{
  fill(object->native_handle());
  cancellable reading;
  cancellable writing;
  cancellable waiting;
  object->async_read_some(asio::buffer(buffer), reading.handler(tally));
  object->async_write_some(asio::buffer("data", 4), writing.handler(tally));
  object->async_wait(local::socket::wait_read, waiting.handler(tally));
  turn();
  BOOST_TEST(tally.called() == 0);
  int cancelled = 0;
  for (cancellable* op : {&reading, &writing, &waiting})
  {
    op->emit(sample);
    ++cancelled;
    BOOST_TEST(run_until([&] { return tally.ended() >= cancelled; }));
    BOOST_TEST(tally.ended() == cancelled);
    BOOST_TEST(op->ec == aborted);
  }
  BOOST_TEST(object->is_open());
}

BOOST_DATA_TEST_CASE_F(in_context, every_type_cancels_an_accept, each_type)
{
  tcp::acceptor a(*context, any_local_port());
  tcp::socket peer(*context);
  cancellable into_peer;
  cancellable into_new;
  a.async_accept(peer, into_peer.handler(tally));
  a.async_accept(into_new.handler(tally));
  turn();
  into_peer.emit(sample);
  into_new.emit(sample);
  run();
  BOOST_TEST(into_peer.ec == aborted);
  BOOST_TEST(into_new.ec == aborted);
}

BOOST_DATA_TEST_CASE_F(connecting_subject, every_type_cancels_a_connect, each_type)
{
  handler_tally tally;
  cancellable connect;
  object.async_connect(listener.local_endpoint(), connect.handler(tally));
  turn(context);
  BOOST_TEST(tally.called() == 0);
  connect.emit(sample);
  context.restart();
  context.run();
  BOOST_TEST(connect.ec == aborted);
  BOOST_TEST(tally.all_called());
}

BOOST_AUTO_TEST_CASE(only_the_operation_of_the_signal_is_cancelled)
{
  cancellable first;
  cancellable second;
  char other[8];
  object->async_read_some(asio::buffer(buffer), first.handler(tally));
  object->async_read_some(asio::buffer(other), second.handler(tally));
  first.emit();
  BOOST_TEST(run_until([this] { return tally.ended() == 1; }));
  BOOST_TEST(first.ec == aborted);
  BOOST_TEST(second.ec == not_called);
  send_text(pair.far, "x");
  run();
  BOOST_TEST(second.ec == success);
}

BOOST_AUTO_TEST_CASE(a_signal_may_be_used_for_one_operation_after_another)
{
  cancellable op;
  for (int i = 0; i != 3; ++i)
  {
    op.ec = not_called;
    object->async_read_some(asio::buffer(buffer), op.handler(tally));
    op.emit();
    run();
    BOOST_TEST(op.ec == aborted);
  }
}

BOOST_AUTO_TEST_CASE(a_composed_operation_is_cancelled_in_its_second_step)
{
  cancellable op;
  send_text(pair.far, "hell");
  asio::async_read(*object, asio::buffer(buffer, 5),
    op.bind(tally(
      [&](error_code ec, std::size_t n)
      {
        op.ec = ec;
        size = n;
      })));
  BOOST_TEST(run_until([this] { return object->available() == 0; }));
  op.emit();
  run();
  BOOST_TEST(op.ec == aborted);
  BOOST_TEST(size == 4u);
}

BOOST_AUTO_TEST_CASE(an_emission_after_the_move_of_the_object_still_cancels)
{
  cancellable op;
  object->async_read_some(asio::buffer(buffer), op.handler(tally));
  auto moved = std::make_unique<local::socket>(std::move(*object));
  local::socket again(std::move(*moved));
  moved.reset();
  op.emit();
  run();
  BOOST_TEST(op.ec == aborted);
  BOOST_TEST(again.is_open());
}

// The memory of the first tenure serves the third, whose read is not the late signal's.
BOOST_AUTO_TEST_CASE(an_emission_for_an_earlier_tenure_cancels_nothing_of_a_later_one)
{
  cancellable early;
  cancellable late;
  fd peer;
  object->async_read_some(asio::buffer(buffer), early.handler(tally));
  for (int i = 0; i != 2; ++i)
  {
    BOOST_TEST(ask(*object) == success);
    peer = reopen();
  }
  object->async_read_some(asio::buffer(buffer), late.handler(tally));
  early.emit();
  BOOST_TEST(support::turn(*context) == 0u);
  send_text(peer, "x");
  run();
  BOOST_TEST(early.ec == aborted);
  BOOST_TEST(late.ec == success);
}

BOOST_AUTO_TEST_CASE(an_emission_after_object_and_context_are_gone_touches_nothing)
{
  cancellable called;
  cancellable uncalled;
  object->async_read_some(asio::buffer(buffer), called.handler(tally));
  object->close();
  called.emit();
  run();
  const fd peer = reopen();
  object->async_read_some(asio::buffer(buffer), uncalled.handler(tally));
  called.emit();
  object.reset();
  uncalled.emit();
  context.reset();
  called.emit();
  uncalled.emit();
  BOOST_TEST(called.ec == aborted);
  BOOST_TEST(uncalled.ec == not_called);
}

// The program serialises its emissions with each other, not with a close.
BOOST_AUTO_TEST_CASE(an_emission_beside_a_close_in_another_thread_is_safe)
{
  for (int i = 0; i != 200; ++i)
  {
    loop loop;
    ends own = unix_ends();
    local::socket s(loop.context, local(), own.near.release());
    cancellable reading;
    cancellable waiting;
    s.async_read_some(asio::buffer(buffer), reading.handler(tally));
    s.async_wait(local::socket::wait_error, waiting.handler(tally));
    at_once(2,
      [&](int side)
      {
        if (side == 0)
          return s.close();
        reading.emit();
        waiting.emit();
      });
    loop.join();
    BOOST_TEST(reading.ec == aborted);
    BOOST_TEST(waiting.ec == aborted);
    BOOST_TEST(tally.all_called());
  }
}

BOOST_AUTO_TEST_SUITE_END()

#endif
