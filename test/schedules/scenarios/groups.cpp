// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Closes of groups beside all that their members, their callers and their contexts do meanwhile.

#include <chrono>
#include <functional>
#include <memory>

#include <boost/asio/cancellation_signal.hpp>

#include <interlock/close_mode.hpp>
#include <interlock/close_tally.hpp>
#include <interlock/detail/groups/group_cancellation.hpp>
#include <interlock/detail/groups/group_core.hpp>
#include <interlock/detail/groups/group_member.hpp>

#include "schedules/scene.hpp"

using namespace schedules;
using boost::asio::cancellation_type;
using interlock::close_mode;
using interlock::close_tally;
using interlock::detail::group_core;
using std::chrono::milliseconds;

namespace {

/// What a caller of a group's close is told.
struct told
{
  calls counted;
  close_tally tally;
};

/// The handler of a group's close.
class caller : public cancellable
{
public:
  caller(told& t, boost::asio::cancellation_slot s = {})
    : cancellable(t.counted, s),
      told_(&t)
  {
  }

  void operator()(error_code ec, const close_tally& tally)
  {
    told_->tally = tally;
    counting::operator()(ec);
  }

private:
  told* told_;
};

void add(group_core& group, object& o)
{
  group.add(std::make_shared<interlock::detail::group_member>(o.get_core().share_state()));
}

/// What hears how far a close is.
struct listener
{
  void operator()(const close_tally& tally)
  {
    require(!is_running, "a listener is called twice at a time");
    is_running = true;
    scheduler::current()->point("listener", this);
    last = tally;
    is_running = false;
  }

  bool is_running = false;
  close_tally last;
};

/// A group without members.
struct empty_group
{
  context ctx;
  std::shared_ptr<group_core> group = std::make_shared<group_core>(ctx.get_executor());

  void async_close(caller handler, const close_mode& mode = close_mode::immediate())
  {
    interlock::detail::functions::start_group_close(group, ctx.get_executor(), handler, mode);
  }

  void run_until_called(const told& t)
  {
    ctx.run_until_called(t.counted);
  }
};

struct group_of_one : empty_group
{
  object o{ctx};
  int fd = o.open();

  group_of_one()
  {
    add(*group, o);
  }
};

} // namespace

WIDE_SCENARIO(group_beside_close_of_its_member)
{
  calls closed;
  told t;
  group_of_one s;
  thread closer("closer", [&] { s.o.async_close(closed); });
  s.async_close(caller(t));
  s.ctx.run_until_called(closed, t.counted);
  require(t.tally.members() <= 1, "a member is counted twice");
}

WIDE_SCENARIO(two_closes_of_a_group)
{
  told first;
  told second;
  group_of_one s;
  thread other("other",
    [&]
    {
      s.group->abort_wait(milliseconds(10));
      s.async_close(caller(second));
    });
  s.async_close(caller(first));
  s.ctx.run_until_called(first.counted, second.counted);
  require(first.tally.members() == 1 || second.tally.members() == 1, "no tally counts the member");
  require(s.ctx.timers() == 0, "a timer goes on after the end of a close");
}

// It is closed by the round, or at once after it.
WIDE_SCENARIO(member_that_is_added_beside_a_close)
{
  told t;
  group_of_one s;
  object late(s.ctx);
  const int fd = late.open();
  thread adder("adder", [&] { add(*s.group, late); });
  s.async_close(caller(t));
  s.ctx.run_until([&] { return t.counted.called != 0 && !kernel::current().is_open(fd); });
  require(t.tally.members() == 1 || t.tally.members() == 2, "a tally counts more members, or less");
}

WIDE_SCENARIO(member_that_ends_beside_a_close)
{
  told t;
  group_of_one s;
  auto gone = std::make_unique<object>(s.ctx);
  gone->open();
  add(*s.group, *gone);
  thread owner("owner", [&] { gone.reset(); });
  s.async_close(caller(t));
  s.run_until_called(t);
  require(t.tally.members() == 1 || t.tally.members() == 2, "a tally counts more members, or less");
}

// Nothing but the abort ends the delivery: a time so long never comes.
WIDE_SCENARIO(stronger_mode_beside_the_start_of_a_close)
{
  told delivery;
  told abort;
  group_of_one s;
  kernel::current().at(s.fd).queued = 1;
  thread other("other", [&] { s.async_close(caller(abort), close_mode::abort()); });
  s.async_close(caller(delivery), close_mode::deliver(std::chrono::hours(48)));
  s.ctx.run_until([&] { return abort.counted.called + delivery.counted.called == 2; });
  await_close_of(s.fd);
}

WIDE_SCENARIO(cancellation_beside_the_end_of_a_close)
{
  boost::asio::cancellation_signal signal;
  told t;
  group_of_one s;
  s.async_close(caller(t, signal.slot()));
  thread canceller("canceller", [&] { signal.emit(cancellation_type::terminal); });
  s.run_until_called(t);
  canceller.join();
}

// The caller that has joined stops waiting; the other is told.
WIDE_SCENARIO(cancellation_of_a_caller_that_has_joined)
{
  boost::asio::cancellation_signal signal;
  told first;
  told second;
  group_of_one s;
  s.async_close(caller(first));
  s.async_close(caller(second, signal.slot()));
  thread canceller("canceller", [&] { signal.emit(cancellation_type::total); });
  s.ctx.run_until_called(first.counted, second.counted);
  canceller.join();
  require(first.tally.members() == 1, "a tally does not count a member once");
}

// The time of the round may be over before the round has begun.
WIDE_SCENARIO(close_that_lasts_longer_than_the_group_waits)
{
  told t;
  empty_group s;
  object held(s.ctx);
  const int fd = open_held(held);
  add(*s.group, held);
  s.group->abort_wait(milliseconds(0));
  thread runner("runner", [&] { s.run_until_called(t); });
  s.async_close(caller(t));
  s.run_until_called(t);
  require(t.tally.unfinished == 1, "a member that closes has ended");
  kernel::current().let_go(fd);
}

// Their ends are told one after the other, the last with all of them.
WIDE_SCENARIO(members_that_end_at_the_same_time)
{
  listener heard;
  told t;
  group_of_one s;
  object other(s.ctx);
  other.open();
  add(*s.group, other);
  s.group->on_progress(std::ref(heard));
  s.async_close(caller(t));
  {
    thread runner("runner", [&] { s.run_until_called(t); });
    s.run_until_called(t);
  }
  s.ctx.run_queued();
  require(heard.last.members() == 2, "a listener was not told of the last member");
}

WIDE_SCENARIO(listener_that_changes_beside_a_close)
{
  listener before;
  listener after;
  told t;
  group_of_one s;
  s.group->on_progress(std::ref(before));
  thread changer("changer", [&] { s.group->on_progress(std::ref(after)); });
  s.async_close(caller(t));
  s.run_until_called(t);
  changer.join();
  s.ctx.run_queued();
  require(before.last.members() + after.last.members() == 1, "one listener is told");
}

SCENARIO(shutdown_beside_a_close_of_a_group)
{
  told t;
  {
    group_of_one s;
    thread closer("closer", [&] { s.async_close(caller(t)); });
    s.ctx.stop_services();
  }
  require_done(t.counted);
}

// The member is lost, closed, or was not open any more. The group does not wait for the time when it gives up.
WIDE_SCENARIO(shutdown_of_a_members_context_beside_a_close)
{
  told t;
  context other;
  empty_group s;
  object member(other);
  member.open();
  add(*s.group, member);
  s.group->abort_wait(std::chrono::hours(48));
  thread ender("ender", [&] { other.stop_services(); });
  s.async_close(caller(t));
  s.run_until_called(t);
  require(t.tally.members() <= 1, "a member is counted twice");
}

// The members' threads meet a context that ends.
WIDE_SCENARIO(shutdown_of_the_groups_context_beside_its_members)
{
  told t;
  context other;
  object member(other);
  member.open();
  {
    empty_group s;
    add(*s.group, member);
    s.async_close(caller(t));
    thread runner("runner", [&] { other.run_queued(); });
    s.ctx.stop_services();
  }
  require_done(t.counted);
  other.run_queued();
}

WIDE_SCENARIO(cancellation_beside_the_end_of_the_groups_context)
{
  boost::asio::cancellation_signal signal;
  told t;
  {
    group_of_one s;
    kernel::current().at(s.fd).queued = 1;
    s.async_close(caller(t, signal.slot()), close_mode::deliver(std::chrono::hours(48)));
    thread canceller("canceller", [&] { signal.emit(cancellation_type::terminal); });
    s.ctx.stop_services();
  }
  require_done(t.counted);
}
