// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A retired object is closed, and is never open again, whichever thread comes first. A move takes the retirement
// along. What would open it, and is refused, is in refused_opens.cpp.

#include "support/prelude.hpp"

#include <boost/asio/connect.hpp>

#include "support/blocking_subjects.hpp"
#include "support/refusals.hpp"
#include "support/scene.hpp"

using namespace support;

namespace {

using io_executor = asio::io_context::executor_type;
using narrow_socket = local::socket::rebind_executor<io_executor>::other;
#if defined(INTERLOCK_HAS_DESCRIPTORS_OF_ANY_EXECUTOR)
using narrow_descriptor = interlock::posix::basic_stream_descriptor<io_executor>;
#endif

/// What is told when it is opened.
template <class Socket>
error_code opened_again(Socket& s)
{
  error_code ec;
  s.open(local(), ec);
  return ec;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_retire, scene)

BOOST_AUTO_TEST_CASE(it_closes_and_aborts_what_is_outstanding)
{
  start_read();
  object->retire();
  BOOST_TEST(!object->is_open());
  BOOST_TEST(object->native_handle() == -1);
  BOOST_TEST(!object->lease());
  BOOST_TEST(read_some(*object).ec == bad_descriptor);
  run();
  BOOST_TEST(read == aborted);
  BOOST_TEST(watch.wait_closed());
  BOOST_TEST((watch.close_waiter() == std::this_thread::get_id()));
  BOOST_TEST(opened_again(*object) == retired);
}

BOOST_AUTO_TEST_CASE(it_wakes_a_blocked_call)
{
  call_in_thread blocked([this] { return read_some(*object); });
  BOOST_TEST_REQUIRE(blocked.blocks());
  object->retire();
  BOOST_TEST(blocked.get().ec == aborted);
  BOOST_TEST(opened_again(*object) == retired);
}

BOOST_AUTO_TEST_CASE(it_may_be_called_twice_and_from_many_threads)
{
  at_once(2, [this](int) { object->retire(); });
  object->retire();
  object->close();
  BOOST_TEST(opened_again(*object) == retired);
}

// As a watchdog does: between the attempts of a connect that other code has started.
BOOST_AUTO_TEST_CASE(a_connect_that_is_under_way_is_aborted_and_not_tried_again)
{
  connecting_subject s;
  error_code ec = not_called;
  const std::vector<tcp::endpoint> list(3, s.listener.local_endpoint());
  asio::async_connect(s.object, list, tally(into(ec)));
  s.context.poll();
  BOOST_TEST(tally.called() == 0);
  s.object.retire();
  s.context.restart();
  s.context.run();
  BOOST_TEST(ec == aborted);
  BOOST_TEST(!s.object.is_open());
}

// Retired only while the accept is waiting for a client. The acceptor goes on: it has not been retired.
BOOST_AUTO_TEST_CASE(a_socket_may_be_retired_while_it_is_waited_for_a_peer)
{
  tcp::acceptor acceptor(*context, any_local_port());
  tcp::socket peer(*context);
  tcp::socket next(*context);
  tcp::endpoint address;
  error_code ec = not_called;
  acceptor.async_accept(peer, address, tally(into(ec)));
  turn();
  peer.retire();
  BOOST_TEST(tally.called() == 0);
  const fd name(checked(::dup(acceptor.native_handle()), "dup"));
  const fd client = tcp_connected_to(name);
  run();
  BOOST_TEST(ec == retired);
  BOOST_TEST(wait_until([&] { return hung_up(client); }));
  acceptor.async_accept(next, tally(into(ec)));
  const fd second = tcp_connected_to(name);
  run();
  BOOST_TEST(ec == success);
  BOOST_TEST(next.is_open());
}

BOOST_AUTO_TEST_CASE(a_retired_acceptor_aborts_its_accepts_and_leaves_its_address)
{
  error_code ec = not_called;
  tcp::acceptor acceptor(*context, any_local_port());
  const tcp::endpoint address = acceptor.local_endpoint();
  acceptor.async_accept(tally(into(ec)));
  acceptor.retire();
  tcp::acceptor next(*context, tcp::v4());
  next.bind(address);
  run();
  BOOST_TEST(ec == aborted);
  acceptor.open(tcp::v4(), ec);
  BOOST_TEST(ec == retired);
  acceptor.accept(ec);
  BOOST_TEST(ec == bad_descriptor);
}

BOOST_AUTO_TEST_CASE(async_close_tells_the_outcome_of_a_retired_object)
{
  watch.report(EIO);
  object->retire();
  BOOST_TEST(ask(*object) == io_error);
  local::socket never_opened(*context);
  never_opened.retire();
  BOOST_TEST(ask(never_opened) == success);
}

// The close that has been asked for is the one; the retirement joins it.
BOOST_AUTO_TEST_CASE(an_object_that_is_closing_can_be_retired)
{
  send_text(pair.far, "x"); // close(2) can block
  watch.shut_gate();
  watch.report(EIO);
  close();
  object->retire();
  BOOST_TEST(opened_again(*object) == retired);
  BOOST_TEST(watch.wait_arrived());
  watch.open_gate();
  run();
  BOOST_TEST(closed == io_error);
}

BOOST_AUTO_TEST_CASE(the_descriptor_of_a_released_object_is_not_touched)
{
  const fd released(object->release());
  object->retire();
  BOOST_TEST(is_kept());
  BOOST_TEST(is_unregistered());
  BOOST_TEST(opened_again(*object) == retired);
}

// --- Moves.

BOOST_AUTO_TEST_CASE(a_move_takes_it_along_and_leaves_a_fresh_object)
{
  object->retire();
  local::socket to(std::move(*object));
  BOOST_TEST(opened_again(to) == retired);
  BOOST_TEST(opened_again(*object) == success);
}

// What was assigned to is what it is assigned, in this as in everything.
BOOST_AUTO_TEST_CASE(a_move_assignment_replaces_it)
{
  local::socket s(*context);
  s.retire();
  s = std::move(*object);
  BOOST_TEST(s.is_open());
  object->retire();
  s = std::move(*object);
  BOOST_TEST(opened_again(s) == retired);
  BOOST_TEST(opened_again(*object) == success);
  std::swap(s, *object);
  object->close();
  BOOST_TEST(opened_again(*object) == retired);
  BOOST_TEST(s.is_open());
}

BOOST_AUTO_TEST_CASE(a_converting_move_takes_it_along)
{
  narrow_socket from(*context, local(), unix_ends().near.release());
  from.retire();
  local::socket to(std::move(from));
  BOOST_TEST(opened_again(to) == retired);
  BOOST_TEST(opened_again(from) == success);
#if defined(INTERLOCK_HAS_DESCRIPTORS_OF_ANY_EXECUTOR)
  narrow_descriptor d(*context);
  d.retire();
  stream_descriptor moved(std::move(d));
  error_code ec;
  moved.assign(pipe_ends().near.get(), ec);
  BOOST_TEST(ec == retired);
#endif
}

BOOST_AUTO_TEST_CASE(a_converting_assignment_replaces_it)
{
  narrow_socket from(*context, local(), unix_ends().near.release());
  object->retire();
  *object = std::move(from);
  BOOST_TEST(object->is_open());
  object->close();
  BOOST_TEST(opened_again(*object) == success);
}

BOOST_AUTO_TEST_CASE(a_socket_of_asio_may_take_the_place_of_a_retired_one)
{
  asio::local::stream_protocol::socket of_asio(
    *context, asio::local::stream_protocol(), unix_ends().near.release());
  object->retire();
  *object = local::socket(std::move(of_asio));
  BOOST_TEST(object->is_open());
  object->retire();
  BOOST_CHECK_THROW(object->to_asio(), boost::system::system_error);
}

// --- Threads.

// Whichever thread comes first: the object is closed in the end, and stays so. What was assigned too late is
// still the opener's.
BOOST_FIXTURE_TEST_CASE(an_object_opened_meanwhile_is_never_open_afterwards, no_trace)
{
  int open = 0;
  int lost = 0;
  int wrong = 0;
  asio::io_context context;
  for (int i = 0; i != 2000; ++i)
  {
    local::socket s(context);
    if (i % 3 == 0)
      s.open(local());
    ends pair = unix_ends();
    at_once(2,
      [&](int side)
      {
        if (side == 0)
        {
          s.retire();
          open += s.is_open() ? 1 : 0;
          return;
        }
        error_code ec;
        s.close();
        if (i % 2)
          s.open(local(), ec);
        else if (s.assign(local(), pair.near.get(), ec); !ec)
          pair.near.release();
        else
          lost += is_fd_open(pair.near.get()) ? 0 : 1;
        wrong += ec && ec != retired ? 1 : 0;
      });
    open += s.is_open() ? 1 : 0;
    wrong += opened_again(s) == retired ? 0 : 1;
  }
  BOOST_TEST(open == 0);
  BOOST_TEST(lost == 0);
  BOOST_TEST(wrong == 0);
}

BOOST_FIXTURE_TEST_CASE(a_reconnecting_client_is_stopped_by_a_handle, no_trace)
{
  asio::io_context context;
  refusing_port refusing(context);
  const tcp::endpoint address = refusing.endpoint();
  tcp::socket s(context);
  const interlock::close_handle h = s.get_close_handle();
  std::atomic<int> attempts{0};
  std::thread client(
    [&]
    {
      error_code ec;
      while (ec != retired)
      {
        s.connect(address, ec);
        ++attempts;
        s.close();
      }
    });
  BOOST_TEST(wait_until([&] { return attempts > 10; }));
  h.retire();
  client.join();
  BOOST_TEST(!s.is_open());
}

BOOST_AUTO_TEST_SUITE_END()
