// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The ends of pipes move to Asio's own type and back: by release and assign, so that transfers are aborted. An end that
// is not open gives nothing, and what uses the descriptor refuses the move. Every descriptor is owned by one object at
// any time, or closed. Asio has pipes from Boost 1.80 on.

#include <interlock/connect_pipe.hpp>
#include <interlock/readable_pipe.hpp>
#include <interlock/writable_pipe.hpp>

#if defined(INTERLOCK_HAS_PIPES)

#include <cstddef>
#include <type_traits>
#include <utility>

#if defined(BOOST_ASIO_HAS_EPOLL)
#include <sys/epoll.h>
#endif
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/readable_pipe.hpp>
#include <boost/asio/writable_pipe.hpp>
#include <boost/test/unit_test.hpp>

#include "support/close_probe.hpp"
#include "support/descriptor_pairs.hpp"
#include "support/handler_tally.hpp"
#include "support/lingering_socket.hpp"
#include "support/sync_support.hpp"
#include "support/tcp_facts.hpp"
#include "support/to_asio.hpp"

namespace asio = boost::asio;
using namespace support;
using interlock::readable_pipe;
using interlock::writable_pipe;

namespace {

#if defined(BOOST_ASIO_HAS_EPOLL)
/// Sets of epoll(7), each of which watches the one before.
class deep_sets
{
public:
  deep_sets()
  {
    for (fd& each : sets_)
    {
      each.reset(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
      ::epoll_event event = {};
      event.events = EPOLLIN;
      if (&each != sets_)
        checked(::epoll_ctl(each.get(), EPOLL_CTL_ADD, (&each - 1)->get(), &event), "epoll_ctl");
    }
  }

  int outermost() const
  {
    return sets_[depth - 1].get();
  }

private:
  static constexpr int depth = 5;
  fd sets_[depth];
};
#endif

struct piped : in_context
{
  readable_pipe reader{context};
  writable_pipe writer{context};
  error_code read = not_called;
  error_code closed = not_called;
  char buffer[8] = {};

  piped()
  {
    interlock::connect_pipe(reader, writer);
  }

  template <class Reader>
  void start_read(Reader& r)
  {
    r.async_read_some(asio::buffer(buffer), tally(into(read)));
  }

  /// What is written to the one comes out of the other.
  template <class Reader, class Writer>
  void check_connected(Reader& r, Writer& w)
  {
    w.write_some(asio::buffer("abc", 3));
    BOOST_TEST(r.read_some(asio::buffer(buffer)) == 3u);
    start_read(r);
    w.write_some(asio::buffer("abc", 3));
    context.restart();
    context.run();
    BOOST_TEST(read == success);
  }
};

const auto opens_pipe = [](auto& end)
{
  ends pipe = pipe_ends();
  const bool reads = std::is_same<decltype(end), readable_pipe&>::value;
  end.assign((reads ? pipe.near : pipe.far).release());
};

template <class Ours, class Plain>
constexpr bool converts()
{
  return std::is_constructible<Ours, Plain&&>::value && !std::is_convertible<Plain&&, Ours>::value
    && !std::is_constructible<Plain, Ours&&>::value
    && std::is_same<decltype(std::declval<Ours&>().to_asio()), Plain>::value;
}

using narrow = asio::io_context::executor_type;

} // namespace

static_assert(converts<readable_pipe, asio::readable_pipe>(), "");
static_assert(converts<writable_pipe, asio::writable_pipe>(), "");
static_assert(
  converts<interlock::basic_readable_pipe<narrow>, asio::basic_readable_pipe<narrow>>(), "");
static_assert(std::is_same<readable_pipe::rebind_executor<narrow>::other,
                interlock::basic_readable_pipe<narrow>>::value
    && std::is_same<interlock::basic_writable_pipe<narrow>::executor_type, narrow>::value,
  "");

BOOST_AUTO_TEST_SUITE(test_pipes_to_asio)

BOOST_FIXTURE_TEST_CASE(the_ends_of_a_pipe_become_asios_and_ours_again, piped)
{
  check_connected(reader, writer);
  const int number = reader.native_handle();
  asio::readable_pipe plain_reader = reader.to_asio();
  BOOST_TEST(plain_reader.native_handle() == number);
  BOOST_TEST(!reader.is_open());
  check_connected(plain_reader, writer);
  asio::writable_pipe plain_writer = writer.to_asio();
  check_connected(plain_reader, plain_writer);
  readable_pipe again(std::move(plain_reader));
  BOOST_TEST(!plain_reader.is_open());
  BOOST_TEST(again.native_handle() == number);
  check_connected(again, plain_writer);
  writer = writable_pipe(std::move(plain_writer));
  check_connected(again, writer);
  BOOST_TEST(tally.all_called());
}

BOOST_FIXTURE_TEST_CASE(to_asio_aborts_the_transfers_of_a_pipe, piped)
{
  start_read(reader);
  asio::readable_pipe plain = reader.to_asio();
  reader.async_close(tally(into(closed)));
  BOOST_TEST(tally.called() == 0);
  context.run();
  BOOST_TEST(read == aborted);
  BOOST_TEST(closed == success);
  BOOST_TEST(tally.all_called());
  check_connected(plain, writer);
}

BOOST_FIXTURE_TEST_CASE(a_pipe_of_ours_aborts_the_transfers_of_asios, piped)
{
  asio::readable_pipe plain = reader.to_asio();
  start_read(plain);
  readable_pipe ours(std::move(plain));
  context.run();
  BOOST_TEST(read == aborted);
  check_connected(ours, writer);
}

BOOST_FIXTURE_TEST_CASE(a_pipe_that_is_not_open_gives_nothing, in_context)
{
  check_gives_nothing_when_not_open<readable_pipe>(context, opens_pipe);
  check_gives_nothing_when_not_open<writable_pipe>(context, opens_pipe);
}

BOOST_FIXTURE_TEST_CASE(a_pipe_takes_nothing_from_one_that_is_not_open, in_context)
{
  check_takes_nothing_when_not_open<readable_pipe, asio::readable_pipe>(context, opens_pipe);
  check_takes_nothing_when_not_open<writable_pipe, asio::writable_pipe>(context, opens_pipe);
}

BOOST_FIXTURE_TEST_CASE(a_pipe_with_a_lease_is_refused_and_one_with_a_handle_is_not, piped)
{
  check_leases_and_handles(reader);
  check_leases_and_handles(writer);
}

BOOST_FIXTURE_TEST_CASE(a_pipe_is_refused_while_a_call_is_inside, piped)
{
  call_in_thread blocked(
    [&]
    {
      outcome o;
      o.bytes = reader.read_some(asio::buffer(buffer), o.ec);
      return o;
    });
  BOOST_TEST_REQUIRE(blocked.blocks());
  BOOST_TEST(given(reader) == in_use);
  BOOST_TEST(reader.is_open());
  writer.write_some(asio::buffer("abc", 3));
  BOOST_TEST(blocked.get().bytes == 3u);
  BOOST_TEST(given(reader) == success);
}

// What other code has done to the descriptor before is not known.
BOOST_FIXTURE_TEST_CASE(
  a_socket_that_asio_has_taken_for_a_pipe_does_not_block_its_close, in_context)
{
  ends connection = narrow_tcp_ends();
  const std::size_t sent = fill(connection.near.get());
  set_linger(connection.near, 5);
  const close_watch watch(connection.near.get());
  writable_pipe ours(asio::writable_pipe(context, connection.near.release()));
  ours.close();
  taken got;
  BOOST_TEST(got.take_all(connection.far));
  BOOST_TEST(got.bytes == sent);
  BOOST_TEST(watch.wait_closed());
  BOOST_TEST(!watch.lingered());
}

#if defined(BOOST_ASIO_HAS_EPOLL)
// Sets of epoll(7) can be in one another, but not that deep: no reactor takes the outermost.
BOOST_FIXTURE_TEST_CASE(what_asio_cannot_take_is_closed_unless_it_is_borrowed, in_context)
{
  for (const bool is_borrowed : {false, true})
  {
    ends pipe = pipe_ends();
    readable_pipe object(context);
    if (is_borrowed)
      object.assign(pipe.near.get(), interlock::borrowed);
    else
      object.assign(pipe.near.get());
    const deep_sets sets;
    checked(::dup2(sets.outermost(), pipe.near.get()), "dup2");
    const close_watch watch(pipe.near.get());
    const error_code ec = given(object);
    BOOST_TEST(!!ec);
    BOOST_TEST(!object.is_open());
    BOOST_TEST(watch.arrived() == (is_borrowed ? 0u : 1u));
    if (!is_borrowed)
      pipe.near.release();
  }
}
#endif

BOOST_FIXTURE_TEST_CASE(a_pipe_of_asio_is_closed_once, piped)
{
  const close_watch watch(reader.native_handle());
  {
    readable_pipe ours(reader.to_asio());
    BOOST_TEST(watch.arrived() == 0u);
  }
  BOOST_TEST(watch.wait_closed());
  BOOST_TEST(watch.arrived() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

#endif
