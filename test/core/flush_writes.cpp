// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The flush over sockets: what is being written when a close that delivers begins goes on to its end,
// step by step, and reaches the peer; whatever else is begun is refused.

#include <interlock/ip/tcp.hpp>
#include <interlock/ip/udp.hpp>
#include <interlock/local/connect_pair.hpp>
#include <interlock/local/datagram_protocol.hpp>
#include <interlock/local/stream_protocol.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>
#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>

#include <interlock/detail/members/closing_members.hpp>

#include "support/at_once.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/fake_close_waiter.hpp"
#include "support/handler_tally.hpp"
#include "support/loop.hpp"
#include "support/wait_until.hpp"
#include "support/watched_thread.hpp"

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#endif

namespace asio = boost::asio;
namespace detail = interlock::detail;
using boost::system::error_code;
using detail::duty;
using detail::handler_count;
using detail::phase;
using interlock::ip::tcp;
using local = interlock::local::stream_protocol;

namespace {

const error_code success;
const error_code aborted = asio::error::operation_aborted;
const error_code bad_descriptor = asio::error::bad_descriptor;
const error_code not_called = asio::error::fault;

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

/// How a connection of a protocol is made.
struct over_local
{
  using protocol = local;

  static local make()
  {
    return local();
  }

  static support::ends connect()
  {
    return support::unix_ends();
  }
};

struct over_tcp
{
  using protocol = tcp;

  static tcp make()
  {
    return tcp::v4();
  }

  static support::ends connect()
  {
    return support::tcp_ends();
  }
};

/// The first step of a close that delivers, and its answer.
template <class Socket>
duty begin_flush(Socket& s, detail::close_waiter& c)
{
  auto& t = *detail::access::core(s).current();
  BOOST_TEST_REQUIRE((t.enter_to_close() == duty::none));
  t.ensure_sequence(s.get_executor());
  const duty d = t.begin_close(true);
  {
    const handler_count step(t);
    const handler_count own(t);
    t.add_close_waiter(c);
    t.leave();
    // With no write outstanding it is the strand's step that detaches.
    if (d == duty::none)
      t.demand_detach();
  }
  return d;
}

template <class Socket>
detail::tenure_base& tenure_of(Socket& s)
{
  return *detail::access::core(s).current();
}

/// A socket that writes more than there is room for.
template <class Way>
struct writer
{
  using socket = typename Way::protocol::socket;

  asio::io_context context;
  support::ends pair = Way::connect();
  std::optional<socket> object{std::in_place, context, Way::make(), pair.near.release()};
  support::fake_close_waiter close_waiter;
  support::handler_tally tally;
  error_code written = not_called;
  std::size_t size = 0;
  std::string received;

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
    asio::async_write(*object, asio::buffer(much()), result());
    support::turn(context);
    BOOST_TEST_REQUIRE(tally.called() == 0);
  }

  void flush()
  {
    BOOST_TEST_REQUIRE((begin_flush(*object, close_waiter) == duty::flush));
    BOOST_TEST(!object->is_open());
  }

  phase current_phase()
  {
    return tenure_of(*object).current_phase();
  }

  /// The peer reads a little. False: there was nothing.
  bool read_some()
  {
    char buffer[30000];
    const ::ssize_t got = ::recv(pair.far.get(), buffer, sizeof(buffer), MSG_DONTWAIT);
    if (got > 0)
      received.append(buffer, static_cast<std::size_t>(got));
    return got > 0;
  }

  /// The peer reads a little, the writer writes what there is room for then, and so on.
  void run_until_served()
  {
    BOOST_TEST(support::wait_until(
      [this]
      {
        support::turn(context);
        read_some();
        return close_waiter.ends() != 0;
      }));
    BOOST_TEST(close_waiter.completions() == 1);
    BOOST_TEST(close_waiter.code() == success);
  }

  /// The rest, and the end of the stream.
  void check_all_received()
  {
    BOOST_TEST(support::wait_until([this] { return !read_some() && support::hung_up(pair.far); }));
    BOOST_TEST((received == much()));
    BOOST_TEST(written == success);
    BOOST_TEST(size == much().size());
  }

  void check_delivered()
  {
    run_until_served();
    check_all_received();
    BOOST_TEST(tally.all_called());
  }
};

using ours = writer<over_local>;
using ways = boost::mpl::list<over_local, over_tcp>;

// Whose writes are waited for.
static_assert(detail::can_deliver<asio::ip::tcp::socket>::value, "");
static_assert(detail::can_deliver<asio::local::stream_protocol::socket>::value, "");
static_assert(!detail::can_deliver<asio::ip::udp::socket>::value, "");
static_assert(!detail::can_deliver<asio::local::datagram_protocol::socket>::value, "");
static_assert(!detail::can_deliver<asio::ip::tcp::acceptor>::value, "");

} // namespace

BOOST_AUTO_TEST_SUITE(test_flush_writes)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_composed_write_runs_to_its_end, Way, ways)
{
  writer<Way> w;
  w.write_much();
  w.flush();
  detail::tenure_base& t = tenure_of(*w.object);
  w.check_delivered();
  BOOST_TEST(t.flush_steps() > 1u);
  BOOST_TEST(t.refused_writes() == 0u);
}

BOOST_FIXTURE_TEST_CASE(without_a_flush_it_is_cut_off, ours)
{
  write_much();
  object->close();
  context.restart();
  context.run();
  BOOST_TEST(written == aborted);
  BOOST_TEST(size < much().size());
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
      asio::async_write(*w.object, buffer,
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
  w.flush();
  detail::tenure_base& t = tenure_of(*w.object);
  w.check_delivered();
  BOOST_TEST(w.tally.called() == static_cast<int>(links));
  BOOST_TEST(t.refused_writes() == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_write_whose_handlers_run_on_another_executor_goes_on, ours)
{
  asio::io_context other;
  auto strand = asio::make_strand(other);
  asio::async_write(*object, asio::buffer(much()), asio::bind_executor(strand, result()));
  flush();
  BOOST_TEST(support::wait_until(
    [this, &other]
    {
      support::turn(context);
      support::turn(other);
      read_some();
      return close_waiter.ends() != 0;
    }));
  check_all_received();
  BOOST_TEST(tally.all_called());
}

BOOST_FIXTURE_TEST_CASE(two_writes_are_both_waited_for, ours)
{
  error_code first = not_called;
  asio::async_write(*object, asio::buffer(much().data(), 1), tally(support::into(first)));
  asio::async_write(*object, asio::buffer(&much()[1], much().size() - 1), result());
  flush();
  BOOST_TEST(support::wait_until([&] { return support::turn(context), first != not_called; }));
  BOOST_TEST(first == success);
  BOOST_TEST((current_phase() == phase::flushing));
  ++size;
  run_until_served();
  BOOST_TEST(support::wait_until([this] { return !read_some() && support::hung_up(pair.far); }));
  BOOST_TEST((received == much()));
  BOOST_TEST(tally.all_called());
}

BOOST_FIXTURE_TEST_CASE(a_write_that_is_begun_in_it_is_refused_and_counted, ours)
{
  write_much();
  flush();
  error_code second = not_called;
  error_code third = not_called;
  object->async_write_some(asio::buffer("x", 1), tally(support::into(second)));
  std::thread(
    [&] { asio::async_write(*object, asio::buffer("yz", 2), tally(support::into(third))); })
    .join();
  BOOST_TEST(second == not_called);
  detail::tenure_base& t = tenure_of(*object);
  check_delivered();
  BOOST_TEST(second == bad_descriptor);
  BOOST_TEST(third == bad_descriptor);
  BOOST_TEST(t.refused_writes() == 2u);
}

BOOST_FIXTURE_TEST_CASE(a_send_is_a_write, ours)
{
  support::fill(object->native_handle());
  object->async_send(asio::buffer("x", 1), result());
  flush();
  error_code second = not_called;
  object->async_send(asio::buffer("y", 1), tally(support::into(second)));
  detail::tenure_base& t = tenure_of(*object);
  run_until_served();
  BOOST_TEST(written == success);
  BOOST_TEST(second == bad_descriptor);
  BOOST_TEST(t.refused_writes() == 1u);
  BOOST_TEST(support::wait_until([this] { return !read_some() && support::hung_up(pair.far); }));
  BOOST_TEST(received.back() == 'x');
}

BOOST_FIXTURE_TEST_CASE(a_read_that_is_begun_in_it_is_refused_and_not_counted, ours)
{
  write_much();
  flush();
  char buffer[8];
  error_code read = not_called;
  object->async_read_some(asio::buffer(buffer), tally(support::into(read)));
  detail::tenure_base& t = tenure_of(*object);
  check_delivered();
  BOOST_TEST(read == bad_descriptor);
  BOOST_TEST(t.refused_writes() == 0u);
}

// A read is outstanding, and comes to its end in the flush: what its handler writes is something new.
BOOST_FIXTURE_TEST_CASE(a_handler_of_a_read_may_not_write, ours)
{
  char buffer[8];
  error_code read = not_called;
  error_code answered = not_called;
  object->async_read_some(asio::buffer(buffer),
    tally(
      [&](error_code ec, std::size_t)
      {
        read = ec;
        asio::async_write(*object, asio::buffer("x", 1), tally(support::into(answered)));
      }));
  write_much();
  flush();
  support::send_text(pair.far, "question");
  detail::tenure_base& t = tenure_of(*object);
  check_delivered();
  BOOST_TEST(read == success);
  BOOST_TEST(answered == bad_descriptor);
  BOOST_TEST(t.refused_writes() == 1u);
}

BOOST_FIXTURE_TEST_CASE(reads_live_until_the_last_write_has_ended, ours)
{
  char buffer[8];
  error_code first = not_called;
  error_code second = not_called;
  object->async_read_some(asio::buffer(buffer, 4), tally(support::into(first)));
  object->async_read_some(asio::buffer(buffer, 4), tally(support::into(second)));
  write_much();
  flush();
  support::send_text(pair.far, "ping");
  BOOST_TEST(support::wait_until([&] { return support::turn(context), first != not_called; }));
  BOOST_TEST(first == success);
  BOOST_TEST(second == not_called);
  BOOST_TEST((current_phase() == phase::flushing));
  check_delivered();
  BOOST_TEST(second == aborted);
}

BOOST_FIXTURE_TEST_CASE(a_blocked_call_returns_when_it_begins, ours)
{
  char buffer[8];
  error_code read = not_called;
  error_code sent = not_called;
  write_much();
  {
    support::watched_thread thread([&] { object->read_some(asio::buffer(buffer), read); });
    BOOST_TEST(thread.falls_asleep());
    flush();
  }
  BOOST_TEST(read == aborted);
  object->write_some(asio::buffer("x", 1), sent);
  BOOST_TEST(sent == bad_descriptor);
  object->read_some(asio::buffer(buffer), read);
  BOOST_TEST(read == bad_descriptor);
  detail::tenure_base& t = tenure_of(*object);
  check_delivered();
  BOOST_TEST(t.refused_writes() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_last_handler_that_throws_ends_it, ours)
{
  support::fill(object->native_handle());
  object->async_write_some(
    asio::buffer("x", 1), tally([](error_code, std::size_t) { throw std::runtime_error("mine"); }));
  flush();
  BOOST_TEST(support::wait_until(
    [this]
    {
      read_some();
      try
      {
        support::turn(context);
      }
      catch (const std::runtime_error&)
      {
        return true;
      }
      return false;
    }));
  run_until_served();
  BOOST_TEST(tally.all_called());
}

// --- What else may happen to the object.

BOOST_FIXTURE_TEST_CASE(close_changes_nothing_of_it, ours)
{
  write_much();
  flush();
  object->close();
  BOOST_TEST((current_phase() == phase::flushing));
  object->get_close_handle().close();
  object->retire();
  BOOST_TEST((current_phase() == phase::flushing));
  check_delivered();
}

BOOST_FIXTURE_TEST_CASE(a_move_changes_nothing_of_it, ours)
{
  error_code read = not_called;
  char buffer[8];
  object->async_read_some(asio::buffer(buffer), tally(support::into(read)));
  support::fill(object->native_handle());
  object->async_write_some(asio::buffer("x", 1), result());
  flush();
  const local::socket moved(std::move(*object));
  object.reset();
  BOOST_TEST(support::wait_until([&] { return support::turn(context), read_some(), size != 0; }));
  run_until_served();
  BOOST_TEST(written == success);
  BOOST_TEST(read == aborted);
}

BOOST_FIXTURE_TEST_CASE(the_destructor_ends_it, ours)
{
  write_much();
  flush();
  object.reset();
  run_until_served();
  BOOST_TEST(written == aborted);
  BOOST_TEST(support::wait_until([this] { return !read_some() && support::hung_up(pair.far); }));
  BOOST_TEST(received.size() == size);
  BOOST_TEST(size < much().size());
  BOOST_TEST(tally.all_called());
}

BOOST_AUTO_TEST_CASE(the_end_of_the_context_ends_it)
{
  support::fake_close_waiter close_waiter;
  support::handler_tally tally;
  support::ends pair = support::unix_ends();
  {
    asio::io_context context;
    local::socket object(context, local(), pair.near.release());
    asio::async_write(object, asio::buffer(much()), tally([](error_code, std::size_t) {}));
    BOOST_TEST((begin_flush(object, close_waiter) == duty::flush));
    support::turn(context);
    BOOST_TEST(!support::hung_up(pair.far));
  }
  BOOST_TEST(close_waiter.destructions() == 1);
  BOOST_TEST(close_waiter.completions() == 0);
  BOOST_TEST(tally.called() == 0);
  BOOST_TEST(tally.all_ended());
  BOOST_TEST(support::wait_until([&] { return support::hung_up(pair.far); }));
}

// What went on with the former connection does not go on with the new one, and is told so.
BOOST_FIXTURE_TEST_CASE(nothing_of_it_reaches_the_peer_of_a_reopened_object, ours)
{
  support::ends second = support::unix_ends();
  write_much();
  flush();
  object->assign(local(), second.near.release());
  run_until_served();
  BOOST_TEST(written == aborted);
  BOOST_TEST(support::drain(second.far) == 0u);
  BOOST_TEST(object->is_open());
  support::send_text(second.far, "data");
  BOOST_TEST(object->available() == 4u);
}

// An object that has been opened before: every step is looked at.
BOOST_FIXTURE_TEST_CASE(it_goes_on_in_a_tenure_that_follows_another, ours)
{
  object->close();
  pair = support::unix_ends();
  object->assign(local(), pair.near.release());
  write_much();
  flush();
  detail::tenure_base& t = tenure_of(*object);
  check_delivered();
  BOOST_TEST(t.flush_steps() > 1u);
}

// Messages are sent or not: there is nothing to go on with.
BOOST_AUTO_TEST_CASE(a_datagram_is_not_waited_for)
{
  using datagrams = interlock::local::datagram_protocol;
  asio::io_context context;
  support::fake_close_waiter close_waiter;
  support::handler_tally tally;
  error_code sent = not_called;
  datagrams::socket near(context);
  datagrams::socket far(context);
  interlock::local::connect_pair(near, far);
  support::fill(near.native_handle());
  near.async_send(asio::buffer("x", 1), tally(support::into(sent)));
  support::turn(context);
  BOOST_TEST(sent == not_called);
  BOOST_TEST((begin_flush(near, close_waiter) == duty::none));
  BOOST_TEST(support::wait_until([&] { return support::turn(context), close_waiter.ends() != 0; }));
  BOOST_TEST(sent == aborted);
  BOOST_TEST(close_waiter.completions() == 1);
}

#if defined(INTERLOCK_HAS_CANCELLATION_SLOTS)

BOOST_FIXTURE_TEST_CASE(a_cancellation_slot_reaches_a_write_in_it, ours)
{
  asio::cancellation_signal signal;
  asio::async_write(
    *object, asio::buffer(much()), asio::bind_cancellation_slot(signal.slot(), result()));
  support::turn(context);
  flush();
  // Some steps are made in the flush: the last of them is what is cancelled.
  detail::tenure_base& t = tenure_of(*object);
  BOOST_TEST(
    support::wait_until([&] { return read_some(), support::turn(context), t.flush_steps() >= 2; }));
  BOOST_TEST(written == not_called);
  signal.emit(asio::cancellation_type::terminal);
  run_until_served();
  BOOST_TEST(written == aborted);
  BOOST_TEST(size < much().size());
  signal.emit(asio::cancellation_type::terminal);
  BOOST_TEST(tally.all_called());
}

BOOST_FIXTURE_TEST_CASE(a_cancellation_slot_reaches_a_read_in_it, ours)
{
  asio::cancellation_signal signal;
  char buffer[8];
  error_code read = not_called;
  object->async_read_some(
    asio::buffer(buffer), asio::bind_cancellation_slot(signal.slot(), tally(support::into(read))));
  write_much();
  flush();
  signal.emit(asio::cancellation_type::total);
  BOOST_TEST(support::wait_until([&] { return support::turn(context), read != not_called; }));
  BOOST_TEST(read == aborted);
  BOOST_TEST((current_phase() == phase::flushing));
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
    support::loop loop(2);
    support::ends pair = support::unix_ends();
    local::socket object(loop.context, local(), pair.near.release());
    support::fake_close_waiter close_waiter;
    support::handler_tally tally;
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
    support::at_once(3,
      [&](int i)
      {
        if (i == 0)
          begin_flush(object, close_waiter);
        else if (i == 1)
          for (int n = 0; n != 50; ++n)
            object.async_write_some(asio::buffer("x", 1), result());
        else
          support::wait_until(
            [&]
            {
              const bool all_sent = support::hung_up(pair.far);
              received += support::drain(pair.far);
              return all_sent;
            });
      });
    BOOST_TEST(support::wait_until([&] { return close_waiter.ends() != 0; }));
    loop.join();
    BOOST_TEST(wrong == 0);
    BOOST_TEST(received == sent);
    BOOST_TEST(sent + static_cast<std::size_t>(refused) == size + 50);
    BOOST_TEST(tally.all_called());
  }
}

BOOST_AUTO_TEST_SUITE_END()
