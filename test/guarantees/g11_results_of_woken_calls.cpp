// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Guarantee G11, the other half: what a synchronous call reports is the truth whatever else happens
// at the same time. A success stays one, a signal passes through, a wake-up is for one call only,
// and a call that is not to wait does not.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/test/unit_test.hpp>

#include "support/blocking_subjects.hpp"
#include "support/census.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/interrupting_signal.hpp"
#include "support/sync_support.hpp"
#include "support/system_errors.hpp"

namespace asio = boost::asio;
using namespace support;

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

template <class Subject>
void blocks_nowhere()
{
  Subject s;
  s.object.non_blocking(true);
  error_code ec;
  s.object.wait(s.object.wait_read, ec);
  BOOST_TEST(ec == would_block);
  s.object.wait(s.object.wait_error, ec);
  BOOST_TEST(ec == would_block);
}

template <class Subject>
void reads_would_block()
{
  blocks_nowhere<Subject>();
  Subject s;
  s.object.non_blocking(true);
  BOOST_TEST(read_some(s.object).ec == would_block);
  BOOST_TEST(s.object.is_open());
  s.feed();
  BOOST_TEST(read_some(s.object).ec == success);
}

template <class Subject>
void writes_would_block()
{
  Subject s;
  s.object.non_blocking(true);
  const std::uint64_t one = 1;
  error_code ec;
  BOOST_TEST(s.object.write_some(asio::buffer(&one, sizeof(one)), ec) == 0u);
  BOOST_TEST(ec == would_block);
  s.object.wait(s.object.wait_write, ec);
  BOOST_TEST(ec == would_block);
  BOOST_TEST(s.object.is_open());
}

// What was there before the close is what the call reports, however the two events reach the
// thread: it is woken only after both.
template <class Subject>
void data_before_the_close_is_read()
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

// Two threads that start at the same moment, as nearly as they can; which of the two is the new one
// changes from round to round, since it starts a little later.
void at_once(int round, std::function<void()> first, std::function<void()> second)
{
  if (round % 2 != 0)
    std::swap(first, second);
  std::atomic<int> ready{0};
  const auto meet = [&ready](const std::function<void()>& then)
  {
    ++ready;
    while (ready != 2)
      std::this_thread::yield();
    then();
  };
  std::thread other([&] { meet(second); });
  meet(first);
  other.join();
}

// Asio's own, made non-blocking so that it waits in poll(2) as well.
outcome plain_read(asio::posix::stream_descriptor& object)
{
  object.native_non_blocking(true);
  return read_some(object);
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_g11_results_of_woken_calls)

BOOST_AUTO_TEST_CASE(a_read_in_non_blocking_mode_reports_would_block)
{
  reads_would_block<tcp_subject>();
  reads_would_block<unix_subject>();
  reads_would_block<pipe_subject>();
  reads_would_block<event_subject>();
}

BOOST_AUTO_TEST_CASE(a_write_in_non_blocking_mode_reports_would_block)
{
  writes_would_block<full_tcp_subject>();
  writes_would_block<full_unix_subject>();
  writes_would_block<full_pipe_subject>();
  writes_would_block<stopped_pty_subject>();
  writes_would_block<full_event_subject>();
}

BOOST_AUTO_TEST_CASE(an_accept_in_non_blocking_mode_reports_would_block)
{
  blocks_nowhere<acceptor_subject>();
  acceptor_subject s;
  s.object.non_blocking(true);
  error_code ec;
  BOOST_TEST(!s.object.accept(ec).is_open());
  BOOST_TEST(ec == would_block);
  s.feed();
  s.object.accept(ec);
  BOOST_TEST(ec == success);
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

BOOST_AUTO_TEST_CASE(data_and_a_close_at_once_are_a_success)
{
  data_before_the_close_is_read<tcp_subject>();
  data_before_the_close_is_read<unix_subject>();
  data_before_the_close_is_read<pipe_subject>();
  data_before_the_close_is_read<event_subject>();
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
    at_once(
      i, [&] { s.object.close(); }, [&] { written = ::write(s.other.get(), "x", 1); });
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
    at_once(
      i, [&] { s.object.close(); },
      [&]
      { drained += static_cast<std::size_t>(::read(s.other.get(), page.data(), page.size())); });
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

BOOST_AUTO_TEST_CASE(a_regular_file_is_never_waited_for)
{
  const census descriptors;
  {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), &std::fclose);
    BOOST_TEST_REQUIRE(file.get());
    asio::io_context context;
    interlock::posix::stream_descriptor object(context, ::dup(::fileno(file.get())));
    BOOST_TEST(write_some(object).bytes == 1u);
    BOOST_TEST(read_some(object).ec == error_code(asio::error::eof));
    BOOST_TEST(::lseek(object.native_handle(), 0, SEEK_SET) == 0);
    BOOST_TEST(read_some(object).bytes == 1u);
  }
  BOOST_TEST(descriptors.restored());
}

BOOST_AUTO_TEST_SUITE_END()
