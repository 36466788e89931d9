// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A socket in each state that a debugger is to tell apart, for states.py, which stops the program in `at_state`.
//
//   states      ends with 0
//
// In `at_word` it shows the parts of a word as the library reads them.
//
// Nothing runs the context until the end, and its service takes no close over: the states do not change by themselves.

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/write.hpp>

#include <interlock/close_mode.hpp>
#include <interlock/close_report.hpp>
#include <interlock/close_service.hpp>
#include <interlock/close_statistics.hpp>
#include <interlock/detail/tenure/word.hpp>
#include <interlock/fd_lease.hpp>
#include <interlock/local/stream_protocol.hpp>

#include "support/descriptor_pairs.hpp"
#include "support/sleeps_in_poll.hpp"

namespace asio = boost::asio;
using protocol = interlock::local::stream_protocol;
using socket_type = protocol::socket;
using interlock::detail::word;

namespace {

void require(bool holds, const char* what)
{
  if (holds)
    return;
  std::fprintf(stderr, "states: %s\n", what);
  std::exit(EXIT_FAILURE);
}

} // namespace

/// The debugger stops here. `descriptor`: what `socket` was opened with last.
__attribute__((noinline)) void at_state(
  const char* state, int descriptor, const socket_type& socket)
{
  std::printf("%s %d %d\n", state, descriptor, socket.is_open() ? 1 : 0);
}

/// Has one tenure, which is open.
__attribute__((noinline)) void at_parts(const socket_type& socket)
{
  std::printf("parts %d\n", socket.is_open() ? 1 : 0);
}

__attribute__((noinline)) void at_report(
  const char* state, const interlock::close_mode& mode, const interlock::close_report& report)
{
  std::printf("%s %d %zu\n", state, mode.delivers() ? 1 : 0, report.unsent);
}

/// `reads`: only shows its type.
__attribute__((noinline)) void at_word(const word& reads, word::value value, const char* parts)
{
  std::printf("word %llx %s\n", static_cast<unsigned long long>(value + 0 * sizeof(reads)), parts);
}

namespace {

/// A socket and its peer, which reads nothing.
class connection
{
public:
  explicit connection(asio::io_context& context)
    : socket(context)
  {
  }

  void open()
  {
    support::ends pair = support::unix_ends();
    descriptor_ = pair.near.get();
    socket.assign(protocol(), pair.near.release());
    far_.push_back(std::move(pair.far));
  }

  void show(const char* state) const
  {
    at_state(state, descriptor_, socket);
  }

  void read()
  {
    socket.async_read_some(
      asio::buffer(byte_), [](const boost::system::error_code&, std::size_t) {});
  }

  void write_byte()
  {
    require(socket.write_some(asio::buffer(byte_)) == 1, "nothing written");
  }

  /// The error of a call that blocks.
  boost::system::error_code read_blocking()
  {
    boost::system::error_code ec;
    socket.read_some(asio::buffer(byte_), ec);
    return ec;
  }

  /// More than the kernel takes.
  void write()
  {
    asio::async_write(
      socket, asio::buffer(much_), [](const boost::system::error_code&, std::size_t) {});
  }

  socket_type socket;

private:
  int descriptor_ = -1;
  std::vector<support::fd> far_;
  std::array<char, 1> byte_ = {};
  std::vector<char> much_ = std::vector<char>(4 << 20);
};

void block(connection& c)
{
  c.open();
  std::atomic<::pid_t> id{0};
  std::thread reader(
    [&]
    {
      id = support::this_thread_id();
      require(c.read_blocking() == asio::error::operation_aborted, "the read was not aborted");
    });
  while (id == 0 || !support::sleeps_in_poll(id))
    std::this_thread::yield();
  c.show("blocked");
  c.socket.close();
  reader.join();
}

void show_parts(connection& c)
{
  c.open();
  at_parts(c.socket);
  c.show("one tenure");
}

void close_with_a_lease(connection& c)
{
  c.show("never");
  c.open();
  c.show("open");
  c.read();
  c.show("read");
  {
    const interlock::fd_lease first = c.socket.lease();
    const interlock::fd_lease second = c.socket.lease();
    c.show("lent");
    c.socket.close();
    c.show("leased");
  }
  c.show("closed");
}

/// The close before is not over: its handler has not run.
void flush(connection& c, int& completed)
{
  c.open();
  c.write();
  c.show("write");
  c.socket.async_close(interlock::close_mode::deliver(std::chrono::hours(1)),
    [&completed](const boost::system::error_code&, const interlock::close_report&)
    { ++completed; });
  c.show("flushing");
}

void close_later(connection& c, int& completed)
{
  c.open();
  c.socket.async_close([&completed](const boost::system::error_code&) { ++completed; });
  c.show("closing");
}

/// The peer does not read.
void deliver(connection& c, asio::io_context& context, int& completed)
{
  auto& service = asio::use_service<interlock::close_service>(context);
  c.open();
  c.write_byte();
  c.socket.async_close(interlock::close_mode::deliver(std::chrono::hours(1)),
    [&completed](const boost::system::error_code&, const interlock::close_report&)
    { ++completed; });
  const auto waits = [](const interlock::close_in_progress& p)
  { return p.waits_for == interlock::close_stage::peer; };
  for (;;)
  {
    context.poll();
    const auto closes = service.closes_in_progress();
    if (std::any_of(closes.begin(), closes.end(), waits))
      break;
    std::this_thread::yield();
  }
  c.show("delivering");
}

void words()
{
  for (unsigned bit = 0; bit != 65; ++bit)
  {
    const word::value w = bit == 64 ? 0 : word::value{1} << bit;
    std::ostringstream parts;
    parts << static_cast<unsigned>(word::phase_of(w)) << ' ' << word::owned(w) << ' '
          << word::has_blocked_threads(w) << ' ' << word::inside(w) << ' ' << word::handlers(w)
          << ' ' << word::writes(w) << ' ' << word::leases(w);
    at_word(word(), w, parts.str().c_str());
  }
}

void reports()
{
  interlock::close_report report;
  report.outcome = interlock::close_outcome::timed_out;
  report.unacknowledged = 1200;
  report.unsent = 200;
  report.duration = std::chrono::milliseconds(500);
  at_report("delivering", interlock::close_mode::deliver(std::chrono::seconds(30)), report);
  at_report("aborting", interlock::close_mode::abort(), interlock::close_report());
}

} // namespace

int main()
{
  asio::io_context context;
  interlock::close_service::options options;
  options.takeover = std::chrono::hours(1);
  interlock::make_close_service(context, options);
  int completed = 0;
  connection one(context), other(context), third(context), fourth(context);
  block(fourth);
  close_with_a_lease(one);
  flush(one, completed);
  close_later(other, completed);
  one.socket.close();
  one.show("still flushing");
  one.socket.async_close([&completed](const boost::system::error_code&) { ++completed; });
  one.show("flush ended");
  context.run();
  context.restart();
  deliver(third, context, completed);
  third.socket.async_close([&completed](const boost::system::error_code&) { ++completed; });
  context.run();
  require(completed == 5, "not every close has completed");
  third.show("ended");
  connection fifth(context);
  show_parts(fifth);
  reports();
  words();
  return EXIT_SUCCESS;
}
