// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A TLS connection: the near end over Interlock on the test's thread, the far end a plain ssl::stream of Asio's with
// blocking calls on a thread of its own.

#ifndef INTERLOCK_TEST_ADAPT_TLS_SCENE_HPP
#define INTERLOCK_TEST_ADAPT_TLS_SCENE_HPP

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <interlock/ip/tcp.hpp>
#include <interlock/stack_report.hpp>

namespace adapt {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using boost::system::error_code;

inline const error_code success;
inline const error_code aborted = asio::error::operation_aborted;
inline const error_code not_called = asio::error::fault;

constexpr std::chrono::seconds long_enough(60);
constexpr std::size_t much = 8 << 20;

/// Fails if a deadline of `long_enough` may have ended what was tested.
class in_time
{
public:
  in_time() = default;
  in_time(const in_time&) = delete;
  in_time& operator=(const in_time&) = delete;

  ~in_time()
  {
    BOOST_TEST((std::chrono::steady_clock::now() - begin_ < long_enough));
  }

private:
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

/// A write of 8 MB that is outstanding.
struct large_write
{
  std::vector<char> data = std::vector<char>(much);
  error_code ec = not_called;

  template <class Stream>
  void start(Stream& s)
  {
    asio::async_write(s, asio::buffer(data), [this](error_code e, std::size_t) { ec = e; });
  }
};

template <class T, void (*Free)(T*)>
struct freeing
{
  void operator()(T* t) const
  {
    Free(t);
  }
};

/// A self-signed certificate and its key, in memory only.
inline void certify(ssl::context& tls)
{
  const std::unique_ptr<EVP_PKEY, freeing<EVP_PKEY, EVP_PKEY_free>> key(EVP_EC_gen("P-256"));
  const std::unique_ptr<X509, freeing<X509, X509_free>> made(X509_new());
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
  X509_set_pubkey(made.get(), key.get());
  BOOST_REQUIRE(X509_sign(made.get(), key.get(), EVP_sha256()) != 0);
  BOOST_REQUIRE(SSL_CTX_use_certificate(tls.native_handle(), made.get()) == 1);
  BOOST_REQUIRE(SSL_CTX_use_PrivateKey(tls.native_handle(), key.get()) == 1);
}

/// What a peer has read, and how that ended.
struct read_end
{
  std::size_t bytes = 0;
  error_code ec;

  bool is_clean() const
  {
    return ec == asio::error::eof;
  }
};

/// The far end.
class tls_peer
{
public:
  using stream_type = ssl::stream<asio::ip::tcp::socket>;

  explicit tls_peer(const asio::ip::tcp::endpoint& where)
    : stream(context_, tls_)
  {
    stream.next_layer().connect(where);
  }

  read_end read_all()
  {
    read_end r;
    std::array<char, 65536> input;
    while (!r.ec)
      r.bytes += stream.read_some(asio::buffer(input), r.ec);
    return r;
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

  /// Ends the connection as well.
  void close()
  {
    error_code ignored;
    stream.next_layer().close(ignored);
  }

private:
  asio::io_context context_;
  ssl::context tls_{ssl::context::tls_client};

public:
  stream_type stream;
};

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
class tls_scene
{
public:
  using script = std::function<void(tls_peer&)>;

  /// Without a handshake.
  explicit tls_scene(int version = TLS1_3_VERSION)
  {
    certify(tls_);
    SSL_CTX_set_max_proto_version(tls_.native_handle(), version);
    interlock::ip::tcp::acceptor acceptor(
      context, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    peer_ = std::make_unique<tls_peer>(acceptor.local_endpoint());
    using executor_type = typename Stream::executor_type;
    near = std::make_shared<Stream>(acceptor.accept(executor_of<executor_type>(context)), tls_);
  }

  /// After the handshake the far end does what the script says.
  tls_scene(int version, script s)
    : tls_scene(version)
  {
    play(
      [s](tls_peer& p)
      {
        p.stream.handshake(ssl::stream_base::client);
        s(p);
      });
    error_code shaken = asio::error::fault;
    near->async_handshake(ssl::stream_base::server, [&](error_code ec) { shaken = ec; });
    context.run();
    context.restart();
    BOOST_REQUIRE(!shaken);
  }

  tls_scene(const tls_scene&) = delete;
  tls_scene& operator=(const tls_scene&) = delete;

  ~tls_scene()
  {
    let_go();
    near.reset();
    join();
  }

  /// The far end, on its thread.
  void play(script s)
  {
    thread_ = std::thread(
      [this, s]
      {
        s(*peer_);
        peer_->close();
      });
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
  std::unique_ptr<tls_peer> peer_;
  ssl::context tls_{ssl::context::tls_server};
  std::promise<void> go_;
  std::shared_future<void> going_ = go_.get_future().share();
  bool has_let_go_ = false;
  std::thread thread_;

public:
  asio::io_context context;
  std::shared_ptr<Stream> near;
};

/// What the handler of a close has received.
struct closed
{
  int calls = 0;
  error_code ec = asio::error::fault;
  interlock::stack_report report;

  auto handler()
  {
    return [this](error_code e, const interlock::stack_report& r)
    {
      ++calls;
      ec = e;
      report = r;
    };
  }
};

} // namespace adapt

#endif // INTERLOCK_TEST_ADAPT_TLS_SCENE_HPP
