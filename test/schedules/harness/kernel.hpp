// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The descriptors of one run, and the system calls on them.
//
// A descriptor is the lowest number that is free. A call on one that is not open fails the run: the library has
// touched a descriptor that is not its own any more. A scenario says what a descriptor does: whether close(2)
// blocks or fails, what the peer has acknowledged, when it resets.

#ifndef INTERLOCK_TEST_SCHEDULES_HARNESS_KERNEL_HPP
#define INTERLOCK_TEST_SCHEDULES_HARNESS_KERNEL_HPP

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "schedules/harness/scheduler.hpp"

namespace schedules {

/// An I/O object whose descriptor is registered with the reactor.
class reactor_user
{
public:
  virtual void input_has_come() = 0;
  virtual void room_has_come() = 0;
  virtual void connection_has_ended() = 0;

protected:
  ~reactor_user() = default;
};

/// The reactor of a context. An object that is left behind asks for it after the context's end.
struct reactor
{
  bool is_down = false;
  bool was_cut_short = false; ///< The end has not waited longer for threads that are inside.
};

/// What lies behind a descriptor.
struct file
{
  enum class kind
  {
    event,
    epoll,
    socket
  };

  struct watch
  {
    int fd;
    std::uint32_t events;
    void* tag;
    bool edge; // has not been reported
  };

  kind what = kind::socket;
  std::uint64_t count = 0;    // of an event
  std::vector<watch> watches; // of an epoll set
  reactor_user* user = nullptr;
  std::size_t input = 0;     // bytes of the peer that have not been read
  bool reads_inline = false; // the scenario's inner object completes a read inside its initiation
  bool is_writable = true;
  std::size_t queued = 0; // bytes that the peer has not acknowledged
  bool sent_fin = false;
  bool peer_fin = false;
  int error = 0;        // of the connection, until a call takes it
  bool is_over = false; // the connection has been reset or has timed out
  ::linger linger = {0, 0};
  int close_error = 0;        // what close(2) returns
  bool close_blocks = false;  // close(2) takes an hour
  bool close_is_held = false; // close(2) takes until the descriptor is let go
  bool is_strangers =
    false; // another part of the program has opened it: the library must not touch it
  bool is_parents =
    false; // an event or an epoll set that a child has a copy of: it may only close it
};

class kernel
{
public:
  /// Of the run under way.
  static kernel& current();

  /// A kernel without descriptors, for the next run.
  static void begin_run();

  // --- For scenarios.

  /// A connected socket.
  int open_socket();

  /// A socket of another part of the program: a touch of it fails the run until that part closes it.
  int open_strangers_socket();
  void close_strangers_socket(int fd);

  file& at(int fd);
  bool is_open(int fd) const;

  /// How many descriptors are open.
  std::size_t open_files() const;

  /// A held close(2) of this number ends, also one that has not begun.
  void let_go(int fd);

  /// How many held calls of close(2) there have been at a time, at most.
  std::size_t most_held_closes() const
  {
    return most_held_;
  }

  /// The thread that has called close(2) with this number last. Empty: none has.
  const std::string& closer_of(int fd) const;

  /// From now on nothing can be opened: EMFILE.
  void refuse_descriptors(bool refused)
  {
    refused_ = refused;
  }

  /// The peer resets the connection, if the descriptor is open.
  void reset(int fd);

  /// The peer ends its side of the connection, if the descriptor is open.
  void end_stream(int fd);

  /// The peer sends something, if the descriptor is open.
  void arrive(int fd, std::size_t bytes);

  /// The peer takes something: there is room to write, if the descriptor is open.
  void make_room(int fd);

  /// What the socket's peer has done: wakes those that wait for it.
  void changed(int fd);

  /// What pthread_atfork(3) is given.
  void at_fork(void (*before)(), void (*in_parent)(), void (*in_child)())
  {
    before_fork_ = before;
    in_parent_ = in_parent;
    in_child_ = in_child;
  }

  /// A fork by the calling thread, as the parent has it. At the fork itself no thread of the library has a lock, unless
  /// one has been in a call for so long that it was not waited for, or was left behind by the end of a context.
  void fork();

  /// The same, but that the run goes on as the child. Other threads do not use the context meanwhile, as Asio demands.
  void fork_to_child();

  /// Lasts as long as the run.
  reactor& make_reactor()
  {
    return reactors_.emplace_back();
  }

  /// The reactor of the run's contexts is this process's own.
  void renew_reactor()
  {
    reactor_process_ = process_;
  }

  /// Whether a change of it would change the parent's.
  bool has_parents_reactor() const
  {
    return reactor_process_ != process_;
  }

  /// The number of the process that the run goes on as.
  int process() const
  {
    return process_;
  }

  // --- System calls.

  int close(int fd);
  int eventfd();
  int epoll_create();
  int epoll_ctl(int set, int what, int fd, ::epoll_event* e);
  int epoll_wait(int set, ::epoll_event* events, int most, int milliseconds);
  int poll(::pollfd* p, std::size_t count, int milliseconds);
  ::ssize_t read(int fd, void* to, std::size_t size);
  ::ssize_t write(int fd, const void* from, std::size_t size);
  ::ssize_t recv(int fd, std::size_t size);
  int shutdown(int fd);
  int get_option(int fd, int level, int name, void* value, ::socklen_t* size);
  int set_option(int fd, int level, int name, const void* value, ::socklen_t size);
  int query(int fd, unsigned long what, int* value);
  int peer_name(int fd);

  /// Touches the descriptor as the reactor does: fails the run if it is not open.
  file& touch(int fd, const char* what);

private:
  void begin_fork();
  file& check(int fd, const char* what);
  int put(std::unique_ptr<file> f);
  short ready(const file& f) const;
  std::uint32_t news(const file::watch& w) const;
  bool has_news(const file& set) const;
  void block(const file& closing, int fd);

  std::vector<std::unique_ptr<file>> files_;
  std::map<int, std::string> closers_;
  std::set<int> let_go_;
  std::size_t held_ = 0;
  std::size_t most_held_ = 0;
  bool refused_ = false;
  void (*before_fork_)() = nullptr;
  void (*in_parent_)() = nullptr;
  void (*in_child_)() = nullptr;
  int process_ = 1;
  std::deque<reactor> reactors_;
  int reactor_process_ = 1;
};

} // namespace schedules

#endif // INTERLOCK_TEST_SCHEDULES_HARNESS_KERNEL_HPP
