// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// An acceptor in a group. Before it is closed, the connections that wait in its queue are accepted: close(2) of a
// listener resets them (inet_csk_listen_stop). A borrowed listener goes on listening, and keeps its queue, as does
// one that was added by its handle.

#ifndef INTERLOCK_DETAIL_GROUPS_GROUP_ACCEPTOR_HPP
#define INTERLOCK_DETAIL_GROUPS_GROUP_ACCEPTOR_HPP

#include <cerrno>
#include <cstddef>
#include <memory>
#include <vector>

#include <boost/system/error_code.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/core/handled_object.hpp>
#include <interlock/detail/core/object_state.hpp>
#include <interlock/detail/descriptor/calls.hpp>
#include <interlock/detail/groups/group_member.hpp>
#include <interlock/detail/members/accept.hpp>
#include <interlock/detail/members/closing_members.hpp>
#include <interlock/detail/members/common_calls.hpp>
#include <interlock/detail/members/opened_descriptors.hpp>
#include <interlock/detail/members/socket_calls.hpp>
#include <interlock/detail/tenure/guards.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

template <class Protocol, class Executor>
class group_acceptor_of final : public group_member
{
public:
  using inner_type = typename acceptor_core<Protocol, Executor>::inner_type;
  using object_type = handled_object_of<inner_type>;
  using peer_type = accepted_socket<Protocol, Executor>;

  using group_member::group_member;

  // Beyond the descriptor limit the connections stay in the queue.
  void accept_waiting(accepted_members& to) const override
  {
    use([&to](const handled_object& o) { accept_all(static_cast<const object_type&>(o), to); });
  }

private:
  using tenure_type = tenure<inner_type>;

  // Clients that go on connecting must not hold the close. Linux limits a queue to net.core.somaxconn, 4096 by default.
  static constexpr std::size_t longest_queue = 65535;

  static void accept_all(const object_type& object, accepted_members& to)
  {
    tenure_type* const t = static_cast<object_state<inner_type>&>(object.state()).current();
    if (!t || t->enter() != duty::none)
      return;
    const leave_guard leaves(*t);
    if (t->is_borrowed())
      return;
    error_code ec;
    t->prepare(ec);
    for (std::size_t n = 0; n != longest_queue && !ec && t->current_phase() == phase::open; ++n)
      accept_one(*t, object.own_executor(), to, ec);
  }

  static void accept_one(tenure_type& t, const Executor& ex, accepted_members& to, error_code& ec)
  {
    const int fd = calls::accept(t.fd(), nullptr, nullptr, ec);
    if (fd < 0)
    {
      if (is_of_connection(ec))
        ec = error_code();
      return;
    }
    unused_fd accepted;
    accepted.set(fd);
    const auto peer = std::make_shared<peer_type>(ex);
    functions::assign_socket(
      access::core(*peer), t.protocol(), {fd, false, t.marks().is_tainted()}, ec);
    if (ec)
      return;
    accepted.taken();
    to.push_back(std::make_shared<group_member>(access::core(*peer).share_state(), peer));
  }

  // Of the connection, and no reason to stop: accept(2) passes on what its network has told, and what a firewall has.
  static bool is_of_connection(const error_code& ec) noexcept
  {
    if (is_aborted_connection(ec))
      return true;
    switch (ec.category() == boost::system::system_category() ? ec.value() : 0)
    {
    case EPERM:
    case ENETDOWN:
    case ENETUNREACH:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case EHOSTUNREACH:
#if defined(ENONET)
    case ENONET:
#endif
      return true;
    default:
      return false;
    }
  }
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_GROUPS_GROUP_ACCEPTOR_HPP
