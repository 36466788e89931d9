// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A typical program: an HTTP server over Beast, with callbacks. It is compiled, and not run.

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cstdlib>
#include <memory>
#include <utility>

#include "tcp.hpp"

namespace http = boost::beast::http;

namespace {

class session : public std::enable_shared_from_this<session>
{
public:
  explicit session(tcp::socket socket)
    : socket_(std::move(socket))
  {
  }

  void read()
  {
    request_ = {};
    http::async_read(socket_, buffer_, request_,
      [self = shared_from_this()](error_code ec, std::size_t)
      {
        if (!ec)
          self->write();
      });
  }

private:
  void write()
  {
    response_ = {http::status::ok, request_.version()};
    response_.keep_alive(request_.keep_alive());
    response_.body() = request_.body();
    response_.prepare_payload();
    http::async_write(socket_, response_,
      [self = shared_from_this()](error_code ec, std::size_t)
      {
        if (!ec && self->response_.keep_alive())
          return self->read();
        self->socket_.shutdown(asio::socket_base::shutdown_send, ec);
        self->socket_.close();
      });
  }

  tcp::socket socket_;
  boost::beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  http::response<http::string_body> response_;
};

void accept(tcp::acceptor& acceptor)
{
  acceptor.async_accept(
    [&](error_code ec, tcp::socket socket)
    {
      if (!ec)
        std::make_shared<session>(std::move(socket))->read();
      accept(acceptor);
    });
}

} // namespace

int main(int, char** argv)
{
  asio::io_context context;
  tcp::acceptor acceptor(
    context, tcp::endpoint(asio::ip::tcp::v4(), static_cast<unsigned short>(std::atoi(argv[1]))));
  accept(acceptor);
  context.run();
}
