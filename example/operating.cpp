// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What is open, and what a close waits for: a peer that does not read holds a close, and the service of the context says
// so. Ends with 0 if it does.

#include <interlock/close_service.hpp>
#include <interlock/ip/tcp.hpp>

#include <boost/asio.hpp>
#include <chrono>
#include <iostream>
#include <sstream>
#include <string>

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::ip::tcp;

int main()
{
  //[operating_options
  asio::io_context context;
  interlock::close_service::options options;
  options.shutdown_wait = std::chrono::seconds(5);
  options.slow_close_age = std::chrono::seconds(2);
  options.on_slow_close = [](const interlock::slow_close& slow)
  { std::cerr << "close(2) of descriptor " << slow.descriptor << " is stuck\n"; };
  interlock::make_close_service(context, options); // before the first object opens
  //]

  tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  tcp::socket client(context);
  client.connect(acceptor.local_endpoint());
  tcp::socket socket = acceptor.accept();
  socket.non_blocking(true);
  const std::string block(1 << 16, 'x');
  for (error_code full; !full;)
    socket.write_some(asio::buffer(block), full);
  interlock::close_outcome outcome{};
  socket.async_close(interlock::close_mode::deliver(std::chrono::seconds(30)),
    [&](error_code, interlock::close_report report) { outcome = report.outcome; });
  context.poll();

  //[operating_statistics
  const auto& service = asio::use_service<interlock::close_service>(context);
  const interlock::close_statistics now = service.statistics();
  std::cout << now.open << " open, " << now.closing() << " closing, "
            << now[interlock::close_outcome::timed_out] << " have timed out\n";
  service.dump(std::cout); // descriptor 8 waits for the peer for 0 ms
  //]

  std::ostringstream told;
  service.dump(told);
  std::string all;
  error_code end;
  asio::read(client, asio::dynamic_buffer(all), end);
  context.run();
  return now.closing() == 1 && told.str().find("waits for") != std::string::npos
      && outcome == interlock::close_outcome::acknowledged
    ? 0
    : 1;
}
