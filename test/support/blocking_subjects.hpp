// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Objects on which a synchronous call blocks, each with its context and with what stands at the
// other end: nothing to read, no room to write, no peer to connect to or from. `feed` ends the wait
// for something to read.

#ifndef INTERLOCK_TEST_SUPPORT_BLOCKING_SUBJECTS_HPP
#define INTERLOCK_TEST_SUPPORT_BLOCKING_SUBJECTS_HPP

#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <linux/filter.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <interlock/ip/tcp.hpp>
#include <interlock/local/stream_protocol.hpp>
#include <interlock/posix/stream_descriptor.hpp>

#include "support/descriptor_pairs.hpp"
#include "support/local_port.hpp"

namespace support {

namespace asio = boost::asio;

/// Writes to `n` until it takes no more. Its blocking mode stays as it was.
inline void write_until_full(int n)
{
  const std::vector<char> block(4096, 'f');
  const int flags = ::fcntl(n, F_GETFL);
  ::fcntl(n, F_SETFL, flags | O_NONBLOCK);
  while (::write(n, block.data(), block.size()) > 0 || ::write(n, block.data(), 1) > 0)
    continue;
  ::fcntl(n, F_SETFL, flags);
}

/// From here on no segment reaches the socket: what is sent to it is never acknowledged.
inline void cut_off(int n)
{
  ::sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
  const ::sock_fprog program = {1, &drop};
  checked(::setsockopt(n, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)), "setsockopt");
}

struct tcp_subject
{
  asio::io_context context;
  interlock::ip::tcp::socket object{context};
  asio::ip::tcp::socket peer{context};

  tcp_subject()
  {
    asio::ip::tcp::acceptor acceptor(context, any_local_port());
    // Asio's own connects: the object's would leave a wake-up descriptor with this thread.
    asio::ip::tcp::socket connected(context);
    connected.connect(acceptor.local_endpoint());
    object.assign(asio::ip::tcp::v4(), connected.release());
    acceptor.accept(peer);
  }

  void feed()
  {
    peer.write_some(asio::buffer("x", 1));
  }
};

/// A full buffer of a peer that reads nothing would not do: the peer's kernel may still make room.
struct full_tcp_subject : tcp_subject
{
  full_tcp_subject()
  {
    cut_off(peer.native_handle());
    write_until_full(object.native_handle());
  }
};

struct unix_subject
{
  asio::io_context context;
  interlock::local::stream_protocol::socket object{context};
  asio::local::stream_protocol::socket peer{context};

  unix_subject()
  {
    ends pair = unix_ends();
    object.assign(interlock::local::stream_protocol(), pair.near.release());
    peer.assign(asio::local::stream_protocol(), pair.far.release());
  }

  void feed()
  {
    peer.write_some(asio::buffer("x", 1));
  }
};

struct full_unix_subject : unix_subject
{
  full_unix_subject()
  {
    write_until_full(object.native_handle());
  }
};

/// A descriptor, and what is at its other end.
struct descriptor_subject
{
  asio::io_context context;
  interlock::posix::stream_descriptor object{context};
  fd other;

  void feed()
  {
    send_text(other, "x");
  }
};

struct pipe_subject : descriptor_subject
{
  pipe_subject()
  {
    ends pipe = pipe_ends();
    object.assign(pipe.near.release());
    other = std::move(pipe.far);
  }
};

struct full_pipe_subject : descriptor_subject
{
  full_pipe_subject()
  {
    ends pipe = pipe_ends();
    write_until_full(pipe.far.get());
    object.assign(pipe.far.release());
    other = std::move(pipe.near);
  }
};

/// The slave of a pseudo-terminal.
struct pty_subject : descriptor_subject
{
  pty_subject()
  {
    other.reset(checked(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), "posix_openpt"));
    checked(::grantpt(other.get()), "grantpt");
    checked(::unlockpt(other.get()), "unlockpt");
    fd slave(checked(::open(::ptsname(other.get()), O_RDWR | O_NOCTTY | O_CLOEXEC), "open"));
    ::termios settings = {};
    checked(::tcgetattr(slave.get(), &settings), "tcgetattr");
    ::cfmakeraw(&settings);
    checked(::tcsetattr(slave.get(), TCSANOW, &settings), "tcsetattr");
    object.assign(slave.release());
  }
};

/// Its output has been stopped, as by XOFF.
struct stopped_pty_subject : pty_subject
{
  stopped_pty_subject()
  {
    checked(::tcflow(object.native_handle(), TCOOFF), "tcflow");
  }
};

struct event_subject : descriptor_subject
{
  event_subject()
  {
    object.assign(checked(::eventfd(0, EFD_CLOEXEC), "eventfd"));
  }

  void feed()
  {
    add(1);
  }

  void add(std::uint64_t count)
  {
    if (::write(object.native_handle(), &count, sizeof(count)) != sizeof(count))
      throw std::runtime_error("write");
  }
};

/// Its counter is at the maximum.
struct full_event_subject : event_subject
{
  full_event_subject()
  {
    add(0xfffffffffffffffe);
  }
};

struct acceptor_subject
{
  asio::io_context context;
  interlock::ip::tcp::acceptor object{context, any_local_port()};
  asio::ip::tcp::socket peer{context};

  void feed()
  {
    peer.connect(object.local_endpoint());
  }
};

/// A listener whose backlog is full: a further connect gets no answer.
struct connecting_subject
{
  asio::io_context context;
  asio::ip::tcp::acceptor listener{context};
  asio::ip::tcp::socket first{context};
  interlock::ip::tcp::socket object{context};

  connecting_subject()
  {
    listener.open(asio::ip::tcp::v4());
    listener.bind(any_local_port());
    listener.listen(0);
    first.connect(listener.local_endpoint());
    // The one place in the backlog is taken for certain when an accept would not block.
    listener.wait(asio::socket_base::wait_read);
  }
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_BLOCKING_SUBJECTS_HPP
