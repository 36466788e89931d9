// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The system calls that carry messages and addresses, and those that make pipes and open terminals.

#include <interlock/detail/descriptor/calls.hpp>

#include <cerrno>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>

#include <boost/test/unit_test.hpp>

#include "support/census.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/message_ends.hpp"
#include "support/pty.hpp"
#include "support/system_errors.hpp"

namespace calls = interlock::detail::calls;

using boost::system::error_code;
using support::system_error;

namespace {

calls::pieces in_two(std::string& buffer)
{
  calls::pieces p;
  const std::size_t half = buffer.size() / 2;
  p.vector[p.count++] = {&buffer[0], half};
  p.vector[p.count++] = {&buffer[half], buffer.size() - half};
  p.bytes = buffer.size();
  return p;
}

support::fd udp_socket()
{
  support::fd n(
    support::checked(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
  ::sockaddr_in any = {};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  support::checked(::bind(n.get(), reinterpret_cast<::sockaddr*>(&any), sizeof(any)), "bind");
  return n;
}

struct udp_pair
{
  support::fd a = udp_socket();
  support::fd b = udp_socket();
  ::sockaddr_in to = support::address_of(b);
  ::sockaddr_in from = {};
  error_code ec = system_error(ENOTRECOVERABLE);

  const ::sockaddr* destination() const
  {
    return reinterpret_cast<const ::sockaddr*>(&to);
  }

  ::sockaddr* sender()
  {
    return reinterpret_cast<::sockaddr*>(&from);
  }
};

struct record_pair
{
  support::ends sockets = support::message_ends(SOCK_SEQPACKET);
  error_code ec = system_error(ENOTRECOVERABLE);

  record_pair()
  {
    error_code failed;
    calls::set_non_blocking(sockets.near.get(), true, failed);
    calls::set_non_blocking(sockets.far.get(), true, failed);
    BOOST_TEST_REQUIRE(failed == error_code());
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_calls_messages)

BOOST_FIXTURE_TEST_CASE(a_datagram_goes_to_an_address_and_comes_from_one, udp_pair)
{
  std::string sent = "a datagram in pieces";
  std::string got(sent.size(), ' ');
  calls::pieces out = in_two(sent);
  calls::pieces in = in_two(got);
  BOOST_TEST(calls::send_to(a.get(), out, 0, destination(), sizeof(to), ec) == sent.size());
  BOOST_TEST(ec == error_code());
  ec = system_error(ENOTRECOVERABLE);
  ::socklen_t size = sizeof(from);
  BOOST_TEST(calls::receive_from(b.get(), in, 0, sender(), &size, ec) == sent.size());
  BOOST_TEST(ec == error_code());
  BOOST_TEST(got == sent);
  BOOST_TEST(size == sizeof(from));
  BOOST_TEST(from.sin_port == support::address_of(a).sin_port);
}

BOOST_FIXTURE_TEST_CASE(a_socket_without_datagrams_would_block, udp_pair)
{
  std::string room(4, ' ');
  calls::pieces in = in_two(room);
  ::socklen_t size = sizeof(from);
  BOOST_TEST(calls::receive_from(b.get(), in, 0, sender(), &size, ec) == 0u);
  BOOST_TEST(ec == system_error(EAGAIN));
}

BOOST_FIXTURE_TEST_CASE(a_datagram_that_is_too_long_is_refused, udp_pair)
{
  std::string sent(70000, ' ');
  calls::pieces out = in_two(sent);
  BOOST_TEST(calls::send_to(a.get(), out, 0, destination(), sizeof(to), ec) == 0u);
  BOOST_TEST(ec == system_error(EMSGSIZE));
}

// A pair has no names.
BOOST_AUTO_TEST_CASE(a_sender_without_a_name_has_an_address_of_no_size)
{
  const support::ends pair = support::message_ends(SOCK_DGRAM);
  support::send_text(pair.far, "abcd");
  std::string room(4, ' ');
  calls::pieces in = in_two(room);
  ::sockaddr_un from = {};
  ::socklen_t size = sizeof(from);
  error_code ec;
  BOOST_TEST(
    calls::receive_from(pair.near.get(), in, 0, reinterpret_cast<::sockaddr*>(&from), &size, ec)
    == 4u);
  BOOST_TEST(size == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_record_says_whether_it_is_complete, record_pair)
{
  std::string room(4, ' ');
  calls::pieces in = in_two(room);
  int flags = -1;
  support::send_text(sockets.far, "abcd");
  BOOST_TEST(calls::receive_message(sockets.near.get(), in, 0, flags, ec) == 4u);
  BOOST_TEST(ec == error_code());
  BOOST_TEST((flags & MSG_TRUNC) == 0);
  support::send_text(sockets.far, "abcdefgh");
  BOOST_TEST(calls::receive_message(sockets.near.get(), in, MSG_PEEK, flags, ec) == 4u);
  BOOST_TEST((flags & MSG_TRUNC) == MSG_TRUNC);
  BOOST_TEST(calls::receive_message(sockets.near.get(), in, 0, flags, ec) == 4u);
  BOOST_TEST((flags & MSG_TRUNC) == MSG_TRUNC);
  flags = -1;
  BOOST_TEST(calls::receive_message(sockets.near.get(), in, 0, flags, ec) == 0u);
  BOOST_TEST(ec == system_error(EAGAIN));
  BOOST_TEST(flags == 0);
}

BOOST_AUTO_TEST_CASE(a_pipe_is_read_from_its_first_descriptor)
{
  int fds[2] = {-1, -1};
  error_code ec = system_error(ENOTRECOVERABLE);
  calls::pipe(fds, ec);
  BOOST_TEST_REQUIRE(ec == error_code());
  const support::ends pipe = {support::fd(fds[0]), support::fd(fds[1])};
  support::send_text(pipe.far, "abcd");
  std::string room(4, ' ');
  calls::pieces in = in_two(room);
  BOOST_TEST(calls::read(pipe.near.get(), in, ec) == 4u);
  const support::no_more_descriptors limit;
  calls::pipe(fds, ec);
  BOOST_TEST(ec == system_error(EMFILE));
}

BOOST_AUTO_TEST_CASE(a_serial_port_passes_on_every_byte_as_it_is)
{
  const support::pty terminal;
  error_code ec = system_error(ENOTRECOVERABLE);
  const support::fd port(calls::open_serial_port(terminal.name().c_str(), ec));
  BOOST_TEST_REQUIRE(ec == error_code());
  BOOST_TEST((::fcntl(port.get(), F_GETFL) & O_NONBLOCK) == O_NONBLOCK);
  ::termios attributes = {};
  calls::get_attributes(port.get(), attributes, ec);
  BOOST_TEST(ec == error_code());
  BOOST_TEST((attributes.c_lflag & (ICANON | ECHO | ISIG)) == 0u);
  BOOST_TEST((attributes.c_oflag & OPOST) == 0u);
  BOOST_TEST((attributes.c_iflag & IGNPAR) == static_cast<::tcflag_t>(IGNPAR));
  BOOST_TEST((attributes.c_cflag & (CREAD | CLOCAL)) == static_cast<::tcflag_t>(CREAD | CLOCAL));
  attributes.c_cflag |= CSTOPB;
  calls::set_attributes(port.get(), attributes, ec);
  BOOST_TEST(ec == error_code());
  calls::get_attributes(port.get(), attributes, ec);
  BOOST_TEST((attributes.c_cflag & CSTOPB) == static_cast<::tcflag_t>(CSTOPB));
  calls::send_break(port.get(), ec);
  BOOST_TEST(ec == error_code());
}

BOOST_AUTO_TEST_CASE(a_serial_port_may_be_descriptor_0)
{
  const support::pty terminal;
  const support::fd kept(support::checked(::fcntl(0, F_DUPFD_CLOEXEC, 3), "fcntl"));
  error_code ec;
  ::close(0);
  const int port = calls::open_serial_port(terminal.name().c_str(), ec);
  ::dup2(kept.get(), 0);
  BOOST_TEST(ec == error_code());
  BOOST_TEST(port == 0);
}

BOOST_AUTO_TEST_CASE(what_is_no_terminal_is_closed_again)
{
  const support::census descriptors;
  error_code ec;
  BOOST_TEST(calls::open_serial_port("/dev/null", ec) == -1);
  BOOST_TEST(ec == system_error(ENOTTY));
  BOOST_TEST(calls::open_serial_port("/nowhere", ec) == -1);
  BOOST_TEST(ec == system_error(ENOENT));
  BOOST_TEST(descriptors.restored());
}

BOOST_AUTO_TEST_SUITE_END()
