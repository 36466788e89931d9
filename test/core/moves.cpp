// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Moves within one type: a close waits for what has come along, and what was moved from is as new. That operations go
// with what is open: types/dropin_*.cpp.

#include "support/prelude.hpp"

#include "support/scene.hpp"

using namespace support;

namespace {

static_assert(std::is_nothrow_move_constructible<tcp::socket>::value, "as Asio's");
static_assert(std::is_nothrow_move_assignable<tcp::socket>::value, "as Asio's");
static_assert(std::is_nothrow_move_constructible<tcp::acceptor>::value, "as Asio's");
static_assert(!std::is_copy_constructible<tcp::socket>::value, "as Asio's");

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_moves, scene)

BOOST_AUTO_TEST_CASE(a_close_of_the_new_object_waits_for_operations_of_the_old)
{
  start_read();
  local::socket to(std::move(*object));
  to.async_close(tally(
    [this](error_code ec)
    {
      closed = ec;
      BOOST_TEST(tally.ended() == 1);
    }));
  run();
  BOOST_TEST(read == aborted);
  BOOST_TEST(closed == success);
}

BOOST_AUTO_TEST_CASE(what_was_moved_from_is_as_new)
{
  local::socket to(std::move(*object));
  BOOST_TEST(read_some(*object).ec == bad_descriptor);
  BOOST_TEST(object->native_handle() == -1);
  object->close();
  close();
  const fd peer = reopen();
  start_read();
  send_text(peer, "x");
  run();
  BOOST_TEST(closed == success);
  BOOST_TEST(read == success);
  BOOST_TEST(to.is_open());
}

BOOST_AUTO_TEST_CASE(a_close_goes_on_while_the_object_is_moved)
{
  watch.report(EIO);
  watch.shut_gate();
  close();
  local::socket to(std::move(*object));
  error_code second = not_called;
  to.async_close(tally(into(second)));
  turn();
  watch.open_gate();
  run();
  BOOST_TEST(closed == io_error);
  BOOST_TEST(second == io_error);
}

BOOST_AUTO_TEST_CASE(move_assignment_closes_what_was_open)
{
  local::socket other(*context, local(), unix_ends().near.release());
  const int fd = other.native_handle();
  start_read();
  *object = std::move(other);
  BOOST_TEST(object->native_handle() == fd);
  run();
  BOOST_TEST(read == aborted);
  BOOST_TEST(watch.wait_closed());
}

BOOST_AUTO_TEST_CASE(move_assignment_to_itself_changes_nothing)
{
  local::socket& same = *object;
  *object = std::move(same);
  BOOST_TEST(object->is_open());
}

BOOST_AUTO_TEST_SUITE_END()
