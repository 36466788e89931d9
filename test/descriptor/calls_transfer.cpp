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

std::string joined(const calls::pieces& p)
{
  std::string all;
  for (std::size_t i = 0; i < p.count; ++i)
    all.append(static_cast<const char*>(p.vector[i].iov_base), p.vector[i].iov_len);
  return all;
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

/// A stream, and the two calls for it.
struct stream
{
  const char* name;
  support::ends (*connected)();
  std::size_t (*in)(int, calls::pieces&, error_code&);
  std::size_t (*out)(int, calls::pieces&, error_code&);

  support::ends make() const
  {
    support::ends e = connected();
    error_code failed;
    calls::set_non_blocking(e.near.get(), true, failed);
    calls::set_non_blocking(e.far.get(), true, failed);
    BOOST_TEST_REQUIRE(failed == error_code());
    return e;
  }
};

const stream streams[] = {
  {"socket", support::unix_ends,
    [](int n, calls::pieces& p, error_code& ec) { return calls::receive(n, p, 0, ec); },
    [](int n, calls::pieces& p, error_code& ec) { return calls::send(n, p, 0, ec); }},
  {"pipe", support::pipe_ends, calls::read, calls::write},
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

BOOST_AUTO_TEST_CASE(one_call_gathers_and_one_scatters_as_many_pieces_as_there_may_be)
{
  std::string sent(2 * calls::pieces::max, ' ');
  for (std::size_t i = 0; i < sent.size(); ++i)
    sent[i] = static_cast<char>('a' + i % 26);
  for (const stream& s : streams)
    BOOST_TEST_CONTEXT(s.name)
    {
      const support::ends e = s.make();
      std::string got(sent.size(), ' ');
      calls::pieces from = cut(sent, 2);
      calls::pieces into = cut(got, 2);
      error_code ec = system_error(ENOTRECOVERABLE);
      BOOST_TEST(from.count == calls::pieces::max);
      BOOST_TEST(s.out(e.far.get(), from, ec) == sent.size());
      BOOST_TEST(ec == error_code());
      ec = system_error(ENOTRECOVERABLE);
      BOOST_TEST(s.in(e.near.get(), into, ec) == sent.size());
      BOOST_TEST(ec == error_code());
      BOOST_TEST(got == sent);
    }
}

BOOST_AUTO_TEST_CASE(the_rest_begins_where_a_transfer_has_ended)
{
  std::string text = "abcdefgh";
  for (std::size_t transferred = 0; transferred <= text.size(); ++transferred)
  {
    calls::pieces left = cut(text, 3);
    left.consume(transferred);
    BOOST_TEST(joined(left) == text.substr(transferred));
    BOOST_TEST(left.bytes == text.size() - transferred);
  }
}

BOOST_AUTO_TEST_CASE(without_data_or_room_a_call_would_block_and_the_end_is_zero_bytes)
{
  std::string block(65536, 'x');
  for (const stream& s : streams)
    BOOST_TEST_CONTEXT(s.name)
    {
      support::ends e = s.make();
      calls::pieces all = cut(block, block.size());
      error_code ec;
      BOOST_TEST(s.in(e.near.get(), all, ec) == 0u);
      BOOST_TEST(ec == system_error(EAGAIN));
      while (s.out(e.far.get(), all, ec) != 0)
      {
      }
      BOOST_TEST(ec == system_error(EAGAIN));
      e.far.reset();
      while (s.in(e.near.get(), all, ec) != 0)
      {
      }
      BOOST_TEST(ec == error_code());
    }
}

// A pipe has no flag against SIGPIPE, which would end the program: the program has to see to it.
BOOST_AUTO_TEST_CASE(without_a_peer_a_call_is_an_error_and_a_signal_of_a_pipe_only)
{
  ::sigset_t signals;
  ::sigset_t before;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGPIPE);
  BOOST_TEST_REQUIRE(::pthread_sigmask(SIG_BLOCK, &signals, &before) == 0);
  std::string byte = "x";
  calls::pieces one = cut(byte, 1);
  for (const stream& s : streams)
    BOOST_TEST_CONTEXT(s.name)
    {
      support::ends e = s.make();
      error_code ec;
      e.near.reset();
      BOOST_TEST(s.out(e.far.get(), one, ec) == 0u);
      BOOST_TEST(ec == system_error(EPIPE));
      const ::timespec at_once = {0, 0};
      const bool is_pipe = s.connected == &support::pipe_ends;
      BOOST_TEST(::sigtimedwait(&signals, nullptr, &at_once) == (is_pipe ? SIGPIPE : -1));
    }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
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

BOOST_AUTO_TEST_SUITE_END()
