// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A stack of layers and its peer: the near end over Interlock on the test's thread, the far end a stream of Asio's own
// with blocking calls on a thread of its own, where it plays a script. The files of this folder have from here what
// each of them uses.

#ifndef INTERLOCK_TEST_ADAPT_FAR_END_HPP
#define INTERLOCK_TEST_ADAPT_FAR_END_HPP

#include <array>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <interlock/async_close.hpp>
#include <interlock/ip/tcp.hpp>
#include <interlock/stack_report.hpp>

#include "support/local_port.hpp"
#include "support/told.hpp"

namespace adapt {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using boost::system::error_code;
using boost::test_tools::assertion_result;
using interlock::close_mode;
using interlock::close_outcome;
using interlock::stack_report;
using interlock::ip::tcp;
using std::chrono::milliseconds;
using support::any_local_port;

inline const error_code success;
inline const error_code aborted = asio::error::operation_aborted;
inline const error_code invalid = asio::error::invalid_argument;
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

/// Lets other threads go on for this long. A number of yields would take as many time slices beside other programs.
inline void spend(std::chrono::microseconds time)
{
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end)
    std::this_thread::yield();
}

/// Whether an operation has ended, and not well.
inline assertion_result has_failed(const error_code& ec)
{
  assertion_result r(ec != success && ec != not_called);
  r.message() << ec;
  return r;
}

/// An operation that is outstanding, or what its handler has received.
struct transfer
{
  int calls = 0;
  std::size_t bytes = 0;
  error_code ec = not_called;

  auto handler()
  {
    return [this](error_code e, std::size_t n)
    {
      ++calls;
      bytes = n;
      ec = e;
    };
  }
};

/// A write of 8 MB.
struct large_write : transfer
{
  std::vector<char> data = std::vector<char>(much);

  template <class Stream>
  explicit large_write(Stream& s)
  {
    asio::async_write(s, asio::buffer(data), handler());
  }
};

struct small_read : transfer
{
  std::array<char, 16> data{};

  template <class Stream>
  explicit small_read(Stream& s)
  {
    s.async_read_some(asio::buffer(data), handler());
  }
};

/// What the handler of a close has received.
struct closed : support::told_with<stack_report>
{
  /// The outcome of the connection, and what the layers tell: "peer_closed, sent, answered".
  std::string told(const error_code& expected = success) const
  {
    const std::string layers = told_of_layers(expected);
    return to_string(report.connection.outcome) + (layers.empty() ? "" : ", " + layers);
  }

  /// What is true of: sent, answered, truncated, and the same of the frames of a websocket. Before them what is not as
  /// expected of the call itself.
  std::string told_of_layers(const error_code& expected = success) const
  {
    std::string all;
    const auto note = [&all](bool is_so, const std::string& what) {
      all += !is_so ? "" : all.empty() ? what : ", " + what;
    };
    note(times != 1, std::to_string(times) + " calls");
    note(ec != expected, ec.message());
    note(report.close_frame_sent, "frame sent");
    note(report.close_frame_answered, "frame answered");
    note(report.notify_sent, "sent");
    note(report.notify_answered, "answered");
    note(report.truncated, "truncated");
    return all;
  }
};

/// A stream of Asio's own, the layers above it, and the thread that uses them.
template <class Stream, bool IsOverTls>
class far_end
{
public:
  static constexpr bool is_over_tls = IsOverTls;

  /// For a script: waits until the test calls `let_go`.
  void wait() const
  {
    going_.wait();
  }

  void let_go()
  {
    if (!std::exchange(has_let_go_, true))
      go_.set_value();
  }

  /// Calls the script on the thread, and ends the connection.
  void play(std::function<void()> script)
  {
    thread_ = std::thread(
      [this, script]
      {
        try
        {
          script();
        }
        catch (const std::exception& e)
        {
          failure_ = e.what();
        }
        error_code ignored;
        socket(stream).close(ignored);
      });
  }

  void join()
  {
    if (!thread_.joinable())
      return;
    thread_.join();
    BOOST_TEST(failure_.empty(), "the script of the far end has failed: " << failure_);
  }

  void connect(const asio::ip::tcp::endpoint& where)
  {
    socket(stream).connect(where);
  }

private:
  template <class Layer>
  static asio::ip::tcp::socket& socket(Layer& layer)
  {
    if constexpr (std::is_same<Layer, asio::ip::tcp::socket>::value)
      return layer;
    else
      return socket(layer.next_layer());
  }

  Stream made()
  {
    if constexpr (is_over_tls)
      return Stream(context_, tls_);
    else
      return Stream(context_);
  }

  std::promise<void> go_;
  std::future<void> going_ = go_.get_future();
  bool has_let_go_ = false;
  std::thread thread_;
  std::string failure_; // the thread's
  asio::io_context context_;
  ssl::context tls_{ssl::context::tls_client};

public:
  Stream stream = made();
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

/// A near end, a far end, and the close of the first.
template <class Near, class Far>
class scene_of
{
public:
  using script = std::function<void(Far&)>;

  scene_of() = default;
  scene_of(const scene_of&) = delete;
  scene_of& operator=(const scene_of&) = delete;

  ~scene_of()
  {
    far.let_go();
    near.reset();
    far.join();
  }

  /// The far end does what the script says.
  void play(script s)
  {
    far.play([this, s] { s(far); });
  }

  /// Runs the near end until nothing of it is outstanding. The context can run again before and after.
  void run()
  {
    context.restart();
    context.run();
    context.restart();
  }

  template <class... Reason>
  void start_close(const close_mode& mode, const Reason&... reason)
  {
    interlock::async_close(near, mode, reason..., c.handler());
  }

  /// The near end runs to its end, then the far end.
  void end()
  {
    run();
    far.let_go();
    far.join();
  }

  template <class... Reason>
  void close(const close_mode& mode, const Reason&... reason)
  {
    start_close(mode, reason...);
    end();
  }

  asio::io_context context;
  Far far;
  std::shared_ptr<Near> near;
  closed c;

protected:
  template <class Executor>
  void connect(const Executor& executor, int version = TLS1_3_VERSION)
  {
    certify(tls_);
    SSL_CTX_set_max_proto_version(tls_.native_handle(), version);
    tcp::acceptor acceptor(context, any_local_port());
    far.connect(acceptor.local_endpoint());
    if constexpr (Far::is_over_tls)
      near = std::make_shared<Near>(acceptor.accept(executor), tls_);
    else
      near = std::make_shared<Near>(acceptor.accept(executor));
  }

  /// What an asynchronous operation of the near end reports, after all has run.
  template <class Start>
  error_code result_of(Start start)
  {
    error_code result = not_called;
    start([&result](error_code ec) { result = ec; });
    run();
    return result;
  }

private:
  ssl::context tls_{ssl::context::tls_server};
};

// --- Scripts.

inline constexpr auto waits = [](auto& far) { far.wait(); };
inline constexpr auto reads = [](auto& far) { far.read(); };

inline constexpr auto reads_and_waits = [](auto& far)
{
  far.read();
  far.wait();
};

} // namespace adapt

#endif // INTERLOCK_TEST_ADAPT_FAR_END_HPP
