// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Deliveries to peers of every kind, over TCP and AF_UNIX, by edges and by polling: what is reported, in what state the
// socket is left for close(2), and what the peer sees when that has been called.

#include <interlock/detail/closing/delivery_engine.hpp>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <optional>

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/test/unit_test.hpp>

#include "support/delivery_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/lingering_socket.hpp"
#include "support/tcp_facts.hpp"

using interlock::close_mode;
using interlock::close_outcome;
using std::chrono::milliseconds;
using std::chrono::seconds;
using support::delivery_fixture;
using support::delivery_probe;
using support::ends;
using support::long_enough;
using support::narrow_tcp_ends;
using support::taken;
using support::tcp_ends;
using support::unix_ends;
using support::ways;

namespace {

// --- What has been sent.

std::size_t nothing(const ends&)
{
  return 0;
}

std::size_t text(const ends& e)
{
  support::send_text(e.near, "all of it");
  return 9;
}

std::size_t full(const ends& e)
{
  return support::fill(e.near.get());
}

// --- What has happened before.

void as_it_is(ends&) {}

void near_lingers(ends& e)
{
  support::set_linger(e.near, 60);
}

void near_ends(ends& e)
{
  support::checked(::shutdown(e.near.get(), SHUT_WR), "shutdown");
}

void far_ends(ends& e)
{
  support::checked(::shutdown(e.far.get(), SHUT_WR), "shutdown");
  BOOST_TEST(support::wait_until([&] { return support::hung_up(e.near); }));
}

void both_end(ends& e)
{
  far_ends(e);
  near_ends(e);
}

void far_sends(ends& e)
{
  support::send_text(e.far, "input");
  BOOST_TEST(support::wait_input(e.near, 5));
}

void far_resets(ends& e)
{
  support::set_linger(e.far, 0);
  e.far.reset();
  BOOST_TEST(support::wait_tcp_state(e.near, TCP_CLOSE));
}

// --- What the peer does, again and again.

struct peer
{
  support::fd& far;
  taken got;
  std::size_t turns = 0;
};

void idles(peer&) {}

void reads(peer& p)
{
  p.got.take(p.far);
}

void reads_slowly(peer& p)
{
  if (++p.turns % 2)
    p.got.take(p.far, 32768);
}

void resets(peer& p)
{
  if (p.turns++ == 0)
    support::set_linger(p.far, 0);
  p.far.reset();
}

void goes(peer& p)
{
  p.far.reset();
}

enum class task
{
  delivers,
  drains // and leaves our FIN to close(2)
};

struct situation
{
  const char* shows;
  ends (*connected)();
  std::size_t (*sent)(const ends&);
  void (*first)(ends&);
  task what;
  close_mode mode;
  void (*then)(peer&);
  close_outcome outcome;
  std::optional<close_mode> overtaken = {};
  std::size_t unread = 0;
};

constexpr auto delivers = task::delivers;
constexpr auto drains = task::drains;
constexpr close_mode deliver = close_mode::deliver(long_enough);
constexpr close_mode graceful = close_mode::graceful(long_enough);
constexpr close_mode soon = close_mode::deliver(milliseconds(100));
constexpr close_mode abort_it = close_mode::abort();
constexpr close_mode at_once = close_mode::immediate();
using o = close_outcome;

const situation situations[] = {
  {"a peer that reads all has acknowledged, although it keeps open", narrow_tcp_ends, full,
    as_it_is, delivers, deliver, reads, o::acknowledged},
  {"a slow peer is waited for as long as it reads", narrow_tcp_ends, full, as_it_is, delivers,
    close_mode::deliver(long_enough).progress_timeout(seconds(20)), reads_slowly, o::acknowledged},
  {"what a peer does not read is counted at the deadline", narrow_tcp_ends, full, as_it_is,
    delivers, soon, idles, o::timed_out},
  {"without progress the deadline is not waited for", narrow_tcp_ends, full, as_it_is, delivers,
    close_mode::deliver(long_enough).progress_timeout(milliseconds(50)), idles, o::timed_out},
  {"a peer that resets is told", narrow_tcp_ends, full, as_it_is, delivers, deliver, resets,
    o::reset},
  {"a peer that goes away with unread data has reset", narrow_tcp_ends, full, as_it_is, delivers,
    deliver, goes, o::reset},
  {"the same in a graceful end", narrow_tcp_ends, full, as_it_is, delivers, graceful, goes,
    o::reset},
  {"a connection that was reset before is told so", tcp_ends, nothing, far_resets, delivers,
    graceful, idles, o::reset},
  {"a peer that half-closes first and then reads all", narrow_tcp_ends, full, far_ends, delivers,
    deliver, reads, o::acknowledged},
  {"the same in a graceful end", narrow_tcp_ends, full, far_ends, delivers, graceful, reads,
    o::peer_closed},
  {"what was acknowledged by the deadline has not timed out", tcp_ends, text, as_it_is, delivers,
    close_mode::graceful(milliseconds(150)), reads, o::acknowledged},
  {"an abort is over at once", narrow_tcp_ends, full, as_it_is, delivers, abort_it, idles,
    o::aborted},
  {"an immediate end is over at once", narrow_tcp_ends, full, as_it_is, delivers, at_once, idles,
    o::closed},
  {"an abort overtakes", narrow_tcp_ends, full, as_it_is, delivers, graceful, idles, o::aborted,
    abort_it},
  {"an immediate end overtakes, and the kernel goes on", narrow_tcp_ends, full, as_it_is, delivers,
    graceful, idles, o::closed, at_once},
  {"a socket that lingers does so no more", narrow_tcp_ends, full, near_lingers, delivers, soon,
    idles, o::timed_out},

  // A local peer acknowledges by reading.
  {"a local peer has acknowledged when it has read all", unix_ends, full, as_it_is, delivers,
    deliver, reads, o::acknowledged},
  {"a little is delivered as well as much", unix_ends, text, as_it_is, delivers, deliver, reads,
    o::acknowledged},
  {"what a local peer does not read is there at the deadline", unix_ends, text, as_it_is, delivers,
    soon, idles, o::timed_out},
  {"without progress of a local peer the deadline is not waited for", unix_ends, full, as_it_is,
    delivers, close_mode::deliver(long_enough).progress_timeout(milliseconds(50)), idles,
    o::timed_out},
  {"a local peer that closes with unread data has reset", unix_ends, full, as_it_is, delivers,
    deliver, goes, o::reset},
  {"the same in a graceful end", unix_ends, full, as_it_is, delivers, graceful, goes, o::reset},
  {"a local peer that ended first and then reads", unix_ends, full, far_ends, delivers, deliver,
    reads, o::acknowledged},
  {"the same in a graceful end", unix_ends, full, far_ends, delivers, graceful, reads,
    o::peer_closed},

  // Nothing is done to the connection that a process with a copy of the descriptor would notice.
  {"draining is over when all is acknowledged", narrow_tcp_ends, full, as_it_is, drains, deliver,
    reads, o::acknowledged},
  {"what is acknowledged already is not waited for", tcp_ends, nothing, as_it_is, drains, deliver,
    idles, o::acknowledged},
  {"what is left at the deadline is counted without a FIN", narrow_tcp_ends, full, as_it_is, drains,
    soon, idles, o::timed_out},
  {"a FIN of the program's own is no byte that is left", narrow_tcp_ends, full, near_ends, drains,
    soon, idles, o::timed_out},
  {"ends that both have sent before are acknowledged", narrow_tcp_ends, full, both_end, drains,
    deliver, reads, o::acknowledged},
  {"a reset is told, and its error left for the next", narrow_tcp_ends, full, as_it_is, drains,
    deliver, resets, o::reset},
  {"no input is thrown away, whatever mode is requested", narrow_tcp_ends, full, far_sends, drains,
    graceful, reads, o::acknowledged, {}, 5},
  {"an abort overtakes draining", narrow_tcp_ends, full, as_it_is, drains, deliver, idles,
    o::aborted, abort_it},
  {"an immediate end overtakes draining", narrow_tcp_ends, full, as_it_is, drains, deliver, idles,
    o::closed, at_once},
  {"a socket that lingered is drained", narrow_tcp_ends, full, near_lingers, drains, deliver, reads,
    o::acknowledged},
  {"a local connection is drained when its peer has read", unix_ends, full, as_it_is, drains,
    deliver, reads, o::acknowledged},
  {"a local peer that goes away has reset, and the error is left", unix_ends, full, as_it_is,
    drains, deliver, goes, o::reset},
};

template <class Way>
class in_situation : delivery_fixture<Way>
{
public:
  explicit in_situation(const situation& s)
    : s_(s),
      is_tcp_(s.connected != &unix_ends)
  {
    s.first(pair_);
    had_ended_ = is_tcp_ && state() != TCP_ESTABLISHED;
  }

  void run()
  {
    job_.on_delivered = [this] { look(); };
    if (s_.what == drains)
      this->engine.drain(job_, pair_.near.get(), s_.mode);
    else
      this->submit(job_, pair_.near, s_.mode);
    BOOST_TEST(job_.reports() == 0);
    this->engine.run_once(milliseconds(0));
    if (s_.overtaken)
      overtake();
    else if (s_.then == idles && s_.outcome != o::timed_out)
      BOOST_TEST(job_.reports() == 1);
    else
      BOOST_TEST(this->run_until([this] { return job_.reports() != 0; }, [this] { s_.then(peer_); },
        milliseconds(s_.then == idles ? 20 : 0)));
    BOOST_TEST(job_.outcome() == s_.outcome);
    check_report();
    check_socket();
    check_peer();
  }

private:
  int state() const
  {
    return support::tcp_state_of(pair_.near);
  }

  int option(int level, int name) const
  {
    int value = 0;
    ::socklen_t size = sizeof(value);
    support::checked(::getsockopt(pair_.near.get(), level, name, &value, &size), "getsockopt");
    return value;
  }

  // What the system says when the delivery is over. It counts our FIN as a byte.
  void look()
  {
    read_by_then_ = peer_.got.bytes;
    const bool has_fin = is_tcp_
      && (state() == TCP_FIN_WAIT1 || state() == TCP_CLOSING || state() == TCP_LAST_ACK);
    queued_ = support::output_of(pair_.near) - has_fin;
    unsent_ = is_tcp_ ? support::queue_of(pair_.near, SIOCOUTQNSD) - has_fin : 0;
  }

  void overtake()
  {
    if (s_.what == drains)
      BOOST_TEST(option(IPPROTO_TCP, TCP_USER_TIMEOUT) == 0);
    BOOST_TEST(job_.reports() == 0);
    this->engine.overtake(job_, *s_.overtaken);
    BOOST_TEST(job_.reports() == 0);
    this->engine.run_once(milliseconds(0));
    BOOST_TEST(job_.reports() == 1);
  }

  void check_report() const
  {
    const interlock::close_report& r = job_.report();
    BOOST_TEST(job_.reports() == 1);
    BOOST_TEST(r.discarded == 0u);
    BOOST_TEST(r.refused_writes == 0u);
    BOOST_TEST((r.duration > close_mode::duration::zero() && r.duration < long_enough));
    if (s_.outcome == o::timed_out)
      BOOST_TEST((r.duration >= s_.mode.timeout() || r.duration >= s_.mode.progress_timeout()));
    // A graceful end without that of the peer is one at the deadline.
    if (s_.what == delivers && s_.mode.what() == graceful.what() && s_.outcome == o::acknowledged)
      BOOST_TEST((r.duration >= s_.mode.timeout()));
    if (s_.outcome == o::reset)
    {
      // What was on its way is still known.
      BOOST_TEST((r.unacknowledged != 0) == (is_tcp_ && sent_ != 0));
      return;
    }
    BOOST_TEST(r.unacknowledged == queued_);
    BOOST_TEST(r.unsent == unsent_);
    const bool is_delivered = s_.outcome == o::acknowledged || s_.outcome == o::peer_closed;
    BOOST_TEST((queued_ == 0) == is_delivered);
    // Only of a local peer it is known that the application has read.
    if (is_delivered && !is_tcp_)
      BOOST_TEST(read_by_then_ == sent_);
  }

  void check_socket() const
  {
    if (s_.outcome == o::reset)
    {
      BOOST_TEST(option(SOL_SOCKET, SO_ERROR) == (s_.what == drains ? ECONNRESET : 0));
      return;
    }
    if (!is_tcp_)
      return;
    BOOST_TEST((support::linger_of(pair_.near.get()).l_onoff == 1) == (s_.outcome == o::aborted));
    // Of a connection that goes on the kernel has its own limits.
    if (s_.outcome != o::timed_out && s_.outcome != o::aborted)
      BOOST_TEST(option(IPPROTO_TCP, TCP_USER_TIMEOUT) == 0);
    const bool has_sent_fin = s_.mode.delivers() && s_.what == delivers;
    BOOST_TEST((state() == TCP_ESTABLISHED) == (!has_sent_fin && !had_ended_));
  }

  // At the deadline the kernel may give up as well.
  void check_peer()
  {
    if (s_.outcome == o::reset || s_.outcome == o::timed_out)
      return;
    if (s_.what == drains && !had_ended_)
      BOOST_TEST(!peer_.got.ended);
    BOOST_TEST(support::drain(pair_.near) == s_.unread);
    pair_.near.reset();
    BOOST_TEST(peer_.got.take_all(pair_.far));
    BOOST_TEST(peer_.got.error == (s_.outcome == o::aborted ? ECONNRESET : 0));
    BOOST_TEST((peer_.got.bytes == sent_ || s_.outcome == o::aborted));
  }

  const situation& s_;
  const bool is_tcp_;
  ends pair_ = s_.connected();
  const std::size_t sent_ = s_.sent(pair_);
  peer peer_{pair_.far, taken()};
  bool had_ended_ = false; // a side of it
  delivery_probe job_;
  std::size_t queued_ = 0;
  std::size_t unsent_ = 0;
  std::size_t read_by_then_ = 0;
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_delivery_situations)

BOOST_AUTO_TEST_CASE_TEMPLATE(each_ends_as_it_should, Way, ways)
{
  for (const situation& s : situations)
    BOOST_TEST_CONTEXT(s.shows)
    {
      in_situation<Way>(s).run();
    }
}

BOOST_AUTO_TEST_SUITE_END()
