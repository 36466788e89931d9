// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The callers of async_close and async_release that wait for one close, as the tenure sees them: each owns
// its handler until it is completed or destroyed.

#ifndef INTERLOCK_DETAIL_TENURE_CLOSE_WAITER_HPP
#define INTERLOCK_DETAIL_TENURE_CLOSE_WAITER_HPP

#include <memory>
#include <utility>

#include <boost/system/error_code.hpp>

#include <interlock/close_mode.hpp>
#include <interlock/close_report.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/descriptor/intrusive_list.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// How a completion may reach the handler's executor.
enum class hand_over
{
  post,    ///< Never from inside the call.
  dispatch ///< At once, where the executor allows it.
};

class tenure_base;

/// What became of a close.
struct close_verdict
{
  boost::system::error_code ec; ///< The errno of close(2), or why this caller does not get it.
  close_report report{};
  bool lingered = false; ///< The close waited because of SO_LINGER.
};

/// One caller of async_close. Completed or destroyed, it is gone.
class close_waiter : private list_node
{
public:
  close_waiter(const close_waiter&) = delete;
  close_waiter& operator=(const close_waiter&) = delete;

  /// Calls the handler on its executor, with the part of the verdict that its signature has. Throws what
  /// the executor or, with dispatch, the handler throws.
  virtual void complete(const close_verdict& v, hand_over how) = 0;

  /// Destroys the handler uninvoked.
  virtual void destroy() noexcept = 0;

  /// The mode that the caller requested. Null: none.
  virtual const close_mode* mode() const noexcept
  {
    return nullptr;
  }

  /// The requested mode is not supported; `why` is an errno. The object is closed immediately instead.
  virtual void refuse_mode(int /*why*/) noexcept {}

  /// It waits for the close of `t`, which it began (`leads`) or joins. The caller is inside.
  virtual void bind(tenure_base& /*t*/, bool /*leads*/) noexcept {}

  /// Identifies it to a cancellation. Null: its caller cannot cancel it.
  virtual const void* link() const noexcept
  {
    return nullptr;
  }

  /// Offers the descriptor, before `complete`, when nothing uses it any more: async_release takes it,
  /// async_close does not. `owned`: the new owner closes it; otherwise it is borrowed. False: not taken.
  virtual bool take(int /*descriptor*/, bool /*owned*/) noexcept
  {
    return false;
  }

protected:
  close_waiter() = default;
  virtual ~close_waiter() = default;

private:
  friend class intrusive_list<close_waiter>;
};

struct close_waiter_deleter
{
  void operator()(close_waiter* c) const noexcept
  {
    c->destroy();
  }
};

using close_waiter_pointer = std::unique_ptr<close_waiter, close_waiter_deleter>;

/// Close waiters in the order in which they came. The destructor destroys those that are left.
class close_waiter_list
{
public:
  close_waiter_list() = default;
  close_waiter_list(close_waiter_list&&) noexcept = default;
  close_waiter_list& operator=(close_waiter_list&&) = delete;

  ~close_waiter_list()
  {
    while (close_waiter* c = close_waiters_.pop_front())
      c->destroy();
  }

  bool empty() const noexcept
  {
    return close_waiters_.empty();
  }

  void push(close_waiter& c) noexcept
  {
    close_waiters_.push_back(c);
  }

  /// Removes the first and returns it; null when the list is empty.
  close_waiter_pointer pop_front() noexcept
  {
    return close_waiter_pointer(close_waiters_.pop_front());
  }

  /// Removes the one with this link and returns it; null if it is not in the list.
  close_waiter_pointer remove(const void* link) noexcept
  {
    close_waiter* const c = close_waiters_.find(
      [link](close_waiter& each) { return each.link() == link; });
    if (c)
      close_waiters_.remove(*c);
    return close_waiter_pointer(c);
  }

  /// Whether one of them takes the descriptor.
  bool offer(int fd, bool owned) noexcept
  {
    return close_waiters_.find([=](close_waiter& each) { return each.take(fd, owned); }) != nullptr;
  }

  /// Completes all in order: the only one as `alone` says, others by a post. An exception does not keep the others from
  /// being completed; the first is rethrown at the end.
  INTERLOCK_DECL void complete_all(const close_verdict& v, hand_over alone = hand_over::dispatch);

private:
  intrusive_list<close_waiter> close_waiters_;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_TENURE_CLOSE_WAITER_HPP
