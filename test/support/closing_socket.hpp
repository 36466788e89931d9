// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A stream socket that is closed in a given mode, and what its closer is told. The test's own thread
// runs the context, and has a turn at the peer in between.

#ifndef INTERLOCK_TEST_SUPPORT_CLOSING_SOCKET_HPP
#define INTERLOCK_TEST_SUPPORT_CLOSING_SOCKET_HPP

#include <interlock/close_mode.hpp>
#include <interlock/close_report.hpp>
#include <interlock/ip/tcp.hpp>
#include <interlock/local/stream_protocol.hpp>

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/system/error_code.hpp>
#include <boost/test/unit_test.hpp>

#include "descriptor_pairs.hpp"
#include "loop.hpp"
#include "no_trace.hpp"
#include "tcp_facts.hpp"
#include "told.hpp"
#include "wait_until.hpp"

namespace support {

struct told : told_with<interlock::close_report>
{
  bool is(interlock::close_outcome outcome) const
  {
    return times == 1 && !ec && report.outcome == outcome;
  }
};

/// Nothing of it is left in the end.
template <class Socket>
struct closing_socket : no_trace
{
  ends pair;
  boost::asio::io_context context;
  Socket object{context};

  closing_socket(ends (*make)(), const typename Socket::protocol_type& protocol)
    : pair(make())
  {
    object.assign(protocol, pair.near.release());
  }

  /// Runs the context until all of `closers` have been told; each time before, `peer` has its turn.
  template <class Peer, class... Closers>
  bool run_until_told(Peer peer, const Closers&... close_waiters)
  {
    return wait_until(
      [&]
      {
        peer();
        turn(context);
        return (... && (close_waiters.times != 0));
      });
  }

  bool run_until_told(const told& t)
  {
    return run_until_told([] {}, t);
  }

  /// A turn of a peer that reads, and closes when it has got everything.
  auto reader(taken& got)
  {
    return [this, &got]
    {
      got.take(pair.far);
      if (got.ended)
        pair.far.reset();
    };
  }

  int fd()
  {
    return object.native_handle();
  }
};

struct closing_tcp : closing_socket<interlock::ip::tcp::socket>
{
  explicit closing_tcp(ends (*make)() = &narrow_tcp_ends)
    : closing_socket(make, interlock::ip::tcp::v4())
  {
  }
};

struct closing_unix : closing_socket<interlock::local::stream_protocol::socket>
{
  closing_unix()
    : closing_socket(&unix_ends, interlock::local::stream_protocol())
  {
  }
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_CLOSING_SOCKET_HPP
