// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A program and a shared object that it is linked with, each with the library inside and its symbols hidden: what must
// exist once exists once, so objects of the one are used by the other.

#include <chrono>
#include <cstddef>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <interlock/close_mode.hpp>
#include <interlock/close_report.hpp>
#include <interlock/close_service.hpp>
#include <interlock/error.hpp>
#include <interlock/ip/tcp.hpp>

#include "dso/part.hpp"
#include "support/differential.hpp"
#include "support/sync_support.hpp"

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::close_mode;
using interlock::close_report;

namespace {

struct connection
{
  asio::io_context context;
  support::tcp_pair<support::interlock_family> pair{context};
  part::socket& ours = pair.first;
  char buffer[4096] = {};
  error_code chained = asio::error::fault;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_dso, connection)

// The mark of a running write is the thread's, whichever of the two has set it.
BOOST_AUTO_TEST_CASE(a_write_of_the_part_goes_on_in_a_flush_of_the_program)
{
  close_report report;
  ours.async_write_some(asio::buffer(buffer),
    [this](error_code, std::size_t)
    { part::write(ours, [this](error_code ec) { chained = ec; }); });
  ours.async_close(close_mode::deliver(std::chrono::seconds(10)),
    [&report](error_code, close_report r) { report = r; });
  context.run();
  BOOST_TEST(chained == error_code());
  BOOST_TEST(report.refused_writes == 0u);
}

BOOST_AUTO_TEST_CASE(a_read_of_the_part_does_not_go_on_over_another_connection)
{
  ours.async_read_some(asio::buffer(buffer),
    [this](error_code, std::size_t) { part::read(ours, [this](error_code ec) { chained = ec; }); });
  ours.close();
  asio::ip::tcp::acceptor acceptor(context, support::tcp_pair<support::asio_family>::loopback());
  ours.connect(acceptor.local_endpoint());
  context.run();
  BOOST_TEST(chained == asio::error::operation_aborted);
}

// Both find it in the same list.
BOOST_AUTO_TEST_CASE(a_close_of_the_part_wakes_a_thread_of_the_program)
{
  support::call_in_thread blocked(
    [this]
    {
      support::outcome o;
      o.bytes = ours.read_some(asio::buffer(buffer), o.ec);
      return o;
    });
  BOOST_TEST(blocked.blocks());
  part::close(ours);
  BOOST_TEST(blocked.get().ec == asio::error::operation_aborted);
}

BOOST_AUTO_TEST_CASE(a_context_has_one_service)
{
  BOOST_TEST(&part::service(context) == &asio::use_service<interlock::close_service>(context));
}

BOOST_AUTO_TEST_SUITE_END()
