// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Guarantee G12: Asio's templates of endpoints, resolvers and results, named with a closable protocol, and what
// converts.

#include "support/prelude.hpp"

#include <interlock/ip/basic_endpoint.hpp>
#include <interlock/ip/basic_resolver.hpp>
#include <interlock/ip/udp.hpp>

#include <sstream>

#include <boost/asio/connect.hpp>
#include <boost/asio/version.hpp>

using interlock::ip::udp;

namespace {

using endpoint = asio::ip::basic_endpoint<tcp>;
using resolver = asio::ip::basic_resolver<tcp>;
using results = asio::ip::basic_resolver_results<tcp>;

static_assert(std::is_convertible<asio::ip::tcp::endpoint, endpoint>::value, "");
static_assert(std::is_convertible<endpoint, asio::ip::tcp::endpoint>::value, "");
static_assert(std::is_convertible<asio::ip::tcp::resolver::results_type, results>::value, "");
static_assert(std::is_convertible<results, asio::ip::tcp::resolver::results_type>::value, "");
static_assert(std::is_same<endpoint::protocol_type, tcp>::value, "");
static_assert(std::is_same<resolver::protocol_type, tcp>::value, "");
static_assert(std::is_same<resolver::rebind_executor<asio::io_context::executor_type>::other,
                asio::ip::basic_resolver<tcp, asio::io_context::executor_type>>::value,
  "");

struct fixture
{
  asio::io_context context;
  tcp::acceptor acceptor{context, endpoint(asio::ip::address_v4::loopback(), 0)};
  endpoint where{acceptor.local_endpoint()};

  results resolve()
  {
    resolver r(context);
    return r.resolve(where.address().to_string(), std::to_string(where.port()));
  }
};

/// What takes Asio's own results.
std::size_t count(const asio::ip::tcp::resolver::results_type& r)
{
  return r.size();
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_resolvers, fixture)

BOOST_AUTO_TEST_CASE(an_endpoint_is_as_asios)
{
  const endpoint copy = where;
  BOOST_TEST((copy == where));
  BOOST_TEST((copy == acceptor.local_endpoint()));
  BOOST_TEST(!(copy < where));
  BOOST_TEST((endpoint(tcp::v6(), 1) != copy));
  BOOST_TEST(copy.protocol().family() == tcp::v4().family());
#if BOOST_ASIO_VERSION > 101800
  BOOST_TEST(std::hash<endpoint>()(copy) == std::hash<asio::ip::tcp::endpoint>()(where));
#endif
  std::ostringstream text;
  text << copy;
  BOOST_TEST(text.str() == "127.0.0.1:" + std::to_string(where.port()));
}

BOOST_AUTO_TEST_CASE(a_socket_connects_to_what_is_resolved)
{
  const results found = resolve();
  BOOST_TEST(count(found) == 1u);
  tcp::socket s(context);
  BOOST_TEST((asio::connect(s, found) == where));
  error_code ec = asio::error::fault;
  tcp::socket other(context);
  asio::async_connect(other, resolve(), [&ec](error_code e, const endpoint&) { ec = e; });
  context.run();
  BOOST_TEST(ec == error_code());
}

BOOST_AUTO_TEST_CASE(a_resolver_moves_and_resolves_asynchronously)
{
  resolver first(context);
  resolver second(std::move(first));
  second = resolver(asio::ip::tcp::resolver(context));
  std::size_t found = 0;
  second.async_resolve("127.0.0.1", "80", [&found](error_code, results r) { found = r.size(); });
  context.run();
  BOOST_TEST(found == 1u);
}

BOOST_AUTO_TEST_CASE(a_datagram_is_sent_to_and_received_from_such_an_endpoint)
{
  using address = asio::ip::basic_endpoint<udp>;
  udp::socket s(context, address(asio::ip::address_v4::loopback(), 0));
  const address own = s.local_endpoint();
  BOOST_TEST(s.send_to(asio::buffer("x", 1), own) == 1u);
  char c = 0;
  address from;
  BOOST_TEST(s.receive_from(asio::buffer(&c, 1), from) == 1u);
  BOOST_TEST((from == own));
}

BOOST_AUTO_TEST_SUITE_END()
