// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The close of one stack. Acts as stack_stage.hpp decides.
//
// Every function runs on the executor of the stream, except `start` and `cancel`. The steps that are outstanding own it,
// and so does the wait of its timer, so that it is gone with the execution context. It owns the stream until its caller
// is told: the operations of a layer refer to the stream.

#ifndef INTERLOCK_DETAIL_ADAPT_STACK_CLOSE_HPP
#define INTERLOCK_DETAIL_ADAPT_STACK_CLOSE_HPP

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>

#include <sys/socket.h>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/wait_traits.hpp>
#include <boost/assert.hpp>
#include <boost/core/no_exceptions_support.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/close_mode.hpp>
#include <interlock/close_report.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/adapt/layer.hpp>
#include <interlock/detail/adapt/stack_caller.hpp>
#include <interlock/detail/adapt/stack_stage.hpp>
#include <interlock/detail/core/handled_object.hpp>
#include <interlock/detail/core/remaining_mode.hpp>
#include <interlock/detail/descriptor/calls.hpp>
#include <interlock/detail/members/closing_members.hpp>
#include <interlock/stack_report.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// Marks the connection: its layers are being closed. While the mark is there, a websocket's teardown does nothing.
class layers_mark
{
public:
  layers_mark() = default;

  layers_mark(const layers_mark&) = delete;
  layers_mark& operator=(const layers_mark&) = delete;

  ~layers_mark()
  {
    remove();
  }

  void set(handled_object_pointer connection) noexcept
  {
    const bool is_first = connection->state().close_layers();
    BOOST_ASSERT_MSG(is_first, "another async_close of this stack is outstanding");
    if (is_first)
      connection_ = std::move(connection);
  }

  void remove() noexcept
  {
    if (connection_)
      connection_->state().layers_closed();
    connection_.reset();
  }

private:
  handled_object_pointer connection_;
};

template <class Stream>
class stack_close : public std::enable_shared_from_this<stack_close<Stream>>
{
public:
  using executor_type = typename Stream::executor_type;
  using error_code = boost::system::error_code;
  using clock = std::chrono::steady_clock;

  explicit stack_close(kept_stream<Stream> stream, const close_mode& mode)
    : executor_(stream->get_executor()),
      stream_(std::move(stream)),
      mode_(mode),
      deadline_(clock::now() + (is_valid(mode) ? mode.timeout() : clock::duration::zero())),
      timer_(executor_),
      progress_(layer_states<Stream>::count)
  {
  }

  layer_states<Stream>& states() noexcept
  {
    return states_;
  }

  // --- Any thread.

  /// A mode that does not deliver needs no step on the executor.
  void start(stack_caller caller)
  {
    caller_ = std::move(caller);
    if (!is_valid(mode_) || !mode_.delivers())
    {
      act(progress_.begin(close_mode::kind::immediate));
      return;
    }
    mark_.set(access::core(connection()).share_state());
    boost::asio::dispatch(
      executor_, make_step([](stack_close& self, const error_code& /*ec*/) { self.begin(); }));
  }

  /// The cancellation of the caller.
  void cancel(bool terminal, bool partial)
  {
    boost::asio::post(executor_,
      [self = this->shared_from_this(), terminal, partial]
      {
        self->progress_.start_step();
        self->run(
          [&]
          {
            if (!self->caller_.is_waiting())
              return;
            if (terminal || partial)
              self->hurry(terminal ? close_mode::abort() : close_mode::immediate());
            else if (self->stream_.is_owned())
              self->caller_.leave();
          });
      });
  }

  // --- For the layers.

  /// A handler that calls `event(stack_close&, error_code, values...)`.
  template <class Event>
  class step
  {
  public:
    using executor_type = typename Stream::executor_type;

    step(std::shared_ptr<stack_close> self, Event&& event)
      : self_(std::move(self)),
        event_(std::move(event))
    {
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
    step<Event> made(this->shared_from_this(), std::move(event));
    progress_.start_step();
    return made;
  }

  stack_progress& progress() noexcept
  {
    return progress_;
  }

  const close_mode& mode() const noexcept
  {
    return mode_;
  }

  bool has_writes() noexcept
  {
    return access::core(connection()).has_writes();
  }

  /// The close has made progress: the mode's progress timeout begins anew.
  void note_progress() noexcept
  {
    last_progress_ = clock::now();
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
    connection().async_wait(boost::asio::socket_base::wait_write,
      make_step(
        [is_over](stack_close& self, const error_code& ec)
        {
          self.note_progress();
          if (ec)
            self.act(self.progress_.give_up());
          else if (!is_over(self))
            self.when_written(is_over);
        }));
  }

  void cancel_operations()
  {
    error_code ignored;
    connection().cancel(ignored);
  }

  /// The layer is over when the peer has ended the connection, and all before that is read. On epoll a read that starts after
  /// another one has received the end never completes.
  void end_with_connection(std::size_t layer)
  {
    connection().async_wait(boost::asio::socket_base::wait_read,
      make_step(
        [layer](stack_close& self, const error_code& ec)
        {
          if (!self.progress_.is_receiving(layer))
            return;
          if (ec || self.has_peer_ended())
            self.end_after_reads(layer);
          else
            self.end_with_connection(layer);
        }));
  }

private:
  using timer =
    boost::asio::basic_waitable_timer<clock, boost::asio::wait_traits<clock>, executor_type>;

  // One thread at a time is in the functions of a close.
  class serial
  {
  public:
    explicit serial(stack_close& c) noexcept
      : close_(c)
    {
      const bool another = close_.running_.exchange(true, std::memory_order_relaxed);
      BOOST_ASSERT_MSG(
        !another, "the executor of the stream is no strand, but several threads run it");
      static_cast<void>(another);
    }

    serial(const serial&) = delete;
    serial& operator=(const serial&) = delete;

    ~serial()
    {
      close_.running_.store(false, std::memory_order_relaxed);
    }

  private:
    stack_close& close_;
  };

  auto& connection() noexcept
  {
    return functions::connection_of(*stream_);
  }

  template <class Function>
  void run(const Function& f)
  {
    const serial running(*this);
    BOOST_TRY
    {
      f();
      act(progress_.end_step());
    }
    BOOST_CATCH(...)
    {
      abandon();
      BOOST_RETHROW
    }
    BOOST_CATCH_END
  }

  stack_act act_once(stack_act a)
  {
    switch (a)
    {
    case stack_act::drain:
      return drain();
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
    note_progress();
    wait_for_time();
    act(progress_.begin(mode_.what()));
  }

  stack_act drain()
  {
    if (!has_writes())
      return progress_.drained();
    when_written(
      [](stack_close& self)
      {
        if (self.progress_.stage() == stack_stage::draining && self.has_writes())
          return false;
        self.act(self.progress_.drained());
        return true;
      });
    return stack_act::nothing;
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

  // --- The time for the layers: until the deadline, or the progress timeout.

  clock::time_point end_of_time() const noexcept
  {
    if (mode_.progress_timeout() == close_mode::no_timeout())
      return deadline_;
    return std::min(deadline_, last_progress_ + mode_.progress_timeout());
  }

  // Armed again when the time is over, it comes after the handlers of what could be written at once.
  void wait_for_time()
  {
    timer_.expires_at(end_of_time());
    timer_.async_wait(make_step(
      [](stack_close& self, const error_code& ec)
      {
        if (!ec && clock::now() >= self.end_of_time())
          self.act(self.progress_.give_up());
        if (self.progress_.stage() < stack_stage::closing)
          self.wait_for_time();
      }));
  }

  // --- The connection.

  void hurry(const close_mode& mode)
  {
    if (progress_.stage() == stack_stage::over || !stronger(mode, mode_))
      return;
    mode_ = mode;
    act(progress_.hurry());
  }

  // The handler is called when every handler of the connection's operations has run and been destroyed. Nothing after the
  // call: it may run on another thread.
  void close_connection()
  {
    timer_.cancel();
    connection().async_close(remaining_mode(mode_, deadline_ - clock::now()),
      make_step(
        [](stack_close& self, const error_code& ec, const close_report& report)
        {
          self.report_.connection = report;
          if (!self.ec_)
            self.ec_ = ec;
        }));
  }

  // The handler of a read that has received what came before the end may still be queued.
  void end_after_reads(std::size_t layer)
  {
    boost::asio::post(executor_,
      make_step([layer](stack_close& self, const error_code& /*ec*/)
        { self.act(self.progress_.ended(layer)); }));
  }

  bool has_peer_ended()
  {
    const auto peek = [](auto& t, error_code& ec)
    {
      char byte = 0;
      calls::pieces one;
      one.vector[0] = {&byte, 1};
      one.count = 1;
      one.bytes = 1;
      const std::size_t n = calls::receive(t.fd(), one, MSG_PEEK | MSG_DONTWAIT, ec);
      if (ec)
        t.errors().note(ec);
      return n;
    };
    error_code ec;
    const std::size_t n = access::core(connection()).inside(ec, peek);
    return n == 0 && !calls::would_block(ec);
  }

  // --- The end.

  void complete()
  {
    functions::for_each_layer(*stream_, states_,
      [this](auto& s, auto& state, std::size_t /*number*/)
      { layer<std::decay_t<decltype(s)>>::report(s, state, report_); });
    mark_.remove();
    stream_.reset();
    caller_.tell(ec_, report_);
  }

  // What is outstanding ends with the connection, and has no effect then.
  void abandon() noexcept
  {
    progress_.abandon();
    if (stream_)
      connection().close();
    caller_.destroy();
  }

  const executor_type executor_;
  kept_stream<Stream> stream_;
  layers_mark mark_;
  close_mode mode_;
  const clock::time_point deadline_;
  clock::time_point last_progress_;
  timer timer_;
  stack_progress progress_;
  layer_states<Stream> states_;
  stack_caller caller_;
  stack_report report_;
  error_code ec_;
  std::atomic<bool> running_{false};
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_ADAPT_STACK_CLOSE_HPP
