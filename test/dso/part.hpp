// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A shared object that has the library inside, as the program has that links it. What it does with objects of the
// program.

#ifndef INTERLOCK_TEST_DSO_PART_HPP
#define INTERLOCK_TEST_DSO_PART_HPP

#include <functional>

#include <boost/asio/io_context.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/close_service.hpp>
#include <interlock/ip/tcp.hpp>

namespace part {

using socket = interlock::ip::tcp::socket;
using handler = std::function<void(boost::system::error_code)>;

#define INTERLOCK_TEST_EXPORT __attribute__((visibility("default")))

INTERLOCK_TEST_EXPORT void write(socket& s, handler h);
INTERLOCK_TEST_EXPORT void read(socket& s, handler h);
INTERLOCK_TEST_EXPORT void close(socket& s);
INTERLOCK_TEST_EXPORT interlock::close_service& service(boost::asio::io_context& context);

} // namespace part

#endif // INTERLOCK_TEST_DSO_PART_HPP
