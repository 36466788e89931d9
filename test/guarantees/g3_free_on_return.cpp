// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G3: what a close(2) that cannot block frees is free when close(), or the destructor, returns. The thread that
// closes is asserted, and that what is free can be had again.

#include <interlock/ip/tcp.hpp>
#include <interlock/ip/udp.hpp>
#include <interlock/local/datagram_protocol.hpp>
#include <interlock/local/stream_protocol.hpp>
#include <interlock/posix/stream_descriptor.hpp>

#include <cstdlib>
#include <functional>
#include <optional>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/fifo.hpp"
#include "support/handler_tally.hpp"
#include "support/lingering_socket.hpp"
#include "support/raw_option.hpp"

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::ip::tcp;
using interlock::ip::udp;
using interlock::posix::stream_descriptor;
using local = interlock::local::stream_protocol;

extern "C" char** environ;

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
bool closed_here(const support::close_watch& watch)
{
  return watch.closed() == 1 && watch.close_waiter() == std::this_thread::get_id();
}

bool is_left_to_the_library(const support::close_watch& watch)
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
  {"pipe", [] { return support::pipe_ends().near.release(); }},
  {"FIFO", [] { return support::fifo().open().release(); }},
  {"eventfd", [] { return ::eventfd(0, EFD_CLOEXEC); }},
  {"timerfd", [] { return ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC); }},
  {"signalfd", [] { return signal_descriptor(); }},
  {"TCP socket", [] { return support::tcp_ends().near.release(); }},
  {"UDP socket", [] { return ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0); }},
  {"AF_UNIX socket", [] { return support::unix_ends().near.release(); }},
};

const descriptor_maker may_block[] = {
  {"terminal", [] { return ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC); }},
  {"inotify", [] { return ::inotify_init1(IN_CLOEXEC); }},
  {"netlink socket", [] { return ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0); }},
};

struct connected
{
  asio::io_context context;
  support::ends pair = support::unix_ends();
  support::close_watch watch{pair.near.get()};
  local::socket object{context, local(), pair.near.release()};
};

/// Whether a process that is started now has no copy of the pipe whose reading end this is: the input ends while
/// that process lives.
template <class Start>
bool ends_beside_a_child(const support::fd& reading, Start start)
{
  const ::pid_t child = start();
  ::pollfd p = {reading.get(), POLLIN, 0};
  const bool ended = ::poll(&p, 1, 1000) == 1 && (p.revents & POLLHUP) != 0;
  ::kill(child, SIGKILL);
  support::checked(::waitpid(child, nullptr, 0), "waitpid");
  return ended;
}

::pid_t spawned()
{
  ::pid_t child = -1;
  const char* arguments[] = {"sleep", "60", nullptr};
  const int error = ::posix_spawnp(
    &child, "sleep", nullptr, nullptr, const_cast<char**>(arguments), ::environ);
  return support::checked(error == 0 ? child : -1, "posix_spawn");
}

::pid_t forked()
{
  const ::pid_t child = support::checked(::fork(), "fork");
  if (child != 0)
    return child;
  ::execlp("sleep", "sleep", "60", static_cast<char*>(nullptr));
  ::_exit(EXIT_FAILURE);
}

/// The writing end of a pipe that a program passes on, not close-on-exec.
struct passed_on
{
  asio::io_context context;
  support::ends pair;
  std::optional<stream_descriptor> object;

  passed_on()
  {
    int fds[2];
    support::checked(::pipe(fds), "pipe");
    pair.near.reset(fds[0]);
    object.emplace(context, fds[1]);
  }
};

constexpr int rounds = 60;

/// The descriptor that is opened next.
int lowest_free()
{
  return support::fd(support::checked(::dup(0), "dup")).get();
}

/// A command that Asio has no type for.
struct async_flag
{
  int name() const
  {
    return FIOASYNC;
  }

  void* data()
  {
    return &off;
  }

  int off = 0;
};

/// A TCP connection over an object of the library's own, whose descriptor is known without asking the object.
struct connected_tcp
{
  asio::io_context context;
  asio::ip::tcp::acceptor acceptor{context, tcp::endpoint(address, 0)};
  const int fd = lowest_free();
  tcp::socket object{context, tcp::v4()};
  asio::ip::tcp::socket peer{context};

  connected_tcp()
  {
    object.connect(acceptor.local_endpoint());
    acceptor.accept(peer);
  }
};

/// `fd` is that of `s`, and has SO_LINGER: what is unsent is waited for elsewhere.
void check_that_a_linger_is_found(tcp::socket& s, int fd, asio::ip::tcp::socket& peer)
{
  const support::close_watch watch(fd);
  support::fill(fd);
  s.close();
  peer.close();
  BOOST_TEST(is_left_to_the_library(watch));
  BOOST_TEST(!watch.lingered());
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_g3_free_on_return)

BOOST_AUTO_TEST_CASE(an_acceptors_address_after_its_destructor)
{
  asio::io_context context;
  const auto where = free_endpoint<tcp>(context);
  for (int i = 0; i != 500; ++i)
    BOOST_REQUIRE_NO_THROW(tcp::acceptor(context, where));
}

BOOST_AUTO_TEST_CASE(an_acceptors_address_after_emplace)
{
  asio::io_context context;
  const auto where = free_endpoint<tcp>(context);
  std::optional<tcp::acceptor> a;
  for (int i = 0; i != 500; ++i)
    BOOST_REQUIRE_NO_THROW(a.emplace(context, where));
}

// A connection in the queue goes with its listener.
BOOST_AUTO_TEST_CASE(an_acceptors_address_after_close_with_a_connection_in_its_queue)
{
  asio::io_context context;
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

BOOST_AUTO_TEST_CASE(a_udp_sockets_address_after_its_destructor)
{
  asio::io_context context;
  const auto where = free_endpoint<udp>(context);
  for (int i = 0; i != 500; ++i)
    BOOST_REQUIRE_NO_THROW(udp::socket(context, where));
}

// A connection that is refused is tried again from the same port.
BOOST_AUTO_TEST_CASE(a_clients_address_after_close)
{
  asio::io_context context;
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
  const support::fifo named;
  asio::io_context context;
  for (int i = 0; i != rounds; ++i)
  {
    stream_descriptor d(context, named.open().release());
    BOOST_REQUIRE(::flock(d.native_handle(), LOCK_EX | LOCK_NB) == 0);
    d.close();
    const support::fd other = named.open();
    BOOST_REQUIRE(::flock(other.get(), LOCK_EX | LOCK_NB) == 0);
  }
}

BOOST_AUTO_TEST_CASE(a_pipe_is_not_in_a_child_that_is_spawned_after_close)
{
  for (int i = 0; i != rounds; ++i)
  {
    passed_on p;
    p.object->close();
    BOOST_REQUIRE(ends_beside_a_child(p.pair.near, &spawned));
  }
}

BOOST_AUTO_TEST_CASE(a_pipe_is_not_in_a_child_that_is_forked_after_the_destructor)
{
  for (int i = 0; i != rounds; ++i)
  {
    passed_on p;
    p.object.reset();
    BOOST_REQUIRE(ends_beside_a_child(p.pair.near, &forked));
  }
}

// The positive control of the two above: a child that has a copy keeps the input from ending.
BOOST_AUTO_TEST_CASE(an_open_pipe_is_in_a_child)
{
  passed_on p;
  const ::pid_t child = spawned();
  p.object->close();
  ::pollfd reading = {p.pair.near.get(), POLLIN, 0};
  BOOST_TEST(::poll(&reading, 1, 50) == 0);
  ::kill(child, SIGKILL);
  support::checked(::waitpid(child, nullptr, 0), "waitpid");
  BOOST_TEST(::poll(&reading, 1, 1000) == 1);
}

// --- By which thread, for each kind of descriptor.

BOOST_DATA_TEST_CASE(close_closes_what_cannot_block, closed_at_once, kind)
{
  asio::io_context context;
  const int fd = support::checked(kind.make(), kind.name);
  const support::close_watch watch(fd);
  stream_descriptor d(context, fd);
  d.close();
  BOOST_TEST(closed_here(watch));
}

BOOST_DATA_TEST_CASE(the_destructor_closes_what_cannot_block, closed_at_once, kind)
{
  asio::io_context context;
  const int fd = support::checked(kind.make(), kind.name);
  const support::close_watch watch(fd);
  std::optional<stream_descriptor> d(std::in_place, context, fd);
  d.reset();
  BOOST_TEST(closed_here(watch));
}

BOOST_DATA_TEST_CASE(what_may_block_is_left_to_the_library, may_block, kind)
{
  asio::io_context context;
  const int fd = support::checked(kind.make(), kind.name);
  const support::close_watch watch(fd);
  stream_descriptor d(context, fd);
  d.close();
  BOOST_TEST(is_left_to_the_library(watch));
}

BOOST_FIXTURE_TEST_CASE(unread_messages_may_hold_descriptors, connected)
{
  support::send_text(pair.far, "x");
  object.close();
  BOOST_TEST(is_left_to_the_library(watch));
}

BOOST_FIXTURE_TEST_CASE(the_end_of_the_stream_is_nothing_unread, connected)
{
  pair.far.reset();
  object.close();
  BOOST_TEST(closed_here(watch));
}

BOOST_AUTO_TEST_CASE(an_empty_unread_message_may_hold_descriptors)
{
  int fds[2];
  support::checked(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), "socketpair");
  const support::fd far(fds[1]);
  support::checked(static_cast<int>(::send(far.get(), "", 0, 0)), "send");
  asio::io_context context;
  const support::close_watch watch(fds[0]);
  interlock::local::datagram_protocol::socket s(
    context, interlock::local::datagram_protocol(), fds[0]);
  s.close();
  BOOST_TEST(is_left_to_the_library(watch));
}

// --- By which way of closing.

BOOST_FIXTURE_TEST_CASE(move_assignment_closes, connected)
{
  object = local::socket(context);
  BOOST_TEST(closed_here(watch));
}

BOOST_FIXTURE_TEST_CASE(retire_closes, connected)
{
  object.retire();
  BOOST_TEST(closed_here(watch));
}

BOOST_FIXTURE_TEST_CASE(a_handle_closes, connected)
{
  object.get_close_handle().close();
  BOOST_TEST(closed_here(watch));
}

BOOST_FIXTURE_TEST_CASE(the_end_of_the_last_lease_closes, connected)
{
  interlock::fd_lease lease = object.lease();
  object.close();
  BOOST_TEST(watch.arrived() == 0u);
  lease.reset();
  BOOST_TEST(closed_here(watch));
}

// The strand's step has not run. The outcome goes to the caller of async_close.
BOOST_FIXTURE_TEST_CASE(the_destructor_closes_under_a_pending_async_close, connected)
{
  support::handler_tally tally;
  watch.report(EIO);
  error_code ec;
  object.async_close(tally(support::into(ec)));
  {
    const local::socket dying(std::move(object));
  }
  BOOST_TEST(closed_here(watch));
  context.run();
  BOOST_TEST(tally.all_called());
  BOOST_TEST(ec == error_code(EIO, boost::system::system_category()));
}

BOOST_FIXTURE_TEST_CASE(an_async_close_is_left_to_the_library, connected)
{
  support::handler_tally tally;
  object.async_close(tally([](error_code) {}));
  context.run();
  BOOST_TEST(tally.all_called());
  BOOST_TEST(is_left_to_the_library(watch));
}

// --- What other code may have done to a descriptor is asked for.

BOOST_AUTO_TEST_CASE(an_accepted_connection_whose_listener_lingers_is_left_to_the_library)
{
  asio::io_context context;
  tcp::acceptor a(context, tcp::endpoint(address, 0));
  support::set_linger(a.native_handle(), 3);
  asio::ip::tcp::socket client(context);
  client.connect(a.local_endpoint());
  const int fd = lowest_free();
  tcp::socket peer(context);
  a.accept(peer);
  check_that_a_linger_is_found(peer, fd, client);
}

BOOST_FIXTURE_TEST_CASE(an_option_that_the_library_does_not_know_makes_it_ask, connected_tcp)
{
  object.set_option(support::raw_option(SOL_SOCKET, SO_TIMESTAMP, sizeof(int)));
  support::set_linger(fd, 3);
  check_that_a_linger_is_found(object, fd, peer);
}

BOOST_FIXTURE_TEST_CASE(a_control_command_of_the_users_makes_the_library_ask, connected_tcp)
{
  async_flag command;
  object.io_control(command);
  support::set_linger(fd, 3);
  check_that_a_linger_is_found(object, fd, peer);
}

BOOST_FIXTURE_TEST_CASE(a_lease_makes_the_library_ask, connected_tcp)
{
  {
    const interlock::fd_lease lease = object.lease();
    BOOST_TEST(lease.get() == fd);
    support::set_linger(lease.get(), 3);
  }
  check_that_a_linger_is_found(object, fd, peer);
}

// The accept was started on the object that has been converted since.
BOOST_AUTO_TEST_CASE(a_pending_accept_knows_what_has_happened_to_its_listener)
{
  using io_executor = asio::io_context::executor_type;
  asio::io_context context;
  tcp::acceptor::rebind_executor<io_executor>::other from(context, tcp::endpoint(address, 0));
  tcp::socket accepted(context);
  support::handler_tally tally;
  from.async_accept(accepted, tally([](error_code ec) { BOOST_TEST(!ec); }));
  tcp::acceptor a(std::move(from));
  a.set_option(asio::socket_base::linger(true, 3));
  asio::ip::tcp::socket client(context);
  client.connect(a.local_endpoint());
  const int fd = lowest_free();
  context.run();
  BOOST_TEST(tally.all_called());
  check_that_a_linger_is_found(accepted, fd, client);
}

BOOST_AUTO_TEST_CASE(an_async_accept_inherits_the_taint)
{
  asio::io_context context;
  tcp::acceptor a(context, tcp::endpoint(address, 0));
  a.set_option(asio::socket_base::linger(true, 3));
  asio::ip::tcp::socket client(context);
  client.connect(a.local_endpoint());
  const int fd = lowest_free();
  std::optional<tcp::socket> accepted;
  a.async_accept([&accepted](error_code, tcp::socket s) { accepted.emplace(std::move(s)); });
  context.run();
  BOOST_TEST_REQUIRE(accepted.has_value());
  check_that_a_linger_is_found(*accepted, fd, client);
}

// What the library finds behind the descriptor counts, not what the object is.
BOOST_AUTO_TEST_CASE(a_tcp_socket_in_an_object_for_datagrams_may_linger)
{
  asio::io_context context;
  support::ends pair = support::tcp_ends();
  const support::close_watch watch(pair.near.get());
  support::set_linger(pair.near, 3);
  support::fill(pair.near.get());
  udp::socket s(context, udp::v4(), pair.near.release());
  s.close();
  pair.far.reset();
  BOOST_TEST(is_left_to_the_library(watch));
  BOOST_TEST(!watch.lingered());
}

BOOST_AUTO_TEST_SUITE_END()
