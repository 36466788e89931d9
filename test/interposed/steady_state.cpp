// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// How much memory is taken. In steady state a read, a write or a connection allocates nothing of ours: no bridge
// without a connected slot, no memory of a tracked handler beyond what Asio keeps for the next one. An open socket, and
// a close that waits for its peer, keep to their budgets: thousands of them wait at once.

#define BOOST_TEST_MODULE interlock_steady_state
#include "support/prelude.hpp"

#include <deque>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/version.hpp>
#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#endif

#include "support/allocation_hook.hpp"

namespace {

constexpr std::size_t rounds = 1000;

template <class Socket>
using narrow = typename Socket::template rebind_executor<asio::io_context::executor_type>::other;

/// Counts what `rounds` rounds allocate. Each starts in the handler of the last: inside the loop, where Asio keeps
/// memory for the next handler.
class counted_rounds
{
public:
  std::size_t allocated() const noexcept
  {
    return support::allocations() - before_;
  }

protected:
  /// False: that was the last.
  bool begins_another() noexcept
  {
    if (round_ == warm_up)
      before_ = support::allocations();
    return round_++ != warm_up + rounds;
  }

  char buffer_[16];

private:
  static constexpr std::size_t warm_up = 10;

  std::size_t round_ = 0;
  std::size_t before_ = 0;
};

/// A write on one side and a read on the other.
template <class Stream>
class ping : public counted_rounds
{
public:
  ping(Stream& from, Stream& to)
    : from_(from),
      to_(to)
  {
  }

  void next()
  {
    if (!begins_another())
      return;
    asio::async_write(from_, asio::buffer("ping", 4), [](error_code, std::size_t) {});
    to_.async_read_some(asio::buffer(buffer_), [this](error_code, std::size_t) { next(); });
  }

private:
  Stream& from_;
  Stream& to_;
};

template <class Stream, class... Protocol>
std::size_t allocations_of(support::ends pair, const Protocol&... protocol)
{
  asio::io_context context;
  Stream to(context, protocol..., pair.near.release());
  Stream from(context, protocol..., pair.far.release());
  ping<Stream> p(from, to);
  p.next();
  context.run();
  return p.allocated();
}

/// A connection: accepted, read from, written to, closed. Each step starts in the handler of the last.
template <class Tcp>
class server : public counted_rounds
{
public:
  using socket = typename Tcp::socket;

  explicit server(asio::io_context& context)
    : acceptor_(context, typename Tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
      peer_(context)
  {
  }

  void next()
  {
    if (!begins_another())
      return;
    connect();
    acceptor_.async_accept(peer_, [this](error_code) { read(); });
  }

private:
  void connect()
  {
    const auto to = acceptor_.local_endpoint();
    client_ = support::fd(support::checked(::socket(AF_INET, SOCK_STREAM, 0), "socket"));
    support::checked(
      ::connect(client_.get(), to.data(), static_cast<socklen_t>(to.size())), "connect");
    support::checked(static_cast<int>(::send(client_.get(), "ping", 4, 0)), "send");
  }

  void read()
  {
    peer_.async_read_some(asio::buffer(buffer_), [this](error_code, std::size_t) { write(); });
  }

  void write()
  {
    asio::async_write(peer_, asio::buffer("pong", 4),
      [this](error_code, std::size_t)
      {
        socket done(std::move(peer_));
        done.close();
        next();
      });
  }

  typename Tcp::acceptor acceptor_;
  socket peer_;
  support::fd client_;
};

template <class Tcp>
std::size_t allocations_of_connections()
{
  asio::io_context context;
  server<Tcp> s(context);
  s.next();
  context.run();
  return s.allocated();
}

/// What an open socket takes, the object and the heap together.
template <class Tcp>
long bytes_of_open_socket()
{
  constexpr long sockets = 100;
  asio::io_context context;
  const typename Tcp::socket first(context, Tcp::v4()); // with what the context needs
  std::deque<typename Tcp::socket> all;
  for (long i = 0; i != sockets; ++i)
    all.emplace_back(context);
  const long before = support::live_bytes();
  for (auto& s : all)
    s.open(Tcp::v4());
  return static_cast<long>(sizeof(typename Tcp::socket))
    + (support::live_bytes() - before) / sockets;
}

/// Asio keeps memory for the next handler; older versions for one operation only, where these have
/// two outstanding.
void check_steady(std::size_t ours, std::size_t asios)
{
  BOOST_TEST(ours == asios);
#if BOOST_ASIO_VERSION >= 102400
  BOOST_TEST(asios == 0u);
#endif
}

} // namespace

BOOST_AUTO_TEST_CASE(allocations_are_counted)
{
  const std::size_t before = support::allocations();
  delete new int;
  BOOST_TEST(support::allocations() == before + 1);
}

BOOST_AUTO_TEST_CASE(a_tcp_socket_allocates_no_more_than_asios)
{
  check_steady(allocations_of<tcp::socket>(support::tcp_ends(), tcp::v4()),
    allocations_of<asio::ip::tcp::socket>(support::tcp_ends(), tcp::v4()));
}

BOOST_AUTO_TEST_CASE(a_socket_over_an_executor_of_its_own_type_allocates_no_more_than_asios)
{
  const asio::local::stream_protocol protocol;
  check_steady(allocations_of<narrow<local::socket>>(support::unix_ends(), protocol),
    allocations_of<narrow<asio::local::stream_protocol::socket>>(support::unix_ends(), protocol));
}

BOOST_AUTO_TEST_CASE(a_descriptor_allocates_no_more_than_asios)
{
  check_steady(allocations_of<interlock::posix::stream_descriptor>(support::pipe_ends()),
    allocations_of<asio::posix::stream_descriptor>(support::pipe_ends()));
}

// The memory of an object that has gone serves the next one.
BOOST_AUTO_TEST_CASE(a_connection_allocates_no_more_than_asios)
{
  if (interlock::detail::sys::kept_blocks == 0)
  {
    BOOST_TEST_MESSAGE("no memory is kept where uses of freed memory are looked for");
    return;
  }
  check_steady(allocations_of_connections<tcp>(), allocations_of_connections<asio::ip::tcp>());
}

#if defined(BOOST_ASIO_HAS_EPOLL)
constexpr long budget_of_open_socket = 256;
#else
// Asio's object is 8 bytes smaller; a block of malloc(3), in steps of 16, is not.
constexpr long budget_of_open_socket = 264;
#endif

BOOST_AUTO_TEST_CASE(an_open_socket_takes_little_more_memory_than_asios)
{
  const long ours = bytes_of_open_socket<tcp>();
  const long asios = bytes_of_open_socket<asio::ip::tcp>();
  BOOST_TEST_MESSAGE("bytes of an open socket: " << ours << ", Asio's " << asios);
  BOOST_TEST(asios > 0);
  BOOST_TEST(ours - asios <= budget_of_open_socket);
}

// The memory of a tenure that has ended serves the next but one: however often an object is opened
// again, it does not grow.
BOOST_AUTO_TEST_CASE(opening_again_uses_the_memory_of_ended_tenures)
{
  asio::io_context context;
  tcp::socket s(context);
  const auto open_and_close = [&]
  {
    s.open(tcp::v4());
    s.async_close([](error_code) {});
    context.restart();
    context.run();
  };
  for (int i = 0; i != 10; ++i)
    open_and_close();
  const long before = support::live_allocations();
  for (std::size_t i = 0; i != rounds; ++i)
    open_and_close();
  BOOST_TEST(support::live_allocations() == before);
}

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)
// The control: it is the connected slot that makes the bridge.
BOOST_AUTO_TEST_CASE(a_connected_slot_costs_an_allocation)
{
  asio::io_context context;
  support::ends pair = support::unix_ends();
  local::socket s(context, local(), pair.near.release());
  char buffer[8];
  asio::cancellation_signal signal;
  const std::size_t before = support::allocations();
  s.async_read_some(asio::buffer(buffer),
    asio::bind_cancellation_slot(signal.slot(), [](error_code, std::size_t) {}));
  BOOST_TEST(support::allocations() > before);
}
#endif

// --- A close that waits.

namespace {

/// Sockets whose peers do not read what has been sent. They are closed with handlers of the size of a pointer, which
/// counts as well.
struct waiting_closes
{
  std::vector<local::socket> near;
  std::vector<support::fd> far;
  std::size_t called = 0;

  waiting_closes(asio::io_context& context, std::size_t count)
  {
    for (std::size_t i = 0; i != count; ++i)
    {
      support::ends pair = support::unix_ends();
      BOOST_TEST(support::fill(pair.near.get()) > 0u);
      near.emplace_back(context, local(), pair.near.release());
      far.push_back(std::move(pair.far));
    }
  }

  void begin(asio::io_context& context)
  {
    for (local::socket& s : near)
      s.async_close(interlock::close_mode::deliver(std::chrono::hours(1)),
        [this](error_code, const interlock::close_report&) { ++called; });
    context.poll();
  }
};

} // namespace

BOOST_AUTO_TEST_CASE(a_close_that_waits_keeps_to_its_budget)
{
  constexpr long budget = 512;
  constexpr std::size_t closes = 64;
  asio::io_context context;
  // The memory that all strands of a context share, of which every new one may take another piece.
  for (int i = 0; i != 10000; ++i)
    asio::make_strand(context);
  waiting_closes first(context, 1);
  first.begin(context);

  waiting_closes others(context, closes);
  const long before = support::live_bytes();
  others.begin(context);
  const long each = (support::live_bytes() - before) / long(closes);
  BOOST_TEST_MESSAGE("a close that waits takes " << each << " bytes");
  BOOST_TEST(each > 0);
  BOOST_TEST(each <= budget);
  BOOST_TEST(first.called + others.called == 0u);

  first.far.clear();
  others.far.clear();
  context.run();
  BOOST_TEST(first.called + others.called == closes + 1);
}
