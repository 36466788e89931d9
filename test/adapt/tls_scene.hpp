// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A TLS connection, of which the test closes one end.

#ifndef INTERLOCK_TEST_ADAPT_TLS_SCENE_HPP
#define INTERLOCK_TEST_ADAPT_TLS_SCENE_HPP

#include <boost/asio/strand.hpp>

#include "far_end.hpp"

namespace adapt {

/// What a peer has read, and how that ended.
struct read_end
{
  std::size_t bytes = 0;
  error_code ec;

  /// All that has been sent, and a clean end.
  assertion_result is(std::size_t sent) const
  {
    assertion_result r(bytes == sent && ec == asio::error::eof);
    r.message() << bytes << " bytes, " << ec;
    return r;
  }
};

struct tls_peer : far_end<ssl::stream<asio::ip::tcp::socket>, true>
{
  read_end seen;

  /// Up to the end.
  void read()
  {
    std::array<char, 65536> input;
    while (!seen.ec)
      seen.bytes += stream.read_some(asio::buffer(input), seen.ec);
  }

  /// Sends close_notify, and does not wait for the other.
  void notify()
  {
    error_code ignored;
    const int received = SSL_get_shutdown(stream.native_handle()) & SSL_RECEIVED_SHUTDOWN;
    SSL_set_shutdown(stream.native_handle(), SSL_RECEIVED_SHUTDOWN);
    stream.shutdown(ignored);
    SSL_set_shutdown(stream.native_handle(), SSL_SENT_SHUTDOWN | received);
  }
};

inline void reads_and_answers(tls_peer& p)
{
  p.read();
  p.notify();
}

/// Until it cannot send any more.
inline void sends_for_ever(tls_peer& p)
{
  const std::vector<char> data(16384);
  error_code ec;
  while (!ec)
    asio::write(p.stream, asio::buffer(data), ec);
}

using strand = asio::strand<asio::io_context::executor_type>;

/// A strand of the context, or if `Executor` is no strand and cannot be one, the executor of the context.
template <class Executor>
Executor executor_of(asio::io_context& context)
{
  if constexpr (std::is_same<Executor, asio::io_context::executor_type>::value)
    return context.get_executor();
  else
    return asio::make_strand(context);
}

/// `Stream` is a TLS stream over an Interlock socket.
template <class Stream>
struct tls_scene : scene_of<Stream, tls_peer>
{
  using typename scene_of<Stream, tls_peer>::script;

  /// Without a handshake.
  explicit tls_scene(int version = TLS1_3_VERSION)
  {
    this->connect(executor_of<typename Stream::executor_type>(this->context), version);
  }

  /// After the handshake the far end does what the script says.
  tls_scene(int version, script s)
    : tls_scene(version)
  {
    this->play(
      [s](tls_peer& p)
      {
        p.stream.handshake(ssl::stream_base::client);
        s(p);
      });
    BOOST_REQUIRE_EQUAL(this->result_of([this](auto handler)
                          { this->near->async_handshake(ssl::stream_base::server, handler); }),
      success);
  }
};

} // namespace adapt

#endif // INTERLOCK_TEST_ADAPT_TLS_SCENE_HPP
