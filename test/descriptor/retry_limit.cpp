// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// TCP_USER_TIMEOUT is set where it is shorter than what holds without it, and nowhere else.

#include <interlock/detail/descriptor/retry_limit.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/test/unit_test.hpp>

#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/no_trace.hpp"

using interlock::detail::retry_limit;
using interlock::detail::time_of_retransmissions;

namespace {

struct limited : support::no_trace
{
  support::ends tcp = support::tcp_ends();
  retry_limit limit;
  unsigned before = 1;

  bool shorten(unsigned milliseconds)
  {
    return limit.shorten(tcp.near.get(), milliseconds, before);
  }

  unsigned user_timeout() const
  {
    unsigned value = 1;
    ::socklen_t size = sizeof(value);
    support::checked(
      ::getsockopt(tcp.near.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, &value, &size), "getsockopt");
    return value;
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_retry_limit)

// As tcp(7) says of tcp_retries2: 15 are 924.6 seconds.
BOOST_AUTO_TEST_CASE(retransmissions_take_twice_as_long_each_time_up_to_two_minutes)
{
  BOOST_TEST(time_of_retransmissions(0) == 200u);
  BOOST_TEST(time_of_retransmissions(1) == 600u);
  BOOST_TEST(time_of_retransmissions(8) == 102200u);
  BOOST_TEST(time_of_retransmissions(9) == 204600u);
  BOOST_TEST(time_of_retransmissions(15) == 924600u);
}

BOOST_FIXTURE_TEST_CASE(it_is_shortened_and_restored, limited)
{
  BOOST_TEST(shorten(150));
  BOOST_TEST(before == 0u);
  BOOST_TEST(user_timeout() == 150u);
  retry_limit::restore(tcp.near.get(), before);
  BOOST_TEST(user_timeout() == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_shorter_one_of_the_programs_stays, limited)
{
  retry_limit::restore(tcp.near.get(), 100);
  BOOST_TEST(!shorten(150));
  BOOST_TEST(user_timeout() == 100u);
  retry_limit::restore(tcp.near.get(), 150);
  BOOST_TEST(shorten(100));
  BOOST_TEST(before == 150u);
  BOOST_TEST(user_timeout() == 100u);
}

// No setting of the system is longer than 255 retransmissions.
BOOST_FIXTURE_TEST_CASE(the_limits_of_the_system_are_not_lengthened, limited)
{
  BOOST_TEST(!shorten(time_of_retransmissions(255)));
  BOOST_TEST(user_timeout() == 0u);
}

// tcp_retries2 is 15 and tcp_orphan_retries stands for 8 unless the system says otherwise (tcp(7)).
BOOST_FIXTURE_TEST_CASE(where_the_settings_cannot_be_read_the_kernels_own_hold, limited)
{
  const support::no_more_descriptors none;
  BOOST_TEST(!shorten(time_of_retransmissions(8)));
  BOOST_TEST(shorten(time_of_retransmissions(8) - 1));
}

BOOST_FIXTURE_TEST_CASE(what_is_no_tcp_socket_has_no_limit, limited)
{
  BOOST_TEST(!limit.shorten(support::pipe_ends().near.get(), 150, before));
}

BOOST_AUTO_TEST_SUITE_END()
