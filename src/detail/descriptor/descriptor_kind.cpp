// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include <interlock/detail/descriptor/descriptor_kind.hpp>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <interlock/detail/descriptor/calls.hpp>
#include <interlock/detail/descriptor/cancellation_disabled.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

namespace {

int socket_option(int fd, int name) noexcept
{
  return calls::int_option(fd, SOL_SOCKET, name, -1);
}

#if defined(TCP_ULP)

bool has_upper_layer(int fd) noexcept
{
  std::array<char, 16> name = {}; // TCP_ULP_NAME_MAX in the kernel's net/tcp.h
  ::socklen_t size = name.size();
  return sys::getsockopt(fd, IPPROTO_TCP, TCP_ULP, name.data(), &size) == 0 && size != 0
    && name[0] != '\0';
}

#else

bool has_upper_layer(int /*fd*/) noexcept
{
  return false;
}

#endif

descriptor_kind kind_of_socket(int fd) noexcept
{
#if defined(SO_DOMAIN) && defined(SO_PROTOCOL)
  const descriptor_kind kind = kind_of_protocol(
    socket_option(fd, SO_DOMAIN), socket_option(fd, SO_TYPE), socket_option(fd, SO_PROTOCOL));
  return kind == descriptor_kind::tcp && has_upper_layer(fd) ? descriptor_kind::other : kind;
#else
  return descriptor_kind::other;
#endif
}

#if defined(__linux__)

// splice(2) refuses an offset into a pipe before it takes the pipe's mutex (__do_splice()), which F_GETPIPE_SZ waits
// for. It moves nothing: without a pipe it fails too. Older kernels refuse an end that is open one way with EBADF
// first.
bool is_pipe(int fd) noexcept
{
  const cancellation_disabled disabled;
  ::loff_t offset = 0;
  if (sys::splice(fd, &offset, fd, nullptr, 1, SPLICE_F_NONBLOCK) >= 0)
    return false;
  return errno == ESPIPE || (errno != EINVAL && sys::fcntl(fd, F_GETPIPE_SZ) >= 0);
}

#else

bool is_pipe(int /*fd*/) noexcept
{
  return false;
}

#endif

// By the name that proc(5) gives to what has no file: without /proc it is not known.
bool is_event(int fd) noexcept
{
  std::array<char, 32> path = {};
  std::array<char, 32> name = {};
  std::snprintf(path.data(), path.size(), "/proc/self/fd/%d", fd);
  if (sys::readlink(path.data(), name.data(), name.size() - 1) < 0)
    return false;
  for (const char* known :
    {"anon_inode:[eventfd]", "anon_inode:[timerfd]", "anon_inode:[signalfd]"})
    if (std::strcmp(name.data(), known) == 0)
      return true;
  return false;
}

// A stream has no empty messages (unix_stream_sendmsg()). Fails for a listener.
bool is_empty_stream(int fd) noexcept
{
  int unread = 0;
  return socket_option(fd, SO_TYPE) == SOCK_STREAM && sys::ioctl(fd, FIONREAD, &unread) == 0
    && unread == 0;
}

} // namespace

bool may_hold_descriptors(int fd) noexcept
{
  return calls::ready(fd, POLLIN) && !is_empty_stream(fd);
}

// Makes no call that could reach a file system, as stat(2) does, or wait for a thread that uses the descriptor.
descriptor_kind kind_of(int fd) noexcept
{
  if (socket_option(fd, SO_TYPE) >= 0)
    return kind_of_socket(fd);
  if (is_pipe(fd))
    return descriptor_kind::pipe;
  return is_event(fd) ? descriptor_kind::event : descriptor_kind::other;
}

} // namespace detail
} // namespace abi_0
} // namespace interlock
