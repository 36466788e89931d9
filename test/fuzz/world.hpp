// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Runs a program over the library, beside the model. One thread polls the context, when the program says so; only
// conditions are waited for. In the end everything is let go, and nothing may be left: no handler, no descriptor, no close
// that is not counted.

#ifndef INTERLOCK_TEST_FUZZ_WORLD_HPP
#define INTERLOCK_TEST_FUZZ_WORLD_HPP

#include <array>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>

#include <interlock/close_group.hpp>
#include <interlock/close_service.hpp>

#include "fuzz/model.hpp"
#include "fuzz/peers.hpp"
#include "fuzz/program.hpp"
#include "fuzz/subject.hpp"

namespace fuzz {

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

  struct given_number
  {
    fd near;
    fd far;
  };

  // --- steps (world_steps.cpp)
  void perform(const step& s);
  void perform_closing(const step& s);
  void perform_moving(const step& s);
  void perform_peer(const step& s);
  void open(const step& s);
  void open_connected(const step& s);
  given_number make_ends(std::size_t object);
  void operate(const step& s);
  void close(const step& s);
  void retire(const step& s);
  void async_close(const step& s);
  void emit(const step& s);
  void release(const step& s);
  void async_release(const step& s);
  void lease(const step& s);
  void return_lease(const step& s);
  void close_group(const step& s);
  void poll(std::size_t most);
  void settle();
  void destroy_object(std::size_t object);
  void silent(std::size_t object, const std::function<void()>& close);
  kept_handle* handle_of(const step& s);
  peer* peer_of(const step& s);
  tenure& opened(std::size_t object, bool borrowed, fd near, fd far);

  // --- the end
  void check();
  void let_go();
  void finish_running();
  void finish_cut();
  void check_strangers();
  void check_census();
  void drain(bool leave);
  void check_peers();
  void forget();
  void check_arrivals(const peer& p);
  std::string account() const;

  // --- audience
  void told(std::size_t id, error_code ec, std::size_t bytes) override;
  void told(std::size_t id, error_code ec, const interlock::close_report& r) override;
  void told(std::size_t id, error_code ec, const interlock::close_tally& t) override;
  void told(std::size_t id, error_code ec, int fd) override;
  void told(std::size_t id, error_code ec, tcp::socket accepted) override;
  void gone(std::size_t id) override;
  void note(std::size_t id, const answer& a);
  void check_number_is_free(std::size_t id, const answer& a);

  bool fine() const
  {
    return model_.complaint().empty();
  }

  const std::set<int> before_; // descriptors
  program program_;
  model model_;
  std::ostringstream notes_;
  std::deque<asio::cancellation_signal> signals_; // by call, as buffers_
  std::deque<std::vector<unsigned char>> buffers_;
  std::vector<file_identity> files_; // by tenure
  std::deque<peer> peers_;           // by tenure
  std::deque<fd> clients_;
  std::deque<stranger> strangers_;
  std::deque<owned> owned_;
  std::unique_ptr<asio::io_context> context_;
  interlock::close_service& service_;
  std::array<std::size_t, objects> composed_{}; // operations that refer to the object
  std::array<std::unique_ptr<subject>, objects> objects_;
  std::array<std::optional<kept_handle>, objects> handles_;
  std::array<std::deque<kept_lease>, objects> leases_;
  std::optional<interlock::close_group> group_;
  std::vector<identity*> members_;
  bool group_closed_ = false;
};

} // namespace fuzz

#endif // INTERLOCK_TEST_FUZZ_WORLD_HPP
