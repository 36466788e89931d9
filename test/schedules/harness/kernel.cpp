// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include "schedules/harness/kernel.hpp"

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include "schedules/harness/faults.hpp"
#include "schedules/harness/memory.hpp"
#include "schedules/harness/race.hpp"

namespace schedules {

namespace {

int failed(int error)
{
  errno = error;
  return -1;
}

duration time_limit(int milliseconds)
{
  if (milliseconds < 0)
    return scheduler::forever;
  return scheduler::current()->now() + std::chrono::milliseconds(milliseconds);
}

/// The call fails in this run, with errno set.
bool fails(const char* call)
{
  const int error = faults::current().next(call);
  errno = error;
  return error != 0;
}

/// The states of TCP that netinet/tcp.h names.
int tcp_state_of(const file& f)
{
  if (f.is_over)
    return TCP_CLOSE;
  const bool acknowledged = f.queued == 0;
  if (f.sent_fin && f.peer_fin)
    return acknowledged ? TCP_CLOSE : TCP_LAST_ACK;
  if (f.sent_fin)
    return acknowledged ? TCP_FIN_WAIT2 : TCP_FIN_WAIT1;
  return f.peer_fin ? TCP_CLOSE_WAIT : TCP_ESTABLISHED;
}

std::unique_ptr<kernel> the_kernel;

} // namespace

kernel& kernel::current()
{
  return *the_kernel;
}

void kernel::begin_run()
{
  the_kernel = std::make_unique<kernel>();
}

file& kernel::touch(int fd, const char* what)
{
  scheduler::current()->point(what, this);
  return check(fd, what);
}

file& kernel::check(int fd, const char* what)
{
  scheduler& s = *scheduler::current();
  if (!is_open(fd))
    s.fail(std::string(what) + " on descriptor " + std::to_string(fd) + ", which is not open");
  if (at(fd).is_strangers)
    s.fail(std::string(what) + " on descriptor " + std::to_string(fd)
      + ", which is another owner's by now");
  if (at(fd).is_parents && std::string(what) != "close")
    s.fail(std::string(what) + " on descriptor " + std::to_string(fd)
      + ", which is a copy of the parent's");
  return at(fd);
}

bool kernel::is_open(int fd) const
{
  return fd >= 0 && static_cast<std::size_t>(fd) < files_.size()
    && files_[static_cast<std::size_t>(fd)];
}

file& kernel::at(int fd)
{
  return *files_[static_cast<std::size_t>(fd)];
}

int kernel::put(std::unique_ptr<file> f)
{
  const auto place = std::find(files_.begin(), files_.end(), nullptr);
  if (refused_)
    return failed(EMFILE);
  const auto fd = static_cast<int>(place - files_.begin());
  if (place == files_.end())
    files_.push_back(std::move(f));
  else
    *place = std::move(f);
  return fd;
}

int kernel::open_socket()
{
  const memory::of_harness harness;
  scheduler::current()->point("open", this);
  return put(std::make_unique<file>());
}

int kernel::open_strangers_socket()
{
  const int fd = open_socket();
  at(fd).is_strangers = true;
  return fd;
}

void kernel::close_strangers_socket(int fd)
{
  at(fd).is_strangers = false;
  close(fd);
}

std::size_t kernel::open_files() const
{
  return files_.size()
    - static_cast<std::size_t>(std::count(files_.begin(), files_.end(), nullptr));
}

void kernel::changed(int fd)
{
  for (const auto& f : files_)
    if (f)
      for (file::watch& w : f->watches)
        if (w.fd == fd)
          w.edge = true;
}

void kernel::reset(int fd)
{
  scheduler::current()->point("reset", this);
  if (!is_open(fd))
    return;
  at(fd).error = ECONNRESET;
  at(fd).is_over = true;
  changed(fd);
  if (at(fd).user)
    at(fd).user->connection_has_ended();
}

void kernel::end_stream(int fd)
{
  scheduler::current()->point("end of stream", this);
  if (!is_open(fd))
    return;
  at(fd).peer_fin = true;
  changed(fd);
}

void kernel::arrive(int fd, std::size_t bytes)
{
  scheduler::current()->point("arrival", this);
  if (!is_open(fd))
    return;
  at(fd).input += bytes;
  changed(fd);
  if (at(fd).user)
    at(fd).user->input_has_come();
}

void kernel::make_room(int fd)
{
  scheduler::current()->point("room", this);
  if (!is_open(fd))
    return;
  at(fd).is_writable = true;
  changed(fd);
  if (at(fd).user)
    at(fd).user->room_has_come();
}

int kernel::close(int fd)
{
  const memory::of_harness harness;
  file& f = touch(fd, "close");
  scheduler& s = *scheduler::current();
  if (f.user)
    s.fail("close(2) before the reactor has forgotten the descriptor");
  // The descriptor is free as soon as close(2) has begun.
  const std::unique_ptr<file> closing = std::move(files_[static_cast<std::size_t>(fd)]);
  for (const auto& other : files_)
    if (other)
      for (const file::watch& w : other->watches)
        if (w.fd == fd && closing->what == file::kind::socket)
          s.fail("close(2) of a socket that an epoll set still has");
  const bool lingers = closing->linger.l_onoff != 0 && closing->linger.l_linger != 0;
  if (lingers && !faults::current().are_planned()) // the option may be one that cannot be cleared
    s.fail("close(2) of a socket that lingers");
  closers_[fd] = s.name_of_self();
  block(*closing, fd);
  if (fails("close"))
    return -1; // and the descriptor is closed
  return closing->close_error ? failed(closing->close_error) : 0;
}

void kernel::block(const file& closing, int fd)
{
  scheduler& s = *scheduler::current();
  if (closing.close_blocks)
  {
    const when never([] { return false; });
    s.wait(never, s.now() + std::chrono::hours(1), "blocked close", this);
  }
  if (!closing.close_is_held)
    return;
  most_held_ = std::max(most_held_, ++held_);
  const when is_let_go([&] { return let_go_.count(fd) != 0; });
  s.wait(is_let_go,
    faults::current().are_planned() ? s.now() + std::chrono::hours(1) : scheduler::forever,
    "held close", this, scheduler::limit::at_rest);
  --held_;
}

void kernel::let_go(int fd)
{
  const memory::of_harness harness;
  scheduler::current()->point("end of a held close", this);
  let_go_.insert(fd);
}

const std::string& kernel::closer_of(int fd) const
{
  static const std::string none;
  const auto found = closers_.find(fd);
  return found == closers_.end() ? none : found->second;
}

void kernel::begin_fork()
{
  scheduler& s = *scheduler::current();
  const duration begun = s.now();
  if (before_fork_)
    before_fork_();
  s.point("fork", this);
  const bool none_left_behind = s.now() < std::chrono::seconds(1); // by the end of a context
  if (before_fork_ && s.now() == begun && none_left_behind
    && s.has_lock(scheduler::thread_of_library))
    s.fail("a thread of the library has a lock at a fork");
}

void kernel::fork()
{
  begin_fork();
  if (in_parent_)
    in_parent_();
}

void kernel::fork_to_child()
{
  begin_fork();
  scheduler::current()->go_on_alone();
  ++process_;
  for (const auto& f : files_)
    if (f)
      f->is_parents = f->what != file::kind::socket;
  if (in_child_)
    in_child_();
}

int kernel::eventfd()
{
  const memory::of_harness harness;
  scheduler::current()->point("eventfd", this);
  if (fails("eventfd"))
    return -1;
  auto f = std::make_unique<file>();
  f->what = file::kind::event;
  return put(std::move(f));
}

int kernel::epoll_create()
{
  const memory::of_harness harness;
  scheduler::current()->point("epoll_create1", this);
  if (fails("epoll_create1"))
    return -1;
  auto f = std::make_unique<file>();
  f->what = file::kind::epoll;
  return put(std::move(f));
}

int kernel::epoll_ctl(int set, int what, int fd, ::epoll_event* e)
{
  const memory::of_harness harness;
  file& f = touch(set, "epoll_ctl");
  check(fd, "epoll_ctl for a socket");
  if (what == EPOLL_CTL_ADD && fails("epoll_ctl"))
    return -1;
  const auto found = std::find_if(
    f.watches.begin(), f.watches.end(), [fd](const file::watch& w) { return w.fd == fd; });
  race::release(&f);
  if (what == EPOLL_CTL_ADD && found == f.watches.end())
    f.watches.push_back({fd, e->events, e->data.ptr, true});
  else if (what == EPOLL_CTL_DEL && found != f.watches.end())
    f.watches.erase(found);
  else
    return failed(what == EPOLL_CTL_ADD ? EEXIST : ENOENT);
  return 0;
}

short kernel::ready(const file& f) const
{
  if (f.what == file::kind::event)
    return f.count != 0 ? POLLIN : 0;
  if (f.what == file::kind::epoll)
    return has_news(f) ? POLLIN : 0;
  int events = 0;
  if (f.input != 0 || f.peer_fin)
    events |= POLLIN;
  if (f.peer_fin)
    events |= POLLRDHUP;
  if (f.is_writable)
    events |= POLLOUT;
  if (f.error != 0)
    events |= POLLERR;
  if (f.is_over)
    events |= POLLHUP | POLLIN | POLLOUT;
  return static_cast<short>(events);
}

/// What epoll_wait(2) tells of it.
std::uint32_t kernel::news(const file::watch& w) const
{
  const auto now = static_cast<std::uint32_t>(ready(*files_[static_cast<std::size_t>(w.fd)]));
  return (w.events & EPOLLET) != 0 && !w.edge ? 0 : now & (w.events | EPOLLERR | EPOLLHUP);
}

bool kernel::has_news(const file& set) const
{
  return std::any_of(
    set.watches.begin(), set.watches.end(), [this](const file::watch& w) { return news(w) != 0; });
}

int kernel::epoll_wait(int set, ::epoll_event* events, int most, int milliseconds)
{
  const memory::of_harness harness;
  file& f = touch(set, "epoll_wait");
  if (fails("epoll_wait"))
    return -1;
  const when something([&] { return has_news(f); });
  scheduler::current()->wait(something, time_limit(milliseconds), "epoll_wait ends", this);
  race::acquire(&f);
  int count = 0;
  for (file::watch& w : f.watches)
    if (const std::uint32_t now = count < most ? news(w) : 0)
    {
      if (files_[static_cast<std::size_t>(w.fd)]->what == file::kind::event)
        race::acquire(files_[static_cast<std::size_t>(w.fd)].get());
      events[count].events = now;
      events[count++].data.ptr = w.tag;
      w.edge = false;
    }
  return count;
}

int kernel::poll(::pollfd* p, std::size_t count, int milliseconds)
{
  const memory::of_harness harness;
  for (std::size_t i = 0; i != count; ++i)
    if (p[i].fd >= 0)
      touch(p[i].fd, "poll");
  if (fails("poll"))
    return -1;
  const auto found = [this](const ::pollfd& one)
  {
    // poll(2) holds the file, and does not notice that the descriptor is closed meanwhile.
    if (one.fd < 0 || !is_open(one.fd))
      return 0;
    return ready(*files_[static_cast<std::size_t>(one.fd)]) & (one.events | POLLERR | POLLHUP);
  };
  const auto any = [&] { return std::any_of(p, p + count, found); };
  if (milliseconds != 0)
    scheduler::current()->wait(
      when<decltype(any)>(any), time_limit(milliseconds), "poll ends", this);
  int ready_count = 0;
  for (std::size_t i = 0; i != count; ++i)
  {
    p[i].revents = static_cast<short>(found(p[i]));
    ready_count += p[i].revents != 0;
  }
  return ready_count;
}

::ssize_t kernel::read(int fd, void* to, std::size_t)
{
  const memory::of_harness harness;
  file& f = touch(fd, "read");
  if (fails("read"))
    return -1;
  if (f.count == 0)
    return failed(EAGAIN);
  race::acquire(&f);
  *static_cast<std::uint64_t*>(to) = std::exchange(f.count, 0);
  return sizeof(std::uint64_t);
}

::ssize_t kernel::write(int fd, const void* from, std::size_t)
{
  const memory::of_harness harness;
  file& f = touch(fd, "write");
  if (f.what != file::kind::event)
    scheduler::current()->fail("write(2) of the library on a descriptor that is no eventfd");
  race::release(&f);
  const bool is_full = fails("write");
  f.count += *static_cast<const std::uint64_t*>(from);
  changed(fd);
  return is_full ? -1 : static_cast<::ssize_t>(sizeof(std::uint64_t));
}

::ssize_t kernel::recv(int fd, std::size_t size)
{
  const memory::of_harness harness;
  file& f = touch(fd, "recv");
  if (fails("recv"))
    return -1;
  if (f.error != 0)
    return failed(std::exchange(f.error, 0));
  if (f.is_over)
    return 0;
  if (f.input == 0)
    return f.peer_fin ? 0 : failed(EAGAIN);
  const std::size_t taken = std::min(size, f.input);
  f.input -= taken;
  return static_cast<::ssize_t>(taken);
}

int kernel::shutdown(int fd)
{
  const memory::of_harness harness;
  file& f = touch(fd, "shutdown");
  if (fails("shutdown"))
    return -1;
  if (f.is_over)
    return failed(ENOTCONN);
  f.sent_fin = true;
  changed(fd);
  return 0;
}

int kernel::get_option(int fd, int level, int name, void* value, ::socklen_t* size)
{
  const memory::of_harness harness;
  file& f = touch(fd, "getsockopt");
  if (fails("getsockopt"))
    return -1;
  auto& number = *static_cast<int*>(value);
  if (level == IPPROTO_TCP && name == TCP_INFO)
  {
    *static_cast<unsigned char*>(value) = static_cast<unsigned char>(tcp_state_of(f));
    return 0;
  }
  if (level == IPPROTO_TCP)
    number = 0;
  else if (name == SO_LINGER)
    *static_cast<::linger*>(value) = f.linger;
  else if (name == SO_TYPE)
    number = SOCK_STREAM;
  else if (name == SO_DOMAIN)
    number = AF_INET;
  else if (name == SO_PROTOCOL)
    number = IPPROTO_TCP;
  else if (name == SO_ERROR)
    number = std::exchange(f.error, 0);
  else
    return failed(ENOPROTOOPT);
  static_cast<void>(size);
  return 0;
}

int kernel::set_option(int fd, int level, int name, const void* value, ::socklen_t)
{
  const memory::of_harness harness;
  file& f = touch(fd, "setsockopt");
  if (fails("setsockopt"))
    return -1;
  if (level == SOL_SOCKET && name == SO_LINGER)
    f.linger = *static_cast<const ::linger*>(value);
  return 0;
}

int kernel::query(int fd, unsigned long what, int* value)
{
  const memory::of_harness harness;
  file& f = touch(fd, "ioctl");
  if (fails("ioctl"))
    return -1;
  if (what == SIOCOUTQ || what == SIOCOUTQNSD)
    *value = static_cast<int>(f.queued);
  else if (what == FIONREAD)
    *value = static_cast<int>(f.input);
  return 0;
}

int kernel::peer_name(int fd)
{
  const memory::of_harness harness;
  const bool is_over = touch(fd, "getpeername").is_over;
  return fails("getpeername") ? -1 : is_over ? failed(ENOTCONN) : 0;
}

} // namespace schedules
