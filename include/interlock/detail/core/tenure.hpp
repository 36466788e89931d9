// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A tenure around one Asio object, `Inner`.
//
// The Asio object exists from the opening until the detach, which takes the descriptor out of it by release()
// and destroys it. So a tenure that outlives its context holds nothing of Asio.

#ifndef INTERLOCK_DETAIL_CORE_TENURE_HPP
#define INTERLOCK_DETAIL_CORE_TENURE_HPP

#include <cstdint>
#include <limits>
#include <memory>
#include <utility>

#include <poll.h>

#include <boost/core/no_exceptions_support.hpp>

#include <interlock/close_service.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/core/asio_features.hpp>
#include <interlock/detail/core/inner_traits.hpp>
#include <interlock/detail/core/late.hpp>
#include <interlock/detail/core/strand_sequence.hpp>
#include <interlock/detail/descriptor/calls.hpp>
#include <interlock/detail/descriptor/cancellation_disabled.hpp>
#include <interlock/detail/sys.hpp>
#include <interlock/detail/tenure/guards.hpp>
#include <interlock/detail/tenure/tenure_base.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

struct flag_values
{
  bool non_blocking = false;
  bool native_non_blocking = false;
  bool connection_aborted = false;
};

/// Which kinds of readiness a completed wait has found: POLLIN, POLLOUT, POLLPRI (poll(2)).
class found_readiness
{
public:
  bool has(short kind) const noexcept
  {
    return (found_.load(std::memory_order_relaxed) & bit_of(kind)) != 0;
  }

  void add(short kind) noexcept
  {
    found_.fetch_or(bit_of(kind), std::memory_order_relaxed);
  }

  void reset() noexcept
  {
    found_.store(0, std::memory_order_relaxed);
  }

private:
  static unsigned char bit_of(short kind) noexcept
  {
    return kind == POLLIN ? 1 : kind == POLLOUT ? 2 : 4;
  }

  sys::atomic<unsigned char> found_{0};
};

/// The flags of one object. Asio would read its own without a lock, so they stay here.
struct user_flags
{
  sys::atomic<bool> non_blocking{false};
  sys::atomic<bool> native_non_blocking{false}; // an asynchronous operation sets it as well
  sys::atomic<bool> connection_aborted{false};

  flag_values values() const noexcept
  {
    return {non_blocking, native_non_blocking, connection_aborted};
  }

  void set(const flag_values& v) noexcept
  {
    non_blocking = v.non_blocking;
    native_non_blocking = v.native_non_blocking;
    connection_aborted = v.connection_aborted;
  }
};

template <class Inner>
class tenure final : public tenure_base
{
public:
  using inner_type = Inner;
  using executor_type = typename Inner::executor_type;
  using protocol_type = typename protocol_of<Inner>::type;

  tenure(object_memory& object, context_state_pointer shared) noexcept
    : tenure_base(object, std::move(shared)),
      has_protocol_(false),
      follows_another_(false),
      connecting_(0),
      connected_blocking_(0)
  {
  }

  ~tenure() override
  {
    forget_inner();
    forget_protocol();
  }

  // --- For those inside.

  Inner& inner() noexcept
  {
    return *inner_;
  }

  const protocol_type& protocol() const noexcept
  {
    return *protocol_;
  }

  user_flags& flags() noexcept
  {
    return flags_;
  }

  /// Whether an operation may start without further checks: one has started before, and no handler of an earlier
  /// tenure can be the one that starts it.
  bool is_plain() const noexcept
  {
    return plain_.load(std::memory_order_acquire);
  }

  found_readiness& readiness() noexcept
  {
    return readiness_;
  }

  /// Whether the object has had another tenure before this one.
  bool follows_another() const noexcept
  {
    return follows_another_;
  }

  /// Makes the descriptor O_NONBLOCK and tells Asio so, once: concurrent initiations must find nothing to
  /// change. By the first asynchronous operation, by an accept, and by a synchronous transfer of what is no socket:
  /// other programs may share the descriptor (a tty, stdio, a socket that is passed on).
  void prepare(error_code& ec)
  {
    ec = error_code();
    if (prepared_.load(std::memory_order_acquire))
      return;
    const std::lock_guard<sys::mutex> lock(mutex());
    make_non_blocking(ec);
  }

  /// For a synchronous transfer of what is no socket. What has come O_NONBLOCK does not wait for all, as with Asio, and
  /// is left as it is.
  void prepare_synchronous(error_code& ec)
  {
    ec = error_code();
    if (!prepared_.load(std::memory_order_acquire) && !calls::is_non_blocking(fd_))
      prepare(ec);
  }

  /// The same, by an asynchronous operation, after which the object's synchronous transfers do not wait for all of
  /// their buffers: Asio's descriptor is O_NONBLOCK from then on, until the program makes it blocking.
  void prepare_asynchronous(error_code& ec)
  {
    ec = error_code();
    const bool has_started = flags_.native_non_blocking || flags_.non_blocking;
    if (follows_another_ && prepared_.load(std::memory_order_acquire) && has_started)
      return;
    const std::lock_guard<sys::mutex> lock(mutex());
    make_non_blocking(ec);
    if (ec)
      return;
    if (!flags_.non_blocking)
      flags_.native_non_blocking = true;
    plain_.store(!follows_another_, std::memory_order_release);
  }

  /// The program makes the object blocking. What has been prepared stays O_NONBLOCK, and waits as a blocking one does;
  /// so does what is no socket, because a thread may be about to read or write it.
  void become_blocking(error_code& ec) noexcept
  {
    const std::lock_guard<sys::mutex> lock(mutex());
    connected_blocking_ = true;
    if (!protocol_of<Inner>::is_socket && calls::is_non_blocking(fd_))
      make_non_blocking(ec);
    else if (!prepared_.load(std::memory_order_relaxed) && connecting_ == 0)
      calls::set_non_blocking(fd_, false, ec);
    if (ec)
      return;
    flags_.non_blocking = false;
    flags_.native_non_blocking = false;
    plain_.store(false, std::memory_order_release);
  }

  /// Whether the descriptor of an object of Asio's would be blocking now. Where other code has had the descriptor, it
  /// may have made it O_NONBLOCK: fcntl(2) tells.
  bool is_blocking() noexcept
  {
    if (flags_.non_blocking || flags_.native_non_blocking)
      return false;
    const bool may_differ = !protocol_of<Inner>::is_socket || marks().is_tainted();
    if (!may_differ)
      return true;
    const std::lock_guard<sys::mutex> lock(mutex());
    if (prepared_.load(std::memory_order_relaxed))
      return true;
    return connecting_ != 0 ? connected_blocking_ : !calls::is_non_blocking(fd_);
  }

  /// The time of a synchronous connect, in which the descriptor is O_NONBLOCK. Asio does not know, nor needs to: an
  /// asynchronous operation prepares the tenure first, and then it stays.
  class connecting
  {
  public:
    explicit connecting(tenure* t) noexcept
      : tenure_(t)
    {
    }

    connecting(connecting&& other) noexcept
      : tenure_(std::exchange(other.tenure_, nullptr))
    {
    }

    connecting& operator=(connecting&&) = delete;

    ~connecting()
    {
      if (tenure_)
        tenure_->end_connecting();
    }

  private:
    tenure* tenure_;
  };

  connecting connect_without_blocking(error_code& ec)
  {
    ec = error_code();
    const std::lock_guard<sys::mutex> lock(mutex());
    if (connecting_ == most_connecting)
      ec = boost::asio::error::already_started;
    else if (connecting_ == 0 && !prepared_.load(std::memory_order_relaxed))
    {
      connected_blocking_ = !calls::is_non_blocking(fd_);
      if (connected_blocking_)
        calls::set_non_blocking(fd_, true, ec);
    }
    if (ec)
      return connecting(nullptr);
    ++connecting_;
    return connecting(this);
  }

  // --- For the thread that opens: the tenure is vacant. take_inner: for the thread that claimed the detach.

  void set_inner(Inner&& inner)
  {
    forget_inner(); // a conversion takes the place of what was to be opened
    set_kind(descriptor_kind::unknown);
    inner_.make(std::move(inner));
    has_inner_ = true;
  }

  /// The Asio object has come with its descriptor O_NONBLOCK, and operations may be outstanding on it.
  void come_prepared() noexcept
  {
    prepared_.store(true, std::memory_order_release);
  }

  /// The Asio object is open: the last step before publication, for sockets.
  template <class Protocol>
  void set_protocol(const Protocol& protocol)
  {
    forget_protocol();
    protocol_.make(protocol);
    has_protocol_ = true;
    if (!marks().is_tainted())
      set_kind(kind_of_protocol(protocol.family(), protocol.type(), protocol.protocol()));
  }

  /// Stores the value of the Asio object's descriptor, and resets what an earlier use of this memory has
  /// left. `follows`: handlers of an earlier tenure of the object may still run.
  void set_descriptor(bool follows) noexcept
  {
    follows_another_ = follows;
    plain_ = false;
    connecting_ = 0; // a child of a fork does not have the threads that were connecting
    fd_ = inner_->native_handle();
    flags_.set(flag_values());
    readiness_.reset();
    set_linger(may_linger<Inner>::value ? linger_setting::off() : linger_setting::unsupported());
  }

  /// Takes out the Asio object, for another owner.
  Inner take_inner() noexcept
  {
    Inner moved(std::move(*inner_));
    forget_inner();
    return moved;
  }

  bool is_prepared() const noexcept
  {
    return prepared_.load(std::memory_order_acquire);
  }

  /// Undoes an opening. Returns the descriptor, which the caller then owns, or no_descriptor.
  int take_back() noexcept
  {
    const int fd = inner_->is_open() ? release_descriptor(*inner_) : no_descriptor;
    forget_inner();
    return fd;
  }

  static int release_descriptor(Inner& inner) noexcept
  {
    return release_descriptor(inner, 0);
  }

  // --- For closers.

  /// Makes the sequence if there is none, except while the context is being shut down.
  void ensure_sequence(const executor_type& ex)
  {
    if (has_sequence())
      return;
    auto made = std::make_unique<sequence_type>(ex);
    shutdown_before_strands::ensure(ex);
    const std::lock_guard<sys::mutex> lock(mutex());
    if (!sequence_ && !is_down())
      sequence_ = std::move(made);
  }

  /// Sends the step that detaches to the strand. If that fails, demands the detach at once; if the strand
  /// does not run the step in time, the worker demands it. The caller leads the close, and holds a handler
  /// count besides the step's.
  void dispatch_detach(handler_count for_step, const executor_type& ex) noexcept
  {
    const cancellation_disabled disabled;
    // Without a pass the context is being shut down; the shutdown detaches.
    const auto pass = pass_gate();
    if (!pass)
      return;
    const detach_token token = detach_token(generation()) + 1;
    sequence().begin_detach(token);
    for_step.dismiss();
    BOOST_TRY
    {
      sequence().dispatch(detach_step(*this, token), ex);
    }
    BOOST_CATCH(...)
    {
      demand_detach();
      end_step(token);
    }
    BOOST_CATCH_END
    demand_detach_later();
  }

  // --- For the object: its list of tenures, guarded by its mutex. The order leaves no padding.

  bool taken_by_opener = true;

private:
  bool has_inner_ = false;
  bool has_protocol_ : 1;    // written while the tenure is vacant
  bool follows_another_ : 1; // the same
  sys::atomic<bool> prepared_{false};
  sys::atomic<bool> plain_{false};

  // Guarded by the mutex: threads in a synchronous connect, and whether the descriptor is blocking after the last.
  std::uint8_t connecting_ : 7;
  std::uint8_t connected_blocking_ : 1;
  static constexpr std::uint8_t most_connecting = 0x7f;

public:
  tenure* next_of_object = nullptr;

private:
  using sequence_type = strand_sequence<executor_type>;

  // Under the mutex.
  void make_non_blocking(error_code& ec)
  {
    if (!prepared_.load(std::memory_order_relaxed))
      inner_->native_non_blocking(true, ec);
    if (!ec)
      prepared_.store(true, std::memory_order_release);
  }

  void end_connecting() noexcept
  {
    error_code ignored;
    const std::lock_guard<sys::mutex> lock(mutex());
    if (--connecting_ == 0 && connected_blocking_ && !prepared_.load(std::memory_order_relaxed))
      calls::set_non_blocking(fd_, false, ignored);
  }

  /// There is one: a closer has made it.
  sequence_type& sequence() noexcept
  {
    return static_cast<sequence_type&>(*sequence_);
  }

  bool has_sequence() noexcept
  {
    const std::lock_guard<sys::mutex> lock(mutex());
    return sequence_ != nullptr;
  }

  /// Ends the handler count of the step with this token, once.
  void end_step(detach_token token) noexcept
  {
    if (sequence().end_detach(token))
      handler_done();
  }

  // Keeps the memory of the tenure, because a step in a dead strand may outlive the tenure.
  class detach_step
  {
  public:
    detach_step(tenure& t, detach_token token) noexcept
      : tenure_(&t),
        token_(token)
    {
      tenure_->keep_memory();
    }

    detach_step(detach_step&& other) noexcept
      : tenure_(std::exchange(other.tenure_, nullptr)),
        token_(other.token_)
    {
    }

    detach_step& operator=(detach_step&&) = delete;

    ~detach_step()
    {
      if (!tenure_)
        return;
      tenure_->end_step(token_);
      tenure_->drop_memory();
    }

    void operator()()
    {
      const detach_step own(std::move(*this));
      own.tenure_->note_process();
      if (own.tenure_->sequence().detaches(token_))
        own.tenure_->demand_detach();
    }

  private:
    tenure* tenure_;
    detach_token token_;
  };

  void forget_inner() noexcept
  {
    if (has_inner_)
      inner_.destroy();
    has_inner_ = false;
    prepared_ = false;
  }

  void forget_protocol() noexcept
  {
    if (has_protocol_)
      protocol_.destroy();
    has_protocol_ = false;
  }

  void release_inner() noexcept override
  {
    release_descriptor(*inner_);
    forget_inner();
  }

  // Sockets report by error_code, descriptors cannot fail. Neither fails for an object that is
  // open.
  template <class Socket>
  static auto release_descriptor(Socket& s, int) noexcept
    -> decltype(s.release(std::declval<error_code&>()))
  {
    error_code ignored;
    return s.release(ignored);
  }

  template <class Descriptor>
  static int release_descriptor(Descriptor& d, long) noexcept
  {
    return d.release();
  }

  // Made while vacant. The thread that detaches destroys the inner object.
  late<Inner> inner_;
  late<protocol_type> protocol_;
  user_flags flags_;
  found_readiness readiness_;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CORE_TENURE_HPP
