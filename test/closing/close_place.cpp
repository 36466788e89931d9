// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Where close(2) runs: every kind of descriptor, with and without something unread, for each kind of closer.

#include <interlock/detail/closing/close_place.hpp>

#include <boost/test/unit_test.hpp>

using namespace interlock::detail;
using kind = descriptor_kind;

namespace {

struct row
{
  kind what;
  close_place at_once;      // no closer waits for a completion
  close_place asynchronous; // each closer waits for one
  bool unread_matters = false;
};

constexpr row table[] = {
  {kind::unknown, close_place::lane, close_place::lane},
  {kind::tcp, close_place::here, close_place::worker},
  {kind::datagram, close_place::here, close_place::worker},
  {kind::unix_socket, close_place::here, close_place::worker, true},
  {kind::pipe, close_place::here, close_place::lane},
  {kind::event, close_place::here, close_place::worker},
  {kind::other, close_place::lane, close_place::lane},
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_close_place)

BOOST_AUTO_TEST_CASE(each_kind_has_its_place)
{
  for (const row& r : table)
  {
    BOOST_TEST_CONTEXT("kind " << static_cast<int>(r.what))
    {
      BOOST_TEST((place_of(r.what, false, false) == r.at_once));
      BOOST_TEST((place_of(r.what, false, true) == r.asynchronous));
      const bool to_the_lane = r.unread_matters;
      BOOST_TEST((place_of(r.what, true, false) == (to_the_lane ? close_place::lane : r.at_once)));
      BOOST_TEST(
        (place_of(r.what, true, true) == (to_the_lane ? close_place::lane : r.asynchronous)));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
