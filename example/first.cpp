// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A TCP echo session that a watchdog thread closes. No strand, no mutex, no shared_ptr: the handler
// of async_close comes after every other, and frees the session. Ends with 0 if the client got its
// bytes back and then the end of the stream.

//[first_includes
#include <interlock/ip/tcp.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/write.hpp>
//]
#include <boost/asio/read.hpp>

#include <array>
#include <future>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>

//[first_session
namespace asio = boost::asio;
using boost::system::error_code;
using interlock::ip::tcp; // was: boost::asio::ip::tcp

/// Sends back what comes, until the peer ends the stream or the session is closed.
class session
{
public:
  explicit session(tcp::socket socket)
    : socket_(std::move(socket))
  {
    read();
  }

  /// Any thread, at any moment. `done` is called when no handler of the session is left.
  template <class Handler>
  void close(Handler done)
  {
    socket_.async_close(std::move(done));
  }

private:
  void read()
  {
    socket_.async_read_some(asio::buffer(data_),
      [this](error_code ec, std::size_t size)
      {
        if (!ec)
          write(size);
      });
  }

  void write(std::size_t size)
  {
    asio::async_write(socket_, asio::buffer(data_, size),
      [this](error_code ec, std::size_t)
      {
        if (!ec)
          read();
      });
  }

  tcp::socket socket_;
  std::array<char, 1024> data_;
};
//]

int main()
{
  asio::io_context context;
  tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  tcp::socket client(context);
  client.connect(acceptor.local_endpoint());

  //[first_watchdog
  auto live = std::make_unique<session>(acceptor.accept());
  std::thread loop([&] { context.run(); });

  std::promise<void> alarm;
  std::thread watchdog(
    [&]
    {
      alarm.get_future().wait();
      live->close([&](error_code) { live.reset(); });
    });
  //]

  asio::write(client, asio::buffer("hello", 5));
  std::string echo(5, '\0');
  asio::read(client, asio::buffer(echo));
  alarm.set_value();
  char byte = 0;
  error_code end;
  client.read_some(asio::buffer(&byte, 1), end);
  watchdog.join();
  loop.join();

  std::cout << "echo: " << echo << "\nthen: " << end.message() << '\n';
  return echo == "hello" && end == asio::error::eof && !live ? 0 : 1;
}
