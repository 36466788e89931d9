// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Operations, objects and statistics. What a closer receives is in model_close.cpp.

#include "fuzz/model.hpp"

namespace fuzz {

model::model()
{
  for (identity*& slot : slots_)
    slot = &identities_.emplace_back();
}

void model::complain(const std::string& text)
{
  if (complaint_.empty())
    complaint_ = text;
}

void model::expect(const char* rule, code expected, code found)
{
  if (expected != found)
    complain(std::string(rule) + ": expected " + name_of(expected) + ", found " + name_of(found));
}

void model::require(const char* rule, bool holds)
{
  if (!holds)
    complain(rule);
}

// --- opening, moving, ending --------------------------------------------------------------------

// life.qbk, "Opening".
code model::expected_of_open(std::size_t object) const
{
  const identity& i = *slots_[object];
  return i.retired ? code::retired : i.is_open() ? code::already_open : code::success;
}

tenure& model::opened(std::size_t object, kind what, bool borrowed, int fd)
{
  tenure& t = tenures_.emplace_back();
  t.number = tenures_.size() - 1;
  t.what = what;
  t.borrowed = borrowed;
  t.fd = fd;
  // life.qbk: opening the object again during a flush aborts a composed write, whose next step finds another tenure.
  if (at(object).last != nullptr)
    at(object).last->dropped = true;
  at(object).last = &t;
  return t;
}

void model::cancelled(identity& i)
{
  if (i.is_open())
    i.last->cancelled_at = ++now_;
}

void model::silent_close(identity& i, bool destructor)
{
  if (i.last == nullptr)
    return;
  tenure& t = *i.last;
  if (t.is_open())
  {
    t.begun = tenure::start::silent;
    t.closed_at = ++now_;
    t.hurries = true;
  }
  t.dropped |= destructor;
}

void model::given(tenure& t)
{
  t.begun = tenure::start::given;
  t.closed_at = ++now_;
  t.hurries = true;
}

// life.qbk, "Moves": a move within one type takes everything along, and leaves a newly constructed object.
void model::assigned(std::size_t target, std::size_t source)
{
  silent_close(at(target), true);
  slots_[target] = slots_[source];
  slots_[source] = &identities_.emplace_back();
}

void model::destroyed(std::size_t object)
{
  silent_close(at(object), true);
  slots_[object] = &identities_.emplace_back();
}

void model::end_of_context()
{
  cut_ = true;
  for (tenure& t : tenures_)
    if (t.is_open())
      t.begun = tenure::start::silent;
}

bool model::is_free_on_return(const tenure& t)
{
  return t.is_open() && t.leases == 0 && !t.borrowed
    && (t.what != kind::local || t.peer_sent == 0); // an AF_UNIX socket with unread input may block
}

// --- calls --------------------------------------------------------------------------------------

call& model::add(const step& s, tenure* of, bool refused)
{
  calls_.push_back({calls_.size(), s.what, of, refused, ++now_, s.object, s.argument});
  return calls_.back();
}

// delivery.qbk: writes refused while others run to their end are counted.
void model::count_refusal(tenure& t)
{
  if (!t.is_stream() || !t.first_waits)
    return;
  ++t.refused_most;
  t.refused_least += t.writes != 0 && t.is_flushed() ? 1 : 0;
}

call& model::operation(const step& s, std::size_t size)
{
  identity& i = at(s.object);
  call& c = add(s, i.last, !i.is_open());
  c.size = size;
  if (c.refused)
  {
    if (s.what == verb::write && i.last)
      count_refusal(*i.last);
    return c;
  }
  ++i.last->handlers;
  if (s.what == verb::write)
  {
    ++i.last->writes;
    i.last->asked_to_write += size;
  }
  return c;
}

void model::told(std::size_t id, const answer& a)
{
  call& c = calls_[id];
  require("G4: the handler is called twice", !c.told);
  require("G4: the handler is called after it was destroyed", !c.destroyed);
  require("G4: the handler is called while the context does not run", runs_);
  c.told = true;
  switch (c.what)
  {
  case verb::async_close:
    return check_closer(c, a);
  case verb::async_release:
    return check_release(c, a);
  case verb::group_close:
    return check_group(c, a);
  default:
    return check_operation(c, a);
  }
}

void model::handler_destroyed(std::size_t id)
{
  call& c = calls_[id];
  require("G4: the handler is destroyed without a call", c.told || cut_);
  c.destroyed = true;
  if (c.refused || c.of == nullptr || c.what > verb::wait)
    return;
  --c.of->handlers;
  if (c.what == verb::write)
    --c.of->writes;
}

// closing.qbk, "What other calls get".
void model::check_operation(call& c, const answer& a)
{
  require("G12: an accept gives a socket with an error, or none with success",
    !a.accepted || *a.accepted == (a.error == code::success));
  if (c.refused)
    return expect("G4: an operation started on a closed object", code::bad_descriptor, a.error);
  c.bytes = a.bytes;
  if (c.what == verb::write)
    c.of->written += a.bytes;
  if (a.error == code::success)
    check_success(c, a);
  else
    check_error(c, a);
}

void model::check_error(const call& c, const answer& a)
{
  const tenure& t = *c.of;
  const bool spared = c.what == verb::write && t.is_flushed();
  const bool ended = t.cancelled_at > c.at || (!t.is_open() && !spared);
  switch (a.error)
  {
  case code::aborted:
    require(
      spared ? "G8: a flush aborts a write" : "G4: aborted, although nothing has ended it", ended);
    return require(
      "G4: aborted, although bytes were transferred", a.bytes == 0 || a.bytes < c.size);
  case code::bad_descriptor:
    // The next step of a composed write. The tenure counts it that has refused it.
    if (c.is_composed())
      ++at(c.object).last->refused_most;
    return require(
      "G4: bad_descriptor, although the object was open", ended && c.is_composed() && !t.is_open());
  case code::end_of_file:
  case code::broken:
    return check_end(c, a.error);
  default:
    complain(std::string("using: an operation receives ") + name_of(a.error));
  }
}

void model::check_end(const call& c, code error)
{
  tenure& t = *c.of;
  t.read_end |= c.what == verb::read;
  t.broken |= error == code::broken;
  if (error == code::broken)
    return require(
      "G12: a broken connection, although neither side has ended it", t.peer_gone || t.own_end);
  require("G12: eof, although the peer has not ended, or with data left",
    c.what == verb::read && (t.peer_ended || t.peer_gone || t.own_end)
      && (t.read == t.peer_sent || t.own_end || t.peer_was_reset));
}

void model::check_success(call& c, const answer& a)
{
  tenure& t = *c.of;
  const bool peer_acted = t.peer_ended || t.peer_gone || t.own_end;
  switch (c.what)
  {
  case verb::read:
    if (t.what != kind::acceptor)
      return check_read(c, a);
    ++t.accepted;
    ++accepted_;
    return require("G2: more connections accepted than clients", t.accepted <= t.clients);
  case verb::write:
    return require("G4: a write has succeeded with part of its buffer",
      c.is_composed() ? a.bytes == c.size : a.bytes != 0 && a.bytes <= c.size);
  default:
    // migrating.qbk, "Errors and time": a readiness fetched for another object may complete it from the close on.
    if (!t.is_open())
      return;
    if (c.argument % 3 == 0)
      require("G2: readable, although the peer has done nothing",
        peer_acted || t.peer_sent != 0 || t.clients != 0);
    else if (c.argument % 3 == 2)
      require("G2: an error condition, although the peer has not ended", peer_acted);
  }
}

void model::check_read(call& c, const answer& a)
{
  require("G4: a read has succeeded with no byte", a.bytes != 0 && a.bytes <= c.size);
  c.of->read += a.bytes;
  require("G2: more read than the peer has sent", c.of->read <= c.of->peer_sent);
}

// --- what is due, and what is left --------------------------------------------------------------

// Behind the end of the connection, or of its input, Asio may leave an operation waiting until the object is closed, over
// plain sockets as well.
bool model::is_due(const call& c) const
{
  if (c.told || c.what > verb::wait)
    return false;
  if (c.refused || (c.of->cancelled_at > c.at && !c.is_composed()))
    return true;
  const tenure& t = *c.of;
  const bool peer_acted = t.peer_ended || t.peer_gone;
  const bool input = t.what == kind::acceptor ? t.clients > t.accepted : t.peer_sent > t.read;
  const bool readable = !t.read_end && (input || peer_acted);
  // As little as every kernel takes without a reader.
  const bool room = !t.broken && t.asked_to_write <= t.peer_read + 2048;
  switch (c.what)
  {
  case verb::read:
    return readable || (!t.is_open() && t.hurries);
  case verb::write:
    return room || (!t.is_open() && (t.peer_gone || t.broken));
  default:
    return c.argument % 3 == 0
      ? readable
      : c.argument % 3 == 1 && t.what != kind::acceptor && t.what != kind::pipe && room;
  }
}

std::size_t model::open_objects() const
{
  std::size_t n = 0;
  for (const identity* i : slots_)
    n += i->is_open() ? 1 : 0;
  return n;
}

// close_statistics.hpp: what counts while another thread closes.
void model::check_statistics(const interlock::close_statistics& s)
{
  require("statistics: opened", s.opened == tenures_.size() + accepted_);
  require("statistics: open", s.open == open_objects());
}

void model::check_final_statistics(const interlock::close_statistics& s)
{
  check_statistics(s);
  require("statistics: a close is in progress after the end", s.closing() == 0);
  require("statistics: opened is not the sum of all outcomes", s.opened == s.closed());
  std::array<std::uint64_t, interlock::detail::close_outcomes> least{};
  std::uint64_t unknown = 0;
  for (const tenure& t : tenures_)
    if (t.borrowed || t.begun == tenure::start::given)
      ++least[static_cast<std::size_t>(interlock::close_outcome::detached)];
    else if (t.report)
      ++least[static_cast<std::size_t>(t.report->outcome)];
    else
      ++unknown;
  for (std::size_t o = 0; o != least.size(); ++o)
    require("statistics: an outcome is not what closers have received",
      s.outcomes[o] >= least[o] && s.outcomes[o] <= least[o] + unknown + accepted_);
}

} // namespace fuzz
