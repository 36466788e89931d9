// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// System calls on one descriptor, each a single non-blocking attempt with its errno as an
// error_code.
//
// The caller is inside a tenure or owns the descriptor; nothing here waits (but for a break), retries or
// closes. Transfers of sockets are made with MSG_DONTWAIT; what else may wait is O_NONBLOCK by the time it is
// attempted. So "would block" is an answer, never a wait.
//
// What is not noexcept is a cancellation point (pthreads(7)).

#ifndef INTERLOCK_DETAIL_DESCRIPTOR_CALLS_HPP
#define INTERLOCK_DETAIL_DESCRIPTOR_CALLS_HPP

#include <cstddef>

#include <sys/socket.h>
#include <sys/uio.h>
#include <termios.h>

#include <boost/system/error_code.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/descriptor/linger_setting.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {
namespace calls {

using boost::system::error_code;

/// A gathered buffer sequence: no more than IOV_MAX pieces of it, on the caller's stack.
struct pieces
{
  static constexpr std::size_t max = 64;

  ::iovec vector[max];
  std::size_t count = 0;
  std::size_t bytes = 0;

  /// So many bytes have been transferred: what is left moves to the beginning.
  INTERLOCK_DECL void consume(std::size_t transferred) noexcept;
};

/// EAGAIN or EWOULDBLOCK: nothing has happened, readiness has to be waited for.
INTERLOCK_DECL bool would_block(const error_code& ec) noexcept;

// Transfers: the number of bytes, 0 with ec set on failure. Zero without an error is the end of a
// stream.
INTERLOCK_DECL std::size_t receive(int fd, pieces& into, int flags, error_code& ec);
INTERLOCK_DECL std::size_t send(int fd, pieces& from, int flags, error_code& ec);
INTERLOCK_DECL std::size_t send_to(
  int fd, pieces& from, int flags, const ::sockaddr* peer, ::socklen_t size, error_code& ec);

/// `size` is the room at `peer`, and then what has been put there.
INTERLOCK_DECL std::size_t receive_from(
  int fd, pieces& into, int flags, ::sockaddr* peer, ::socklen_t* size, error_code& ec);

/// `out_flags` says what has become of the message: MSG_EOR, MSG_TRUNC. Zero on failure.
INTERLOCK_DECL std::size_t receive_message(
  int fd, pieces& into, int in_flags, int& out_flags, error_code& ec);

INTERLOCK_DECL std::size_t read(int fd, pieces& into, error_code& ec);
INTERLOCK_DECL std::size_t write(int fd, pieces& from, error_code& ec);

// Connections.
INTERLOCK_DECL void pair(
  int family, int type, int protocol, int (&fds)[2], error_code& ec) noexcept;
INTERLOCK_DECL int accept(int fd, ::sockaddr* peer, ::socklen_t* size, error_code& ec);

/// EAGAIN: the queue of an AF_UNIX listener is full, and no readiness will ever tell when there is room (unix(7)).
INTERLOCK_DECL void connect(int fd, const ::sockaddr* peer, ::socklen_t size, error_code& ec);
INTERLOCK_DECL void bind(
  int fd, const ::sockaddr* address, ::socklen_t size, error_code& ec) noexcept;
INTERLOCK_DECL void listen(int fd, int backlog, error_code& ec) noexcept;
INTERLOCK_DECL void shutdown(int fd, int what, error_code& ec) noexcept;

/// SO_ERROR: what became of a connect that was in progress.
INTERLOCK_DECL void pending_error(int fd, error_code& ec) noexcept;

// New descriptors: the caller's. A pipe is read from its first.
INTERLOCK_DECL void pipe(int (&fds)[2], error_code& ec) noexcept;

/// A serial port that passes on every byte as it is, whether or not a carrier is there; -1 on failure.
INTERLOCK_DECL int open_serial_port(const char* device, error_code& ec) noexcept;

// Terminals.
INTERLOCK_DECL void get_attributes(int fd, ::termios& attributes, error_code& ec) noexcept;
INTERLOCK_DECL void set_attributes(int fd, const ::termios& attributes, error_code& ec) noexcept;

/// Waits for what is still to be written, and for the break: a quarter of a second to half a second.
INTERLOCK_DECL void send_break(int fd, error_code& ec) noexcept;

// Facts and options.
INTERLOCK_DECL void local_name(
  int fd, ::sockaddr* address, ::socklen_t* size, error_code& ec) noexcept;
INTERLOCK_DECL void peer_name(
  int fd, ::sockaddr* address, ::socklen_t* size, error_code& ec) noexcept;
INTERLOCK_DECL void set_option(
  int fd, int level, int name, const void* data, std::size_t size, error_code& ec) noexcept;

/// SO_SNDBUF and SO_RCVBUF come back halved, since Linux doubles what is set (socket(7)).
INTERLOCK_DECL void get_option(
  int fd, int level, int name, void* data, std::size_t* size, error_code& ec) noexcept;

/// The value of an option that is an int; `if_refused` where there is none.
INTERLOCK_DECL int int_option(int fd, int level, int name, int if_refused) noexcept;

INTERLOCK_DECL void control(int fd, unsigned long command, void* data, error_code& ec) noexcept;
INTERLOCK_DECL std::size_t available(int fd, error_code& ec) noexcept;
INTERLOCK_DECL bool at_mark(int fd, error_code& ec) noexcept;
INTERLOCK_DECL void set_non_blocking(int fd, bool mode, error_code& ec) noexcept;
INTERLOCK_DECL bool is_non_blocking(int fd) noexcept;

/// Which of `events` (poll(2)) are there now, and an error or a hang-up, which it reports unasked. POLLNVAL if poll
/// itself fails. No cancellation point.
INTERLOCK_DECL short events_now(int fd, short events) noexcept;

/// Whether any of `events`, an error or a hang-up is there now. True if poll itself fails.
INTERLOCK_DECL bool ready(int fd, short events) noexcept;

/// Whether the peer of a stream has ended its writing, or the connection is gone. Input may be left. What is in the
/// error queue of a socket is no end.
INTERLOCK_DECL bool has_ended(int fd) noexcept;

/// What SO_LINGER says: on with a time, or off. Off too if this is no socket.
INTERLOCK_DECL linger_setting linger_time(int fd) noexcept;

INTERLOCK_DECL void set_linger(int fd, int seconds) noexcept;

/// FD_CLOEXEC, so that no child keeps what is closed later.
INTERLOCK_DECL void set_close_on_exec(int fd) noexcept;

/// SO_LINGER off, so that close(2) cannot wait. Not a socket: nothing to do.
INTERLOCK_DECL void clear_linger(int fd) noexcept;

/// SO_LINGER with a time of nothing: close(2) resets a TCP connection. Not a socket: nothing to do.
INTERLOCK_DECL void set_abortive(int fd) noexcept;

} // namespace calls
} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_DESCRIPTOR_CALLS_HPP
