// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The few calls that wait for close(2), on its own thread, for a short time: the close of an
// acceptor, whose address is free afterwards, and whatever finds no descriptor while some are queued
// to be closed.

#include "support/prelude.hpp"

#include <interlock/detail/closing/close_progress.hpp>
#include <interlock/serial_port.hpp>

#include "support/counted.hpp"
#include "support/local_port.hpp"
#include "support/pty.hpp"
#include "support/standing_close.hpp"
#include "support/system_errors.hpp"

using namespace support;

namespace {

/// Without the option to share it, an address belongs to one listener at a time.
void listen_alone(tcp::acceptor& a, const asio::ip::tcp::endpoint& where)
{
  a.open(tcp::v4());
  a.bind(where);
  a.listen();
}

/// Opens the gate of a close when told to, in a thread that is there already.
class gate_keeper
{
public:
  using clock = std::chrono::steady_clock;

  explicit gate_keeper(close_watch& watch)
    : thread_(
      [this, &watch]
      {
        wait_until([this] { return told_.load(); });
        watch.open_gate();
        watch.wait_closed();
        closed_ = clock::now();
      })
  {
  }

  ~gate_keeper()
  {
    tell();
    thread_.join();
  }

  void tell()
  {
    told_ = true;
  }

  /// The wait for a close is bounded: an attempt that gave up before the close was over found nothing.
  bool closed_before(clock::time_point when) const
  {
    return closed_.load() < when;
  }

private:
  std::atomic<bool> told_{false};
  std::atomic<clock::time_point> closed_{clock::time_point::max()};
  std::thread thread_;
};

/// `attempt()` while there is no descriptor but for the one that is about to be closed. How often it
/// found that one.
template <class Attempt>
int successes(asio::io_context& context, Attempt attempt)
{
  int count = 0;
  for (int i = 0; i != 20; ++i)
  {
    standing_close standing(context);
    gate_keeper keeper(standing.watch);
    const no_more_descriptors limit(standing.descriptor);
    const auto in_time = gate_keeper::clock::now()
      + interlock::detail::close_progress::await_time / 2;
    keeper.tell();
    const error_code ec = attempt();
    const bool too_early = ec == system_error(EMFILE) && !keeper.closed_before(in_time);
    BOOST_TEST((!ec || too_early),
      ec.message() << "; what was closed is now " << referred_to(standing.descriptor));
    count += ec ? 0 : 1;
  }
  return count;
}

/// A synchronous call that waits leaves a wake-up descriptor with its thread.
struct keeps_a_wake_up_descriptor
{
  asio::io_context context;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_awaiting_close2, counted_in_context)

BOOST_AUTO_TEST_CASE(an_address_is_free_although_a_thread_was_blocked_in_accept)
{
  tcp::acceptor a(context);
  listen_alone(a, any_local_port());
  const asio::ip::tcp::endpoint where = a.local_endpoint();
  for (int i = 0; i != 50; ++i)
  {
    error_code accept_ec;
    std::atomic<bool> begun{false};
    std::thread t(
      [&]
      {
        tcp::socket peer(context);
        begun = true;
        a.accept(peer, accept_ec);
      });
    BOOST_TEST(wait_until([&] { return begun.load(); }));
    error_code close_ec = not_called;
    a.close(close_ec);
    BOOST_TEST(!close_ec);
    BOOST_CHECK_NO_THROW(listen_alone(a, where));
    a.close();
    t.join();
    BOOST_TEST(accept_ec != error_code());
    listen_alone(a, where);
  }
}

BOOST_AUTO_TEST_CASE(a_close2_that_stands_still_is_not_waited_for)
{
  tcp::acceptor a(context);
  listen_alone(a, any_local_port());
  standing_close standing(context);
  const close_watch watch(a.native_handle());
  a.close();
  BOOST_TEST(!a.is_open());
  BOOST_TEST(watch.closed() == 1u);
  BOOST_TEST(standing.watch.closed() == 0u);
  standing.watch.open_gate();
}

BOOST_AUTO_TEST_CASE(an_open_waits_for_descriptors_that_are_about_to_be_closed)
{
  tcp::socket s(context);
  const int count = successes(context,
    [&]
    {
      error_code ec;
      s.open(tcp::v4(), ec);
      error_code ignored;
      // Not by a close, which would be a descriptor to wait for.
      fd released(s.release(ignored));
      return ec;
    });
  BOOST_TEST(count > 0);
}

BOOST_FIXTURE_TEST_CASE(
  an_accept_waits_for_descriptors_that_are_about_to_be_closed, keeps_a_wake_up_descriptor)
{
  tcp::acceptor a(context);
  listen_alone(a, any_local_port());
  tcp::socket client(context);
  tcp::socket peer(context);
  const auto connect = [&]
  {
    if (!client.is_open())
      client.connect(a.local_endpoint());
    // An accept that has to wait takes a descriptor for its wake-up.
    a.wait(tcp::acceptor::wait_read);
  };
  connect();
  const int count = successes(context,
    [&]
    {
      error_code ec;
      a.accept(peer, ec);
      error_code ignored;
      fd accepted(peer.release(ignored));
      // The next one needs a connection to accept: the client's descriptor serves it.
      if (!ec)
      {
        accepted.reset();
        fd old(client.release(ignored));
        old.reset();
        connect();
      }
      return ec;
    });
  BOOST_TEST(count > 0);
}

BOOST_AUTO_TEST_CASE(an_open_of_a_serial_port_waits_for_descriptors_that_are_about_to_be_closed)
{
  const pty terminal;
  interlock::serial_port port(context);
  const int count = successes(context,
    [&]
    {
      error_code ec;
      port.open(terminal.name(), ec);
      // Not by a close, which would be a descriptor to wait for.
      fd released(port.release());
      return ec;
    });
  BOOST_TEST(count > 0);
}

BOOST_AUTO_TEST_CASE(an_async_accept_waits_for_descriptors_that_are_about_to_be_closed)
{
  tcp::acceptor a(context);
  listen_alone(a, any_local_port());
  asio::ip::tcp::socket client(context);
  client.connect(a.local_endpoint());
  tcp::socket peer(context);
  int accepted = 0;
  const int count = successes(context,
    [&]
    {
      if (accepted)
        return error_code();
      error_code ec = not_called;
      a.async_accept(peer, tally(into(ec)));
      run();
      accepted += ec ? 0 : 1;
      return ec;
    });
  BOOST_TEST(count > 0);
  BOOST_TEST(accepted == 1);
  BOOST_TEST(peer.is_open());
  BOOST_TEST(tally.all_called());
}

BOOST_AUTO_TEST_SUITE_END()
