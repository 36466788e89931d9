// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Two network namespaces with a cable between them, which can be pulled: peers that fall silent.
//
// A socket belongs to the namespace of the thread that made it, for good. So one process has both
// ends: the thread that makes a two_networks lives in the near one from then on, and visits the far
// one to make sockets there. Needs the right to make namespaces (root) and ip(8).

#ifndef INTERLOCK_TEST_NETNS_TWO_NETWORKS_HPP
#define INTERLOCK_TEST_NETNS_TWO_NETWORKS_HPP

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/descriptor_pairs.hpp"
#include "support/wait_until.hpp"

namespace support {

/// Runs ip(8) in the namespace of the calling thread. Throws what it was that failed.
inline void run_ip(std::initializer_list<std::string> arguments)
{
  std::string line = "ip";
  std::vector<char*> argv = {const_cast<char*>("ip")};
  for (const std::string& argument : arguments)
  {
    line += " " + argument;
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  ::pid_t pid = 0;
  int status = -1;
  if (const int error = ::posix_spawnp(&pid, "ip", nullptr, nullptr, argv.data(), environ))
    throw std::runtime_error("\"" + line + "\" cannot be run: " + std::strerror(error));
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR)
    continue;
  if (status != 0)
    throw std::runtime_error("\"" + line + "\" has failed");
}

class two_networks
{
public:
  /// Throws why there cannot be any.
  two_networks()
    : home_(this_namespace())
  {
    // The folder of ip(8) is not in every user's path.
    const char* path = std::getenv("PATH");
    ::setenv("PATH", (std::string(path ? path : "/bin") + ":/usr/sbin:/sbin").c_str(), 1);
    far_ = new_namespace();
    near_ = new_namespace();
    try
    {
      connect();
    }
    catch (...)
    {
      enter(home_);
      throw;
    }
  }

  two_networks(const two_networks&) = delete;
  two_networks& operator=(const two_networks&) = delete;

  ~two_networks()
  {
    ::setns(home_.get(), CLONE_NEWNET);
  }

  /// Does something in the far network.
  template <class Action>
  auto visit_far(Action act) const
  {
    enter(far_);
    const visit until_the_end{near_};
    return act();
  }

  /// The far link goes down: nothing gets through any more, in either direction, and no error says so.
  void pull() const
  {
    visit_far([] { run_ip({"link", "set", "far", "down"}); });
    await_link(false);
  }

  void plug() const
  {
    visit_far([] { run_ip({"link", "set", "far", "up"}); });
    await_link(true);
  }

  /// A connection from the near network to the far one.
  ends connection() const
  {
    const fd listener = visit_far([] { return listener_at("192.0.2.2"); });
    fd near = tcp_connected_to(listener);
    return {std::move(near), fd(checked(::accept(listener.get(), nullptr, nullptr), "accept"))};
  }

private:
  struct visit
  {
    const fd& home;

    ~visit()
    {
      ::setns(home.get(), CLONE_NEWNET);
    }
  };

  static fd this_namespace()
  {
    return fd(
      checked(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), "no network namespaces"));
  }

  static fd new_namespace()
  {
    if (::unshare(CLONE_NEWNET) != 0)
      throw std::runtime_error(std::string("unshare(CLONE_NEWNET): ") + std::strerror(errno));
    return this_namespace();
  }

  static void enter(const fd& where)
  {
    checked(::setns(where.get(), CLONE_NEWNET), "setns");
  }

  void connect() const
  {
    const std::string there = "/proc/" + std::to_string(::getpid()) + "/fd/"
      + std::to_string(far_.get());
    run_ip({"link", "add", "near", "index", "77", "type", "veth", "peer", "name", "far", "netns",
      there});
    run_ip({"address", "add", "192.0.2.1/24", "dev", "near"});
    run_ip({"link", "set", "near", "up"});
    visit_far([] { run_ip({"address", "add", "192.0.2.2/24", "dev", "far"}); });
    plug();
  }

  static fd listener_at(const char* address)
  {
    fd listener(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    ::sockaddr_in at = {};
    at.sin_family = AF_INET;
    ::inet_pton(AF_INET, address, &at.sin_addr);
    checked(::bind(listener.get(), reinterpret_cast<::sockaddr*>(&at), sizeof(at)), "bind");
    checked(::listen(listener.get(), 16), "listen");
    return listener;
  }

  static void await_link(bool up)
  {
    const fd any(checked(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
    const auto is_as_it_should = [&]
    {
      ::ifreq request = {};
      std::strcpy(request.ifr_name, "near");
      checked(::ioctl(any.get(), SIOCGIFFLAGS, &request), "SIOCGIFFLAGS");
      return ((request.ifr_flags & IFF_RUNNING) != 0) == up;
    };
    if (!wait_until(is_as_it_should))
      throw std::runtime_error("the link does not change");
  }

  fd home_;
  fd far_;
  fd near_;
};

/// Whether the kernel still has a connection from this port in the calling thread's namespace.
inline bool is_known_to_kernel(unsigned short port)
{
  char address[16];
  // 192.0.2.1 in the order of the network, which a little-endian machine reads backwards.
  std::snprintf(address, sizeof(address), "%08X:%04X", ::inet_addr("192.0.2.1"), unsigned(port));
  std::ifstream table("/proc/thread-self/net/tcp");
  std::string line;
  while (std::getline(table, line))
    if (line.find(address) != std::string::npos)
      return true;
  return false;
}

} // namespace support

#endif // INTERLOCK_TEST_NETNS_TWO_NETWORKS_HPP
