// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A TLS server over Interlock, and clients over plain Asio that check every byte. A client asks for one response
// after the other: a number, to which that many bytes of a pattern are the answer.

#ifndef INTERLOCK_TEST_ADAPT_TLS_SERVER_HPP
#define INTERLOCK_TEST_ADAPT_TLS_SERVER_HPP

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>

#include <interlock/adapt/ssl.hpp>
#include <interlock/ip/tcp.hpp>

#include "tls_scene.hpp"

namespace adapt {

using request = std::array<unsigned char, 4>;

inline std::size_t size_of(const request& r)
{
  std::uint32_t n = 0;
  std::memcpy(&n, r.data(), r.size());
  return n;
}

inline request request_of(std::size_t size)
{
  request r;
  const auto n = static_cast<std::uint32_t>(size);
  std::memcpy(r.data(), &n, r.size());
  return r;
}

/// No two bytes of it that are a record apart are alike.
inline char pattern_at(std::size_t size, std::size_t i)
{
  return static_cast<char>(size + i + (i >> 8) * 7);
}

inline std::vector<char> response_of(std::size_t size)
{
  std::vector<char> r(size);
  for (std::size_t i = 0; i != size; ++i)
    r[i] = pattern_at(size, i);
  return r;
}

/// One connection of the server, which its handlers keep.
class tls_session : public std::enable_shared_from_this<tls_session>
{
public:
  using stream_type = ssl::stream<interlock::ip::tcp::socket>;

  tls_session(interlock::ip::tcp::socket&& s, ssl::context& tls)
    : stream_(std::move(s), tls)
  {
  }

  /// The stream, as a part of the session.
  std::shared_ptr<stream_type> stream()
  {
    return {shared_from_this(), &stream_};
  }

  void start()
  {
    stream_.async_handshake(ssl::stream_base::server,
      [self = shared_from_this()](error_code ec)
      {
        if (!ec)
          self->read();
      });
  }

private:
  void read()
  {
    asio::async_read(stream_, asio::buffer(request_),
      [self = shared_from_this()](error_code ec, std::size_t)
      {
        if (!ec)
          self->write();
      });
  }

  void write()
  {
    response_ = response_of(size_of(request_));
    asio::async_write(stream_, asio::buffer(response_),
      [self = shared_from_this()](error_code ec, std::size_t)
      {
        if (!ec)
          self->read();
      });
  }

  stream_type stream_;
  request request_{};
  std::vector<char> response_;
};

/// What the clients have seen. Any thread may read it.
struct seen_by_clients
{
  std::atomic<std::size_t> open{0};      ///< Clients that have got a response.
  std::atomic<std::size_t> clean{0};     ///< Ends with close_notify, between two responses.
  std::atomic<std::size_t> truncated{0}; ///< Other ends between two responses.
  std::atomic<std::size_t> cut{0};       ///< Ends in the middle of a response.
  std::atomic<std::size_t> wrong{0};     ///< Responses with a byte that is wrong.
};

class tls_client : public std::enable_shared_from_this<tls_client>
{
public:
  /// One that is silent neither asks nor reads.
  tls_client(asio::io_context& context, ssl::context& tls, seen_by_clients& seen, bool is_silent)
    : stream_(context, tls),
      seen_(seen),
      is_silent_(is_silent)
  {
  }

  /// `ended` is called when the connection has ended.
  void start(const asio::ip::tcp::endpoint& where, std::size_t size, std::function<void()> ended)
  {
    size_ = size;
    ended_ = std::move(ended);
    stream_.next_layer().async_connect(where,
      [self = shared_from_this()](error_code ec) { ec ? self->end(ec) : self->shake_hands(); });
  }

  void close()
  {
    error_code ignored;
    stream_.next_layer().close(ignored);
  }

private:
  void shake_hands()
  {
    stream_.async_handshake(ssl::stream_base::client,
      [self = shared_from_this()](error_code ec)
      {
        if (ec)
          self->end(ec);
        else if (self->is_silent_)
          ++self->seen_.open;
        else
          self->ask();
      });
  }

  void ask()
  {
    request_ = request_of(size_);
    response_.assign(size_, 0);
    got_ = 0;
    asio::async_write(
      stream_, asio::buffer(request_), [self = shared_from_this()](error_code, std::size_t) {});
    read();
  }

  void read()
  {
    stream_.async_read_some(asio::buffer(response_) + got_,
      [self = shared_from_this()](error_code ec, std::size_t n)
      {
        self->got_ += n;
        if (ec)
          self->end(ec);
        else if (self->got_ != self->size_)
          self->read();
        else
          self->check();
      });
  }

  void check()
  {
    seen_.wrong += response_ == response_of(size_) ? 0 : 1;
    if (!std::exchange(is_open_, true))
      ++seen_.open;
    size_ = size_ * 31 % 16381 + 1;
    ask();
  }

  void end(const error_code& ec)
  {
    if (got_ != 0 && got_ != size_)
      ++seen_.cut;
    else
      ++(ec == asio::error::eof ? seen_.clean : seen_.truncated);
    close();
    if (ended_)
      std::exchange(ended_, nullptr)();
  }

  ssl::stream<asio::ip::tcp::socket> stream_;
  seen_by_clients& seen_;
  const bool is_silent_;
  bool is_open_ = false;
  std::size_t size_ = 0;
  std::size_t got_ = 0;
  request request_{};
  std::vector<char> response_;
  std::function<void()> ended_;
};

} // namespace adapt

#endif // INTERLOCK_TEST_ADAPT_TLS_SERVER_HPP
