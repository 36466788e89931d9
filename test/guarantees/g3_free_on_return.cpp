// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G3: what a close(2) that cannot block frees is free when close(), or the destructor, returns: it can be had again.
// For each kind of descriptor the thread that closes is asserted. (For each way to close that is in every_closer.cpp.)

#include "support/prelude.hpp"

#include <interlock/ip/udp.hpp>
#include <interlock/local/datagram_protocol.hpp>

#include <cstdlib>

#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include <boost/test/data/test_case.hpp>

#include "support/closers.hpp"
#include "support/counted.hpp"
#include "support/fifo.hpp"

using namespace support;
using interlock::ip::udp;

namespace {

/// No program that connects from an address chosen by the system takes a port of this one.
const asio::ip::address address = asio::ip::make_address("127.0.9.3");

template <class Protocol>
typename Protocol::endpoint free_endpoint(asio::io_context& context)
{
  typename Protocol::socket s(context, typename Protocol::endpoint(address, 0));
  return s.local_endpoint();
}

/// Closed once, by this thread, and before now.
bool closed_here(const close_watch& watch)
{
  return watch.closed() == 1 && watch.close_waiter() == std::this_thread::get_id();
}

bool is_left_to_the_library(const close_watch& watch)
{
  return watch.wait_closed() && watch.by_worker();
}

int signal_descriptor()
{
  ::sigset_t none;
  ::sigemptyset(&none);
  return ::signalfd(-1, &none, SFD_CLOEXEC);
}

struct descriptor_maker
{
  const char* name;
  std::function<int()> make;
};

std::ostream& operator<<(std::ostream& out, const descriptor_maker& m)
{
  return out << m.name;
}

const descriptor_maker closed_at_once[] = {
  {"pipe", [] { return pipe_ends().near.release(); }},
  {"FIFO", [] { return fifo().open().release(); }},
  {"eventfd", [] { return ::eventfd(0, EFD_CLOEXEC); }},
  {"timerfd", [] { return ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC); }},
  {"signalfd", [] { return signal_descriptor(); }},
  {"TCP socket", [] { return tcp_ends().near.release(); }},
  {"UDP socket", [] { return ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0); }},
  {"AF_UNIX socket whose peer has gone", [] { return unix_ends().near.release(); }},
};

const descriptor_maker may_block[] = {
  {"terminal", [] { return ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC); }},
  {"AF_UNIX socket with unread input", [] { return unread_ends().near.release(); }},
  {"inotify", [] { return ::inotify_init1(IN_CLOEXEC); }},
  {"netlink socket", [] { return ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0); }},
};

constexpr int rounds = 60;

/// A synchronous call that waits leaves a wake-up descriptor with its thread.
struct keeps_a_wake_up_descriptor
{
  asio::io_context context;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_g3_free_on_return, counted_in_context)

// With an asynchronous way it is free when the handler has been called.
BOOST_AUTO_TEST_CASE_TEMPLATE(an_address_is_free, Way, every_way)
{
  const auto where = free_endpoint<tcp>(context);
  const auto where_of_udp = free_endpoint<udp>(context);
  for (int i = 0; i != 100; ++i)
  {
    tcp::acceptor a(context);
    udp::socket s(context);
    BOOST_REQUIRE_NO_THROW(a = tcp::acceptor(context, where));
    BOOST_REQUIRE_NO_THROW(s = udp::socket(context, where_of_udp));
    Way::close(a, [](error_code) {});
    Way::close(s, [](error_code) {});
    if (Way::is_asynchronous)
      run();
  }
}

// A connection in the queue goes with its listener.
BOOST_AUTO_TEST_CASE(an_acceptors_address_after_close_with_a_connection_in_its_queue)
{
  const auto where = free_endpoint<tcp>(context);
  for (int i = 0; i != 50; ++i)
  {
    std::optional<tcp::acceptor> a;
    BOOST_REQUIRE_NO_THROW(a.emplace(context, where));
    asio::ip::tcp::socket client(context);
    client.connect(where);
    a->close();
    error_code ec;
    char byte = 0;
    client.read_some(asio::buffer(&byte, 1), ec);
    BOOST_TEST(ec == error_code(asio::error::connection_reset));
  }
}

// A connection that is refused is tried again from the same port.
BOOST_FIXTURE_TEST_CASE(a_clients_address_after_close, keeps_a_wake_up_descriptor)
{
  // Bound, and does not listen.
  const asio::ip::tcp::socket refusing(context, tcp::endpoint(address, 0));
  const auto where = free_endpoint<tcp>(context);
  tcp::socket s(context);
  for (int i = 0; i != 500; ++i)
  {
    s.open(tcp::v4());
    BOOST_REQUIRE_NO_THROW(s.bind(where));
    error_code ec;
    s.connect(refusing.local_endpoint(), ec);
    BOOST_TEST(ec == error_code(asio::error::connection_refused));
    s.close();
  }
}

BOOST_AUTO_TEST_CASE(a_lock_on_a_fifo)
{
  const fifo named;
  for (int i = 0; i != rounds; ++i)
  {
    stream_descriptor d(context, named.open().release());
    BOOST_REQUIRE(::flock(d.native_handle(), LOCK_EX | LOCK_NB) == 0);
    d.close();
    const fd other = named.open();
    BOOST_REQUIRE(::flock(other.get(), LOCK_EX | LOCK_NB) == 0);
  }
}

// --- By which thread, for each kind of descriptor.

BOOST_DATA_TEST_CASE(close_and_the_destructor_close_what_cannot_block, closed_at_once, kind)
{
  for (const bool by_destructor : {false, true})
  {
    const int fd = checked(kind.make(), kind.name);
    const close_watch watch(fd);
    std::optional<stream_descriptor> d(std::in_place, context, fd);
    if (by_destructor)
      d.reset();
    else
      d->close();
    BOOST_TEST(closed_here(watch));
  }
}

BOOST_DATA_TEST_CASE(what_may_block_is_left_to_the_library, may_block, kind)
{
  const int fd = checked(kind.make(), kind.name);
  const close_watch watch(fd);
  stream_descriptor d(context, fd);
  d.close();
  BOOST_TEST(is_left_to_the_library(watch));
}

BOOST_AUTO_TEST_CASE(an_empty_unread_message_may_hold_descriptors)
{
  int fds[2];
  checked(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), "socketpair");
  const fd far(fds[1]);
  checked(static_cast<int>(::send(far.get(), "", 0, 0)), "send");
  const close_watch watch(fds[0]);
  interlock::local::datagram_protocol::socket s(
    context, interlock::local::datagram_protocol(), fds[0]);
  s.close();
  BOOST_TEST(is_left_to_the_library(watch));
}

// The strand's step has not run. The outcome goes to the caller of async_close.
BOOST_AUTO_TEST_CASE(the_destructor_closes_under_a_pending_async_close)
{
  ends pair = unix_ends();
  close_watch watch(pair.near.get());
  watch.report(EIO);
  error_code ec = not_called;
  {
    local::socket dying(context, local(), pair.near.release());
    dying.async_close(tally(into(ec)));
  }
  BOOST_TEST(closed_here(watch));
  run();
  BOOST_TEST(tally.all_called());
  BOOST_TEST(ec == io_error);
}

BOOST_AUTO_TEST_SUITE_END()
