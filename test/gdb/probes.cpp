// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Closes of several kinds, for probes.py to look at through the probes.
//
//   probes      ends with 0; the first line tells whether its library has probes: "on", "off" or "no header". Each
//               other line is one tenure: DESCRIPTOR CLOSED RESET ERROR OUTCOME. What is given away is not closed.
//
// The library is compiled as this file is: with probes where it finds SystemTap's header.

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include <sys/syscall.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>

#include <interlock/close_mode.hpp>
#include <interlock/close_outcome.hpp>
#include <interlock/close_report.hpp>
#include <interlock/local/stream_protocol.hpp>

#include "support/descriptor_pairs.hpp"

namespace asio = boost::asio;
using local = interlock::local::stream_protocol;

namespace {

int failing = -1; // close(2) of this descriptor returns EIO

} // namespace

/// In the place of the C library's, also for the library.
extern "C" int close(int fd)
{
  const long result = ::syscall(SYS_close, fd);
  if (fd != failing)
    return static_cast<int>(result);
  errno = EIO;
  return -1;
}

namespace {

#if defined(INTERLOCK_NO_PROBES)
constexpr const char* probes = "off";
#elif __has_include(<sys/sdt.h>)
constexpr const char* probes = "on";
#else
constexpr const char* probes = "no header";
#endif

void require(bool holds, const char* what)
{
  if (holds)
    return;
  std::fprintf(stderr, "probes: %s\n", what);
  std::exit(EXIT_FAILURE);
}

struct connection
{
  support::ends pair = support::unix_ends();
  const int near = pair.near.get();
  asio::io_context context;
  local::socket socket{context, local(), pair.near.release()};
};

void tell(const connection& c, bool closed, bool reset, int error, interlock::close_outcome outcome)
{
  std::printf(
    "%d %d %d %d %d\n", c.near, closed ? 1 : 0, reset ? 1 : 0, error, static_cast<int>(outcome));
}

void plain_close()
{
  connection c;
  c.socket.close();
  tell(c, true, false, 0, interlock::close_outcome::closed);
}

void close_in_a_mode(const interlock::close_mode& mode, bool reset)
{
  connection c;
  int completed = 0;
  c.socket.async_close(mode,
    [&](const boost::system::error_code& ec, const interlock::close_report& report)
    {
      ++completed;
      tell(c, true, reset, ec.value(), report.outcome);
    });
  c.context.run();
  require(completed == 1, "the close has not completed");
}

void close_that_fails()
{
  connection c;
  failing = c.near;
  boost::system::error_code result;
  c.socket.async_close([&](const boost::system::error_code& ec) { result = ec; });
  c.context.run();
  failing = -1;
  require(result.value() == EIO, "close(2) has not failed");
  tell(c, true, false, EIO, interlock::close_outcome::closed);
}

void release()
{
  connection c;
  ::close(c.socket.release());
  tell(c, false, false, 0, interlock::close_outcome::detached);
}

} // namespace

int main()
{
  std::printf("%s\n", probes);
  plain_close();
  close_in_a_mode(interlock::close_mode::abort(), true);
  close_in_a_mode(interlock::close_mode::deliver(std::chrono::hours(1)), false);
  close_that_fails();
  release();
  return EXIT_SUCCESS;
}
