// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A server that closes all that it has open, the connections in its acceptor's queue included: every client gets a
// regular end.

#include <interlock/close_group.hpp>
#include <interlock/ip/tcp.hpp>

#include <boost/asio.hpp>
#include <chrono>
#include <cstddef>
#include <iostream>
#include <list>
#include <thread>
#include <vector>

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::ip::tcp;

namespace {

/// Reads until the end of each connection, and closes. How many have ended without an error.
std::size_t regular_ends(std::vector<asio::ip::tcp::socket>& clients)
{
  std::size_t ends = 0;
  for (asio::ip::tcp::socket& client : clients)
  {
    char answer[64];
    error_code ec;
    asio::read(client, asio::buffer(answer), ec);
    ends += ec == asio::error::eof ? 1 : 0;
    client.close();
  }
  return ends;
}

} // namespace

int main()
{
  asio::io_context context;
  std::vector<asio::ip::tcp::socket> clients;
  interlock::close_tally told;

  //[group_members
  interlock::close_group group(context);

  tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  group.add(acceptor);

  std::list<tcp::socket> sessions;
  const auto serve_next = [&]
  {
    sessions.push_back(acceptor.accept());
    group.add(sessions.back());
  };
  //]

  for (int i = 0; i != 5; ++i)
    clients.emplace_back(context).connect(acceptor.local_endpoint());
  serve_next();
  serve_next();

  std::size_t ends = 0;
  std::thread peers([&] { ends = regular_ends(clients); });

  //[group_close
  group.async_close(interlock::close_mode::graceful(std::chrono::seconds(30)),
    [&](error_code, const interlock::close_tally& tally)
    {
      std::cout << tally << '\n'; // 6 members: 1 closed, 5 peer_closed; the slowest after 4 ms
      told = tally;
    });
  //]

  context.run();
  peers.join();
  return told[interlock::close_outcome::peer_closed] == 5 && ends == 5 ? 0 : 1;
}
