// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Guarantee G11, the other half: what a synchronous call reports is the truth whatever else happens
// at the same time. A success stays one, a signal passes through, a wake-up is for one call only,
// and a call that is not to wait does not.

#include "support/prelude.hpp"

#include <interlock/ip/udp.hpp>

#include <algorithm>
#include <cstdint>
#include <tuple>

#include <netinet/in.h>
#include <signal.h>

#include <boost/asio/ip/udp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read.hpp>

#include "support/blocking_subjects.hpp"
#include "support/interrupting_signal.hpp"
#include "support/sleeps_in_poll.hpp"
#include "support/system_errors.hpp"

using namespace support;
using interlock::ip::udp;

namespace {

constexpr int rounds = 100;

template <class Object>
outcome read_some(Object& object)
{
  outcome o;
  char data[8];
  o.bytes = object.read_some(asio::buffer(data), o.ec);
  return o;
}

template <class Object>
outcome write_some(Object& object)
{
  outcome o;
  o.bytes = object.write_some(asio::buffer("x", 1), o.ec);
  return o;
}

using empty_subjects = std::tuple<tcp_subject, unix_subject, pipe_subject, event_subject>;
using full_subjects = std::tuple<full_tcp_subject, full_unix_subject, full_pipe_subject,
  stopped_pty_subject, full_event_subject>;

// Asio's own, made non-blocking so that it waits in poll(2) as well.
outcome plain_read(asio::posix::stream_descriptor& object)
{
  object.native_non_blocking(true);
  return read_some(object);
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_g11_results_of_woken_calls)

BOOST_AUTO_TEST_CASE_TEMPLATE(
  a_write_in_non_blocking_mode_reports_would_block, Subject, full_subjects)
{
  Subject s;
  s.object.non_blocking(true);
  const std::uint64_t one = 1;
  error_code ec;
  BOOST_TEST(s.object.write_some(asio::buffer(&one, sizeof(one)), ec) == 0u);
  BOOST_TEST(ec == would_block);
  for (const auto what : {s.object.wait_write, s.object.wait_error})
  {
    s.object.wait(what, ec);
    BOOST_TEST(ec == would_block);
  }
  BOOST_TEST(s.object.is_open());
}

// The mode is looked at by the attempt that finds nothing, not by one that already waits.
BOOST_AUTO_TEST_CASE(leaving_the_non_blocking_mode_makes_calls_wait_again)
{
  pipe_subject s;
  s.object.non_blocking(true);
  BOOST_TEST(read_some(s.object).ec == would_block);
  s.object.non_blocking(false);
  call_in_thread blocked([&] { return read_some(s.object); });
  BOOST_TEST_REQUIRE(blocked.blocks());
  s.feed();
  BOOST_TEST(blocked.get().ec == success);
}

// What was there before the close is what the call reports, however the two events reach the
// thread: it is woken only after both.
BOOST_AUTO_TEST_CASE_TEMPLATE(data_and_a_close_at_once_are_a_success, Subject, empty_subjects)
{
  for (int i = 0; i != rounds; ++i)
  {
    Subject s;
    call_in_thread blocked([&] { return read_some(s.object); });
    BOOST_TEST_REQUIRE(blocked.blocks());
    s.feed();
    s.object.close();
    const outcome o = blocked.get();
    BOOST_TEST_REQUIRE(o.ec == success);
    BOOST_TEST_REQUIRE(o.bytes > 0u);
  }
}

// In whatever order the thread sees the two, it either has the byte and says so, or has not and
// leaves it. A copy of the descriptor shows what was left.
BOOST_AUTO_TEST_CASE(a_byte_is_read_and_reported_or_neither)
{
  int read = 0;
  for (int i = 0; i != rounds; ++i)
  {
    pipe_subject s;
    const fd copy(::dup(s.object.native_handle()));
    call_in_thread blocked([&] { return read_some(s.object); });
    BOOST_TEST_REQUIRE(blocked.blocks());
    ::ssize_t written = 0;
    at_once(2,
      [&](int side)
      {
        if (side == i % 2)
          s.object.close();
        else
          written = ::write(s.other.get(), "x", 1);
      });
    const outcome o = blocked.get();
    BOOST_TEST_REQUIRE(written == 1);
    BOOST_TEST_REQUIRE((o.ec == success || o.ec == aborted));
    BOOST_TEST_REQUIRE(o.bytes == (o.ec ? 0u : 1u));
    char left[8];
    const ::ssize_t in_pipe = ::read(copy.get(), left, sizeof(left));
    BOOST_TEST_REQUIRE(in_pipe == (o.ec ? 1 : -1));
    read += o.ec ? 0 : 1;
  }
  BOOST_TEST_MESSAGE(read << " of " << rounds << " bytes were read before the close");
}

BOOST_AUTO_TEST_CASE(a_byte_is_written_and_reported_or_neither)
{
  for (int i = 0; i != rounds; ++i)
  {
    full_pipe_subject s;
    std::size_t drained = 0;
    call_in_thread blocked([&] { return write_some(s.object); });
    BOOST_TEST_REQUIRE(blocked.blocks());
    const int capacity = ::fcntl(s.other.get(), F_GETPIPE_SZ);
    std::vector<char> page(4096);
    at_once(2,
      [&](int side)
      {
        if (side == i % 2)
          s.object.close();
        else
          drained += static_cast<std::size_t>(::read(s.other.get(), page.data(), page.size()));
      });
    const outcome o = blocked.get();
    BOOST_TEST_REQUIRE((o.ec == success || o.ec == aborted));
    BOOST_TEST_REQUIRE(o.bytes == (o.ec ? 0u : 1u));
    for (::ssize_t n = 1; n > 0; drained += static_cast<std::size_t>(std::max<::ssize_t>(n, 0)))
      n = ::read(s.other.get(), page.data(), page.size());
    BOOST_TEST_REQUIRE(drained == static_cast<std::size_t>(capacity) + o.bytes);
  }
}

BOOST_AUTO_TEST_CASE(a_signal_passes_through_and_leaves_the_object_as_it_was)
{
  const interrupting_signal handled;
  pipe_subject s;
  call_in_thread blocked([&] { return read_some(s.object); });
  BOOST_TEST_REQUIRE(blocked.blocks());
  blocked.interrupt(SIGUSR1);
  BOOST_TEST(blocked.get().ec == system_error(EINTR));
  BOOST_TEST(s.object.is_open());
  s.feed();
  BOOST_TEST(read_some(s.object).ec == success);
}

BOOST_AUTO_TEST_CASE(a_signal_is_reported_as_asio_reports_it)
{
  const interrupting_signal handled;
  pipe_subject s;
  asio::posix::stream_descriptor plain(s.context, ::dup(s.object.native_handle()));
  call_in_thread blocked([&] { return plain_read(plain); });
  BOOST_TEST_REQUIRE(blocked.blocks());
  blocked.interrupt(SIGUSR1);
  BOOST_TEST(blocked.get().ec == system_error(EINTR));
}

// A wake-up that was left over would keep the second call from sleeping: `blocks` would not see it
// asleep.
BOOST_AUTO_TEST_CASE(a_wake_up_does_not_disturb_the_next_call_on_another_object)
{
  for (const bool with_data : {false, true})
  {
    pipe_subject first;
    tcp_subject second;
    std::promise<outcome> of_first;
    call_in_thread blocked(
      [&]
      {
        of_first.set_value(read_some(first.object));
        return read_some(second.object);
      });
    BOOST_TEST_REQUIRE(blocked.blocks());
    if (with_data)
      first.feed();
    first.object.close();
    BOOST_TEST(of_first.get_future().get().ec == (with_data ? success : aborted));
    BOOST_TEST_REQUIRE(blocked.blocks());
    second.feed();
    BOOST_TEST(blocked.get().ec == success);
  }
}

// The same object, opened again: the wake-up belongs to the tenure that was closed.
BOOST_AUTO_TEST_CASE(a_wake_up_does_not_disturb_the_next_call_on_the_object_opened_again)
{
  pipe_subject s;
  std::promise<outcome> of_first;
  std::promise<void> opened_again;
  call_in_thread blocked(
    [&]
    {
      of_first.set_value(read_some(s.object));
      opened_again.get_future().wait();
      return read_some(s.object);
    });
  BOOST_TEST_REQUIRE(blocked.blocks());
  s.object.close();
  BOOST_TEST(of_first.get_future().get().ec == aborted);
  pipe_subject fresh;
  s.object.assign(::dup(fresh.object.native_handle()));
  opened_again.set_value();
  BOOST_TEST_REQUIRE(blocked.blocks());
  fresh.feed();
  BOOST_TEST(blocked.get().ec == success);
}

// The thread has had no wake-up descriptor before, and gets none now.
BOOST_AUTO_TEST_CASE(a_thread_that_can_have_no_wake_up_descriptor_is_woken_all_the_same)
{
  pipe_subject s;
  std::promise<void> start;
  call_in_thread blocked(
    [&]
    {
      start.get_future().wait();
      return read_some(s.object);
    });
  const no_more_descriptors limit;
  start.set_value();
  BOOST_TEST_REQUIRE(blocked.blocks());
  s.object.close();
  BOOST_TEST(blocked.get().ec == aborted);
}

// --- Calls that a close ends when they have done a part.

BOOST_AUTO_TEST_CASE(a_write_that_a_close_ends_reports_what_it_has_written)
{
  unix_subject s;
  error_code ec;
  const std::vector<char> much(std::size_t(8) << 20);
  call_in_thread write([&] { return outcome{ec, s.object.write_some(asio::buffer(much), ec)}; });
  BOOST_TEST(write.blocks());
  s.object.close();
  const std::size_t written = write.get().bytes;
  BOOST_TEST((written != 0 && written < much.size()));
  BOOST_TEST(ec == success);
  BOOST_TEST(s.object.write_some(asio::buffer(much), ec) == 0u);
  BOOST_TEST(ec == bad_descriptor);
  std::vector<char> got(much.size());
  BOOST_TEST(asio::read(s.peer, asio::buffer(got), ec) == written);
}

// A peek waits in short turns, since no event tells of the rest; it has taken nothing.
BOOST_AUTO_TEST_CASE(a_read_of_all_that_a_close_ends_reports_what_it_has_read)
{
  const int ways_to_read_all[] = {MSG_WAITALL, MSG_WAITALL | MSG_PEEK};
  for (const int flags : ways_to_read_all)
  {
    tcp_subject s;
    char buffer[64] = {};
    error_code ec;
    s.feed();
    call_in_thread all(
      [&] {
        return outcome{ec, s.object.receive(asio::buffer(buffer), flags, ec)};
      });
    BOOST_TEST(all.blocks());
    s.object.close();
    const bool takes = (flags & MSG_PEEK) == 0;
    BOOST_TEST(all.get().bytes == (takes ? 1u : 0u));
    BOOST_TEST(ec == (takes ? success : aborted));
  }
}

// poll(2) reports what is in the error queue without end.
BOOST_AUTO_TEST_CASE(a_read_beside_an_error_queue_that_is_not_empty_sleeps)
{
  asio::io_context context;
  udp::socket s(context, udp::endpoint(asio::ip::address_v4::loopback(), 0));
  const int on = 1;
  checked(::setsockopt(s.native_handle(), IPPROTO_IP, IP_RECVERR, &on, sizeof(on)), "setsockopt");
  error_code ec;
  char buffer[4];
  udp::endpoint from;
  // It takes datagrams of its peer only: others are refused.
  asio::ip::udp::socket refusing(context, udp::endpoint(asio::ip::address_v4::loopback(), 0));
  refusing.connect(refusing.local_endpoint());
  s.send_to(asio::buffer("x", 1), refusing.local_endpoint(), 0, ec);
  BOOST_TEST(wait_until([&] { return has_error(s.native_handle()); }));
  s.receive_from(asio::buffer(buffer), from, 0, ec);
  BOOST_TEST(ec == asio::error::connection_refused);
  std::atomic<::pid_t> reader{0};
  call_in_thread read(
    [&]
    {
      reader = this_thread_id();
      outcome o;
      o.bytes = s.receive_from(asio::buffer(buffer), from, 0, o.ec);
      return o;
    });
  BOOST_TEST(wait_until([&] { return sleeps_in_epoll(reader); }));
  asio::ip::udp::socket peer(context, asio::ip::udp::v4());
  peer.send_to(asio::buffer("hello", 4), s.local_endpoint());
  BOOST_TEST(read.get().bytes == 4u);
}

BOOST_AUTO_TEST_SUITE_END()
