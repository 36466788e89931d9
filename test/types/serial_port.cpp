// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Serial ports, over pseudo-terminals: the members are those of Asio's and observe the same; a close ends
// blocked and outstanding operations, and close(2) is called by a worker.

#include <interlock/serial_port.hpp>

#include <cerrno>
#include <future>
#include <string>
#include <type_traits>
#include <utility>

#include <termios.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/serial_port.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include "support/census.hpp"
#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/dropin_calls.hpp"
#include "support/handler_tally.hpp"
#include "support/pty.hpp"
#include "support/sync_support.hpp"
#include "support/system_errors.hpp"

namespace asio = boost::asio;
using namespace support;
using asio::serial_port_base;
using interlock::serial_port;

namespace {

const auto out = asio::buffer("abc", 3);

template <class Ours, class Plain>
constexpr bool alike()
{
  return names_alike<Ours, Plain>() && std::is_same<typename Ours::lowest_layer_type, Ours>::value
    && std::is_base_of<serial_port_base, Ours>::value && std::is_move_constructible<Ours>::value
    && !std::is_copy_constructible<Ours>::value
    && constructible_alike<Ours, Plain, asio::io_context&>()
    && constructible_alike<Ours, Plain, context_executor>()
    && constructible_alike<Ours, Plain, asio::io_context&, int>()
    && constructible_alike<Ours, Plain, context_executor, int>()
    && constructible_alike<Ours, Plain, asio::io_context&, const char*>()
    && constructible_alike<Ours, Plain, context_executor, const char*>()
    && constructible_alike<Ours, Plain, asio::io_context&, std::string>()
    && constructible_alike<Ours, Plain, context_executor, std::string>()
    && constructible_alike<Ours, Plain, std::string>();
}

#if defined(INTERLOCK_HAS_DESCRIPTORS_OF_ANY_EXECUTOR)
static_assert(alike<serial_port, asio::serial_port>(), "");
#endif
static_assert(
  std::is_constructible<serial_port, asio::io_context&, int, interlock::borrowed_t>::value, "");

/// An option that cannot be stored, nor loaded.
struct refusing_option
{
  error_code store(::termios&, error_code& ec) const
  {
    return ec = asio::error::operation_not_supported;
  }

  error_code load(const ::termios&, error_code& ec)
  {
    return ec = asio::error::operation_not_supported;
  }
};

template <class Option, class Port>
void note_option(notes& note, const std::string& what, Port& p, const Option& set)
{
  Option get;
  const auto& constant = p;
  try_both(note, "set " + what, [&](auto&... ec) { return p.set_option(set, ec...); });
  try_both(note, "get " + what, [&](auto&... ec) { return constant.get_option(get, ec...); });
  note(what, get.value());
}

template <class Port>
void note_options(notes& note, Port& p)
{
  using base = serial_port_base;
  for (const unsigned rate : {9600u, 115200u, 12345u})
    note_option(note, "baud rate", p, base::baud_rate(rate));
  for (const auto type : {base::parity::odd, base::parity::even, base::parity::none})
    note_option(note, "parity", p, base::parity(type));
  for (const auto type : {base::stop_bits::two, base::stop_bits::one})
    note_option(note, "stop bits", p, base::stop_bits(type));
  for (const unsigned size : {7u, 8u})
    note_option(note, "character size", p, base::character_size(size));
  for (const auto type : {base::flow_control::software, base::flow_control::none})
    note_option(note, "flow control", p, base::flow_control(type));
  refusing_option refused;
  try_both(note, "set_option", [&](auto&... ec) { return p.set_option(refused, ec...); });
  try_both(note, "get_option", [&](auto&... ec) { return p.get_option(refused, ec...); });
}

template <class Port>
void note_transfers(notes& note, asio::io_context& context, Port& p, const fd& master)
{
  char data[8] = {};
  const auto in = asio::buffer(data);
  try_both(note, "write_some", [&](auto&... ec) { return p.write_some(out, ec...); });
  note("written", drain_terminal(master, 6));
  send_text(master, "abc");
  try_call(note, "read_some", [&] { return p.read_some(in); });
  send_text(master, "\x03\x04\r\n");
  try_both(
    note, "read_some", [&](auto&... ec) { return asio::read(p, asio::buffer(data, 2), ec...); });
  note("data", static_cast<int>(data[0]));
  p.async_read_some(in, move_only(note, "async_read_some"));
  send_text(master, "x");
  run(context);
  p.async_write_some(out, move_only(note, "async_write_some"));
  run(context);
  std::future<std::size_t> sent = p.async_write_some(out, asio::use_future);
  run(context);
  note("sent", sent.get());
  p.async_read_some(in, note.handler("cancelled"));
  try_both(note, "cancel", [&](auto&... ec) { return p.cancel(ec...); });
  run(context);
}

const auto port_program = [](auto made, notes& note)
{
  using port = typename decltype(made)::type;
  asio::io_context context;
  pty terminal;
  port p(context);
  const auto& constant = p;
  error_code ec;
  note("executor", p.get_executor() == context.get_executor());
  note("lowest layer", &p.lowest_layer() == &p && &constant.lowest_layer() == &p);
  refusing_option refused;
  try_both(note, "set_option closed", [&](auto&... e) { return p.set_option(refused, e...); });
  try_both(note, "send_break closed", [&](auto&... e) { return p.send_break(e...); });
  p.open("/nowhere/at/all", ec);
  note("open of nothing", ec);
  p.open("/dev/null", ec);
  note("open of no terminal", ec);
  note.thrown("open", [&] { p.open("/dev/null"); });
  note.thrown("constructor", [&] { port made_now(context, "/nowhere/at/all"); });
  try_both(note, "open", [&](auto&... e) { return p.open(terminal.name(), e...); });
  note("is_open", constant.is_open());
  note_options(note, p);
  note_transfers(note, context, p, terminal.master());
  try_both(note, "send_break", [&](auto&... e) { return p.send_break(e...); });
  port moved(std::move(p));
  note("moved from is open", p.is_open());
  p = std::move(moved);
  note("moved back is open", p.is_open());
  terminal.hang_up();
  char data[4];
  p.read_some(asio::buffer(data), ec);
  note("read after a hang-up", ec);
  p.async_read_some(asio::buffer(data), note.handler("async_read_some after a hang-up"));
  run(context);
  p.write_some(out, ec);
  note("write after a hang-up", ec);
  try_both(note, "close", [&](auto&... e) { return p.close(e...); });
  note("is_open", constant.is_open());
  note("native_handle", p.native_handle());
  ends pipe = pipe_ends();
  try_both(note, "assign", [&](auto&... e) { return p.assign(pipe.near.get(), e...); });
  pipe.near.release();
  note_option(note, "parity of a pipe", p, serial_port_base::parity());
};

template <class Port>
struct made_of
{
  using type = Port;
};

struct open_port
{
  pty terminal;
  asio::io_context context;
  serial_port object{context, terminal.name()};
};

/// Its output has been stopped, as by XOFF, and there is no room for more.
struct stopped_port : open_port
{
  stopped_port()
  {
    checked(::tcflow(object.native_handle(), TCOOFF), "tcflow");
  }
};

const auto reading = [](open_port& p)
{
  outcome o;
  char data[8];
  o.bytes = p.object.read_some(asio::buffer(data), o.ec);
  return o;
};

const auto writing = [](open_port& p)
{
  outcome o;
  o.bytes = p.object.write_some(out, o.ec);
  return o;
};

const auto closing = [](open_port& p) { p.object.close(); };

const auto closing_asynchronously = [](open_port& p)
{
  error_code closed = aborted;
  p.object.async_close(into(closed));
  p.context.run();
  BOOST_TEST(closed == success);
};

template <class Subject, class Call, class Close>
void close_wakes(Call call, Close close)
{
  const census descriptors;
  {
    Subject s;
    call_in_thread blocked([&] { return call(s); });
    BOOST_TEST_REQUIRE(blocked.blocks());
    close(s);
    const outcome o = blocked.get();
    BOOST_TEST(o.ec == aborted);
    BOOST_TEST(o.bytes == 0u);
    BOOST_TEST(!s.object.is_open());
  }
  BOOST_TEST(descriptors.restored());
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_serial_port)

BOOST_AUTO_TEST_CASE(serial_ports_are_the_same)
{
  notes plain;
  port_program(made_of<asio::serial_port>(), plain);
  notes ours;
  port_program(made_of<serial_port>(), ours);
  same(plain.taken(), ours.taken());
}

#if defined(INTERLOCK_HAS_DESCRIPTORS_OF_ANY_EXECUTOR)
BOOST_AUTO_TEST_CASE(operations_have_tokens_by_default)
{
  pty terminal;
  asio::io_context context;
  with_futures<serial_port> p(context, terminal.name());
  send_text(terminal.master(), "abc");
  char data[4];
  std::future<std::size_t> got = p.async_read_some(asio::buffer(data));
  std::future<std::size_t> sent = p.async_write_some(out);
  context.run();
  BOOST_TEST(sent.get() == 3u);
  BOOST_TEST(got.get() == 3u);
}
#endif

BOOST_AUTO_TEST_CASE(a_close_wakes_a_blocked_read)
{
  close_wakes<open_port>(reading, closing);
  close_wakes<open_port>(reading, closing_asynchronously);
}

BOOST_AUTO_TEST_CASE(a_close_wakes_a_blocked_write)
{
  close_wakes<stopped_port>(writing, closing);
  close_wakes<stopped_port>(writing, closing_asynchronously);
}

BOOST_AUTO_TEST_CASE(a_close_aborts_what_is_outstanding_before_it_is_told)
{
  const census descriptors;
  {
    stopped_port s;
    handler_tally tally;
    error_code read = success;
    error_code written = success;
    char data[4];
    s.object.async_read_some(asio::buffer(data), tally(into(read)));
    s.object.async_write_some(out, tally(into(written)));
    s.context.poll();
    BOOST_TEST(tally.called() == 0);
    error_code closed = aborted;
    int called_before = -1;
    s.object.async_close(
      [&](error_code ec)
      {
        closed = ec;
        called_before = tally.called();
      });
    s.context.run();
    BOOST_TEST(read == aborted);
    BOOST_TEST(written == aborted);
    BOOST_TEST(closed == success);
    BOOST_TEST(called_before == 2);
    BOOST_TEST(tally.all_called());
  }
  BOOST_TEST(descriptors.restored());
}

BOOST_AUTO_TEST_CASE(a_serial_port_is_closed_by_a_worker)
{
  open_port p;
  close_watch watch(p.object.native_handle());
  watch.shut_gate();
  p.object.close();
  BOOST_TEST(!p.object.is_open());
  BOOST_TEST(watch.wait_arrived());
  BOOST_TEST(watch.closed() == 0u);
  watch.open_gate();
  BOOST_TEST(watch.wait_closed());
  BOOST_TEST(watch.by_worker());
}

BOOST_AUTO_TEST_CASE(a_closed_port_refuses_everything)
{
  pty terminal;
  asio::io_context context;
  serial_port p(context, terminal.name());
  p.close();
  error_code ec;
  serial_port_base::parity parity;
  BOOST_TEST(p.set_option(parity, ec) == bad_descriptor);
  BOOST_TEST(p.get_option(parity, ec) == bad_descriptor);
  BOOST_TEST(p.send_break(ec) == bad_descriptor);
  BOOST_TEST(p.write_some(out, ec) == 0u);
  BOOST_TEST(ec == bad_descriptor);
  p.open(terminal.name(), ec);
  BOOST_TEST(ec == success);
  p.open(terminal.name(), ec);
  BOOST_TEST(ec == error_code(asio::error::already_open));
  p.retire();
  p.open(terminal.name(), ec);
  BOOST_TEST(ec == error_code(interlock::error::retired));
}

BOOST_AUTO_TEST_CASE(no_descriptor_is_lost_when_a_port_cannot_be_opened)
{
  const census descriptors;
  {
    asio::io_context context;
    serial_port p(context);
    error_code ec;
    p.open("/nowhere/at/all", ec);
    BOOST_TEST(ec == system_error(ENOENT));
    p.open("/dev/null", ec);
    BOOST_TEST(ec == system_error(ENOTTY));
    BOOST_CHECK_THROW(serial_port(context, "/dev/null"), boost::system::system_error);
    pty terminal;
    {
      const no_more_descriptors limit;
      p.open(terminal.name(), ec);
    }
    BOOST_TEST(ec == system_error(EMFILE));
    p.retire();
    p.open(terminal.name(), ec);
    BOOST_TEST(ec == error_code(interlock::error::retired));
    BOOST_TEST(!p.is_open());
  }
  BOOST_TEST(descriptors.restored());
}

#if defined(INTERLOCK_HAS_DESCRIPTORS_OF_ANY_EXECUTOR)
BOOST_AUTO_TEST_CASE(a_port_moves_to_another_executor_type)
{
  pty terminal;
  asio::io_context context;
  on_context<serial_port> narrow(context, terminal.name());
  error_code read = aborted;
  char data[4];
  narrow.async_read_some(asio::buffer(data), into(read));
  serial_port p(std::move(narrow));
  BOOST_TEST(!narrow.is_open());
  send_text(terminal.master(), "abc");
  context.run();
  BOOST_TEST(read == success);
  narrow = on_context<serial_port>(context);
  p = std::move(narrow);
  BOOST_TEST(!p.is_open());
}
#endif

BOOST_AUTO_TEST_SUITE_END()
