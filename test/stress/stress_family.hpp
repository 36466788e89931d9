// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The two families of objects that the same stress is put on: Interlock's, which must bear it, and
// plain Asio's, which cannot. That the second one fails shows that the stress is one.

#ifndef INTERLOCK_TEST_STRESS_STRESS_FAMILY_HPP
#define INTERLOCK_TEST_STRESS_STRESS_FAMILY_HPP

#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>

#include <interlock.hpp>

namespace stress {

namespace asio = boost::asio;
using boost::system::error_code;

struct interlock_family
{
  static constexpr const char* name = "interlock";

  using local = interlock::local::stream_protocol;
  using tcp = interlock::ip::tcp;
  using descriptor = interlock::posix::stream_descriptor;

  template <class Object, class Handler>
  static void async_close(Object& o, Handler&& handler)
  {
    o.async_close(std::forward<Handler>(handler));
  }
};

struct plain_family
{
  static constexpr const char* name = "plain Asio";

  using local = asio::local::stream_protocol;
  using tcp = asio::ip::tcp;
  using descriptor = asio::posix::stream_descriptor;

  /// The nearest that there is.
  template <class Object, class Handler>
  static void async_close(Object& o, Handler&& handler)
  {
    error_code ec;
    o.close(ec);
    asio::post(
      o.get_executor(), [h = std::forward<Handler>(handler), ec]() mutable { std::move(h)(ec); });
  }
};

} // namespace stress

#endif // INTERLOCK_TEST_STRESS_STRESS_FAMILY_HPP
