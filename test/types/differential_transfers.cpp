// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Guarantee G12, by comparison: reads, writes and waits, with and without data, at the end of a
// stream, out of band, after a shutdown and in non-blocking mode, are the same over both families.

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include "support/descriptor_pairs.hpp"
#include "support/differential.hpp"
#include "support/sigpipe_ignored.hpp"

namespace asio = boost::asio;
using namespace support;
using asio::socket_base;
using boost::system::error_code;

namespace {

template <class Object, class Buffers>
void note_read(notes& note, const std::string& what, Object& object, const Buffers& buffers)
{
  error_code ec;
  const std::size_t n = object.read_some(buffers, ec);
  note(what, ec);
  note(what + " has", n);
}

template <class Object, class Buffers>
void note_write(notes& note, const std::string& what, Object& object, const Buffers& buffers)
{
  error_code ec;
  const std::size_t n = object.write_some(buffers, ec);
  note(what, ec);
  note(what + " has", n);
}

/// Waits of every kind in non-blocking mode.
template <class Object>
void note_waits(notes& note, const std::string& when, Object& object)
{
  error_code ec;
  object.non_blocking(true);
  object.wait(object.wait_read, ec);
  note("wait to read " + when, ec);
  object.wait(object.wait_write, ec);
  note("wait to write " + when, ec);
  object.wait(object.wait_error, ec);
  note("wait for errors " + when, ec);
  note.thrown("wait " + when, [&] { object.wait(object.wait_error); });
  object.non_blocking(false);
}

template <class Object>
void note_empty(notes& note, asio::io_context& context, Object& object)
{
  const std::vector<asio::mutable_buffer> no_buffers;
  const std::array<asio::mutable_buffer, 2> empty_buffers;
  const std::vector<asio::const_buffer> nothing_to_write;
  char data[1];
  note_read(note, "read into no buffers", object, no_buffers);
  note_read(note, "read into empty buffers", object, empty_buffers);
  note_read(note, "read into no room", object, asio::buffer(data, 0));
  note_write(note, "write no buffers", object, nothing_to_write);
  note_write(note, "write nothing", object, asio::buffer(data, 0));
  object.async_read_some(no_buffers, note.handler("async read into no buffers"));
  run(context);
  object.async_read_some(asio::buffer(data, 0), note.handler("async read into no room"));
  run(context);
  object.async_write_some(nothing_to_write, note.handler("async write no buffers"));
  run(context);
  object.async_write_some(asio::buffer(data, 0), note.handler("async write nothing"));
  run(context);
}

const auto empty_transfers = [](auto family, notes& note)
{
  using F = decltype(family);
  asio::io_context context;
  tcp_pair<F> pair(context);
  note_empty(note, context, pair.first);
  // A read of nothing does not meet the end of the stream.
  pair.second.close();
  pair.first.wait(socket_base::wait_read);
  note_empty(note, context, pair.first);
  ends pipe = pipe_ends();
  typename F::stream_descriptor reader(context, pipe.near.release());
  note_empty(note, context, reader);
};

const auto ends_of_streams = [](auto family, notes& note)
{
  using F = decltype(family);
  const sigpipe_ignored ignored;
  asio::io_context context;
  char data[8];
  tcp_pair<F> pair(context);
  pair.second.send(asio::buffer("abc", 3));
  pair.second.shutdown(socket_base::shutdown_send);
  error_code ec;
  note("read", asio::read(pair.first, asio::buffer(data), ec));
  note("then", ec);
  note_read(note, "read again", pair.first, asio::buffer(data));
  pair.first.async_read_some(asio::buffer(data), note.handler("async read"));
  run(context);
  note.thrown("read", [&] { pair.first.read_some(asio::buffer(data)); });
  note.thrown("receive", [&] { pair.first.receive(asio::buffer(data)); });
  note("available", pair.first.available(ec));
  note_waits(note, "at the end", pair.first);

  ends pipe = pipe_ends();
  send_text(pipe.far, "xyz");
  pipe.far.reset();
  typename F::stream_descriptor reader(context, pipe.near.release());
  note_read(note, "read", reader, asio::buffer(data));
  note_read(note, "read at the end", reader, asio::buffer(data));
  reader.async_read_some(asio::buffer(data), note.handler("async read at the end"));
  run(context);
  ends broken = pipe_ends();
  broken.near.reset();
  typename F::stream_descriptor writer(context, broken.far.release());
  note_write(note, "write that nobody reads", writer, asio::buffer("x", 1));
  writer.async_write_some(asio::buffer("x", 1), note.handler("async write that nobody reads"));
  run(context);
  note_waits(note, "that nobody reads", writer);
};

const auto shutdowns = [](auto family, notes& note)
{
  using F = decltype(family);
  for (const auto what :
    {socket_base::shutdown_receive, socket_base::shutdown_send, socket_base::shutdown_both})
  {
    asio::io_context context;
    char data[8];
    error_code ec;
    tcp_pair<F> pair(context);
    pair.first.shutdown(what, ec);
    note("shutdown", ec);
    pair.first.shutdown(what, ec);
    note("shutdown again", ec);
    note_write(note, "write", pair.first, asio::buffer("abc", 3));
    pair.first.async_write_some(asio::buffer("abc", 3), note.handler("async write"));
    run(context);
    if (what != socket_base::shutdown_send)
      note_read(note, "read", pair.first, asio::buffer(data));
    if (what != socket_base::shutdown_receive)
      note_read(note, "read by the peer", pair.second, asio::buffer(data));
    note_waits(note, "after that", pair.first);
    note("is_open", pair.first.is_open());
  }
};

const auto would_block = [](auto family, notes& note)
{
  using F = decltype(family);
  asio::io_context context;
  char data[8];
  tcp_pair<F> pair(context);
  note_waits(note, "idle", pair.first);
  pair.first.non_blocking(true);
  note_read(note, "read", pair.first, asio::buffer(data));
  note.thrown("read_some", [&] { pair.first.read_some(asio::buffer(data)); });
  const std::vector<char> block(1 << 20);
  error_code ec;
  while (!ec)
    pair.first.write_some(asio::buffer(block), ec);
  note("write", ec);
  ends pipe = pipe_ends();
  typename F::stream_descriptor reader(context, pipe.near.release());
  note_waits(note, "of a pipe", reader);
  reader.non_blocking(true);
  note_read(note, "read of a pipe", reader, asio::buffer(data));
  typename F::stream_descriptor writer(context, pipe.far.release());
  writer.non_blocking(true);
  ec = error_code();
  std::size_t written = 0;
  while (!ec)
    written += writer.write_some(asio::buffer(block), ec);
  note("write", ec);
  note("capacity", written);
  note_waits(note, "of a full pipe", writer);
};

const auto pieces_and_flags = [](auto family, notes& note)
{
  using F = decltype(family);
  asio::io_context context;
  tcp_pair<F> pair(context);
  char first[3] = {};
  char second[5] = {};
  const std::array<asio::const_buffer, 3> out = {
    asio::buffer("ab", 2), asio::const_buffer(), asio::buffer("cdef", 4)};
  const std::array<asio::mutable_buffer, 2> in = {asio::buffer(first), asio::buffer(second)};
  error_code ec;
  note_write(note, "write of pieces", pair.first, out);
  pair.second.wait(socket_base::wait_read);
  note("peek", pair.second.receive(in, socket_base::message_peek, ec));
  note("peek", ec);
  note("available", pair.second.available());
  note("receive", pair.second.receive(in, 0, ec));
  note("first piece", std::string(first, sizeof(first)));
  note("second piece", std::string(second, 3));
  // More pieces than one system call takes.
  std::vector<asio::const_buffer> many(2000, asio::buffer("x", 1));
  note_write(note, "write of many pieces", pair.first, many);
  std::string all(64, ' ');
  note("read", asio::read(pair.second, asio::buffer(all), ec));
  note("then", ec);
  pair.first.async_send(out, socket_base::message_do_not_route, note.handler("async_send"));
  pair.second.async_receive(in, note.handler("async_receive"));
  run(context);
  pair.first.async_send(out, note.handler("async_send"));
  pair.second.async_receive(in, socket_base::message_peek, note.handler("async peek"));
  run(context);
};

const auto out_of_band = [](auto family, notes& note)
{
  using F = decltype(family);
  for (const bool in_line : {false, true})
  {
    asio::io_context context;
    tcp_pair<F> pair(context);
    char data[8] = {};
    error_code ec;
    pair.second.set_option(socket_base::out_of_band_inline(in_line), ec);
    note("at_mark of nothing", pair.second.at_mark(ec));
    pair.first.send(asio::buffer("ab", 2));
    note("send", pair.first.send(asio::buffer("!", 1), socket_base::message_out_of_band, ec));
    pair.second.wait(socket_base::wait_error, ec);
    note("wait for errors", ec);
    note("at_mark", pair.second.at_mark(ec));
    pair.second.async_wait(socket_base::wait_error, note.handler("async_wait"));
    run(context);
    note("read before it", pair.second.read_some(asio::buffer(data), ec));
    note("at_mark", pair.second.at_mark());
    note("receive", pair.second.receive(asio::buffer(data), socket_base::message_out_of_band, ec));
    note("receive", ec);
    note("data", std::string(data, 2));
    note("receive again",
      pair.second.receive(asio::buffer(data), socket_base::message_out_of_band, ec));
    note("receive again", ec);
  }
};

const auto endpoints = [](auto family, notes& note)
{
  using F = decltype(family);
  asio::io_context context;
  error_code ec;
  typename F::tcp::socket s(context, F::tcp::v4());
  note("local_endpoint of an unbound socket", s.local_endpoint(ec));
  note("remote_endpoint", s.remote_endpoint(ec));
  note("remote_endpoint", ec);
  tcp_pair<F> pair(context);
  note("first to second", pair.first.remote_endpoint() == pair.second.local_endpoint());
  note("second to first", pair.second.remote_endpoint() == pair.first.local_endpoint());
  note("address", pair.first.local_endpoint(ec).address());
  pair.second.close();
  pair.first.wait(socket_base::wait_read);
  note("address", pair.first.remote_endpoint(ec).address());
  typename F::local::socket a(context);
  typename F::local::socket b(context);
  F::connect_pair(a, b);
  note("local_endpoint of a pair", a.local_endpoint(ec).path());
  note("remote_endpoint of a pair", b.remote_endpoint(ec));
  note("remote_endpoint of a pair", ec);
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_differential_transfers)

BOOST_AUTO_TEST_CASE(transfers_of_nothing_are_the_same)
{
  same_in_both_families(empty_transfers);
}

BOOST_AUTO_TEST_CASE(ends_of_streams_are_the_same)
{
  same_in_both_families(ends_of_streams);
}

BOOST_AUTO_TEST_CASE(shutdowns_are_the_same)
{
  same_in_both_families(shutdowns);
}

BOOST_AUTO_TEST_CASE(calls_that_would_block_are_the_same)
{
  same_in_both_families(would_block);
}

BOOST_AUTO_TEST_CASE(pieces_and_flags_are_the_same)
{
  same_in_both_families(pieces_and_flags);
}

BOOST_AUTO_TEST_CASE(out_of_band_data_is_the_same)
{
  same_in_both_families(out_of_band);
}

BOOST_AUTO_TEST_CASE(endpoints_are_the_same)
{
  same_in_both_families(endpoints);
}

BOOST_AUTO_TEST_SUITE_END()
