// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What the pages promise to each caller, without any I/O and without Asio. The world reports what the program does, what
// the peers do, and what each handler receives; the first answer that no page allows is the complaint, and it begins with
// the guarantee (doc/guarantees.qbk) or the page that it rests on.
//
// The worker closes at times of its own, and the kernel takes as much as it likes. So the model has for most questions a
// set of answers and not one. It never asks how long something took.

#ifndef INTERLOCK_TEST_FUZZ_MODEL_HPP
#define INTERLOCK_TEST_FUZZ_MODEL_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include <interlock/close_report.hpp>
#include <interlock/close_statistics.hpp>
#include <interlock/close_tally.hpp>

#include "fuzz/program.hpp"

namespace fuzz {

enum class code : unsigned char
{
  success,
  aborted,
  bad_descriptor,
  end_of_file,
  broken, // connection_reset, broken_pipe
  not_supported,
  invalid,
  in_use,
  retired,
  already_open,
  other
};

constexpr std::array code_names = {"success", "operation_aborted", "bad_descriptor", "eof",
  "connection_reset or broken_pipe", "operation_not_supported", "invalid_argument", "in_use",
  "retired", "already_open", "another error"};

constexpr const char* name_of(code c)
{
  return code_names[static_cast<std::size_t>(c)];
}

/// What a handler receives.
struct answer
{
  code error = code::success;
  std::size_t bytes = 0;
  std::optional<interlock::close_report> report;
  std::optional<interlock::close_tally> tally;
  int fd = -1;
  std::optional<bool> accepted; ///< Of an accept: whether its socket is open.
};

/// Of one close.
enum class cancel_type : unsigned char
{
  total,
  partial,
  terminal
};

enum class kind : unsigned char
{
  local,
  tcp,
  acceptor,
  pipe
};

/// The time in which a descriptor is an object's.
struct tenure
{
  /// How the close began.
  enum class start : unsigned char
  {
    not_begun,
    silent, ///< close(), retire(), the destructor, an assignment: no caller waits
    asked,  ///< async_close, of a handle or a group as well
    given   ///< release, async_release
  };

  std::size_t number;
  kind what;
  bool borrowed;
  int fd;

  start begun = start::not_begun;
  bool first_waits = false;  ///< The first closer's mode waits for the peer.
  bool first_aborts = false; ///< It is abort.
  bool aborts = false;       ///< A closer has asked for an abort since.
  bool hurries = false;      ///< One has not asked to wait, or the destructor has ended the flush.
  bool dropped = false;      ///< The object has left it: by its end, or by another open.
  bool graceful = false;     ///< One has asked for graceful.
  bool short_time = false;   ///< Of a mode that waits.
  std::uint64_t closed_at = 0;
  std::uint64_t cancelled_at = 0;
  unsigned leases = 0;
  std::size_t handlers = 0; ///< Of operations: not destroyed.
  std::size_t writes = 0;   ///< Of those, composed and simple writes.
  std::size_t refused_least = 0, refused_most = 0;

  bool own_end = false;   ///< The program has shut its side down.
  bool shared = false;    ///< Other code has had the descriptor, and may have received its errors.
  bool peer_left = false; ///< It has closed after our end.
  bool peer_ended = false, peer_gone = false, peer_was_reset = false;
  bool read_end = false; ///< A read has received the end of the input, or of the connection.
  bool broken = false;   ///< An operation has received the end of the connection.
  std::uint64_t peer_sent = 0, read = 0;
  std::uint64_t written = 0, asked_to_write = 0, peer_read = 0;
  std::size_t clients = 0, accepted = 0;

  std::optional<interlock::close_report> report; ///< What a closer has received.
  bool over = false;                             ///< A closer has been served.

  bool is_open() const
  {
    return begun == start::not_begun;
  }

  bool is_stream() const
  {
    return what == kind::local || what == kind::tcp;
  }

  bool can_deliver() const
  {
    return is_stream() && !borrowed;
  }

  /// Its close lets writes run to their end (delivery.qbk), and nothing has ended that.
  bool is_flushed() const
  {
    return begun == start::asked && first_waits && !hurries && !aborts && !short_time && !dropped
      && !broken;
  }
};

/// What an object is, wherever it is moved; a handle refers to it.
struct identity
{
  bool retired = false;
  tenure* last = nullptr; ///< The open one, or the one that has ended last.

  bool is_open() const
  {
    return last != nullptr && last->is_open();
  }
};

/// One operation, close or release that was started, and its handler.
struct call
{
  /// A write that goes on until all is written.
  bool is_composed() const
  {
    return what == verb::write && argument % 4 > 1;
  }

  std::size_t id;
  verb what;
  tenure* of;   ///< Null: the object was never opened.
  bool refused; ///< The object was not open. Of a close: there was nothing left to begin.
  std::uint64_t at;
  std::size_t object;
  unsigned argument;
  std::size_t size = 0;
  std::size_t bytes = 0; ///< What the handler has received.
  const close_way* way = nullptr;
  bool let_go = false;      ///< The caller has been told to wait no longer,
  bool must_let_go = false; ///< when the close could not be over.
  bool told = false, destroyed = false;
};

class model
{
public:
  model();

  const std::string& complaint() const
  {
    return complaint_;
  }

  void complain(const std::string& text);

  /// An unexpected answer of a call that returns at once.
  void expect(const char* rule, code expected, code found);
  void require(const char* rule, bool holds);

  identity& at(std::size_t object)
  {
    return *slots_[object];
  }

  // --- opening, moving, ending

  code expected_of_open(std::size_t object) const;
  tenure& opened(std::size_t object, kind what, bool borrowed, int fd);
  void cancelled(identity& i);
  void silent_close(identity& i, bool destructor);
  void given(tenure& t);
  void assigned(std::size_t target, std::size_t source);
  void destroyed(std::size_t object);
  void end_of_context();

  /// Whether close(2) has returned with `close()` or the destructor, which are about to be called (G3).
  static bool is_free_on_return(const tenure& t);

  // --- calls

  call& operation(const step& s, std::size_t size);
  call& closer(identity& i, const step& s);
  call& releaser(identity& i, const step& s);
  call& group_closer(const std::vector<identity*>& members, const step& s);
  void emitted(call& c, cancel_type type);
  void told(std::size_t id, const answer& a);
  void handler_destroyed(std::size_t id);

  /// Handlers are called while the context runs, and only then.
  void runs(bool now)
  {
    runs_ = now;
  }

  // --- what is due, and what is left

  /// An operation that must have been called once what is ready has been polled.
  const call* due() const
  {
    return first([this](const call& c) { return is_due(c); });
  }

  const call* untold() const
  {
    return first([](const call& c) { return !c.told; });
  }

  const call* undestroyed() const
  {
    return first([](const call& c) { return !c.destroyed; });
  }

  void check_statistics(const interlock::close_statistics& s);
  void check_final_statistics(const interlock::close_statistics& s);

  std::size_t open_objects() const;

  call& of(std::size_t id)
  {
    return calls_[id];
  }

private:
  template <class Predicate>
  const call* first(Predicate p) const
  {
    const auto found = std::find_if(calls_.begin(), calls_.end(), p);
    return found == calls_.end() ? nullptr : &*found;
  }

  call& add(const step& s, tenure* of, bool refused);
  static bool demand(tenure& t, const close_way& w);
  void check_operation(call& c, const answer& a);
  void check_error(const call& c, const answer& a);
  void check_end(const call& c, code error);
  void count_refusal(tenure& t);
  void check_success(call& c, const answer& a);
  void check_read(call& c, const answer& a);
  void check_closer(call& c, const answer& a);
  void check_error_of_close(const call& c, const answer& a);
  void check_release(const call& c, const answer& a);
  void check_group(const call& c, const answer& a);
  void check_report(tenure& t, const interlock::close_report& r);
  void check_counts(const tenure& t, const interlock::close_report& r);
  void check_last_word(const call& c);
  bool is_due(const call& c) const;

  std::string complaint_;
  std::deque<identity> identities_;
  std::array<identity*, objects> slots_;
  std::deque<tenure> tenures_;
  std::deque<call> calls_;
  std::vector<tenure*> group_;
  std::size_t group_least_ = 0, group_most_ = 0;
  std::size_t accepted_ = 0;
  std::uint64_t now_ = 0;
  bool runs_ = false;
  bool cut_ = false;
};

} // namespace fuzz

#endif // INTERLOCK_TEST_FUZZ_MODEL_HPP
