// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/descriptor/calls.hpp>

#include <cerrno>
#include <limits>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <interlock/detail/descriptor/close_descriptor.hpp>

namespace interlock
{
inline namespace abi_0
{
namespace detail
{
namespace calls
{

namespace
{

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
void make_raw(int number, error_code& ec) noexcept
{
  ::termios attributes = {};
  get_attributes(number, attributes, ec);
  if (ec)
    return;
  ::cfmakeraw(&attributes);
  attributes.c_iflag |= IGNPAR;
  attributes.c_cflag |= CREAD | CLOCAL;
  set_attributes(number, attributes, ec);
}

// Where a kind of socket does not know the command: the error that Asio gives.
void ask_socket(int number, unsigned long command, void* data, error_code& ec) noexcept
{
  control(number, command, data, ec);
  if (ec.value() == ENOTTY)
    ec.assign(ENOTSOCK, boost::system::system_category());
}

} // namespace

bool would_block(const error_code& ec) noexcept
{
  return ec.category() == boost::system::system_category()
    && (ec.value() == EAGAIN || ec.value() == EWOULDBLOCK);
}

std::size_t receive(int number, pieces& into, int flags, error_code& ec) noexcept
{
  ::msghdr m = message(into);
  return bytes(::recvmsg(number, &m, flags), ec);
}

std::size_t send(int number, pieces& from, int flags, error_code& ec) noexcept
{
  const ::msghdr m = message(from);
  return bytes(::sendmsg(number, &m, flags | MSG_NOSIGNAL), ec);
}

std::size_t send_to(int number, pieces& from, int flags, const ::sockaddr* peer, ::socklen_t size,
  error_code& ec) noexcept
{
  ::msghdr m = message(from);
  m.msg_name = const_cast<::sockaddr*>(peer);
  m.msg_namelen = size;
  return bytes(::sendmsg(number, &m, flags | MSG_NOSIGNAL), ec);
}

std::size_t receive_from(
  int number, pieces& into, int flags, ::sockaddr* peer, ::socklen_t* size, error_code& ec) noexcept
{
  ::msghdr m = message(into);
  m.msg_name = peer;
  m.msg_namelen = *size;
  const std::size_t n = bytes(::recvmsg(number, &m, flags), ec);
  *size = m.msg_namelen;
  return n;
}

std::size_t receive_message(
  int number, pieces& into, int in_flags, int& out_flags, error_code& ec) noexcept
{
  ::msghdr m = message(into);
  const std::size_t n = bytes(::recvmsg(number, &m, in_flags), ec);
  out_flags = ec ? 0 : m.msg_flags;
  return n;
}

std::size_t read(int number, pieces& into, error_code& ec) noexcept
{
  return bytes(::readv(number, into.vector, static_cast<int>(into.count)), ec);
}

std::size_t write(int number, pieces& from, error_code& ec) noexcept
{
  return bytes(::writev(number, from.vector, static_cast<int>(from.count)), ec);
}

void pair(int family, int type, int protocol, int (&numbers)[2], error_code& ec) noexcept
{
  set(ec, ::socketpair(family, type, protocol, numbers) != 0);
}

int accept(int number, ::sockaddr* peer, ::socklen_t* size, error_code& ec) noexcept
{
  const int accepted = ::accept(number, peer, size);
  set(ec, accepted < 0);
  return accepted;
}

void connect(int number, const ::sockaddr* peer, ::socklen_t size, error_code& ec) noexcept
{
  set(ec, ::connect(number, peer, size) != 0);
  // A full backlog of an AF_UNIX listener is EAGAIN, but no readiness will ever tell when there is
  // room (unix(7)).
  if (ec.value() == EAGAIN)
    ec = error_code(ENOBUFS, boost::system::system_category());
}

void bind(int number, const ::sockaddr* address, ::socklen_t size, error_code& ec) noexcept
{
  set(ec, ::bind(number, address, size) != 0);
}

void listen(int number, int backlog, error_code& ec) noexcept
{
  set(ec, ::listen(number, backlog) != 0);
}

void shutdown(int number, int what, error_code& ec) noexcept
{
  set(ec, ::shutdown(number, what) != 0);
}

void pending_error(int number, error_code& ec) noexcept
{
  int error = 0;
  ::socklen_t size = sizeof(error);
  if (::getsockopt(number, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
    error = errno;
  ec = error_code(error, boost::system::system_category());
}

void pipe(int (&numbers)[2], error_code& ec) noexcept
{
  set(ec, ::pipe(numbers) != 0);
}

int open_serial_port(const char* device, error_code& ec) noexcept
{
  const int number = ::open(device, O_RDWR | O_NONBLOCK | O_NOCTTY);
  set(ec, number < 0);
  if (!ec)
    make_raw(number, ec);
  if (ec && number >= 0)
    close_unused(number);
  return ec ? -1 : number;
}

void get_attributes(int number, ::termios& attributes, error_code& ec) noexcept
{
  set(ec, ::tcgetattr(number, &attributes) != 0);
}

void set_attributes(int number, const ::termios& attributes, error_code& ec) noexcept
{
  set(ec, ::tcsetattr(number, TCSANOW, &attributes) != 0);
}

void send_break(int number, error_code& ec) noexcept
{
  set(ec, ::tcsendbreak(number, 0) != 0);
}

void local_name(int number, ::sockaddr* address, ::socklen_t* size, error_code& ec) noexcept
{
  set(ec, ::getsockname(number, address, size) != 0);
}

void peer_name(int number, ::sockaddr* address, ::socklen_t* size, error_code& ec) noexcept
{
  set(ec, ::getpeername(number, address, size) != 0);
}

void set_option(
  int number, int level, int name, const void* data, std::size_t size, error_code& ec) noexcept
{
  set(ec, ::setsockopt(number, level, name, data, static_cast<::socklen_t>(size)) != 0);
}

void get_option(
  int number, int level, int name, void* data, std::size_t* size, error_code& ec) noexcept
{
  ::socklen_t length = static_cast<::socklen_t>(*size);
  set(ec, ::getsockopt(number, level, name, data, &length) != 0);
  *size = length;
#if defined(__linux__)
  if (!ec && level == SOL_SOCKET && (name == SO_SNDBUF || name == SO_RCVBUF)
    && length == sizeof(int))
    *static_cast<int*>(data) /= 2;
#endif
}

void control(int number, unsigned long command, void* data, error_code& ec) noexcept
{
  set(ec, ::ioctl(number, command, data) < 0);
}

std::size_t available(int number, error_code& ec) noexcept
{
  int count = 0;
  ask_socket(number, FIONREAD, &count, ec);
  return ec ? 0 : static_cast<std::size_t>(count);
}

bool at_mark(int number, error_code& ec) noexcept
{
  int value = 0;
  ask_socket(number, SIOCATMARK, &value, ec);
  return !ec && value != 0;
}

void set_non_blocking(int number, bool mode, error_code& ec) noexcept
{
  int on = mode ? 1 : 0;
  control(number, FIONBIO, &on, ec);
}

bool ready(int number, short events) noexcept
{
  ::pollfd p = {number, events, 0};
  return ::poll(&p, 1, 0) != 0;
}

int linger_time(int number) noexcept
{
  ::linger l = {0, 0};
  ::socklen_t size = sizeof(l);
  const bool is_on = ::getsockopt(number, SOL_SOCKET, SO_LINGER, &l, &size) == 0 && l.l_onoff != 0;
  // For ever comes back truncated (MAX_SCHEDULE_TIMEOUT / HZ in sk_getsockopt()).
  return !is_on ? -1 : l.l_linger < 0 ? std::numeric_limits<int>::max() : l.l_linger;
}

void set_linger(int number, int seconds) noexcept
{
  const ::linger on = {1, seconds};
  ::setsockopt(number, SOL_SOCKET, SO_LINGER, &on, sizeof(on));
}

void clear_linger(int number) noexcept
{
  const ::linger off = {0, 0};
  ::setsockopt(number, SOL_SOCKET, SO_LINGER, &off, sizeof(off));
}

void set_abortive(int number) noexcept
{
  set_linger(number, 0);
}

} // namespace calls
} // namespace detail
} // namespace abi_0
} // namespace interlock
