// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G11, and what it leaves behind: a thread that is cancelled (pthread_cancel) while a synchronous call blocks unwinds
// out of it; the object goes on, and its close does not wait for the thread. A call that a close ends reports what it
// has transferred.

#include <interlock/ip/tcp.hpp>
#include <interlock/ip/udp.hpp>
#include <interlock/local/datagram_protocol.hpp>
#include <interlock/local/stream_protocol.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/test/unit_test.hpp>

#include "support/blocking_subjects.hpp"
#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/descriptors.hpp"
#include "support/sleeps_in_poll.hpp"
#include "support/sync_support.hpp"
#include "support/wait_until.hpp"

namespace asio = boost::asio;
using namespace support;
using local = interlock::local::stream_protocol;
using tcp = interlock::ip::tcp;
using udp = interlock::ip::udp;

namespace {

/// A thread in a function that blocks, and how it ends.
class thread_to_cancel
{
public:
  explicit thread_to_cancel(std::function<void()> f)
    : function_(std::move(f))
  {
    checked(-::pthread_create(&thread_, nullptr, &run, this), "pthread_create");
    BOOST_TEST_REQUIRE(wait_until([this] { return sleeps_in_poll(id_); }));
  }

  thread_to_cancel(const thread_to_cancel&) = delete;
  thread_to_cancel& operator=(const thread_to_cancel&) = delete;

  /// Whether the thread was cancelled, and the objects on its stack were destroyed.
  bool is_cancelled()
  {
    ::pthread_cancel(thread_);
    void* result = nullptr;
    ::pthread_join(thread_, &result);
    return result == PTHREAD_CANCELED && is_unwound_;
  }

private:
  struct unwound
  {
    std::atomic<bool>& is;

    ~unwound()
    {
      is = true;
    }
  };

  static void* run(void* object)
  {
    auto& self = *static_cast<thread_to_cancel*>(object);
    const unwound at_end{self.is_unwound_};
    self.id_ = this_thread_id();
    self.function_();
    return nullptr;
  }

  std::function<void()> function_;
  std::atomic<::pid_t> id_{0};
  std::atomic<bool> is_unwound_{false};
  ::pthread_t thread_;
};

struct connected
{
  asio::io_context context;
  ends pair = unix_ends();
  close_watch watch{pair.near.get()};
  local::socket object{context, local(), pair.near.release()};
  char buffer[64] = {};
  error_code ec;

  std::size_t read()
  {
    return object.read_some(asio::buffer(buffer), ec);
  }

  // No thread counts as inside.
  void check_closed_at_once()
  {
    object.close();
    BOOST_TEST(watch.closed() == 1u);
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_g11_cancelled_calls)

// --- Thread cancellation.

// Not under ThreadSanitizer: it does not see the locks of a thread that has been cancelled in a call which it
// intercepts, and takes what they guard for unguarded.
#if !defined(__SANITIZE_THREAD__)

BOOST_FIXTURE_TEST_CASE(a_thread_is_cancelled_in_a_read, connected)
{
  BOOST_TEST(thread_to_cancel([this] { read(); }).is_cancelled());
  send_text(pair.far, "hello");
  BOOST_TEST(read() == 5u);
  check_closed_at_once();
}

BOOST_FIXTURE_TEST_CASE(a_thread_is_cancelled_beside_another_that_blocks, connected)
{
  thread_to_cancel cancelled([this] { object.read_some(asio::buffer(buffer, 1)); });
  call_in_thread other([this] { return outcome{ec, read()}; });
  BOOST_TEST(other.blocks());
  BOOST_TEST(cancelled.is_cancelled());
  object.close();
  other.get();
  BOOST_TEST(ec == aborted);
  BOOST_TEST(watch.wait_closed());
}

BOOST_FIXTURE_TEST_CASE(a_thread_is_cancelled_in_a_write, connected)
{
  const std::vector<char> much(std::size_t(8) << 20);
  BOOST_TEST(thread_to_cancel([&] { object.write_some(asio::buffer(much)); }).is_cancelled());
  check_closed_at_once();
}

// The second half of the write begins when the peer has read the first.
BOOST_FIXTURE_TEST_CASE(a_thread_is_cancelled_in_the_rest_of_a_write, connected)
{
  const std::vector<char> much(std::size_t(8) << 20);
  thread_to_cancel writer([&] { object.write_some(asio::buffer(much)); });
  std::vector<char> sink(1 << 16);
  for (std::size_t n = 0; n < much.size() / 2;)
    n += checked(::read(pair.far.get(), sink.data(), sink.size()), "read");
  BOOST_TEST(writer.is_cancelled());
  check_closed_at_once();
}

BOOST_FIXTURE_TEST_CASE(a_thread_is_cancelled_in_a_read_of_all, connected)
{
  send_text(pair.far, "hello");
  thread_to_cancel reader([this] { object.receive(asio::buffer(buffer), MSG_WAITALL); });
  BOOST_TEST(reader.is_cancelled());
  check_closed_at_once();
}

// poll(2) does not tell when the queue of the peer has room: the thread tries again and again.
BOOST_AUTO_TEST_CASE(a_thread_is_cancelled_while_it_tries_to_send_a_datagram)
{
  asio::io_context context;
  using datagrams = interlock::local::datagram_protocol;
  const std::string name = std::string(1, '\0') + "interlock-cancelled-"
    + std::to_string(::getpid());
  datagrams::socket peer(context, datagrams::endpoint(name));
  datagrams::socket object(context, datagrams());
  object.non_blocking(true);
  error_code ec;
  while (!ec)
    object.send_to(asio::buffer("x", 1), peer.local_endpoint(), 0, ec);
  BOOST_TEST(ec == would_block);
  object.non_blocking(false);
  const auto send = [&] { object.send_to(asio::buffer("x", 1), peer.local_endpoint()); };
  BOOST_TEST(thread_to_cancel(send).is_cancelled());
  object.close();
  BOOST_TEST(!object.is_open());
}

BOOST_FIXTURE_TEST_CASE(a_thread_is_cancelled_in_a_connect, connecting_subject)
{
  BOOST_TEST(
    thread_to_cancel([this] { object.connect(listener.local_endpoint()); }).is_cancelled());
  BOOST_TEST(!is_non_blocking(object.native_handle()));
  object.close();
  BOOST_TEST(!object.is_open());
}

BOOST_AUTO_TEST_CASE(a_thread_is_cancelled_in_an_accept)
{
  asio::io_context context;
  interlock::ip::tcp::acceptor acceptor(context, any_local_port());
  interlock::ip::tcp::socket peer(context);
  BOOST_TEST(thread_to_cancel([&] { acceptor.accept(peer); }).is_cancelled());
  BOOST_TEST(!peer.is_open());
  asio::ip::tcp::socket client(context);
  client.connect(acceptor.local_endpoint());
  acceptor.accept(peer);
  BOOST_TEST(peer.is_open());
}

#endif

// --- A close.

BOOST_FIXTURE_TEST_CASE(a_write_that_a_close_ends_reports_what_it_has_written, connected)
{
  const std::vector<char> much(std::size_t(8) << 20);
  call_in_thread write([&] { return outcome{ec, object.write_some(asio::buffer(much), ec)}; });
  BOOST_TEST(write.blocks());
  object.close();
  const std::size_t written = write.get().bytes;
  BOOST_TEST((written != 0 && written < much.size()));
  BOOST_TEST(ec == success);
  BOOST_TEST(object.write_some(asio::buffer(much), ec) == 0u);
  BOOST_TEST(ec == bad_descriptor);
  BOOST_TEST(drain(pair.far) == written);
}

BOOST_FIXTURE_TEST_CASE(a_read_of_all_that_a_close_ends_reports_what_it_has_read, connected)
{
  send_text(pair.far, "hello");
  call_in_thread all(
    [this] {
      return outcome{ec, object.receive(asio::buffer(buffer), MSG_WAITALL, ec)};
    });
  BOOST_TEST(all.blocks());
  object.close();
  BOOST_TEST(all.get().bytes == 5u);
  BOOST_TEST(ec == success);
}

// It waits in short turns: no event tells of the rest.
BOOST_AUTO_TEST_CASE(a_peek_at_all_is_ended_by_a_close)
{
  asio::io_context context;
  ends pair = tcp_ends();
  tcp::socket object(context, tcp::v4(), pair.near.release());
  char buffer[64] = {};
  error_code ec;
  send_text(pair.far, "hello");
  call_in_thread peek(
    [&] {
      return outcome{ec, object.receive(asio::buffer(buffer), MSG_WAITALL | MSG_PEEK, ec)};
    });
  BOOST_TEST(peek.blocks());
  object.close();
  BOOST_TEST(peek.get().bytes == 0u);
  BOOST_TEST(ec == aborted);
}

// --- An error that stays.

// poll(2) reports what is in the error queue without end.
BOOST_AUTO_TEST_CASE(a_read_beside_an_error_queue_that_is_not_empty_sleeps)
{
  asio::io_context context;
  udp::socket s(context, udp::endpoint(asio::ip::address_v4::loopback(), 0));
  const int on = 1;
  checked(::setsockopt(s.native_handle(), IPPROTO_IP, IP_RECVERR, &on, sizeof(on)), "setsockopt");
  error_code ec;
  char buffer[4];
  udp::endpoint from;
  // It takes datagrams of its peer only: others are refused.
  asio::ip::udp::socket refusing(context, udp::endpoint(asio::ip::address_v4::loopback(), 0));
  refusing.connect(refusing.local_endpoint());
  s.send_to(asio::buffer("x", 1), refusing.local_endpoint(), 0, ec);
  BOOST_TEST(wait_until([&] { return has_error(s.native_handle()); }));
  s.receive_from(asio::buffer(buffer), from, 0, ec);
  BOOST_TEST(ec == asio::error::connection_refused);
  std::atomic<::pid_t> reader{0};
  call_in_thread read(
    [&]
    {
      reader = this_thread_id();
      outcome o;
      o.bytes = s.receive_from(asio::buffer(buffer), from, 0, o.ec);
      return o;
    });
  BOOST_TEST(wait_until([&] { return sleeps_in_epoll(reader); }));
  asio::ip::udp::socket peer(context, asio::ip::udp::v4());
  peer.send_to(asio::buffer("hello", 4), s.local_endpoint());
  BOOST_TEST(read.get().bytes == 4u);
}

BOOST_AUTO_TEST_SUITE_END()
