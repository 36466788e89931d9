// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// connect_pipe, and what one end observes of the other. What an end does by itself is tested with every type.

#include "support/prelude.hpp"

#include <interlock/connect_pipe.hpp>
#include <interlock/readable_pipe.hpp>
#include <interlock/writable_pipe.hpp>

#include <boost/asio/read.hpp>
#include <boost/asio/version.hpp>

#if BOOST_ASIO_VERSION >= 102400
#include <boost/asio/connect_pipe.hpp>
#endif

#include "support/differential.hpp"
#include "support/sigpipe_ignored.hpp"
#include "support/system_errors.hpp"

using namespace support;
using interlock::readable_pipe;
using interlock::writable_pipe;

namespace {

const auto out = asio::buffer("abc", 3);

/// connect_pipe of both families. Before Boost 1.80 Asio has no pipes, and this compares nothing.
template <class Readable, class Writable, class... Ec>
auto connect(Readable& r, Writable& w, Ec&... ec)
{
#if BOOST_ASIO_VERSION >= 102400
  if constexpr (std::is_same<Readable, asio::readable_pipe>::value)
    return asio::connect_pipe(r, w, ec...);
  else
#endif
    return interlock::connect_pipe(r, w, ec...);
}

struct connected : no_trace
{
  asio::io_context context;
  readable_pipe reader{context};
  writable_pipe writer{context};
  error_code ec;

  connected()
  {
    interlock::connect_pipe(reader, writer);
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_pipes, compared)

BOOST_AUTO_TEST_CASE_TEMPLATE(connecting_is_the_same, F, both_families)
{
  typename F::readable_pipe r(context);
  typename F::writable_pipe w(context);
  error_code ec;
  char data[8];
  note.thrown("connect", [&] { connect(r, w); });
  asio::async_write(w, asio::buffer("abcdef", 6), note.handler("async_write"));
  asio::async_read(r, asio::buffer(data, 6), note.handler("async_read"));
  run(context);
  note("connect again", connect(r, w, ec));
  note.thrown("connect again", [&] { connect(r, w); });
  note("both open", r.is_open() && w.is_open());
  w.close();
  note("connect one that is open", connect(r, w, ec));
  note("the other is open", w.is_open());
  r.close();
  note("connect after all", connect(r, w, ec));
}

BOOST_FIXTURE_TEST_CASE(the_reader_is_told_when_the_writer_has_been_closed, connected)
{
  char data[4];
  reader.async_read_some(asio::buffer(data), into(ec));
  writer.close();
  context.run();
  BOOST_TEST(ec == error_code(asio::error::eof));
}

BOOST_FIXTURE_TEST_CASE(a_write_without_a_reader_is_an_error, connected)
{
  const sigpipe_ignored ignored;
  reader.close();
  BOOST_TEST(writer.write_some(out, ec) == 0u);
  BOOST_TEST(ec == system_error(EPIPE));
}

BOOST_FIXTURE_TEST_CASE(no_descriptor_is_lost_when_ends_cannot_be_connected, connected)
{
  reader.close();
  BOOST_TEST(interlock::connect_pipe(reader, writer, ec) == error_code(asio::error::already_open));
  BOOST_TEST(!reader.is_open());
  BOOST_TEST(writer.is_open());
  writer.retire();
  BOOST_TEST(interlock::connect_pipe(reader, writer, ec) == retired);
  BOOST_TEST(!reader.is_open());
}

BOOST_FIXTURE_TEST_CASE(ends_stay_closed_when_there_is_no_descriptor, connected)
{
  reader.close();
  writer.close();
  {
    const no_more_descriptors limit;
    interlock::connect_pipe(reader, writer, ec);
  }
  BOOST_TEST(ec == system_error(EMFILE));
  BOOST_TEST(!reader.is_open());
  BOOST_TEST(!writer.is_open());
  BOOST_TEST(interlock::connect_pipe(reader, writer, ec) == success);
}

BOOST_AUTO_TEST_SUITE_END()
