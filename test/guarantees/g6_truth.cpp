// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G6: the errno of close(2) reaches every caller of async_close. EINTR and EINPROGRESS mean closed,
// and are never retried.

#include "support/prelude.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include "support/counted.hpp"
#include "support/system_errors.hpp"

using namespace support;
namespace data = boost::unit_test::data;

namespace {

/// An open descriptor whose close(2) will report an errno.
struct subject : counted_in_context
{
  ends pair = pipe_ends();
  close_watch watch{pair.near.get()};
  stream_descriptor object{context, pair.near.release()};

  explicit subject(int error)
  {
    watch.report(error);
  }

  /// Asks for the outcome, and runs until it is there.
  error_code close_and_run()
  {
    error_code ec = not_called;
    object.async_close(tally(into(ec)));
    run();
    return ec;
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_g6_truth)

BOOST_DATA_TEST_CASE(an_error_of_close2_reaches_every_caller, data::make({EIO, ENOSPC, EDQUOT}))
{
  subject s(sample);
  std::vector<error_code> outcomes(5, not_called);
  for (error_code& ec : outcomes)
    s.object.async_close(s.tally(into(ec)));
  s.run();
  for (const error_code& ec : outcomes)
    BOOST_TEST(ec == system_error(sample));
  BOOST_TEST(s.tally.all_called());
  BOOST_TEST(s.watch.closed() == 1u);
}

BOOST_DATA_TEST_CASE(
  an_interrupted_close_is_a_close_and_not_repeated, data::make({EINTR, EINPROGRESS, 0}))
{
  const std::size_t strays = stray_closes();
  subject s(sample);
  BOOST_TEST(s.close_and_run() == success);
  BOOST_TEST(s.watch.closed() == 1u);
  BOOST_TEST(stray_closes() == strays);
}

BOOST_AUTO_TEST_CASE(close_itself_reports_no_error)
{
  subject s(EIO);
  error_code ec = not_called;
  s.object.close(ec);
  BOOST_TEST(ec == success);
  BOOST_TEST(s.watch.wait_closed());
  BOOST_CHECK_NO_THROW(s.object.close());
}

BOOST_AUTO_TEST_CASE(the_outcome_is_kept_until_the_object_is_opened_again)
{
  subject s(EIO);
  for (int i = 0; i != 3; ++i)
    BOOST_TEST(s.close_and_run() == io_error);
  s.object.assign(pipe_ends().near.release());
  for (int i = 0; i != 2; ++i)
    BOOST_TEST(s.close_and_run() == success);
  BOOST_TEST(s.tally.all_called());
}

// The outcome belongs to the tenure: a failure to open does not begin one.
BOOST_AUTO_TEST_CASE(a_failed_open_does_not_change_the_outcome)
{
  subject s(EIO);
  BOOST_TEST(s.close_and_run() == io_error);
  error_code ec;
  s.object.assign(-1, ec);
  BOOST_TEST(ec.failed());
  BOOST_TEST(s.close_and_run() == io_error);
}

BOOST_AUTO_TEST_CASE(the_outcome_goes_with_the_object_that_is_moved)
{
  subject s(EIO);
  BOOST_TEST(s.close_and_run() == io_error);
  stream_descriptor to(std::move(s.object));
  error_code ec = not_called;
  to.async_close(s.tally(into(ec)));
  BOOST_TEST(s.close_and_run() == success);
  BOOST_TEST(ec == io_error);
}

// What was given away is no longer ours to close: nothing failed.
BOOST_AUTO_TEST_CASE(after_release_the_outcome_is_a_success)
{
  subject s(EIO);
  const fd released(s.object.release());
  BOOST_TEST(released.get() >= 0);
  BOOST_TEST(s.close_and_run() == success);
  BOOST_TEST(s.watch.closed() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
