// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Objects over asio::system_executor, whose context is of static lifetime, and objects of static
// lifetime over it. A program of its own: the context keeps its worker to the end of the program,
// and it is the end of the program that is looked at.

#define BOOST_TEST_MODULE system_executor
#include "support/prelude.hpp"

#include <cstdio>
#include <cstdlib>
#include <deque>

#include <boost/asio/system_executor.hpp>

using socket_type = local::socket::rebind_executor<asio::system_executor>::other;

namespace {

using support::aborted;
using support::bad_descriptor;
using support::not_called;
using support::success;

/// Looks at the end of the program, when the context is gone. The exit status was fixed when main()
/// returned: a failure has to end the program itself.
struct last_look
{
  // Kept to the end: that a count has been reached orders nothing, so its memory is not used again.
  std::deque<support::handler_tally> tallies;
  support::handler_tally tally;
  support::fd far_of_early;
  support::fd far_of_late;
  std::optional<socket_type> late;

  ~last_look()
  {
    expect(support::hung_up(far_of_early), "the object that went before the context is closed");
    expect(support::hung_up(far_of_late), "the object that is still there is closed");
    expect(!late->is_open(), "it says so");
    late->close();
    late.reset();
    expect(tally.made() == 2 && tally.all_ended(), "every handler has ended");
    expect(support::stray_closes() == 0, "nothing has been closed twice");
  }

private:
  static void expect(bool holds, const char* what)
  {
    if (holds)
      return;
    std::fprintf(stderr, "at exit it is not so that %s\n", what);
    std::_Exit(EXIT_FAILURE);
  }
};

/// The near one of two connected descriptors; the far one goes to `far`.
int connected_to(support::fd& far)
{
  support::ends pair = support::unix_ends();
  far = std::move(pair.far);
  return pair.near.release();
}

// Asio's context is in a static data member of a template, made in no certain order with what is
// made here: this comes before it, and goes after it.
__attribute__((init_priority(1000))) last_look at_exit;

/// As many descriptors are open in the end as before. (The census would wait for the worker to go.)
struct no_descriptor_left
{
  const std::size_t before = support::open_descriptors();

  ~no_descriptor_left()
  {
    BOOST_TEST(support::wait_until([this] { return support::open_descriptors() == before; }));
  }
};

/// What an object has: counted handlers, and a descriptor with a watch on it.
struct life
{
  support::handler_tally& tally = at_exit.tallies.emplace_back();
  support::ends pair = support::unix_ends();
  const support::close_watch watch{pair.near.get()};

  /// Each of the handlers has been called, and the descriptor closed once.
  void check_ended(int handlers) const
  {
    BOOST_TEST(support::wait_until([&] { return tally.ended() == handlers; }));
    BOOST_TEST(tally.all_called());
    BOOST_TEST(watch.wait_closed());
    BOOST_TEST(watch.closed() == 1u);
  }
};

/// One life of an object: operations aborted and refused, closers that lead and join. The last
/// handler is waited for; the other results can be read then, as the guarantee says.
template <class Executor>
void live_and_close(const Executor& ex)
{
  using socket = typename local::socket::rebind_executor<Executor>::other;
  life l;
  {
    socket s(ex, local(), l.pair.near.release());
    error_code read = not_called;
    error_code wait = not_called;
    std::promise<error_code> first;
    std::promise<error_code> second;
    char buffer[8];
    s.async_read_some(asio::buffer(buffer), l.tally(support::into(read)));
    s.async_wait(socket::wait_error, l.tally(support::into(wait)));
    s.async_close(l.tally([&](error_code ec) { first.set_value(ec); }));
    s.async_close(l.tally([&](error_code ec) { second.set_value(ec); }));
    BOOST_TEST(first.get_future().get() == success);
    BOOST_TEST(second.get_future().get() == success);
    BOOST_TEST(read == aborted);
    BOOST_TEST(wait == aborted);
    std::promise<error_code> refused;
    s.async_read_some(
      asio::buffer(buffer), l.tally([&](error_code ec, std::size_t) { refused.set_value(ec); }));
    BOOST_TEST(refused.get_future().get() == bad_descriptor);
    BOOST_TEST(l.watch.closed() == 1u);
  }
  l.check_ended(5);
}

template <class Executor>
void live_and_close_often(const Executor& ex)
{
  const no_descriptor_left checked;
  for (int i = 0; i != 20; ++i)
    live_and_close(ex);
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_system_executor)

// What becomes of them is seen at the end of the program.
BOOST_AUTO_TEST_CASE(objects_of_static_lifetime_may_be_left_open)
{
  static char buffers[2][8];
  static socket_type early(asio::system_executor(), local(), connected_to(at_exit.far_of_early));
  socket_type& late = at_exit.late.emplace(
    asio::system_executor(), local(), connected_to(at_exit.far_of_late));
  early.async_read_some(asio::buffer(buffers[0]), at_exit.tally([](error_code, std::size_t) {}));
  late.async_read_some(asio::buffer(buffers[1]), at_exit.tally([](error_code, std::size_t) {}));
  BOOST_TEST(early.is_open());
  BOOST_TEST(late.is_open());
}

BOOST_AUTO_TEST_CASE(an_object_over_it_in_whatever_form_is_closed_while_the_context_goes_on)
{
  live_and_close(asio::system_executor());
  live_and_close_often(asio::system_executor());
  live_and_close_often(asio::make_strand(asio::system_executor()));
  live_and_close_often(asio::any_io_executor(asio::system_executor()));
}

BOOST_FIXTURE_TEST_CASE(the_destructor_closes_and_aborts, no_descriptor_left)
{
  life l;
  std::promise<error_code> read;
  char buffer[8];
  {
    socket_type s(asio::system_executor(), local(), l.pair.near.release());
    s.async_read_some(
      asio::buffer(buffer), l.tally([&](error_code ec, std::size_t) { read.set_value(ec); }));
  }
  BOOST_TEST(read.get_future().get() == aborted);
  l.check_ended(1);
  BOOST_TEST((l.watch.close_waiter() == std::this_thread::get_id()));
}

// The threads are the system's: whichever of them closes, the descriptor is closed once.
BOOST_FIXTURE_TEST_CASE(many_threads_may_close_the_same_object, no_descriptor_left)
{
  for (int i = 0; i != 20; ++i)
  {
    life l;
    auto s = std::make_shared<socket_type>(asio::system_executor(), local(), l.pair.near.release());
    std::atomic<int> successes{0};
    const auto closed = [&successes](error_code ec) { successes += ec ? 0 : 1; };
    for (int j = 0; j != 4; ++j)
      asio::post(asio::system_executor(),
        l.tally([s, closed, &tally = l.tally]
          { s->async_close(tally([s, closed](error_code ec) { closed(ec); })); }));
    s.reset();
    l.check_ended(8);
    BOOST_TEST(successes == 4);
  }
}

BOOST_AUTO_TEST_SUITE_END()
