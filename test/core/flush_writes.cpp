// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The flush over sockets: what is being written when a close that delivers begins goes on to its end,
// step by step, and reaches the peer; whatever else is begun is refused. What ends a flush: guarantees/g8_flush.cpp.

#include "support/prelude.hpp"

#include <interlock/ip/udp.hpp>
#include <interlock/local/connect_pair.hpp>
#include <interlock/local/datagram_protocol.hpp>

#include <tuple>

#include <interlock/detail/members/closing_members.hpp>

#include "support/closing_socket.hpp"

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#endif

using namespace support;
using interlock::close_mode;
using interlock::close_outcome;

namespace {

const close_mode delivering = close_mode::deliver(std::chrono::seconds(60));

/// More than any socket takes at once, and no two parts of it alike.
const std::string& much()
{
  static const std::string text = []
  {
    std::string t;
    for (std::size_t i = 0; t.size() < std::size_t{1} << 23; ++i)
      t += std::to_string(i) + ' ';
    return t;
  }();
  return text;
}

/// A socket that writes more than there is room for.
template <class Closing>
struct writer : Closing
{
  using Closing::context;
  using Closing::object;
  using Closing::pair;
  told closer;
  handler_tally tally;
  error_code written = not_called;
  error_code read = not_called;
  std::size_t size = 0;
  std::string received;
  char buffer[8] = {};

  auto result()
  {
    return tally(
      [this](error_code e, std::size_t n)
      {
        written = e;
        size = n;
      });
  }

  /// Starts a composed write, which stops for want of room.
  void write_much()
  {
    asio::async_write(object, asio::buffer(much()), result());
    turn(context);
    BOOST_TEST_REQUIRE(tally.called() == 0);
  }

  void close()
  {
    object.async_close(delivering, closer.handler());
    BOOST_TEST(!object.is_open());
  }

  bool is_flushing()
  {
    turn(context);
    return closer.times == 0 && !hung_up(pair.far);
  }

  /// The peer reads a little. False: there was nothing.
  bool take_some()
  {
    char part[30000];
    const ::ssize_t got = ::recv(pair.far.get(), part, sizeof(part), MSG_DONTWAIT);
    if (got > 0)
      received.append(part, static_cast<std::size_t>(got));
    return got > 0;
  }

  /// The peer reads a little, the writer writes what there is room for then, and so on.
  void run_until_closed(std::size_t refused = 0)
  {
    BOOST_TEST(this->run_until_told([this] { take_some(); }, closer));
    BOOST_TEST(closer.is(close_outcome::acknowledged));
    BOOST_TEST(closer.report.refused_writes == refused);
    BOOST_TEST(wait_until([this] { return !take_some() && hung_up(pair.far); }));
    BOOST_TEST(tally.all_called());
  }

  void check_delivered(std::size_t refused = 0)
  {
    run_until_closed(refused);
    BOOST_TEST((received == much()));
    BOOST_TEST(written == success);
    BOOST_TEST(size == much().size());
  }
};

struct over_tcp : closing_tcp
{
  over_tcp()
    : closing_tcp(&tcp_ends)
  {
  }
};

using ours = writer<closing_unix>;
using ways = std::tuple<closing_unix, over_tcp>;

// Whose writes are waited for.
using interlock::detail::can_deliver;
static_assert(can_deliver<asio::ip::tcp::socket>::value, "");
static_assert(can_deliver<asio::local::stream_protocol::socket>::value, "");
static_assert(!can_deliver<asio::ip::udp::socket>::value, "");
static_assert(!can_deliver<asio::local::datagram_protocol::socket>::value, "");
static_assert(!can_deliver<asio::ip::tcp::acceptor>::value, "");

} // namespace

BOOST_AUTO_TEST_SUITE(test_flush_writes)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_composed_write_runs_to_its_end, Way, ways)
{
  writer<Way> w;
  w.write_much();
  w.close();
  w.check_delivered();
}

// Each is started by the handler of the one before.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_chain_of_writes_runs_to_its_end, Way, ways)
{
  writer<Way> w;
  constexpr std::size_t links = 16;
  const std::size_t part = much().size() / links;
  std::size_t sent = 0;
  struct link
  {
    writer<Way>& w;
    std::size_t part;
    std::size_t& sent;

    void next()
    {
      const bool last = sent + 2 * part > much().size();
      const auto buffer = asio::buffer(&much()[sent], last ? much().size() - sent : part);
      asio::async_write(w.object, buffer,
        w.tally(
          [this](error_code ec, std::size_t n)
          {
            w.written = ec;
            w.size = sent += n;
            if (!ec && sent != much().size())
              next();
          }));
    }
  } chain{w, part, sent};
  chain.next();
  w.close();
  w.check_delivered();
  BOOST_TEST(w.tally.called() == static_cast<int>(links));
}

BOOST_FIXTURE_TEST_CASE(a_write_whose_handlers_run_on_another_executor_goes_on, ours)
{
  asio::io_context other;
  auto strand = asio::make_strand(other);
  asio::async_write(object, asio::buffer(much()), asio::bind_executor(strand, result()));
  close();
  BOOST_TEST(run_until_told([&] { turn(other), take_some(); }, closer));
  check_delivered();
}

BOOST_FIXTURE_TEST_CASE(two_writes_are_both_waited_for, ours)
{
  error_code first = not_called;
  asio::async_write(object, asio::buffer(much().data(), 1), tally(into(first)));
  asio::async_write(object, asio::buffer(&much()[1], much().size() - 1), result());
  close();
  BOOST_TEST(wait_until([&] { return turn(context), first != not_called; }));
  BOOST_TEST(first == success);
  BOOST_TEST(is_flushing());
  run_until_closed();
  BOOST_TEST(written == success);
  BOOST_TEST((received == much()));
}

// By this thread or another.
BOOST_FIXTURE_TEST_CASE(what_is_begun_in_it_is_refused_and_only_writes_are_counted, ours)
{
  write_much();
  close();
  error_code second = not_called;
  error_code third = not_called;
  object.async_write_some(asio::buffer("x", 1), tally(into(second)));
  std::thread([&] { asio::async_write(object, asio::buffer("yz", 2), tally(into(third))); }).join();
  object.async_read_some(asio::buffer(buffer), tally(into(read)));
  BOOST_TEST(second == not_called);
  check_delivered(2);
  BOOST_TEST(second == bad_descriptor);
  BOOST_TEST(third == bad_descriptor);
  BOOST_TEST(read == bad_descriptor);
}

BOOST_FIXTURE_TEST_CASE(a_send_is_a_write, ours)
{
  fill(object.native_handle());
  object.async_send(asio::buffer("x", 1), result());
  close();
  error_code second = not_called;
  object.async_send(asio::buffer("y", 1), tally(into(second)));
  run_until_closed(1);
  BOOST_TEST(written == success);
  BOOST_TEST(second == bad_descriptor);
  BOOST_TEST(received.back() == 'x');
}

// A read is outstanding, and comes to its end in the flush: what its handler writes is something new.
BOOST_FIXTURE_TEST_CASE(a_handler_of_a_read_may_not_write, ours)
{
  error_code answered = not_called;
  object.async_read_some(asio::buffer(buffer),
    tally(
      [&](error_code ec, std::size_t)
      {
        read = ec;
        asio::async_write(object, asio::buffer("x", 1), tally(into(answered)));
      }));
  write_much();
  close();
  send_text(pair.far, "question");
  check_delivered(1);
  BOOST_TEST(read == success);
  BOOST_TEST(answered == bad_descriptor);
}

BOOST_FIXTURE_TEST_CASE(a_handler_of_a_write_of_another_object_may_not_write, ours)
{
  ends elsewhere = unix_ends();
  local::socket other(context, local(), elsewhere.near.release());
  error_code answered = not_called;
  write_much();
  close();
  other.async_write_some(asio::buffer("x", 1),
    tally([&](error_code, std::size_t)
      { asio::async_write(object, asio::buffer("y", 1), tally(into(answered))); }));
  BOOST_TEST(wait_until([&] { return turn(context), answered != not_called; }));
  BOOST_TEST(answered == bad_descriptor);
  BOOST_TEST(is_flushing());
  check_delivered(1);
}

BOOST_FIXTURE_TEST_CASE(reads_live_until_the_last_write_has_ended, ours)
{
  error_code second = not_called;
  object.async_read_some(asio::buffer(buffer, 4), tally(into(read)));
  object.async_read_some(asio::buffer(buffer, 4), tally(into(second)));
  write_much();
  close();
  send_text(pair.far, "ping");
  BOOST_TEST(wait_until([&] { return turn(context), read != not_called; }));
  BOOST_TEST(read == success);
  BOOST_TEST(second == not_called);
  BOOST_TEST(is_flushing());
  check_delivered();
  BOOST_TEST(second == aborted);
}

BOOST_FIXTURE_TEST_CASE(a_blocked_call_returns_when_it_begins, ours)
{
  write_much();
  call_in_thread blocked(
    [this]
    {
      outcome o;
      o.bytes = object.read_some(asio::buffer(buffer), o.ec);
      return o;
    });
  BOOST_TEST(blocked.blocks());
  close();
  BOOST_TEST(blocked.get().ec == aborted);
  object.write_some(asio::buffer("x", 1), read);
  BOOST_TEST(read == bad_descriptor);
  object.read_some(asio::buffer(buffer), read);
  BOOST_TEST(read == bad_descriptor);
  check_delivered(1);
}

BOOST_FIXTURE_TEST_CASE(a_last_handler_that_throws_ends_it, ours)
{
  struct mine
  {
  };
  fill(object.native_handle());
  object.async_write_some(
    asio::buffer("x", 1), tally([](error_code, std::size_t) { throw mine(); }));
  close();
  const auto throws_now = [this]
  {
    try
    {
      take_some();
      turn(context);
    }
    catch (const mine&)
    {
      return true;
    }
    return false;
  };
  BOOST_TEST(wait_until(throws_now));
  run_until_closed();
}

// --- Limits.

BOOST_FIXTURE_TEST_CASE(more_writes_than_can_be_counted_are_refused, ours)
{
  constexpr std::size_t most = 1u << 14;
  std::vector<error_code> codes(most + 1, not_called);
  fill(object.native_handle());
  for (error_code& ec : codes)
    object.async_write_some(asio::buffer("x", 1), tally(into(ec)));
  object.async_wait(local::socket::wait_error, tally(into(read)));
  turn(context);
  BOOST_TEST(tally.called() == 1);
  BOOST_TEST(codes[most] == error_code(asio::error::no_buffer_space));
  close();
  run_until_closed();
  codes.pop_back();
  BOOST_TEST((codes == std::vector<error_code>(most, success)));
  BOOST_TEST(read == aborted);
}

// --- What else may happen to the object.

BOOST_FIXTURE_TEST_CASE(close_and_retirement_change_nothing_of_it, ours)
{
  write_much();
  close();
  object.close();
  object.get_close_handle().close();
  object.retire();
  BOOST_TEST(is_flushing());
  check_delivered();
}

BOOST_FIXTURE_TEST_CASE(a_move_changes_nothing_of_it, ours)
{
  object.async_read_some(asio::buffer(buffer), tally(into(read)));
  fill(object.native_handle());
  object.async_write_some(asio::buffer("x", 1), result());
  close();
  const local::socket moved(std::move(object));
  run_until_closed();
  BOOST_TEST(written == success);
  BOOST_TEST(read == aborted);
}

BOOST_AUTO_TEST_CASE(the_end_of_the_context_ends_it)
{
  told closer;
  handler_tally tally;
  ends pair = unix_ends();
  {
    asio::io_context context;
    local::socket object(context, local(), pair.near.release());
    asio::async_write(object, asio::buffer(much()), tally([](error_code, std::size_t) {}));
    object.async_close(delivering, tally(closer.handler()));
    turn(context);
    BOOST_TEST(!hung_up(pair.far));
  }
  BOOST_TEST(tally.called() == 0);
  BOOST_TEST(tally.all_ended());
  BOOST_TEST(wait_until([&] { return hung_up(pair.far); }));
}

// What went on with the former connection does not go on with the new one, and is told so.
BOOST_FIXTURE_TEST_CASE(nothing_of_it_reaches_the_peer_of_a_reopened_object, ours)
{
  ends second = unix_ends();
  write_much();
  close();
  object.assign(local(), second.near.release());
  run_until_closed();
  BOOST_TEST(written == aborted);
  BOOST_TEST(drain(second.far) == 0u);
  BOOST_TEST(object.is_open());
  send_text(second.far, "data");
  BOOST_TEST(object.available() == 4u);
}

// An object that has been opened before: every step is looked at.
BOOST_FIXTURE_TEST_CASE(it_goes_on_in_a_tenure_that_follows_another, ours)
{
  object.close();
  pair = unix_ends();
  object.assign(local(), pair.near.release());
  write_much();
  close();
  check_delivered();
}

// Messages are sent or not: there is nothing to go on with.
BOOST_AUTO_TEST_CASE(a_datagram_is_not_waited_for)
{
  using datagrams = interlock::local::datagram_protocol;
  asio::io_context context;
  told closer;
  error_code sent = not_called;
  datagrams::socket near(context);
  datagrams::socket far(context);
  interlock::local::connect_pair(near, far);
  fill(near.native_handle());
  near.async_send(asio::buffer("x", 1), into(sent));
  turn(context);
  BOOST_TEST(sent == not_called);
  near.async_close(delivering, closer.handler());
  BOOST_TEST(wait_until([&] { return turn(context), closer.times != 0; }));
  BOOST_TEST(sent == aborted);
  BOOST_TEST(closer.ec == asio::error::operation_not_supported);
  BOOST_TEST(closer.report.outcome == close_outcome::closed);
}

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)

BOOST_FIXTURE_TEST_CASE(a_cancellation_slot_reaches_a_write_in_it, ours)
{
  asio::cancellation_signal signal;
  asio::async_write(
    object, asio::buffer(much()), asio::bind_cancellation_slot(signal.slot(), result()));
  turn(context);
  close();
  // More than there was room for: the step that is cancelled has been begun in the flush.
  BOOST_TEST(
    wait_until([&] { return take_some(), turn(context), received.size() > std::size_t{1} << 21; }));
  BOOST_TEST(written == not_called);
  signal.emit(asio::cancellation_type::terminal);
  run_until_closed();
  BOOST_TEST(written == aborted);
  BOOST_TEST(size < much().size());
  signal.emit(asio::cancellation_type::terminal);
}

BOOST_FIXTURE_TEST_CASE(a_cancellation_slot_reaches_a_read_in_it, ours)
{
  asio::cancellation_signal signal;
  object.async_read_some(
    asio::buffer(buffer), asio::bind_cancellation_slot(signal.slot(), tally(into(read))));
  write_much();
  close();
  signal.emit(asio::cancellation_type::total);
  BOOST_TEST(wait_until([&] { return turn(context), read != not_called; }));
  BOOST_TEST(read == aborted);
  BOOST_TEST(is_flushing());
  check_delivered();
}

#endif

// --- Threads against threads.

// Two threads run the loop, one closes, one starts writes of its own, one reads, all at any moment of
// the composed write. What has been let in succeeds; what has not, is refused.
BOOST_AUTO_TEST_CASE(the_peer_gets_every_byte_whenever_the_close_comes)
{
  for (int round = 0; round != 60; ++round)
  {
    loop loop(2);
    ends pair = unix_ends();
    local::socket object(loop.context, local(), pair.near.release());
    told closer;
    handler_tally tally;
    std::atomic<std::size_t> sent{0};
    std::atomic<int> refused{0};
    std::atomic<int> wrong{0};
    const auto result = [&]
    {
      return tally(
        [&](error_code ec, std::size_t n)
        {
          sent += n;
          refused += ec == bad_descriptor ? 1 : 0;
          wrong += ec && ec != bad_descriptor ? 1 : 0;
        });
    };
    std::size_t received = 0;
    const std::size_t size = std::size_t{1} << 20;
    asio::async_write(object, asio::buffer(much(), size), result());
    at_once(3,
      [&](int i)
      {
        if (i == 0)
          object.async_close(delivering, tally(closer.handler()));
        else if (i == 1)
          for (int n = 0; n != 50; ++n)
            object.async_write_some(asio::buffer("x", 1), result());
        else
          wait_until(
            [&]
            {
              const bool all_sent = hung_up(pair.far);
              received += drain(pair.far);
              return all_sent;
            });
      });
    loop.join();
    BOOST_TEST(closer.is(close_outcome::acknowledged));
    BOOST_TEST(wrong == 0);
    // Those that come after the flush are not counted.
    BOOST_TEST(closer.report.refused_writes <= static_cast<std::uint64_t>(refused));
    BOOST_TEST(received == sent);
    BOOST_TEST(sent + static_cast<std::size_t>(refused) == size + 50);
    BOOST_TEST(tally.all_called());
  }
}

BOOST_AUTO_TEST_SUITE_END()
