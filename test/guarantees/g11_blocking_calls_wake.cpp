// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Guarantee G11: a synchronous call that is blocked in one thread returns, with operation_aborted,
// when another closes, on sockets, pipes, ttys and eventfds alike. Each call is seen to be blocked
// before the close, and each way to close that any thread may choose is tried on each.

#include "support/prelude.hpp"

#include <cstdint>
#include <tuple>

#include "support/blocking_subjects.hpp"
#include "support/closers.hpp"
#include "support/refusals.hpp"

using namespace support;

namespace {

// --- Calls that block.

template <class Object>
outcome read_some(Object& object)
{
  outcome o;
  char data[8];
  o.bytes = object.read_some(asio::buffer(data), o.ec);
  return o;
}

// What an eventfd takes.
template <class Object>
outcome write_some(Object& object)
{
  outcome o;
  const std::uint64_t one = 1;
  o.bytes = object.write_some(asio::buffer(&one, sizeof(one)), o.ec);
  return o;
}

template <class Object>
outcome wait_for(Object& object, typename Object::wait_type what)
{
  outcome o;
  object.wait(what, o.ec);
  return o;
}

const auto reading = [](auto& s) { return read_some(s.object); };
const auto writing = [](auto& s) { return write_some(s.object); };
const auto waiting_to_read = [](auto& s) { return wait_for(s.object, s.object.wait_read); };
const auto waiting_to_write = [](auto& s) { return wait_for(s.object, s.object.wait_write); };
const auto waiting_for_error = [](auto& s) { return wait_for(s.object, s.object.wait_error); };

// --- Every way to close.

// No thread runs the context meanwhile: the blocked call has to return by the initiation alone.
template <class Subject, class Way, class Call>
void close_wakes(Call call)
{
  const no_trace nothing_left;
  Subject s;
  call_in_thread blocked([&] { return call(s); });
  BOOST_TEST_REQUIRE(blocked.blocks());
  BOOST_TEST(s.object.is_open());
  int called = 0;
  error_code result;
  Way::close(s.object,
    [&](error_code ec)
    {
      ++called;
      result = ec;
    });
  BOOST_TEST(blocked.get().ec == aborted);
  BOOST_TEST(called == 0);
  s.context.run();
  BOOST_TEST(called == (Way::is_asynchronous ? 1 : 0));
  BOOST_TEST(result == success);
  BOOST_TEST(!s.object.is_open());
  BOOST_TEST(s.object.native_handle() == -1);
}

template <class Subject, class Call, class... Ways>
void each_close_wakes(Call call, const std::tuple<Ways...>&)
{
  (close_wakes<Subject, Ways>(call), ...);
}

/// Every way to close wakes `call` on each of the subjects.
template <class... Subjects, class Call>
void every_close_wakes(Call call)
{
  (each_close_wakes<Subjects>(call, ways_of_any_thread()), ...);
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_g11_blocking_calls_wake)

BOOST_AUTO_TEST_CASE(a_close_wakes_a_blocked_read_on_a_socket)
{
  every_close_wakes<tcp_subject, unix_subject>(reading);
}

BOOST_AUTO_TEST_CASE(a_close_wakes_a_blocked_read_on_a_descriptor)
{
  every_close_wakes<pipe_subject, pty_subject, event_subject>(reading);
}

BOOST_AUTO_TEST_CASE(a_close_wakes_a_blocked_write_on_a_full_socket)
{
  every_close_wakes<full_tcp_subject, full_unix_subject>(writing);
}

BOOST_AUTO_TEST_CASE(a_close_wakes_a_blocked_write_on_a_full_descriptor)
{
  every_close_wakes<full_pipe_subject, stopped_pty_subject, full_event_subject>(writing);
}

BOOST_AUTO_TEST_CASE(a_close_wakes_a_blocked_connect)
{
  every_close_wakes<connecting_subject>(
    [](auto& s)
    {
      outcome o;
      s.object.connect(s.listener.local_endpoint(), o.ec);
      return o;
    });
}

BOOST_AUTO_TEST_CASE(a_close_wakes_a_blocked_accept_into_a_new_socket)
{
  every_close_wakes<acceptor_subject>(
    [](auto& s)
    {
      outcome o;
      const auto accepted = s.object.accept(o.ec);
      o.bytes = accepted.is_open() ? 1 : 0;
      return o;
    });
}

BOOST_AUTO_TEST_CASE(a_close_wakes_a_blocked_accept_into_a_peer)
{
  every_close_wakes<acceptor_subject>(
    [](auto& s)
    {
      outcome o;
      interlock::ip::tcp::socket peer(s.context);
      asio::ip::tcp::endpoint from;
      s.object.accept(peer, from, o.ec);
      o.bytes = peer.is_open() ? 1 : 0;
      return o;
    });
}

BOOST_AUTO_TEST_CASE(a_close_wakes_a_wait_to_read_on_every_kind)
{
  every_close_wakes<tcp_subject, unix_subject, acceptor_subject, pipe_subject, pty_subject,
    event_subject>(waiting_to_read);
}

BOOST_AUTO_TEST_CASE(a_close_wakes_a_wait_to_write_on_every_kind)
{
  every_close_wakes<full_tcp_subject, full_unix_subject, full_pipe_subject, stopped_pty_subject,
    full_event_subject>(waiting_to_write);
}

BOOST_AUTO_TEST_CASE(a_close_wakes_a_wait_for_errors_on_every_kind)
{
  every_close_wakes<tcp_subject, unix_subject, acceptor_subject, pipe_subject, pty_subject,
    event_subject>(waiting_for_error);
}

BOOST_AUTO_TEST_CASE(a_throwing_overload_that_is_woken_throws_under_its_name)
{
  tcp_subject s;
  call_in_thread blocked(
    [&]
    {
      char data[8];
      return outcome{success, s.object.read_some(asio::buffer(data))};
    });
  BOOST_TEST_REQUIRE(blocked.blocks());
  s.object.close();
  throws("read_some", aborted, [&] { blocked.get(); });
}

BOOST_AUTO_TEST_CASE(one_close_wakes_all_threads_that_are_blocked_on_the_object)
{
  full_unix_subject s;
  const std::vector<std::function<outcome()>> calls = {[&] { return reading(s); },
    [&] { return reading(s); }, [&] { return reading(s); }, [&] { return writing(s); },
    [&] { return writing(s); }, [&] { return waiting_to_read(s); },
    [&] { return waiting_to_write(s); }, [&] { return waiting_for_error(s); }};
  std::vector<std::unique_ptr<call_in_thread>> blocked;
  for (const auto& call : calls)
    blocked.push_back(std::make_unique<call_in_thread>(call));
  for (const auto& thread : blocked)
    BOOST_TEST_REQUIRE(thread->blocks());
  s.object.close();
  for (const auto& thread : blocked)
    BOOST_TEST(thread->get().ec == aborted);
}

// A thread is woken once by the close that begins and once more by the one that overtakes it.
BOOST_AUTO_TEST_CASE(closes_from_several_threads_wake_a_thread_once)
{
  tcp_subject s;
  call_in_thread blocked([&] { return reading(s); });
  BOOST_TEST_REQUIRE(blocked.blocks());
  asio::thread_pool pool(3);
  int called = 0;
  s.object.async_close([&](error_code) { ++called; });
  for (int i = 0; i != 3; ++i)
    asio::post(pool, [&] { s.object.close(); });
  pool.join();
  BOOST_TEST(blocked.get().ec == aborted);
  s.context.run();
  BOOST_TEST(called == 1);
}

BOOST_AUTO_TEST_SUITE_END()
