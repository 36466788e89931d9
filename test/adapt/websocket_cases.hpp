// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The cases of a websocket's close over each stream that may stand below it. A file that includes this defines the name
// of its suite, INTERLOCK_TEST_SUITE, and the list of its `streams`.

#ifndef INTERLOCK_TEST_ADAPT_WEBSOCKET_CASES_HPP
#define INTERLOCK_TEST_ADAPT_WEBSOCKET_CASES_HPP

#include <interlock/adapt/websocket_ssl.hpp>

#include "websocket_scene.hpp"

BOOST_AUTO_TEST_SUITE(INTERLOCK_TEST_SUITE)

using namespace adapt;

BOOST_AUTO_TEST_CASE_TEMPLATE(
  a_close_beside_an_outstanding_message_delivers_all_of_it_and_the_frame_with_its_code, Stream,
  streams)
{
  websocket_scene<Stream> s(reads);
  large_message m(*s.near);
  s.close(close_mode::graceful(long_enough),
    websocket::close_reason(websocket::close_code::going_away, "done"));
  BOOST_TEST(m.ec == success);
  BOOST_TEST(s.far.seen.is(much, websocket::close_code::going_away));
  BOOST_TEST(s.far.seen.reason.reason == "done");
  const std::string told = s.c.told();
  BOOST_TEST(told.rfind("peer_closed, frame sent, frame answered" + of_tls<Stream>, 0) == 0u, told);
  BOOST_TEST(!s.c.report.truncated);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_read_that_is_outstanding_ends_and_the_stack_closes, Stream, streams)
{
  websocket_scene<Stream> s(reads);
  pending_read r(*s.near);
  int reads_before_close = 0;
  interlock::async_close(s.near, close_mode::graceful(long_enough),
    [&](error_code ec, const stack_report& report)
    {
      reads_before_close = r.calls;
      s.c.handler()(ec, report);
    });
  s.end();
  BOOST_TEST(r.calls == 1);
  BOOST_TEST(reads_before_close == 1);
  BOOST_TEST(r.ec != success);
  BOOST_TEST(s.far.seen.is(0, websocket::close_code::normal));
  BOOST_TEST(s.c.report.close_frame_sent);
  BOOST_TEST(s.c.report.close_frame_answered);
  BOOST_TEST(s.c.report.connection.outcome == close_outcome::peer_closed);
}

BOOST_AUTO_TEST_SUITE_END()

#endif // INTERLOCK_TEST_ADAPT_WEBSOCKET_CASES_HPP
