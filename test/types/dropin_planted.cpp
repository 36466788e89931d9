// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The comparison of types by itself: over a socket in which one member has been made different it reports
// that member, in each state in which it succeeds, and nothing else; and nothing at all where there is
// no difference.

#include <cstddef>
#include <string>
#include <type_traits>

#include <boost/test/unit_test.hpp>

#include "support/dropin_states.hpp"

namespace utf = boost::unit_test;
using namespace support;

namespace {

/// One byte more is available than there is.
template <class Socket>
struct miscounting : Socket
{
  using Socket::Socket;

  template <class Executor>
  struct rebind_executor
  {
    using other = miscounting<typename Socket::template rebind_executor<Executor>::other>;
  };

  std::size_t available() const
  {
    return Socket::available() + 1;
  }

  std::size_t available(boost::system::error_code& ec) const
  {
    const std::size_t bytes = Socket::available(ec);
    return ec ? 0 : bytes + 1;
  }
};

struct planted_family : interlock_family
{
  struct local : interlock_family::local
  {
    using socket = miscounting<interlock_family::local::socket>;
  };
};

const std::string member = "available";

} // namespace

BOOST_AUTO_TEST_SUITE(test_planted_difference)

BOOST_AUTO_TEST_CASE(what_differs_is_reported_and_nothing_else)
{
  const lines plain = notes_of_states<local_stream_socket, asio_family>();
  const lines found = differences(plain, notes_of_states<local_stream_socket, planted_family>());
  BOOST_TEST_REQUIRE(!found.empty());
  BOOST_TEST(found[0].find("Asio [open: available: 64], Interlock [open: available: 65]")
    != std::string::npos);
  std::size_t told = 0;
  for (const std::string& line : plain)
    told += line.find(": " + member + ": ") != std::string::npos
      && line.find(": system:") == std::string::npos;
  BOOST_TEST(told != 0u);
  for (const std::string& line : found)
    BOOST_TEST(line.find(": " + member + ": ") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(nothing_is_reported_where_nothing_differs)
{
  const lines plain = notes_of_states<local_stream_socket, asio_family>();
  const lines ours = notes_of_states<local_stream_socket, interlock_family>();
  BOOST_TEST(plain.size() > 500u);
  BOOST_TEST(differences(plain, ours).empty());
  BOOST_TEST(differences(plain, plain).empty());
  BOOST_TEST(differences({"a"}, {"a", "b"}).size() == 1u);
  BOOST_TEST(differences({"a", "b"}, {"a"}).size() == 1u);
}

// Run by targets of their own, which they must fail.

BOOST_AUTO_TEST_CASE(a_type_that_differs, *utf::disabled())
{
  same(notes_of_states<local_stream_socket, asio_family>(),
    notes_of_states<local_stream_socket, planted_family>());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(test_planted_program, compared, *utf::disabled())

BOOST_AUTO_TEST_CASE_TEMPLATE(a_program_that_differs, F, both_families)
{
  note("is Interlock's", std::is_same<F, interlock_family>::value);
}

BOOST_AUTO_TEST_SUITE_END()
