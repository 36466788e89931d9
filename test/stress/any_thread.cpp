// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Threads against threads on shared objects, with the descriptors reused as fast as they are set free:
// nothing may go astray, every handler comes to one end, every descriptor is closed once.
//
//   any_thread SECONDS
//
// Prints one line of counts. any_thread_control.cpp puts the same on plain Asio.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <future>
#include <thread>

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/write.hpp>

#include "stress/stress_mixed.hpp"
#include "stress/stress_runner.hpp"

namespace {

using namespace stress;
using family = interlock_family;
using socket_type = family::local::socket;

/// How many bytes lie ready to be read there. They are read.
std::size_t drain(int fd)
{
  byte b[4096];
  std::size_t total = 0;
  ::ssize_t n = 0;
  while ((n = ::read(fd, b, sizeof(b))) > 0)
    total += static_cast<std::size_t>(n);
  return total;
}

void open_again(socket_type& object, const ends& e)
{
  error_code ec;
  object.close(ec);
  ++books::lent;
  object.assign(socket_type::protocol_type(), e.first);
}

/// A composed write has written its first part, and its next step is about to start, when the object is
/// closed and opened again with another connection. Nothing of the rest may go there.
void reopened_round(counts& c)
{
  account book;
  {
    asio::io_context context;
    socket_type object(context);
    const ends first(kind::socket_pair);
    const ends second(kind::socket_pair);
    const bytes message = records({origin::object, 0, 0}, 4096);
    open_again(object, first);
    // The first part is written by this very call, its handler waits for the context.
    asio::async_write(object, asio::buffer(message),
      [o = obligation(book, c)](const error_code& ec, std::size_t) mutable { o.called(ec); });
    open_again(object, second);
    context.poll();
    const std::size_t strayed = drain(second.second);
    c.crossed += strayed;
    c.bytes += drain(first.second) + strayed;
    error_code ec;
    object.close(ec);
    context.restart();
    context.poll();
    really::close(first.second);
    really::close(second.second);
  }
  c.unequal += book.outstanding != 0;
  c.closes += 2;
  ++c.rounds;
}

/// Asked for its family, which is after an opener has found the socket closed, it waits for the other opener.
struct meeting : asio::local::stream_protocol
{
  std::atomic<int>* arrived = nullptr;

  int family() const
  {
    ++*arrived;
    while (*arrived < 2)
      std::this_thread::yield();
    return AF_UNIX;
  }
};

/// Of two threads that open at once one gets the socket, and the other receives already_open.
void openers_round(counts& c)
{
  asio::io_context context;
  interlock::closable<meeting>::socket object(context);
  const auto open = [&object](meeting m) -> error_code
  {
    error_code ec;
    return object.open(m, ec), ec;
  };
  std::atomic<int> arrived{0};
  meeting protocol;
  protocol.arrived = &arrived;
  std::future<error_code> other = std::async(std::launch::async, open, protocol);
  const error_code own = open(protocol);
  const error_code others = other.get();
  c.unequal += (own ? own : others) != asio::error::already_open || (own && others);
  ++c.rounds;
}

/// Each part in turn.
void everything(counts& c, clock::time_point end)
{
  for (int i = 0; i == 0 || clock::now() < end; ++i)
  {
    for (int round = 0; round != 100; ++round)
    {
      reopened_round(c);
      openers_round(c);
    }
    const ending how = i % 2 == 0 ? ending::drained : ending::stopped;
    mixed_round<family>(c).run(how);
  }
}

} // namespace

int main(int argc, char** argv)
{
  const clock::duration time = time_to_run(argc, argv);
  if (time == clock::duration::zero())
    return 2;
  const shared_counts book;
  counts& c = book.get();
  const clock::time_point begin = clock::now();
  run_in_child(c, std::chrono::seconds(10), false,
    [end = begin + time](counts& counted) { everything(counted, end); });
  c.print(family::name, seconds_since(begin));
  const bool did_all = c.completed != 0 && c.closers_completed != 0 && c.calls != 0 && c.closed != 0
    && c.victims != 0 && c.bytes != 0;
  return c.wrong() == 0 && did_all ? EXIT_SUCCESS : EXIT_FAILURE;
}
