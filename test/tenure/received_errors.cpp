// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Which errors say how a connection has ended, and when they are all that there can be.

#include <interlock/detail/tenure/received_errors.hpp>

#include <cerrno>

#include <boost/asio/error.hpp>
#include <boost/test/unit_test.hpp>

using boost::system::error_code;
using interlock::detail::received_errors;

namespace {

struct noted : received_errors
{
  void note_errno(int error)
  {
    note(error_code(error, boost::system::system_category()));
  }

  int error(bool others = false) const
  {
    return summarize(others).error;
  }

  bool are_all(bool others = false) const
  {
    return summarize(others).are_all;
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_received_errors, noted)

BOOST_AUTO_TEST_CASE(the_first_error_that_ends_a_connection_is_kept)
{
  BOOST_TEST(error() == 0);
  note_errno(ECONNRESET);
  note_errno(ETIMEDOUT);
  BOOST_TEST(error() == ECONNRESET);
}

BOOST_AUTO_TEST_CASE(what_may_leave_the_connection_alive_is_ignored)
{
  for (int ignored : {0, EAGAIN, EINTR, ECANCELED, ENOMEM, ENOBUFS, EBADF, EINVAL, EMSGSIZE,
         EISCONN, EINPROGRESS, EMFILE, EHOSTUNREACH, ENETUNREACH, ECONNREFUSED, ENOPROTOOPT})
    note_errno(ignored);
  note(boost::asio::error::eof);
  note(boost::asio::error::host_not_found);
  BOOST_TEST(error() == 0);
}

BOOST_AUTO_TEST_CASE(errors_of_other_categories_are_not_taken_for_those_of_the_system)
{
  note(error_code(ECONNRESET, boost::asio::error::get_misc_category()));
  BOOST_TEST(error() == 0);
}

BOOST_AUTO_TEST_CASE(a_broken_pipe_counts_if_no_other_code_can_have_broken_it)
{
  note_errno(EPIPE);
  BOOST_TEST(error() == EPIPE);
  BOOST_TEST(error(true) == 0);
  note_errno(ECONNRESET);
  BOOST_TEST(error() == ECONNRESET);
  BOOST_TEST(error(true) == ECONNRESET);
}

BOOST_AUTO_TEST_CASE(a_broken_pipe_counts_if_it_came_before_the_program_ended_its_writing)
{
  note_errno(EPIPE);
  end_writing();
  BOOST_TEST(error() == EPIPE);
  reset();
  end_writing();
  note_errno(EPIPE);
  BOOST_TEST(error() == 0);
}

BOOST_AUTO_TEST_CASE(after_a_broken_pipe_no_write_is_waited_for_whichever_side_has_broken_it)
{
  end_writing();
  BOOST_TEST(!have_ended_connection());
  note_errno(EPIPE);
  BOOST_TEST(have_ended_connection());
  reset();
  note_errno(EPIPE);
  BOOST_TEST(have_ended_connection());
}

BOOST_AUTO_TEST_CASE(a_connection_begins_without_errors)
{
  note_errno(ECONNRESET);
  begin_connection();
  BOOST_TEST(error() == 0);
  end_writing();
  note_errno(EPIPE);
  begin_connection();
  BOOST_TEST(!have_ended_connection());
}

BOOST_AUTO_TEST_CASE(they_are_all_if_no_result_is_outstanding_or_lost_and_there_is_no_other_code)
{
  BOOST_TEST(!are_all());
  note_none_outstanding();
  BOOST_TEST(are_all());
  BOOST_TEST(!are_all(true));
  note_lost_result();
  BOOST_TEST(!are_all());
}

BOOST_AUTO_TEST_CASE(a_successor_has_the_errors_but_not_that_they_are_all)
{
  note_errno(ETIMEDOUT);
  note_none_outstanding();
  noted next;
  next.inherit(*this);
  BOOST_TEST(next.error() == ETIMEDOUT);
  BOOST_TEST(!next.are_all());
  next.note_none_outstanding();
  next.note_errno(ECONNRESET);
  BOOST_TEST(next.error() == ETIMEDOUT);
  BOOST_TEST(next.are_all());
}

BOOST_AUTO_TEST_CASE(a_reset_leaves_nothing)
{
  note_errno(ECONNRESET);
  end_writing();
  note_none_outstanding();
  reset();
  note_errno(EPIPE);
  BOOST_TEST(error() == EPIPE);
  BOOST_TEST(!are_all());
}

BOOST_AUTO_TEST_SUITE_END()
