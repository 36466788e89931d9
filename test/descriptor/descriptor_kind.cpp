// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Which descriptors have a close(2) that cannot block: by their protocol, and by asking the system.

#include <interlock/detail/descriptor/descriptor_kind.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"

using interlock::detail::descriptor_kind;
using interlock::detail::kind_of;
using interlock::detail::kind_of_protocol;
using interlock::detail::may_hold_descriptors;
using support::fd;

namespace interlock {
inline namespace abi_0 {
namespace detail {

std::ostream& operator<<(std::ostream& out, descriptor_kind k)
{
  return out << static_cast<int>(k);
}

} // namespace detail
} // namespace abi_0
} // namespace interlock

namespace {

fd made(int value, const char* call)
{
  return fd(support::checked(value, call));
}

fd socket_of(int family, int type, int protocol = 0)
{
  return made(::socket(family, type | SOCK_CLOEXEC, protocol), "socket");
}

/// Whether the kind by the protocol is the one that the system says.
void both_say(int family, int type, int protocol, descriptor_kind k)
{
  BOOST_TEST(kind_of_protocol(family, type, protocol) == k);
  const int s = ::socket(family, type | SOCK_CLOEXEC, protocol);
  if (s < 0)
  {
    std::printf(
      "NOT RUN: no socket of family %d, type %d, protocol %d here\n", family, type, protocol);
    return;
  }
  const fd owned(s);
  BOOST_TEST(kind_of(s) == k);
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_descriptor_kind)

BOOST_AUTO_TEST_CASE(sockets_of_the_internet)
{
  for (const int family : {AF_INET, AF_INET6})
  {
    both_say(family, SOCK_STREAM, 0, descriptor_kind::tcp);
    both_say(family, SOCK_STREAM, IPPROTO_TCP, descriptor_kind::tcp);
    both_say(family, SOCK_DGRAM, 0, descriptor_kind::datagram);
    both_say(family, SOCK_DGRAM, IPPROTO_UDP, descriptor_kind::datagram);
    both_say(family, SOCK_RAW, family == AF_INET ? static_cast<int>(IPPROTO_ICMP) : IPPROTO_ICMPV6,
      descriptor_kind::datagram);
  }
}

BOOST_AUTO_TEST_CASE(protocols_whose_close_may_wait)
{
  both_say(AF_INET, SOCK_STREAM, 262, descriptor_kind::other); // IPPROTO_MPTCP
  both_say(AF_INET, SOCK_STREAM, IPPROTO_SCTP, descriptor_kind::other);
  both_say(AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP, descriptor_kind::other);
  both_say(AF_PACKET, SOCK_RAW, 0, descriptor_kind::other);
  both_say(AF_NETLINK, SOCK_RAW, 0, descriptor_kind::other);
}

BOOST_AUTO_TEST_CASE(sockets_of_af_unix)
{
  for (const int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET})
    both_say(AF_UNIX, type, 0, descriptor_kind::unix_socket);
}

BOOST_AUTO_TEST_CASE(pipes)
{
  int ends[2];
  support::checked(::pipe2(ends, O_CLOEXEC), "pipe2");
  const fd in(ends[0]);
  const fd out(ends[1]);
  BOOST_TEST(kind_of(in.get()) == descriptor_kind::pipe);
  BOOST_TEST(kind_of(out.get()) == descriptor_kind::pipe);
}

BOOST_AUTO_TEST_CASE(what_has_no_file)
{
  ::sigset_t none;
  ::sigemptyset(&none);
  const fd event = made(::eventfd(0, EFD_CLOEXEC), "eventfd");
  const fd timer = made(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), "timerfd_create");
  const fd signals = made(::signalfd(-1, &none, SFD_CLOEXEC), "signalfd");
  const fd watcher = made(::inotify_init1(IN_CLOEXEC), "inotify_init1");
  const fd set = made(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  BOOST_TEST(kind_of(event.get()) == descriptor_kind::event);
  BOOST_TEST(kind_of(timer.get()) == descriptor_kind::event);
  BOOST_TEST(kind_of(signals.get()) == descriptor_kind::event);
  BOOST_TEST(kind_of(watcher.get()) == descriptor_kind::other);
  BOOST_TEST(kind_of(set.get()) == descriptor_kind::other);
}

BOOST_AUTO_TEST_CASE(files_terminals_and_devices)
{
  std::string name = "/tmp/interlock_XXXXXX";
  const fd file = made(::mkstemp(&name[0]), "mkstemp");
  ::unlink(name.c_str());
  const fd directory = made(::open("/", O_RDONLY | O_CLOEXEC), "open");
  const fd device = made(::open("/dev/null", O_RDWR | O_CLOEXEC), "open");
  const fd terminal = made(::posix_openpt(O_RDWR | O_NOCTTY), "posix_openpt");
  for (const fd* each : {&file, &directory, &device, &terminal})
    BOOST_TEST(kind_of(each->get()) == descriptor_kind::other);
}

BOOST_AUTO_TEST_CASE(a_descriptor_that_is_not_open)
{
  BOOST_TEST(kind_of(-1) == descriptor_kind::other);
  const int closed = socket_of(AF_INET, SOCK_DGRAM).get();
  BOOST_TEST(kind_of(closed) == descriptor_kind::other);
}

// --- Where descriptors may lie in what is unread.

BOOST_AUTO_TEST_CASE(a_stream_without_input_holds_none)
{
  support::ends pair = support::unix_ends();
  BOOST_TEST(!may_hold_descriptors(pair.near.get()));
  support::send_text(pair.far, "x");
  BOOST_TEST(may_hold_descriptors(pair.near.get()));
  support::drain(pair.near);
  BOOST_TEST(!may_hold_descriptors(pair.near.get()));
  pair.far.reset();
  BOOST_TEST(!may_hold_descriptors(pair.near.get()));
}

BOOST_AUTO_TEST_CASE(a_stream_whose_peer_has_gone_may_hold_some_in_its_input)
{
  support::ends pair = support::unix_ends();
  support::send_text(pair.far, "x");
  pair.far.reset();
  BOOST_TEST(may_hold_descriptors(pair.near.get()));
}

BOOST_AUTO_TEST_CASE(an_empty_message_may_hold_some)
{
  for (const int type : {SOCK_DGRAM, SOCK_SEQPACKET})
  {
    int fds[2];
    support::checked(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds), "socketpair");
    const fd near(fds[0]);
    const fd far(fds[1]);
    BOOST_TEST(!may_hold_descriptors(near.get()));
    support::checked(static_cast<int>(::send(far.get(), "", 0, 0)), "send");
    BOOST_TEST(may_hold_descriptors(near.get()));
  }
}

BOOST_AUTO_TEST_CASE(the_end_of_a_packet_socket_is_taken_for_a_message)
{
  int fds[2];
  support::checked(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), "socketpair");
  const fd near(fds[0]);
  support::fd(fds[1]).reset();
  BOOST_TEST(may_hold_descriptors(near.get()));
}

BOOST_AUTO_TEST_CASE(a_connection_in_a_listeners_queue_may_hold_some)
{
  const fd listener = socket_of(AF_UNIX, SOCK_STREAM);
  ::sockaddr_un address = {};
  address.sun_family = AF_UNIX; // an address of the system's choice, in the abstract namespace
  support::checked(
    ::bind(listener.get(), reinterpret_cast<::sockaddr*>(&address), sizeof(::sa_family_t)), "bind");
  support::checked(::listen(listener.get(), 1), "listen");
  BOOST_TEST(!may_hold_descriptors(listener.get()));
  ::socklen_t size = sizeof(address);
  support::checked(
    ::getsockname(listener.get(), reinterpret_cast<::sockaddr*>(&address), &size), "getsockname");
  const fd client = socket_of(AF_UNIX, SOCK_STREAM);
  support::checked(
    ::connect(client.get(), reinterpret_cast<const ::sockaddr*>(&address), size), "connect");
  BOOST_TEST(may_hold_descriptors(listener.get()));
}

BOOST_AUTO_TEST_SUITE_END()
