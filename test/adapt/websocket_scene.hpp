// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A websocket, of which the test closes one end.

#ifndef INTERLOCK_TEST_ADAPT_WEBSOCKET_SCENE_HPP
#define INTERLOCK_TEST_ADAPT_WEBSOCKET_SCENE_HPP

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/beast/websocket.hpp>

#include "far_end.hpp"

namespace adapt {

namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;

template <class Stream>
inline constexpr bool is_tls = std::is_base_of<ssl::stream_base, Stream>::value;

/// How a websocket ended at a peer.
struct websocket_end
{
  std::size_t bytes = 0;
  error_code ec;
  websocket::close_reason reason; ///< That of the close frame.

  /// All that has been sent, and a close frame with this code.
  assertion_result is(std::size_t sent, websocket::close_code code) const
  {
    assertion_result r(bytes == sent && ec == websocket::error::closed && reason.code == code);
    r.message() << bytes << " bytes, " << ec << ", code " << reason.code;
    return r;
  }
};

/// What a report tells of TLS.
template <class Stream>
const std::string of_tls = is_tls<Stream> ? ", sent" : "";

template <class Next>
struct websocket_peer : far_end<websocket::stream<Next>, is_tls<Next>>
{
  websocket_end seen;

  /// Up to the close frame, which Beast answers.
  void read()
  {
    beast::flat_buffer input;
    this->stream.read_message_max(0);
    while (!seen.ec)
    {
      this->stream.read(input, seen.ec);
      seen.bytes += input.size();
      input.clear();
    }
    seen.reason = this->stream.reason();
  }
};

template <class Stream>
using peer_of = websocket_peer<
  std::conditional_t<is_tls<Stream>, ssl::stream<asio::ip::tcp::socket>, asio::ip::tcp::socket>>;

/// A websocket on a `Stream`.
template <class Stream>
struct websocket_scene : scene_of<websocket::stream<Stream>, peer_of<Stream>>
{
  using typename scene_of<websocket::stream<Stream>, peer_of<Stream>>::script;

  /// Without a handshake of the websocket, which the script may make.
  struct not_open
  {
  };

  websocket_scene(not_open, script s)
  {
    this->connect(this->context.get_executor());
    this->play(
      [s](auto& peer)
      {
        if constexpr (is_tls<Stream>)
          peer.stream.next_layer().handshake(ssl::stream_base::client);
        s(peer);
      });
    if constexpr (is_tls<Stream>)
      BOOST_REQUIRE_EQUAL(
        this->result_of([this](auto handler)
          { this->near->next_layer().async_handshake(ssl::stream_base::server, handler); }),
        success);
  }

  /// After the handshakes the far end does what the script says.
  explicit websocket_scene(script s)
    : websocket_scene(not_open(),
      [s](auto& peer)
      {
        peer.stream.handshake("localhost", "/");
        s(peer);
      })
  {
    BOOST_REQUIRE_EQUAL(
      this->result_of([this](auto handler) { this->near->async_accept(handler); }), success);
  }
};

/// The write of a message of 8 MB.
struct large_message : transfer
{
  std::vector<char> data = std::vector<char>(much);

  template <class Websocket>
  explicit large_message(Websocket& ws)
  {
    ws.async_write(asio::buffer(data), handler());
  }
};

struct pending_read : transfer
{
  beast::flat_buffer input;

  template <class Websocket>
  explicit pending_read(Websocket& ws)
  {
    ws.async_read(input, handler());
  }
};

} // namespace adapt

#endif // INTERLOCK_TEST_ADAPT_WEBSOCKET_SCENE_HPP
