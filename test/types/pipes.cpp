// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The ends of pipes: the members are those of Asio's, where it has pipes, and observe the same; a close
// ends blocked and outstanding operations; connecting loses no descriptor.

#include <interlock/connect_pipe.hpp>
#include <interlock/readable_pipe.hpp>
#include <interlock/writable_pipe.hpp>

#include <cerrno>
#include <future>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/version.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#if BOOST_ASIO_VERSION >= 102400
#include <boost/asio/connect_pipe.hpp>
#include <boost/asio/readable_pipe.hpp>
#include <boost/asio/writable_pipe.hpp>
#endif

#include "support/blocking_subjects.hpp"
#include "support/census.hpp"
#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/dropin_calls.hpp"
#include "support/handler_tally.hpp"
#include "support/sigpipe_ignored.hpp"
#include "support/sync_support.hpp"
#include "support/system_errors.hpp"

namespace asio = boost::asio;
using namespace support;
using interlock::readable_pipe;
using interlock::writable_pipe;

namespace {

const auto out = asio::buffer("abc", 3);

struct our_pipes
{
  using readable = readable_pipe;
  using writable = writable_pipe;

  template <class... Args>
  static auto connect(Args&... args)
  {
    return interlock::connect_pipe(args...);
  }
};

#if BOOST_ASIO_VERSION >= 102400

struct asio_pipes
{
  using readable = asio::readable_pipe;
  using writable = asio::writable_pipe;

  template <class... Args>
  static auto connect(Args&... args)
  {
    return asio::connect_pipe(args...);
  }
};

template <class Ours, class Plain>
constexpr bool alike()
{
  return names_alike<Ours, Plain>() && std::is_same<typename Ours::lowest_layer_type, Ours>::value
    && std::is_move_constructible<Ours>::value && !std::is_copy_constructible<Ours>::value
    && std::is_constructible<Ours, on_context<Ours>&&>::value
    && std::is_assignable<Ours&, on_context<Ours>&&>::value
    && constructible_alike<Ours, Plain, asio::io_context&>()
    && constructible_alike<Ours, Plain, context_executor>()
    && constructible_alike<Ours, Plain, asio::io_context&, int>()
    && constructible_alike<Ours, Plain, context_executor, int>()
    && constructible_alike<Ours, Plain, std::string>();
}

static_assert(alike<readable_pipe, asio::readable_pipe>(), "");
static_assert(alike<writable_pipe, asio::writable_pipe>(), "");

#else
using asio_pipes = our_pipes;
#endif

static_assert(
  std::is_constructible<readable_pipe, asio::io_context&, int, interlock::borrowed_t>::value, "");

/// What an end is asked besides its transfers. It is closed afterwards.
template <class End>
void end_members(notes& note, asio::io_context& context, End& e)
{
  const auto& constant = e;
  note("executor", e.get_executor() == context.get_executor());
  note("is_open", constant.is_open());
  note("lowest layer", &e.lowest_layer() == &e && &constant.lowest_layer() == &e);
  try_both(note, "cancel", [&](auto&... ec) { return e.cancel(ec...); });
  fd released;
  try_call(note, "release", [&] { released.reset(e.release()); });
  note("is_open", constant.is_open());
  try_both(note, "release again", [&](auto&... ec) { return e.release(ec...); });
  try_both(note, "assign", [&](auto&... ec) { return e.assign(released.get(), ec...); });
  released.release();
  try_both(note, "assign nothing", [&](auto&... ec) { return End(context).assign(-1, ec...); });
  End moved(std::move(e));
  note("moved from is open", e.is_open());
  e = std::move(moved);
  note("moved back is open", e.is_open());
  try_both(note, "close", [&](auto&... ec) { return e.close(ec...); });
  note("is_open", constant.is_open());
  note("native_handle", e.native_handle());
}

template <class Readable, class Writable>
void transfers(notes& note, asio::io_context& context, Readable& r, Writable& w)
{
  char data[8] = {};
  const auto in = asio::buffer(data);
  try_both(note, "write_some", [&](auto&... ec) { return w.write_some(out, ec...); });
  try_call(note, "read_some", [&] { return r.read_some(in); });
  w.write_some(out);
  try_both(
    note, "read_some", [&](auto&... ec) { return r.read_some(asio::buffer(data, 2), ec...); });
  r.async_read_some(in, move_only(note, "async_read_some"));
  w.async_write_some(out, move_only(note, "async_write_some"));
  run(context);
  std::future<std::size_t> sent = w.async_write_some(out, asio::use_future);
  std::future<std::size_t> got = r.async_read_some(in, asio::use_future);
  run(context);
  note("sent", sent.get());
  note("got", got.get());
  r.async_read_some(in, note.handler("cancelled"));
  r.cancel();
  run(context);
  asio::async_write(w, asio::buffer("abcdef", 6), note.handler("async_write"));
  asio::async_read(r, asio::buffer(data, 6), note.handler("async_read"));
  run(context);
}

const auto pipe_program = [](auto pipes, notes& note)
{
  using P = decltype(pipes);
  asio::io_context context;
  typename P::readable r(context);
  typename P::writable w(context);
  error_code ec;
  char data[8];
  r.read_some(asio::buffer(data), ec);
  note("read when closed", ec);
  w.async_write_some(out, note.handler("write when closed"));
  run(context);
  try_call(note, "connect", [&] { return P::connect(r, w); });
  transfers(note, context, r, w);
  P::connect(r, w, ec);
  note("connect again", ec);
  note("both open", r.is_open() && w.is_open());
  end_members(note, context, w);
  P::connect(r, w, ec);
  note("connect one that is open", ec);
  note("the other is open", w.is_open());
  note("end", r.read_some(asio::buffer(data), ec));
  note("end", ec);
  r.async_read_some(asio::buffer(data), note.handler("async end"));
  run(context);
  end_members(note, context, r);
  try_call(note, "connect", [&] { return P::connect(r, w, ec); });
  note("connect after all", ec);
};

struct connected
{
  asio::io_context context;
  readable_pipe reader{context};
  writable_pipe writer{context};

  connected()
  {
    interlock::connect_pipe(reader, writer);
  }
};

template <class Call, class Close>
void close_wakes(Call call, Close close, bool full)
{
  const census descriptors;
  {
    connected c;
    if (full)
      write_until_full(c.writer.native_handle());
    call_in_thread blocked([&] { return call(c); });
    BOOST_TEST_REQUIRE(blocked.blocks());
    close(c);
    const outcome o = blocked.get();
    BOOST_TEST(o.ec == aborted);
    BOOST_TEST(o.bytes == 0u);
  }
  BOOST_TEST(descriptors.restored());
}

const auto reading = [](connected& c)
{
  outcome o;
  char data[8];
  o.bytes = c.reader.read_some(asio::buffer(data), o.ec);
  return o;
};

const auto writing = [](connected& c)
{
  outcome o;
  o.bytes = c.writer.write_some(out, o.ec);
  return o;
};

template <class End>
void close_is_told(connected& c, End& e)
{
  error_code closed = aborted;
  e.async_close(into(closed));
  c.context.restart();
  c.context.run();
  BOOST_TEST(closed == success);
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_pipes)

// Where Asio has no pipes this is ours, twice.
BOOST_AUTO_TEST_CASE(pipes_are_the_same)
{
  notes plain;
  pipe_program(asio_pipes(), plain);
  notes ours;
  pipe_program(our_pipes(), ours);
  same(plain.taken(), ours.taken());
}

#if defined(INTERLOCK_HAS_DESCRIPTORS_OF_ANY_EXECUTOR)
BOOST_AUTO_TEST_CASE(operations_have_tokens_by_default)
{
  asio::io_context context;
  with_futures<readable_pipe> r(context);
  with_futures<writable_pipe> w(context);
  interlock::connect_pipe(r, w);
  char data[4];
  std::future<std::size_t> got = r.async_read_some(asio::buffer(data));
  std::future<std::size_t> sent = w.async_write_some(out);
  context.run();
  BOOST_TEST(sent.get() == 3u);
  BOOST_TEST(got.get() == 3u);
}
#endif

BOOST_AUTO_TEST_CASE(a_close_wakes_a_blocked_read)
{
  close_wakes(
    reading, [](connected& c) { c.reader.close(); }, false);
  close_wakes(
    reading, [](connected& c) { close_is_told(c, c.reader); }, false);
  close_wakes(
    reading, [](connected& c) { c.reader.get_close_handle().close(); }, false);
}

BOOST_AUTO_TEST_CASE(a_close_wakes_a_blocked_write)
{
  close_wakes(
    writing, [](connected& c) { c.writer.close(); }, true);
  close_wakes(
    writing, [](connected& c) { close_is_told(c, c.writer); }, true);
  close_wakes(
    writing, [](connected& c) { c.writer.retire(); }, true);
}

BOOST_AUTO_TEST_CASE(a_close_aborts_what_is_outstanding_before_it_is_told)
{
  const census descriptors;
  {
    connected c;
    write_until_full(c.writer.native_handle());
    handler_tally tally;
    error_code written = success;
    c.writer.async_write_some(out, tally(into(written)));
    c.context.poll();
    BOOST_TEST(tally.called() == 0);
    error_code closed = aborted;
    int called_before = -1;
    c.writer.async_close(
      [&](error_code ec)
      {
        closed = ec;
        called_before = tally.called();
      });
    c.context.run();
    BOOST_TEST(written == aborted);
    BOOST_TEST(closed == success);
    BOOST_TEST(called_before == 1);
    BOOST_TEST(tally.all_called());
  }
  BOOST_TEST(descriptors.restored());
}

BOOST_AUTO_TEST_CASE(the_reader_is_told_when_the_writer_has_been_closed)
{
  connected c;
  error_code read = success;
  char data[4];
  c.reader.async_read_some(asio::buffer(data), into(read));
  const close_watch watch(c.writer.native_handle());
  c.writer.close();
  BOOST_TEST(watch.wait_closed());
  BOOST_TEST((watch.close_waiter() == std::this_thread::get_id()));
  c.context.run();
  BOOST_TEST(read == error_code(asio::error::eof));
}

BOOST_AUTO_TEST_CASE(a_write_without_a_reader_is_an_error)
{
  const sigpipe_ignored ignored;
  connected c;
  const close_watch watch(c.reader.native_handle());
  c.reader.close();
  BOOST_TEST(watch.wait_closed());
  error_code ec;
  BOOST_TEST(c.writer.write_some(out, ec) == 0u);
  BOOST_TEST(ec == system_error(EPIPE));
}

BOOST_AUTO_TEST_CASE(no_descriptor_is_lost_when_ends_cannot_be_connected)
{
  const census descriptors;
  {
    asio::io_context context;
    readable_pipe r(context);
    writable_pipe w(context);
    interlock::connect_pipe(r, w);
    r.close();
    error_code ec;
    interlock::connect_pipe(r, w, ec);
    BOOST_TEST(ec == error_code(asio::error::already_open));
    BOOST_TEST(!r.is_open());
    BOOST_TEST(w.is_open());
    w.retire();
    interlock::connect_pipe(r, w, ec);
    BOOST_TEST(ec == error_code(interlock::error::retired));
    BOOST_TEST(!r.is_open());
    BOOST_CHECK_EXCEPTION(interlock::connect_pipe(r, w), boost::system::system_error,
      [](const boost::system::system_error& e)
      { return std::string(e.what()).rfind("connect_pipe: ", 0) == 0; });
  }
  BOOST_TEST(descriptors.restored());
}

BOOST_AUTO_TEST_CASE(ends_stay_closed_when_there_is_no_descriptor)
{
  const census descriptors;
  {
    connected c;
    readable_pipe r(c.context);
    writable_pipe w(c.context);
    error_code ec;
    {
      const no_more_descriptors limit;
      interlock::connect_pipe(r, w, ec);
    }
    BOOST_TEST(ec == system_error(EMFILE));
    BOOST_TEST(!r.is_open());
    BOOST_TEST(!w.is_open());
    interlock::connect_pipe(r, w, ec);
    BOOST_TEST(ec == success);
  }
  BOOST_TEST(descriptors.restored());
}

BOOST_AUTO_TEST_CASE(a_borrowed_end_stays_open)
{
  ends pipe = pipe_ends();
  asio::io_context context;
  readable_pipe r(context, pipe.near.get(), interlock::borrowed);
  send_text(pipe.far, "abc");
  char data[4];
  BOOST_TEST(r.read_some(asio::buffer(data)) == 3u);
  r.close();
  BOOST_TEST(is_fd_open(pipe.near.get()));
}

#if defined(INTERLOCK_HAS_DESCRIPTORS_OF_ANY_EXECUTOR)
BOOST_AUTO_TEST_CASE(an_operation_goes_with_a_move_to_another_executor_type)
{
  asio::io_context context;
  on_context<readable_pipe> narrow(context);
  writable_pipe w(context);
  interlock::connect_pipe(narrow, w);
  error_code read = aborted;
  char data[4];
  narrow.async_read_some(asio::buffer(data), into(read));
  readable_pipe r(std::move(narrow));
  BOOST_TEST(!narrow.is_open());
  w.write_some(out);
  context.run();
  BOOST_TEST(read == success);
  narrow = on_context<readable_pipe>(context);
  r = std::move(narrow);
  BOOST_TEST(!r.is_open());
}
#endif

BOOST_AUTO_TEST_SUITE_END()
