// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Raw sockets: the system answers the echo request of one, with addresses of this machine, and packets of a protocol for
// experiments go from one to another. What else a raw socket does is tested with every type. Where the process may not
// open raw sockets the cases say so and are left out.

#include "support/prelude.hpp"

#include <interlock/generic/raw_protocol.hpp>
#include <interlock/ip/icmp.hpp>

#include <array>
#include <cstdint>

#include <boost/asio/ip/icmp.hpp>

#include "support/counted.hpp"
#include "support/differential.hpp"
#include "support/raw_sockets.hpp"

namespace utf = boost::unit_test;
using namespace support;

namespace {

/// Addresses of their own: what is sent to others in this machine does not come here.
asio::ip::icmp::endpoint own_address(unsigned char last)
{
  return {asio::ip::address_v4(asio::ip::address_v4::bytes_type{127, 83, 7, last}), 0};
}

/// An echo request, with its checksum.
std::array<unsigned char, 8> echo_request()
{
  std::array<unsigned char, 8> packet = {8, 0, 0, 0, 0x12, 0x34, 0, 1};
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i != packet.size(); i += 2)
    sum += static_cast<std::uint32_t>(packet[i] << 8 | packet[i + 1]);
  sum = ~((sum & 0xffff) + (sum >> 16));
  packet[2] = static_cast<unsigned char>(sum >> 8);
  packet[3] = static_cast<unsigned char>(sum);
  return packet;
}

struct answer
{
  std::array<unsigned char, 64> bytes = {};

  auto in()
  {
    return asio::buffer(bytes);
  }

  /// The type of the message, which follows the header of IP.
  int type() const
  {
    return bytes[static_cast<std::size_t>(bytes[0] & 15) * 4];
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_raw_sockets, compared,
  *utf::precondition(raw_sockets_may_be_opened) * utf::fixture<raw_sockets_alone>())

BOOST_AUTO_TEST_CASE_TEMPLATE(echo_is_the_same, F, both_families)
{
  const auto request = echo_request();
  const auto out = asio::buffer(request);
  const auto peer = own_address(2);
  typename F::icmp::socket s(context, own_address(1));
  answer a;
  asio::ip::icmp::endpoint from;
  error_code ec;
  note("send_to", s.send_to(out, peer, 0, ec), ec);
  note("receive_from", s.receive_from(a.in(), from, 0, ec), ec);
  note("sender", from.address());
  note("type", a.type());
  s.async_send_to(out, peer, note.handler("async_send_to"));
  s.async_receive_from(a.in(), from, note.handler("async_receive_from"));
  run(context);
  note("sender", from.address());
}

BOOST_FIXTURE_TEST_CASE(an_icmp_socket_becomes_generic_and_asios_own, counted_in_context)
{
  interlock::ip::icmp::socket s(context, own_address(3));
  interlock::generic::raw_protocol::socket generic(std::move(s));
  BOOST_TEST(generic.is_open());
  BOOST_TEST(!s.is_open());
  asio::generic::raw_protocol::socket plain = generic.to_asio();
  BOOST_TEST(plain.is_open());
  generic = interlock::generic::raw_protocol::socket(std::move(plain));
  BOOST_TEST(generic.is_open());
}

// Two of its own kind, of a protocol for experiments.
BOOST_AUTO_TEST_CASE(packets_of_any_protocol_go_from_one_to_the_other)
{
  using raw = interlock::generic::raw_protocol;
  raw::socket a(context, raw(AF_INET, 253));
  raw::socket b(context, raw(AF_INET, 253));
  a.bind(own_address(4));
  b.bind(own_address(5));
  BOOST_TEST(a.send_to(asio::buffer("abc", 3), own_address(5)) == 3u);
  answer got;
  raw::endpoint from;
  BOOST_TEST(b.receive_from(got.in(), from) == 23u);
  BOOST_TEST((from == raw::endpoint(own_address(4))));
}

BOOST_AUTO_TEST_SUITE_END()
