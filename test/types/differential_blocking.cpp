// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Guarantee G12, by comparison: synchronous calls are blocking calls. Under signals, with MSG_WAITALL, with a low
// watermark and with more to write than there is room for, they do what calls on a blocking descriptor do.

#include "support/prelude.hpp"

#include <signal.h>

#include <boost/asio/socket_base.hpp>

#include "support/blocking_notes.hpp"
#include "support/differential.hpp"
#include "support/sanitizers.hpp"
#include "support/signal_disposition.hpp"

using namespace support;
using asio::socket_base;

namespace {

#if !defined(INTERLOCK_TEST_THREAD_SANITIZER)

/// SIGUSR1 is caught, with or without SA_RESTART.
class caught_signal : private signal_disposition
{
public:
  explicit caught_signal(int flags)
    : signal_disposition(SIGUSR1, flags, [](int) { ++count; })
  {
  }

  /// Interrupts the call, which sleeps, a few times.
  static void rain_on(call_in_thread& call)
  {
    constexpr int drops = 3;
    for (int i = 0; i != drops && call.sleeps(); ++i)
    {
      const int before = count;
      call.interrupt(SIGUSR1);
      wait_until([&] { return count != before; });
    }
  }

private:
  static inline std::atomic<int> count{0};
};

#endif

/// As feed, where what has come may stay in the socket. The kernel's read of an AF_UNIX stream takes it at once.
template <class Socket>
void heap(
  Socket& writer, Socket& reader, const call_in_thread& call, std::vector<std::string> pieces)
{
  const std::size_t before = reader.available();
  std::size_t sum = before;
  for (const std::string& piece : pieces)
  {
    call.sleeps();
    asio::write(writer, asio::buffer(piece));
    sum += piece.size();
    wait_until(
      [&]
      {
        const std::size_t n = reader.available();
        return call.returned() || n == sum || n == 0;
      });
  }
}

template <class Pair>
void note_waitall(notes& note, Pair pair)
{
  call_in_thread all([&] { return receive(pair.second, 10, MSG_WAITALL); });
  feed(pair.first, pair.second, all, {"ab", "cd", "ef", "gh", "ij"});
  note_outcome(note, "receive of all", all.get());
  call_in_thread ended([&] { return receive(pair.second, 10, MSG_WAITALL); });
  feed(pair.first, pair.second, ended, {"abc"});
  pair.first.shutdown(socket_base::shutdown_send);
  note_outcome(note, "receive of all until the end", ended.get());
  note_outcome(note, "receive after the end", receive(pair.second, 10, MSG_WAITALL));
}

/// A peek at all of five bytes, while `pieces` come; `rest` comes after it.
template <class Pair>
void note_peek(notes& note, Pair pair, std::vector<std::string> pieces, std::string rest)
{
  call_in_thread peek([&] { return receive(pair.second, 5, MSG_WAITALL | MSG_PEEK); });
  heap(pair.first, pair.second, peek, std::move(pieces));
  note_outcome(note, "peek at all", peek.get());
  asio::write(pair.first, asio::buffer(rest));
  note_outcome(note, "receive of what was seen", receive(pair.second, 10, 0));
}

template <class Pair>
void note_low_watermark(notes& note, Pair pair)
{
  pair.second.set_option(socket_base::receive_low_watermark(6));
  call_in_thread marked([&] { return receive(pair.second, 10, 0); });
  heap(pair.first, pair.second, marked, {"ab", "cd", "ef"});
  note_outcome(note, "receive at the mark", marked.get());
  asio::write(pair.first, asio::buffer("abcd", 4));
  note_outcome(note, "receive of less than the mark", receive(pair.second, 4, 0));
  asio::write(pair.first, asio::buffer("ab", 2));
  pair.first.shutdown(socket_base::shutdown_send);
  note_outcome(note, "receive of less at the end", receive(pair.second, 10, 0));
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_differential_blocking, compared)

// --- Signals.

// Not under ThreadSanitizer: it calls no signal handler in a thread that blocks in recv(2), as Asio's does.
#if !defined(INTERLOCK_TEST_THREAD_SANITIZER)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_read_goes_on_after_a_signal_that_restarts, F, both_families)
{
  const caught_signal caught(SA_RESTART);
  tcp_pair<F> pair(context);
  call_in_thread read([&] { return receive(pair.second, 4, 0); });
  caught_signal::rain_on(read);
  asio::write(pair.first, asio::buffer("x", 1));
  note_outcome(note, "read", read.get());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_read_ends_with_a_signal_that_does_not_restart, F, both_families)
{
  const caught_signal caught(0);
  tcp_pair<F> pair(context);
  call_in_thread read([&] { return receive(pair.second, 4, 0); });
  caught_signal::rain_on(read);
  note_outcome(note, "read", read.get());
  asio::write(pair.first, asio::buffer("x", 1));
  note_outcome(note, "the next read", receive(pair.second, 4, 0));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_accept_goes_on_after_a_signal_that_restarts, F, both_families)
{
  const caught_signal caught(SA_RESTART);
  typename F::tcp::acceptor acceptor(context, tcp_pair<F>::loopback());
  typename F::tcp::socket client(context);
  typename F::tcp::socket server(context);
  call_in_thread accept(
    [&]
    {
      outcome o;
      acceptor.accept(server, o.ec);
      return o;
    });
  caught_signal::rain_on(accept);
  client.connect(acceptor.local_endpoint());
  note_outcome(note, "accept", accept.get());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(
  a_descriptor_is_read_on_after_a_signal_that_restarts, F, both_families)
{
  const caught_signal caught(SA_RESTART);
  ends pipe = pipe_ends();
  typename F::stream_descriptor reader(context, pipe.near.release());
  call_in_thread read(
    [&]
    {
      char c = 0;
      outcome o;
      o.bytes = reader.read_some(asio::buffer(&c, 1), o.ec);
      return o;
    });
  caught_signal::rain_on(read);
  send_text(pipe.far, "x");
  note_outcome(note, "read", read.get());
}

// poll(2) is never restarted.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_wait_ends_with_any_signal, F, both_families)
{
  const caught_signal caught(SA_RESTART);
  tcp_pair<F> pair(context);
  call_in_thread wait(
    [&]
    {
      outcome o;
      pair.second.wait(socket_base::wait_read, o.ec);
      return o;
    });
  caught_signal::rain_on(wait);
  note_outcome(note, "wait", wait.get());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_write_that_a_signal_ends_has_written_a_part, F, both_families)
{
  const caught_signal caught(0);
  tcp_pair<F> pair(context);
  call_in_thread write([&] { return write_much(pair.first); });
  caught_signal::rain_on(write);
  const outcome o = write.get();
  note("write", o.ec);
  note("write has written a part", o.bytes != 0 && o.bytes < much);
}

#endif

// --- As much as is asked for.

BOOST_AUTO_TEST_CASE_TEMPLATE(a_write_is_whole, F, both_families)
{
  tcp_pair<F> tcp(context);
  note_outcome(note, "TCP", drained(tcp.second, [&] { return write_much(tcp.first); }));
  local_pair<F> local(context);
  note_outcome(note, "AF_UNIX", drained(local.second, [&] { return write_much(local.first); }));
  ends pipe = pipe_ends();
  typename F::stream_descriptor reader(context, pipe.near.release());
  typename F::stream_descriptor writer(context, pipe.far.release());
  note_outcome(note, "pipe", drained(reader, [&] { return write_much(writer); }));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_write_of_an_object_in_a_non_blocking_mode_is_not, F, both_families)
{
  tcp_pair<F> pair(context);
  pair.first.native_non_blocking(true);
  const outcome native = write_much(pair.first);
  note("write in the native mode", native.ec);
  note("has written a part", native.bytes != 0 && native.bytes < much);
  pair.first.non_blocking(true);
  // The kernel may still be making room.
  outcome full;
  while (!full.ec)
    full = write_much(pair.first);
  note_outcome(note, "write in non-blocking mode", full);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_read_may_wait_for_all, F, both_families)
{
  note_waitall(note, tcp_pair<F>(context));
  note_waitall(note, local_pair<F>(context));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_read_of_all_leaves_a_reset_for_the_next, F, both_families)
{
  tcp_pair<F> pair(context);
  call_in_thread all([&] { return receive(pair.second, 10, MSG_WAITALL); });
  feed(pair.first, pair.second, all, {"abc"});
  pair.first.set_option(socket_base::linger(true, 0));
  pair.first.close();
  note_outcome(note, "receive of all", all.get());
  note_outcome(note, "the next", receive(pair.second, 10, 0));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_peek_may_wait_for_all, F, both_families)
{
  note_peek(note, tcp_pair<F>(context), {"ab", "cde"}, "");
  // The kernel ends this one at the first bytes.
  note_peek(note, local_pair<F>(context), {"ab"}, "cde");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_read_waits_for_the_low_watermark, F, both_families)
{
  note_low_watermark(note, tcp_pair<F>(context));
  note_low_watermark(note, local_pair<F>(context));
}

// --- The mode of the descriptor.

BOOST_AUTO_TEST_CASE_TEMPLATE(
  what_is_used_synchronously_stays_a_blocking_descriptor, F, both_families)
{
  tcp_pair<F> pair(context);
  note("after a connect", !is_non_blocking(pair.first.native_handle()));
  note("after an accept", !is_non_blocking(pair.second.native_handle()));
  asio::write(pair.first, asio::buffer("x", 1));
  note_outcome(note, "read", receive(pair.second, 1, 0));
  note("after a write", !is_non_blocking(pair.first.native_handle()));
  note("after a read", !is_non_blocking(pair.second.native_handle()));
  char c = 0;
  pair.second.async_read_some(asio::buffer(&c, 1), note.handler("asynchronous read"));
  note("after an asynchronous operation", !is_non_blocking(pair.second.native_handle()));
  asio::write(pair.first, asio::buffer("x", 1));
  run(context);
}

BOOST_AUTO_TEST_SUITE_END()
