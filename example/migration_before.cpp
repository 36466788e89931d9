// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// An echo server of plain Asio on several threads, with a limit for idle connections and a drain. Migrated, it is
// migration_after.cpp.
//
//   migration_before [PORT [IDLE_SECONDS]]
//
// Prints the port. SIGTERM and SIGINT end the program when each client has what is being written to it; one that
// does not read that and end its side within five seconds is given up.

#include <algorithm>
#include <array>
#include <boost/asio.hpp>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::seconds;

namespace {

/// A connection. Its handlers keep it, and run on its strand.
class session : public std::enable_shared_from_this<session>
{
public:
  session(tcp::socket&& socket, seconds idle)
    : socket_(std::move(socket)),
      idle_(idle)
  {
  }

  void start()
  {
    asio::dispatch(socket_.get_executor(),
      [self = shared_from_this()]
      {
        self->watch();
        self->read();
      });
  }

  //[migration_before_close
  /// Any thread.
  void drain()
  {
    asio::post(socket_.get_executor(), [self = shared_from_this()] { self->begin_to_drain(); });
  }

private:
  void begin_to_drain()
  {
    if (is_draining_ || !socket_.is_open())
      return;
    is_draining_ = true;
    timer_.expires_after(seconds(5));
    timer_.async_wait(
      [self = shared_from_this()](error_code ec)
      {
        if (!ec)
          self->close();
      });
    if (!is_writing_)
      end_our_side();
  }

  void end_our_side()
  {
    error_code ignored;
    socket_.cancel(ignored);
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    discard();
  }

  /// Closed with input that has not been read, the connection would be reset, and the rest of the echo lost.
  void discard()
  {
    socket_.async_read_some(asio::buffer(data_),
      [self = shared_from_this()](error_code ec, std::size_t)
      { ec ? self->close() : self->discard(); });
  }

  void close()
  {
    error_code ignored;
    socket_.close(ignored);
    timer_.cancel();
  }
  //]

  //[migration_before_watch
  void watch()
  {
    timer_.expires_after(idle_);
    timer_.async_wait(
      [self = shared_from_this()](error_code ec)
      {
        // It may have been set again after it had expired.
        if (!ec && self->timer_.expiry() <= asio::steady_timer::clock_type::now())
          self->begin_to_drain();
      });
  }
  //]

  void read()
  {
    socket_.async_read_some(asio::buffer(data_),
      [self = shared_from_this()](error_code ec, std::size_t n)
      {
        if (self->is_draining_)
          return;
        ec ? self->close() : self->write(n);
      });
  }

  void write(std::size_t size)
  {
    watch();
    is_writing_ = true;
    asio::async_write(socket_, asio::buffer(data_, size),
      [self = shared_from_this()](error_code ec, std::size_t)
      {
        self->is_writing_ = false;
        if (ec)
          return self->close();
        self->is_draining_ ? self->end_our_side() : self->read();
      });
  }

  tcp::socket socket_;
  asio::steady_timer timer_{socket_.get_executor()};
  const seconds idle_;
  std::array<char, 4096> data_;
  bool is_draining_ = false;
  bool is_writing_ = false;
};

/// Its handlers run on its strand.
class server
{
public:
  server(asio::io_context& context, unsigned short port, seconds idle)
    : context_(context),
      acceptor_(asio::make_strand(context), tcp::endpoint(tcp::v4(), port)),
      idle_(idle)
  {
    std::cout << "port " << acceptor_.local_endpoint().port() << std::endl;
  }

  void accept()
  {
    if (!acceptor_.is_open())
      return;
    acceptor_.async_accept(asio::make_strand(context_),
      [this](error_code ec, tcp::socket socket)
      {
        // It may have been accepted before the acceptor was closed.
        if (!ec && acceptor_.is_open())
          serve(std::make_shared<session>(std::move(socket), idle_));
        ec ? accept_later() : accept();
      });
  }

  //[migration_before_stop
  void stop_on_signal()
  {
    stop_.async_wait(
      [this](error_code, int)
      {
        acceptor_.close();
        for (const std::weak_ptr<session>& each : sessions_)
          if (const std::shared_ptr<session> s = each.lock())
            s->drain();
      });
  }
  //]

private:
  void serve(const std::shared_ptr<session>& s)
  {
    const auto is_gone = [](const std::weak_ptr<session>& each) { return each.expired(); };
    sessions_.erase(std::remove_if(sessions_.begin(), sessions_.end(), is_gone), sessions_.end());
    sessions_.push_back(s);
    s->start();
  }

  /// Without a descriptor or memory for it the connection stays in the queue.
  void accept_later()
  {
    pause_.expires_after(std::chrono::milliseconds(100));
    pause_.async_wait([this](error_code) { accept(); });
  }

  asio::io_context& context_;
  tcp::acceptor acceptor_;
  asio::signal_set stop_{acceptor_.get_executor(), SIGTERM, SIGINT};
  asio::steady_timer pause_{acceptor_.get_executor()};
  const seconds idle_;
  std::vector<std::weak_ptr<session>> sessions_;
};

} // namespace

int main(int argc, char** argv)
{
  const auto number = [&](int i, int otherwise)
  { return argc > i ? std::atoi(argv[i]) : otherwise; };
  asio::io_context context;
  server s(context, static_cast<unsigned short>(number(1, 0)), seconds(number(2, 60)));
  s.stop_on_signal();
  s.accept();
  std::thread other([&] { context.run(); });
  context.run();
  other.join();
}
