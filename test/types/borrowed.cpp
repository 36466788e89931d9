// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A borrowed descriptor is taken out of the reactor when its object is closed, and never closed, whatever
// ends the object and wherever that has been moved. (How it is used meanwhile is in borrowed_use.cpp.)

#include "borrowed.hpp"

#include <sys/epoll.h>

#include <boost/asio/generic/stream_protocol.hpp>

using namespace lending_tests;

namespace {

// --- What ends an object.

template <class Scene>
void move_and_close(Scene& s)
{
  typename Scene::narrow to(std::move(*s.object));
  BOOST_TEST(to.native_handle() == s.fd);
  BOOST_TEST(!s.object->is_open());
  to.close();
}

template <class Scene>
void convert_and_close(Scene& s)
{
  typename Scene::wide to(std::move(*s.object));
  BOOST_TEST(to.native_handle() == s.fd);
  BOOST_TEST(!s.object->is_open());
  s.close_asynchronously(to);
}

template <class Scene>
void convert_and_destroy(Scene& s)
{
  typename Scene::wide to(*s.context);
  to = std::move(*s.object);
  BOOST_TEST(to.native_handle() == s.fd);
}

template <class Scene>
void assign_another(Scene& s)
{
  typename Scene::narrow other(*s.context);
  ends own = Scene::row::make();
  const close_watch of_own(own.near.get());
  Scene::row::put(other, own.near);
  *s.object = std::move(other);
  s.object->close();
  BOOST_TEST(of_own.wait_closed());
}

template <class Scene>
void retire_for_ever(Scene& s)
{
  s.object->retire();
  lend<typename Scene::row>(*s.object, s.fd, s.ec);
  BOOST_TEST(s.ec == retired);
}

template <class Scene>
struct end
{
  const char* name;
  void (*run)(Scene&);
};

template <class Scene>
constexpr end<Scene> every_end[] = {{"close", [](Scene& s) { s.object->close(); }},
  {"destructor", [](Scene& s) { s.object.reset(); }},
  {"async_close", [](Scene& s) { s.close_asynchronously(*s.object); }},
  {"a handle's close", [](Scene& s) { s.object->get_close_handle().close(); }},
  {"a handle's async_close",
    [](Scene& s) { s.close_asynchronously(s.object->get_close_handle()); }},
  {"retire", retire_for_ever<Scene>},
  {"release", [](Scene& s) { BOOST_TEST(s.object->release() == s.fd); }},
  {"a move, and close", move_and_close<Scene>},
  {"a conversion, and async_close", convert_and_close<Scene>},
  {"an assignment that converts, and the destructor", convert_and_destroy<Scene>},
  {"an assignment of another object", assign_another<Scene>}};

} // namespace

BOOST_AUTO_TEST_SUITE(test_borrowed)

BOOST_AUTO_TEST_CASE_TEMPLATE(whatever_ends_the_object_leaves_the_descriptor_open, Row, every_kind)
{
  for (const auto& end : every_end<scene<Row>>)
    BOOST_TEST_CONTEXT(end.name)
    {
      scene<Row> s;
      s.start();
      end.run(s);
      s.check_unregistered();
      s.run();
      BOOST_TEST(s.read == aborted);
      BOOST_TEST((!s.object || !s.object->is_open()));
      BOOST_TEST(s.tally.all_called());
    }
}

// By then the owner may close it.
BOOST_AUTO_TEST_CASE_TEMPLATE(async_close_waits_for_the_handlers, Row, every_kind)
{
  scene<Row> s;
  asio::io_context idle;
  s.start(asio::bind_executor(idle.get_executor(), s.tally(into(s.read))));
  s.object->async_close(s.tally(into(s.closed)));
  turn(*s.context);
  BOOST_TEST(s.closed == not_called);
  BOOST_TEST(run_until(*s.context, [&] { return idle.poll_one() == 1; }));
  s.run();
  BOOST_TEST(s.read == aborted);
  BOOST_TEST(s.closed == success);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(after_a_lease_too_the_descriptor_stays_open, Row, every_kind)
{
  scene<Row> s;
  interlock::fd_lease lease = s.object->lease();
  s.object->async_close(s.tally(into(s.closed)));
  turn(*s.context);
  BOOST_TEST(s.closed == not_called);
  lease.reset();
  s.run();
  BOOST_TEST(s.closed == success);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(async_release_delivers_the_descriptor, Row, every_kind)
{
  scene<Row> s;
  s.start();
  int delivered = -2;
  s.object->async_release(s.tally(
    [&](error_code ec, int n)
    {
      s.ec = ec;
      delivered = n;
    }));
  s.run();
  BOOST_TEST(s.read == aborted);
  BOOST_TEST(s.ec == success);
  BOOST_TEST(delivered == s.fd);
  s.check_unregistered();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_end_of_the_context_leaves_the_descriptor_open, Row, every_kind)
{
  using scene_type = scene<Row>;
  const end<scene_type> before[] = {{"no close", [](scene_type&) {}},
    {"async_close", [](scene_type& s) { s.object->async_close(s.tally([](error_code) {})); }},
    {"async_release",
      [](scene_type& s) { s.object->async_release(s.tally([](error_code, int) {})); }}};
  for (const auto& each : before)
    BOOST_TEST_CONTEXT(each.name)
    {
      scene_type s;
      s.start();
      each.run(s);
      s.context.reset();
      BOOST_TEST(!s.object->is_open());
      BOOST_TEST(s.tally.called() == 0);
      s.check_lent();
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(with_the_context_of_the_handler_it_is_not_closed, Row, every_kind)
{
  scene<Row> s;
  std::optional<asio::io_context> other(std::in_place);
  s.object->async_release(
    asio::bind_executor(other->get_executor(), s.tally([](error_code, int) {})));
  s.run();
  other.reset();
  BOOST_TEST(s.tally.called() == 0);
  BOOST_TEST(s.tally.all_ended());
  s.check_lent();
}

BOOST_FIXTURE_TEST_CASE(converted_to_the_generic_protocol_it_is_borrowed_still, lending)
{
  using generic = interlock::closable<asio::generic::stream_protocol>;
  local::socket from(context, local(), fd(), borrowed);
  generic::socket to(std::move(from));
  BOOST_TEST(to.native_handle() == fd());
  to.close();
  BOOST_TEST(!to.is_open());
}

// --- Of what is opened next, only that is borrowed which is said to be.

BOOST_AUTO_TEST_CASE_TEMPLATE(a_descriptor_assigned_later_is_owned_again, Row, every_kind)
{
  scene<Row> s;
  for (int i = 0; i != 3; ++i)
  {
    s.close_asynchronously(*s.object);
    ends own = Row::make();
    const close_watch of_own(own.near.get());
    Row::put(*s.object, own.near);
    s.close_asynchronously(*s.object);
    BOOST_TEST(of_own.closed() == 1u);
    lend<Row>(*s.object, s.fd, s.ec);
    BOOST_TEST(s.ec == success);
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(it_can_be_borrowed_again_at_once, Row, every_kind)
{
  scene<Row> s;
  typename scene<Row>::wide other(*s.context);
  for (int i = 0; i != 50; ++i)
  {
    s.object->close();
    lend<Row>(other, s.fd, s.ec);
    BOOST_TEST(s.ec == success);
    other.close();
    lend<Row>(*s.object, s.fd, s.ec);
    BOOST_TEST(s.ec == success);
  }
}

// Opened several times, it comes to use the memory of the time when it borrowed.
BOOST_FIXTURE_TEST_CASE(what_the_object_opens_itself_is_its_own, lending)
{
  local::socket s(context, local(), fd(), borrowed);
  const auto close_and_wait = [&]
  {
    s.async_close(tally(into(ec)));
    context.restart();
    context.run();
    BOOST_TEST(ec == success);
  };
  close_and_wait();
  for (int i = 0; i != 4; ++i)
  {
    s.open(local());
    close_watch own(s.native_handle());
    close_and_wait();
    BOOST_TEST(own.closed() == 1u);
  }
}

// --- Other users of the descriptor.

// A set of the owner's own reports as before: only the object's registration is gone.
BOOST_AUTO_TEST_CASE_TEMPLATE(the_owners_epoll_set_keeps_the_descriptor, Row, every_kind)
{
  scene<Row> s;
  const support::fd set(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
  ::epoll_event event = {};
  event.events = EPOLLIN;
  event.data.fd = s.fd;
  checked(::epoll_ctl(set.get(), EPOLL_CTL_ADD, s.fd, &event), "epoll_ctl");
  s.start();
  s.object->close();
  s.run();
  BOOST_TEST(::epoll_ctl(set.get(), EPOLL_CTL_MOD, s.fd, &event) == 0);
  BOOST_TEST(::epoll_wait(set.get(), &event, 1, 0) == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(objects_of_two_contexts_may_borrow_one_descriptor, Row, every_kind)
{
  scene<Row> s;
  asio::io_context other;
  typename scene<Row>::wide second(other);
  lend<Row>(second, s.fd, s.ec);
  BOOST_TEST(s.ec == success);
  s.object->close();
  BOOST_TEST(second.native_handle() == s.fd);
  second.close();
}

// --- Threads.

BOOST_AUTO_TEST_CASE_TEMPLATE(it_stays_open_whatever_closes_the_object, Row, every_kind)
{
  for (int round = 0; round != 50; ++round)
  {
    scene<Row> s;
    s.start();
    at_once(3,
      [&s](int i)
      {
        if (i == 0)
          s.object->close();
        else if (i == 1)
          s.object->async_close(s.tally(into(s.closed)));
        else
          s.object->async_release(s.tally([](error_code, int) {}));
      });
    s.run();
    BOOST_TEST(s.read == aborted);
    BOOST_TEST(s.closed == success);
    BOOST_TEST(s.tally.all_called());
  }
}

BOOST_AUTO_TEST_SUITE_END()
