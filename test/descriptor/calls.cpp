// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The system calls that make and end connections: one attempt each, with its errno.

#include <interlock/detail/descriptor/calls.hpp>

#include <cerrno>
#include <cstring>

#include <netinet/in.h>
#include <poll.h>
#include <sys/un.h>

#include <boost/test/unit_test.hpp>

#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/system_errors.hpp"
#include "support/wait_until.hpp"

namespace calls = interlock::detail::calls;

using boost::system::error_code;
using support::fd;
using support::system_error;

namespace {

fd tcp_socket()
{
  return fd(support::checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
}

fd unix_socket()
{
  return fd(support::checked(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
}

/// An address in the abstract namespace: nothing of it is left in the file system.
::sockaddr_un abstract_address(char name)
{
  ::sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const ::pid_t process = ::getpid();
  std::memcpy(address.sun_path + 1, &process, sizeof(process));
  address.sun_path[1 + sizeof(process)] = name;
  return address;
}

template <class Address>
const ::sockaddr* generic(const Address& a)
{
  return reinterpret_cast<const ::sockaddr*>(&a);
}

template <class Address>
::sockaddr* generic(Address& a)
{
  return reinterpret_cast<::sockaddr*>(&a);
}

/// An error that no call reports: what is still there afterwards has not been set.
error_code unset()
{
  return system_error(ENOTRECOVERABLE);
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_calls)

BOOST_AUTO_TEST_CASE(a_pair_is_connected)
{
  int fds[2] = {-1, -1};
  error_code ec = unset();
  calls::pair(AF_UNIX, SOCK_STREAM, 0, fds, ec);
  BOOST_TEST_REQUIRE(ec == error_code());
  const fd one(fds[0]);
  const fd two(fds[1]);
  support::send_text(one, "x");
  BOOST_TEST(support::drain(two) == 1u);
}

BOOST_AUTO_TEST_CASE(a_pair_that_cannot_be_had_is_an_error)
{
  int fds[2] = {-1, -1};
  error_code ec;
  calls::pair(AF_INET, SOCK_STREAM, 0, fds, ec);
  BOOST_TEST(ec == system_error(EOPNOTSUPP));
  calls::pair(AF_UNIX, SOCK_STREAM, 9999, fds, ec);
  BOOST_TEST(ec == system_error(EPROTONOSUPPORT));
  const support::no_more_descriptors none;
  calls::pair(AF_UNIX, SOCK_STREAM, 0, fds, ec);
  BOOST_TEST(ec == system_error(EMFILE));
}

BOOST_AUTO_TEST_CASE(a_bound_listening_socket_accepts_and_names_the_peer)
{
  const fd listener = tcp_socket();
  ::sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  error_code ec = unset();
  calls::bind(listener.get(), generic(address), sizeof(address), ec);
  BOOST_TEST_REQUIRE(ec == error_code());
  ec = unset();
  calls::listen(listener.get(), 1, ec);
  BOOST_TEST_REQUIRE(ec == error_code());
  const fd client = support::tcp_connected_to(listener);
  ::sockaddr_in peer = {};
  ::socklen_t size = sizeof(peer);
  ec = unset();
  const fd accepted(calls::accept(listener.get(), generic(peer), &size, ec));
  BOOST_TEST_REQUIRE(ec == error_code());
  BOOST_TEST(size == sizeof(peer));
  BOOST_TEST(peer.sin_port == support::address_of(client).sin_port);
}

BOOST_AUTO_TEST_CASE(an_accept_that_yields_nothing_is_an_error)
{
  error_code ec;
  const fd listener = support::tcp_listener();
  calls::set_non_blocking(listener.get(), true, ec);
  BOOST_TEST(calls::accept(listener.get(), nullptr, nullptr, ec) == -1);
  BOOST_TEST(ec == system_error(EAGAIN));
  const fd idle = tcp_socket();
  BOOST_TEST(calls::accept(idle.get(), nullptr, nullptr, ec) == -1);
  BOOST_TEST(ec == system_error(EINVAL));

  const fd client = support::tcp_connected_to(listener);
  BOOST_TEST(support::wait_until([&] { return calls::ready(listener.get(), POLLIN); }));
  const support::no_more_descriptors none;
  BOOST_TEST(calls::accept(listener.get(), nullptr, nullptr, ec) == -1);
  BOOST_TEST(ec == system_error(EMFILE));
}

BOOST_AUTO_TEST_CASE(a_connect_succeeds_once)
{
  const fd listener = support::tcp_listener();
  const ::sockaddr_in address = support::address_of(listener);
  const fd client = tcp_socket();
  error_code ec = unset();
  calls::connect(client.get(), generic(address), sizeof(address), ec);
  BOOST_TEST(ec == error_code());
  calls::connect(client.get(), generic(address), sizeof(address), ec);
  BOOST_TEST(ec == system_error(EISCONN));
}

BOOST_AUTO_TEST_CASE(a_connect_without_a_listener_is_refused)
{
  const fd client = tcp_socket();
  fd listener = support::tcp_listener();
  const ::sockaddr_in address = support::address_of(listener);
  listener.reset();
  error_code ec;
  calls::connect(client.get(), generic(address), sizeof(address), ec);
  BOOST_TEST(ec == system_error(ECONNREFUSED));
}

BOOST_AUTO_TEST_CASE(what_became_of_a_connect_in_progress_is_told_once)
{
  fd listener = support::tcp_listener();
  const ::sockaddr_in address = support::address_of(listener);
  listener.reset();
  const fd client = tcp_socket();
  error_code ec;
  calls::set_non_blocking(client.get(), true, ec);
  calls::connect(client.get(), generic(address), sizeof(address), ec);
  BOOST_TEST(ec == system_error(EINPROGRESS));
  BOOST_TEST(support::wait_until([&] { return calls::ready(client.get(), POLLOUT); }));
  calls::pending_error(client.get(), ec);
  BOOST_TEST(ec == system_error(ECONNREFUSED));
  calls::pending_error(client.get(), ec);
  BOOST_TEST(ec == error_code());
}

BOOST_AUTO_TEST_CASE(a_full_backlog_of_a_local_listener_would_block)
{
  const fd listener = unix_socket();
  const ::sockaddr_un address = abstract_address('b');
  error_code ec;
  calls::bind(listener.get(), generic(address), sizeof(address), ec);
  calls::listen(listener.get(), 0, ec);
  BOOST_TEST_REQUIRE(ec == error_code());
  const fd first = unix_socket();
  calls::connect(first.get(), generic(address), sizeof(address), ec);
  BOOST_TEST(ec == error_code());
  const fd second = unix_socket();
  calls::set_non_blocking(second.get(), true, ec);
  calls::connect(second.get(), generic(address), sizeof(address), ec);
  BOOST_TEST(calls::would_block(ec));
}

BOOST_AUTO_TEST_CASE(an_address_belongs_to_one_and_a_socket_has_one)
{
  const fd owner = unix_socket();
  const fd other = unix_socket();
  const ::sockaddr_un address = abstract_address('a');
  error_code ec;
  calls::bind(owner.get(), generic(address), sizeof(address), ec);
  BOOST_TEST(ec == error_code());
  calls::bind(other.get(), generic(address), sizeof(address), ec);
  BOOST_TEST(ec == system_error(EADDRINUSE));
  const ::sockaddr_un second = abstract_address('c');
  calls::bind(owner.get(), generic(second), sizeof(second), ec);
  BOOST_TEST(ec == system_error(EINVAL));
}

BOOST_AUTO_TEST_CASE(what_cannot_listen_says_so)
{
  const fd datagrams(support::checked(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
  error_code ec;
  calls::listen(datagrams.get(), 1, ec);
  BOOST_TEST(ec == system_error(EOPNOTSUPP));
}

BOOST_AUTO_TEST_CASE(a_shutdown_ends_the_stream_for_the_peer)
{
  const support::ends tcp = support::tcp_ends();
  error_code ec = unset();
  calls::shutdown(tcp.near.get(), SHUT_WR, ec);
  BOOST_TEST(ec == error_code());
  BOOST_TEST(support::wait_until([&] { return support::hung_up(tcp.far); }));
  const fd idle = tcp_socket();
  calls::shutdown(idle.get(), SHUT_WR, ec);
  BOOST_TEST(ec == system_error(ENOTCONN));
}

BOOST_AUTO_TEST_CASE(each_end_knows_its_name_and_the_other)
{
  const support::ends tcp = support::tcp_ends();
  ::sockaddr_in local = {};
  ::sockaddr_in peer = {};
  ::socklen_t local_size = sizeof(local);
  ::socklen_t peer_size = sizeof(peer);
  error_code ec = unset();
  calls::local_name(tcp.near.get(), generic(local), &local_size, ec);
  BOOST_TEST(ec == error_code());
  ec = unset();
  calls::peer_name(tcp.far.get(), generic(peer), &peer_size, ec);
  BOOST_TEST(ec == error_code());
  BOOST_TEST(local_size == sizeof(local));
  BOOST_TEST(peer_size == sizeof(peer));
  BOOST_TEST(local.sin_port == peer.sin_port);
  const fd idle = tcp_socket();
  calls::peer_name(idle.get(), generic(peer), &peer_size, ec);
  BOOST_TEST(ec == system_error(ENOTCONN));
}

BOOST_AUTO_TEST_SUITE_END()
