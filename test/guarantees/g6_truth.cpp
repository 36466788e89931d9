// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G6: the errno of close(2) reaches every caller of async_close. EINTR and EINPROGRESS mean closed,
// and are never retried.

#include <interlock/ip/tcp.hpp>
#include <interlock/posix/stream_descriptor.hpp>

#include <cerrno>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/handler_tally.hpp"

namespace asio = boost::asio;
namespace data = boost::unit_test::data;
using boost::system::error_code;
using interlock::ip::tcp;
using interlock::posix::stream_descriptor;

namespace {

const error_code not_called = asio::error::fault;

error_code from_errno(int value)
{
  return error_code(value, boost::system::system_category());
}

/// An open descriptor whose close(2) will report an errno.
struct subject
{
  asio::io_context context;
  support::ends pair = support::pipe_ends();
  support::close_watch watch{pair.near.get()};
  stream_descriptor object{context, pair.near.release()};
  support::handler_tally tally;

  explicit subject(int error)
  {
    watch.report(error);
  }

  /// Asks for the outcome, and runs until it is there.
  error_code close_and_run()
  {
    error_code ec = not_called;
    object.async_close(tally(support::into(ec)));
    context.run();
    context.restart();
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
    s.object.async_close(s.tally(support::into(ec)));
  s.context.run();
  for (const error_code& ec : outcomes)
    BOOST_TEST(ec == from_errno(sample));
  BOOST_TEST(s.tally.all_called());
  BOOST_TEST(s.watch.closed() == 1u);
}

BOOST_DATA_TEST_CASE(
  an_interrupted_close_is_a_close_and_not_repeated, data::make({EINTR, EINPROGRESS}))
{
  const std::size_t strays = support::stray_closes();
  subject s(sample);
  BOOST_TEST(s.close_and_run() == error_code());
  BOOST_TEST(s.watch.closed() == 1u);
  BOOST_TEST(support::stray_closes() == strays);
}

BOOST_AUTO_TEST_CASE(a_close_without_an_error_is_a_success)
{
  subject s(0);
  BOOST_TEST(s.close_and_run() == error_code());
}

BOOST_AUTO_TEST_CASE(an_async_close_after_close_learns_what_became_of_it)
{
  subject s(EIO);
  s.object.close();
  BOOST_TEST(s.close_and_run() == from_errno(EIO));
  BOOST_TEST(s.watch.closed() == 1u);
}

BOOST_AUTO_TEST_CASE(close_itself_reports_no_error)
{
  subject s(EIO);
  error_code ec = not_called;
  s.object.close(ec);
  BOOST_TEST(!ec);
  BOOST_TEST(s.watch.wait_closed());
  BOOST_CHECK_NO_THROW(s.object.close());
}

BOOST_AUTO_TEST_CASE(the_outcome_is_kept_until_the_object_is_opened_again)
{
  subject s(EIO);
  for (int i = 0; i != 3; ++i)
    BOOST_TEST(s.close_and_run() == from_errno(EIO));
  support::ends again = support::pipe_ends();
  s.object.assign(again.near.release());
  BOOST_TEST(s.close_and_run() == error_code());
  BOOST_TEST(s.close_and_run() == error_code());
  BOOST_TEST(s.tally.all_called());
}

// The outcome belongs to the tenure: a failure to open does not begin one.
BOOST_AUTO_TEST_CASE(a_failed_open_does_not_change_the_outcome)
{
  subject s(ENOSPC);
  BOOST_TEST(s.close_and_run() == from_errno(ENOSPC));
  error_code ec;
  s.object.assign(-1, ec);
  BOOST_TEST(ec.failed());
  BOOST_TEST(s.close_and_run() == from_errno(ENOSPC));
}

BOOST_AUTO_TEST_CASE(the_outcome_goes_with_the_object_that_is_moved)
{
  subject s(EIO);
  BOOST_TEST(s.close_and_run() == from_errno(EIO));
  stream_descriptor to(std::move(s.object));
  error_code ec = not_called;
  to.async_close(s.tally(support::into(ec)));
  BOOST_TEST(s.close_and_run() == error_code());
  BOOST_TEST(ec == from_errno(EIO));
}

BOOST_AUTO_TEST_CASE(a_socket_reports_its_close_too)
{
  asio::io_context context;
  support::ends pair = support::tcp_ends();
  support::close_watch watch(pair.near.get());
  watch.report(EIO);
  tcp::socket s(context, tcp::v4(), pair.near.release());
  error_code ec = not_called;
  s.async_close(support::into(ec));
  context.run();
  BOOST_TEST(ec == from_errno(EIO));
}

// What was given away is no longer ours to close: nothing failed.
BOOST_AUTO_TEST_CASE(after_release_the_outcome_is_a_success)
{
  subject s(EIO);
  const support::fd released(s.object.release());
  BOOST_TEST(released.get() >= 0);
  BOOST_TEST(s.close_and_run() == error_code());
  BOOST_TEST(s.watch.closed() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
