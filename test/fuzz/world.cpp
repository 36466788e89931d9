// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What handlers receive, and the end of a program.

#include "fuzz/world.hpp"

#include <csignal>
#include <utility>

#include "support/census.hpp"
#include "support/descriptors.hpp"

namespace fuzz {

namespace {

/// The descriptors that a process needs once are there before the first census.
void warm_up()
{
  static const bool done = []
  {
    std::signal(SIGPIPE, SIG_IGN);
    asio::io_context context;
    tcp::socket s(context);
    s.connect(tcp::endpoint(
      asio::ip::address_v4::loopback(), ntohs(support::address_of(meeting_place()).sin_port)));
    fd(::accept4(meeting_place().get(), nullptr, nullptr, SOCK_CLOEXEC));
    return true;
  }();
  static_cast<void>(done);
}

/// Without those of an earlier program.
std::set<int> first_census()
{
  warm_up();
  support::wait_until([] { return !support::has_workers(); });
  return support::open_fds();
}

} // namespace

world::world(const program& p)
  : before_(first_census()),
    program_(p),
    context_(std::make_unique<asio::io_context>()),
    service_(asio::use_service<interlock::close_service>(*context_)),
    group_(std::in_place, *context_)
{
  asio::io_context& c = *context_;
  objects_[0] = std::make_unique<subject>(local::socket(c));
  objects_[1] = std::make_unique<subject>(local::socket(c));
  objects_[2] = std::make_unique<subject>(tcp::socket(c));
  objects_[3] = std::make_unique<subject>(tcp::acceptor(c));
  objects_[4] = std::make_unique<subject>(stream_descriptor(c));
}

world::~world() = default;

std::string world::run()
{
  for (const step& s : program_.steps)
  {
    notes_ << "  " << s << '\n';
    perform(s);
    check();
    if (!fine())
      return account();
  }
  notes_ << "  the end: " << ending_names[static_cast<std::size_t>(program_.end)] << '\n';
  if (program_.end < ending::cut_objects)
    finish_running();
  else
    finish_cut();
  check_census();
  return fine() ? std::string() : account();
}

std::string world::account() const
{
  return notes_.str() + "*** " + model_.complaint() + '\n';
}

// --- what handlers receive ----------------------------------------------------------------------

void world::told(std::size_t id, const answer& a)
{
  notes_ << "    #" << id << " receives " << name_of(a.error);
  if (a.bytes != 0)
    notes_ << ", " << a.bytes << " bytes";
  if (a.report)
    notes_ << ", " << *a.report;
  if (a.tally)
    notes_ << ", " << *a.tally;
  notes_ << '\n';
  const call& c = model_.of(id);
  if (c.what == verb::read && c.of != nullptr)
    for (std::size_t i = 0; i != a.bytes; ++i)
      model_.require("G2: what is read is not what the peer of this tenure has sent next",
        buffers_[id][i] == sent_byte(c.of->number, c.of->read + i));
  if (a.fd >= 0 && !c.of->borrowed)
    owned_.push_back({fd(a.fd), files_[c.of->number]});
  model_.told(id, a);
  check_number_is_free(c, a);
}

void world::gone(std::size_t id)
{
  model_.handler_destroyed(id);
  if (model_.of(id).is_composed())
    --composed_[model_.of(id).object];
}

// closing.qbk, "When the address is free, and the lock, and the descriptor".
void world::check_number_is_free(const call& c, const answer& a)
{
  if (c.what != verb::async_close || c.of == nullptr || a.error == code::aborted)
    return;
  const tenure& t = *c.of;
  if (t.begun == tenure::start::given)
    return;
  model_.require(t.borrowed ? "life: a borrowed descriptor is closed"
                            : "G6: the descriptor is open when the closer is called",
    (file_identity(t.fd) == files_[t.number]) == t.borrowed);
}

// --- the end ------------------------------------------------------------------------------------

/// What holds after each step.
void world::check()
{
  for (std::size_t i = 0; i != objects; ++i)
    model_.require("using: is_open(), native_handle() of a closed object",
      on(i,
        [is_open = model_.at(i).is_open()](auto& object)
        {
          // Of an open object the second would make the descriptor known to other code.
          return object.is_open() == is_open && (is_open || object.native_handle() == -1);
        }));
  model_.check_statistics(service_.statistics());
}

void world::check_strangers()
{
  for (const stranger& s : strangers_)
    model_.require("G2: a descriptor of other code was touched", s.is_untouched());
  for (const owned& o : owned_)
    model_.require("life: a descriptor that is borrowed or released is closed",
      file_identity(o.n.get()) == o.file);
}

/// G9: nothing is left, and nothing of other code is closed.
void world::check_census()
{
  if (!fine()
    || support::wait_until([this] { return support::open_fds().size() == before_.size(); }, soon()))
    return;
  std::string text = "G9: a descriptor is left:";
  for (const int n : support::open_fds())
    if (before_.count(n) == 0)
      text += ' ' + std::to_string(n) + " (" + support::referred_to(n) + ')';
  model_.complain(text);
}

void world::let_go()
{
  for (std::size_t i = 0; i != objects; ++i)
    while (!leases_[i].empty())
      return_lease({verb::return_lease, i, 0});
}

void world::drain(bool leave)
{
  for (peer& p : peers_)
  {
    p.read(static_cast<std::size_t>(-1));
    if (leave && p.is_open() && p.saw_end)
      p.leave();
  }
}

/// Everything ends by itself, once peers read and leave.
void world::finish_running()
{
  let_go();
  for (std::size_t i = 0; i != objects; ++i)
    if (program_.end == ending::closed || composed_[i] != 0)
      close({verb::close, i, 0});
    else
      destroy({verb::destroy, i, 0});
  check();
  const auto over = [this]
  {
    poll();
    drain(true);
    return (!model_.untold() && service_.statistics().closing() == 0) || !fine();
  };
  if (!support::wait_until(over, soon()))
    return model_.complain(model_.untold()
        ? "G4: #" + std::to_string(model_.untold()->id) + " is never called"
        : "statistics: a close is in progress for ever");
  if (fine())
    model_.check_final_statistics(service_.statistics());
  check_strangers();
  check_peers();
  if (model_.undestroyed())
    model_.complain("G4: #" + std::to_string(model_.undestroyed()->id) + " is not destroyed");
  finish_cut();
}

/// Also the end of what has run to its end.
void world::finish_cut()
{
  const bool objects_first = program_.end != ending::cut_context;
  model_.end_of_context();
  group_.reset();
  if (objects_first)
    for (auto& o : objects_)
      o.reset();
  context_.reset();
  let_go();
  if (model_.undestroyed())
    model_.complain(
      "G4: #" + std::to_string(model_.undestroyed()->id) + " is not destroyed with its context");
  for (auto& o : objects_)
  {
    model_.require("life: an object is open after its context", !o || !is_open(*o));
    o.reset();
  }
  for (auto& h : handles_)
    if (h)
      h->handle.close(); // has no effect any more
  if (!fine())
    return;
  check_strangers();
  check_peers();
  // The program's own descriptors.
  peers_.clear();
  clients_.clear();
  strangers_.clear();
  owned_.clear();
}

/// Each peer sees the end, and all that has arrived belongs there.
void world::check_peers()
{
  owned_.clear();
  const auto ended = [this]
  {
    drain(false);
    for (const peer& p : peers_)
      if (p.is_open() && p.of().is_stream() && !p.saw_end)
        return false;
    return true;
  };
  model_.require(
    "G9: a peer never sees the end of its connection", support::wait_until(ended, soon()));
  for (const peer& p : peers_)
    if (p.of().is_stream())
      check_arrivals(p);
}

// delivery.qbk, "What the peer sees".
void world::check_arrivals(const peer& p)
{
  const tenure& t = p.of();
  const bool lost_nothing = t.what == kind::local || (!t.aborts && t.read == t.peer_sent)
    || (t.report && t.report->outcome == interlock::close_outcome::acknowledged)
    || (t.report && t.report->outcome == interlock::close_outcome::peer_closed);
  const bool exact = !t.peer_gone && lost_nothing;
  for (std::size_t id = 0; id != p.got.size(); ++id)
  {
    const std::size_t n = p.got[id];
    if (id >= buffers_.size() || model_.of(id).of != &t || model_.of(id).what != verb::write)
    {
      model_.require("G2: a peer receives what was not written to it", n == 0);
      continue;
    }
    const call& c = model_.of(id);
    model_.require(
      "G4: more has arrived than the write has received", n <= (c.told ? c.bytes : c.size));
    model_.require("G8: bytes of a write are lost", !exact || !c.told || n == c.bytes);
  }
}

} // namespace fuzz
