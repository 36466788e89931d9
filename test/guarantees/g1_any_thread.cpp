// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// G1: every member function may be called from any thread, at the same time as any other, on the
// same object; and a close handle also while the object is moved or destroyed. What the threads do to each other is for
// ThreadSanitizer to judge; here it is counted that nothing is lost.

#include "support/prelude.hpp"

#include <boost/test/data/test_case.hpp>

#include "support/closers.hpp"
#include "support/local_port.hpp"

using namespace support;

namespace {

constexpr int rounds = 20;

/// An object that two threads use. In the end it is closed, and every handler has been called.
struct racing
{
  handler_tally& tally;
  ends pair = unix_ends();
  std::optional<local::socket> object;
  std::optional<local::socket> other;
  interlock::close_handle handle;
  std::atomic<int> failures{0};
  char buffer[64];

  racing(asio::io_context& context, handler_tally& t)
    : tally(t),
      object(std::in_place, context, local(), pair.near.release()),
      other(std::in_place, context),
      handle(object->get_close_handle())
  {
    object->non_blocking(true);
    send_text(pair.far, "text");
  }

  ~racing()
  {
    object.reset();
    other.reset();
    BOOST_TEST(wait_until([this] { return tally.all_ended(); }));
    BOOST_TEST(tally.all_called());
    BOOST_TEST(failures == 0);
  }

  auto handler()
  {
    return tally([](auto&&...) {});
  }

  /// Whatever else happens, a close succeeds.
  auto closer()
  {
    return tally([this](error_code ec) { failures += ec ? 1 : 0; });
  }
};

struct act
{
  const char* name;
  void (*run)(racing&);
};

std::ostream& operator<<(std::ostream& out, const act& a)
{
  return out << a.name;
}

template <class Way>
void close_by(racing& r)
{
  if constexpr (Way::is_asynchronous)
    Way::close(*r.object, r.closer());
  else
    Way::close(*r.object, nullptr);
}

void open_again(racing& r)
{
  fd again = unix_ends().near;
  error_code ec;
  r.object->assign(local(), again.get(), ec);
  if (!ec)
    again.release();
}

void take_a_lease(racing& r)
{
  const interlock::fd_lease lease = r.object->lease();
  r.failures += lease && !is_fd_open(lease.get()) ? 1 : 0;
}

void transfer(racing& r)
{
  char buffer[2];
  error_code ec;
  r.object->write_some(asio::buffer("text", 4), ec);
  r.object->read_some(asio::buffer(buffer), ec);
}

/// Calls of everything that looks at a socket or changes it, none of which may throw.
void look_at(racing& r)
{
  local::socket& s = *r.object;
  error_code ec;
  s.is_open();
  s.native_handle();
  s.available(ec);
  s.local_endpoint(ec);
  s.remote_endpoint(ec);
  asio::socket_base::receive_buffer_size size(8192);
  s.set_option(size, ec);
  s.get_option(size, ec);
  s.non_blocking(true, ec);
  s.non_blocking();
  s.native_non_blocking(true, ec);
  asio::socket_base::bytes_readable readable;
  s.io_control(readable, ec);
  s.get_close_handle();
  s.cancel(ec);
}

const act of_any_thread[] = {
  {"close", &close_by<by_close>},
  {"close with an error_code", &close_by<by_close_without_exceptions>},
  {"retire", &close_by<by_retirement>},
  {"close by a handle", &close_by<by_handle>},
  {"retire by a handle", &close_by<by_retirement_by_handle>},
  {"async_close", &close_by<by_async_close>},
  {"async_close in a mode", &close_by<by_async_close_in_a_mode>},
  {"async_close by a handle", &close_by<by_async_close_by_handle>},
  {"release",
    [](racing& r)
    {
      error_code ec;
      fd{r.object->release(ec)};
    }},
  {"async_release",
    [](racing& r) { r.object->async_release(r.tally([](error_code, int n) { fd{n}; })); }},
  {"open", &open_again},
  {"lease", &take_a_lease},
  {"synchronous transfers", &transfer},
  {"async_read_some",
    [](racing& r) { r.object->async_read_some(asio::buffer(r.buffer), r.handler()); }},
  {"async_write_some",
    [](racing& r) { r.object->async_write_some(asio::buffer("text", 4), r.handler()); }},
  {"async_wait", [](racing& r) { r.object->async_wait(local::socket::wait_error, r.handler()); }},
  {"looks, options and cancel", &look_at},
};

const act of_the_owner[] = {
  {"destructor", [](racing& r) { r.object.reset(); }},
  {"move", [](racing& r) { *r.other = std::move(*r.object); }},
  {"move there and back",
    [](racing& r)
    {
      *r.other = std::move(*r.object);
      *r.object = std::move(*r.other);
    }},
};

const act on_the_handle[] = {
  {"close", [](racing& r) { r.handle.close(); }},
  {"async_close", [](racing& r) { r.handle.async_close(r.closer()); }},
  {"retire", [](racing& r) { r.handle.retire(); }},
};

/// `first` and each of `others` at once, again and again.
template <std::size_t N>
void race(const act& first, const act (&others)[N])
{
  const no_trace nothing_left;
  const std::size_t strays = stray_closes();
  {
    handler_tally
      tally; // what a handler has counted in is not synchronised with before the threads have ended
    loop threads(2);
    for (const act& second : others)
      for (int i = 0; i != rounds; ++i)
      {
        racing r(threads.context, tally);
        at_once(2, [&](int side) { (side == 0 ? first : second).run(r); });
      }
  }
  BOOST_TEST(stray_closes() == strays);
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_g1_any_thread)

BOOST_DATA_TEST_CASE(every_two_calls_may_race, of_any_thread, first)
{
  race(first, of_any_thread);
}

BOOST_DATA_TEST_CASE(a_handle_may_be_used_beside_its_owner, of_the_owner, first)
{
  race(first, on_the_handle);
}

BOOST_AUTO_TEST_CASE(an_acceptor_may_be_closed_while_connections_arrive)
{
  const no_trace nothing_left;
  for (int i = 0; i != rounds; ++i)
  {
    handler_tally tally;
    loop threads;
    tcp::acceptor a(threads.context, any_local_port());
    const tcp::endpoint address = a.local_endpoint();
    asio::ip::tcp::socket peer(threads.context);
    const std::function<void()> calls[] = {[&]
      { a.async_accept(tally([](error_code, tcp::socket) {})); },
      [&] { a.async_wait(tcp::acceptor::wait_read, tally([](error_code) {})); },
      [&]
      {
        error_code ec;
        peer.connect(address, ec);
      },
      [&] { a.close(); }};
    at_once(4, [&](int side) { calls[side](); });
    threads.join();
    BOOST_TEST(tally.all_called());
  }
}

BOOST_AUTO_TEST_SUITE_END()
