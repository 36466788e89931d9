// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What is told of a close, and of many, as a stream shows it: what is zero is left out.

#include <interlock/close_outcome.hpp>
#include <interlock/close_report.hpp>
#include <interlock/close_statistics.hpp>
#include <interlock/close_tally.hpp>
#include <interlock/stack_report.hpp>

#include <chrono>
#include <sstream>
#include <string>

#include <boost/test/unit_test.hpp>

using interlock::close_in_progress;
using interlock::close_outcome;
using interlock::close_report;
using interlock::close_stage;
using interlock::close_tally;
using interlock::stack_report;

namespace {

template <class T>
std::string words(const T& told)
{
  std::ostringstream stream;
  stream << told;
  return stream.str();
}

close_report late()
{
  close_report r;
  r.outcome = close_outcome::timed_out;
  r.duration = std::chrono::microseconds(500999);
  r.unacknowledged = 1200;
  r.unsent = 200;
  r.discarded = 7;
  r.refused_writes = 2;
  return r;
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_reports_in_words)

BOOST_AUTO_TEST_CASE(a_report_tells_what_is_not_zero)
{
  BOOST_TEST(words(close_report()) == "closed after 0 ms");
  BOOST_TEST(words(late())
    == "timed_out after 500 ms, 1200 bytes unacknowledged, 200 bytes unsent, 7 bytes discarded, "
       "2 writes refused");
}

BOOST_AUTO_TEST_CASE(a_report_of_layers_tells_what_has_happened)
{
  stack_report r;
  BOOST_TEST(words(r) == "closed after 0 ms");
  r.connection = late();
  r.close_frame_sent = r.close_frame_answered = true;
  r.notify_sent = r.notify_answered = true;
  r.truncated = true;
  BOOST_TEST(words(r)
    == words(late())
      + "; close frame sent, close frame answered, close_notify sent, close_notify answered, truncated");
}

BOOST_AUTO_TEST_CASE(a_tally_tells_what_is_not_zero)
{
  close_tally t;
  BOOST_TEST(words(t) == "0 members");
  t.add(close_report());
  BOOST_TEST(words(t) == "1 member: 1 closed; the slowest after 0 ms");
  t.add(late());
  t.add(late());
  t.unfinished = 3;
  t.failed = 1;
  BOOST_TEST(words(t)
    == "6 members: 1 closed, 2 timed_out, 3 unfinished; the slowest after 500 ms, 1 failed, "
       "2400 bytes unacknowledged, 4 writes refused");
}

BOOST_AUTO_TEST_CASE(a_close_in_progress_tells_what_it_waits_for)
{
  close_in_progress c;
  c.descriptor = 12;
  c.waits_for = close_stage::writes;
  c.age = std::chrono::milliseconds(3200);
  BOOST_TEST(words(c) == "descriptor 12 waits for outstanding writes for 3200 ms");
  c.handlers = 3;
  c.writes = 2;
  c.leases = 1;
  BOOST_TEST(words(c)
    == "descriptor 12 waits for outstanding writes for 3200 ms, 3 handlers, 2 writes, 1 leases");
}

BOOST_AUTO_TEST_CASE(each_stage_has_words)
{
  BOOST_TEST(words(close_stage::writes) == "outstanding writes");
  BOOST_TEST(words(close_stage::detach) == "a thread of the executor, or one inside a call");
  BOOST_TEST(words(close_stage::lease) == "a lease");
  BOOST_TEST(words(close_stage::queue) == "a thread of the service");
  BOOST_TEST(words(close_stage::peer) == "the peer");
  BOOST_TEST(words(close_stage::close_call) == "close(2)");
  BOOST_TEST(words(close_stage::handlers) == "handlers of operations");
  BOOST_TEST(words(static_cast<close_stage>(100)) == "unknown");
}

BOOST_AUTO_TEST_SUITE_END()
