// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The system calls that ask and change what a descriptor is, and what all of them say of a descriptor that
// is none.

#include <interlock/detail/descriptor/calls.hpp>

#include <cerrno>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <boost/test/unit_test.hpp>

#include <interlock/detail/descriptor/close_descriptor.hpp>

#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/system_errors.hpp"

namespace calls = interlock::detail::calls;

using boost::system::error_code;
using support::fd;
using support::system_error;

namespace {

fd tcp_socket()
{
  return fd(support::checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
}

/// An error that no call reports: what is still there afterwards has not been set.
error_code unset()
{
  return system_error(ENOTRECOVERABLE);
}

void set_int(const fd& n, int level, int name, int value)
{
  error_code ec = unset();
  calls::set_option(n.get(), level, name, &value, sizeof(value), ec);
  BOOST_TEST(ec == error_code());
}

int get_int(const fd& n, int level, int name)
{
  int value = -1;
  std::size_t size = sizeof(value);
  error_code ec = unset();
  calls::get_option(n.get(), level, name, &value, &size, ec);
  BOOST_TEST(ec == error_code());
  BOOST_TEST(size == sizeof(value));
  return value;
}

::linger linger_of(const fd& n)
{
  ::linger value = {-1, -1};
  std::size_t size = sizeof(value);
  error_code ec = unset();
  calls::get_option(n.get(), SOL_SOCKET, SO_LINGER, &value, &size, ec);
  BOOST_TEST(ec == error_code());
  return value;
}

// One after the other, each with a code that it has to set itself.
template <class Call>
error_code error_of(Call call)
{
  error_code ec = unset();
  call(ec);
  return ec;
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_calls_options)

BOOST_AUTO_TEST_CASE(an_option_comes_back_as_it_was_set)
{
  const fd n = tcp_socket();
  set_int(n, SOL_SOCKET, SO_KEEPALIVE, 1);
  BOOST_TEST(get_int(n, SOL_SOCKET, SO_KEEPALIVE) == 1);
  set_int(n, SOL_SOCKET, SO_KEEPALIVE, 0);
  BOOST_TEST(get_int(n, SOL_SOCKET, SO_KEEPALIVE) == 0);
}

BOOST_AUTO_TEST_CASE(the_sizes_of_buffers_come_back_as_they_were_set)
{
  const fd n = tcp_socket();
  for (int name : {SO_SNDBUF, SO_RCVBUF})
  {
    set_int(n, SOL_SOCKET, name, 65536);
    BOOST_TEST(get_int(n, SOL_SOCKET, name) == 65536);
  }
}

// TCP_SYNCNT is the number of SO_SNDBUF, TCP_LINGER2 that of SO_RCVBUF.
BOOST_AUTO_TEST_CASE(an_option_of_another_level_with_such_a_number_is_not_halved)
{
  static_assert(TCP_SYNCNT == SO_SNDBUF && TCP_LINGER2 == SO_RCVBUF, "else choose others");
  const fd n = tcp_socket();
  set_int(n, IPPROTO_TCP, TCP_SYNCNT, 6);
  BOOST_TEST(get_int(n, IPPROTO_TCP, TCP_SYNCNT) == 6);
  set_int(n, IPPROTO_TCP, TCP_LINGER2, 20);
  BOOST_TEST(get_int(n, IPPROTO_TCP, TCP_LINGER2) == 20);
}

BOOST_AUTO_TEST_CASE(a_buffer_size_in_too_little_room_is_left_alone)
{
  const fd n = tcp_socket();
  set_int(n, SOL_SOCKET, SO_SNDBUF, 32768);
  int direct = 0;
  ::socklen_t length = sizeof(direct);
  BOOST_TEST_REQUIRE(::getsockopt(n.get(), SOL_SOCKET, SO_SNDBUF, &direct, &length) == 0);
  int value = 0;
  std::size_t size = 3;
  error_code ec = unset();
  calls::get_option(n.get(), SOL_SOCKET, SO_SNDBUF, &value, &size, ec);
  BOOST_TEST(ec == error_code());
  BOOST_TEST(size == 3u);
  BOOST_TEST(value == (direct & 0xffffff));
}

BOOST_AUTO_TEST_CASE(an_option_that_is_none_is_an_error)
{
  const fd n = tcp_socket();
  int value = 1;
  std::size_t size = sizeof(value);
  error_code ec;
  calls::set_option(n.get(), SOL_SOCKET, 9999, &value, size, ec);
  BOOST_TEST(ec == system_error(ENOPROTOOPT));
  calls::get_option(n.get(), SOL_SOCKET, 9999, &value, &size, ec);
  BOOST_TEST(ec == system_error(ENOPROTOOPT));
  calls::set_option(n.get(), SOL_SOCKET, SO_SNDBUF, &value, 1, ec);
  BOOST_TEST(ec == system_error(EINVAL));
}

BOOST_AUTO_TEST_CASE(linger_is_cleared_where_there_is_any)
{
  const fd n = tcp_socket();
  const ::linger on = {1, 60};
  error_code ec = unset();
  calls::set_option(n.get(), SOL_SOCKET, SO_LINGER, &on, sizeof(on), ec);
  BOOST_TEST(ec == error_code());
  BOOST_TEST(linger_of(n).l_onoff == 1);
  calls::clear_linger(n.get());
  BOOST_TEST(linger_of(n).l_onoff == 0);
  calls::clear_linger(n.get());
  BOOST_TEST(linger_of(n).l_onoff == 0);

  const support::ends pipe = support::pipe_ends();
  calls::clear_linger(pipe.near.get());
  BOOST_TEST(support::is_fd_open(pipe.near.get()));
}

BOOST_AUTO_TEST_CASE(non_blocking_is_switched_on_and_off)
{
  const support::ends pipe = support::pipe_ends();
  error_code ec = unset();
  calls::set_non_blocking(pipe.near.get(), true, ec);
  BOOST_TEST(ec == error_code());
  BOOST_TEST((::fcntl(pipe.near.get(), F_GETFL) & O_NONBLOCK) != 0);
  ec = unset();
  calls::set_non_blocking(pipe.near.get(), false, ec);
  BOOST_TEST(ec == error_code());
  BOOST_TEST((::fcntl(pipe.near.get(), F_GETFL) & O_NONBLOCK) == 0);
}

BOOST_AUTO_TEST_CASE(a_control_command_is_carried_out_or_refused)
{
  const support::ends sockets = support::unix_ends();
  support::send_text(sockets.far, "abc");
  int count = -1;
  error_code ec = unset();
  calls::control(sockets.near.get(), FIONREAD, &count, ec);
  BOOST_TEST(ec == error_code());
  BOOST_TEST(count == 3);
  ::termios settings = {};
  calls::control(sockets.near.get(), TCGETS, &settings, ec);
  BOOST_TEST(ec == system_error(ENOTTY));
}

BOOST_AUTO_TEST_CASE(a_descriptor_that_is_closed_is_gone_and_closing_it_again_is_an_error)
{
  support::ends pipe = support::pipe_ends();
  BOOST_TEST(interlock::detail::close_descriptor(pipe.near.release()) == 0);
  BOOST_TEST(support::hung_up(pipe.far));
  BOOST_TEST(interlock::detail::close_descriptor(support::bad_fd) == EBADF);
}

BOOST_AUTO_TEST_CASE(every_call_on_a_bad_descriptor_says_so)
{
  const int bad = support::bad_fd;
  const error_code answer = system_error(EBADF);
  ::sockaddr_in a = {};
  auto* address = reinterpret_cast<::sockaddr*>(&a);
  ::socklen_t length = sizeof(a);
  int value = 0;
  std::size_t size = sizeof(value);
  BOOST_TEST(error_of([&](auto& ec) { calls::accept(bad, nullptr, nullptr, ec); }) == answer);
  BOOST_TEST(error_of([&](auto& ec) { calls::connect(bad, address, length, ec); }) == answer);
  BOOST_TEST(error_of([&](auto& ec) { calls::bind(bad, address, length, ec); }) == answer);
  BOOST_TEST(error_of([&](auto& ec) { calls::listen(bad, 1, ec); }) == answer);
  BOOST_TEST(error_of([&](auto& ec) { calls::shutdown(bad, SHUT_WR, ec); }) == answer);
  BOOST_TEST(error_of([&](auto& ec) { calls::pending_error(bad, ec); }) == answer);
  BOOST_TEST(error_of([&](auto& ec) { calls::local_name(bad, address, &length, ec); }) == answer);
  BOOST_TEST(error_of([&](auto& ec) { calls::peer_name(bad, address, &length, ec); }) == answer);
  BOOST_TEST(
    error_of([&](auto& ec) { calls::set_option(bad, SOL_SOCKET, SO_KEEPALIVE, &value, size, ec); })
    == answer);
  BOOST_TEST(
    error_of([&](auto& ec) { calls::get_option(bad, SOL_SOCKET, SO_KEEPALIVE, &value, &size, ec); })
    == answer);
  BOOST_TEST(error_of([&](auto& ec) { calls::control(bad, FIONREAD, &value, ec); }) == answer);
  BOOST_TEST(error_of([&](auto& ec) { calls::set_non_blocking(bad, true, ec); }) == answer);
}

BOOST_AUTO_TEST_CASE(what_only_sockets_can_do_a_pipe_cannot)
{
  const support::ends pipe = support::pipe_ends();
  const int n = pipe.near.get();
  const error_code answer = system_error(ENOTSOCK);
  ::sockaddr_in a = {};
  auto* address = reinterpret_cast<::sockaddr*>(&a);
  ::socklen_t length = sizeof(a);
  BOOST_TEST(error_of([&](auto& ec) { calls::accept(n, nullptr, nullptr, ec); }) == answer);
  BOOST_TEST(error_of([&](auto& ec) { calls::connect(n, address, length, ec); }) == answer);
  BOOST_TEST(error_of([&](auto& ec) { calls::bind(n, address, length, ec); }) == answer);
  BOOST_TEST(error_of([&](auto& ec) { calls::listen(n, 1, ec); }) == answer);
  BOOST_TEST(error_of([&](auto& ec) { calls::shutdown(n, SHUT_WR, ec); }) == answer);
  BOOST_TEST(error_of([&](auto& ec) { calls::pending_error(n, ec); }) == answer);
  BOOST_TEST(error_of([&](auto& ec) { calls::local_name(n, address, &length, ec); }) == answer);
  BOOST_TEST(error_of([&](auto& ec) { calls::peer_name(n, address, &length, ec); }) == answer);
}

BOOST_AUTO_TEST_SUITE_END()
