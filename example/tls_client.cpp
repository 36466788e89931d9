// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A TLS client that ends its connection as it should, within a deadline, whatever the server does.
//
//   tls_client HOST PORT [CERTIFICATE]
//
// Sends GET /, prints the answer, and how the connection has ended.

#include <interlock/adapt/ssl.hpp>
#include <interlock/ip/tcp.hpp>

#include <array>
#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using boost::system::error_code;
using interlock::ip::tcp;

namespace {

/// One request. Its handlers keep it.
class client : public std::enable_shared_from_this<client>
{
public:
  client(asio::io_context& context, ssl::context& tls, const std::string& host)
    : stream_(context, tls),
      request_("GET / HTTP/1.0\r\nHost: " + host + "\r\n\r\n")
  {
    stream_.set_verify_mode(ssl::verify_peer);
    stream_.set_verify_callback(ssl::host_name_verification(host));
  }

  void start(const tcp::resolver::results_type& where)
  {
    asio::async_connect(stream_.next_layer(), where,
      [self = shared_from_this()](error_code ec, const tcp::endpoint&)
      { ec ? self->fail(ec) : self->shake_hands(); });
  }

private:
  void shake_hands()
  {
    stream_.async_handshake(ssl::stream_base::client,
      [self = shared_from_this()](error_code ec) { ec ? self->fail(ec) : self->ask(); });
  }

  void ask()
  {
    asio::async_write(stream_, asio::buffer(request_),
      [self = shared_from_this()](error_code ec, std::size_t)
      { ec ? self->fail(ec) : self->read(); });
  }

  void read()
  {
    stream_.async_read_some(asio::buffer(input_),
      [self = shared_from_this()](error_code ec, std::size_t n)
      {
        std::cout.write(self->input_.data(), static_cast<std::streamsize>(n));
        ec ? self->close() : self->read();
      });
  }

  //[tls_client_close
  void close()
  {
    interlock::async_close(std::shared_ptr<stream_type>(shared_from_this(), &stream_),
      interlock::close_mode::graceful(std::chrono::seconds(5)),
      [](error_code ec, const interlock::stack_report& report)
      {
        // "Success, peer_closed after 3 ms; close_notify sent, close_notify answered"
        std::cout << "\nclosed: " << ec.message() << ", " << report << '\n';
        if (!report.notify_answered)
          std::cout << "the answer may be cut: the server has not ended TLS\n";
      });
  }
  //]

  void fail(error_code ec)
  {
    std::cout << ec.message() << '\n';
    close();
  }

  using stream_type = ssl::stream<tcp::socket>;

  stream_type stream_;
  const std::string request_;
  std::array<char, 4096> input_;
};

} // namespace

int main(int argc, char** argv)
try
{
  if (argc < 3)
    throw std::runtime_error("tls_client HOST PORT [CERTIFICATE]");
  asio::io_context context;
  ssl::context tls(ssl::context::tls_client);
  if (argc > 3)
    tls.load_verify_file(argv[3]);
  else
    tls.set_default_verify_paths();
  tcp::resolver resolver(context);
  std::make_shared<client>(context, tls, argv[1])->start(resolver.resolve(argv[1], argv[2]));
  context.run();
}
catch (const std::exception& e)
{
  std::cerr << e.what() << '\n';
  return EXIT_FAILURE;
}
