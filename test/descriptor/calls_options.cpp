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

/// A call with arguments that do not matter.
struct any_call
{
  const char* name;
  void (*made)(int, error_code&);
  int of_a_pipe; // the error there; 0: none is asked for
};

char byte = 0;
int value = 0;
int flags = 0;
std::size_t size = sizeof(value);
::termios attributes = {};
::sockaddr_in address = {};
::socklen_t length = sizeof(address);
auto* const any = reinterpret_cast<::sockaddr*>(&address);

calls::pieces one_byte()
{
  calls::pieces p;
  p.vector[p.count++] = {&byte, 1};
  p.bytes = 1;
  return p;
}

calls::pieces one = one_byte();

const any_call all_calls[] = {
  {"accept", [](int n, auto& ec) { calls::accept(n, nullptr, nullptr, ec); }, ENOTSOCK},
  {"connect", [](int n, auto& ec) { calls::connect(n, any, length, ec); }, ENOTSOCK},
  {"bind", [](int n, auto& ec) { calls::bind(n, any, length, ec); }, ENOTSOCK},
  {"listen", [](int n, auto& ec) { calls::listen(n, 1, ec); }, ENOTSOCK},
  {"shutdown", [](int n, auto& ec) { calls::shutdown(n, SHUT_WR, ec); }, ENOTSOCK},
  {"pending_error", [](int n, auto& ec) { calls::pending_error(n, ec); }, ENOTSOCK},
  {"local_name", [](int n, auto& ec) { calls::local_name(n, any, &length, ec); }, ENOTSOCK},
  {"peer_name", [](int n, auto& ec) { calls::peer_name(n, any, &length, ec); }, ENOTSOCK},
  {"set_option",
    [](int n, auto& ec) { calls::set_option(n, SOL_SOCKET, SO_KEEPALIVE, &value, size, ec); },
    ENOTSOCK},
  {"get_option",
    [](int n, auto& ec) { calls::get_option(n, SOL_SOCKET, SO_KEEPALIVE, &value, &size, ec); },
    ENOTSOCK},
  {"at_mark", [](int n, auto& ec) { calls::at_mark(n, ec); }, ENOTSOCK},
  {"receive", [](int n, auto& ec) { calls::receive(n, one, 0, ec); }, ENOTSOCK},
  {"send", [](int n, auto& ec) { calls::send(n, one, 0, ec); }, ENOTSOCK},
  {"receive_from", [](int n, auto& ec) { calls::receive_from(n, one, 0, any, &length, ec); },
    ENOTSOCK},
  {"send_to", [](int n, auto& ec) { calls::send_to(n, one, 0, any, length, ec); }, ENOTSOCK},
  {"receive_message", [](int n, auto& ec) { calls::receive_message(n, one, 0, flags, ec); },
    ENOTSOCK},
  {"get_attributes", [](int n, auto& ec) { calls::get_attributes(n, attributes, ec); }, ENOTTY},
  {"set_attributes", [](int n, auto& ec) { calls::set_attributes(n, attributes, ec); }, ENOTTY},
  {"send_break", [](int n, auto& ec) { calls::send_break(n, ec); }, ENOTTY},
  {"control", [](int n, auto& ec) { calls::control(n, FIONREAD, &value, ec); }, 0},
  {"set_non_blocking", [](int n, auto& ec) { calls::set_non_blocking(n, true, ec); }, 0},
  {"read", [](int n, auto& ec) { calls::read(n, one, ec); }, 0},
  {"write", [](int n, auto& ec) { calls::write(n, one, ec); }, 0},
  {"available", [](int n, auto& ec) { calls::available(n, ec); }, 0},
};

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

BOOST_AUTO_TEST_CASE(every_call_on_a_bad_descriptor_says_so_and_a_pipe_is_no_socket)
{
  for (const any_call& c : all_calls)
    BOOST_TEST_CONTEXT(c.name)
    {
      const support::ends pipe = support::pipe_ends();
      error_code ec = unset();
      c.made(support::bad_fd, ec);
      BOOST_TEST(ec == system_error(EBADF));
      if (c.of_a_pipe == 0)
        continue;
      ec = unset();
      c.made(pipe.near.get(), ec);
      BOOST_TEST(ec == system_error(c.of_a_pipe));
    }
}

BOOST_AUTO_TEST_CASE(a_transfer_that_fails_has_transferred_nothing)
{
  const int bad = support::bad_fd;
  error_code ec;
  flags = -1;
  const std::size_t transferred[] = {calls::receive(bad, one, 0, ec), calls::send(bad, one, 0, ec),
    calls::receive_from(bad, one, 0, any, &length, ec),
    calls::send_to(bad, one, 0, any, length, ec), calls::receive_message(bad, one, 0, flags, ec),
    calls::read(bad, one, ec), calls::write(bad, one, ec), calls::available(bad, ec)};
  for (const std::size_t each : transferred)
    BOOST_TEST(each == 0u);
  BOOST_TEST(flags == 0);
  BOOST_TEST(!calls::at_mark(bad, ec));
}

BOOST_AUTO_TEST_SUITE_END()
