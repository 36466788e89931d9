// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Prints doc/members.qbk: which members each type has, as the compiler finds them in the headers, and
// with which tokens the tests call the asynchronous ones.

#include <algorithm>
#include <cstddef>
#include <iostream>
#include <string>
#include <vector>

#include "support/dropin_types.hpp"
#include "support/member_names.hpp"
#include "support/overload_tokens.hpp"

using namespace support;

namespace {

using names = std::vector<member_name>;

/// Types that are made from one template have the same members.
struct kind
{
  std::string title;
  std::string types;
  names members;
};

template <class Type>
names found()
{
  return member_names_of<typename Type::template named<interlock_family>,
    typename Type::template named<asio_family>>();
}

bool same(const names& a, const names& b)
{
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
    [](const member_name& x, const member_name& y)
    { return x.in_ours == y.in_ours && x.in_plain == y.in_plain; });
}

/// The members of the first type; every other must have the same.
template <class First, class... More>
kind kind_of(const std::string& title, const std::string& types)
{
  kind k = {title, types, found<First>()};
  if (!(same(k.members, found<More>()) && ...))
    k.title += " (not all alike)";
  return k;
}

std::vector<kind> all_kinds()
{
  return {
    kind_of<base_socket>("basic socket", "the base that all sockets have in common"),
    kind_of<tcp_socket, local_stream_socket, generic_stream_socket>("stream socket",
      "`ip::tcp::socket`, `local::stream_protocol::socket`, `generic::stream_protocol::socket`"),
    kind_of<udp_socket, local_datagram_socket, generic_datagram_socket>("datagram socket",
      "`ip::udp::socket`, `local::datagram_protocol::socket`, "
      "`generic::datagram_protocol::socket`"),
    kind_of<icmp_socket, generic_raw_socket>(
      "raw socket", "`ip::icmp::socket`, `generic::raw_protocol::socket`"),
    kind_of<generic_packet_socket, local_packet_socket, user_socket>("packet socket",
      "`local::seq_packet_protocol::socket`, `generic::seq_packet_protocol::socket`, "
      "`closable<P>::socket` of a user's protocol"),
    kind_of<tcp_acceptor, local_stream_acceptor, local_packet_acceptor, user_acceptor>("acceptor",
      "`ip::tcp::acceptor`, `local::stream_protocol::acceptor`, "
      "`local::seq_packet_protocol::acceptor`, `closable<P>::acceptor` of a user's protocol"),
    kind_of<descriptor>("descriptor", "`posix::descriptor`"),
    kind_of<stream_descriptor>("stream descriptor", "`posix::stream_descriptor`"),
    kind_of<readable_pipe>("readable pipe", "`readable_pipe`"),
    kind_of<writable_pipe>("writable pipe", "`writable_pipe`"),
    kind_of<serial_port>("serial port", "`serial_port`"),
  };
}

const char* const top = R"([/
  Copyright (c) 2026 The Interlock authors
  SPDX-License-Identifier: BSL-1.0

  Made by test/members/members.cpp from the headers: write nothing by hand here. A test compares.
]
[section:members Members and tokens]

Every type has all members of the type of Asio's that it stands in for, and some more. The tables are made by
[^test/members], where the compiler looks for each name in Asio's type and in Interlock's; a test fails when this page
is not what it prints.

)";

void print_kinds(const std::vector<kind>& kinds)
{
  std::cout << "[table Types\n    [[Kind] [Types in the namespace `interlock`] "
               "[Members of Asio's] [Missing] [In addition]]\n";
  for (const kind& k : kinds)
  {
    int members = 0;
    std::string missing;
    std::string more;
    for (const member_name& m : k.members)
    {
      members += m.in_plain;
      if (m.in_plain && !m.in_ours)
        missing += " `" + m.name + "`";
      if (!m.in_plain && m.in_ours)
        more += " `" + m.name + "`";
    }
    std::cout << "    [[" << k.title << "] [" << k.types << "] [" << members << "] ["
              << (missing.empty() ? "none" : missing.substr(1)) << "] [" << more.substr(1)
              << "]]\n";
  }
  std::cout << "]\n\n";
}

const char* cell(const member_name& m)
{
  if (m.in_plain)
    return m.in_ours ? "yes" : "missing";
  return m.in_ours ? "new" : "";
}

void print_members(const std::vector<kind>& kinds)
{
  std::cout << "\"Yes\" is a member of both, \"new\" one of Interlock's own.\n\n"
               "[table Members\n    [[Member]";
  for (const kind& k : kinds)
    std::cout << " [" << k.title << "]";
  std::cout << "]\n";
  for (std::size_t i = 0; i != kinds[0].members.size(); ++i)
  {
    std::cout << "    [[`" << kinds[0].members[i].name << "`]";
    for (const kind& k : kinds)
      std::cout << " [" << cell(k.members[i]) << "]";
    std::cout << "]\n";
  }
  std::cout << "]\n\n";
}

void print_tokens(const std::vector<kind>& kinds)
{
  std::cout
    << "Each overload of each asynchronous member of Asio's is called with each of these tokens, over both "
       "types,\nby the tests whose targets are named `dropin-`['type]`-compile`. They fail when one is left "
       "out.\n\n[table Tokens\n    [[Member] [Kinds]";
  for (const std::string& token : token_names())
    std::cout << " [" << token << "]";
  std::cout << "]\n";
  for (std::size_t i = 0; i != kinds[0].members.size(); ++i)
  {
    std::string having;
    for (const kind& k : kinds)
      if (k.members[i].is_asynchronous() && k.members[i].in_plain)
        having += ", " + k.title;
    if (having.empty())
      continue;
    std::cout << "    [[`" << kinds[0].members[i].name << "`] [" << having.substr(2) << "]";
    for (std::size_t t = 0; t != token_names().size(); ++t)
      std::cout << " [tested]";
    std::cout << "]\n";
  }
  std::cout << "]\n\n";
}

} // namespace

int main()
{
  const std::vector<kind> kinds = all_kinds();
  std::cout << top;
  print_kinds(kinds);
  print_members(kinds);
  print_tokens(kinds);
  std::cout << "Futures, coroutines and other tokens have tests of their own.\n\n[endsect]\n";
}
