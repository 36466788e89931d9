// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Guarantee G12: acceptors of every protocol that has one are what Asio's are.

#include <type_traits>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/test/unit_test.hpp>

#include <interlock/generic/stream_protocol.hpp>
#include <interlock/ip/tcp.hpp>

#include "support/dropin_cases.hpp"

namespace {

// What converts to a protocol and to an endpoint makes a constructor ambiguous, as with Asio.
struct protocol_and_endpoint
{
  operator boost::asio::ip::tcp() const;
  operator boost::asio::ip::tcp::endpoint() const;
};

template <class Object, class Argument>
constexpr bool takes = std::is_constructible<Object, boost::asio::io_context&, Argument>::value;

template <class Tcp>
constexpr bool refuses_the_ambiguous =
  !takes<typename Tcp::acceptor,
    protocol_and_endpoint> && !takes<typename Tcp::socket, protocol_and_endpoint>;

static_assert(refuses_the_ambiguous<boost::asio::ip::tcp>, "what is compared with");
static_assert(refuses_the_ambiguous<interlock::ip::tcp>, "as Asio's");
static_assert(takes<interlock::ip::tcp::acceptor, boost::asio::ip::tcp>, "Asio's own protocol");
static_assert(takes<interlock::ip::tcp::acceptor, boost::asio::ip::tcp::endpoint>, "an endpoint");

using generic_acceptor = boost::asio::basic_socket_acceptor<interlock::generic::stream_protocol>;
static_assert(!takes<generic_acceptor, int>, "neither a protocol nor an endpoint");

} // namespace

BOOST_AUTO_TEST_SUITE(test_dropin_acceptors)

INTERLOCK_TEST_DROPIN(tcp_acceptor, "tcp-acceptor")
INTERLOCK_TEST_DROPIN(local_stream_acceptor, "local-stream")
INTERLOCK_TEST_DROPIN(local_packet_acceptor, "local-seq-packet")
INTERLOCK_TEST_DROPIN(user_acceptor, "user-protocol")

BOOST_AUTO_TEST_SUITE_END()
