// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What a user's first program might do: a read is outstanding in one thread, another thread
// closes its socket. Ends with 0 if the read was aborted and the close reported success.

#include <interlock.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address_v4.hpp>

#include <iostream>
#include <thread>

namespace asio = boost::asio;
using interlock::ip::tcp;

int main()
{
  asio::io_context context;
  tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  tcp::socket client(context);
  client.connect(acceptor.local_endpoint());
  tcp::socket server = acceptor.accept();

  boost::system::error_code read_result;
  boost::system::error_code close_result = asio::error::would_block;
  char byte = 0;
  server.async_read_some(
    asio::buffer(&byte, 1), [&](boost::system::error_code ec, std::size_t) { read_result = ec; });

  std::thread close_waiter(
    [&] { server.async_close([&](boost::system::error_code ec) { close_result = ec; }); });
  close_waiter.join();
  context.run();

  std::cout << "read: " << read_result.message() << "\nclose: " << close_result.message() << '\n';
  return read_result == asio::error::operation_aborted && !close_result ? 0 : 1;
}
