// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A client that connects again when its connection ends, until another thread retires its socket: at whatever moment that
// thread does so, also between two connections. Ends with 0 if the client has stopped and nothing is open.

#include <interlock/close_handle.hpp>
#include <interlock/error.hpp>
#include <interlock/ip/tcp.hpp>

#include <boost/asio.hpp>
#include <future>
#include <iostream>
#include <thread>

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::ip::tcp;

namespace {

//[reconnect_loop
/// Receives, over one connection after the other. How many there have been.
int receive_until_retired(tcp::socket& socket, const tcp::endpoint& server)
{
  for (int connections = 0;; ++connections)
  {
    error_code ec;
    socket.connect(server, ec); // opens the socket
    if (ec == interlock::error::retired)
      return connections;
    char data[1024];
    while (!ec)
      socket.read_some(asio::buffer(data), ec);
    socket.close();
  }
}
//]

} // namespace

int main()
{
  asio::io_context context;
  tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  tcp::socket socket(context);
  std::promise<void> alarm;

  //[reconnect_watchdog
  const interlock::close_handle handle = socket.get_close_handle();
  std::thread watchdog(
    [handle, &alarm]
    {
      alarm.get_future().wait();
      handle.retire(); // closes, and every later open fails
    });
  //]

  int connections = 0;
  std::thread client(
    [&] { connections = receive_until_retired(socket, acceptor.local_endpoint()); });
  for (int i = 0; i != 3; ++i)
    acceptor.accept().close();
  const tcp::socket last = acceptor.accept();
  alarm.set_value();
  watchdog.join();
  client.join();

  std::cout << connections << " connections\n";
  return connections >= 3 && !socket.is_open() ? 0 : 1;
}
