// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// An echo server of coroutines (C++20) on several threads, with a watchdog.
//
//   coroutine_echo [PORT [IDLE_SECONDS]]
//
// Prints the port, and how each session has ended. A session that has been idle is closed. SIGTERM and SIGINT end
// every session when its client has what is being written to it.

#include <interlock/close_group.hpp>
#include <interlock/ip/tcp.hpp>

#include <algorithm>
#include <atomic>
#include <boost/asio.hpp>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#if defined(BOOST_ASIO_HAS_CO_AWAIT)

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::close_mode;
using interlock::ip::tcp;
using std::chrono::seconds;
using clock_type = std::chrono::steady_clock;

namespace {

/// A connection. Its coroutine keeps it.
struct session
{
  explicit session(tcp::socket&& s)
    : socket(std::move(s))
  {
  }

  tcp::socket socket;
  std::atomic<clock_type::duration> last_use{clock_type::now().time_since_epoch()};
};

//[coroutine_session
asio::awaitable<void> serve(std::shared_ptr<session> s)
{
  constexpr auto token = asio::as_tuple(asio::use_awaitable);
  char data[4096];
  for (error_code failed; !failed;)
  {
    const auto [ec, n] = co_await s->socket.async_read_some(asio::buffer(data), token);
    s->last_use = clock_type::now().time_since_epoch();
    failed = ec;
    if (!ec)
      failed = std::get<0>(co_await asio::async_write(s->socket, asio::buffer(data, n), token));
  }
  // Joins the close of the watchdog or the group, if that has begun. Without a mode it would end their delivery.
  const auto [ec, report] = co_await s->socket.async_close(close_mode::graceful(seconds(5)), token);
  std::cout << report << std::endl;
}
//]

/// Its coroutines and handlers run on its strand.
class server
{
public:
  server(asio::io_context& context, unsigned short port, seconds idle)
    : context_(context),
      acceptor_(strand_, tcp::endpoint(asio::ip::tcp::v4(), port)),
      idle_(idle)
  {
    group_.add(acceptor_);
    std::cout << "port " << acceptor_.local_endpoint().port() << std::endl;
  }

  void start()
  {
    asio::co_spawn(strand_, accept(), asio::detached);
    asio::co_spawn(strand_, watch(), asio::detached);
    stop_on_signal();
  }

private:
  //[coroutine_accept
  asio::awaitable<void> accept()
  {
    asio::steady_timer pause(strand_);
    while (acceptor_.is_open())
    {
      error_code ec;
      tcp::socket socket = co_await acceptor_.async_accept(
        asio::any_io_executor(context_.get_executor()),
        asio::redirect_error(asio::use_awaitable, ec));
      if (!ec)
      {
        spawn(std::make_shared<session>(std::move(socket)));
        continue;
      }
      // Without a descriptor or memory for it the connection stays in the queue.
      pause.expires_after(std::chrono::milliseconds(100));
      co_await pause.async_wait(asio::use_awaitable);
    }
  }
  //]

  void spawn(const std::shared_ptr<session>& s)
  {
    group_.add(s->socket);
    sessions_.push_back(s);
    asio::co_spawn(context_, serve(s), asio::detached);
  }

  //[coroutine_watch
  /// Closes sessions that have been idle, whose coroutines run on any thread meanwhile.
  asio::awaitable<void> watch()
  {
    while (acceptor_.is_open())
    {
      error_code ignored;
      watchdog_.expires_after(std::min(idle_, seconds(1)));
      co_await watchdog_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      const auto limit = (clock_type::now() - idle_).time_since_epoch();
      const auto is_done = [&](const std::weak_ptr<session>& each)
      {
        const std::shared_ptr<session> s = each.lock();
        if (s && s->last_use.load() < limit)
          s->socket.async_close(close_mode::graceful(seconds(5)), asio::detached);
        return !s || !s->socket.is_open();
      };
      sessions_.erase(std::remove_if(sessions_.begin(), sessions_.end(), is_done), sessions_.end());
    }
  }
  //]

  //[coroutine_stop
  void stop_on_signal()
  {
    stop_.async_wait(
      [this](error_code, int)
      {
        group_.async_close(close_mode::graceful(seconds(10)),
          [this](error_code, const interlock::close_tally&) { watchdog_.cancel(); });
      });
  }
  //]

  asio::io_context& context_;
  const asio::any_io_executor strand_{asio::make_strand(context_)};
  tcp::acceptor acceptor_;
  interlock::close_group group_{strand_};
  asio::signal_set stop_{strand_, SIGTERM, SIGINT};
  asio::steady_timer watchdog_{strand_};
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
  s.start();
  std::thread other([&] { context.run(); });
  context.run();
  other.join();
}

#else

int main()
{
  std::cout << "compiled without coroutines\n";
}

#endif
