// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A websocket: the near end over Interlock on the test's thread, the far end over Asio's own socket with blocking
// calls on a thread of its own.

#ifndef INTERLOCK_TEST_ADAPT_WEBSOCKET_SCENE_HPP
#define INTERLOCK_TEST_ADAPT_WEBSOCKET_SCENE_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/beast/websocket.hpp>

#include "tls_scene.hpp"

namespace adapt {

namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;

template <class Stream>
struct is_tls : std::false_type
{
};

template <class Next>
struct is_tls<ssl::stream<Next>> : std::true_type
{
};

template <class Next>
struct is_tls<beast::ssl_stream<Next>> : std::true_type
{
};

/// How a websocket ended at a peer.
struct websocket_end
{
  std::size_t bytes = 0;
  error_code ec;
  std::uint16_t code = 0; ///< That of the close frame, and its text.
  std::string text;

  bool is_clean() const
  {
    return ec == websocket::error::closed;
  }
};

/// Reads up to the close frame, which Beast answers.
template <class Websocket>
websocket_end read_to_close_frame(Websocket& ws)
{
  websocket_end end;
  beast::flat_buffer input;
  ws.read_message_max(0);
  while (!end.ec)
  {
    ws.read(input, end.ec);
    end.bytes += input.size();
    input.clear();
  }
  end.code = ws.reason().code;
  end.text = std::string(ws.reason().reason.data(), ws.reason().reason.size());
  return end;
}

/// A websocket on a `Stream`.
template <class Stream>
class websocket_scene
{
public:
  using near_type = websocket::stream<Stream>;
  using far_type = websocket::stream<std::conditional_t<is_tls<Stream>::value,
    ssl::stream<asio::ip::tcp::socket>, asio::ip::tcp::socket>>;
  using script = std::function<void(far_type&)>;

  /// Without a handshake of the websocket, which the script may make.
  struct not_open
  {
  };

  websocket_scene(not_open, script s)
  {
    certify(near_tls_);
    interlock::ip::tcp::acceptor acceptor(
      context, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    make_far();
    beast::get_lowest_layer(*far_).connect(acceptor.local_endpoint());
    make_near(acceptor.accept());
    thread_ = std::thread(
      [this, s]
      {
        if constexpr (is_tls<Stream>::value)
          far_->next_layer().handshake(ssl::stream_base::client);
        s(*far_);
        error_code ignored;
        beast::get_lowest_layer(*far_).close(ignored);
      });
    shake_hands_below();
  }

  /// After the handshakes the far end does what the script says.
  explicit websocket_scene(script s)
    : websocket_scene(not_open(),
      [s](far_type& far)
      {
        far.handshake("localhost", "/");
        s(far);
      })
  {
    error_code open = asio::error::fault;
    near->async_accept([&](error_code ec) { open = ec; });
    context.run();
    context.restart();
    BOOST_REQUIRE(!open);
  }

  websocket_scene(const websocket_scene&) = delete;
  websocket_scene& operator=(const websocket_scene&) = delete;

  ~websocket_scene()
  {
    let_go();
    near.reset();
    join();
  }

  /// For a script: waits until the test calls `let_go`.
  void wait() const
  {
    going_.wait();
  }

  void let_go()
  {
    if (!has_let_go_)
      go_.set_value();
    has_let_go_ = true;
  }

  void join()
  {
    if (thread_.joinable())
      thread_.join();
  }

private:
  void make_far()
  {
    if constexpr (is_tls<Stream>::value)
      far_.emplace(far_context_, far_tls_);
    else
      far_.emplace(far_context_);
  }

  void make_near(interlock::ip::tcp::socket&& s)
  {
    if constexpr (is_tls<Stream>::value)
      near = std::make_shared<near_type>(std::move(s), near_tls_);
    else
      near = std::make_shared<near_type>(std::move(s));
  }

  void shake_hands_below()
  {
    if constexpr (is_tls<Stream>::value)
    {
      error_code shaken = asio::error::fault;
      near->next_layer().async_handshake(
        ssl::stream_base::server, [&](error_code ec) { shaken = ec; });
      context.run();
      context.restart();
      BOOST_REQUIRE(!shaken);
    }
  }

  asio::io_context far_context_;
  ssl::context far_tls_{ssl::context::tls_client};
  ssl::context near_tls_{ssl::context::tls_server};
  std::optional<far_type> far_;
  std::promise<void> go_;
  std::shared_future<void> going_ = go_.get_future().share();
  bool has_let_go_ = false;
  std::thread thread_;

public:
  asio::io_context context;
  std::shared_ptr<near_type> near;
};

} // namespace adapt

#endif // INTERLOCK_TEST_ADAPT_WEBSOCKET_SCENE_HPP
