// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The connection of a stack, as the close of the stack sees it: the one descriptor that was open when the close
// started, and no other that the object has later.
//
// Every function runs on the executor of the stream.

#ifndef INTERLOCK_DETAIL_ADAPT_STACK_CONNECTION_HPP
#define INTERLOCK_DETAIL_ADAPT_STACK_CONNECTION_HPP

#include <cstddef>

#include <sys/socket.h>

#include <boost/system/error_code.hpp>

#include <interlock/close_mode.hpp>
#include <interlock/close_statistics.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/adapt/layer.hpp>
#include <interlock/detail/core/object_base.hpp>
#include <interlock/detail/descriptor/calls.hpp>
#include <interlock/detail/descriptor/socket_facts.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

template <class Stream>
class stack_connection
{
public:
  using error_code = boost::system::error_code;

  /// The caller keeps the stream.
  explicit stack_connection(Stream& s) noexcept
    : stream_(s),
      mark_(core().mark())
  {
  }

  auto& socket() noexcept
  {
    return functions::connection_of(stream_);
  }

  bool is_there() noexcept
  {
    return core().mark() == mark_;
  }

  bool has_writes() noexcept
  {
    return core().has_writes();
  }

  bool has_handlers() noexcept
  {
    return core().has_handlers();
  }

  /// Whether the peer has ended the connection, and all before that has been read.
  bool has_peer_ended()
  {
    const auto peek = [](auto& t, error_code& ec)
    {
      char byte = 0;
      calls::pieces one;
      one.vector[0] = {&byte, 1};
      one.count = 1;
      one.bytes = 1;
      const std::size_t n = calls::receive(t.fd(), one, MSG_PEEK | MSG_DONTWAIT, ec);
      if (ec)
        t.errors().note(ec);
      return n;
    };
    error_code ec;
    const std::size_t n = core().inside(ec, peek);
    return n == 0 && !calls::would_block(ec);
  }

  /// What the kernel has counted by now.
  traffic seen()
  {
    error_code ignored;
    return core().inside(ignored, [](auto& t, error_code& /*ec*/) { return traffic_of(t.fd()); });
  }

  /// What the close of the stack waits for, until it closes the connection.
  void announce(close_stage stage)
  {
    error_code ignored;
    core().inside(ignored,
      [this, stage](auto& t, error_code& /*ec*/)
      {
        if (is_there())
          t.announce_close(stage);
      });
  }

  /// Makes the close of the connection stronger, which is under way.
  void overtake(const close_mode& mode) noexcept
  {
    object_base::overtake(mark_, mode);
  }

  /// Without a wait for the peer.
  void close() noexcept
  {
    if (is_there())
      socket().close();
  }

private:
  auto& core() noexcept
  {
    return functions::core_of(stream_);
  }

  Stream& stream_;
  const tenure_mark mark_;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_ADAPT_STACK_CONNECTION_HPP
