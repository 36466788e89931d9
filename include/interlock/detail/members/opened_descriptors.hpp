// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Opens objects with descriptors that Interlock makes rather than Asio. Whatever fails, each descriptor is
// owned by its object or closed. On EMFILE or ENFILE, waits for queued closes and retries once.

#ifndef INTERLOCK_DETAIL_MEMBERS_OPENED_DESCRIPTORS_HPP
#define INTERLOCK_DETAIL_MEMBERS_OPENED_DESCRIPTORS_HPP

#include <utility>

#include <boost/system/error_code.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/io_core.hpp>
#include <interlock/detail/descriptor/close_descriptor.hpp>
#include <interlock/detail/members/common_calls.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// Owns a descriptor until an object takes it.
class unused_fd
{
public:
  unused_fd() = default;
  unused_fd(const unused_fd&) = delete;
  unused_fd& operator=(const unused_fd&) = delete;

  ~unused_fd()
  {
    if (fd_ >= 0)
      close_unused(fd_);
  }

  void set(int fd) noexcept
  {
    fd_ = fd;
  }

  int get() const noexcept
  {
    return fd_;
  }

  void taken() noexcept
  {
    fd_ = no_descriptor;
  }

private:
  int fd_ = no_descriptor;
};

/// Assigns a descriptor to Asio's stream descriptor.
struct take_descriptor
{
  template <class Tenure>
  void operator()(Tenure& t, unused_fd& n, error_code& ec) const
  {
    t.inner().assign(n.get(), ec);
    if (!ec)
      n.taken();
  }
};

/// Assigns a descriptor to Asio's socket.
template <class Protocol>
struct take_socket
{
  const Protocol& protocol;

  template <class Tenure>
  void operator()(Tenure& t, unused_fd& n, error_code& ec) const
  {
    t.inner().assign(protocol, n.get(), ec);
    if (ec)
      return;
    n.taken();
    t.set_protocol(protocol);
  }
};

/// Closes the first end if the second cannot be opened.
template <class Core>
class lone_end
{
public:
  explicit lone_end(Core& core) noexcept
    : core_(&core)
  {
  }

  lone_end(const lone_end&) = delete;
  lone_end& operator=(const lone_end&) = delete;

  ~lone_end()
  {
    if (core_)
      core_->close();
  }

  void connected() noexcept
  {
    core_ = nullptr;
  }

private:
  Core* core_;
};

namespace functions {

/// Calls `make(ec)`, and once more if no descriptor was left.
template <class Make>
void make_fds(tenure_base& t, error_code& ec, Make make)
{
  make(ec);
  if (detail::descriptors_may_have_come(t, ec))
    make(ec);
}

/// Opens `core` with the descriptor that `make(ec)` returns.
template <class Core, class Make, class Take>
error_code open_made(Core& core, error_code& ec, Make make, Take take)
{
  unused_fd n;
  core.open(
    ec, descriptor_owner::object,
    [&](tenure_base& t, error_code& e)
    { functions::make_fds(t, e, [&](error_code& failed) { n.set(make(failed)); }); },
    [&](auto& t, error_code& e) { take(t, n, e); });
  return ec;
}

/// Calls `make(descriptors, ec)`, and once more if no descriptor was left.
template <class Make>
void make_ends(tenure_base& t, unused_fd (&ends)[2], error_code& ec, Make make)
{
  int fds[2] = {no_descriptor, no_descriptor};
  functions::make_fds(t, ec, [&](error_code& failed) { make(fds, failed); });
  if (ec)
    return;
  ends[0].set(fds[0]);
  ends[1].set(fds[1]);
}

/// Opens both objects, with the descriptors that `make(descriptors, ec)` fills in, or neither.
template <class Core1, class Core2, class Make, class Take>
error_code open_connected(Core1& first, Core2& second, error_code& ec, Make make, Take take)
{
  unused_fd ends[2];
  first.open(
    ec, descriptor_owner::object,
    [&](tenure_base& t, error_code& e) { functions::make_ends(t, ends, e, make); },
    [&](auto& t, error_code& e) { take(t, ends[0], e); });
  if (ec)
    return ec;
  lone_end<Core1> opened(first);
  second.open(ec, descriptor_owner::object, [&](auto& t, error_code& e) { take(t, ends[1], e); });
  if (!ec)
    opened.connected();
  return ec;
}

} // namespace functions
} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_MEMBERS_OPENED_DESCRIPTORS_HPP
