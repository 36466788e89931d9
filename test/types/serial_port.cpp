// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Serial ports, over pseudo-terminals: opening by name, options, what passes, and a hang-up are the same over both
// families, and no descriptor is lost. What else a port does is tested with every type.

#include "support/prelude.hpp"

#include <interlock/serial_port.hpp>

#include <termios.h>

#include <boost/asio/read.hpp>
#include <boost/asio/serial_port.hpp>

#include "support/differential.hpp"
#include "support/pty.hpp"
#include "support/system_errors.hpp"

using namespace support;
using asio::serial_port_base;

namespace {

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
  error_code ec;
  note("set " + what, p.set_option(set, ec));
  note("get " + what, p.get_option(get, ec));
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
  note.thrown("set_option", [&] { p.set_option(refused); });
  note.thrown("get_option", [&] { p.get_option(refused); });
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_serial_port, compared)

BOOST_AUTO_TEST_CASE_TEMPLATE(opens_are_the_same, F, both_families)
{
  pty terminal;
  typename F::serial_port p(context);
  refusing_option refused;
  error_code ec;
  note.thrown("set_option closed", [&] { p.set_option(refused); });
  note("open of nothing", p.open("/nowhere/at/all", ec));
  note("open of no terminal", p.open("/dev/null", ec));
  note.thrown("open", [&] { p.open("/dev/null"); });
  note.thrown_in_making(
    "constructor", [&] { typename F::serial_port made(context, "/nowhere/at/all"); });
  note("open", p.open(terminal.name(), ec));
  note("open again", p.open(terminal.name(), ec));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(options_are_the_same, F, both_families)
{
  pty terminal;
  typename F::serial_port p(context, terminal.name());
  note_options(note, p);
  ends pipe = pipe_ends();
  typename F::serial_port of_a_pipe(context, pipe.near.release());
  note_option(note, "parity of a pipe", of_a_pipe, serial_port_base::parity());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_passes_and_a_hang_up_are_the_same, F, both_families)
{
  const auto out = asio::buffer("abc", 3);
  pty terminal;
  typename F::serial_port p(context, terminal.name());
  char data[4] = {};
  error_code ec;
  note("write", p.write_some(out, ec), ec);
  note("written", drain_terminal(terminal.master(), 3));
  send_text(terminal.master(), "\x03\x04\r\n");
  note("read", asio::read(p, asio::buffer(data), ec), ec);
  for (const char c : data)
    note("data", static_cast<int>(c));
  terminal.hang_up();
  note("read after a hang-up", p.read_some(asio::buffer(data), ec), ec);
  p.async_read_some(asio::buffer(data), note.handler("async_read_some after a hang-up"));
  run(context);
  note("write after a hang-up", p.write_some(out, ec), ec);
}

BOOST_FIXTURE_TEST_CASE(no_descriptor_is_lost_when_a_port_cannot_be_opened, no_trace)
{
  asio::io_context context;
  interlock::serial_port p(context);
  pty terminal;
  error_code ec;
  BOOST_TEST(p.open("/nowhere/at/all", ec) == system_error(ENOENT));
  BOOST_TEST(p.open("/dev/null", ec) == system_error(ENOTTY));
  BOOST_CHECK_THROW(interlock::serial_port(context, "/dev/null"), boost::system::system_error);
  {
    const no_more_descriptors limit;
    p.open(terminal.name(), ec);
  }
  BOOST_TEST(ec == system_error(EMFILE));
  p.retire();
  BOOST_TEST(p.open(terminal.name(), ec) == retired);
  BOOST_TEST(!p.is_open());
}

BOOST_AUTO_TEST_SUITE_END()
