// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What the statistics tell while the layers of a stack end: its connection counts as closing, not as open, and the
// close is named with what it waits for.

#include <interlock/adapt/ssl.hpp>
#include <interlock/close_service.hpp>
#include <interlock/close_statistics.hpp>

#include <sstream>

#include "tls_scene.hpp"

using interlock::close_service;
using interlock::close_stage;
using interlock::close_statistics;

namespace {

using namespace adapt;

struct observed : tls_scene<ssl::stream<tcp::socket>>
{
  close_service& service = asio::use_service<close_service>(context);
  const int descriptor = near->next_layer().native_handle();

  explicit observed(script s)
    : tls_scene(TLS1_3_VERSION, std::move(s))
  {
    BOOST_TEST(now().open == 1u);
  }

  close_statistics now() const
  {
    return service.statistics();
  }

  std::string dump() const
  {
    std::ostringstream lines;
    service.dump(lines);
    return lines.str();
  }

  void close_until(close_stage stage)
  {
    start_close(close_mode::graceful(long_enough));
    while (now()[stage] == 0)
      BOOST_REQUIRE(context.run_one() == 1u);
    check_sum();
    BOOST_TEST(now().open == 0u);
    BOOST_TEST(now().closing() == 1u);
    BOOST_TEST(now().oldest.descriptor == descriptor);
    BOOST_TEST(now().oldest.waits_for == stage);
    const std::string begin = "descriptor " + std::to_string(descriptor) + " waits for ";
    BOOST_TEST(dump().rfind(begin + to_string(stage) + " for ", 0) == 0u);
  }

  void end_and_check()
  {
    far.let_go();
    end();
    BOOST_TEST(c.times == 1);
    check_sum();
    BOOST_TEST(now().open == 0u);
    BOOST_TEST(now().closing() == 0u);
    BOOST_TEST(dump().empty());
  }

  void check_sum() const
  {
    const close_statistics s = now();
    BOOST_TEST(s.opened == s.open + s.closed() + s.closing() - s[close_stage::handlers]);
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_ssl_told)

BOOST_AUTO_TEST_CASE(a_stack_whose_peer_does_not_answer_waits_for_it)
{
  observed s(
    [](tls_peer& p)
    {
      reads_and_waits(p);
      p.notify();
    });
  s.close_until(close_stage::peer);
  s.end_and_check();
  BOOST_TEST(s.c.report.notify_answered);
  BOOST_TEST(s.now()[close_outcome::peer_closed] == 1u);
}

BOOST_AUTO_TEST_CASE(a_stack_that_writes_waits_for_its_writes)
{
  observed s(
    [](tls_peer& p)
    {
      p.wait();
      reads_and_answers(p);
    });
  large_write w(*s.near);
  s.close_until(close_stage::writes);
  BOOST_TEST(s.now().oldest.writes == 1u);
  s.end_and_check();
  BOOST_TEST(w.ec == success);
}

BOOST_AUTO_TEST_CASE(a_connection_that_is_closed_before_its_layers_have_ended_is_closed)
{
  observed s(reads_and_waits);
  s.close_until(close_stage::peer);
  s.near->next_layer().close();
  s.end_and_check();
}

BOOST_AUTO_TEST_CASE(what_is_opened_in_the_place_of_a_connection_is_open)
{
  observed s(reads_and_waits);
  s.close_until(close_stage::peer);
  s.end_and_check();
  s.near->next_layer().open(tcp::v4());
  BOOST_TEST(s.now().open == 1u);
  BOOST_TEST(s.now().closing() == 0u);
  s.check_sum();
}

BOOST_AUTO_TEST_SUITE_END()
