// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The raw descriptor, in three ways: to use it for a moment (a lease), to give it away (async_release), and to watch one that
// another library owns (borrowed). Ends with 0 if each has worked.

#include <interlock/borrowed.hpp>
#include <interlock/fd_lease.hpp>
#include <interlock/ip/tcp.hpp>
#include <interlock/posix/stream_descriptor.hpp>

#include <boost/asio.hpp>
#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <iostream>
#include <memory>
#include <netinet/tcp.h>
#include <stdexcept>
#include <string>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::ip::tcp;

namespace {

/// A library that owns a descriptor: it tells of changes in a folder.
class folder_watch
{
public:
  explicit folder_watch(const char* folder)
    : fd_(::inotify_init1(IN_CLOEXEC))
  {
    if (fd_ == -1 || ::inotify_add_watch(fd_, folder, IN_CREATE) == -1)
      throw std::runtime_error("the folder cannot be watched");
  }

  folder_watch(const folder_watch&) = delete;
  folder_watch& operator=(const folder_watch&) = delete;

  ~folder_watch()
  {
    ::close(fd_);
  }

  int descriptor() const
  {
    return fd_;
  }

  /// The name of what has been made; the folder's own if that is unknown.
  std::string next()
  {
    alignas(::inotify_event) char buffer[4096];
    const auto size = ::read(fd_, buffer, sizeof(buffer));
    const auto* event = reinterpret_cast<const ::inotify_event*>(buffer);
    return size > 0 && event->len > 0 ? event->name : ".";
  }

private:
  const int fd_;
};

//[borrowing_lease
/// The round trip time that the kernel has measured, in microseconds. Any thread, also beside a close.
std::uint32_t round_trip_time(tcp::socket& socket)
{
  ::tcp_info info{};
  if (const interlock::fd_lease lease = socket.lease())
  {
    ::socklen_t size = sizeof(info);
    ::getsockopt(lease.get(), IPPROTO_TCP, TCP_INFO, &info, &size);
  }
  return info.tcpi_rtt;
}
//]

/// Another library, which takes a descriptor and closes it.
bool hand_over(int fd)
{
  return ::send(fd, "bye", 3, MSG_NOSIGNAL) == 3 && ::close(fd) == 0;
}

bool give_away(asio::io_context& context, tcp::socket& socket)
{
  bool was_taken = false;
  //[borrowing_release
  socket.async_release(
    [&](error_code ec, int fd)
    {
      if (!ec)
        was_taken = hand_over(fd); // which owns it from here on
    });
  //]
  context.run();
  context.restart();
  return was_taken;
}

} // namespace

int main()
{
  asio::io_context context;
  tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  tcp::socket client(context);
  client.connect(acceptor.local_endpoint());
  tcp::socket socket = acceptor.accept();
  const std::uint32_t time = round_trip_time(socket);
  const bool was_given = give_away(context, socket);

  char name[] = "/tmp/interlock_XXXXXX";
  const std::string folder = ::mkdtemp(name) ? name : throw std::runtime_error("no folder");
  auto watch = std::make_unique<folder_watch>(folder.c_str());
  std::string made;
  //[borrowing_watch
  interlock::posix::stream_descriptor changes(context, watch->descriptor(), interlock::borrowed);
  changes.async_wait(changes.wait_read,
    [&](error_code ec)
    {
      if (!ec)
        made = watch->next();
      changes.async_close(
        [&](error_code) { watch.reset(); }); // no thread is inside a call: its owner may close it
    });
  //]
  const std::string file = folder + "/file";
  ::close(::open(file.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  context.run();
  ::unlink(file.c_str());
  ::rmdir(folder.c_str());

  std::cout << "round trip: " << time << " us; made: " << made << '\n';
  return time != 0 && was_given && made == "file" && !watch ? 0 : 1;
}
