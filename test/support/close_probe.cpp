// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The close(2) of this program. It comes before the C library's, for a static and for a shared
// library alike; ThreadSanitizer's own, which also looks for races on descriptors, is still passed
// through. Without a watch nothing here is locked, so that no race is hidden.

#include "close_probe.hpp"

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <stdexcept>

#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "wait_until.hpp"

extern "C" __attribute__((weak)) int __interceptor_close(int fd);

namespace support {

namespace {

std::mutex mutex;
std::condition_variable changed;
std::atomic<close_watch*> watches{nullptr};
std::atomic<std::size_t> strays{0};

int close_really(int fd) noexcept
{
  const int result = __interceptor_close ? __interceptor_close(fd)
                                         : static_cast<int>(::syscall(SYS_close, fd));
  if (result != 0 && errno == EBADF)
    strays.fetch_add(1, std::memory_order_relaxed);
  return result;
}

bool lingers(int fd) noexcept
{
  ::linger value = {};
  ::socklen_t size = sizeof(value);
  return ::getsockopt(fd, SOL_SOCKET, SO_LINGER, &value, &size) == 0 && value.l_onoff != 0
    && value.l_linger != 0;
}

} // namespace

struct close_probe
{
  /// The watch on what `descriptor` is now, if there is one. With the mutex. ThreadSanitizer does not look at it: it
  /// closes files itself while it makes a report, takes no notice of locks then, and would wait for itself to report
  /// that.
  __attribute__((no_sanitize("thread"))) static close_watch* find(int fd) noexcept
  {
    struct ::stat now;
    if (::fstat(fd, &now) != 0)
      return nullptr;
    for (close_watch* w = watches.load(); w; w = w->next_)
      if (w->fd_ == fd && w->device_ == now.st_dev && w->inode_ == now.st_ino)
        return w;
    return nullptr;
  }

  static int close(int fd)
  {
    std::unique_lock<std::mutex> lock(mutex);
    close_watch* const w = find(fd);
    if (w)
      arrive(*w, lock);
    lock.unlock();
    const int result = close_really(fd);
    return w ? depart(*w, result) : result;
  }

private:
  static void arrive(close_watch& w, std::unique_lock<std::mutex>& lock)
  {
    if (w.arrived_++ == 0)
    {
      w.close_waiter_ = std::this_thread::get_id();
      w.by_worker_ = on_worker();
      w.lingered_ = lingers(w.fd_);
    }
    changed.wait(lock, [&w] { return !w.gate_shut_; });
  }

  static int depart(close_watch& w, int result)
  {
    const std::lock_guard<std::mutex> lock(mutex);
    ++w.closed_;
    changed.notify_all();
    if (result != 0 || w.error_ == 0)
      return result;
    errno = w.error_;
    return -1;
  }
};

close_watch::close_watch(int fd)
  : fd_(fd)
{
  struct ::stat now;
  if (::fstat(fd, &now) != 0)
    throw std::runtime_error("a watch needs an open descriptor");
  device_ = now.st_dev;
  inode_ = now.st_ino;
  const std::lock_guard<std::mutex> lock(mutex);
  next_ = watches.load();
  watches.store(this);
}

close_watch::~close_watch()
{
  std::unique_lock<std::mutex> lock(mutex);
  gate_shut_ = false;
  changed.notify_all();
  changed.wait(lock, [this] { return closed_ == arrived_; });
  unlink();
}

void close_watch::unlink() noexcept
{
  close_watch* before = watches.load();
  if (before == this)
  {
    watches.store(next_);
    return;
  }
  while (before->next_ != this)
    before = before->next_;
  before->next_ = next_;
}

void close_watch::report(int error)
{
  const std::lock_guard<std::mutex> lock(mutex);
  error_ = error;
}

void close_watch::shut_gate()
{
  const std::lock_guard<std::mutex> lock(mutex);
  gate_shut_ = true;
}

void close_watch::open_gate()
{
  const std::lock_guard<std::mutex> lock(mutex);
  gate_shut_ = false;
  changed.notify_all();
}

std::size_t close_watch::arrived() const
{
  const std::lock_guard<std::mutex> lock(mutex);
  return arrived_;
}

std::size_t close_watch::closed() const
{
  const std::lock_guard<std::mutex> lock(mutex);
  return closed_;
}

bool close_watch::wait_arrived() const
{
  return wait_until([this] { return arrived() != 0; });
}

bool close_watch::wait_closed() const
{
  return wait_until([this] { return closed() != 0; });
}

std::thread::id close_watch::close_waiter() const
{
  const std::lock_guard<std::mutex> lock(mutex);
  return close_waiter_;
}

bool close_watch::by_worker() const
{
  const std::lock_guard<std::mutex> lock(mutex);
  return by_worker_;
}

bool close_watch::lingered() const
{
  const std::lock_guard<std::mutex> lock(mutex);
  return lingered_;
}

std::size_t stray_closes() noexcept
{
  return strays.load(std::memory_order_relaxed);
}

bool on_worker() noexcept
{
  char name[16] = {};
  return ::pthread_getname_np(::pthread_self(), name, sizeof(name)) == 0
    && std::strncmp(name, "interlock", 9) == 0;
}

} // namespace support

extern "C" __attribute__((visibility("default"))) int close(int fd)
{
  // As the C library's: close(2) is a cancellation point (pthreads(7)).
  ::pthread_testcancel();
  if (support::watches.load(std::memory_order_relaxed))
    return support::close_probe::close(fd);
  return support::close_really(fd);
}
