// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Pipes as the standard streams of a process that Boost.Process starts: it finds them by Asio's templates. What a
// program observes is the same as over Asio's pipes, in whatever state the pipe is. A close from another thread ends a
// read from a child. Every child is waited for, and no descriptor is left.
//
// Boost.Process v2 is there from Boost 1.80 on. From 1.86 on it has a library of its own, which is not linked here.

#include <boost/version.hpp>

#include <interlock/connect_pipe.hpp>
#include <interlock/readable_pipe.hpp>
#include <interlock/writable_pipe.hpp>

#if defined(__has_include) && defined(INTERLOCK_HAS_PIPES) && BOOST_VERSION < 108600
#if __has_include(<boost/process/v2/stdio.hpp>)
#define INTERLOCK_TEST_HAS_PROCESS 1
#endif
#endif

#if defined(INTERLOCK_TEST_HAS_PROCESS)

#include <boost/asio/connect_pipe.hpp>
#include <boost/asio/read.hpp>
#include <boost/process/v2/process.hpp>
#include <boost/process/v2/stdio.hpp>

#include "support/differential.hpp"
#include "support/prelude.hpp"

namespace process = boost::process::v2;
using namespace support;

namespace {

/// Compared, and without a trace.
struct traceless : no_trace, compared
{
};

const char* const states[] = {"never opened", "moved from", "closed", "moved to"};

/// A pipe that is not open, in one of the states.
template <class Pipe>
class pipe_in_state
{
public:
  pipe_in_state(asio::io_context& context, const std::string& state)
    : other_(context),
      pipe_(context)
  {
    if (state == "never opened")
      return;
    if (state == "moved to")
      pipe_ = std::move(other_);
    else
      pipe_.assign(pipe_ends().near.release());
    if (state == "moved from")
      other_ = std::move(pipe_);
    else if (state == "closed")
      pipe_.close();
  }

  Pipe& get()
  {
    return pipe_;
  }

private:
  Pipe other_;
  Pipe pipe_;
};

template <class Readable>
void note_output(notes& note, Readable& r, const std::string& expected)
{
  std::string text;
  error_code ec;
  asio::read(r, asio::dynamic_buffer(text), ec);
  BOOST_TEST(text == expected);
  note("end", ec);
}

/// What a child writes, to its standard output and to its standard error.
template <class Family>
void note_outputs(notes& note, const std::string& state)
{
  note("pipes", state);
  asio::io_context context;
  pipe_in_state<typename Family::readable_pipe> out(context, state);
  pipe_in_state<typename Family::readable_pipe> err(context, state);
  process::process child(context, "/bin/sh", {"-c", "echo out; echo err >&2; exit 3"},
    process::process_stdio{nullptr, out.get(), err.get()});
  note("open", out.get().is_open() && err.get().is_open());
  note_output(note, out.get(), "out\n");
  note_output(note, err.get(), "err\n");
  note("exit status", child.wait());
}

/// What a child reads from its standard input, and writes again.
template <class Family>
void note_input(notes& note, const std::string& state)
{
  note("pipes", state);
  asio::io_context context;
  pipe_in_state<typename Family::writable_pipe> in(context, state);
  pipe_in_state<typename Family::readable_pipe> out(context, state);
  process::process child(context, "/bin/cat", {}, process::process_stdio{in.get(), out.get(), {}});
  asio::async_write(in.get(), asio::buffer("abc", 3), note.handler("write"));
  context.run();
  in.get().close();
  note_output(note, out.get(), "abc");
  note("exit status", child.wait());
}

/// An end that the child gets as it is: no pipe is made for it.
template <class Family>
void note_given_end(notes& note, const std::string& state)
{
  note("pipes", state);
  asio::io_context context;
  pipe_in_state<typename Family::readable_pipe> in(context, state);
  note("descriptor of one that is not open", process::process_stdio{in.get(), {}, {}}.in.fd);
  note("open", in.get().is_open());
  ends pipe = pipe_ends();
  send_text(pipe.far, "abc");
  pipe.far.reset();
  in.get().assign(pipe.near.release());
  typename Family::readable_pipe out(context);
  process::process child(context, "/bin/cat", {}, process::process_stdio{in.get(), out, {}});
  note_output(note, out, "abc");
  note("exit status", child.wait());
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_process_pipes, traceless, *boost::unit_test::label("forks"))

BOOST_AUTO_TEST_CASE_TEMPLATE(a_child_writes_the_same_into_a_pipe_in_any_state, F, both_families)
{
  for (const std::string state : states)
    note_outputs<F>(note, state);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_child_reads_the_same_from_a_pipe_in_any_state, F, both_families)
{
  for (const std::string state : states)
    note_input<F>(note, state);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_child_gets_an_end_as_it_is, F, both_families)
{
  for (const std::string state : states)
    note_given_end<F>(note, state);
}

BOOST_AUTO_TEST_CASE(a_close_ends_a_blocked_read_from_a_child)
{
  interlock::writable_pipe in(context);
  interlock::readable_pipe out(context);
  process::process child(context, "/bin/cat", {}, process::process_stdio{in, out, {}});
  call_in_thread blocked(
    [&]
    {
      outcome o;
      char buffer[8];
      o.bytes = out.read_some(asio::buffer(buffer), o.ec);
      return o;
    });
  BOOST_TEST_REQUIRE(blocked.blocks());
  out.close();
  BOOST_TEST(blocked.get().ec == aborted);
  in.close();
  BOOST_TEST(child.wait() == 0);
}

BOOST_AUTO_TEST_CASE(an_async_close_ends_a_read_from_a_child)
{
  handler_tally tally;
  interlock::writable_pipe in(context);
  interlock::readable_pipe out(context);
  process::process child(context, "/bin/cat", {}, process::process_stdio{in, out, {}});
  char buffer[8];
  error_code read;
  error_code closed = aborted;
  out.async_read_some(asio::buffer(buffer), tally(into(read)));
  std::thread closer([&] { out.async_close(tally(into(closed))); });
  closer.join();
  context.run();
  BOOST_TEST(read == aborted);
  BOOST_TEST(closed == success);
  BOOST_TEST(tally.all_called());
  in.close();
  BOOST_TEST(child.wait() == 0);
}

// Whichever of the two functions a program calls: Asio's template takes our ends too.
BOOST_AUTO_TEST_CASE(each_connect_pipe_connects_the_ends)
{
  char data[4];
  for (const bool is_asios : {false, true})
  {
    interlock::readable_pipe r(context);
    interlock::writable_pipe w(context);
    if (is_asios)
      asio::connect_pipe(r, w);
    else
      connect_pipe(r, w);
    w.write_some(asio::buffer("abc", 3));
    BOOST_TEST(r.read_some(asio::buffer(data)) == 3u);
  }
}

BOOST_AUTO_TEST_SUITE_END()

#endif
