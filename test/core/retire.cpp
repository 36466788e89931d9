// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A retired object is closed, and nothing is opened on it any more, whatever would open it and
// whichever thread comes first. A move takes the retirement along.

#include <interlock/close_handle.hpp>
#include <interlock/error.hpp>
#include <interlock/ip/tcp.hpp>
#include <interlock/local/stream_protocol.hpp>
#include <interlock/posix/stream_descriptor.hpp>

#include <atomic>
#include <cerrno>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include "support/blocking_subjects.hpp"
#include "support/census.hpp"
#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/handler_tally.hpp"
#include "support/loop.hpp"
#include "support/refusals.hpp"
#include "support/sync_support.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::ip::tcp;
using interlock::posix::stream_descriptor;
using local = interlock::local::stream_protocol;
using support::aborted;
using support::bad_descriptor;
using support::losing_nothing;
using support::success;
using support::throws;

namespace {

const error_code retired = interlock::error::retired;
const error_code not_called = asio::error::fault;
const error_code io_error(EIO, boost::system::system_category());

using io_executor = asio::io_context::executor_type;
using narrow_socket = local::socket::rebind_executor<io_executor>::other;
#if defined(INTERLOCK_HAS_DESCRIPTORS_OF_ANY_EXECUTOR)
using narrow_descriptor = interlock::posix::basic_stream_descriptor<io_executor>;
#endif

/// Says that the descriptor, offered to a retired object, is open still, and the caller's alone.
void check_still_callers(asio::io_context& context, const support::fd& offered)
{
  BOOST_TEST(support::is_fd_open(offered.get()));
  stream_descriptor other(context);
  error_code ec;
  other.assign(offered.get(), ec);
  BOOST_TEST(ec == success);
  other.release();
}

/// A listener with a connection in its queue.
struct accepting
{
  asio::io_context context;
  tcp::acceptor acceptor{context, support::any_local_port()};
  asio::ip::tcp::socket client{context};
  tcp::socket peer{context};
  support::handler_tally tally;
  error_code ec = not_called;

  void knock()
  {
    client.connect(acceptor.local_endpoint());
  }

  /// The connection has been accepted, and closed again.
  bool is_hung_up()
  {
    return support::wait_until(
      [this]
      {
        ::pollfd p = {client.native_handle(), POLLIN | POLLRDHUP, 0};
        return ::poll(&p, 1, 0) == 1 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
      });
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_retire)

BOOST_AUTO_TEST_CASE(it_closes_and_aborts_what_is_outstanding)
{
  asio::io_context context;
  support::ends pair = support::unix_ends();
  support::close_watch watch(pair.near.get());
  local::socket s(context, local(), pair.near.release());
  support::handler_tally tally;
  error_code read = not_called;
  char buffer[8];
  s.async_read_some(asio::buffer(buffer), tally(support::into(read)));
  s.retire();
  BOOST_TEST(!s.is_open());
  BOOST_TEST(s.native_handle() == -1);
  context.run();
  BOOST_TEST(read == aborted);
  BOOST_TEST(tally.all_called());
  BOOST_TEST(watch.wait_closed());
  BOOST_TEST(watch.arrived() == 1u);
  BOOST_TEST((watch.close_waiter() == std::this_thread::get_id()));
}

BOOST_AUTO_TEST_CASE(it_wakes_a_blocked_call)
{
  support::tcp_subject s;
  char data[8];
  support::call_in_thread blocked(
    [&]
    {
      support::outcome o;
      o.bytes = s.object.read_some(asio::buffer(data), o.ec);
      return o;
    });
  BOOST_TEST_REQUIRE(blocked.blocks());
  s.object.retire();
  BOOST_TEST(blocked.get().ec == aborted);
  error_code ec;
  s.object.open(tcp::v4(), ec);
  BOOST_TEST(ec == retired);
}

// --- What would open the object.

BOOST_AUTO_TEST_CASE(a_retired_socket_is_not_opened)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      tcp::socket s(context, tcp::v4());
      s.retire();
      error_code ec;
      s.open(tcp::v4(), ec);
      BOOST_TEST(ec == retired);
      BOOST_TEST(!s.is_open());
      throws("open", retired, [&] { s.open(tcp::v6()); });
    });
}

BOOST_AUTO_TEST_CASE(an_object_may_be_retired_before_it_is_opened)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      tcp::socket s(context);
      s.retire();
      tcp::acceptor acceptor(context);
      acceptor.retire();
      stream_descriptor d(context);
      d.retire();
      error_code ec;
      s.open(tcp::v4(), ec);
      BOOST_TEST(ec == retired);
      acceptor.open(tcp::v4(), ec);
      BOOST_TEST(ec == retired);
      throws("open", retired, [&] { acceptor.open(tcp::v4()); });
      support::ends pipe = support::pipe_ends();
      d.assign(pipe.near.get(), ec);
      BOOST_TEST(ec == retired);
      check_still_callers(context, pipe.near);
    });
}

BOOST_AUTO_TEST_CASE(it_may_be_called_twice_and_from_many_threads)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      support::ends pair = support::unix_ends();
      support::close_watch watch(pair.near.get());
      local::socket s(context, local(), pair.near.release());
      std::thread other([&s] { s.retire(); });
      s.retire();
      s.retire();
      other.join();
      s.close();
      BOOST_TEST(watch.wait_closed());
      BOOST_TEST(watch.arrived() == 1u);
      error_code ec;
      s.open(local(), ec);
      BOOST_TEST(ec == retired);
    });
}

BOOST_AUTO_TEST_CASE(a_descriptor_offered_to_a_retired_object_stays_the_callers)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      support::ends unix_pair = support::unix_ends();
      support::ends pipe = support::pipe_ends();
      const support::fd listener = support::tcp_listener();
      local::socket s(context);
      stream_descriptor d(context);
      tcp::acceptor acceptor(context);
      s.retire();
      d.retire();
      acceptor.retire();
      error_code ec;
      s.assign(local(), unix_pair.near.get(), ec);
      BOOST_TEST(ec == retired);
      d.assign(pipe.near.get(), ec);
      BOOST_TEST(ec == retired);
      acceptor.assign(tcp::v4(), listener.get(), ec);
      BOOST_TEST(ec == retired);
      throws("assign", retired, [&] { s.assign(local(), unix_pair.near.get()); });
      throws("assign", retired, [&] { d.assign(pipe.near.get()); });
      throws("assign", retired, [&] { acceptor.assign(tcp::v4(), listener.get()); });
      s.assign(local(), unix_pair.near.get(), interlock::borrowed, ec);
      BOOST_TEST(ec == retired);
      d.assign(pipe.near.get(), interlock::borrowed, ec);
      BOOST_TEST(ec == retired);
      check_still_callers(context, unix_pair.near);
      check_still_callers(context, pipe.near);
      check_still_callers(context, listener);
    });
}

// Nor is the descriptor looked at: that it is no good is not said.
BOOST_AUTO_TEST_CASE(a_retired_object_says_so_whatever_descriptor_is_offered)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      stream_descriptor d(context);
      d.retire();
      error_code ec;
      d.assign(-1, ec);
      BOOST_TEST(ec == retired);
      d.assign(support::bad_fd, ec);
      BOOST_TEST(ec == retired);
    });
}

BOOST_FIXTURE_TEST_CASE(a_retired_socket_is_not_connected, accepting)
{
  peer.retire();
  peer.connect(acceptor.local_endpoint(), ec);
  BOOST_TEST(ec == retired);
  throws("connect", retired, [&] { peer.connect(acceptor.local_endpoint()); });
  BOOST_TEST(!peer.is_open());
  acceptor.non_blocking(true);
  acceptor.accept(client, ec);
  BOOST_TEST(ec == support::would_block);
}

BOOST_FIXTURE_TEST_CASE(an_asynchronous_connect_of_a_retired_socket_completes_so, accepting)
{
  peer.retire();
  peer.async_connect(acceptor.local_endpoint(), tally(support::into(ec)));
  BOOST_TEST(tally.called() == 0);
  context.run();
  BOOST_TEST(ec == retired);
  BOOST_TEST(tally.all_called());
  BOOST_TEST(!peer.is_open());
}

// Each closes the socket before an attempt, which does not undo it. That the asynchronous one finds
// the socket closed is what Asio says of a closed one.
BOOST_FIXTURE_TEST_CASE(a_connect_over_a_list_of_addresses_ends_with_the_retirement, accepting)
{
  const std::vector<tcp::endpoint> list(2, acceptor.local_endpoint());
  peer.retire();
  asio::async_connect(peer, list, tally(support::into(ec)));
  context.run();
  BOOST_TEST(ec == aborted);
  BOOST_TEST(tally.all_called());
  asio::connect(peer, list, ec);
  BOOST_TEST(ec == retired);
  BOOST_TEST(!peer.is_open());
  acceptor.non_blocking(true);
  acceptor.accept(client, ec);
  BOOST_TEST(ec == support::would_block);
}

// As a watchdog does: between the attempts of a connect that other code has started.
BOOST_AUTO_TEST_CASE(a_connect_that_is_under_way_is_aborted_and_not_tried_again)
{
  support::connecting_subject s;
  support::handler_tally tally;
  error_code ec = not_called;
  const asio::ip::tcp::endpoint address = s.listener.local_endpoint();
  const std::vector<tcp::endpoint> list(3, address);
  asio::async_connect(s.object, list, tally(support::into(ec)));
  s.context.poll();
  BOOST_TEST(tally.called() == 0);
  s.object.retire();
  s.context.restart();
  s.context.run();
  BOOST_TEST(tally.all_called());
  BOOST_TEST(ec == aborted);
  BOOST_TEST(!s.object.is_open());
}

// --- Accepting into the object.

BOOST_FIXTURE_TEST_CASE(what_is_accepted_into_a_retired_socket_is_closed, accepting)
{
  const support::census fds;
  peer.retire();
  knock();
  const std::size_t open = support::open_descriptors();
  acceptor.accept(peer, ec);
  BOOST_TEST(ec == retired);
  BOOST_TEST(!peer.is_open());
  BOOST_TEST(is_hung_up());
  BOOST_TEST(support::wait_until([open] { return support::open_descriptors() == open; }));
  client.close();
  knock();
  throws("accept", retired, [&] { acceptor.accept(peer); });
  BOOST_TEST(is_hung_up());
}

BOOST_FIXTURE_TEST_CASE(
  what_is_accepted_with_its_address_into_a_retired_socket_is_closed, accepting)
{
  peer.retire();
  knock();
  tcp::endpoint address;
  acceptor.accept(peer, address, ec);
  BOOST_TEST(ec == retired);
  BOOST_TEST(is_hung_up());
}

BOOST_FIXTURE_TEST_CASE(what_is_asynchronously_accepted_into_a_retired_socket_is_closed, accepting)
{
  peer.retire();
  acceptor.async_accept(peer, tally(support::into(ec)));
  knock();
  context.run();
  BOOST_TEST(ec == retired);
  BOOST_TEST(tally.all_called());
  BOOST_TEST(!peer.is_open());
  BOOST_TEST(is_hung_up());
}

// Retired only while the accept is waiting for a client.
BOOST_FIXTURE_TEST_CASE(a_socket_may_be_retired_while_it_is_waited_for_a_peer, accepting)
{
  tcp::endpoint address;
  acceptor.async_accept(peer, address, tally(support::into(ec)));
  context.poll();
  peer.retire();
  BOOST_TEST(tally.called() == 0);
  knock();
  context.run();
  BOOST_TEST(ec == retired);
  BOOST_TEST(is_hung_up());
  // The acceptor goes on: it has not been retired.
  BOOST_TEST(acceptor.is_open());
  client.close();
  ec = not_called;
  tcp::socket next(context);
  acceptor.async_accept(next, tally(support::into(ec)));
  knock();
  context.restart();
  context.run();
  BOOST_TEST(ec == success);
  BOOST_TEST(next.is_open());
}

BOOST_FIXTURE_TEST_CASE(a_retired_acceptor_aborts_its_accepts, accepting)
{
  acceptor.async_accept(peer, tally(support::into(ec)));
  acceptor.retire();
  context.run();
  BOOST_TEST(ec == aborted);
  acceptor.open(tcp::v4(), ec);
  BOOST_TEST(ec == retired);
  acceptor.accept(peer, ec);
  BOOST_TEST(ec == bad_descriptor);
}

BOOST_FIXTURE_TEST_CASE(the_address_of_a_retired_acceptor_is_free, accepting)
{
  const tcp::endpoint address = acceptor.local_endpoint();
  acceptor.retire();
  tcp::acceptor next(context, tcp::v4());
  next.bind(address, ec);
  BOOST_TEST(ec == success);
}

// --- What else is asked of the object.

BOOST_AUTO_TEST_CASE(operations_find_a_retired_object_closed)
{
  asio::io_context context;
  support::handler_tally tally;
  stream_descriptor d(context, support::pipe_ends().near.release());
  d.retire();
  error_code ec;
  error_code read = not_called;
  char buffer[8];
  d.read_some(asio::buffer(buffer), ec);
  BOOST_TEST(ec == bad_descriptor);
  d.async_read_some(asio::buffer(buffer), tally(support::into(read)));
  context.run();
  BOOST_TEST(read == bad_descriptor);
  BOOST_TEST(!d.lease());
}

BOOST_AUTO_TEST_CASE(async_close_tells_the_outcome_of_a_retired_object)
{
  support::loop loop;
  support::ends pipe = support::pipe_ends();
  support::close_watch watch(pipe.near.get());
  watch.report(EIO);
  stream_descriptor d(loop.context, pipe.near.release());
  d.retire();
  BOOST_CHECK_EXCEPTION(d.async_close(asio::use_future).get(), boost::system::system_error,
    [](const boost::system::system_error& e) { return e.code() == io_error; });
  stream_descriptor never_opened(loop.context);
  never_opened.retire();
  never_opened.async_close(asio::use_future).get();
}

// The close that has been asked for is the one; the retirement joins it.
BOOST_AUTO_TEST_CASE(an_object_that_is_closing_can_be_retired)
{
  asio::io_context context;
  support::ends pipe = support::unread_ends();
  support::close_watch watch(pipe.near.get());
  watch.shut_gate();
  watch.report(EIO);
  stream_descriptor d(context, pipe.near.release());
  support::handler_tally tally;
  error_code closed = not_called;
  d.async_close(tally(support::into(closed)));
  d.retire();
  error_code ec;
  d.assign(support::pipe_ends().near.get(), ec);
  BOOST_TEST(ec == retired);
  BOOST_TEST(watch.wait_arrived());
  watch.open_gate();
  context.run();
  BOOST_TEST(closed == io_error);
  BOOST_TEST(watch.arrived() == 1u);
}

BOOST_AUTO_TEST_CASE(the_descriptor_of_a_released_object_is_not_touched)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      support::ends pipe = support::pipe_ends();
      stream_descriptor d(context, pipe.near.release());
      const support::fd released(d.release());
      d.retire();
      check_still_callers(context, released);
      error_code ec;
      d.assign(released.get(), ec);
      BOOST_TEST(ec == retired);
    });
}

// --- Moves.

BOOST_AUTO_TEST_CASE(a_move_takes_it_along_and_leaves_a_fresh_object)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      tcp::socket from(context, tcp::v4());
      from.retire();
      tcp::socket to(std::move(from));
      error_code ec;
      to.open(tcp::v4(), ec);
      BOOST_TEST(ec == retired);
      from.open(tcp::v4(), ec);
      BOOST_TEST(ec == success);
      BOOST_TEST(from.is_open());
    });
}

// What was assigned to is what it is assigned, in this as in everything.
BOOST_AUTO_TEST_CASE(a_move_assignment_replaces_it)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      tcp::socket s(context);
      s.retire();
      s = tcp::socket(context, tcp::v4());
      BOOST_TEST(s.is_open());
      tcp::socket other(context);
      other.retire();
      s = std::move(other);
      error_code ec;
      s.open(tcp::v4(), ec);
      BOOST_TEST(ec == retired);
      other.open(tcp::v4(), ec);
      BOOST_TEST(ec == success);
      std::swap(s, other);
      other.close();
      other.open(tcp::v4(), ec);
      BOOST_TEST(ec == retired);
      BOOST_TEST(s.is_open());
    });
}

BOOST_AUTO_TEST_CASE(a_converting_move_takes_it_along)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      narrow_socket from(context, local(), support::unix_ends().near.release());
      from.retire();
      local::socket to(std::move(from));
      error_code ec;
      to.open(local(), ec);
      BOOST_TEST(ec == retired);
      from.open(local(), ec);
      BOOST_TEST(ec == success);

#if defined(INTERLOCK_HAS_DESCRIPTORS_OF_ANY_EXECUTOR)
      narrow_descriptor d(context);
      d.retire();
      stream_descriptor moved(std::move(d));
      moved.assign(support::pipe_ends().near.get(), ec);
      BOOST_TEST(ec == retired);
#endif
    });
}

BOOST_AUTO_TEST_CASE(a_converting_assignment_replaces_it)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      narrow_socket from(context, local(), support::unix_ends().near.release());
      local::socket to(context);
      to.retire();
      to = std::move(from);
      BOOST_TEST(to.is_open());
      to.close();
      error_code ec;
      to.open(local(), ec);
      BOOST_TEST(ec == success);
    });
}

BOOST_AUTO_TEST_CASE(a_socket_of_asio_may_take_the_place_of_a_retired_one)
{
  losing_nothing(
    [](asio::io_context& context)
    {
      asio::local::stream_protocol::socket of_asio(
        context, asio::local::stream_protocol(), support::unix_ends().near.release());
      local::socket s(context);
      s.retire();
      s = local::socket(std::move(of_asio));
      BOOST_TEST(s.is_open());
      s.retire();
      BOOST_CHECK_THROW(s.to_asio(), boost::system::system_error);
    });
}

// --- Threads.

// Whichever thread comes first: the object is closed in the end, and stays so. What was assigned too late is
// still the opener's.
BOOST_AUTO_TEST_CASE(an_object_opened_meanwhile_is_never_open_afterwards)
{
  const support::census fds;
  const std::size_t strays = support::stray_closes();
  int open = 0;
  int lost = 0;
  int wrong = 0;
  {
    asio::io_context context;
    for (int i = 0; i != 2000; ++i)
    {
      local::socket s(context);
      if (i % 3 == 0)
        s.open(local());
      std::atomic<int> ready{0};
      const auto meet = [&ready]
      {
        ++ready;
        while (ready != 2)
          std::this_thread::yield();
      };
      std::thread opener(
        [&]
        {
          meet();
          s.close();
          error_code ec;
          if (i % 2)
          {
            s.open(local(), ec);
          }
          else
          {
            support::ends pair = support::unix_ends();
            s.assign(local(), pair.near.get(), ec);
            if (!ec)
              pair.near.release();
            else if (!support::is_fd_open(pair.near.get()))
              ++lost;
          }
          wrong += ec && ec != retired ? 1 : 0;
        });
      meet();
      s.retire();
      open += s.is_open() ? 1 : 0;
      opener.join();
      open += s.is_open() ? 1 : 0;
      error_code ec;
      s.open(local(), ec);
      wrong += ec == retired ? 0 : 1;
    }
  }
  BOOST_TEST(open == 0);
  BOOST_TEST(lost == 0);
  BOOST_TEST(wrong == 0);
  BOOST_TEST(fds.restored());
  BOOST_TEST(support::stray_closes() == strays);
}

BOOST_AUTO_TEST_CASE(a_reconnecting_client_is_stopped_by_a_handle)
{
  support::loop loop;
  support::refusing_port nobody(loop.context);
  const tcp::endpoint address = nobody.endpoint();
  tcp::socket s(loop.context);
  const interlock::close_handle h = s.get_close_handle();
  std::atomic<int> attempts{0};
  std::atomic<bool> over{false};
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
      over = true;
    });
  BOOST_TEST(support::wait_until([&] { return attempts > 10; }));
  h.retire();
  client.join();
  BOOST_TEST(over);
  BOOST_TEST(!s.is_open());
}

BOOST_AUTO_TEST_SUITE_END()
