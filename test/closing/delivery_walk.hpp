// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Walks every stage that a delivery can reach, breadth first, and tries every observation in each.
//
// Beside the stage goes a ghost: what has really been seen and done on the way. The ghost alone
// says what may be claimed; the first step that claims more, or does not end what has to end, is
// the flaw.

#ifndef INTERLOCK_TEST_CLOSING_DELIVERY_WALK_HPP
#define INTERLOCK_TEST_CLOSING_DELIVERY_WALK_HPP

#include <cstddef>
#include <deque>
#include <set>
#include <string>
#include <tuple>

#include <interlock/detail/closing/delivery_stages.hpp>

namespace support {

/// What a delivery has gone through.
struct delivery_ghost
{
  bool drains = false; // our FIN is not the delivery's to send
  bool fin_sent = false;
  bool acknowledged = false;  // after our FIN, if that is the delivery's to send
  bool peer_finished = false; // its FIN, after which nothing comes
  bool was_reset = false;
};

class delivery_walk
{
public:
  using kind = interlock::close_mode::kind;
  using stage = interlock::detail::delivery_stage;
  using sight = interlock::detail::delivery_sight;
  using act = interlock::detail::delivery_act;
  using outcome = interlock::close_outcome;
  using observation = interlock::detail::delivery_observation;

  delivery_walk()
  {
    for (kind wanted : {kind::abort, kind::immediate, kind::deliver, kind::graceful})
    {
      visit({{}, {}, wanted});
      visit({{stage::draining}, {true}, wanted});
    }
    while (!queue_.empty() && flaw_.empty())
    {
      const node n = queue_.front();
      queue_.pop_front();
      for (unsigned which = 0; which < observations; ++which)
        for (unsigned demanded = 0; demanded <= static_cast<unsigned>(n.wanted); ++demanded)
          try_step(n, numbered(which), static_cast<kind>(demanded));
    }
  }

  /// Empty if there is none.
  const std::string& flaw() const
  {
    return flaw_;
  }

  std::size_t states() const
  {
    return seen_.size();
  }

  std::size_t steps() const
  {
    return steps_;
  }

  /// Whether some way leads to this outcome.
  bool reaches(outcome o) const
  {
    return reached_.count(o) != 0;
  }

private:
  struct node
  {
    interlock::detail::delivery_state state;
    delivery_ghost ghost;
    kind wanted;
  };

  static constexpr unsigned sights = static_cast<unsigned>(sight::given_up) + 1;
  static constexpr unsigned observations = sights << 7;

  static observation numbered(unsigned n)
  {
    observation o;
    o.peer_finished = n & 1;
    o.input_left = n & 2;
    o.fin_refused = n & 4;
    o.stalled = n & 8;
    o.expired = n & 16;
    o.drained = n & 32;
    o.input_more = n & 64;
    o.sight = static_cast<sight>(n >> 7);
    return o;
  }

  static bool over(const node& n)
  {
    return n.state.stage == stage::over;
  }

  void try_step(const node& before, const observation& o, kind wanted)
  {
    ++steps_;
    const auto step = interlock::detail::advance(before.state, o, wanted);
    node after = {step.next, seen_by(before, o), wanted};
    after.ghost.fin_sent |= step.act == act::send_fin;
    if (const char* what = flaw_of(before, o, after, step.act))
      return fail(what, before, o, wanted);
    visit(after);
  }

  // A sight before our FIN says nothing of what became of it. Where the delivery does not send the FIN, only an empty
  // queue says something.
  static delivery_ghost seen_by(const node& before, const observation& o)
  {
    delivery_ghost g = before.ghost;
    const bool ended = g.fin_sent && o.sight == sight::ended;
    g.acknowledged |= ended || ((g.fin_sent || g.drains) && o.sight == sight::acknowledged)
      || (g.drains && o.drained);
    g.peer_finished |= o.peer_finished || ended;
    g.was_reset |= o.sight == sight::reset;
    return g;
  }

  static const char* flaw_of(const node& before, const observation& o, const node& after, act what)
  {
    if (over(before))
      return over(after) && before.state.outcome == after.state.outcome && what == act::report
        ? nullptr
        : "a verdict is not final";
    if (over(after) != (what == act::report))
      return "a verdict and its report do not come together";
    const char* const flaw = before.ghost.drains ? flaw_of_draining(o, after, what)
                                                 : flaw_of_going_on(before, o, after, what);
    if (flaw)
      return flaw;
    return over(after) ? flaw_of_verdict(before, o, after) : nullptr;
  }

  static const char* flaw_of_going_on(
    const node& before, const observation& o, const node& after, act what)
  {
    if ((what == act::send_fin) != (before.state.stage == stage::fresh && !over(after)))
      return "our FIN is not what begins a delivery";
    if ((after.state.stage == stage::awaiting_ack) != (!over(after) && !after.ghost.acknowledged))
      return "a stage that is not where the data is";
    if (before.ghost.acknowledged && after.state.stage == stage::awaiting_ack)
      return "the acknowledgement has been forgotten";
    if (over(after))
      return nullptr;
    if (after.wanted <= kind::immediate)
      return "a demand to end has been overheard";
    if ((o.expired || o.stalled) && before.state.stage != stage::fresh)
      return "a time limit has been overrun";
    if (o.sight == sight::reset || o.sight == sight::given_up || o.sight == sight::unconnected)
      return "waits on a connection that is gone";
    const bool is_finished = (o.peer_finished && !o.input_more) || o.input_left;
    return after.ghost.acknowledged && (after.wanted == kind::deliver || is_finished)
      ? "waits without a reason"
      : nullptr;
  }

  static const char* flaw_of_draining(const observation& o, const node& after, act what)
  {
    if (what == act::send_fin || after.ghost.fin_sent)
      return "a FIN ends the connection for those who have copies";
    if (over(after))
      return after.state.outcome == outcome::peer_closed ? "the peer's end was not asked for"
                                                         : nullptr;
    if (after.state.stage != stage::draining)
      return "draining leads to where a FIN is needed";
    if (after.wanted <= kind::immediate)
      return "a demand to end has been overheard";
    if (o.expired || o.stalled)
      return "a time limit has been overrun";
    return o.sight == sight::pending && !after.ghost.acknowledged ? nullptr : "waits for nothing";
  }

  static const char* flaw_of_verdict(const node& before, const observation& o, const node& after)
  {
    const delivery_ghost& g = after.ghost;
    const bool limit = o.expired || o.stalled || o.sight == sight::given_up;
    switch (after.state.outcome)
    {
    case outcome::aborted:
      return after.wanted == kind::abort ? nullptr : "aborted without a demand";
    case outcome::reset:
      return g.was_reset ? nullptr : "a reset that was not seen";
    case outcome::acknowledged:
      return (g.fin_sent || g.drains) && g.acknowledged ? nullptr
                                                        : "acknowledged without the peer's word";
    case outcome::peer_closed:
      return g.fin_sent && g.acknowledged && g.peer_finished && after.wanted == kind::graceful
        ? nullptr
        : "peer_closed without both FINs";
    case outcome::timed_out:
      return limit && !g.acknowledged ? nullptr : "timed out too early, or too late";
    case outcome::closed:
      return g.acknowledged ? "what is known is kept back" : flaw_of_closed(before, o, after);
    default:
      return "an outcome that no delivery has";
    }
  }

  static const char* flaw_of_closed(const node& before, const observation& o, const node& after)
  {
    const bool fresh = before.state.stage == stage::fresh;
    const bool gone = o.sight == sight::unconnected
      || (before.ghost.drains && o.sight == sight::ended)
      || (fresh && (o.fin_refused || o.sight == sight::ended));
    return gone || after.wanted == kind::immediate ? nullptr : "ends for no reason";
  }

  void visit(const node& n)
  {
    const delivery_ghost& g = n.ghost;
    if (seen_
          .emplace(n.state.stage, n.state.outcome, n.wanted, g.drains, g.fin_sent, g.acknowledged,
            g.peer_finished, g.was_reset)
          .second)
      queue_.push_back(n);
    if (over(n))
      reached_.insert(n.state.outcome);
  }

  void fail(const char* what, const node& n, const observation& o, kind wanted)
  {
    if (!flaw_.empty())
      return;
    flaw_ = std::string(what) + ": stage " + std::to_string(static_cast<int>(n.state.stage))
      + ", sight " + std::to_string(static_cast<int>(o.sight)) + ", wanted "
      + std::to_string(static_cast<int>(wanted));
    for (bool flag :
      {o.peer_finished, o.input_left, o.fin_refused, o.stalled, o.expired, o.drained, o.input_more})
      flaw_ += flag ? " 1" : " 0";
  }

  std::deque<node> queue_;
  std::set<std::tuple<stage, outcome, kind, bool, bool, bool, bool, bool>> seen_;
  std::set<outcome> reached_;
  std::size_t steps_ = 0;
  std::string flaw_;
};

} // namespace support

#endif // INTERLOCK_TEST_CLOSING_DELIVERY_WALK_HPP
