// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The members of a group. Guarded by its mutex; what is destroyed with the last reference to a member is not, so each
// function gives those back that it forgets.

#ifndef INTERLOCK_DETAIL_GROUPS_GROUP_MEMBERS_HPP
#define INTERLOCK_DETAIL_GROUPS_GROUP_MEMBERS_HPP

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <vector>

#include <interlock/config.hpp>
#include <interlock/detail/groups/group_member.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

class group_members
{
public:
  using list = std::vector<group_member_pointer>;

  /// What throws has no effect.
  // What is gone is given back each time when there is twice as much as was left the last time.
  void add(const group_member_pointer& member, list& gone)
  {
    if (members_.size() >= forget_at_)
      forget_gone(gone);
    members_.push_back(member);
  }

  std::size_t size(list& gone)
  {
    forget_gone(gone);
    return members_.size();
  }

  /// Those that have something open, or closing; the acceptors first.
  list in_use() const
  {
    list found;
    found.reserve(members_.size());
    std::copy_if(members_.begin(), members_.end(), std::back_inserter(found),
      [](const group_member_pointer& m) { return m->state().is_in_use(); });
    std::partition(
      found.begin(), found.end(), [](const group_member_pointer& m) { return m->is_acceptor(); });
    return found;
  }

private:
  void forget_gone(list& gone)
  {
    const auto first = std::partition(members_.begin(), members_.end(),
      [](const group_member_pointer& m) { return !m->state().is_gone(); });
    gone.reserve(static_cast<std::size_t>(members_.end() - first));
    std::move(first, members_.end(), std::back_inserter(gone));
    members_.erase(first, members_.end());
    forget_at_ = std::max(least_to_forget, 2 * members_.size());
  }

  static constexpr std::size_t least_to_forget = 64;

  list members_;
  std::size_t forget_at_ = least_to_forget;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_GROUPS_GROUP_MEMBERS_HPP
