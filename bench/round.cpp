// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A loopback read+write round, whose user-space instructions instructions.py counts on three sides:
// Asio's sockets, Asio's sockets on a strand (the usual idiom for sockets that are closed from
// elsewhere), and Interlock's.
//
//   round_plain ROUNDS, round_strand ROUNDS, round_interlock ROUNDS
//
// Each side is a program of its own, from this file: what the compiler inlines on one side must not depend on
// another. The process has a second thread, since glibc's system call wrappers cost more from then on. The loop
// runs in the main thread: a round is one async_write_some on one socket and one async_read_some on
// its peer.

#include <array>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <thread>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>

#include <interlock/ip/tcp.hpp>

namespace asio = boost::asio;

namespace {

constexpr std::size_t message_size = 64;

void check(const boost::system::error_code& ec)
{
  if (ec)
  {
    std::fprintf(stderr, "round: %s\n", ec.message().c_str());
    std::exit(1);
  }
}

/// A connected pair that sends itself `rounds` messages, one at a time.
template <class Tcp>
class conversation
{
public:
  conversation(const asio::any_io_executor& ex, long rounds)
    : left_(rounds),
      writer_(ex),
      reader_(ex)
  {
    typename Tcp::acceptor acceptor(
      ex, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    writer_.connect(acceptor.local_endpoint());
    acceptor.accept(reader_);
    writer_.set_option(asio::ip::tcp::no_delay(true));
  }

  void next()
  {
    if (left_-- == 0)
      return;
    reader_.async_read_some(asio::buffer(in_),
      [this](boost::system::error_code ec, std::size_t)
      {
        check(ec);
        next();
      });
    writer_.async_write_some(
      asio::buffer(out_), [](boost::system::error_code ec, std::size_t) { check(ec); });
  }

private:
  long left_;
  typename Tcp::socket writer_;
  typename Tcp::socket reader_;
  std::array<char, message_size> out_{};
  std::array<char, message_size> in_{};
};

template <class Tcp>
void converse(asio::io_context& context, const asio::any_io_executor& ex, long rounds)
{
  conversation<Tcp> c(ex, rounds);
  asio::post(ex, [&c] { c.next(); });
  context.run();
}

void run(asio::io_context& context, long rounds)
{
#if defined(ROUND_INTERLOCK)
  converse<interlock::ip::tcp>(context, context.get_executor(), rounds);
#elif defined(ROUND_STRAND)
  converse<asio::ip::tcp>(context, asio::make_strand(context), rounds);
#else
  converse<asio::ip::tcp>(context, context.get_executor(), rounds);
#endif
}

} // namespace

int main(int argc, char** argv)
{
  if (argc != 2)
  {
    std::fprintf(stderr, "usage: %s ROUNDS\n", argv[0]);
    return 2;
  }
  std::promise<void> done;
  std::thread second([over = done.get_future()] { over.wait(); });
  asio::io_context context;
  run(context, std::atol(argv[1]));
  done.set_value();
  second.join();
}
