// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The system calls that carry data, and those that ask what can be carried: one attempt each, with
// its errno.

#include <interlock/detail/descriptor/calls.hpp>

#include <algorithm>
#include <cerrno>
#include <string>

#include <poll.h>
#include <pthread.h>
#include <signal.h>

#include <boost/test/unit_test.hpp>

#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/system_errors.hpp"
#include "support/wait_until.hpp"

namespace calls = interlock::detail::calls;

using boost::system::error_code;
using support::system_error;

namespace {

/// A buffer cut into pieces of `size` bytes, for one call.
calls::pieces cut(std::string& buffer, std::size_t size)
{
  calls::pieces p;
  for (std::size_t at = 0; at < buffer.size(); at += size)
    p.vector[p.count++] = {&buffer[at], std::min(size, buffer.size() - at)};
  p.bytes = buffer.size();
  return p;
}

struct unix_pair
{
  support::ends sockets = support::unix_ends();
  error_code ec = system_error(ENOTRECOVERABLE);

  unix_pair()
  {
    error_code failed;
    calls::set_non_blocking(sockets.near.get(), true, failed);
    calls::set_non_blocking(sockets.far.get(), true, failed);
    BOOST_TEST_REQUIRE(failed == error_code());
  }
};

struct pipe_pair
{
  support::ends pipe = support::pipe_ends();
  error_code ec = system_error(ENOTRECOVERABLE);

  pipe_pair()
  {
    error_code failed;
    calls::set_non_blocking(pipe.near.get(), true, failed);
    calls::set_non_blocking(pipe.far.get(), true, failed);
    BOOST_TEST_REQUIRE(failed == error_code());
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_calls_transfer)

BOOST_AUTO_TEST_CASE(only_a_system_error_of_that_meaning_would_block)
{
  BOOST_TEST(calls::would_block(system_error(EAGAIN)));
  BOOST_TEST(calls::would_block(system_error(EWOULDBLOCK)));
  BOOST_TEST(!calls::would_block(error_code()));
  BOOST_TEST(!calls::would_block(system_error(EINTR)));
  BOOST_TEST(!calls::would_block(system_error(ECONNRESET)));
  BOOST_TEST(!calls::would_block(error_code(EAGAIN, boost::system::generic_category())));
}

BOOST_FIXTURE_TEST_CASE(a_send_gathers_and_a_receive_scatters, unix_pair)
{
  std::string sent = "one sentence in several pieces";
  std::string got(sent.size(), ' ');
  calls::pieces from = cut(sent, 7);
  calls::pieces into = cut(got, 11);
  BOOST_TEST(calls::send(sockets.near.get(), from, 0, ec) == sent.size());
  BOOST_TEST(ec == error_code());
  ec = system_error(ENOTRECOVERABLE);
  BOOST_TEST(calls::receive(sockets.far.get(), into, 0, ec) == sent.size());
  BOOST_TEST(ec == error_code());
  BOOST_TEST(got == sent);
}

BOOST_FIXTURE_TEST_CASE(the_flags_of_a_receive_are_passed_on, unix_pair)
{
  std::string text = "ab";
  calls::pieces both = cut(text, 2);
  calls::send(sockets.near.get(), both, 0, ec);
  BOOST_TEST(calls::receive(sockets.far.get(), both, MSG_PEEK, ec) == 2u);
  BOOST_TEST(calls::available(sockets.far.get(), ec) == 2u);
  BOOST_TEST(calls::receive(sockets.far.get(), both, 0, ec) == 2u);
  BOOST_TEST(calls::available(sockets.far.get(), ec) == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_socket_without_data_or_room_would_block, unix_pair)
{
  std::string byte = "x";
  calls::pieces one = cut(byte, 1);
  BOOST_TEST(calls::receive(sockets.near.get(), one, 0, ec) == 0u);
  BOOST_TEST(ec == system_error(EAGAIN));
  support::fill(sockets.near.get());
  BOOST_TEST(calls::send(sockets.near.get(), one, 0, ec) == 0u);
  BOOST_TEST(ec == system_error(EAGAIN));
}

BOOST_FIXTURE_TEST_CASE(the_end_of_a_stream_is_zero_bytes_and_no_error, unix_pair)
{
  std::string byte = "x";
  calls::pieces one = cut(byte, 1);
  sockets.far.reset();
  BOOST_TEST(calls::receive(sockets.near.get(), one, 0, ec) == 0u);
  BOOST_TEST(ec == error_code());
}

// SIGPIPE would end the program.
BOOST_FIXTURE_TEST_CASE(a_send_without_a_peer_is_an_error_and_no_signal, unix_pair)
{
  std::string byte = "x";
  calls::pieces one = cut(byte, 1);
  sockets.far.reset();
  BOOST_TEST(calls::send(sockets.near.get(), one, 0, ec) == 0u);
  BOOST_TEST(ec == system_error(EPIPE));
}

BOOST_FIXTURE_TEST_CASE(
  a_write_gathers_and_a_read_scatters_as_many_pieces_as_there_may_be, pipe_pair)
{
  std::string sent(2 * calls::pieces::max, ' ');
  for (std::size_t i = 0; i < sent.size(); ++i)
    sent[i] = static_cast<char>('a' + i % 26);
  std::string got(sent.size(), ' ');
  calls::pieces from = cut(sent, 2);
  calls::pieces into = cut(got, 2);
  BOOST_TEST(from.count == calls::pieces::max);
  BOOST_TEST(calls::write(pipe.far.get(), from, ec) == sent.size());
  BOOST_TEST(ec == error_code());
  ec = system_error(ENOTRECOVERABLE);
  BOOST_TEST(calls::read(pipe.near.get(), into, ec) == sent.size());
  BOOST_TEST(ec == error_code());
  BOOST_TEST(got == sent);
}

BOOST_FIXTURE_TEST_CASE(a_pipe_without_data_or_room_would_block, pipe_pair)
{
  std::string block(65536, 'x');
  calls::pieces all = cut(block, block.size());
  BOOST_TEST(calls::read(pipe.near.get(), all, ec) == 0u);
  BOOST_TEST(ec == system_error(EAGAIN));
  while (calls::write(pipe.far.get(), all, ec) != 0)
  {
  }
  BOOST_TEST(ec == system_error(EAGAIN));
}

BOOST_FIXTURE_TEST_CASE(the_end_of_a_pipe_is_zero_bytes_and_no_error, pipe_pair)
{
  std::string byte = "x";
  calls::pieces one = cut(byte, 1);
  pipe.far.reset();
  BOOST_TEST(calls::read(pipe.near.get(), one, ec) == 0u);
  BOOST_TEST(ec == error_code());
}

// A pipe, unlike a socket, has no flag against SIGPIPE: the program has to see to it.
BOOST_FIXTURE_TEST_CASE(a_write_to_a_pipe_without_a_reader_is_an_error, pipe_pair)
{
  ::sigset_t signals;
  ::sigset_t before;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGPIPE);
  BOOST_TEST_REQUIRE(::pthread_sigmask(SIG_BLOCK, &signals, &before) == 0);
  std::string byte = "x";
  calls::pieces one = cut(byte, 1);
  pipe.near.reset();
  BOOST_TEST(calls::write(pipe.far.get(), one, ec) == 0u);
  BOOST_TEST(ec == system_error(EPIPE));
  const ::timespec at_once = {0, 0};
  BOOST_TEST(::sigtimedwait(&signals, nullptr, &at_once) == SIGPIPE);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

BOOST_FIXTURE_TEST_CASE(a_pipe_cannot_be_used_as_a_socket, pipe_pair)
{
  std::string byte = "x";
  calls::pieces one = cut(byte, 1);
  BOOST_TEST(calls::receive(pipe.near.get(), one, 0, ec) == 0u);
  BOOST_TEST(ec == system_error(ENOTSOCK));
  BOOST_TEST(calls::send(pipe.far.get(), one, 0, ec) == 0u);
  BOOST_TEST(ec == system_error(ENOTSOCK));
}

BOOST_AUTO_TEST_CASE(a_transfer_on_a_bad_descriptor_is_an_error)
{
  const int bad = support::bad_fd;
  std::string byte = "x";
  calls::pieces one = cut(byte, 1);
  error_code ec;
  BOOST_TEST((calls::receive(bad, one, 0, ec) == 0 && ec == system_error(EBADF)));
  ec = error_code();
  BOOST_TEST((calls::send(bad, one, 0, ec) == 0 && ec == system_error(EBADF)));
  ec = error_code();
  BOOST_TEST((calls::read(bad, one, ec) == 0 && ec == system_error(EBADF)));
  ec = error_code();
  BOOST_TEST((calls::write(bad, one, ec) == 0 && ec == system_error(EBADF)));
  ec = error_code();
  BOOST_TEST((calls::available(bad, ec) == 0 && ec == system_error(EBADF)));
}

BOOST_FIXTURE_TEST_CASE(what_can_be_read_is_counted, unix_pair)
{
  BOOST_TEST(calls::available(sockets.near.get(), ec) == 0u);
  BOOST_TEST(ec == error_code());
  support::send_text(sockets.far, "seventeen letters");
  BOOST_TEST(calls::available(sockets.near.get(), ec) == 17u);
  BOOST_TEST(ec == error_code());
}

BOOST_FIXTURE_TEST_CASE(readiness_is_what_poll_says_at_this_moment, unix_pair)
{
  BOOST_TEST(!calls::ready(sockets.near.get(), POLLIN));
  BOOST_TEST(calls::ready(sockets.near.get(), POLLOUT));
  support::send_text(sockets.far, "x");
  BOOST_TEST(calls::ready(sockets.near.get(), POLLIN));
  support::fill(sockets.near.get());
  BOOST_TEST(!calls::ready(sockets.near.get(), POLLOUT));
}

BOOST_FIXTURE_TEST_CASE(a_hang_up_and_a_bad_descriptor_count_as_readiness, unix_pair)
{
  BOOST_TEST(!calls::ready(sockets.near.get(), POLLPRI));
  sockets.far.reset();
  BOOST_TEST(calls::ready(sockets.near.get(), POLLPRI));
  BOOST_TEST(calls::ready(support::bad_fd, POLLIN));
}

// poll(2) refuses more entries than descriptors are allowed: here, one.
BOOST_FIXTURE_TEST_CASE(a_poll_that_fails_counts_as_readiness, unix_pair)
{
  ::rlimit before;
  BOOST_TEST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  ::rlimit none = before;
  none.rlim_cur = 0;
  BOOST_TEST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const bool ready = calls::ready(sockets.near.get(), POLLIN);
  ::setrlimit(RLIMIT_NOFILE, &before);
  BOOST_TEST(ready);
}

BOOST_AUTO_TEST_CASE(the_mark_of_urgent_data_is_found)
{
  support::ends tcp = support::tcp_ends();
  error_code ec;
  BOOST_TEST(!calls::at_mark(tcp.near.get(), ec));
  BOOST_TEST(ec == error_code());
  support::send_text(tcp.far, "x");
  BOOST_TEST_REQUIRE(::send(tcp.far.get(), "!", 1, MSG_OOB) == 1);
  BOOST_TEST(support::wait_until([&] { return calls::ready(tcp.near.get(), POLLPRI); }));
  BOOST_TEST(!calls::at_mark(tcp.near.get(), ec));
  std::string byte(8, ' ');
  calls::pieces into = cut(byte, 8);
  BOOST_TEST(calls::receive(tcp.near.get(), into, 0, ec) == 1u);
  BOOST_TEST(calls::at_mark(tcp.near.get(), ec));
  BOOST_TEST(ec == error_code());
}

BOOST_AUTO_TEST_CASE(what_has_no_mark_says_so)
{
  const support::ends pipe = support::pipe_ends();
  error_code ec;
  BOOST_TEST(!calls::at_mark(pipe.near.get(), ec));
  BOOST_TEST(ec == system_error(ENOTSOCK));
  BOOST_TEST(!calls::at_mark(support::bad_fd, ec));
  BOOST_TEST(ec == system_error(EBADF));
}

BOOST_AUTO_TEST_SUITE_END()
