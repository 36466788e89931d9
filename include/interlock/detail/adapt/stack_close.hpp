// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The close of one stack. Acts as stack_stage.hpp decides.
//
// Every function runs on the executor of the stream, except where another thread is named. The steps that are
// outstanding own it, and so does the wait of its timer, so that it is gone with the execution context. It owns the
// stream, to which the operations of a layer refer.

#ifndef INTERLOCK_DETAIL_ADAPT_STACK_CLOSE_HPP
#define INTERLOCK_DETAIL_ADAPT_STACK_CLOSE_HPP

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <new>
#include <utility>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/wait_traits.hpp>
#include <boost/core/no_exceptions_support.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/close_mode.hpp>
#include <interlock/close_report.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/adapt/layer.hpp>
#include <interlock/detail/adapt/layer_time.hpp>
#include <interlock/detail/adapt/running_closes.hpp>
#include <interlock/detail/adapt/serial.hpp>
#include <interlock/detail/adapt/stack_caller.hpp>
#include <interlock/detail/adapt/stack_connection.hpp>
#include <interlock/detail/adapt/stack_stage.hpp>
#include <interlock/detail/tenure/close_waiter.hpp>
#include <interlock/stack_report.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

template <class Stream>
class stack_close final : public running_close
{
public:
  using executor_type = typename Stream::executor_type;
  using error_code = boost::system::error_code;
  using clock = layer_time::clock;

  /// `mode` is valid.
  stack_close(running_closes_pointer all, const kept_stream<Stream>& stream, const close_mode& mode)
    : running_close(std::move(all), functions::core_of(*stream).identity(), mode),
      executor_(stream->get_executor()),
      stream_(stream),
      connection_(*stream),
      time_(mode, clock::now()),
      timer_(executor_),
      pause_(executor_),
      progress_(layer_states<Stream>::count)
  {
  }

  layer_states<Stream>& states() noexcept
  {
    return states_;
  }

  // --- Any thread.

  void begin_soon()
  {
    boost::asio::dispatch(
      executor_, [self = self_pointer()] { self->run_step([&] { self->begin(); }); });
  }

  /// begin_soon has thrown, for the caller that leads. Others may have joined meanwhile.
  void fail_to_begin() noexcept
  {
    stack_callers joined = end();
    const stack_callers leader = first_of(joined);
    if (joined.empty())
      return;
    stop();
    BOOST_TRY
    {
      tell(std::move(joined), make_error_code(boost::system::errc::not_enough_memory));
    }
    BOOST_CATCH(...) {}
    BOOST_CATCH_END
  }

  void hurry_soon(const close_mode& mode) override
  {
    boost::asio::post(
      executor_, [self = self_pointer(), mode] { self->run_step([&] { self->hurry(mode); }); });
  }

  void cancel_soon(
    const std::shared_ptr<stack_caller>& caller, bool terminal, bool partial) override
  {
    boost::asio::post(executor_,
      [self = self_pointer(), caller, terminal, partial]
      { self->run_step([&] { self->cancel(caller, terminal, partial); }); });
  }

  // --- For the layers.

  /// A handler that calls `event(stack_close&, error_code, values...)`.
  template <class Event>
  class step
  {
  public:
    using executor_type = typename Stream::executor_type;

    step(std::shared_ptr<stack_close> self, Event&& event) noexcept
      : self_(std::move(self)),
        event_(std::move(event))
    {
      self_->progress_.start_step();
    }

    step(step&&) noexcept = default;
    step& operator=(step&&) = delete;

    // Not called: its start has failed, or the context is gone.
    ~step()
    {
      if (self_)
        self_->progress_.drop_step();
    }

    const executor_type& get_executor() const noexcept
    {
      return self_->executor_;
    }

    void operator()()
    {
      (*this)(error_code());
    }

    template <class... Values>
    void operator()(const error_code& ec, const Values&... values)
    {
      const std::shared_ptr<stack_close> self = std::move(self_);
      self->run([&] { event_(*self, ec, values...); });
    }

  private:
    std::shared_ptr<stack_close> self_;
    Event event_;
  };

  template <class Event>
  step<Event> make_step(Event event)
  {
    return step<Event>(self_pointer(), std::move(event));
  }

  stack_progress& progress() noexcept
  {
    return progress_;
  }

  const close_mode& mode() const noexcept
  {
    return time_.mode();
  }

  stack_connection<Stream>& connection() noexcept
  {
    return connection_;
  }

  void act(stack_act a)
  {
    while (a != stack_act::nothing)
      a = act_once(a);
  }

  /// Calls `is_over(stack_close&)` whenever a write may have ended, until it returns true or the connection is closed.
  // The wait stands behind the outstanding write in Asio's queue, and its handler behind that of the write.
  template <class Condition>
  void when_written(Condition is_over)
  {
    connection_.socket().async_wait(boost::asio::socket_base::wait_write,
      make_step(
        [is_over](stack_close& self, const error_code& ec)
        {
          if (is_over(self))
            return;
          if (ec)
            self.act(self.progress_.give_up());
          else
            self.when_written(is_over);
        }));
  }

  /// Calls `f(stack_close&)` when no operation is outstanding on the connection. Those of the program's are
  /// cancelled, again and again: one that is composed of several may go on, and takes part of what another reads.
  /// Their handlers run on the executor as well, so a few turns are enough, unless a handler is kept.
  template <class Function>
  void when_alone(Function f, int turn = 0)
  {
    if (!connection_.has_handlers())
      return f(*this);
    error_code ignored;
    connection_.socket().cancel(ignored);
    const auto again = [f, turn](stack_close& self, const error_code& /*ec*/)
    {
      if (self.progress_.stage() == stack_stage::receiving)
        self.when_alone(f, turn + 1);
    };
    if (turn < quick_turns)
      return boost::asio::post(executor_, make_step(again));
    pause_.expires_after(std::chrono::milliseconds(1 << std::min(turn - quick_turns, 6)));
    pause_.async_wait(make_step(again));
  }

  /// Calls `f(stack_close&)` after the handlers that are ready to run now.
  template <class Function>
  void after_others(Function f)
  {
    boost::asio::post(
      executor_, make_step([f](stack_close& self, const error_code& /*ec*/) { f(self); }));
  }

  /// Something has moved that the kernel does not count.
  void note_progress() noexcept
  {
    time_.note_progress(clock::now());
  }

private:
  using timer =
    boost::asio::basic_waitable_timer<clock, boost::asio::wait_traits<clock>, executor_type>;

  static constexpr int quick_turns = 8;

  std::shared_ptr<stack_close> self_pointer()
  {
    return std::static_pointer_cast<stack_close>(shared_from_this());
  }

  template <class Function>
  void run_step(const Function& f)
  {
    progress_.start_step();
    run(f);
  }

  template <class Function>
  void run(const Function& f)
  {
    const serial alone(running_);
    BOOST_TRY
    {
      run_or_fail(f);
      act(progress_.end_step());
    }
    BOOST_CATCH(...)
    {
      abandon();
      BOOST_RETHROW
    }
    BOOST_CATCH_END
  }

  // Without memory the connection is closed at once, and the callers are told when what is outstanding has ended.
  template <class Function>
  void run_or_fail(const Function& f)
  {
    bool has_failed = true;
    BOOST_TRY
    {
      f();
      if (const auto stage = waited_for(progress_.stage()))
        connection_.announce(*stage);
      has_failed = false;
    }
    BOOST_CATCH(const std::bad_alloc&) {}
    BOOST_CATCH_END
    if (!has_failed)
      return;
    ec_ = make_error_code(boost::system::errc::not_enough_memory);
    stop();
    progress_.fail();
  }

  stack_act act_once(stack_act a)
  {
    switch (a)
    {
    case stack_act::drain:
      drain(false);
      break;
    case stack_act::look:
      return look();
    case stack_act::send:
      send();
      break;
    case stack_act::receive:
      receive();
      break;
    case stack_act::close:
      close_connection();
      break;
    case stack_act::complete:
      complete();
      break;
    case stack_act::nothing:
      break;
    }
    return stack_act::nothing;
  }

  template <class Function>
  void at_layer(const Function& f)
  {
    const std::size_t current = progress_.layer();
    functions::for_each_layer(*stream_, states_,
      [&f, current](auto& s, auto& state, std::size_t number)
      {
        if (number == current)
          f(s, state, layer<std::decay_t<decltype(s)>>(), number);
      });
  }

  void begin()
  {
    if (progress_.stage() == stack_stage::open && mode().delivers())
    {
      note_traffic();
      wait_for_time();
    }
    act(progress_.begin(mode().what()));
  }

  // A write of a websocket's that a ping has held up is not outstanding for the time of a post.
  void drain(bool has_looked)
  {
    if (progress_.stage() != stack_stage::draining)
      return;
    if (connection_.has_writes())
      when_written(
        [](stack_close& self)
        {
          const bool goes_on = self.progress_.stage() == stack_stage::draining
            && self.connection_.has_writes();
          if (!goes_on)
            self.drain(false);
          return !goes_on;
        });
    else if (has_looked)
      act(progress_.drained());
    else
      after_others([](stack_close& self) { self.drain(true); });
  }

  stack_act look()
  {
    bool is_open = false;
    at_layer([&is_open](auto& s, auto& /*state*/, auto layer_type, std::size_t /*number*/)
      { is_open = decltype(layer_type)::is_open(s); });
    return progress_.looked(is_open);
  }

  void send()
  {
    at_layer([this](auto& s, auto& state, auto layer_type, std::size_t number)
      { decltype(layer_type)::send(s, state, *this, number); });
  }

  void receive()
  {
    at_layer([this](auto& s, auto& state, auto layer_type, std::size_t number)
      { decltype(layer_type)::receive(s, state, *this, number); });
  }

  // --- The time for the layers.

  void note_traffic()
  {
    time_.note(connection_.seen(), clock::now());
  }

  // Armed again when the time is over, it comes after the handlers of what could be written at once.
  void wait_for_time()
  {
    timer_.expires_at(time_.next_look(clock::now()));
    timer_.async_wait(make_step(
      [](stack_close& self, const error_code& ec)
      {
        if (!ec)
          self.look_at_time();
        if (self.progress_.stage() < stack_stage::closing)
          self.wait_for_time();
      }));
  }

  void look_at_time()
  {
    note_traffic();
    if (time_.is_over(clock::now()))
      act(progress_.give_up());
  }

  // --- A stronger mode, and callers that leave.

  void hurry(const close_mode& mode)
  {
    if (progress_.stage() == stack_stage::over || !stronger(mode, time_.mode()))
      return;
    time_.hurry(mode, clock::now());
    timer_.cancel(); // It is armed again.
    act(progress_.hurry(mode.what()));
  }

  void cancel(const std::shared_ptr<stack_caller>& caller, bool terminal, bool partial)
  {
    if (!is_waiting(caller))
      return;
    if (caller->leads && (terminal || partial))
      hurry(terminal ? close_mode::abort() : close_mode::immediate());
    else if (caller->may_leave())
      tell(take(caller), boost::asio::error::operation_aborted);
  }

  // --- The connection.

  // The handler is called when every handler of the connection's operations has run and been destroyed. What has been
  // opened meanwhile stays open.
  void close_connection()
  {
    timer_.cancel();
    pause_.cancel();
    const close_mode mode = time_.remaining(clock::now());
    if (std::exchange(is_closing_, true))
      connection_.overtake(mode);
    else if (connection_.is_there())
      connection_.socket().async_close(mode,
        make_step(
          [](stack_close& self, const error_code& ec, const close_report& report)
          {
            self.report_.connection = report;
            if (!self.ec_)
              self.ec_ = ec;
          }));
  }

  // --- The end.

  void complete()
  {
    functions::for_each_layer(*stream_, states_,
      [this](auto& s, auto& state, std::size_t /*number*/)
      { layer<std::decay_t<decltype(s)>>::report(s, state, report_); });
    tell(end(), ec_);
  }

  static stack_callers first_of(stack_callers& all) noexcept
  {
    stack_callers first;
    first.splice(first.end(), all, all.begin());
    return first;
  }

  void tell(stack_callers callers, const error_code& ec)
  {
    close_waiter_list waiters;
    for (const std::shared_ptr<stack_caller>& c : callers)
      waiters.push(c->tell(report_));
    waiters.complete_all({ec}, hand_over::post);
  }

  // What is outstanding ends with the connection, and has no effect then.
  void abandon() noexcept
  {
    progress_.abandon();
    stop();
    const stack_callers gone = end();
  }

  void stop() noexcept
  {
    timer_.cancel();
    pause_.cancel();
    connection_.close();
  }

  const executor_type executor_;
  const kept_stream<Stream> stream_;
  stack_connection<Stream> connection_;
  bool is_closing_ = false;
  layer_time time_;
  timer timer_;
  timer pause_;
  stack_progress progress_;
  layer_states<Stream> states_;
  stack_report report_;
  error_code ec_;
  std::atomic<bool> running_{false};
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_ADAPT_STACK_CLOSE_HPP
