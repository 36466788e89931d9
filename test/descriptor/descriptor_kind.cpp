// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Which descriptors have a close(2) that cannot block: by their protocol, and by asking the system. The question
// changes nothing, and waits for no other thread.

#include <interlock/detail/descriptor/descriptor_kind.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/fifo.hpp"
#include "support/held_pipe.hpp"
#include "support/pty.hpp"
#include "support/wait_until.hpp"
#include "support/watched_thread.hpp"

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

/// Everything that can be read now, without waiting.
std::string unread(const fd& n)
{
  char buffer[64];
  ::pollfd p = {n.get(), POLLIN, 0};
  std::string text;
  while (::poll(&p, 1, 0) == 1 && (p.revents & POLLIN) != 0)
  {
    const int size = static_cast<int>(::read(n.get(), buffer, sizeof(buffer)));
    if (support::checked(size, "read") == 0)
      break;
    text.append(buffer, buffer + size);
  }
  return text;
}

/// Whether both ends are found to be a pipe, whose content stays.
void check_that_a_pipe_keeps_its_data(const fd& reading, const fd& writing)
{
  support::send_text(writing, "data");
  BOOST_TEST(kind_of(reading.get()) == descriptor_kind::pipe);
  BOOST_TEST(kind_of(writing.get()) == descriptor_kind::pipe);
  BOOST_TEST(unread(reading) == "data");
}

/// Whether the kinds of both ends are found while the pipe is held.
void check_that_a_held_pipe_is_found(support::held_pipe& held)
{
  std::vector<descriptor_kind> found;
  support::watched_thread asking(
    [&]
    {
      for (const fd* end : {&held.pipe().near, &held.pipe().far})
        found.push_back(kind_of(end->get()));
    });
  BOOST_TEST(support::wait_until([&asking] { return asking.done(); }));
  BOOST_TEST(held.is_held());
  held.let_go();
  asking.join();
  for (const descriptor_kind k : found)
    BOOST_TEST(k == descriptor_kind::pipe);
  BOOST_TEST(found.size() == 2u);
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

BOOST_AUTO_TEST_CASE(fifos)
{
  const support::fifo named;
  const fd both = named.open();
  const fd in = named.open(O_RDONLY);
  const fd out = named.open(O_WRONLY);
  for (const fd* each : {&both, &in, &out})
    BOOST_TEST(kind_of(each->get()) == descriptor_kind::pipe);
}

BOOST_AUTO_TEST_CASE(a_pipe_keeps_its_data)
{
  const support::ends pipe = support::pipe_ends();
  check_that_a_pipe_keeps_its_data(pipe.near, pipe.far);
  const support::fifo named;
  const fd both = named.open();
  check_that_a_pipe_keeps_its_data(both, both);
}

BOOST_AUTO_TEST_CASE(a_pipe_that_another_thread_holds)
{
  support::held_pipe held;
  check_that_a_held_pipe_is_found(held);
}

BOOST_AUTO_TEST_CASE(a_fifo_that_another_thread_holds)
{
  const support::fifo named;
  const fd both = named.open();
  support::held_pipe held({named.open(O_RDONLY), named.open(O_WRONLY)});
  check_that_a_held_pipe_is_found(held);
}

// splice(2) can move data to or from each of them.
BOOST_AUTO_TEST_CASE(what_is_no_pipe_keeps_its_data)
{
  std::string name = "/tmp/interlock_XXXXXX";
  const fd file = made(::mkstemp(&name[0]), "mkstemp");
  ::unlink(name.c_str());
  const fd memory = made(::memfd_create("interlock", MFD_CLOEXEC), "memfd_create");
  for (const fd* each : {&file, &memory})
  {
    support::send_text(*each, "data");
    support::checked(static_cast<int>(::lseek(each->get(), 1, SEEK_SET)), "lseek");
    BOOST_TEST(kind_of(each->get()) == descriptor_kind::other);
    BOOST_TEST(unread(*each) == "ata");
  }
  const fd zeros = made(::open("/dev/zero", O_RDWR | O_CLOEXEC), "open");
  BOOST_TEST(kind_of(zeros.get()) == descriptor_kind::other);
}

BOOST_AUTO_TEST_CASE(a_terminal_and_an_event_keep_their_input)
{
  const support::pty terminal;
  const fd slave = made(::open(terminal.name().c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC), "open");
  support::send_text(terminal.master(), "data\n");
  ::pollfd input = {slave.get(), POLLIN, 0};
  BOOST_TEST(support::wait_until([&input] { return ::poll(&input, 1, 0) == 1; }));
  BOOST_TEST(kind_of(slave.get()) == descriptor_kind::other);
  BOOST_TEST(kind_of(terminal.master().get()) == descriptor_kind::other);
  BOOST_TEST(unread(slave) == "data\n");
  const fd event = made(::eventfd(3, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
  BOOST_TEST(kind_of(event.get()) == descriptor_kind::event);
  std::uint64_t count = 0;
  support::checked(static_cast<int>(::read(event.get(), &count, sizeof(count))), "read");
  BOOST_TEST(count == 3u);
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
