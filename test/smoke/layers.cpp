// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The layers that stand above Asio's sockets, over Interlock's: nothing in them knows the
// difference. One exchange over each.

#define BOOST_TEST_MODULE smoke_layers
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <boost/version.hpp>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <interlock/ip/tcp.hpp>

// Beast 1.81 does not compile with the Asio of 1.74, nor the one of 1.74 with this compiler.
#if BOOST_VERSION >= 108100
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#define HAS_BEAST 1
#endif

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::ip::tcp;

namespace {

/// Whether a program that looks before it calls finds a read with a token of type `Token`.
template <class Stream, class Token, class = void>
struct can_read : std::false_type
{
};

template <class Stream, class Token>
struct can_read<Stream, Token,
  std::void_t<decltype(std::declval<Stream&>().async_read_some(
    asio::mutable_buffer(), std::declval<Token>()))>> : std::true_type
{
};

using read_handler = void (*)(error_code, std::size_t);

static_assert(can_read<tcp::socket, read_handler>::value, "");

// Without concepts an unfit token is an error, as with Asio.
#if defined(BOOST_ASIO_HAS_CONCEPTS)
static_assert(!can_read<tcp::socket, void (*)(error_code)>::value, "");
static_assert(!can_read<tcp::socket, int>::value, "");
#endif

/// An attempt to call it with more than an error is an error of the compiler, not a substitution failure.
struct takes_an_error
{
  template <class... Values>
  auto operator()(error_code, Values&&...) const
  {
    static_assert(sizeof...(Values) == 0, "");
  }
};

// No other overload of the call looks at the handler. With concepts clang substitutes the return types first, and
// Asio's own acceptor does not compile with it either.
#if !defined(BOOST_ASIO_HAS_CONCEPTS) || !defined(__clang__)
static_assert(std::is_void<decltype(std::declval<tcp::acceptor&>().async_accept(
                std::declval<tcp::socket&>(), takes_an_error()))>::value,
  "");
#endif

struct loopback
{
  asio::io_context context;
  tcp::acceptor acceptor{context, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  tcp::socket client{context};
  tcp::socket server{context};

  loopback()
  {
    client.connect(acceptor.local_endpoint());
    acceptor.accept(server);
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

using key = std::unique_ptr<EVP_PKEY, freeing<EVP_PKEY, EVP_PKEY_free>>;
using certificate = std::unique_ptr<X509, freeing<X509, X509_free>>;

/// A self-signed certificate and its key, in memory only.
void certify(asio::ssl::context& tls)
{
  const key k(EVP_EC_gen("P-256"));
  const certificate c(X509_new());
  ASN1_INTEGER_set(X509_get_serialNumber(c.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(c.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(c.get()), 3600);
  X509_set_pubkey(c.get(), k.get());
  BOOST_REQUIRE(X509_sign(c.get(), k.get(), EVP_sha256()) != 0);
  BOOST_REQUIRE(SSL_CTX_use_certificate(tls.native_handle(), c.get()) == 1);
  BOOST_REQUIRE(SSL_CTX_use_PrivateKey(tls.native_handle(), k.get()) == 1);
}

} // namespace

BOOST_AUTO_TEST_CASE(an_exchange_over_tls)
{
  loopback l;
  asio::ssl::context server_tls(asio::ssl::context::tls_server);
  asio::ssl::context client_tls(asio::ssl::context::tls_client);
  certify(server_tls);
  asio::ssl::stream<tcp::socket> server(std::move(l.server), server_tls);
  asio::ssl::stream<tcp::socket> client(std::move(l.client), client_tls);
  std::string got(5, '\0');
  int done = 0;
  server.async_handshake(asio::ssl::stream_base::server,
    [&](error_code ec)
    {
      BOOST_REQUIRE(!ec);
      asio::async_read(server, asio::buffer(got),
        [&](error_code e, std::size_t)
        {
          BOOST_TEST(!e);
          ++done;
        });
    });
  client.async_handshake(asio::ssl::stream_base::client,
    [&](error_code ec)
    {
      BOOST_REQUIRE(!ec);
      asio::async_write(client, asio::buffer("hello", 5),
        [&](error_code e, std::size_t)
        {
          BOOST_TEST(!e);
          ++done;
        });
    });
  l.context.run();
  BOOST_TEST(done == 2);
  BOOST_TEST(got == "hello");
  client.lowest_layer().async_close([&](error_code ec) { done += ec ? 0 : 1; });
  l.context.restart();
  l.context.run();
  BOOST_TEST(done == 3);
}

BOOST_AUTO_TEST_CASE(a_qualified_connect_over_a_list_whose_first_endpoint_refuses)
{
  loopback l;
  tcp::acceptor refusing(l.context, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  const auto nobody = refusing.local_endpoint();
  refusing.async_close([](error_code) {});
  l.context.run();
  l.context.restart();
  const std::vector<asio::ip::tcp::endpoint> list{nobody, l.acceptor.local_endpoint()};
  tcp::socket one(l.context);
  tcp::socket other(l.context);
  error_code ec = asio::error::would_block;
  boost::asio::async_connect(one, list,
    [&](error_code e, const asio::ip::tcp::endpoint& where)
    {
      ec = e;
      BOOST_TEST((where == list[1]));
    });
  l.context.run();
  BOOST_TEST(!ec);
  BOOST_TEST((boost::asio::connect(other, list) == list[1]));
}

#if defined(HAS_BEAST)

namespace beast = boost::beast;

static_assert(beast::is_async_stream<tcp::socket>::value, "Beast knows an asynchronous stream");
static_assert(beast::is_sync_stream<tcp::socket>::value, "Beast knows a synchronous stream");

BOOST_AUTO_TEST_CASE(an_http_exchange_over_a_beast_stream)
{
  namespace http = beast::http;
  loopback l;
  beast::basic_stream<tcp> server(std::move(l.server));
  beast::basic_stream<tcp> client(std::move(l.client));
  beast::flat_buffer buffer;
  http::request<http::string_body> request;
  int done = 0;
  server.expires_after(std::chrono::seconds(30));
  http::async_read(server, buffer, request,
    [&](error_code ec, std::size_t)
    {
      BOOST_TEST(!ec);
      ++done;
    });
  http::request<http::string_body> sent{http::verb::post, "/here", 11, "hello"};
  sent.prepare_payload();
  http::async_write(client, sent,
    [&](error_code ec, std::size_t)
    {
      BOOST_TEST(!ec);
      ++done;
    });
  l.context.run();
  BOOST_TEST(done == 2);
  BOOST_TEST(request.target() == "/here");
  BOOST_TEST(request.body() == "hello");
}

BOOST_AUTO_TEST_CASE(a_websocket_exchange_and_close)
{
  namespace websocket = beast::websocket;
  loopback l;
  websocket::stream<beast::basic_stream<tcp>> server{beast::basic_stream<tcp>(std::move(l.server))};
  websocket::stream<tcp::socket> client(std::move(l.client));
  beast::flat_buffer buffer;
  std::vector<std::string> seen;
  server.async_accept(
    [&](error_code ec)
    {
      BOOST_REQUIRE(!ec);
      server.async_read(buffer,
        [&](error_code e, std::size_t)
        {
          BOOST_TEST(!e);
          seen.push_back(beast::buffers_to_string(buffer.data()));
          server.async_close(websocket::close_code::normal,
            [&](error_code c)
            {
              BOOST_TEST(!c);
              seen.push_back("closed");
            });
        });
    });
  beast::flat_buffer rest;
  client.async_handshake("localhost", "/",
    [&](error_code ec)
    {
      BOOST_REQUIRE(!ec);
      client.async_write(asio::buffer("hello", 5),
        [&](error_code e, std::size_t)
        {
          BOOST_TEST(!e);
          client.async_read(
            rest, [&](error_code c, std::size_t) { BOOST_TEST((c == websocket::error::closed)); });
        });
    });
  l.context.run();
  BOOST_TEST(seen.size() == 2u);
  BOOST_TEST(seen.front() == "hello");
}

#endif
