// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The echo server of migration_before.cpp over Interlock: what kept a close apart from other calls is gone.
//
//   migration_after [PORT [IDLE_SECONDS]]
//
// Prints the port, and at the end how the connections have ended. Connections that the server has not seen yet when it
// ends get a regular end here, where the other program resets them.

#include <interlock/close_group.hpp>
#include <interlock/ip/tcp.hpp>

#include <algorithm>
#include <array>
#include <atomic>
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
using boost::system::error_code;
using interlock::close_mode;
using interlock::ip::tcp;
using std::chrono::seconds;
using clock_type = std::chrono::steady_clock;

namespace {

/// A connection. Its handlers keep it; one is outstanding at a time.
class session : public std::enable_shared_from_this<session>
{
public:
  explicit session(tcp::socket&& socket)
    : socket_(std::move(socket))
  {
  }

  tcp::socket& socket()
  {
    return socket_;
  }

  /// Any thread.
  bool is_idle_since(clock_type::time_point time) const
  {
    return last_use_.load() < time.time_since_epoch();
  }

  //[migration_after_close
  /// Any thread, at any moment: the client receives what is being written to it.
  void drain()
  {
    socket_.async_close(close_mode::graceful(seconds(5)),
      [self = shared_from_this()](error_code, const interlock::close_report&) {});
  }
  //]

  void read()
  {
    socket_.async_read_some(asio::buffer(data_),
      [self = shared_from_this()](error_code ec, std::size_t n)
      { ec ? self->drain() : self->write(n); });
  }

private:
  void write(std::size_t size)
  {
    last_use_ = clock_type::now().time_since_epoch();
    asio::async_write(socket_, asio::buffer(data_, size),
      [self = shared_from_this()](error_code ec, std::size_t)
      { ec ? self->drain() : self->read(); });
  }

  tcp::socket socket_;
  std::array<char, 4096> data_;
  std::atomic<clock_type::duration> last_use_{clock_type::now().time_since_epoch()};
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
    group_.add(acceptor_);
    std::cout << "port " << acceptor_.local_endpoint().port() << std::endl;
  }

  void accept()
  {
    if (!acceptor_.is_open())
      return;
    acceptor_.async_accept(asio::any_io_executor(context_.get_executor()),
      [this](error_code ec, tcp::socket socket)
      {
        if (!ec)
          serve(std::make_shared<session>(std::move(socket)));
        ec ? accept_later() : accept();
      });
  }

  //[migration_after_watch
  /// One timer for all sessions, whose handlers run on any thread meanwhile.
  void watch()
  {
    timer_.expires_after(std::min(idle_, seconds(1)));
    timer_.async_wait(
      [this](error_code)
      {
        if (!acceptor_.is_open())
          return;
        const auto is_done = [limit = clock_type::now() - idle_](const auto& each)
        {
          const std::shared_ptr<session> s = each.lock();
          const bool is_idle = s && s->is_idle_since(limit);
          if (is_idle)
            s->drain();
          return !s || is_idle;
        };
        sessions_.erase(
          std::remove_if(sessions_.begin(), sessions_.end(), is_done), sessions_.end());
        watch();
      });
  }
  //]

  //[migration_after_stop
  void stop_on_signal()
  {
    stop_.async_wait(
      [this](error_code, int)
      {
        group_.async_close(close_mode::graceful(seconds(5)),
          [this](error_code, const interlock::close_tally& tally)
          {
            std::cout << tally << std::endl;
            timer_.cancel();
          });
      });
  }
  //]

private:
  void serve(const std::shared_ptr<session>& s)
  {
    group_.add(s->socket());
    sessions_.push_back(s);
    s->read();
  }

  /// Without a descriptor or memory for it the connection stays in the queue.
  void accept_later()
  {
    pause_.expires_after(std::chrono::milliseconds(100));
    pause_.async_wait([this](error_code) { accept(); });
  }

  asio::io_context& context_;
  tcp::acceptor acceptor_;
  interlock::close_group group_{acceptor_.get_executor()};
  asio::signal_set stop_{acceptor_.get_executor(), SIGTERM, SIGINT};
  asio::steady_timer pause_{acceptor_.get_executor()};
  asio::steady_timer timer_{acceptor_.get_executor()};
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
  s.watch();
  s.accept();
  std::thread other([&] { context.run(); });
  context.run();
  other.join();
}
