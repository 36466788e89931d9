// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The program of the README, as it stands there: tools/check_named_cases.py compares the two.

//[readme
#include <interlock/ip/tcp.hpp>

#include <boost/asio.hpp>
#include <iostream>
#include <thread>

using tcp = interlock::ip::tcp; // was boost::asio::ip::tcp
using boost::system::error_code;

int main()
{
  boost::asio::io_context context;
  tcp::acceptor acceptor(context, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
  tcp::socket peer(context);
  peer.connect(acceptor.local_endpoint());
  tcp::socket session = acceptor.accept();

  char data[1024];
  session.async_read_some(boost::asio::buffer(data),
    [](error_code ec, std::size_t) { std::cout << "read: " << ec.message() << '\n'; });

  // No strand, no mutex, no post.
  std::thread watchdog(
    [&session]
    {
      session.async_close(
        [](error_code ec)
        {
          // Every handler of the session has returned: its buffers may be freed.
          std::cout << "closed: " << ec.message() << '\n';
        });
    });
  context.run();
  watchdog.join();
}
//]
