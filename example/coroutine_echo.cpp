// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// An echo server of coroutines (C++20), on several threads.
//
//   coroutine_echo [PORT]
//
// Prints the port. SIGTERM and SIGINT end every session when its client has what was echoed.

#include <interlock/close_group.hpp>
#include <interlock/ip/tcp.hpp>

#include <boost/asio.hpp>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <thread>
#include <tuple>
#include <utility>

#if defined(BOOST_ASIO_HAS_CO_AWAIT)

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::close_mode;
using interlock::ip::tcp;
using std::chrono::seconds;

namespace {

//[coroutine_session
asio::awaitable<void> serve(tcp::socket socket)
{
  constexpr auto token = asio::as_tuple(asio::use_awaitable);
  char data[4096];
  for (error_code failed; !failed;)
  {
    const auto [ec, n] = co_await socket.async_read_some(asio::buffer(data), token);
    failed = ec;
    if (!ec)
      failed = std::get<0>(co_await asio::async_write(socket, asio::buffer(data, n), token));
  }
  // Joins the close of the group, if that has begun. Without a mode it would end the group's delivery.
  const auto [ec, report] = co_await socket.async_close(close_mode::graceful(seconds(5)), token);
  std::cout << report << std::endl;
}
//]

//[coroutine_accept
asio::awaitable<void> accept(tcp::acceptor& acceptor, interlock::close_group& group)
{
  while (acceptor.is_open())
  {
    error_code ec;
    tcp::socket socket = co_await acceptor.async_accept(
      asio::redirect_error(asio::use_awaitable, ec));
    if (ec)
      continue;
    group.add(socket);
    asio::co_spawn(acceptor.get_executor(), serve(std::move(socket)), asio::detached);
  }
}
//]

} // namespace

int main(int argc, char** argv)
{
  asio::io_context context;
  interlock::close_group group(context);
  const auto port = static_cast<unsigned short>(argc > 1 ? std::atoi(argv[1]) : 0);
  tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::tcp::v4(), port));
  group.add(acceptor);
  std::cout << "port " << acceptor.local_endpoint().port() << std::endl;
  asio::co_spawn(context, accept(acceptor, group), asio::detached);

  //[coroutine_stop
  asio::signal_set signals(context, SIGTERM, SIGINT);
  signals.async_wait(
    [&](error_code, int) { group.async_close(close_mode::graceful(seconds(10)), asio::detached); });
  //]

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
