// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A server that answers, and closes so that the client gets the whole answer, although it has not
// read all that the client has sent. Ends with 0 if the client got it, and the server knows.

//[delivery_includes
#include <interlock/close_mode.hpp>
#include <interlock/ip/tcp.hpp>
//]

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <chrono>
#include <iostream>
#include <string>
#include <thread>

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::ip::tcp;

namespace {

/// How much has come when the connection ends.
std::size_t ask(tcp::socket& client)
{
  asio::write(client, asio::buffer(std::string(1000, 'q')));
  std::string answer;
  error_code end;
  const std::size_t size = asio::read(client, asio::dynamic_buffer(answer), end);
  client.close();
  return end == asio::error::eof ? size : 0;
}

} // namespace

int main()
{
  asio::io_context context;
  tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  tcp::socket client(context);
  client.connect(acceptor.local_endpoint());
  tcp::socket socket = acceptor.accept();
  const std::string answer(4000000, 'a');
  interlock::close_report told;

  std::size_t received = 0;
  std::thread peer([&] { received = ask(client); });
  socket.wait(socket.wait_read);

  //[delivery_close
  asio::async_write(socket, asio::buffer(answer), [](error_code, std::size_t) {});

  socket.async_close(interlock::close_mode::graceful(std::chrono::seconds(30))
                       .progress_timeout(std::chrono::seconds(5))
                       .discard_limit(1 << 20),
    [&](error_code ec, interlock::close_report report)
    {
      // The answer may be freed.
      if (!ec && report.outcome == interlock::close_outcome::peer_closed)
        std::cout << "all of it has arrived\n";
      else
        std::cout << report.outcome << ", " << report.unacknowledged << " bytes are missing\n";
      told = report;
    });
  //]

  context.run();
  peer.join();
  return told.outcome == interlock::close_outcome::peer_closed && received == answer.size() ? 0 : 1;
}
