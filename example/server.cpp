// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A server to copy: HTTP over TLS, on several threads.
//
//   server CERTIFICATE KEY [PORT [IDLE_SECONDS [DRAIN_SECONDS]]]
//
// Prints the port. GET /N is answered by N bytes. A watchdog closes connections that have been idle. SIGTERM and
// SIGINT let responses that are under way run to their end, close all with TLS's close_notify, and give up what has
// not been delivered at the deadline. SIGUSR1 prints what is open, and what closes wait for.

#include <interlock/adapt/ssl.hpp>
#include <interlock/close_group.hpp>
#include <interlock/close_service.hpp>
#include <interlock/ip/tcp.hpp>

#include <algorithm>
#include <atomic>
#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace ssl = boost::asio::ssl;
using boost::system::error_code;
using interlock::close_mode;
using interlock::ip::tcp;
using std::chrono::seconds;
using clock_type = std::chrono::steady_clock;

namespace {

/// A connection. Its handlers keep it; its executor is a strand.
class session : public std::enable_shared_from_this<session>
{
public:
  using stream_type = ssl::stream<tcp::socket>;

  session(tcp::socket&& socket, ssl::context& tls)
    : stream_(std::move(socket), tls)
  {
  }

  /// As a part of the session, which it keeps.
  std::shared_ptr<stream_type> stream()
  {
    return {shared_from_this(), &stream_};
  }

  void start()
  {
    stream_.async_handshake(ssl::stream_base::server,
      [self = shared_from_this()](error_code ec)
      {
        if (!ec)
          self->read();
      });
  }

  /// Any thread.
  bool is_idle_since(clock_type::time_point time) const
  {
    return last_use_.load() < time.time_since_epoch();
  }

  //[server_session_close
  /// Any thread, at any moment.
  void close()
  {
    interlock::async_close(stream(), close_mode::graceful(seconds(5)),
      [](error_code, const interlock::stack_report&) {});
  }
  //]

private:
  void read()
  {
    last_use_ = clock_type::now().time_since_epoch();
    request_ = {};
    http::async_read(stream_, buffer_, request_,
      [self = shared_from_this()](error_code ec, std::size_t)
      { ec ? self->close() : self->write(); });
  }

  void write()
  {
    last_use_ = clock_type::now().time_since_epoch();
    const std::string target = std::string(request_.target()).erase(0, 1);
    response_ = {http::status::ok, request_.version()};
    response_.keep_alive(request_.keep_alive());
    response_.body().assign(std::strtoul(target.c_str(), nullptr, 10) % (64 << 20), 'x');
    response_.prepare_payload();
    http::async_write(stream_, response_,
      [self = shared_from_this()](error_code ec, std::size_t)
      { ec || !self->response_.keep_alive() ? self->close() : self->read(); });
  }

  stream_type stream_;
  boost::beast::flat_buffer buffer_;
  http::request<http::empty_body> request_;
  http::response<http::string_body> response_;
  std::atomic<clock_type::duration> last_use_{clock_type::now().time_since_epoch()};
};

class server
{
public:
  server(ssl::context& tls, unsigned short port, seconds idle)
    : tls_(tls),
      acceptor_(strand_, tcp::endpoint(asio::ip::tcp::v4(), port)),
      idle_(idle)
  {
    group_.add(acceptor_);
  }

  //[server_accept
  void accept()
  {
    if (!acceptor_.is_open())
      return;
    acceptor_.async_accept(asio::any_io_executor(asio::make_strand(context_)),
      [this](error_code ec, tcp::socket socket)
      {
        if (!ec)
          serve(std::make_shared<session>(std::move(socket), tls_));
        ec ? accept_later() : accept();
      });
  }

  /// Without a descriptor or memory for it the connection stays in the queue.
  void accept_later()
  {
    pause_.expires_after(std::chrono::milliseconds(100));
    pause_.async_wait([this](error_code) { accept(); });
  }
  //]

  void serve(const std::shared_ptr<session>& s)
  {
    group_.add(s->stream());
    s->start();
    sessions_.push_back(s);
  }

  //[server_watch
  /// Closes sessions that have been idle, whose own strands may run on other threads.
  void watch()
  {
    watchdog_.expires_after(std::min(idle_, seconds(1)));
    watchdog_.async_wait(
      [this](error_code)
      {
        if (is_over_)
          return;
        const auto is_done = [limit = clock_type::now() - idle_](const auto& each)
        {
          const std::shared_ptr<session> s = each.lock();
          const bool is_idle = s && s->is_idle_since(limit);
          if (is_idle)
            s->close();
          return !s || is_idle;
        };
        sessions_.erase(
          std::remove_if(sessions_.begin(), sessions_.end(), is_done), sessions_.end());
        watch();
      });
  }
  //]

  //[server_stop
  void stop_on_signal(seconds drain)
  {
    stop_.async_wait(
      [this, drain](error_code ec, int)
      {
        if (ec)
          return;
        group_.async_close(close_mode::graceful(drain),
          [this](error_code, const interlock::close_tally& tally)
          {
            std::cout << tally << std::endl;
            // A handler that is on its way already is not cancelled.
            is_over_ = true;
            dump_.cancel();
            watchdog_.cancel();
          });
      });
  }
  //]

  void dump_on_signal()
  {
    dump_.async_wait(
      [this](error_code, int)
      {
        if (is_over_)
          return;
        const auto& service = asio::use_service<interlock::close_service>(context_);
        std::cerr << service.statistics().open << " open\n";
        service.dump(std::cerr);
        dump_on_signal();
      });
  }

  void run(unsigned threads)
  {
    std::cout << "port " << acceptor_.local_endpoint().port() << std::endl;
    std::vector<std::thread> others;
    for (unsigned i = 1; i < threads; ++i)
      others.emplace_back([this] { context_.run(); });
    context_.run();
    for (std::thread& t : others)
      t.join();
  }

private:
  asio::io_context context_;
  const asio::any_io_executor strand_{asio::make_strand(context_)}; // of all handlers here
  ssl::context& tls_;
  interlock::close_group group_{strand_};
  tcp::acceptor acceptor_;
  asio::signal_set stop_{strand_, SIGTERM, SIGINT};
  asio::signal_set dump_{strand_, SIGUSR1};
  asio::steady_timer watchdog_{strand_};
  asio::steady_timer pause_{strand_};
  bool is_over_ = false;
  const seconds idle_;
  std::vector<std::weak_ptr<session>> sessions_;
};

} // namespace

int main(int argc, char** argv)
try
{
  if (argc < 3)
    throw std::runtime_error("server CERTIFICATE KEY [PORT [IDLE_SECONDS [DRAIN_SECONDS]]]");
  const auto number = [&](int i, int otherwise)
  { return argc > i ? std::atoi(argv[i]) : otherwise; };
  ssl::context tls(ssl::context::tls_server);
  tls.use_certificate_chain_file(argv[1]);
  tls.use_private_key_file(argv[2], ssl::context::pem);
  server s(tls, static_cast<unsigned short>(number(3, 0)), seconds(number(4, 60)));
  s.stop_on_signal(seconds(number(5, 30)));
  s.dump_on_signal();
  s.watch();
  s.accept();
  s.run(std::max(2u, std::thread::hardware_concurrency()));
}
catch (const std::exception& e)
{
  std::cerr << e.what() << '\n';
  return EXIT_FAILURE;
}
