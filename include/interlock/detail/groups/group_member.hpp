// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What a group keeps of an object: its state, in memory for as long as the group wants, and, as long as the execution
// context lasts, what a close needs of that.

#ifndef INTERLOCK_DETAIL_GROUPS_GROUP_MEMBER_HPP
#define INTERLOCK_DETAIL_GROUPS_GROUP_MEMBER_HPP

#include <memory>
#include <utility>
#include <vector>

#include <interlock/config.hpp>
#include <interlock/detail/core/handled_object.hpp>
#include <interlock/detail/core/object_base.hpp>
#include <interlock/detail/groups/context_bound.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class group_member;
using group_member_pointer = std::shared_ptr<group_member>;

/// The handled_object of a stack of layers. An adapter defines it.
template <class Stream, class = void>
struct handled_stack_of
{
  static constexpr bool is_known = false;
};

/// Connections that have waited in a queue. The group has made the sockets, and keeps them until their closes are over.
using accepted_members = std::vector<group_member_pointer>;

class group_member
{
public:
  /// `keeper` is kept, if it is not null, until the member is gone, or its context: an object that the group has made.
  explicit group_member(
    const handled_object_pointer& object, std::shared_ptr<void> keeper = nullptr)
    : state_(&object->state()),
      is_acceptor_(object->is_acceptor()),
      object_(object->context(), {object, std::move(keeper)})
  {
  }

  group_member(const group_member&) = delete;
  group_member& operator=(const group_member&) = delete;
  virtual ~group_member() = default;

  const object_base& state() const noexcept
  {
    return *state_;
  }

  bool is_acceptor() const noexcept
  {
    return is_acceptor_;
  }

  /// Accepts what waits in the queue of an acceptor. What throws loses none that is in `to` already.
  virtual void accept_waiting(accepted_members& /*to*/) const {}

  /// Calls `f` with the object. False: its execution context is shut down.
  template <class Function>
  bool use(Function f) const
  {
    return object_.use([&f](const kept_object& kept) { f(*kept.object); });
  }

private:
  struct kept_object
  {
    handled_object_pointer object;
    std::shared_ptr<void> keeper;
  };

  const object_pointer state_;
  const bool is_acceptor_;
  const context_bound<kept_object> object_;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_GROUPS_GROUP_MEMBER_HPP
