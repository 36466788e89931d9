// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Two threads open and close one socket while a third reads from it, in blocking calls and
// asynchronously, and a fourth runs the context.
//
//   two_openers SECONDS
//
// Of two threads that open at once one gets the socket and the other is told that it is open.
// Every connection carries as many records as its far end has sent: none is read twice or on
// another connection. Every connection that was given to the socket is closed, once.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <poll.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "stress/stress_family.hpp"
#include "stress/stress_ledger.hpp"
#include "stress/stress_runner.hpp"
#include "stress/stress_victims.hpp"

namespace {

using namespace stress;
using socket_type = interlock::local::stream_protocol::socket;

constexpr std::size_t sent = 8; // records on each connection

/// Which records of which connections have been read. A connection is known by its name from
/// before the socket has it.
class receipts
{
public:
  std::uint32_t make()
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    read_.push_back(0);
    return static_cast<std::uint32_t>(read_.size() - 1);
  }

  /// False: no far end has sent that, or it has been read before.
  bool enter(const record& r)
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (r.from != origin::peer || r.name >= read_.size() || r.index >= sent)
      return false;
    const std::uint8_t bit = static_cast<std::uint8_t>(1u << r.index);
    const bool first = (read_[r.name] & bit) == 0;
    read_[r.name] |= bit;
    return first;
  }

private:
  std::mutex mutex_;
  std::vector<std::uint8_t> read_; // guarded by mutex_; a bit for each record
};

class openers
{
public:
  openers(counts& c, clock::time_point end)
    : counts_(c),
      end_(end),
      socket_(context_)
  {
  }

  void run()
  {
    auto work = boost::asio::make_work_guard(context_);
    std::thread loop([this] { context_.run(); });
    std::thread first([this] { open_and_close(); });
    std::thread second([this] { open_and_close(); });
    std::thread reader([this] { read(); });
    first.join();
    second.join();
    // No thread opens any more, so this wakes the reader, blocked or not.
    stop_ = true;
    socket_.close();
    reader.join();
    finish();
    work.reset();
    loop.join();
    ++counts_.rounds;
  }

private:
  // --- The openers.

  void open_and_close()
  {
    for (std::uint64_t i = 0; clock::now() < end_; ++i)
    {
      const ends e(kind::socket_pair);
      send(e.second);
      const bool opened = open(e.first);
      // Sometimes the reader is to get something, sometimes to be overtaken.
      if (i % 4 < 2)
        std::this_thread::yield();
      if (i % 2 == 0)
        close();
      else
        start_close();
      if (opened)
        wait_for_end(e.second);
      really::close(e.second);
    }
  }

  void send(int fd)
  {
    const bytes b = records({origin::peer, receipts_.make(), 0}, sent);
    if (::write(fd, b.data(), b.size()) != static_cast<::ssize_t>(b.size()))
      ++counts_.unequal;
  }

  bool open(int fd)
  {
    ++books::lent;
    error_code ec;
    socket_.assign(socket_type::protocol_type(), fd, ec);
    if (!ec)
      return true;
    --books::lent;
    really::close(fd);
    counts_.unequal += ec != boost::asio::error::already_open;
    return false;
  }

  void close()
  {
    socket_.close();
    ++counts_.closes;
  }

  void start_close()
  {
    socket_.async_close(
      [c = closing(account_, counts_)](const error_code& ec) mutable
      {
        c.called();
        if (ec)
          std::abort();
      });
  }

  // Whichever thread has closed it: the far end hears of it.
  void wait_for_end(int fd)
  {
    ::pollfd p = {fd, POLLRDHUP, 0};
    counts_.stuck += ::poll(&p, 1, 10000) != 1;
  }

  // --- The reader.

  void read()
  {
    while (!stop_)
    {
      if (account_.outstanding < 4)
        start_read();
      byte b[2 * record_size];
      error_code ec;
      enter(b, socket_.read_some(boost::asio::buffer(b), ec));
      ++counts_.calls;
      expect_closed_or_none(ec);
      if (ec)
        std::this_thread::yield();
    }
  }

  void start_read()
  {
    bytes b(2 * record_size);
    const auto into = boost::asio::buffer(b);
    socket_.async_read_some(into,
      [this, b = std::move(b), o = obligation(account_, counts_)](
        const error_code& ec, std::size_t n) mutable
      {
        o.called(ec);
        enter(b.data(), n);
        expect_closed_or_none(ec);
      });
  }

  void expect_closed_or_none(const error_code& ec)
  {
    const bool expected = !ec || ec == boost::asio::error::operation_aborted
      || ec == boost::asio::error::bad_descriptor;
    counts_.unequal += !expected;
  }

  void enter(const byte* data, std::size_t size)
  {
    scanner s(origin::peer);
    const findings found = s.feed(data, size,
      [this](const record& r) { counts_.misdirected += receipts_.enter(r) ? 0 : record_size; });
    counts_.misdirected += found.alien + (found.broken + found.torn) * record_size;
    counts_.bytes += size;
  }

  void finish()
  {
    start_close();
    while (account_.outstanding != 0 || counts_.async_closes != counts_.closers_completed)
      std::this_thread::yield();
  }

  counts& counts_;
  const clock::time_point end_;
  boost::asio::io_context context_;
  socket_type socket_;
  account account_;
  receipts receipts_;
  std::atomic<bool> stop_{false};
};

} // namespace

int main(int argc, char** argv)
{
  const clock::duration time = time_to_run(argc, argv);
  if (time == clock::duration::zero())
    return 2;
  const shared_counts book;
  counts& c = book.get();
  const clock::time_point begin = clock::now();
  run_in_child(c, std::chrono::seconds(20), false,
    [end = begin + time](counts& counted) { std::make_unique<openers>(counted, end)->run(); });
  c.print("two openers", seconds_since(begin));
  return c.wrong() == 0 && c.bytes != 0 && c.closed != 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
