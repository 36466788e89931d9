// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What goes first: objects owned by handlers that their context destroys, and objects that outlive
// their context. Whatever the order, each descriptor is closed once and each handler ends once.

#include "support/prelude.hpp"

#include <tuple>

#include "support/lingering_socket.hpp"
#include "support/refusals.hpp"

using namespace support;

namespace {

/// A context that can be shut down before it is destroyed.
struct mortal_context : asio::io_context
{
  using asio::io_context::execution_context::shutdown;
};

/// Whatever goes first, every handler ends.
struct fixture : no_trace
{
  handler_tally tally;

  ~fixture()
  {
    BOOST_TEST(tally.all_ended());
  }
};

/// A connected object, held by handlers only, and a watch on its descriptor.
template <class Socket = local::socket>
struct watched
{
  ends pair = unix_ends();
  close_watch watch{pair.near.get()};
  std::shared_ptr<Socket> object;
  char buffer[8] = {};

  template <class ContextOrExecutor>
  explicit watched(ContextOrExecutor&& where)
    : object(std::make_shared<Socket>(where, local(), pair.near.release()))
  {
  }

  /// Closed once, and before this was asked.
  bool closed_once() const
  {
    return watch.closed() == 1 && watch.arrived() == 1;
  }
};

/// A handler of whatever signature that owns `object`.
template <class Object>
auto owning(std::shared_ptr<Object> object)
{
  return [object](auto&&...) {};
}

using io_executor = asio::io_context::executor_type;
template <class Executor>
using socket_over = typename local::socket::rebind_executor<Executor>::other;

/// A life with every kind of handler in it, all of which own the object: one posted, operations
/// that are complete, that are outstanding, that were refused, and closers that lead, join and come
/// late.
template <class Executor>
struct full_life
{
  watched<socket_over<Executor>> s;

  full_life(const Executor& ex, handler_tally& tally)
    : s(ex)
  {
    send_text(s.pair.far, "x");
    auto o = std::exchange(s.object, nullptr);
    asio::post(ex, tally(owning(o)));
    o->async_read_some(asio::buffer(s.buffer), tally(owning(o)));
    o->async_read_some(asio::buffer(s.buffer), tally(owning(o)));
    o->async_wait(local::socket::wait_error, tally(owning(o)));
    o->async_close(tally(owning(o)));
    o->async_close(tally(owning(o)));
    o->async_write_some(asio::buffer(s.buffer), tally(owning(o)));
    asio::post(ex, tally([o, &tally](auto&&...) { o->async_close(tally(owning(o))); }));
  }
};

struct on_the_context
{
  static constexpr bool runs_one_handler_a_step = true;

  static io_executor of(asio::io_context& context)
  {
    return context.get_executor();
  }
};

struct on_a_strand
{
  static constexpr bool runs_one_handler_a_step = false;

  static asio::strand<io_executor> of(asio::io_context& context)
  {
    return asio::make_strand(context.get_executor());
  }
};

using places = std::tuple<on_the_context, on_a_strand>;

/// Tries everything an object has left when its context has been destroyed.
void touch_all(local::socket& s)
{
  error_code ec;
  char buffer[8];
  BOOST_TEST(!s.is_open());
  BOOST_TEST(s.native_handle() == -1);
  BOOST_TEST(s.write_some(asio::buffer(buffer), ec) == 0u);
  BOOST_TEST(ec == bad_descriptor);
  s.wait(local::socket::wait_read, ec);
  BOOST_TEST(ec == bad_descriptor);
  s.cancel(ec);
  BOOST_TEST(ec == bad_descriptor);
  s.shutdown(local::socket::shutdown_both, ec);
  BOOST_TEST(ec == bad_descriptor);
  s.non_blocking(true, ec);
  BOOST_TEST(ec == bad_descriptor);
  s.remote_endpoint(ec);
  BOOST_TEST(ec == bad_descriptor);
  s.release(ec);
  BOOST_TEST(ec == bad_descriptor);
  s.close(ec);
  BOOST_TEST(ec == success);
  s.close();
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_contexts_lifetime, fixture)

// --- Objects owned by handlers.

// As many handlers are run as can be, from none to all, before the context is destroyed.
BOOST_AUTO_TEST_CASE_TEMPLATE(
  a_context_may_be_destroyed_after_any_number_of_handlers, Place, places)
{
  bool ran_dry = false;
  for (std::size_t limit = 0; !ran_dry; ++limit)
  {
    handler_tally handlers;
    std::optional<asio::io_context> context(std::in_place);
    full_life life(Place::of(*context), handlers);
    std::size_t steps = 0;
    while (steps != limit && context->run_one() == 1)
      ++steps;
    ran_dry = steps != limit;
    const int called = handlers.called();
    BOOST_TEST((!ran_dry || handlers.all_called()));
    if (Place::runs_one_handler_a_step)
      BOOST_TEST(called <= static_cast<int>(steps));
    context.reset();
    BOOST_TEST(handlers.called() == called);
    BOOST_TEST(handlers.all_ended());
    BOOST_TEST(handlers.made() >= 8);
    BOOST_TEST(life.s.closed_once());
  }
}

BOOST_AUTO_TEST_CASE(a_thread_pool_may_be_destroyed_before_any_handler)
{
  std::optional<asio::thread_pool> pool(std::in_place, 2);
  pool->stop();
  full_life life(pool->get_executor(), tally);
  pool.reset();
  BOOST_TEST(life.s.closed_once());
  BOOST_TEST(tally.called() == 0);
}

// The aborted read, which owns the object, waits in another context: that one goes first.
BOOST_AUTO_TEST_CASE(an_object_owned_by_a_handler_in_another_context_ends_with_that_context)
{
  asio::io_context context;
  std::optional<asio::io_context> other(std::in_place);
  watched<> s(context);
  error_code closed = not_called;
  s.object->async_read_some(
    asio::buffer(s.buffer), asio::bind_executor(other->get_executor(), tally(owning(s.object))));
  s.object->async_close(tally(into(closed)));
  const std::weak_ptr<local::socket> alive = std::exchange(s.object, nullptr);
  BOOST_TEST(wait_until([&] { return context.poll(), s.watch.closed() == 1; }));
  BOOST_TEST(!alive.expired());
  // The last word is not said before.
  BOOST_TEST(closed == not_called);
  other.reset();
  BOOST_TEST(alive.expired());
  context.restart();
  context.run();
  BOOST_TEST(closed == success);
  BOOST_TEST(tally.called() == 1);
  BOOST_TEST(s.closed_once());
}

BOOST_AUTO_TEST_CASE(an_object_owned_by_a_handler_in_another_context_outlives_its_own)
{
  std::optional<asio::io_context> context(std::in_place);
  std::optional<asio::io_context> other(std::in_place);
  watched<> s(*context);
  asio::post(*other, tally(owning(s.object)));
  s.object->async_read_some(asio::buffer(s.buffer), tally(owning(s.object)));
  s.object->async_close(
    asio::bind_executor(other->get_executor(), tally(owning(std::exchange(s.object, nullptr)))));
  context.reset();
  BOOST_TEST(s.closed_once());
  BOOST_TEST(tally.ended() == 2);
  other.reset();
  BOOST_TEST(tally.called() == 0);
  BOOST_TEST(s.closed_once());
}

// A handler of each object owns the other; the destruction of one context reaches into the other.
BOOST_AUTO_TEST_CASE(objects_of_two_contexts_may_own_each_other)
{
  for (const bool first_goes_first : {true, false})
  {
    std::optional<asio::io_context> contexts[2];
    contexts[0].emplace();
    contexts[1].emplace();
    watched<> a(*contexts[0]);
    watched<> b(*contexts[1]);
    a.object->async_read_some(asio::buffer(a.buffer), tally(owning(b.object)));
    b.object->async_read_some(asio::buffer(b.buffer), tally(owning(a.object)));
    a.object->async_close(tally(owning(std::exchange(b.object, nullptr))));
    a.object.reset();
    contexts[first_goes_first ? 0 : 1].reset();
    contexts[first_goes_first ? 1 : 0].reset();
    BOOST_TEST(a.closed_once());
    BOOST_TEST(b.closed_once());
  }
  BOOST_TEST(tally.called() == 0);
}

// Handlers are destroyed in the middle of the shutdown: what they do then has nowhere to go.
BOOST_AUTO_TEST_CASE(a_handler_may_use_its_object_while_the_context_destroys_it)
{
  for (const bool closing : {false, true})
  {
    std::optional<asio::io_context> context(std::in_place);
    watched<> s(*context);
    const ends spare = unix_ends();
    int uses = 0;
    const auto use = [&](local::socket* o)
    {
      error_code ec;
      char buffer[8];
      ++uses;
      BOOST_TEST(!o->is_open());
      o->close();
      o->assign(local(), spare.near.get(), ec);
      BOOST_TEST(ec == not_supported);
      o->async_read_some(asio::buffer(buffer), tally([](error_code, std::size_t) {}));
      o->async_close(tally([](error_code) {}));
      delete o;
    };
    std::shared_ptr<local::socket> object(new local::socket(std::move(*s.object)), use);
    object->async_read_some(asio::buffer(s.buffer), tally(owning(object)));
    if (closing)
      object->async_close(tally(owning(object)));
    object.reset();
    context.reset();
    BOOST_TEST(uses == 1);
    BOOST_TEST(s.closed_once());
    BOOST_TEST(!hung_up(spare.far));
  }
  BOOST_TEST(tally.called() == 0);
}

// The descriptor is closed and the worker hands the closers over, which the context is about to drop.
BOOST_AUTO_TEST_CASE(no_closer_ends_on_the_worker_when_its_context_goes)
{
  for (int i = 0; i != 200; ++i)
  {
    std::optional<asio::io_context> context(std::in_place);
    watched<> s(*context);
    s.object->async_close(tally(owning(s.object)));
    context->run_one();
    s.object.reset();
    BOOST_TEST(s.watch.wait_closed());
    context.reset();
    BOOST_TEST(tally.ended() == i + 1);
  }
  BOOST_TEST(tally.wrong() == 0);
}

// --- Objects that outlive their context.

BOOST_AUTO_TEST_CASE(an_object_that_outlives_its_context_is_closed)
{
  std::optional<asio::io_context> context(std::in_place);
  watched<> open(*context);
  watched<> closing(*context);
  watched<> closed(*context);
  local::socket never_opened(*context);
  open.object->async_read_some(asio::buffer(open.buffer), tally([](error_code, std::size_t) {}));
  closed.object->async_close(tally([](error_code) {}));
  context->run_one();
  BOOST_TEST(wait_until([&] { return context->poll(), tally.called() == 1; }));
  closing.object->async_close(tally([](error_code) {}));
  context.reset();
  for (const watched<>* w : {&open, &closing, &closed})
  {
    BOOST_TEST(w->closed_once());
    touch_all(*w->object);
  }
  touch_all(never_opened);
  BOOST_TEST(tally.called() == 1);
  BOOST_TEST(tally.all_ended());
}

BOOST_AUTO_TEST_CASE(an_object_that_outlives_its_context_may_be_moved)
{
  std::optional<asio::io_context> context(std::in_place);
  watched<> first(*context);
  watched<> second(*context);
  context.reset();
  local::socket moved(std::move(*first.object));
  *second.object = std::move(moved);
  touch_all(*second.object);
  first.object.reset();
  BOOST_TEST(first.closed_once());
  BOOST_TEST(second.closed_once());
}

// The context is there but has been shut down. However far the object had come: it does not open
// any more, and its closers are destroyed with the context.
BOOST_AUTO_TEST_CASE(after_the_shutdown_closers_are_destroyed_and_nothing_opens)
{
  std::optional<mortal_context> context(std::in_place);
  watched<> open(*context);
  watched<> closing(*context);
  watched<> closed(*context);
  watched<> released(*context);
  local::socket never_opened(*context);
  closed.object->async_close(tally([](error_code) {}));
  BOOST_TEST(wait_until([&] { return context->poll(), tally.called() == 1; }));
  released.pair.near.reset(released.object->release());
  closing.object->async_close(tally([](error_code) {}));
  context->shutdown();
  const ends spare = unix_ends();
  for (local::socket* s : {open.object.get(), closing.object.get(), closed.object.get(),
         released.object.get(), &never_opened})
  {
    error_code ec;
    s->assign(local(), spare.near.get(), ec);
    BOOST_TEST(ec == not_supported);
    s->async_close(tally([](error_code) {}));
    s->async_close(tally([](error_code) {}));
    BOOST_TEST(!s->is_open());
  }
  BOOST_TEST(!hung_up(spare.far));
  BOOST_TEST(!hung_up(released.pair.far));
  BOOST_TEST(open.closed_once());
  BOOST_TEST(closing.closed_once());
  BOOST_TEST(closed.closed_once());
  for (watched<>* w : {&open, &closing, &closed, &released})
    w->object.reset();
  context.reset();
  BOOST_TEST(tally.made() == 12);
  BOOST_TEST(tally.called() == 1);
}

// There is no worker any more: the close is made here, and must not linger.
BOOST_AUTO_TEST_CASE(what_asio_hands_over_after_the_shutdown_is_closed_without_linger)
{
  mortal_context context;
  tcp::socket first(context, tcp::v4());
  context.shutdown();
  lingering_socket lingering;
  const int fd = lingering.release();
  const close_watch watch(fd);
  asio::ip::tcp::socket plain(context);
  plain.assign(asio::ip::tcp::v4(), fd);
  throws("move", not_supported, [&] { tcp::socket taken(std::move(plain)); });
  BOOST_TEST(watch.closed() == 1u);
  BOOST_TEST(!watch.lingered());
}

// A handler closes, as it is destroyed with the context, an object that lives on.
BOOST_AUTO_TEST_CASE(a_closer_that_comes_in_the_shutdown_is_destroyed_and_leaves_nothing_behind)
{
  std::optional<asio::io_context> context(std::in_place);
  watched<> s(*context);
  const auto close_it = [this](local::socket* o) { o->async_close(tally([](error_code) {})); };
  asio::post(*context, owning(std::shared_ptr<local::socket>(s.object.get(), close_it)));
  context.reset();
  BOOST_TEST(!s.object->is_open());
  BOOST_TEST(s.watch.wait_closed());
  BOOST_TEST(tally.made() == 1);
  BOOST_TEST(tally.called() == 0);
}

BOOST_AUTO_TEST_CASE(closes_and_opens_may_race_with_the_shutdown_of_their_context)
{
  int open = 0;
  for (int i = 0; i != 200; ++i)
  {
    mortal_context context;
    watched<> s(context);
    local::socket opening(context);
    ends late = unix_ends();
    const interlock::close_handle h = s.object->get_close_handle();
    // Asio's contexts do not make services while they are shut down: those needed are there before.
    local::socket(context, local(), unix_ends().near.release()).async_close([](error_code) {});
    at_once(3,
      [&](int side)
      {
        error_code ec;
        if (side == 0)
          context.shutdown();
        else if (side == 1)
          h.async_close(tally([](error_code) {}));
        else if (!opening.assign(local(), late.near.get(), ec))
          late.near.release();
      });
    open += opening.is_open() ? 1 : 0;
    BOOST_TEST(s.watch.wait_closed());
    BOOST_TEST(s.closed_once());
  }
  BOOST_TEST(open == 0);
}

BOOST_AUTO_TEST_SUITE_END()
