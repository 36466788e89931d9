// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What the statistics tell while the layers of a stack end: its connection counts as closing, not as open, and the
// close is named with what it waits for.

#include <interlock/adapt/ssl.hpp>
#include <interlock/close_service.hpp>
#include <interlock/close_statistics.hpp>

#include <sstream>
#include <string>

#include <boost/asio/execution_context.hpp>
#include <boost/test/unit_test.hpp>

#include "tls_scene.hpp"

using interlock::close_mode;
using interlock::close_outcome;
using interlock::close_service;
using interlock::close_stage;
using interlock::close_statistics;
using interlock::ip::tcp;

namespace {

using namespace adapt;

struct told : tls_scene<ssl::stream<tcp::socket>>
{
  close_service& service = asio::use_service<close_service>(context);
  const int descriptor = near->next_layer().native_handle();
  closed c;

  explicit told(script s)
    : tls_scene(TLS1_3_VERSION, std::move(s))
  {
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
    interlock::async_close(near, close_mode::graceful(long_enough), c.handler());
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

  void end()
  {
    let_go();
    context.run();
    join();
    BOOST_TEST(c.calls == 1);
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
  told s(
    [&s](tls_peer& p)
    {
      p.read_all();
      s.wait();
      p.notify();
    });
  BOOST_TEST(s.now().open == 1u);
  s.close_until(close_stage::peer);
  s.end();
  BOOST_TEST(s.c.report.notify_answered);
  BOOST_TEST(s.now()[close_outcome::peer_closed] == 1u);
}

BOOST_AUTO_TEST_CASE(a_stack_that_writes_waits_for_its_writes)
{
  told s(
    [&s](tls_peer& p)
    {
      s.wait();
      p.read_all();
      p.notify();
    });
  large_write w;
  w.start(*s.near);
  s.close_until(close_stage::writes);
  BOOST_TEST(s.now().oldest.writes == 1u);
  s.end();
  BOOST_TEST(w.ec == success);
}

BOOST_AUTO_TEST_CASE(a_connection_that_is_closed_before_its_layers_have_ended_is_closed)
{
  told s(
    [&s](tls_peer& p)
    {
      p.read_all();
      s.wait();
    });
  s.close_until(close_stage::peer);
  s.near->next_layer().close();
  s.end();
}

BOOST_AUTO_TEST_CASE(what_is_opened_in_the_place_of_a_connection_is_open)
{
  told s(
    [&s](tls_peer& p)
    {
      p.read_all();
      s.wait();
    });
  s.close_until(close_stage::peer);
  s.end();
  s.near->next_layer().open(tcp::v4());
  BOOST_TEST(s.now().open == 1u);
  BOOST_TEST(s.now().closing() == 0u);
  s.check_sum();
}

BOOST_AUTO_TEST_SUITE_END()
