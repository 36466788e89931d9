// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A handler that cannot take the result of a read. The compiler says so in Asio's words, and nothing else.
//
// expect with -std=c++17 in 32 lines: ReadHandler type requirements not met
// expect with -std=c++20 in 25 lines: constraints not satisfied | substitution failure
// control

#include <cstddef>
#include <string>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/ip/tcp.hpp>

int main()
{
#if defined(EXPECT_OK)
  using result = std::size_t;
#else
  using result = std::string;
#endif
  boost::asio::io_context context;
  interlock::ip::tcp::socket s(context);
  char bytes[4];
  s.async_read_some(boost::asio::buffer(bytes), [](boost::system::error_code, result) {});
}
