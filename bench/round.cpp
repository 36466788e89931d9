// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A loopback read+write round, whose user-space instructions instructions.py counts on three sides:
// Asio's sockets, Asio's sockets on a strand (the usual idiom for sockets that are closed from
// elsewhere), and Interlock's.
//
// All sides are in one program, so that Asio's reactor and scheduler are the same code on each. The
// process has a second thread, since glibc's system call wrappers cost more from then on. The loop
// runs in the main thread: a round is one async_write_some on one socket and one async_read_some on
// its peer.

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <future>
#include <string>
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

bool run(const std::string& side, asio::io_context& context, long rounds)
{
  const asio::any_io_executor plain = context.get_executor();
  if (side == "plain")
    converse<asio::ip::tcp>(context, plain, rounds);
  else if (side == "strand")
    converse<asio::ip::tcp>(context, asio::make_strand(context), rounds);
  else if (side == "interlock")
    converse<interlock::ip::tcp>(context, plain, rounds);
  else
    return false;
  return true;
}

} // namespace

int main(int argc, char** argv)
{
  if (argc != 3)
  {
    std::fprintf(stderr, "usage: round plain|strand|interlock ROUNDS\n");
    return 2;
  }
  std::promise<void> done;
  std::thread second([over = done.get_future()] { over.wait(); });
  asio::io_context context;
  const bool known = run(argv[1], context, std::atol(argv[2]));
  done.set_value();
  second.join();
  return known ? 0 : 2;
}
