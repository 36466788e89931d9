// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What stands in the place of Asio's socket in a run: an initiation may complete inline, release() queues the aborted
// handlers, and a cancellation reaches into the object without a lock of its own.

#ifndef INTERLOCK_TEST_SCHEDULES_INNER_SOCKET_HPP
#define INTERLOCK_TEST_SCHEDULES_INNER_SOCKET_HPP

#include <algorithm>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include <sys/socket.h>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>

#include "schedules/context.hpp"
#include "schedules/harness/kernel.hpp"
#include "schedules/harness/race.hpp"
#include "schedules/harness/scheduler.hpp"

namespace schedules {

using boost::system::error_code;

/// What an object is opened as: a TCP socket, whose close(2) cannot block, unless told otherwise.
class inner_protocol
{
public:
  explicit inner_protocol(int type = SOCK_STREAM)
    : type_(type)
  {
  }

  int family() const
  {
    return AF_INET;
  }

  int type() const
  {
    return type_;
  }

  int protocol() const
  {
    return 0;
  }

private:
  int type_;
};

/// A socket of a protocol that the library does not know: its close(2) can block.
inline const inner_protocol may_block(SOCK_SEQPACKET);

/// An I/O object over a descriptor of the run's kernel.
class inner_socket : public reactor_user
{
public:
  using executor_type = executor;
  using native_handle_type = int;
  using protocol_type = inner_protocol;

  explicit inner_socket(const executor& e)
    : executor_(e),
      reactor_(e.where().reactor())
  {
  }

  inner_socket(inner_socket&& other) noexcept
    : executor_(other.executor_),
      reactor_(other.reactor_),
      fd_(std::exchange(other.fd_, -1)),
      reads_(std::move(other.reads_)),
      writes_(std::move(other.writes_))
  {
    if (fd_ != -1)
      kernel::current().at(fd_).user = this;
  }

  virtual ~inner_socket()
  {
    if (fd_ != -1)
      scheduler::current()->fail("an I/O object is destroyed with its descriptor in the reactor");
  }

  executor get_executor() const noexcept
  {
    return executor_;
  }

  bool is_open() const noexcept
  {
    return fd_ != -1;
  }

  int native_handle() const noexcept
  {
    return fd_;
  }

  void assign(int fd)
  {
    fd_ = fd;
    file& f = kernel::current().touch(fd, "registration");
    if (reactor_.is_down)
      scheduler::current()->fail("registration with a reactor that has been shut down");
    require_own_reactor("registration");
    race::write(this);
    f.user = this;
  }

  bool native_non_blocking() const
  {
    return false;
  }

  bool non_blocking() const
  {
    return false;
  }

  void native_non_blocking(bool, error_code& ec)
  {
    ec = error_code();
  }

  int release(error_code& ec) noexcept
  {
    ec = error_code();
    file& f = kernel::current().touch(fd_, "deregistration");
    if (users_ != 0)
      scheduler::current()->fail("a detach while a thread is inside the I/O object");
    require_own_reactor("deregistration");
    require_live_reactor();
    race::acquire(this);
    race::write(this);
    f.user = nullptr;
    abort(reads_);
    abort(writes_);
    return std::exchange(fd_, -1);
  }

  void cancel(error_code& ec)
  {
    ec = error_code();
    const use inside(*this, "cancel");
    abort(reads_);
    abort(writes_);
  }

  template <class Buffers, class Handler>
  void async_read_some(const Buffers&, Handler&& h)
  {
    const use inside(*this, "start of a read");
    file& f = kernel::current().at(fd_);
    if (f.reads_inline)
      return read_inline(std::move(h), std::exchange(f.input, 0));
    add(reads_, std::move(h));
    if (f.input != 0)
      complete(reads_, std::exchange(f.input, 0));
  }

  template <class Buffers, class Handler>
  void async_send(const Buffers&, int, Handler&& h)
  {
    const use inside(*this, "start of a write");
    add(writes_, std::move(h));
    if (kernel::current().at(fd_).is_writable)
      complete(writes_, 1);
  }

  /// One attempt of a synchronous read. Nothing orders it with what other threads do to the object.
  std::size_t read_some(error_code& ec)
  {
    const use inside(*this, "read", false);
    file& f = kernel::current().at(fd_);
    ec = f.input == 0 ? error_code(boost::asio::error::would_block) : error_code();
    return std::exchange(f.input, 0);
  }

  // The reactor orders this and the initiations, by a mutex of the descriptor's.
  void input_has_come() override
  {
    race::acquire(this);
    if (!reads_.empty())
      complete(reads_, std::exchange(kernel::current().at(fd_).input, 0));
    race::release(this);
  }

  void room_has_come() override
  {
    race::acquire(this);
    complete(writes_, 1);
    race::release(this);
  }

  // As Asio's reactor, which performs no operation behind one that has met the end of the connection.
  void connection_has_ended() override
  {
    race::acquire(this);
    for (operations* list : {&reads_, &writes_})
      if (!list->empty())
        finish(*list, boost::asio::error::connection_reset, 0);
    race::release(this);
  }

private:
  struct operation
  {
    virtual ~operation() = default;
    virtual void complete(error_code ec, std::size_t bytes) = 0;
  };

  template <class Handler>
  struct operation_of final : operation
  {
    operation_of(Handler&& h, const executor& e)
      : handler(std::move(h)),
        where(e)
    {
    }

    void complete(error_code ec, std::size_t bytes) override
    {
      const auto there = boost::asio::get_associated_executor(handler, where);
      boost::asio::dispatch(
        there, [own = std::move(handler), ec, bytes]() mutable { std::move(own)(ec, bytes); });
    }

    Handler handler;
    const executor where;
  };

  using operations = std::deque<std::unique_ptr<operation>>;

  /// A thread inside the object: while it is, the descriptor must not leave.
  class use
  {
  public:
    use(inner_socket& s, const char* what, bool is_ordered = true)
      : socket_(s),
        is_ordered_(is_ordered)
    {
      if (s.fd_ == -1)
        scheduler::current()->fail(std::string(what) + " on an I/O object that has been released");
      ++s.users_;
      kernel::current().touch(s.fd_, what);
      if (is_ordered_)
        race::acquire(&s);
      race::read(&s);
    }

    use(const use&) = delete;
    use& operator=(const use&) = delete;

    ~use()
    {
      if (is_ordered_)
        race::release(&socket_);
      --socket_.users_;
    }

  private:
    inner_socket& socket_;
    const bool is_ordered_;
  };

  static void require_own_reactor(const char* what)
  {
    if (kernel::current().has_parents_reactor())
      scheduler::current()->fail(std::string(what) + " with the reactor of the parent");
  }

  void require_live_reactor() const
  {
    if (reactor_.is_down && !reactor_.was_cut_short)
      scheduler::current()->fail("deregistration from a reactor that has been shut down");
  }

  // As with an immediate executor.
  template <class Handler>
  static void read_inline(Handler h, std::size_t bytes)
  {
    std::move(h)(error_code(), bytes);
  }

  // As Asio's, a cancellation reaches into the object without a lock.
  template <class Handler>
  void add(operations& list, Handler&& h)
  {
    auto slot = boost::asio::get_associated_cancellation_slot(h);
    auto made = std::make_unique<operation_of<Handler>>(std::move(h), executor_);
    if (slot.is_connected())
      slot.assign(
        [this, &list, op = made.get()](boost::asio::cancellation_type_t) { cancel(list, op); });
    list.push_back(std::move(made));
  }

  void cancel(operations& list, const operation* op)
  {
    const use inside(*this, "cancellation");
    const auto found = std::find_if(list.begin(), list.end(),
      [op](const std::unique_ptr<operation>& o) { return o.get() == op; });
    if (found == list.end())
      return;
    std::swap(*found, list.front());
    finish(list, boost::asio::error::operation_aborted, 0);
  }

  void finish(operations& list, error_code ec, std::size_t bytes)
  {
    std::shared_ptr<operation> first(std::move(list.front()));
    list.pop_front();
    executor_.where().queue_completion(task([first, ec, bytes] { first->complete(ec, bytes); }));
  }

  void abort(operations& list)
  {
    while (!list.empty())
      finish(list, boost::asio::error::operation_aborted, 0);
  }

  void complete(operations& list, std::size_t bytes)
  {
    if (!list.empty())
      finish(list, error_code(), bytes);
  }

  executor executor_;
  const reactor& reactor_;
  int fd_ = -1;
  unsigned users_ = 0;
  operations reads_;
  operations writes_;
};

/// Of another type, as with another protocol: what an inner_socket has open can be moved into it.
class other_socket final : public inner_socket
{
public:
  using inner_socket::inner_socket;

  explicit other_socket(inner_socket&& other) noexcept
    : inner_socket(std::move(other))
  {
  }
};

/// What arrives is a connection, which inherits SO_LINGER from the listener.
class inner_acceptor final : public inner_socket
{
public:
  using inner_socket::inner_socket;

  template <class Handler>
  void async_accept(const executor& ex, Handler&& h)
  {
    const int listener = native_handle();
    const ::linger inherited = kernel::current().at(listener).linger;
    async_read_some(nullptr,
      [own = std::move(h), ex, listener, inherited](error_code ec, std::size_t) mutable
      {
        inner_socket accepted(ex);
        if (!ec)
          accept(listener, inherited, accepted, ec);
        std::move(own)(ec, std::move(accepted));
      });
  }

  template <class Endpoint, class Handler>
  void async_accept(const executor& ex, Endpoint&, Handler&& h)
  {
    async_accept(ex, std::forward<Handler>(h));
  }

private:
  // Without a descriptor the connection waits for the next accept.
  static void accept(int listener, const ::linger& inherited, inner_socket& into, error_code& ec)
  {
    const int fd = kernel::current().open_socket();
    if (fd < 0)
    {
      ec = boost::asio::error::no_descriptors;
      return kernel::current().arrive(listener, 1);
    }
    kernel::current().at(fd).linger = inherited;
    into.assign(fd);
  }
};

} // namespace schedules

#endif // INTERLOCK_TEST_SCHEDULES_INNER_SOCKET_HPP
