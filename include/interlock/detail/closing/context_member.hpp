// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A tenure, as the context sees it that it belongs to.

#ifndef INTERLOCK_DETAIL_CLOSING_CONTEXT_MEMBER_HPP
#define INTERLOCK_DETAIL_CLOSING_CONTEXT_MEMBER_HPP

#include <optional>

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <interlock/close_statistics.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/descriptor/intrusive_list.hpp>
#include <interlock/detail/sys.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// A place in the list of a context's members. Guarded by the mutex of its part.
class member_node : public list_node
{
};

/// Where a member stands: open, or in a close, or neither.
struct standing
{
  bool is_open = false;
  std::optional<close_stage> stage;
  sys::clock::time_point begun; // the close
};

class context_member : private member_node
{
public:
  context_member(const context_member&) = delete;
  context_member& operator=(const context_member&) = delete;

  /// Keeps the memory until `drop_memory`.
  virtual void keep_memory() noexcept = 0;
  virtual void drop_memory() noexcept = 0;

  /// Any thread. Takes no lock. A member that is no tenure has nothing open.
  virtual standing look() const noexcept
  {
    return standing();
  }

  /// Its close, unless that is over. Any thread. Takes the member's mutex.
  virtual std::optional<close_in_progress> describe() const noexcept
  {
    return std::nullopt;
  }

  friend void intrusive_ptr_add_ref(context_member* m) noexcept
  {
    m->keep_memory();
  }

  friend void intrusive_ptr_release(context_member* m) noexcept
  {
    m->drop_memory();
  }

protected:
  context_member() = default;
  virtual ~context_member() = default;

private:
  friend class context_part;
  friend class intrusive_list<context_member, member_node>;

  /// The context is going: close the descriptor, destroy what belongs to the context.
  virtual void shut_down() noexcept = 0;

  /// Whether no thread touches the reactor on behalf of this any more.
  virtual bool has_left_reactor() const noexcept = 0;

  /// This is a forked child, with one thread only.
  virtual void after_fork() noexcept = 0;
};

/// Keeps the memory of a member, which may be over.
using context_member_pointer = boost::intrusive_ptr<context_member>;

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_CONTEXT_MEMBER_HPP
