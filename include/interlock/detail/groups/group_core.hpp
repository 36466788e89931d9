// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The members of a close_group, and the round in which they are closed. Acts as group_state.hpp decides.
//
// The group owns it, and so do the timers of a round and the handler of each member's close. A round lasts no longer
// than the group's context: a thread of another context passes its gate before it uses one. The mutex guards every
// member below it, and the round. It is never held while a close begins, a handler is called or destroyed, a member
// is destroyed, or a function of the program runs; so what may be the last reference to any of these is declared
// before the lock.

#ifndef INTERLOCK_DETAIL_GROUPS_GROUP_CORE_HPP
#define INTERLOCK_DETAIL_GROUPS_GROUP_CORE_HPP

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/core/no_exceptions_support.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/close_mode.hpp>
#include <interlock/close_report.hpp>
#include <interlock/close_tally.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/core/handled_object.hpp>
#include <interlock/detail/core/object_base.hpp>
#include <interlock/detail/groups/context_bound.hpp>
#include <interlock/detail/groups/group_executor.hpp>
#include <interlock/detail/groups/group_listener.hpp>
#include <interlock/detail/groups/group_member.hpp>
#include <interlock/detail/groups/group_members.hpp>
#include <interlock/detail/groups/group_round.hpp>
#include <interlock/detail/groups/group_state.hpp>
#include <interlock/detail/groups/group_steps.hpp>
#include <interlock/detail/groups/group_timers.hpp>
#include <interlock/detail/sys.hpp>
#include <interlock/detail/tenure/close_waiter.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class group_core : public std::enable_shared_from_this<group_core>
{
public:
  using executor_type = group_executor;
  using error_code = boost::system::error_code;
  using clock = group_round::clock;

  explicit group_core(const executor_type& ex)
    : executor_(functions::ready_context<group_reactor_user>(ex), ex)
  {
  }

  // --- Settings. Any thread.

  void spread(clock::duration window)
  {
    const std::lock_guard<sys::mutex> lock(mutex_);
    state_.spread(window);
  }

  void abort_wait(clock::duration wait)
  {
    const std::lock_guard<sys::mutex> lock(mutex_);
    state_.abort_wait(wait);
  }

  void on_progress(group_listener::function f)
  {
    listener_->set(std::move(f));
  }

  // --- Members. Any thread.

  std::size_t size()
  {
    group_members::list gone;
    const std::lock_guard<sys::mutex> lock(mutex_);
    return state_.members.size(gone);
  }

  /// What throws has no effect.
  void add(const group_member_pointer& member)
  {
    group_members::list gone;
    close_one(admit(member, [&] { state_.members.add(member, gone); }));
  }

  // --- Closing. Any thread.

  caller_number new_caller()
  {
    const std::lock_guard<sys::mutex> lock(mutex_);
    return state_.new_caller();
  }

  /// Begins a round, or joins the one under way, which a stronger mode overtakes. What throws has no effect, except
  /// that the end of a round without members may fail to reach its callers.
  void close(const close_mode& mode, group_caller caller)
  {
    while (!join(mode, caller) && !lead(mode, caller))
    {
    } // another caller's round has begun meanwhile
  }

  /// The cancellation of a caller. From the one that leads, `terminal` aborts the round and `partial` makes it
  /// immediate; else the caller stops waiting.
  void cancel(caller_number number, bool terminal, bool partial)
  {
    executor_.use([this, number, terminal, partial](const executor_type& /*ex*/)
      { cancel_within(number, terminal, partial); });
  }

private:
  // The handler of a member's close. Destroyed uncalled, it tells that the member is lost.
  class member_closed
  {
  public:
    member_closed(std::shared_ptr<group_core> core, const group_start& s) noexcept
      : core_(std::move(core)),
        round_(s.round),
        number_(s.number)
    {
    }

    member_closed(member_closed&&) noexcept = default;
    member_closed& operator=(member_closed&&) = delete;

    ~member_closed()
    {
      if (core_)
        functions::succeeds([this] { core_->lose_one(round_, number_); });
    }

    void operator()(const error_code& ec, const close_report& report)
    {
      if (const std::shared_ptr<group_core> core = std::move(core_))
        core->end_one(round_, number_, ec, report);
    }

  private:
    std::shared_ptr<group_core> core_;
    std::weak_ptr<group_round> round_; // expired: it counts in none
    std::size_t number_;
  };

  // --- Beginning.

  // One that is not valid closes at once.
  static close_mode valid(const close_mode& mode) noexcept
  {
    return is_valid(mode) ? mode : close_mode::immediate();
  }

  // False: no round is under way.
  bool join(const close_mode& mode, group_caller& caller)
  {
    round_pointer round;
    bool overtakes = false;
    {
      const std::lock_guard<sys::mutex> lock(mutex_);
      round = state_.round();
      if (!round)
        return false;
      round->callers.push_back(std::move(caller));
      overtakes = state_.overtake(*round, valid(mode));
    }
    if (overtakes)
      hurry(round);
    return true;
  }

  // The timer of a round is made before the round begins, because that can fail.
  bool lead(const close_mode& mode, group_caller& caller)
  {
    const auto round = std::make_shared<group_round>(valid(mode), clock::now());
    round->expires_at = first_expiry(*round);
    round->expiry = wait(round, round->expires_at, &group_core::expire);
    bool begins = false;
    BOOST_TRY
    {
      const std::lock_guard<sys::mutex> lock(mutex_);
      begins = state_.begin(round, caller);
    }
    BOOST_CATCH(...)
    {
      group_timers::cancel(round->expiry);
      BOOST_RETHROW
    }
    BOOST_CATCH_END
    begins ? start_round(round) : group_timers::cancel(round->expiry);
    return begins;
  }

  clock::time_point first_expiry(const group_round& round)
  {
    const std::lock_guard<sys::mutex> lock(mutex_);
    return state_.first_expiry(round);
  }

  void start_round(const round_pointer& round)
  {
    start_due(round);
    if (has_expired_early(*round))
      expire(round);
  }

  bool has_expired_early(const group_round& round)
  {
    const std::lock_guard<sys::mutex> lock(mutex_);
    return round.expired_early;
  }

  // `note` notes the member under the mutex.
  template <class Note>
  group_start admit(const group_member_pointer& member, Note note)
  {
    round_pointer round;
    const std::lock_guard<sys::mutex> lock(mutex_);
    round = state_.round();
    if (round)
      round->make_room();
    note();
    return state_.enter(round, member);
  }

  // Comes back for those whose turn it is not yet; without memory for a timer it is their turn.
  void start_due(const round_pointer& round)
  {
    const clock::time_point now = clock::now();
    start_until(round, now);
    const auto come_back = [&] { come_back_for_others(round, now); };
    if (!functions::succeeds(come_back))
      start_until(round, clock::time_point::max());
    settle(round);
  }

  void start_until(const round_pointer& round, clock::time_point now) noexcept
  {
    while (close_one(take_due(round, now)))
    {
    }
  }

  group_start take_due(const round_pointer& round, clock::time_point now) noexcept
  {
    const std::lock_guard<sys::mutex> lock(mutex_);
    return state_.next_due(round, now);
  }

  void come_back_for_others(const round_pointer& round, clock::time_point now)
  {
    const clock::duration pause = pause_of(round);
    if (pause == clock::duration::zero())
      return;
    group_timers::timer t = wait(round, now + pause, &group_core::start_due);
    {
      const std::lock_guard<sys::mutex> lock(mutex_);
      if (state_.is_current(round))
        t.swap(round->next_start);
    }
    group_timers::cancel(t);
  }

  clock::duration pause_of(const round_pointer& round)
  {
    const std::lock_guard<sys::mutex> lock(mutex_);
    return state_.pause(round);
  }

  // --- One member.

  // False: there is none.
  bool close_one(const group_start& s) noexcept
  {
    if (!s.member)
      return false;
    accepted_members accepted;
    if (s.mode.delivers())
      functions::succeeds([&] { s.member->accept_waiting(accepted); });
    begin_close(s);
    for (const group_member_pointer& peer : accepted)
      functions::succeeds([&] { begin_close(admit(peer, [] {})); });
    return true;
  }

  // Without memory, or if its execution context is gone, the member is lost. The mode may have become stronger
  // meanwhile.
  void begin_close(const group_start& s) noexcept
  {
    member_closed handler(shared_from_this(), s);
    s.member->use(
      [&](const handled_object& o)
      {
        const tenure_mark mark = o.state().mark();
        functions::close_member(o, std::move(handler), s.mode);
        const close_mode now = note_begun(s, mark);
        if (stronger(now, s.mode))
          o.overtake(mark, now);
      });
  }

  // Returns the mode by now.
  close_mode note_begun(const group_start& s, const tenure_mark& mark) noexcept
  {
    const round_pointer round = s.round.lock();
    const std::lock_guard<sys::mutex> lock(mutex_);
    if (!state_.is_current(round))
      return s.mode;
    round->members[s.number].mark = mark;
    return state_.mode_now(*round);
  }

  void end_one(const std::weak_ptr<group_round>& round, std::size_t number, const error_code& ec,
    const close_report& report)
  {
    end_one(round, number,
      [&](close_tally& tally)
      {
        // A mode that an object does not have closes it at once.
        tally.add(report, ec && ec != boost::asio::error::operation_not_supported);
      });
  }

  void lose_one(const std::weak_ptr<group_round>& round, std::size_t number)
  {
    end_one(round, number, [](close_tally& tally) { ++tally.unfinished; });
  }

  // On a thread of the member's. The round lasts as long as the group's context, which does not end meanwhile.
  template <class Count>
  void end_one(const std::weak_ptr<group_round>& of, std::size_t number, Count count)
  {
    executor_.use(
      [&](const executor_type& /*ex*/)
      {
        group_member_pointer ended;
        round_news news;
        const round_pointer round = of.lock();
        {
          const std::lock_guard<sys::mutex> lock(mutex_);
          if (!state_.is_current(round))
            return;
          ended.swap(round->members[number].member);
          count(round->tally);
          news = state_.end_one(*round);
        }
        tell(std::move(news));
      });
  }

  // --- The mode becomes stronger.

  // Those that close are overtaken, the others begin. Without memory for another timer the earlier one counts, if
  // there is one.
  void hurry(const round_pointer& round, bool has_timer = true)
  {
    for (std::size_t number = 0; overtake_one(*round, number); ++number)
    {
    }
    start_due(round);
    if (functions::succeeds([&] { renew_expiry(round); }))
      return;
    if (has_timer)
      keep_expiry(*round);
    else
      give_up(round);
  }

  // False: there is none of that number.
  bool overtake_one(group_round& round, std::size_t number) noexcept
  {
    round_member which;
    close_mode mode = close_mode::abort();
    {
      const std::lock_guard<sys::mutex> lock(mutex_);
      if (number >= round.members.size())
        return false;
      which = round.members[number];
      mode = state_.mode_now(round);
    }
    if (which.member)
      which.member->use([&](const handled_object& o) { o.overtake(which.mark, mode); });
    return true;
  }

  void cancel_within(caller_number number, bool terminal, bool partial)
  {
    round_pointer round;
    group_caller gone;
    bool overtakes = false;
    {
      const std::lock_guard<sys::mutex> lock(mutex_);
      round = state_.round();
      if (!round)
        return;
      if (number == round->leader && (terminal || partial))
        overtakes = state_.overtake(
          *round, terminal ? close_mode::abort() : close_mode::immediate());
      else
        gone = round->take_caller(number);
    }
    if (overtakes)
      hurry(round);
    if (gone.waiter)
      gone.waiter.release()->complete({boost::asio::error::operation_aborted}, hand_over::post);
  }

  // --- The end.

  void renew_expiry(const round_pointer& round)
  {
    const clock::time_point at = expiry_of(*round);
    group_timers::timer t = wait(round, at, &group_core::expire);
    {
      const std::lock_guard<sys::mutex> lock(mutex_);
      if (state_.is_current(round) && at == round->expires_at)
        t.swap(round->expiry);
    }
    group_timers::cancel(t);
  }

  clock::time_point expiry_of(const group_round& round)
  {
    const std::lock_guard<sys::mutex> lock(mutex_);
    return round.expires_at;
  }

  void keep_expiry(group_round& round)
  {
    const std::lock_guard<sys::mutex> lock(mutex_);
    round.expires_at = clock::time_point::min();
  }

  void settle(const round_pointer& round)
  {
    tell(news_by([&] { return state_.settle(round); }));
  }

  // The round ends now.
  void give_up(const round_pointer& round)
  {
    tell(news_by([&] { return state_.give_up(round); }));
  }

  void expire(const round_pointer& round)
  {
    expired what = expired::nothing;
    round_news news;
    {
      const std::lock_guard<sys::mutex> lock(mutex_);
      what = state_.expire(round, news);
    }
    tell(std::move(news));
    if (what == expired::aborts)
      hurry(round, false);
    else if (what == expired::early && !functions::succeeds([&] { renew_expiry(round); }))
      give_up(round);
  }

  template <class Transition>
  round_news news_by(Transition transition)
  {
    const std::lock_guard<sys::mutex> lock(mutex_);
    return transition();
  }

  void tell(round_news news)
  {
    for (const group_timers::timer& t : news.timers)
      group_timers::cancel(t);
    close_waiter_list callers;
    for (group_caller& c : news.callers)
      callers.push(*c.waiter.release());
    const auto tell = [&](const executor_type& ex)
    {
      if (news.tally.number != 0)
        listener_->tell(ex, news.tally);
      callers.complete_all({}, hand_over::post);
    };
    executor_.use(tell);
  }

  using step = void (group_core::*)(const round_pointer&);

  // Without the group's context there is no time.
  group_timers::timer wait(const round_pointer& round, clock::time_point at, step then)
  {
    group_timers::timer t;
    executor_.use(
      [&](const executor_type& ex)
      {
        t = group_timers::wait(
          ex, at, [self = shared_from_this(), round, then] { ((*self).*then)(round); });
      });
    return t;
  }

  const context_bound<executor_type>
    executor_; // the group's context may end before a close that is under way
  const std::shared_ptr<group_listener> listener_ = std::make_shared<group_listener>();
  sys::mutex mutex_;
  group_state state_;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_GROUPS_GROUP_CORE_HPP
