// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Pipes that cannot be closed: a thread in splice(2), from a pipe to a full socket, holds the pipe, and close(2) of its
// other end waits for as long.

#ifndef INTERLOCK_BENCH_STUCK_HELD_PIPES_HPP
#define INTERLOCK_BENCH_STUCK_HELD_PIPES_HPP

#include <cstddef>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

namespace bench {

/// Sends until there is no room any more.
inline void fill(int fd)
{
  const std::vector<char> some(1 << 16);
  while (
    ::send(fd, some.data(), some.size(), MSG_DONTWAIT) > 0 || ::send(fd, "", 1, MSG_DONTWAIT) > 0)
  {
  }
}

/// A pipe whose writing end cannot be closed for as long as this lives.
class held_pipe
{
public:
  held_pipe()
  {
    const std::vector<char> some(4096);
    if (::pipe2(ends_, O_CLOEXEC) != 0 || ::socketpair(AF_UNIX, SOCK_STREAM, 0, sockets_) != 0
      || ::write(ends_[1], some.data(), some.size()) < 0)
      std::abort();
    fill(sockets_[0]);
    std::promise<::pid_t> id;
    holder_ = std::thread(
      [this, &id]
      {
        id.set_value(::gettid());
        ::splice(ends_[0], nullptr, sockets_[0], nullptr, 4096, 0);
      });
    await_sleep(id.get_future().get());
  }

  held_pipe(const held_pipe&) = delete;
  held_pipe& operator=(const held_pipe&) = delete;

  ~held_pipe()
  {
    std::vector<char> rest(1 << 16);
    while (::recv(sockets_[1], rest.data(), rest.size(), MSG_DONTWAIT) > 0)
    {
    }
    holder_.join();
    for (int fd : {ends_[0], sockets_[0], sockets_[1]})
      ::close(fd);
  }

  int writing_end() const
  {
    return ends_[1];
  }

private:
  static void await_sleep(::pid_t thread)
  {
    const std::string path = "/proc/self/task/" + std::to_string(thread) + "/stat";
    std::string number, name, state;
    while (state != "S")
    {
      std::this_thread::yield();
      std::ifstream(path) >> number >> name >> state;
    }
  }

  int ends_[2] = {-1, -1};
  int sockets_[2] = {-1, -1};
  std::thread holder_;
};

/// So many of them.
class held_pipes
{
public:
  explicit held_pipes(std::size_t count)
    : pipes_(count)
  {
  }

  /// The writing ends, which the caller closes.
  std::vector<int> descriptors() const
  {
    std::vector<int> all;
    for (const held_pipe& p : pipes_)
      all.push_back(p.writing_end());
    return all;
  }

  void release()
  {
    pipes_.clear();
  }

private:
  std::deque<held_pipe> pipes_;
};

} // namespace bench

#endif // INTERLOCK_BENCH_STUCK_HELD_PIPES_HPP
