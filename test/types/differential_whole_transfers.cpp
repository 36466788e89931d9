// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Guarantee G12, by comparison: whether a synchronous transfer waits until all is transferred. It does where the
// descriptor of Asio's object would be blocking: not after an asynchronous operation, not if it came O_NONBLOCK, and
// not if the flags of the call say otherwise.

#include "support/prelude.hpp"

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>

#include <boost/asio/read.hpp>
#include <boost/asio/socket_base.hpp>

#include "support/blocking_notes.hpp"
#include "support/differential.hpp"

using namespace support;

namespace {

/// Whether a write that is not read has returned with a part, which the reader takes then.
template <class Writer, class Reader>
void note_part(notes& note, const std::string& what, Writer& writer, Reader& reader)
{
  const outcome o = write_much(writer);
  note(what, o.ec);
  note(what + " writes a part", o.bytes != 0 && o.bytes < much);
  std::vector<char> sink(o.bytes);
  asio::read(reader, asio::buffer(sink));
}

template <class Reader, class Writer>
void note_whole(notes& note, const std::string& what, Reader& reader, Writer& writer)
{
  note_outcome(note, what, drained(reader, [&] { return write_much(writer); }));
}

/// A wait for room, which there is.
template <class Object>
void start_and_run(notes& note, Object& object, asio::io_context& context)
{
  object.async_wait(Object::wait_write, note.handler("asynchronous wait"));
  run(context);
}

/// Two ends, of which the first is written to.
template <class Object>
void note_transfers(notes& note, asio::io_context& context, Object& first, Object& second)
{
  note("native mode at first", first.native_non_blocking());
  start_and_run(note, first, context);
  note("native mode after an operation", first.native_non_blocking());
  note_part(note, "after an operation", first, second);
  first.non_blocking(false);
  note("native mode after non_blocking(false)", first.native_non_blocking());
  note_whole(note, "blocking again", second, first);
  start_and_run(note, first, context);
  note_part(note, "after another operation", first, second);
  first.non_blocking(false);
  first.non_blocking(true);
  start_and_run(note, first, context);
  note("native mode in non-blocking mode", first.native_non_blocking());
  first.non_blocking(false);
  start_and_run(note, first, context);
  first.native_non_blocking(false);
  note_whole(note, "blocking for the second time", second, first);
}

template <class Object>
void note_came_non_blocking(notes& note, Object& first, Object& second)
{
  note("native mode", first.native_non_blocking());
  note_part(note, "a write", first, second);
  first.non_blocking(false);
  note_whole(note, "a write of the blocking object", second, first);
}

/// The kernel lets the buffers of a connection grow, until all has room, unless a program has set their sizes.
template <class Pair>
void keep_buffers(Pair& pair)
{
  pair.first.set_option(asio::socket_base::send_buffer_size(1 << 16));
  pair.second.set_option(asio::socket_base::receive_buffer_size(1 << 16));
}

void make_non_blocking(int fd)
{
  checked(::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK), "fcntl");
}

/// Each byte that is sent leaves a timestamp in the error queue.
void record_timestamps(int fd)
{
  const int what = SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_SOFTWARE
    | SOF_TIMESTAMPING_OPT_TSONLY;
  checked(::setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &what, sizeof(what)), "setsockopt");
}

/// A connection whose second socket has something in its error queue.
template <class Family>
struct timestamped_pair : tcp_pair<Family>
{
  explicit timestamped_pair(asio::io_context& context)
    : tcp_pair<Family>(context)
  {
    record_timestamps(this->second.native_handle());
    asio::write(this->second, asio::buffer("x", 1));
    BOOST_TEST_REQUIRE(wait_until([&] { return has_error(this->second.native_handle()); }));
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_differential_whole_transfers, compared)

// --- The mode of the descriptor.

BOOST_AUTO_TEST_CASE_TEMPLATE(after_an_operation_a_write_of_tcp_is_a_part, F, both_families)
{
  tcp_pair<F> pair(context);
  keep_buffers(pair);
  note_transfers(note, context, pair.first, pair.second);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(
  after_an_operation_a_write_of_a_local_socket_is_a_part, F, both_families)
{
  local_pair<F> pair(context);
  note_transfers(note, context, pair.first, pair.second);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(
  after_an_operation_a_write_of_a_descriptor_is_a_part, F, both_families)
{
  ends pipe = pipe_ends();
  typename F::stream_descriptor reader(context, pipe.near.release());
  typename F::stream_descriptor writer(context, pipe.far.release());
  note_transfers(note, context, writer, reader);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_write_of_what_came_non_blocking_is_a_part, F, both_families)
{
  ends sockets = unix_ends();
  make_non_blocking(sockets.near.get());
  typename F::local::socket first(context, typename F::local(), sockets.near.release());
  typename F::local::socket second(context, typename F::local(), sockets.far.release());
  note_came_non_blocking(note, first, second);
  ends pipe = pipe_ends();
  make_non_blocking(pipe.far.get());
  typename F::stream_descriptor writer(context, pipe.far.release());
  typename F::stream_descriptor reader(context, pipe.near.release());
  note_came_non_blocking(note, writer, reader);
}

// Not by comparison: Asio's descriptors have no such move before Boost 1.80. Ours has made it O_NONBLOCK by then.
#if defined(INTERLOCK_HAS_DESCRIPTORS_OF_ANY_EXECUTOR)
BOOST_AUTO_TEST_CASE(a_converted_descriptor_that_was_only_written_synchronously_writes_all)
{
  using wide = interlock::posix::stream_descriptor;
  using narrow = wide::rebind_executor<asio::io_context::executor_type>::other;
  ends pipe = pipe_ends();
  wide reader(context, pipe.near.release());
  narrow first(context, pipe.far.release());
  asio::write(first, asio::buffer("x", 1));
  wide writer(std::move(first));
  char x = 0;
  BOOST_TEST(asio::read(reader, asio::buffer(&x, 1)) == 1u);
  const outcome whole = drained(reader, [&] { return write_much(writer); });
  BOOST_TEST(whole.ec == success);
  BOOST_TEST(whole.bytes == much);
}
#endif

// --- The flags of one call.

BOOST_AUTO_TEST_CASE_TEMPLATE(a_call_that_does_not_wait_transfers_a_part, F, both_families)
{
  tcp_pair<F> pair(context);
  keep_buffers(pair);
  const std::vector<char> data(much, 'x');
  error_code ec;
  const std::size_t n = pair.first.send(asio::buffer(data), MSG_DONTWAIT, ec);
  note("send", ec);
  note("send of a part", n != 0 && n < much);
  asio::write(pair.second, asio::buffer("abc", 3));
  wait_until([&] { return pair.first.available() == 3; });
  note_outcome(note, "receive", receive(pair.first, 10, MSG_WAITALL | MSG_DONTWAIT));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_read_of_urgent_data_does_not_wait_for_all, F, both_families)
{
  tcp_pair<F> pair(context);
  note_outcome(note, "nothing", receive(pair.second, 4, MSG_WAITALL | MSG_OOB));
  asio::write(pair.first, asio::buffer("ab", 2));
  wait_until([&] { return pair.second.available() == 2; });
  note_outcome(note, "no urgent data", receive(pair.second, 4, MSG_WAITALL | MSG_OOB));
  pair.first.send(asio::buffer("u", 1), MSG_OOB);
  pair.second.wait(asio::socket_base::wait_error);
  note_outcome(note, "urgent data", receive(pair.second, 4, MSG_WAITALL | MSG_OOB));
}

// --- The error queue.

BOOST_AUTO_TEST_CASE_TEMPLATE(a_read_of_the_error_queue_does_not_wait_for_all, F, both_families)
{
  timestamped_pair<F> pair(context);
  note_outcome(note, "timestamp", receive(pair.second, 4, MSG_WAITALL | MSG_ERRQUEUE));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_read_of_all_beside_an_error_queue_waits_for_all, F, both_families)
{
  timestamped_pair<F> pair(context);
  call_in_thread all([&] { return receive(pair.second, 6, MSG_WAITALL); });
  feed(pair.first, pair.second, all, {"ab", "cd", "ef"});
  note_outcome(note, "receive of all", all.get());
  note("the queue stays", has_error(pair.second.native_handle()));
}

BOOST_AUTO_TEST_SUITE_END()
