// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A typical program: a chat server, with callbacks. It is compiled, and not run.

#include <cstdlib>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "tcp.hpp"

namespace {

class client;

/// The clients that are connected.
struct room
{
  std::set<std::shared_ptr<client>> clients;

  void deliver(const std::string& line);
};

class client : public std::enable_shared_from_this<client>
{
public:
  client(tcp::socket socket, room& r)
    : socket_(std::move(socket)),
      room_(r)
  {
  }

  void start()
  {
    room_.clients.insert(shared_from_this());
    read();
  }

  void deliver(const std::string& line)
  {
    output_.push_back(line);
    if (output_.size() == 1)
      write();
  }

private:
  void read()
  {
    asio::async_read_until(socket_, asio::dynamic_buffer(input_), '\n',
      [self = shared_from_this()](error_code ec, std::size_t size)
      {
        if (ec)
          return self->leave();
        self->room_.deliver(self->input_.substr(0, size));
        self->input_.erase(0, size);
        self->read();
      });
  }

  void write()
  {
    asio::async_write(socket_, asio::buffer(output_.front()),
      [self = shared_from_this()](error_code ec, std::size_t)
      {
        if (ec)
          return self->leave();
        self->output_.pop_front();
        if (!self->output_.empty())
          self->write();
      });
  }

  void leave()
  {
    room_.clients.erase(shared_from_this());
    socket_.close();
  }

  tcp::socket socket_;
  room& room_;
  std::string input_;
  std::deque<std::string> output_;
};

void room::deliver(const std::string& line)
{
  for (const std::shared_ptr<client>& c : clients)
    c->deliver(line);
}

void accept(tcp::acceptor& acceptor, room& r)
{
  acceptor.async_accept(
    [&](error_code ec, tcp::socket socket)
    {
      if (!ec)
        std::make_shared<client>(std::move(socket), r)->start();
      accept(acceptor, r);
    });
}

} // namespace

int main(int, char** argv)
{
  asio::io_context context;
  room everyone;
  tcp::acceptor acceptor(
    context, tcp::endpoint(asio::ip::tcp::v4(), static_cast<unsigned short>(std::atoi(argv[1]))));
  accept(acceptor, everyone);
  context.run();
}
