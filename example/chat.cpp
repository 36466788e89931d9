// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A chat: what one client sends, all receive. It runs on several threads, with no strand but those of the library:
// any thread may close a client at any moment.
//
//   chat [PORT]
//
// Prints the port. The line "/kick" closes all other clients; one that does not read what it is sent is closed as
// well. SIGTERM and SIGINT end the program when every client has what it was sent.

#include <interlock/close_group.hpp>
#include <interlock/ip/tcp.hpp>

#include <algorithm>
#include <boost/asio.hpp>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <deque>
#include <functional>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::close_mode;
using interlock::ip::tcp;
using std::chrono::seconds;

namespace {

constexpr std::size_t most_lines = 1000;

class client;

/// The clients that are there. Any thread.
class room
{
public:
  void enter(const std::shared_ptr<client>& c)
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    clients_.push_back(c);
  }

  /// All but this one, and those that are gone.
  std::vector<std::shared_ptr<client>> others(const client* self)
  {
    std::vector<std::shared_ptr<client>> all;
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto is_gone = [&](const std::weak_ptr<client>& each)
    {
      if (std::shared_ptr<client> c = each.lock())
      {
        if (c.get() != self)
          all.push_back(std::move(c));
        return false;
      }
      return true;
    };
    clients_.erase(std::remove_if(clients_.begin(), clients_.end(), is_gone), clients_.end());
    return all;
  }

private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<client>> clients_;
};

/// One connection. Its handlers keep it.
class client : public std::enable_shared_from_this<client>
{
public:
  client(tcp::socket&& socket, room& r)
    : socket_(std::move(socket)),
      room_(r)
  {
  }

  void read()
  {
    asio::async_read_until(socket_, asio::dynamic_buffer(input_, 4096), '\n',
      [self = shared_from_this()](error_code ec, std::size_t n)
      {
        if (ec)
          return self->close();
        self->take_line(self->input_.substr(0, n));
        self->input_.erase(0, n);
        self->read();
      });
  }

  /// Any thread.
  void send(const std::string& line)
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (lines_.size() == most_lines)
      return socket_.close(); // It does not read.
    lines_.push_back(line);
    if (lines_.size() == 1)
      write();
  }

  //[chat_close
  /// Any thread, at any moment: what has been sent still arrives.
  void close()
  {
    socket_.async_close(close_mode::graceful(seconds(5)),
      [self = shared_from_this()](error_code, const interlock::close_report&) {});
  }
  //]

private:
  void take_line(const std::string& line)
  {
    for (const std::shared_ptr<client>& other : room_.others(this))
      line == "/kick\n" ? other->close() : other->send(line);
  }

  // Under the mutex.
  void write()
  {
    asio::async_write(socket_, asio::buffer(lines_.front()),
      [self = shared_from_this()](error_code ec, std::size_t)
      {
        const std::lock_guard<std::mutex> lock(self->mutex_);
        self->lines_.pop_front();
        if (!ec && !self->lines_.empty())
          self->write();
      });
  }

  tcp::socket socket_;
  room& room_;
  std::string input_;
  std::mutex mutex_;
  std::deque<std::string> lines_; // to be written; guarded by the mutex
};

} // namespace

int main(int argc, char** argv)
{
  room r;
  asio::io_context context;
  interlock::close_group group(context);
  const auto port = static_cast<unsigned short>(argc > 1 ? std::atoi(argv[1]) : 0);
  tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::tcp::v4(), port));
  group.add(acceptor);
  std::cout << "port " << acceptor.local_endpoint().port() << std::endl;

  asio::steady_timer pause(context);
  const std::function<void()> accept = [&]
  {
    if (!acceptor.is_open())
      return;
    acceptor.async_accept(
      [&](error_code ec, tcp::socket socket)
      {
        if (!ec)
        {
          group.add(socket);
          const auto c = std::make_shared<client>(std::move(socket), r);
          r.enter(c);
          c->read();
          return accept();
        }
        // Without a descriptor or memory for it the connection stays in the queue.
        pause.expires_after(std::chrono::milliseconds(100));
        pause.async_wait([&](error_code) { accept(); });
      });
  };
  accept();

  asio::signal_set signals(context, SIGTERM, SIGINT);
  signals.async_wait(
    [&](error_code, int)
    {
      group.async_close(close_mode::graceful(seconds(10)),
        [](error_code, const interlock::close_tally& tally) { std::cout << tally << std::endl; });
    });

  std::thread other([&] { context.run(); });
  context.run();
  other.join();
}
