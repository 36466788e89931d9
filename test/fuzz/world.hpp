// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Runs a program over the library, beside the model. One thread polls the context, when the program says so; only
// conditions are waited for. In the end everything is let go, and nothing may be left: no handler, no descriptor, no close
// that is not counted.

#ifndef INTERLOCK_TEST_FUZZ_WORLD_HPP
#define INTERLOCK_TEST_FUZZ_WORLD_HPP

#include <array>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <variant>
#include <vector>

#include <boost/asio/io_context.hpp>

#include <interlock/close_group.hpp>
#include <interlock/close_handle.hpp>
#include <interlock/close_service.hpp>
#include <interlock/fd_lease.hpp>

#include "fuzz/model.hpp"
#include "fuzz/peers.hpp"
#include "fuzz/program.hpp"
#include "fuzz/subject.hpp"

namespace fuzz {

/// The end of a wait: failures end with it, and nothing else does.
inline std::chrono::steady_clock::time_point soon()
{
  return std::chrono::steady_clock::now() + std::chrono::seconds(10);
}

class world final : private audience
{
public:
  explicit world(const program& p);
  ~world();

  /// Empty if everything was as the pages promise; else what was done, and what was not as promised.
  std::string run();

private:
  struct kept_handle
  {
    interlock::close_handle handle;
    identity* of;
  };

  struct kept_lease
  {
    interlock::fd_lease lease;
    tenure* of;
  };

  /// A descriptor that the program owns: lent to an object, or released by one.
  struct owned
  {
    fd n;
    file_identity file;
  };

  // --- steps, by their verbs (world_steps.cpp)
  void perform(const step& s);
  void open(const step& s);
  void read(const step& s);
  void write(const step& s);
  void wait(const step& s);
  void cancel(const step& s);
  void shutdown(const step& s);
  void close(const step& s);
  void async_close(const step& s);
  void emit(const step& s);
  void retire(const step& s);
  void release(const step& s);
  void async_release(const step& s);
  void move(const step& s);
  void assign(const step& s);
  void destroy(const step& s);
  void keep_handle(const step& s);
  void lease(const step& s);
  void return_lease(const step& s);
  void poll_as(const step& s);
  void settle(const step& s);
  void act_as_peer(const step& s);
  void add_stranger(const step& s);
  void add_to_group(const step& s);
  void close_group(const step& s);

  // --- parts of them
  template <class Function>
  decltype(auto) on(std::size_t object, Function f)
  {
    return std::visit(f, *objects_[object]);
  }

  void open_connected(const step& s);
  support::ends make_ends(std::size_t object);
  tenure& opened(std::size_t object, bool borrowed, support::ends e);
  handler starts(const call& c, std::size_t size = 0);
  void silent(std::size_t object, const std::function<void()>& close);
  kept_handle* handle_of(const step& s);
  void act_as_client(tenure& t);
  void poll(bool one = false);

  // --- the end
  void check();
  void let_go();
  void finish_running();
  void finish_cut();
  void check_strangers();
  void check_census();
  void drain(bool leave);
  void check_peers();
  void check_arrivals(const peer& p);
  std::string account() const;

  // --- audience
  void told(std::size_t id, const answer& a) override;
  void gone(std::size_t id) override;
  void check_number_is_free(const call& c, const answer& a);

  bool fine() const
  {
    return model_.complaint().empty();
  }

  const std::set<int> before_; // descriptors
  program program_;
  model model_;
  std::ostringstream notes_;
  std::deque<cancellation> cancellations_; // by call, as buffers_
  std::deque<std::vector<unsigned char>> buffers_;
  std::vector<file_identity> files_; // by tenure
  std::deque<peer> peers_;           // by tenure
  std::deque<fd> clients_;
  std::deque<stranger> strangers_;
  std::deque<owned> owned_;
  std::unique_ptr<asio::io_context> context_;
  interlock::close_service& service_;
  std::array<std::size_t, objects> composed_{}; // operations that refer to the object: it must stay
  std::array<std::unique_ptr<subject>, objects> objects_;
  std::array<std::optional<kept_handle>, objects> handles_;
  std::array<std::deque<kept_lease>, objects> leases_;
  std::optional<interlock::close_group> group_;
  std::vector<identity*> members_;
  bool group_closed_ = false;
};

} // namespace fuzz

#endif // INTERLOCK_TEST_FUZZ_WORLD_HPP
