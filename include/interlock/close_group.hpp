// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Closing many objects with one call: all that a server has open.

#ifndef INTERLOCK_CLOSE_GROUP_HPP
#define INTERLOCK_CLOSE_GROUP_HPP

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/bad_executor.hpp>
#include <boost/system/error_code.hpp>
#include <boost/throw_exception.hpp>

#include <interlock/close_handle.hpp>
#include <interlock/close_mode.hpp>
#include <interlock/close_tally.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/core/handled_object.hpp>
#include <interlock/detail/core/initiation.hpp>
#include <interlock/detail/groups/group_acceptor.hpp>
#include <interlock/detail/groups/group_cancellation.hpp>
#include <interlock/detail/groups/group_core.hpp>
#include <interlock/detail/groups/group_member.hpp>
#include <interlock/detail/members/closing_members.hpp>

namespace interlock {
inline namespace abi_0 {

/// Closes all of its members together, within one deadline, and tells what became of them.
/**
 * An object of any type and any execution context is added once; added twice, it counts twice. The group refers to it
 * weakly, as a close_handle does: it follows the object through moves, keeps a little memory of it alive and never a
 * descriptor, and forgets it when it is gone. Unlike a handle it may outlive the object's execution context. A move
 * into an object of another executor or protocol type throws interlock::error::in_use while the object is a member.
 *
 * The group's own execution context must outlive the group, as that of an I/O object, but not a close of the group
 * that is under way. It has a close_service from the construction on: make_close_service has to be called before.
 *
 * @par Thread Safety
 * @e Distinct @e objects: Safe.@n
 * @e Shared @e objects: Safe, except for construction and destruction.
 *
 * @example_of{example/group.cpp,group_members}
 * <a href="example:example/group.cpp#group_close"></a>
 */
class close_group
{
public:
  /// The type of the executor on which handlers are called that have none of their own.
  using executor_type = boost::asio::any_io_executor;

  /// How times are given.
  using duration = std::chrono::steady_clock::duration;

  /// A group without members. Its timers and handlers run on `ex`.
  /**
   * @param ex The executor.
   */
  explicit close_group(const executor_type& ex)
    : executor_(ex),
      core_(std::make_shared<detail::group_core>(ex))
  {
  }

  /// A group without members. Its timers and handlers run on the executor of `context`.
  /**
   * @param context The group's execution context.
   */
  template <class ExecutionContext, detail::if_context<ExecutionContext> = 0>
  explicit close_group(ExecutionContext& context)
    : close_group(executor_type(context.get_executor()))
  {
  }

  close_group(const close_group&) = delete;

  /// Deleted, as the copy constructor: a group is neither copied nor moved.
  close_group& operator=(const close_group&) = delete;

  /// The group alone is gone: its members stay as they are, and a close under way takes its course.
  ~close_group() = default;

  /// The executor of the group's timers and handlers.
  const executor_type& get_executor() const noexcept
  {
    return executor_;
  }

  /// Add an object. What throws has no effect.
  /**
   * After a close of the group has begun, the object is closed at once in the mode of that close; one that is opened,
   * or opened again, after it has been added stays open until the next close of the group.
   *
   * The execution context of the object has a close_service from then on: make_close_service has to be called before.
   *
   * @param object Any Interlock object. The group refers to it weakly.
   */
  template <class Object, class = detail::core_of<Object>>
  void add(Object& object)
  {
    add_core(detail::access::core(object));
  }

  /// Add the object of a handle. The queue of an acceptor that is added so stays as it is: a close resets what is in
  /// it, unless another process listens as well.
  /**
   * @param handle Of the object.
   *
   * @throws boost::asio::execution::bad_executor if the handle refers to no object.
   */
  void add(const close_handle& handle)
  {
    if (!handle)
      boost::throw_exception(boost::asio::execution::bad_executor());
    core_->add(std::make_shared<detail::group_member>(detail::object_of(handle)));
  }

  /// Add a stack of layers over a socket: what interlock::async_close closes with one call. Its adapter is included.
  /**
   * The group refers to the stack weakly, and keeps it while it closes it. The layers have the time of the group's
   * mode. A socket that is added itself is closed without its layers.
   *
   * @param stack The topmost layer.
   *
   * @throws std::bad_weak_ptr if the stack is gone.
   */
  template <class Stream>
  void add(const std::weak_ptr<Stream>& stack)
  {
    using handled = detail::handled_stack_of<Stream>;
    static_assert(
      handled::is_known, "no stack over an Interlock socket, or its adapter is not included");
    if constexpr (handled::is_known)
    {
      const detail::handled_object_pointer object(new typename handled::type(stack), false);
      core_->add(std::make_shared<detail::group_member>(object));
    }
  }

  /// The same.
  template <class Stream>
  void add(const std::shared_ptr<Stream>& stack)
  {
    add(std::weak_ptr<Stream>(stack));
  }

  /// How many objects the group has that are not gone.
  std::size_t size() const
  {
    return core_->size();
  }

  /// Begin to close the members one after the other within this time, for a peer that could not bear all at once.
  /// Zero, the default: all at once. Has no effect on acceptors, which are closed first, nor in immediate and abort
  /// mode.
  /**
   * @param window The time from the first to the last member. Not negative.
   */
  void spread(duration window)
  {
    core_->spread(window);
  }

  /// How long the group waits for members that do not end, after it has aborted them. A second by default, a year at
  /// most.
  /**
   * @param wait Not negative.
   */
  void abort_wait(duration wait)
  {
    core_->abort_wait(wait);
  }

  /// Have `f` called on the group's executor with the tally so far, as members end: once at a time, last with all of
  /// them. The group keeps it, and calls it also after it is gone itself. After an exception of `f` no other call
  /// follows.
  /**
   * @param f The function, which may be empty.
   */
  void on_progress(std::function<void(const close_tally&)> f)
  {
    core_->on_progress(std::move(f));
  }

  /// Start to close every member.
  /**
   * Acceptors are closed first. In a mode that delivers, the connections that wait in an acceptor's queue are
   * accepted just before, and closed like members; beyond the limit of descriptors they are reset. A borrowed
   * acceptor keeps its queue. Members that are not open are left alone, and do not count. The members' own deadline
   * is that of @c mode. Those whose close has not ended shortly after it are aborted, and those whose close has not
   * ended after `abort_wait` are unfinished: the group is closed then.
   *
   * A call while a close is under way joins it; a stronger mode overtakes it.
   *
   * If it throws, no member has been closed, and it may be called again.
   *
   * @param mode How to close, and the time for all members together.
   *
   * @param token The completion token.
   *
   * @par Completion Signature
   * @code void(boost::system::error_code, interlock::close_tally) @endcode
   *
   * @par Error Codes
   * @li boost::system::errc::invalid_argument: a timeout of the mode is not valid. The members were closed immediately.
   * @li boost::asio::error::operation_aborted: the caller's cancellation.
   *
   * @par Per-Operation Cancellation
   * @li @c terminal from the caller that started the close aborts every member.
   * @li @c partial from that caller closes every member immediately.
   * @li @c total, and every type from a caller that joined the close, completes this caller's operation only, with
   * the tally so far.
   */
  template <INTERLOCK_TOKEN_FOR(void(boost::system::error_code, close_tally))
              CloseToken = detail::default_token<executor_type>>
  auto async_close(
    const close_mode& mode, CloseToken&& token = detail::default_token<executor_type>())
  {
    return boost::asio::async_initiate<CloseToken, void(boost::system::error_code, close_tally)>(
      initiate_async_close(*this), token, mode);
  }

private:
  class initiate_async_close
  {
  public:
    using executor_type = close_group::executor_type;

    explicit initiate_async_close(const close_group& group)
      : executor_(group.executor_),
        core_(group.core_)
    {
    }

    const executor_type& get_executor() const noexcept
    {
      return executor_;
    }

    template <class Handler>
    void operator()(Handler&& handler, const close_mode& mode) const
    {
      constexpr bool met = detail::can_take<Handler, boost::system::error_code, close_tally>;
      static_assert(met, "GroupCloseHandler type requirements not met");
      if constexpr (met)
      {
        detail::own_handler<Handler> own(handler);
        detail::functions::start_group_close(core_, executor_, own, mode);
      }
    }

  private:
    executor_type executor_;
    std::shared_ptr<detail::group_core> core_;
  };

  template <class Core>
  void add_core(Core& core)
  {
    core_->add(std::make_shared<detail::group_member>(core.share_state()));
  }

  template <class Protocol, class Executor>
  void add_core(detail::io_core<boost::asio::basic_socket_acceptor<Protocol, Executor>>& core)
  {
    core_->add(std::make_shared<detail::group_acceptor_of<Protocol, Executor>>(core.share_state()));
  }

  const executor_type executor_;
  const std::shared_ptr<detail::group_core> core_;
};

} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_CLOSE_GROUP_HPP
