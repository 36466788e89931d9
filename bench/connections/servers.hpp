// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Servers that accept a number of connections, echo each message, and close a connection after its last message. They
// differ in what they are written over, and in how they close.
//
// A client sends a message when it has the echo of the one before, so that one read finds at most one. A server echoes
// what it reads, which may be a part.

#ifndef INTERLOCK_BENCH_CONNECTIONS_SERVERS_HPP
#define INTERLOCK_BENCH_CONNECTIONS_SERVERS_HPP

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#if defined(BENCH_HAS_LIBUV)
#include <uv.h>
#endif

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>

#include <interlock/ip/tcp.hpp>

#include "client.hpp"

namespace bench {

namespace asio = boost::asio;
using boost::system::error_code;

inline void require(const error_code& ec, const char* what)
{
  errno = ec.value();
  require(!ec, what);
}

/// What a server has to serve, and where it writes when it closes each.
struct task
{
  std::size_t count;
  std::size_t size; // of a message
  const shared_times& closed;
};

/// A message that is coming, and a byte more of room. A usual one needs no memory of its own.
class incoming
{
public:
  explicit incoming(std::size_t size)
    : size_(size)
  {
    if (size >= sizeof(usual_))
      large_ = std::make_unique<char[]>(size + 1);
  }

  char* data()
  {
    return large_ ? large_.get() : usual_;
  }

  /// Where the next part goes.
  char* next()
  {
    return data() + got_;
  }

  std::size_t room() const
  {
    return size_ - got_;
  }

  /// Whether it is complete, and the next one begins.
  bool add(std::size_t size)
  {
    got_ += size;
    if (got_ != size_)
      return false;
    got_ = 0;
    return true;
  }

private:
  const std::size_t size_;
  std::size_t got_ = 0;
  std::unique_ptr<char[]> large_;
  char usual_[65];
};

// --- Ways to close a session, which is deleted.

struct by_close
{
  template <class Session>
  static void end(Session* s)
  {
    s->socket.close();
    delete s;
  }
};

struct by_destructor
{
  template <class Session>
  static void end(Session* s)
  {
    delete s;
  }
};

struct by_async_close
{
  template <class Session>
  static void end(Session* s)
  {
    s->socket.async_close([s](const error_code&) { delete s; });
  }
};

// --- Executors of the accepted sockets.

struct on_context
{
  template <class Acceptor, class Handler>
  static void accept(Acceptor& a, Handler h)
  {
    a.async_accept(std::move(h));
  }
};

struct on_strand
{
  template <class Acceptor, class Handler>
  static void accept(Acceptor& a, Handler h)
  {
    a.async_accept(asio::make_strand(a.get_executor()), std::move(h));
  }
};

/// A server over Asio's interface. One context, run by every thread.
template <class Tcp, class End, class Where = on_context>
class asio_server
{
public:
  explicit asio_server(const task& t)
    : task_(t),
      acceptor_(context_, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0))
  {
  }

  /// Not by native_handle(), after which Interlock asks the system about each connection.
  ::sockaddr_in address()
  {
    const auto where = acceptor_.local_endpoint();
    ::sockaddr_in a = {};
    std::memcpy(&a, where.data(), sizeof(a));
    return a;
  }

  /// Before the threads run.
  void start()
  {
    accept();
  }

  void run(unsigned)
  {
    context_.run();
  }

private:
  template <class Socket>
  struct session
  {
    session(asio_server& server, Socket&& s)
      : owner(server),
        socket(std::move(s)),
        message(server.task_.size)
    {
    }

    void serve()
    {
      socket.async_read_some(asio::buffer(message.next(), message.room()),
        [this](const error_code& ec, std::size_t size)
        {
          require(ec, "read");
          asio::async_write(socket, asio::buffer(message.next(), size),
            [this](const error_code& e, std::size_t written)
            {
              require(e, "write");
              go_on(written);
            });
        });
    }

    void go_on(std::size_t size)
    {
      if (!message.add(size))
        return serve();
      const message_head head = head_of(message.data());
      if (head.left != 0)
        return serve();
      owner.task_.closed[head.number] = nanoseconds();
      End::end(this);
    }

    asio_server& owner;
    Socket socket;
    incoming message;
  };

  void accept()
  {
    Where::accept(acceptor_,
      [this](const error_code& ec, auto s)
      {
        require(ec, "accept");
        auto* const made = new session<decltype(s)>(*this, std::move(s));
        if (++accepted_ != task_.count)
          accept();
        made->serve();
      });
  }

  const task task_;
  asio::io_context context_;
  typename Tcp::acceptor acceptor_;
  std::size_t accepted_ = 0;
};

/// One listener for each thread, all at one address; the kernel spreads the connections.
class listeners
{
public:
  explicit listeners(unsigned count)
  {
    for (unsigned i = 0; i != count; ++i)
      add();
  }

  listeners(const listeners&) = delete;
  listeners& operator=(const listeners&) = delete;

  ~listeners()
  {
    for (const int fd : fds_)
      ::close(fd);
  }

  int operator[](unsigned i) const
  {
    return fds_[i];
  }

  const ::sockaddr_in& address() const
  {
    return address_;
  }

private:
  void add()
  {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    auto* const a = reinterpret_cast<::sockaddr*>(&address_);
    ::socklen_t size = sizeof(address_);
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    require(fd >= 0 && ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0, "socket");
    require(::bind(fd, a, size) == 0 && ::getsockname(fd, a, &size) == 0, "bind");
    require(::listen(fd, SOMAXCONN) == 0, "listen");
    fds_.push_back(fd);
  }

  std::vector<int> fds_;
  ::sockaddr_in address_ = {};
};

/// The client reads meanwhile: a wait for room is short.
inline void send_all(int fd, const char* data, std::size_t size)
{
  while (size != 0)
  {
    const ::ssize_t put = ::send(fd, data, size, MSG_NOSIGNAL);
    ::pollfd room = {fd, POLLOUT, 0};
    require(put >= 0 || (errno == EAGAIN && ::poll(&room, 1, -1) == 1), "send");
    data += put > 0 ? put : 0;
    size -= put > 0 ? std::size_t(put) : 0;
  }
}

/// A loop over epoll(7), with nothing between.
class epoll_server
{
public:
  epoll_server(const task& t, unsigned threads)
    : task_(t),
      listeners_(threads),
      end_(::eventfd(0, EFD_CLOEXEC))
  {
  }

  ~epoll_server()
  {
    ::close(end_);
  }

  ::sockaddr_in address()
  {
    return listeners_.address();
  }

  void start() {}

  void run(unsigned thread)
  {
    const int set = ::epoll_create1(EPOLL_CLOEXEC);
    const int listener = listeners_[thread];
    messages coming;
    add(set, listener, EPOLLIN);
    add(set, end_, EPOLLIN);
    for (bool over = false; !over;)
    {
      ::epoll_event events[128];
      const int found = ::epoll_wait(set, events, 128, -1);
      for (int i = 0; i < found; ++i)
        if (events[i].data.fd == end_)
          over = true;
        else if (events[i].data.fd == listener)
          accept(set, listener);
        else
          echo(set, events[i].data.fd, coming);
    }
    ::close(set);
  }

private:
  using messages = std::vector<std::unique_ptr<incoming>>; // by descriptor

  static void add(int set, int fd, std::uint32_t events)
  {
    ::epoll_event e = {};
    e.events = events;
    e.data.fd = fd;
    require(::epoll_ctl(set, EPOLL_CTL_ADD, fd, &e) == 0, "epoll_ctl");
  }

  // One at each event, as Asio does.
  static void accept(int set, int listener)
  {
    const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
      add(set, fd, EPOLLIN | EPOLLET);
  }

  void echo(int set, int fd, messages& coming)
  {
    if (coming.size() <= std::size_t(fd))
      coming.resize(std::size_t(fd) + 1);
    std::unique_ptr<incoming>& m = coming[std::size_t(fd)];
    if (!m)
      m = std::make_unique<incoming>(task_.size);
    for (;;)
    {
      const ::ssize_t got = ::recv(fd, m->next(), m->room(), 0);
      if (got < 0 && errno == EAGAIN)
        return;
      require(got > 0, "recv");
      send_all(fd, m->next(), std::size_t(got));
      if (m->add(std::size_t(got)))
        break;
    }
    const message_head head = head_of(m->data());
    if (head.left == 0)
      close(set, fd, head.number);
  }

  void close(int set, int fd, std::uint32_t number)
  {
    task_.closed[number] = nanoseconds();
    ::epoll_event none = {};
    ::epoll_ctl(set, EPOLL_CTL_DEL, fd, &none);
    ::close(fd);
    if (++closed_ != task_.count)
      return;
    const std::uint64_t one = 1;
    require(::write(end_, &one, sizeof(one)) == ssize_t(sizeof(one)), "write");
  }

  const task task_;
  const listeners listeners_;
  const int end_;
  std::atomic<std::size_t> closed_{0};
};

#if defined(BENCH_HAS_LIBUV)

/// libuv, one loop for each thread.
class libuv_server
{
public:
  libuv_server(const task& t, unsigned threads)
    : task_(t),
      listeners_(threads),
      loops_(threads)
  {
    for (unsigned i = 0; i != threads; ++i)
    {
      loops_[i] = std::make_unique<loop>();
      loops_[i]->owner = this;
      require(::uv_loop_init(&loops_[i]->uv) == 0, "uv_loop_init");
      ::uv_async_init(&loops_[i]->uv, &loops_[i]->end,
        [](uv_async_t* a) { static_cast<loop*>(a->data)->stop(); });
      loops_[i]->end.data = loops_[i].get();
      ::uv_tcp_init(&loops_[i]->uv, &loops_[i]->listener);
      loops_[i]->listener.data = loops_[i].get();
      require(::uv_tcp_open(&loops_[i]->listener, ::dup(listeners_[i])) == 0, "uv_tcp_open");
    }
  }

  ~libuv_server()
  {
    for (auto& l : loops_)
      ::uv_loop_close(&l->uv);
  }

  ::sockaddr_in address()
  {
    return listeners_.address();
  }

  void start() {}

  void run(unsigned thread)
  {
    loop& l = *loops_[thread];
    require(::uv_listen(reinterpret_cast<uv_stream_t*>(&l.listener), SOMAXCONN, &accept) == 0,
      "uv_listen");
    ::uv_run(&l.uv, UV_RUN_DEFAULT);
  }

private:
  struct loop
  {
    libuv_server* owner = nullptr;
    uv_loop_t uv;
    uv_async_t end;
    uv_tcp_t listener;

    void stop()
    {
      ::uv_close(reinterpret_cast<uv_handle_t*>(&end), nullptr);
      ::uv_close(reinterpret_cast<uv_handle_t*>(&listener), nullptr);
    }
  };

  struct session
  {
    loop* owner;
    uv_tcp_t socket;
    incoming message;

    uv_stream_t* stream()
    {
      return reinterpret_cast<uv_stream_t*>(&socket);
    }
  };

  static void accept(uv_stream_t* listener, int status)
  {
    require(status == 0, "accept");
    auto* const l = static_cast<loop*>(listener->data);
    auto* const s = new session{l, {}, incoming(l->owner->task_.size)};
    ::uv_tcp_init(&l->uv, &s->socket);
    s->socket.data = s;
    require(::uv_accept(listener, s->stream()) == 0, "uv_accept");
    ::uv_read_start(
      s->stream(),
      [](uv_handle_t* h, std::size_t, uv_buf_t* b)
      {
        // libuv reads again after a read that has filled the buffer.
        incoming& m = static_cast<session*>(h->data)->message;
        *b = ::uv_buf_init(m.next(), unsigned(m.room() + 1));
      },
      &echo);
  }

  static void echo(uv_stream_t* stream, ::ssize_t size, const uv_buf_t*)
  {
    if (size == 0)
      return;
    auto* const s = static_cast<session*>(stream->data);
    require(size > 0, "read");
    // uv_write() would cost an epoll_ctl(2) for each message.
    const uv_buf_t b = ::uv_buf_init(s->message.next(), unsigned(size));
    const int put = std::max(::uv_try_write(stream, &b, 1), 0);
    if (put != size)
      send_rest(s, std::size_t(put), std::size_t(size));
    if (!s->message.add(std::size_t(size)))
      return;
    const message_head head = head_of(s->message.data());
    if (head.left == 0)
      s->owner->owner->close(s, head.number);
  }

  static void send_rest(session* s, std::size_t put, std::size_t size)
  {
    uv_os_fd_t fd = -1;
    require(::uv_fileno(reinterpret_cast<uv_handle_t*>(&s->socket), &fd) == 0, "uv_fileno");
    send_all(fd, s->message.next() + put, size - put);
  }

  void close(session* s, std::uint32_t number)
  {
    task_.closed[number] = nanoseconds();
    ::uv_close(reinterpret_cast<uv_handle_t*>(&s->socket),
      [](uv_handle_t* h) { delete static_cast<session*>(h->data); });
    if (++closed_ == task_.count)
      for (auto& l : loops_)
        ::uv_async_send(&l->end);
  }

  const task task_;
  const listeners listeners_;
  std::vector<std::unique_ptr<loop>> loops_;
  std::atomic<std::size_t> closed_{0};
};

#endif

} // namespace bench

#endif // INTERLOCK_BENCH_CONNECTIONS_SERVERS_HPP
