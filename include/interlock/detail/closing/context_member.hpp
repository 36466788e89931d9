// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A tenure, as the context sees it that it belongs to.

#ifndef INTERLOCK_DETAIL_CLOSING_CONTEXT_MEMBER_HPP
#define INTERLOCK_DETAIL_CLOSING_CONTEXT_MEMBER_HPP

#include <interlock/config.hpp>
#include <interlock/detail/descriptor/intrusive_list.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// A place in the list of a context's members. Guarded by the mutex of its part.
class member_node : public list_node
{
};

class context_member : private member_node
{
public:
  context_member(const context_member&) = delete;
  context_member& operator=(const context_member&) = delete;

  /// Keeps the memory until `drop_memory`.
  virtual void keep_memory() noexcept = 0;
  virtual void drop_memory() noexcept = 0;

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

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CLOSING_CONTEXT_MEMBER_HPP
