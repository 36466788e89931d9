// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A shared object with Interlock inside: what it does, the host calls by name.

#include <interlock/close_mode.hpp>
#include <interlock/close_report.hpp>
#include <interlock/ip/tcp.hpp>
#include <interlock/posix/stream_descriptor.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address_v4.hpp>

#include "support/sleeps_in_poll.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::close_mode;
using interlock::close_report;
using interlock::ip::tcp;
using interlock::posix::stream_descriptor;

namespace {

struct connection
{
  tcp::acceptor listener;
  tcp::socket client;
  tcp::socket server;

  explicit connection(asio::io_context& context)
    : listener(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
      client(context),
      server(context)
  {
    client.connect(listener.local_endpoint());
    listener.accept(server);
  }
};

/// The calling thread is blocked in a synchronous call, which a close ends.
bool is_woken(tcp::socket& s)
{
  char buffer[4];
  error_code ec;
  std::thread closer(
    [reader = support::this_thread_id(), handle = s.get_close_handle()]() mutable
    {
      support::wait_until([reader] { return support::sleeps_in_poll(reader); });
      handle.close();
    });
  s.read_some(asio::buffer(buffer), ec);
  closer.join();
  return ec == asio::error::operation_aborted;
}

/// Closes that the worker makes, one that waits for the peer, and one of the lane's.
bool are_closed(asio::io_context& context, tcp::socket& s, tcp::socket& peer)
{
  int closed = 0;
  const auto count = [&closed](error_code ec, close_report) { closed += !ec; };
  stream_descriptor file(context, ::open("/dev/null", O_WRONLY | O_CLOEXEC));
  s.async_close(close_mode::deliver(std::chrono::seconds(10)), count);
  peer.async_close(close_mode::graceful(std::chrono::seconds(10)), count);
  file.async_close(close_mode::immediate(), count);
  context.run();
  return closed == 3;
}

// Ends when the shared object is unloaded, or with the process.
std::optional<asio::io_context> standing_context;
std::optional<connection> standing;

} // namespace

/// A context from its beginning to its end.
extern "C" __attribute__((visibility("default"))) bool serve()
{
  asio::io_context context;
  connection blocked(context);
  connection delivered(context);
  return is_woken(blocked.server) && are_closed(context, delivered.client, delivered.server);
}

/// A context that is still there when this returns, with operations and closes under way.
extern "C" __attribute__((visibility("default"))) bool stand()
{
  standing_context.emplace();
  standing.emplace(*standing_context);
  static char buffer[4];
  standing->server.async_read_some(asio::buffer(buffer), [](error_code, std::size_t) {});
  standing->client.async_close(
    close_mode::graceful(std::chrono::seconds(10)), [](error_code, close_report) {});
  return standing_context->poll() != 0;
}
