// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What every way to close has in common: each operation is aborted once, never inside the closing call;
// the descriptor is closed once, by the thread that the way promises; no thread of the program waits in a close(2) that
// can block; the outcome is kept; and the last word comes after every handler.

#include "support/prelude.hpp"

#include <boost/mp11/algorithm.hpp>
#include <boost/mp11/list.hpp>

#include "support/closers.hpp"
#include "support/counted.hpp"
#include "support/dropin_types.hpp"
#include "support/lingering_socket.hpp"

using namespace support;

namespace {

/// An open object of `Type`, one of dropin_types.hpp, that `Way` closes. In the end it has been closed once.
template <class Way, class Type>
struct closing : counted_in_context
{
  using way = Way;
  using object_type = typename Type::template object<interlock_family, asio::any_io_executor>;

  ends pair = Type::make();
  close_watch watch{pair.near.get()};
  object_type object{context};
  char buffer[8] = {};
  error_code waited = not_called;
  error_code closed = not_called;

  closing()
  {
    Type::put(object, pair.near);
  }

  ~closing()
  {
    BOOST_TEST(!object.is_open());
    BOOST_TEST(watch.wait_closed());
    BOOST_TEST(watch.arrived() == 1u);
  }

  /// Starts an operation that does not end by itself.
  template <class Handler>
  void start(Handler h)
  {
    if constexpr (Type::reads)
      object.async_read_some(asio::buffer(buffer), std::move(h));
    else
      object.async_wait(object.wait_read, std::move(h));
  }

  void start()
  {
    start(tally(into(waited)));
  }

  /// The operation ends. What is returned is the client, if there is one.
  fd feed()
  {
    if constexpr (Type::is_acceptor)
      return client_of(object.native_handle());
    send_text(pair.far, "x");
    return fd();
  }

  void close()
  {
    if constexpr (Way::is_asynchronous)
      Way::close(object, tally(into(closed)));
    else
      Way::close(object, nullptr);
  }

  error_code ask(const interlock::close_handle& h)
  {
    error_code told = not_called;
    h.async_close(tally(into(told)));
    run();
    return told;
  }

  /// By the thread that the way promises, if close(2) cannot block.
  void check_closed()
  {
    BOOST_TEST(watch.closed() == 1u);
    BOOST_TEST(watch.by_worker() == Way::is_asynchronous);
    BOOST_TEST((watch.close_waiter() == std::this_thread::get_id()) == !Way::is_asynchronous);
  }
};

#if defined(INTERLOCK_HAS_DESCRIPTORS_OF_ANY_EXECUTOR)
using every_way_of_descriptors = every_way;
#else
// There is one type of them only.
using every_way_of_descriptors = boost::mp11::mp_remove<every_way, by_converting_assignment>;
#endif

template <class... Types>
using in_every_way = boost::mp11::mp_product<closing, every_way, std::tuple<Types...>>;

template <class... Types>
using descriptors_in_every_way =
  boost::mp11::mp_product<closing, every_way_of_descriptors, std::tuple<Types...>>;

using every_type =
  boost::mp11::mp_append<in_every_way<tcp_socket, local_stream_socket, udp_socket,
                           local_packet_socket, tcp_acceptor, local_stream_acceptor>,
    descriptors_in_every_way<support::stream_descriptor, readable_pipe>>;

using one_type = in_every_way<local_stream_socket>;

/// The close of an acceptor waits for its address to be free.
using two_types = in_every_way<local_stream_socket, tcp_acceptor>;

/// Unread messages may hold descriptors.
struct unread_socket : local_stream_socket
{
  static ends make()
  {
    return unread_ends();
  }
};

/// What is unsent would be waited for, if the peer did not reset the connection at its end.
struct lingering_tcp_socket : tcp_socket
{
  static ends make()
  {
    ends pair = tcp_ends();
    set_linger(pair.near, 3);
    set_linger(pair.far, 0);
    support::fill(pair.near.get());
    return pair;
  }
};

using what_can_block = in_every_way<unread_socket, lingering_tcp_socket>;

} // namespace

BOOST_AUTO_TEST_SUITE(test_every_closer)

BOOST_AUTO_TEST_CASE_TEMPLATE(
  what_is_outstanding_is_aborted_and_the_descriptor_closed_once, Scene, every_type)
{
  Scene s;
  s.start();
  s.close();
  BOOST_TEST(!s.object.is_open());
  BOOST_TEST(s.object.native_handle() == -1);
  BOOST_TEST(s.tally.called() == 0);
  BOOST_TEST((Scene::way::is_asynchronous || s.watch.closed() == 1));
  s.run();
  BOOST_TEST(s.waited == aborted);
  BOOST_TEST(s.closed == (Scene::way::is_asynchronous ? success : not_called));
  BOOST_TEST(s.tally.all_called());
  s.check_closed();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_object_is_closed_inside_a_handler_of_its_own, Scene, two_types)
{
  Scene s;
  s.start(s.tally(
    [&s](error_code ec, auto...)
    {
      BOOST_TEST(!ec);
      s.close();
      BOOST_TEST(s.tally.called() == 1);
    }));
  s.object.async_wait(s.object.wait_error, s.tally(into(s.waited)));
  const fd client = s.feed();
  s.run();
  BOOST_TEST(s.waited == aborted);
  BOOST_TEST(s.tally.all_called());
  s.check_closed();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(no_thread_waits_in_a_close2_that_can_block, Scene, what_can_block)
{
  Scene s;
  s.watch.shut_gate();
  s.close();
  s.pair.far.reset();
  BOOST_TEST(run_until(s.context, [&s] { return s.watch.arrived() == 1; }));
  turn(s.context);
  BOOST_TEST(s.watch.closed() == 0u);
  s.watch.open_gate();
  BOOST_TEST(s.watch.wait_closed());
  BOOST_TEST(s.watch.by_worker());
  BOOST_TEST(!s.watch.lingered());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_lease_keeps_the_descriptor_until_its_end, Scene, two_types)
{
  Scene s;
  interlock::fd_lease lease = s.object.lease();
  s.start();
  s.close();
  turn(s.context);
  BOOST_TEST(s.waited == aborted);
  BOOST_TEST(s.tally.called() == 1);
  BOOST_TEST(s.watch.arrived() == 0u);
  BOOST_TEST(is_fd_open(lease.get()));
  lease.reset();
  BOOST_TEST((Scene::way::is_asynchronous || s.watch.closed() == 1));
  s.run();
  BOOST_TEST(s.tally.all_called());
  s.check_closed();
}

// The handlers, which no thread calls, go with the context.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_context_that_is_not_run_keeps_no_descriptor, Scene, one_type)
{
  Scene s;
  s.start();
  s.close();
  BOOST_TEST(s.watch.wait_closed());
  BOOST_TEST(s.tally.called() == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_stopped_context_completes_after_its_restart, Scene, one_type)
{
  Scene s;
  s.context.stop();
  s.start();
  s.close();
  BOOST_TEST(s.watch.wait_closed());
  BOOST_TEST(s.context.run() == 0u);
  BOOST_TEST(s.tally.called() == 0);
  s.run();
  BOOST_TEST(s.waited == aborted);
  BOOST_TEST(s.tally.all_called());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_outcome_is_told_to_every_caller_from_then_on, Scene, one_type)
{
  Scene s;
  s.watch.report(EIO);
  const interlock::close_handle handle = s.object.get_close_handle();
  s.close();
  s.run();
  BOOST_TEST(s.closed == (Scene::way::is_asynchronous ? io_error : not_called));
  for (int i = 0; i != 2; ++i)
    BOOST_TEST(s.ask(handle) == io_error);
  BOOST_TEST(s.tally.all_called());
}

// The other context is run only after everything else is over.
BOOST_AUTO_TEST_CASE_TEMPLATE(the_last_word_comes_after_every_handler, Scene, one_type)
{
  Scene s;
  asio::io_context idle;
  int ended_before = -1;
  const interlock::close_handle handle = s.object.get_close_handle();
  s.start(asio::bind_executor(idle.get_executor(), s.tally(into(s.waited))));
  s.close();
  handle.async_close([&](error_code) { ended_before = s.tally.ended(); });
  BOOST_TEST(run_until(s.context, [&s] { return s.watch.closed() == 1; }));
  turn(s.context);
  BOOST_TEST(ended_before == -1);
  BOOST_TEST(s.closed == not_called);
  BOOST_TEST(idle.poll_one() == 1u);
  s.run();
  BOOST_TEST(ended_before >= 1);
  BOOST_TEST(s.waited == aborted);
  BOOST_TEST(s.tally.all_called());
}

BOOST_AUTO_TEST_SUITE_END()
