// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Synchronous reads and writes, which block as calls on a blocking descriptor do: a write until all is written, a read
// with MSG_WAITALL until the buffers are full, and any read until the low watermark of the socket (SO_RCVLOWAT) is
// reached.
//
// A peek at an AF_UNIX stream waits for the first byte only (unix_stream_read_generic).
//
// A part that has been transferred when a call ends early, because of a close, a signal or an error, is its result, as
// it is the kernel's; the error is for the next call, unless it could only be told from the error queue by taking it
// (demanding_read).

#ifndef INTERLOCK_DETAIL_MEMBERS_BLOCKING_TRANSFERS_HPP
#define INTERLOCK_DETAIL_MEMBERS_BLOCKING_TRANSFERS_HPP

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>

#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/gather.hpp>
#include <interlock/detail/core/inner_traits.hpp>
#include <interlock/detail/core/io_core.hpp>
#include <interlock/detail/descriptor/calls.hpp>
#include <interlock/detail/descriptor/socket_facts.hpp>
#include <interlock/detail/tenure/blocked_call.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

using boost::system::error_code;

namespace functions {

/// Whether a transfer into empty buffers needs no system call, and a read of zero bytes is the end of file.
/// Neither holds for messages, which can be empty.
template <class Tenure>
bool is_stream(const Tenure& t) noexcept
{
  if constexpr (protocol_of<typename Tenure::inner_type>::is_socket)
    return t.protocol().type() == SOCK_STREAM;
  else
    return true;
}

/// Whether a transfer of this one call waits for all that is asked for, as on a blocking stream.
template <class Tenure>
bool transfers_all(Tenure& t, int flags) noexcept
{
  return functions::is_stream(t) && (flags & MSG_DONTWAIT) == 0 && t.is_blocking();
}

// --- Writes.

/// Whether there is no use in writing the rest: the kernel has got an error for the next call.
template <class Tenure>
bool has_failed(const Tenure& t) noexcept
{
  return protocol_of<typename Tenure::inner_type>::is_socket && has_hung_up(t.fd());
}

/// Writes with `transfer(descriptor, pieces, ec)`, to which the `flags` of send(2) belong.
template <class Core, class Buffers, class Transfer>
std::size_t write_blocking(
  Core& core, const Buffers& buffers, int flags, error_code& ec, Transfer transfer)
{
  calls::pieces from = functions::gather<boost::asio::const_buffer>(buffers);
  std::size_t written = 0;
  core.blocking(POLLOUT, ec,
    [&](auto& t, error_code& e) -> std::size_t
    {
      e = error_code();
      if ((from.bytes == 0 && functions::is_stream(t))
        || (written != 0 && functions::has_failed(t)))
        return 0;
      const std::size_t n = transfer(t.fd(), from, e);
      written += n;
      from.consume(n);
      if (!e && from.bytes != 0 && functions::transfers_all(t, flags))
        e = boost::asio::error::would_block; // for want of room
      return n;
    });
  if (written != 0)
    ec = error_code();
  return written;
}

// --- Reads.

/// Reads with `transfer(descriptor, pieces, ec)`, inside the tenure.
template <class Core, class Tenure, class Transfer>
std::size_t read_inside(Tenure& t, calls::pieces& into, error_code& ec, Transfer transfer)
{
  const auto attempt = [&](Tenure& own, error_code& e) -> std::size_t
  {
    e = error_code();
    if (into.bytes == 0 && functions::is_stream(own))
      return 0;
    const std::size_t n = transfer(own.fd(), into, e);
    if (n == 0 && !e && functions::is_stream(own))
      e = boost::asio::error::eof;
    return n;
  };
  return Core::blocking_inside(t, POLLIN, ec, attempt);
}

template <class Core, class Buffers, class Transfer>
std::size_t read_blocking(Core& core, const Buffers& buffers, error_code& ec, Transfer transfer)
{
  calls::pieces into = functions::gather<boost::asio::mutable_buffer>(buffers);
  return core.inside(
    ec, [&](auto& t, error_code& e) { return functions::read_inside<Core>(t, into, e, transfer); });
}

} // namespace functions

/// How much a read of a stream waits for.
struct read_demand
{
  std::size_t least = 1;
  std::size_t low_watermark = 1;
};

/// A read of a stream that waits for more than one byte.
template <class Tenure>
class demanding_read
{
public:
  demanding_read(Tenure& t, read_demand d, int flags) noexcept
    : tenure_(t),
      call_(t),
      demand_(d),
      flags_(flags)
  {
  }

  std::size_t run(calls::pieces& into, error_code& ec)
  {
    std::size_t done = 0;
    bool goes_on = true;
    while (goes_on && await_bytes(done, ec))
      goes_on = read_some(into, done, ec);
    if (done != 0)
      ec = error_code();
    return done;
  }

private:
  // False: the read is over.
  bool read_some(calls::pieces& into, std::size_t& done, error_code& ec)
  {
    if (done != 0 && input() == 0 && !looks_for_error_)
      return false; // an end or an error, for the next call
    const std::size_t n = calls::receive(tenure_.fd(), into, flags_ & ~MSG_WAITALL, ec);
    if (calls::would_block(ec))
      return looks_for_error_ || call_.pause(ec); // else another thread has read it
    if (n == 0 && !ec)
      ec = boost::asio::error::eof;
    if (ec)
    {
      tenure_.errors().note(ec);
      return false;
    }
    done += n;
    into.consume(n);
    error_code ignored;
    return done < demand_.least && !peeks() && !calls::at_mark(tenure_.fd(), ignored);
  }

  // Blocks until a read makes sense. False, with ec set: a close or a signal came first.
  bool await_bytes(std::size_t done, error_code& ec)
  {
    const std::size_t rest = demand_.least - done;
    const std::size_t wanted = peeks() ? rest : std::min(rest, demand_.low_watermark);
    bool has_looked = std::exchange(looks_for_error_, false);
    while (input() < wanted && !calls::has_ended(tenure_.fd()))
    {
      const short found = calls::events_now(tenure_.fd(), POLLIN);
      const bool is_readable = (found & POLLIN) != 0;
      looks_for_error_ = found == POLLERR && input() == 0 && !has_looked;
      if (looks_for_error_ || (is_readable && input() == 0))
        return true; // such as urgent data
      // poll(2) does not tell what is below the low watermark (TCP), or tells anything (AF_UNIX).
      const bool tells = !is_readable && wanted >= demand_.low_watermark;
      if (tells ? !call_.wait(POLLIN, ec) : !call_.pause(ec))
        return false;
      has_looked = false;
    }
    return true;
  }

  bool peeks() const noexcept
  {
    return (flags_ & MSG_PEEK) != 0;
  }

  // What the socket does not tell may be any number.
  std::size_t input() const noexcept
  {
    error_code ec;
    const std::size_t n = calls::available(tenure_.fd(), ec);
    return ec ? std::numeric_limits<std::size_t>::max() : n;
  }

  Tenure& tenure_;
  blocked_call call_;
  const read_demand demand_;
  const int flags_;

  // POLLERR alone says that the socket has an error, which a read takes out, or something in its error queue, which may
  // stay for ever. A read tells them apart, once after each wait.
  bool looks_for_error_ = false;
};

namespace functions {

#if defined(MSG_ERRQUEUE)
constexpr int never_waiting = MSG_ERRQUEUE;
#else
constexpr int never_waiting = 0;
#endif

/// Whether a read may have to wait for more than one byte. Urgent data and the error queue are there or not.
template <class Tenure>
bool may_demand(Tenure& t, int flags) noexcept
{
  const bool ends_at_the_first = (flags & MSG_PEEK) != 0 && t.protocol().family() == AF_UNIX;
  const bool never_waits = (flags & (MSG_OOB | never_waiting)) != 0;
  return !ends_at_the_first && !never_waits
    && (t.marks().is_tainted() || (flags & MSG_WAITALL) != 0);
}

/// The low watermark is asked for where the program may have set it.
template <class Tenure>
read_demand demand_of(const Tenure& t, std::size_t bytes, int flags) noexcept
{
  const int mark = t.marks().is_tainted() ? calls::int_option(t.fd(), SOL_SOCKET, SO_RCVLOWAT, 1)
                                          : 1;
  read_demand d;
  d.low_watermark = static_cast<std::size_t>(std::max(mark, 1));
  d.least = (flags & MSG_WAITALL) != 0 ? bytes : std::min(d.low_watermark, bytes);
  return d;
}

/// Receives from a socket.
template <class Core, class Buffers>
std::size_t receive(Core& core, const Buffers& buffers, int flags, error_code& ec)
{
  calls::pieces into = functions::gather<boost::asio::mutable_buffer>(buffers);
  return core.inside(ec,
    [&](auto& t, error_code& e) -> std::size_t
    {
      e = error_code();
      const read_demand d = functions::may_demand(t, flags)
        ? functions::demand_of(t, into.bytes, flags)
        : read_demand();
      if (d.least > 1 && functions::transfers_all(t, flags))
        return demanding_read(t, d, flags).run(into, e);
      return functions::read_inside<Core>(t, into, e,
        [flags](int fd, calls::pieces& to, error_code& failed)
        { return calls::receive(fd, to, flags, failed); });
    });
}

} // namespace functions
} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_MEMBERS_BLOCKING_TRANSFERS_HPP
