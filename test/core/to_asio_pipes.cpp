// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// An end of a pipe comes from Asio or goes there with a descriptor that is no pipe: a socket that lingers, and what no
// reactor takes.

#include "support/prelude.hpp"

#include <interlock/borrowed.hpp>
#include <interlock/readable_pipe.hpp>
#include <interlock/writable_pipe.hpp>

#if defined(INTERLOCK_HAS_PIPES)

#if defined(BOOST_ASIO_HAS_EPOLL)
#include <sys/epoll.h>
#endif

#include <boost/asio/writable_pipe.hpp>
#include <boost/system/system_error.hpp>

#include "support/lingering_socket.hpp"
#include "support/scene.hpp"
#include "support/tcp_facts.hpp"

using namespace support;

#if defined(BOOST_ASIO_HAS_EPOLL)

namespace {

/// The outermost of sets of epoll(7), each of which watches the one before.
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

} // namespace

#endif

BOOST_FIXTURE_TEST_SUITE(test_to_asio_pipes, in_context)

// What other code has done to the descriptor before is not known.
BOOST_AUTO_TEST_CASE(a_socket_that_asio_has_taken_for_a_pipe_does_not_block_its_close)
{
  ends connection = narrow_tcp_ends();
  const std::size_t sent = fill(connection.near.get());
  set_linger(connection.near, 5);
  const close_watch watch(connection.near.get());
  interlock::writable_pipe ours(asio::writable_pipe(*context, connection.near.release()));
  ours.close();
  taken got;
  BOOST_TEST(got.take_all(connection.far));
  BOOST_TEST(got.bytes == sent);
  BOOST_TEST(watch.wait_closed());
  BOOST_TEST(!watch.lingered());
}

#if defined(BOOST_ASIO_HAS_EPOLL)

// Sets of epoll(7) can be in one another, but not that deep: no reactor takes the outermost.
BOOST_AUTO_TEST_CASE(what_asio_cannot_take_is_closed_unless_it_is_borrowed)
{
  for (const bool is_borrowed : {false, true})
  {
    ends pipe = pipe_ends();
    interlock::readable_pipe object(*context);
    if (is_borrowed)
      object.assign(pipe.near.get(), interlock::borrowed);
    else
      object.assign(pipe.near.get());
    const deep_sets sets;
    checked(::dup2(sets.outermost(), pipe.near.get()), "dup2");
    const close_watch watch(pipe.near.get());
    BOOST_CHECK_THROW(object.to_asio(), boost::system::system_error);
    BOOST_TEST(!object.is_open());
    BOOST_TEST(watch.arrived() == (is_borrowed ? 0u : 1u));
    if (!is_borrowed)
      pipe.near.release();
  }
}

#endif

BOOST_AUTO_TEST_SUITE_END()

#endif
