// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A composed operation does not go on over another connection: what it starts from the handler of an
// earlier tenure of its object is aborted, unless that handler has re-opened the object itself.

#include <interlock/close_mode.hpp>
#include <interlock/close_report.hpp>
#include <interlock/ip/tcp.hpp>
#include <interlock/local/stream_protocol.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include "support/descriptor_pairs.hpp"
#include "support/handler_tally.hpp"
#include "support/loop.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::ip::tcp;
using local = interlock::local::stream_protocol;

namespace {

const error_code success;
const error_code aborted = asio::error::operation_aborted;
const error_code not_called = asio::error::fault;

/// More than any socket takes at once.
const std::string much(std::size_t{1} << 24, 'd');

/// Two connections, one after the other, of one object.
template <class Socket>
struct two_connections
{
  asio::io_context context;
  support::ends first = support::unix_ends();
  support::ends second = support::unix_ends();
  Socket object{context, typename Socket::protocol_type(), first.near.release()};
  support::handler_tally tally;
  error_code ec = not_called;
  std::size_t size = 0;

  auto result()
  {
    return tally(
      [this](error_code e, std::size_t n)
      {
        ec = e;
        size = n;
      });
  }

  void reopen()
  {
    object.close();
    object.assign(typename Socket::protocol_type(), second.near.release());
  }
};

using ours = two_connections<local::socket>;
using plain = two_connections<asio::local::stream_protocol::socket>;

} // namespace

BOOST_AUTO_TEST_SUITE(test_running_handler)

// The first step has been made, and its handler is queued, when the object is closed and opened
// again. This is what plain Asio does then.
BOOST_FIXTURE_TEST_CASE(plain_asio_carries_a_write_over_to_another_peer, plain)
{
  asio::async_write(object, asio::buffer(much), result());
  reopen();
  context.poll();
  BOOST_TEST(support::drain(second.far) > 0u);
}

BOOST_FIXTURE_TEST_CASE(a_write_does_not_go_on_over_another_connection, ours)
{
  asio::async_write(object, asio::buffer(much), result());
  reopen();
  context.run();
  BOOST_TEST(ec == aborted);
  BOOST_TEST(size == support::drain(first.far));
  BOOST_TEST(size > 0u);
  BOOST_TEST(support::drain(second.far) == 0u);
  BOOST_TEST(object.is_open());
  BOOST_TEST(tally.all_called());
}

BOOST_FIXTURE_TEST_CASE(a_read_does_not_go_on_over_another_connection, ours)
{
  std::string data(8, '\0');
  support::send_text(first.far, "hell");
  support::send_text(second.far, "data");
  asio::async_read(object, asio::buffer(data), result());
  reopen();
  context.run();
  BOOST_TEST(ec == aborted);
  BOOST_TEST(data.substr(0, size) == "hell");
  BOOST_TEST(object.available() == 4u);
}

// The handler of the step waits in a context of its own, the re-open comes from another thread.
BOOST_FIXTURE_TEST_CASE(a_step_queued_on_another_executor_is_aborted_too, ours)
{
  asio::io_context idle;
  asio::async_write(object, asio::buffer(much), asio::bind_executor(idle.get_executor(), result()));
  context.run();
  std::thread([this] { reopen(); }).join();
  BOOST_TEST(tally.called() == 0);
  BOOST_TEST(support::wait_until(
    [&] { return support::turn(idle), support::turn(context), tally.all_called(); }));
  BOOST_TEST(ec == aborted);
  BOOST_TEST(support::drain(second.far) == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_handler_that_reopens_the_object_itself_may_go_on, ours)
{
  char buffer[8];
  object.async_wait(local::socket::wait_write,
    tally(
      [&](error_code)
      {
        reopen();
        asio::async_write(object, asio::buffer("hello", 5), result());
        object.async_read_some(asio::buffer(buffer), tally([](error_code, std::size_t) {}));
      }));
  support::send_text(second.far, "x");
  context.run();
  BOOST_TEST(ec == success);
  BOOST_TEST(support::drain(second.far) == 5u);
  BOOST_TEST(tally.all_called());
}

// Re-opened by this handler, and then once more by other code: the mark is out of date again for
// a handler of the tenure in between, not for one of the last.
BOOST_FIXTURE_TEST_CASE(a_later_handler_belongs_to_its_own_tenure, ours)
{
  object.async_wait(local::socket::wait_write,
    tally(
      [&](error_code)
      {
        reopen();
        asio::async_write(object, asio::buffer(much), result());
      }));
  BOOST_TEST(support::wait_until([&] { return context.poll_one() != 0; }));
  support::ends third = support::unix_ends();
  object.close();
  object.assign(local(), third.near.release());
  context.run();
  BOOST_TEST(ec == aborted);
  BOOST_TEST(support::drain(third.far) == 0u);
  BOOST_TEST(tally.all_called());
}

BOOST_FIXTURE_TEST_CASE(outside_a_handler_the_reopened_object_is_free, ours)
{
  asio::async_write(object, asio::buffer(much), tally([](error_code, std::size_t) {}));
  reopen();
  asio::async_write(object, asio::buffer("hello", 5), result());
  context.run();
  BOOST_TEST(ec == success);
  BOOST_TEST(support::drain(second.far) == 5u);
}

// The mark of one object says nothing about another, re-opened as it may have been.
BOOST_FIXTURE_TEST_CASE(a_handler_may_use_other_objects_that_were_reopened, ours)
{
  support::ends pair = support::unix_ends();
  local::socket other(context, local(), pair.near.release());
  other.async_wait(local::socket::wait_write,
    tally([&](error_code) { asio::async_write(object, asio::buffer("hello", 5), result()); }));
  reopen();
  context.run();
  BOOST_TEST(ec == success);
  BOOST_TEST(support::drain(second.far) == 5u);
}

// The old object's mark is on the thread while its memory is the new one's.
BOOST_AUTO_TEST_CASE(an_object_made_in_the_memory_of_a_destroyed_one_is_free)
{
  asio::io_context context;
  support::ends first = support::unix_ends();
  support::ends second = support::unix_ends();
  support::handler_tally tally;
  error_code ec = not_called;
  std::optional<local::socket> object(std::in_place, context, local(), first.near.release());
  object->async_wait(local::socket::wait_write,
    tally(
      [&](error_code)
      {
        object.reset();
        object.emplace(context, local(), second.near.release());
        object->async_write_some(asio::buffer("hello", 5), tally(support::into(ec)));
      }));
  context.run();
  BOOST_TEST(ec == success);
  BOOST_TEST(support::drain(second.far) == 5u);
  BOOST_TEST(tally.all_called());
}

// A flush lets in what the handler of a write starts. That of a read may run inside it, where it runs the context, and
// the other way round.
BOOST_AUTO_TEST_CASE(of_nested_handlers_the_inner_one_counts)
{
  for (const bool inner_is_of_write : {false, true})
  {
    ours c;
    char byte = 0;
    support::send_text(c.first.far, "x");
    const auto read = [&](auto handler)
    { c.object.async_read_some(asio::buffer(&byte, 1), c.tally(handler)); };
    const auto write = [&](auto handler)
    { c.object.async_write_some(asio::buffer("a", 1), c.tally(handler)); };
    const auto outer = [&](error_code, std::size_t) { c.context.poll_one(); };
    const auto inner = [&](error_code, std::size_t)
    { c.object.async_write_some(asio::buffer("b", 1), c.result()); };
    inner_is_of_write ? read(outer) : write(outer);
    inner_is_of_write ? write(inner) : read(inner);
    c.object.async_close(interlock::close_mode::deliver(std::chrono::seconds(60)),
      c.tally([](error_code, interlock::close_report) {}));
    BOOST_TEST(support::wait_until(
      [&] { return support::turn(c.context), support::drain(c.first.far), c.tally.all_called(); }));
    BOOST_TEST(c.ec == (inner_is_of_write ? success : error_code(asio::error::bad_descriptor)));
  }
}

// Every attempt closes and opens the socket again, from the handler of the one before.
BOOST_AUTO_TEST_CASE(a_connect_over_a_list_is_followed_by_a_write)
{
  asio::io_context context;
  std::vector<tcp::endpoint> list;
  {
    // Bound and closed again: no socket listens there.
    for (int i = 0; i != 3; ++i)
      list.emplace_back(asio::ip::address_v4::loopback(),
        ntohs(support::address_of(support::tcp_listener()).sin_port));
  }
  tcp::acceptor a(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  list.push_back(a.local_endpoint());
  support::handler_tally tally;
  error_code connected = not_called;
  error_code written = not_called;
  tcp::socket s(context);
  asio::async_connect(s, list,
    tally(
      [&](error_code ec, const tcp::endpoint&)
      {
        connected = ec;
        asio::async_write(s, asio::buffer("hello", 5), tally(support::into(written)));
      }));
  context.run();
  BOOST_TEST(connected == success);
  BOOST_TEST(written == success);
  BOOST_TEST(tally.all_called());
}

BOOST_AUTO_TEST_SUITE_END()
