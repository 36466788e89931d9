// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// One close of one socket, for close_order.py to look at from outside.
//
//   close_order WAY     prints "descriptor N" and ends with 0 once the descriptor is closed
//
// Threads carry names: "loop" runs the context, "reader" is blocked in a synchronous read.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <utility>

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <interlock/ip/tcp.hpp>
#include <interlock/local/stream_protocol.hpp>

#include "support/sleeps_in_poll.hpp"

namespace {

namespace asio = boost::asio;
using protocol = interlock::local::stream_protocol;

void require(bool holds, const char* what)
{
  if (holds)
    return;
  std::fprintf(stderr, "close_order: %s\n", what);
  std::exit(EXIT_FAILURE);
}

/// A thread with a name, known to the kernel by the time this returns.
std::thread named(const char* name, std::function<void()> run)
{
  return std::thread(
    [name, run]
    {
      ::pthread_setname_np(::pthread_self(), name);
      run();
    });
}

class connection
{
public:
  explicit connection(asio::io_context& context)
    : socket(context)
  {
    int fds[2];
    require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0, "no socket pair");
    far_ = fds[1];
    std::printf("descriptor %d\n", fds[0]);
    std::fflush(stdout);
    socket.assign(protocol(), fds[0]);
  }

  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  ~connection()
  {
    ::close(far_);
  }

  /// The far end hears of a close(2) when it has happened.
  void wait_until_closed() const
  {
    ::pollfd p = {far_, POLLRDHUP, 0};
    require(::poll(&p, 1, 60000) == 1, "the descriptor was not closed");
  }

  void send(const char* byte) const
  {
    require(::write(far_, byte, 1) == 1, "nothing sent");
  }

  protocol::socket socket;

private:
  int far_ = -1;
};

/// A context with a thread that runs it.
class running_context
{
public:
  running_context()
    : work_(context.get_executor()),
      thread_(named("loop", [this] { context.run(); }))
  {
  }

  ~running_context()
  {
    work_.reset();
    thread_.join();
  }

  asio::io_context context;

private:
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::thread thread_;
};

// async_close from this thread, while the loop's waits for something to read.
void async_close()
{
  running_context loop;
  connection c(loop.context);
  char byte = 0;
  auto read = c.socket.async_read_some(asio::buffer(&byte, 1), asio::use_future);
  c.socket.async_close(asio::use_future).get();
  c.wait_until_closed();
  require(read.wait_for(std::chrono::seconds(0)) == std::future_status::ready, "no last word");
}

void close()
{
  running_context loop;
  connection c(loop.context);
  c.socket.close();
  c.wait_until_closed();
}

void destructor()
{
  running_context loop;
  connection c(loop.context);
  {
    const protocol::socket gone(std::move(c.socket));
  }
  c.wait_until_closed();
}

// A socket of the library's own, whose descriptor no other code has seen.
void opened()
{
  running_context loop;
  // Makes Asio open its own descriptors.
  const interlock::ip::tcp::socket other(loop.context, interlock::ip::tcp::v4());
  interlock::ip::tcp::socket socket(loop.context);
  const int lowest_free = ::dup(STDIN_FILENO);
  require(lowest_free >= 0 && ::close(lowest_free) == 0, "no descriptor");
  std::printf("descriptor %d\n", lowest_free);
  std::fflush(stdout);
  socket.open(interlock::ip::tcp::v4());
  socket.set_option(boost::asio::ip::tcp::no_delay(true));
  socket.close();
}

// The unread input may hold descriptors, whose close(2) can block.
void unread()
{
  running_context loop;
  connection c(loop.context);
  c.send("x");
  c.socket.close();
  c.wait_until_closed();
}

// async_close on a context that no thread runs before the descriptor is closed.
void unattended()
{
  asio::io_context context;
  connection c(context);
  int called = 0;
  c.socket.async_close([&called](const boost::system::error_code& ec) { called += !ec; });
  c.wait_until_closed();
  require(called == 0, "a handler was called by nobody");
  context.run();
  require(called == 1, "the handler was not called");
}

// close() while another thread is blocked inside.
void blocked()
{
  asio::io_context context;
  connection c(context);
  std::atomic<::pid_t> id{0};
  std::thread reader = named("reader",
    [&]
    {
      char byte = 0;
      boost::system::error_code ec;
      id = support::this_thread_id();
      c.socket.read_some(asio::buffer(&byte, 1), ec);
      require(ec == asio::error::operation_aborted, "the read was not aborted");
    });
  while (id == 0 || !support::sleeps_in_poll(id))
    std::this_thread::yield();
  c.socket.close();
  reader.join();
  c.wait_until_closed();
}

} // namespace

int main(int argc, char** argv)
{
  const std::map<std::string, void (*)()> ways = {{"async_close", async_close}, {"close", close},
    {"destructor", destructor}, {"opened", opened}, {"unread", unread}, {"unattended", unattended},
    {"blocked", blocked}};
  const auto way = ways.find(argc == 2 ? argv[1] : "");
  if (way == ways.end())
  {
    std::fprintf(
      stderr, "usage: close_order async_close|close|destructor|opened|unattended|blocked|unread\n");
    return 2;
  }
  way->second();
  return EXIT_SUCCESS;
}
