// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Everything at once: loop threads run the context, others read, write, accept, connect, cancel,
// close and open a set of shared objects as chance has it, some asynchronously, some in blocking
// calls, while victims come and go.
//
// A round ends in one of two ways: every operation runs to its completion, or the context is
// stopped and destroyed with what is outstanding. The books must balance in both.

#ifndef INTERLOCK_TEST_SUPPORT_STRESS_MIXED_HPP
#define INTERLOCK_TEST_SUPPORT_STRESS_MIXED_HPP

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>

#include "support/stress_operations.hpp"
#include "support/stress_victims.hpp"

namespace stress
{

enum class ending
{
  drained, ///< Every handler is called.
  stopped  ///< The context is destroyed with handlers outstanding.
};

template <class Family>
class mixed_round
{
public:
  explicit mixed_round(counts& c)
    : world_(std::in_place, c),
      book_(c)
  {
    std::uint32_t name = 0;
    for (int i = 0; i != 4; ++i)
    {
      locals_.emplace_back(*world_, name++, i % 2 == 0);
      readers_.emplace_back(*world_, name++, i % 2 == 0);
      writers_.emplace_back(*world_, name++, i % 2 == 0);
      connecting_.emplace_back(*world_, name++, false);
      accepted_.emplace_back(*world_, name++, false);
    }
    for (int i = 0; i != 2; ++i)
      acceptors_.emplace_back(*world_, name++, false);
  }

  void run(std::chrono::milliseconds time, ending how)
  {
    auto work = asio::make_work_guard(world_->context);
    std::vector<std::thread> loops;
    for (int i = 0; i != 2; ++i)
      loops.emplace_back([this] { world_->context.run(); });
    start_threads();
    std::this_thread::sleep_for(time);
    world_->stop = true;
    if (how == ending::stopped)
      world_->context.stop();
    end_threads();
    for_all([this](auto& s) { start_close<Family>(*world_, s); });
    if (how == ending::drained)
      drain_operations();
    work.reset();
    for (std::thread& t : loops)
      t.join();
    end_objects();
    ++book_.rounds;
  }

private:
  using local = typename Family::local::socket;
  using tcp = typename Family::tcp::socket;
  using acceptor = typename Family::tcp::acceptor;
  using descriptor = typename Family::descriptor;
  using random = std::minstd_rand;

  template <class Object>
  using pool = std::deque<shared<Object>>;

  // --- Threads.

  template <class Step>
  void start(std::vector<std::thread>& threads, Step step)
  {
    ++running_;
    threads.emplace_back(
      [this, step]
      {
        random r(std::random_device{}());
        // Several at a stretch: with a pause after each, most of the time would go into those.
        while (!world_->stop)
        {
          for (int i = 0; i != 16 && !world_->stop; ++i)
            (this->*step)(r);
          std::this_thread::yield();
        }
        --running_;
      });
  }

  void start_threads()
  {
    for (int i = 0; i != 3; ++i)
      start(threads_, &mixed_round::disturb);
    for (int i = 0; i != 2; ++i)
      start(threads_, &mixed_round::read_blocking);
    start(threads_, &mixed_round::write_blocking);
    start(threads_, &mixed_round::accept_blocking);
    start(threads_, &mixed_round::connect_blocking);
    threads_.emplace_back([this] { churn(stop_others_, book_); });
    threads_.emplace_back(
      [this] { world_->far.run(stop_others_, [this] { world_->tcp.turn(); }); });
  }

  // What is blocked returns when its object is closed; one may have been opened after that.
  void end_threads()
  {
    while (running_ != 0)
    {
      close_all();
      std::this_thread::yield();
    }
    // Peers and victims stay until no operation is left.
  }

  // The loops call every handler.
  void drain_operations()
  {
    while (outstanding() || book_.async_closes != book_.closers_completed + book_.closers_destroyed)
      std::this_thread::yield();
  }

  void end_objects()
  {
    for_all([](auto& s) { s.object.reset(); });
    stop_others_ = true;
    for (std::thread& t : threads_)
      t.join();
    world_->far.finish();
    world_.reset();
  }

  template <class Do>
  void for_all(Do what)
  {
    const auto each = [&what](auto& p)
    {
      for (auto& s : p)
        what(s);
    };
    each(locals_);
    each(readers_);
    each(writers_);
    each(connecting_);
    each(accepted_);
    each(acceptors_);
  }

  void close_all()
  {
    for_all([this](auto& s) { close(*world_, s); });
  }

  bool outstanding()
  {
    bool some = false;
    for_all([&some](auto& s) { some = some || s.book.outstanding != 0; });
    return some;
  }

  // --- One step of a thread.

  template <class Object>
  static shared<Object>& any(pool<Object>& p, random& r)
  {
    return p[r() % p.size()];
  }

  void disturb(random& r)
  {
    switch (r() % 6)
    {
    case 0:
      return disturb_local(any(locals_, r), r);
    case 1:
      return disturb_reader(any(readers_, r), r);
    case 2:
      return disturb_writer(any(writers_, r), r);
    case 3:
      return disturb_connecting(any(connecting_, r), r);
    case 4:
      return disturb_stream(any(accepted_, r), r);
    case 5:
      return disturb_acceptor(any(acceptors_, r), r);
    }
  }

  template <class Object>
  void disturb_stream(shared<Object>& s, random& r)
  {
    if (s.busy())
      return disturb_any(s, r);
    switch (r() % 8)
    {
    case 0:
      return start_read(*world_, s);
    case 1:
      return start_write(*world_, s);
    case 2:
      return start_long_write(*world_, s);
    case 3:
      return start_wait(*world_, s, Object::wait_read);
    case 4:
      return start_wait(*world_, s, Object::wait_write);
    default:
      return disturb_any(s, r);
    }
  }

  template <class Object>
  void disturb_any(shared<Object>& s, random& r)
  {
    switch (r() % 8)
    {
    case 0:
      return close(*world_, s);
    case 1:
      return start_close<Family>(*world_, s);
    case 2:
      return cancel(*world_, s);
    default:
      return look(*world_, s);
    }
  }

  void disturb_local(shared<local>& s, random& r)
  {
    switch (r() % 16)
    {
    case 0:
      return release(*world_, s);
    case 1:
      return s.busy() ? void() : start_long_read(*world_, s);
    default:
      open_pair(*world_, s);
    }
    disturb_stream(s, r);
  }

  void disturb_reader(shared<descriptor>& s, random& r)
  {
    open_pipe(*world_, s, true);
    if (s.busy() || r() % 2 == 0)
      return disturb_any(s, r);
    if (r() % 4 == 0)
      return start_wait(*world_, s, descriptor::wait_read);
    start_read(*world_, s);
  }

  void disturb_writer(shared<descriptor>& s, random& r)
  {
    open_pipe(*world_, s, false);
    if (s.busy() || r() % 2 == 0)
      return disturb_any(s, r);
    if (r() % 4 == 0)
      return start_long_write(*world_, s);
    start_write(*world_, s);
  }

  typename tcp::endpoint_type somebody() const
  {
    return {asio::ip::address_v4::loopback(), world_->tcp.listening_port()};
  }

  void disturb_connecting(shared<tcp>& s, random& r)
  {
    if (s.busy() || r() % 4 != 0)
      return disturb_stream(s, r);
    s.object->async_connect(
      somebody(), [o = obligation(s.book, book_)](const error_code& ec) mutable { o.called(ec); });
  }

  void disturb_acceptor(shared<acceptor>& s, random& r)
  {
    if (!s.object->is_open())
      open_acceptor(s);
    if (s.busy() || r() % 2 == 0)
      return disturb_any(s, r);
    if (r() % 2 == 0)
      return start_accept(s, any(accepted_, r));
    s.object->async_accept(
      [o = obligation(s.book, book_)](const error_code& ec, tcp) mutable { o.called(ec); });
  }

  void start_accept(shared<acceptor>& s, shared<tcp>& into)
  {
    s.object->async_accept(*into.object,
      [o = obligation(s.book, book_)](const error_code& ec) mutable { o.called(ec); });
  }

  void open_acceptor(shared<acceptor>& s)
  {
    error_code ec;
    s.object->open(asio::ip::tcp::v4(), ec);
    if (!ec)
      s.object->set_option(asio::socket_base::reuse_address(true), ec);
    if (!ec)
      s.object->bind({asio::ip::address_v4::loopback(), world_->tcp.acceptor_port()}, ec);
    if (!ec)
      s.object->listen(asio::socket_base::max_listen_connections, ec);
  }

  void read_blocking(random& r)
  {
    switch (r() % 4)
    {
    case 0:
      return read(*world_, any(locals_, r));
    case 1:
      return read(*world_, any(readers_, r));
    case 2:
      return read(*world_, any(connecting_, r));
    case 3:
      return read(*world_, any(accepted_, r));
    }
  }

  void write_blocking(random& r)
  {
    switch (r() % 4)
    {
    case 0:
      return write(*world_, any(locals_, r));
    case 1:
      return write(*world_, any(writers_, r));
    case 2:
      return write(*world_, any(connecting_, r));
    case 3:
      return write(*world_, any(accepted_, r));
    }
  }

  void accept_blocking(random& r)
  {
    error_code ec;
    any(acceptors_, r).object->accept(*any(accepted_, r).object, ec);
    ++book_.calls;
  }

  void connect_blocking(random& r)
  {
    error_code ec;
    any(connecting_, r).object->connect(somebody(), ec);
    ++book_.calls;
  }

  std::optional<world> world_;
  counts& book_;
  pool<local> locals_;
  pool<descriptor> readers_; // of pipes
  pool<descriptor> writers_;
  pool<tcp> connecting_;
  pool<tcp> accepted_;
  pool<acceptor> acceptors_;
  std::vector<std::thread> threads_;
  std::atomic<int> running_{0};
  std::atomic<bool> stop_others_{false};
};

} // namespace stress

#endif // INTERLOCK_TEST_SUPPORT_STRESS_MIXED_HPP
