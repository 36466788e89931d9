// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A socket is closed and connected again while a composed write is between two of its steps. There
// is no race of threads in it: the order of events is legal. The rest of the message belongs to no
// one any more, and the operation has to say so.

#ifndef INTERLOCK_EXAMPLE_CLOSE_RACE_REOPENED_HPP
#define INTERLOCK_EXAMPLE_CLOSE_RACE_REOPENED_HPP

#include "tally.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <string>
#include <vector>

namespace close_race {

// Reads all that the connection still carries.
template <typename Socket>
std::size_t read_to_end(Socket& socket, std::size_t most)
{
  std::vector<char> received(most);
  boost::system::error_code end;
  return boost::asio::read(socket, boost::asio::buffer(received), end);
}

template <typename Tcp>
void reopened_socket(tally& counts, clock::time_point)
{
  boost::asio::io_context context;
  typename Tcp::acceptor acceptor(context, {boost::asio::ip::address_v4::loopback(), 0});
  typename Tcp::socket socket(context);
  typename Tcp::socket first(context);
  typename Tcp::socket second(context);
  socket.connect(acceptor.local_endpoint());
  acceptor.accept(first);

  // The first step writes at once; the next one waits for the loop to run.
  const std::string message(200000, 'm');
  ++counts.started;
  boost::asio::async_write(socket, boost::asio::buffer(message),
    [&counts](boost::system::error_code error, std::size_t)
    {
      ++counts.completed;
      counts.reported_error = static_cast<std::uint64_t>(error.value());
    });
  socket.close();
  socket.connect(acceptor.local_endpoint());
  acceptor.accept(second);
  ++counts.closes;
  context.run();

  socket.shutdown(Tcp::socket::shutdown_send);
  counts.first_peer = read_to_end(first, message.size());
  counts.second_peer = read_to_end(second, message.size());
}

} // namespace close_race

#endif // INTERLOCK_EXAMPLE_CLOSE_RACE_REOPENED_HPP
