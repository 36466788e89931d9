// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The mailbox by itself. What threads do with it at the same time is walked by test/schedules.

#include <interlock/detail/closing/mailbox.hpp>

#include <vector>

#include <boost/test/unit_test.hpp>

using interlock::detail::mail;
using interlock::detail::mailbox;
using interlock::detail::posting;

namespace {

class letter final : public mail
{
};

/// What has been taken, in order.
std::vector<const mail*> all(const mail* first)
{
  std::vector<const mail*> found;
  for (; first; first = first->next())
    found.push_back(first);
  return found;
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_mailbox)

BOOST_AUTO_TEST_CASE(what_is_posted_is_taken_in_order_and_once)
{
  mailbox box;
  letter letters[3];
  BOOST_TEST(box.empty());
  BOOST_TEST(!box.take_all());
  for (letter& l : letters)
    BOOST_TEST((box.post(l, 1) == posting::first));
  BOOST_TEST(!box.empty());
  const std::vector<const mail*> as_posted{&letters[0], &letters[1], &letters[2]};
  BOOST_TEST((all(box.take_all()) == as_posted));
  BOOST_TEST(box.empty());
  BOOST_TEST(!box.take_all());
}

BOOST_AUTO_TEST_CASE(what_is_posted_before_the_opening_is_added)
{
  mailbox box;
  letter l;
  BOOST_TEST((box.post(l, 1) == posting::first));
  BOOST_TEST((box.post(l, 2) == posting::added));
  BOOST_TEST(box.take_all() == &l);
  BOOST_TEST((box.post(l, 4) == posting::added));
  BOOST_TEST(l.contents() == 7);
  BOOST_TEST(l.open() == 7);
  BOOST_TEST(l.open() == 0);
  BOOST_TEST((box.post(l, 8) == posting::first));
  BOOST_TEST(l.open() == 8);
}

BOOST_AUTO_TEST_CASE(a_closed_mailbox_gives_what_it_has_and_refuses_more)
{
  mailbox box;
  letter posted;
  letter late;
  BOOST_TEST((box.post(posted, 1) == posting::first));
  BOOST_TEST(box.close() == &posted);
  BOOST_TEST(!box.close());
  BOOST_TEST(!box.take_all());
  BOOST_TEST((box.post(posted, 2) == posting::added));
  BOOST_TEST((box.post(late, 1) == posting::refused));
  BOOST_TEST((box.post(late, 2) == posting::added));
  BOOST_TEST(late.open() == 3);
  BOOST_TEST((box.post(late, 1) == posting::refused));
}

BOOST_AUTO_TEST_SUITE_END()
