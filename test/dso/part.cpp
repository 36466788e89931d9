// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include "part.hpp"

#include <cstddef>
#include <utility>

#include <boost/asio/buffer.hpp>

namespace part {

namespace {

char buffer[4096];

} // namespace

void write(socket& s, handler h)
{
  s.async_write_some(boost::asio::buffer(buffer),
    [h = std::move(h)](boost::system::error_code ec, std::size_t) { h(ec); });
}

void read(socket& s, handler h)
{
  s.async_read_some(boost::asio::buffer(buffer),
    [h = std::move(h)](boost::system::error_code ec, std::size_t) { h(ec); });
}

void close(socket& s)
{
  s.close();
}

interlock::close_service& service(boost::asio::io_context& context)
{
  return boost::asio::use_service<interlock::close_service>(context);
}

} // namespace part
