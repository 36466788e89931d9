// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/descriptor/calls.hpp>

#include <algorithm>
#include <cerrno>
#include <limits>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <interlock/detail/descriptor/cancellation_disabled.hpp>
#include <interlock/detail/descriptor/close_descriptor.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {
namespace calls {

namespace {

error_code from_errno() noexcept
{
  return error_code(errno, boost::system::system_category());
}

void set(error_code& ec, bool failed) noexcept
{
  ec = failed ? from_errno() : error_code();
}

std::size_t bytes(::ssize_t result, error_code& ec) noexcept
{
  set(ec, result < 0);
  return result < 0 ? 0 : static_cast<std::size_t>(result);
}

::msghdr message(pieces& buffers) noexcept
{
  ::msghdr m = {};
  m.msg_iov = buffers.vector;
  m.msg_iovlen = buffers.count;
  return m;
}

// Every byte passes as it is, and no carrier is needed: what a serial port begins with.
void make_raw(int fd, error_code& ec) noexcept
{
  ::termios attributes = {};
  get_attributes(fd, attributes, ec);
  if (ec)
    return;
  ::cfmakeraw(&attributes);
  attributes.c_iflag |= IGNPAR;
  attributes.c_cflag |= CREAD | CLOCAL;
  set_attributes(fd, attributes, ec);
}

// Where a kind of socket does not know the command: the error that Asio gives.
void ask_socket(int fd, unsigned long command, void* data, error_code& ec) noexcept
{
  control(fd, command, data, ec);
  if (ec.value() == ENOTTY)
    ec.assign(ENOTSOCK, boost::system::system_category());
}

} // namespace

bool would_block(const error_code& ec) noexcept
{
  return ec.category() == boost::system::system_category()
    && (ec.value() == EAGAIN || ec.value() == EWOULDBLOCK);
}

void pieces::consume(std::size_t transferred) noexcept
{
  bytes -= transferred;
  std::size_t whole = 0;
  for (; whole != count && transferred >= vector[whole].iov_len; ++whole)
    transferred -= vector[whole].iov_len;
  count -= whole;
  std::copy_n(vector + whole, count, vector);
  if (count == 0)
    return;
  vector[0].iov_base = static_cast<char*>(vector[0].iov_base) + transferred;
  vector[0].iov_len -= transferred;
}

std::size_t receive(int fd, pieces& into, int flags, error_code& ec)
{
  ::msghdr m = message(into);
  return bytes(sys::recvmsg(fd, &m, flags | MSG_DONTWAIT), ec);
}

std::size_t send(int fd, pieces& from, int flags, error_code& ec)
{
  const ::msghdr m = message(from);
  return bytes(sys::sendmsg(fd, &m, flags | MSG_DONTWAIT | MSG_NOSIGNAL), ec);
}

std::size_t send_to(
  int fd, pieces& from, int flags, const ::sockaddr* peer, ::socklen_t size, error_code& ec)
{
  ::msghdr m = message(from);
  m.msg_name = const_cast<::sockaddr*>(peer);
  m.msg_namelen = size;
  return bytes(sys::sendmsg(fd, &m, flags | MSG_DONTWAIT | MSG_NOSIGNAL), ec);
}

std::size_t receive_from(
  int fd, pieces& into, int flags, ::sockaddr* peer, ::socklen_t* size, error_code& ec)
{
  ::msghdr m = message(into);
  m.msg_name = peer;
  m.msg_namelen = *size;
  const std::size_t n = bytes(sys::recvmsg(fd, &m, flags | MSG_DONTWAIT), ec);
  *size = m.msg_namelen;
  return n;
}

std::size_t receive_message(int fd, pieces& into, int in_flags, int& out_flags, error_code& ec)
{
  ::msghdr m = message(into);
  const std::size_t n = bytes(sys::recvmsg(fd, &m, in_flags | MSG_DONTWAIT), ec);
  out_flags = ec ? 0 : m.msg_flags;
  return n;
}

std::size_t read(int fd, pieces& into, error_code& ec)
{
  return bytes(sys::readv(fd, into.vector, static_cast<int>(into.count)), ec);
}

std::size_t write(int fd, pieces& from, error_code& ec)
{
  return bytes(sys::writev(fd, from.vector, static_cast<int>(from.count)), ec);
}

void pair(int family, int type, int protocol, int (&fds)[2], error_code& ec) noexcept
{
  set(ec, sys::socketpair(family, type, protocol, fds) != 0);
}

int accept(int fd, ::sockaddr* peer, ::socklen_t* size, error_code& ec)
{
  const int accepted = sys::accept(fd, peer, size);
  set(ec, accepted < 0);
  return accepted;
}

void connect(int fd, const ::sockaddr* peer, ::socklen_t size, error_code& ec)
{
  set(ec, sys::connect(fd, peer, size) != 0);
}

void bind(int fd, const ::sockaddr* address, ::socklen_t size, error_code& ec) noexcept
{
  set(ec, sys::bind(fd, address, size) != 0);
}

void listen(int fd, int backlog, error_code& ec) noexcept
{
  set(ec, sys::listen(fd, backlog) != 0);
}

void shutdown(int fd, int what, error_code& ec) noexcept
{
  set(ec, sys::shutdown(fd, what) != 0);
}

void pending_error(int fd, error_code& ec) noexcept
{
  int error = 0;
  ::socklen_t size = sizeof(error);
  if (sys::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
    error = errno;
  ec = error_code(error, boost::system::system_category());
}

void pipe(int (&fds)[2], error_code& ec) noexcept
{
  set(ec, sys::pipe(fds) != 0);
}

int open_serial_port(const char* device, error_code& ec) noexcept
{
  const cancellation_disabled disabled;
  const int fd = sys::open(device, O_RDWR | O_NONBLOCK | O_NOCTTY);
  set(ec, fd < 0);
  if (!ec)
    make_raw(fd, ec);
  if (ec && fd >= 0)
    close_unused(fd);
  return ec ? -1 : fd;
}

void get_attributes(int fd, ::termios& attributes, error_code& ec) noexcept
{
  set(ec, sys::tcgetattr(fd, &attributes) != 0);
}

void set_attributes(int fd, const ::termios& attributes, error_code& ec) noexcept
{
  set(ec, sys::tcsetattr(fd, TCSANOW, &attributes) != 0);
}

void send_break(int fd, error_code& ec) noexcept
{
  set(ec, sys::tcsendbreak(fd, 0) != 0);
}

void local_name(int fd, ::sockaddr* address, ::socklen_t* size, error_code& ec) noexcept
{
  set(ec, sys::getsockname(fd, address, size) != 0);
}

void peer_name(int fd, ::sockaddr* address, ::socklen_t* size, error_code& ec) noexcept
{
  set(ec, sys::getpeername(fd, address, size) != 0);
}

void set_option(
  int fd, int level, int name, const void* data, std::size_t size, error_code& ec) noexcept
{
  set(ec, sys::setsockopt(fd, level, name, data, static_cast<::socklen_t>(size)) != 0);
}

void get_option(int fd, int level, int name, void* data, std::size_t* size, error_code& ec) noexcept
{
  ::socklen_t length = static_cast<::socklen_t>(*size);
  set(ec, sys::getsockopt(fd, level, name, data, &length) != 0);
  *size = length;
#if defined(__linux__)
  if (!ec && level == SOL_SOCKET && (name == SO_SNDBUF || name == SO_RCVBUF)
    && length == sizeof(int))
    *static_cast<int*>(data) /= 2;
#endif
}

int int_option(int fd, int level, int name, int if_refused) noexcept
{
  int value = 0;
  ::socklen_t size = sizeof(value);
  return sys::getsockopt(fd, level, name, &value, &size) == 0 ? value : if_refused;
}

void control(int fd, unsigned long command, void* data, error_code& ec) noexcept
{
  set(ec, sys::ioctl(fd, command, data) < 0);
}

std::size_t available(int fd, error_code& ec) noexcept
{
  int count = 0;
  ask_socket(fd, FIONREAD, &count, ec);
  return ec ? 0 : static_cast<std::size_t>(count);
}

bool at_mark(int fd, error_code& ec) noexcept
{
  int value = 0;
  ask_socket(fd, SIOCATMARK, &value, ec);
  return !ec && value != 0;
}

void set_non_blocking(int fd, bool mode, error_code& ec) noexcept
{
  int on = mode ? 1 : 0;
  control(fd, FIONBIO, &on, ec);
}

bool is_non_blocking(int fd) noexcept
{
  const int flags = sys::fcntl(fd, F_GETFL);
  return flags >= 0 && (flags & O_NONBLOCK) != 0;
}

short events_now(int fd, short events) noexcept
{
  const cancellation_disabled disabled;
  ::pollfd p = {fd, events, 0};
  return sys::poll(&p, 1, 0) < 0 ? POLLNVAL : p.revents;
}

bool ready(int fd, short events) noexcept
{
  return events_now(fd, events) != 0;
}

bool has_ended(int fd) noexcept
{
#if defined(POLLRDHUP)
  return (events_now(fd, POLLRDHUP) & ~POLLERR) != 0;
#else
  return ready(fd, POLLIN);
#endif
}

linger_setting linger_time(int fd) noexcept
{
  ::linger l = {0, 0};
  ::socklen_t size = sizeof(l);
  const bool is_on = sys::getsockopt(fd, SOL_SOCKET, SO_LINGER, &l, &size) == 0 && l.l_onoff != 0;
  if (!is_on)
    return linger_setting::off();
  // For ever comes back truncated (MAX_SCHEDULE_TIMEOUT / HZ in sk_getsockopt()).
  return linger_setting::on(l.l_linger < 0 ? std::numeric_limits<int>::max() : l.l_linger);
}

void set_close_on_exec(int fd) noexcept
{
  sys::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

void set_linger(int fd, int seconds) noexcept
{
  const ::linger on = {1, seconds};
  sys::setsockopt(fd, SOL_SOCKET, SO_LINGER, &on, sizeof(on));
}

void clear_linger(int fd) noexcept
{
  const ::linger off = {0, 0};
  sys::setsockopt(fd, SOL_SOCKET, SO_LINGER, &off, sizeof(off));
}

void set_abortive(int fd) noexcept
{
  set_linger(fd, 0);
}

} // namespace calls
} // namespace detail
} // namespace abi_0
} // namespace interlock
