// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What each step does, to the library and to the model.

#include <chrono>
#include <iterator>
#include <type_traits>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include <interlock/close_mode.hpp>
#include <interlock/error.hpp>

#include "fuzz/world.hpp"
#include "support/wait_until.hpp"

namespace fuzz {

namespace {

constexpr std::size_t write_sizes[] = {24, 300000, 1000, 300000};
constexpr std::size_t read_sizes[] = {16, 65536};

constexpr kind kind_of(std::size_t object)
{
  return object < 2 ? kind::local : static_cast<kind>(object - 1);
}

interlock::close_mode mode_of(const close_way& w)
{
  using interlock::close_mode;
  const std::chrono::milliseconds time(w.milliseconds);
  switch (w.how)
  {
  case manner::abort:
    return close_mode::abort();
  case manner::deliver:
    return close_mode::deliver(time);
  case manner::graceful:
    return close_mode::graceful(time);
  default:
    return close_mode::immediate();
  }
}

fd accepted_by(const fd& listener)
{
  return fd(support::checked(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept"));
}

} // namespace

void world::perform(const step& s)
{
  using act = void (world::*)(const step&);
  // In the order of the verbs.
  static constexpr act acts[] = {&world::open, &world::read, &world::write, &world::wait,
    &world::cancel, &world::shutdown, &world::close, &world::async_close, &world::emit,
    &world::retire, &world::release, &world::async_release, &world::move, &world::assign,
    &world::destroy, &world::keep_handle, &world::lease, &world::return_lease, &world::poll_as,
    &world::settle, &world::act_as_peer, &world::act_as_peer, &world::act_as_peer,
    &world::act_as_peer, &world::act_as_peer, &world::add_stranger, &world::add_to_group,
    &world::close_group};
  static_assert(std::size(acts) == verb_names.size());
  (this->*acts[static_cast<std::size_t>(s.what)])(s);
}

// --- opening ------------------------------------------------------------------------------------

void world::open(const step& s)
{
  const code expected = model_.expected_of_open(s.object);
  if (s.argument % 4 == 3 && kind_of(s.object) == kind::tcp && expected == code::success)
    return open_connected(s);
  const bool borrowed = s.argument % 4 == 2;
  support::ends ends = make_ends(s.object);
  const error_code ec = fuzz::open(*objects_[s.object], ends.near.get(), borrowed);
  model_.expect("life: open", expected, code_of(ec));
  if (!ec)
    opened(s.object, borrowed, std::move(ends)).shared = true;
}

/// Opened by the library itself, whose close asks the system less.
void world::open_connected(const step& s)
{
  const fd& listener = meeting_place();
  const ::sockaddr_in at = address_at(support::address_of(listener).sin_port);
  error_code ec;
  std::get<tcp::socket>(*objects_[s.object])
    .connect(
      tcp::endpoint(asio::ip::address_v4(ntohl(at.sin_addr.s_addr)), ntohs(at.sin_port)), ec);
  model_.expect("life: connect", code::success, code_of(ec));
  if (ec)
    return;
  fd far = accepted_by(listener);
  const int near = support::descriptor_connected_to(far);
  opened(s.object, false, {fd(near), std::move(far)});
}

support::ends world::make_ends(std::size_t object)
{
  switch (kind_of(object))
  {
  case kind::local:
    return support::unix_ends();
  case kind::tcp:
  {
    fd near = connected_to(support::address_of(meeting_place()).sin_port);
    return {std::move(near), accepted_by(meeting_place())};
  }
  case kind::acceptor:
  {
    fd listener(support::checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    support::checked(::listen(listener.get(), 16), "listen");
    return {std::move(listener), fd()};
  }
  default:
    return support::pipe_ends();
  }
}

tenure& world::opened(std::size_t object, bool borrowed, support::ends e)
{
  tenure& t = model_.opened(object, kind_of(object), borrowed, e.near.get());
  files_.emplace_back(e.near.get());
  if (borrowed)
    owned_.push_back({std::move(e.near), files_.back()});
  else
    e.near.release();
  peers_.emplace_back(std::move(e.far), t);
  return t;
}

// --- operations ---------------------------------------------------------------------------------

/// What the call needs until its handler is gone, and the handler.
handler world::starts(const call& c, std::size_t size)
{
  cancellations_.emplace_back();
  buffers_.emplace_back(size, static_cast<unsigned char>(c.what == verb::write ? c.id : 0));
  notes_ << "    starts #" << c.id << '\n';
  return handler(*this, c.id);
}

void world::read(const step& s)
{
  const std::size_t size = read_sizes[s.argument % 2];
  handler h = starts(model_.operation(s, size), size);
  on(s.object,
    [&](auto& object)
    {
      if constexpr (is_acceptor<decltype(object)>)
        object.async_accept(std::move(h));
      else
        object.async_read_some(asio::buffer(buffers_.back()), std::move(h));
    });
}

void world::write(const step& s)
{
  if (kind_of(s.object) > kind::tcp)
    return;
  const std::size_t size = write_sizes[s.argument % 4];
  const call& c = model_.operation(s, size);
  composed_[s.object] += c.is_composed() ? 1 : 0;
  handler h = starts(c, size);
  on(s.object,
    [&](auto& object)
    {
      if constexpr (is_stream<decltype(object)>)
      {
        if (c.is_composed())
          asio::async_write(object, asio::buffer(buffers_.back()), std::move(h));
        else
          object.async_write_some(asio::buffer(buffers_.back()), std::move(h));
      }
    });
}

void world::wait(const step& s)
{
  handler h = starts(model_.operation(s, 0));
  on(s.object,
    [&](auto& object)
    {
      using type = typename std::decay_t<decltype(object)>::wait_type;
      object.async_wait(static_cast<type>(s.argument % 3), std::move(h));
    });
}

void world::cancel(const step& s)
{
  identity& i = model_.at(s.object);
  error_code ec;
  on(s.object, [&](auto& object) { object.cancel(ec); });
  model_.expect("using: cancel", i.is_open() ? code::success : code::bad_descriptor, code_of(ec));
  model_.cancelled(i);
}

void world::shutdown(const step& s)
{
  if (kind_of(s.object) > kind::tcp)
    return;
  const identity& i = model_.at(s.object);
  if (i.is_open())
    i.last->own_end = true;
  error_code ec;
  on(s.object,
    [&](auto& object)
    {
      if constexpr (is_stream<decltype(object)>)
        object.shutdown(object.shutdown_send, ec);
    });
  model_.require("using: shutdown", (code_of(ec) == code::bad_descriptor) != i.is_open());
}

void world::poll(bool one)
{
  model_.runs(true);
  context_->restart();
  if (one)
    context_->poll_one();
  else
    context_->poll();
  model_.runs(false);
}

void world::poll_as(const step& s)
{
  poll(s.argument % 4 == 3);
}

/// G4: what can complete, completes.
void world::settle(const step&)
{
  const auto settled = [this]
  {
    poll();
    return model_.due() == nullptr || !fine();
  };
  if (!support::wait_until(settled, soon()))
    model_.complain("G4: #" + std::to_string(model_.due()->id) + " is not called");
}

// --- closing ------------------------------------------------------------------------------------

/// The handle that the step closes by, if it is to.
world::kept_handle* world::handle_of(const step& s)
{
  return s.by_handle() && handles_[s.object] ? &*handles_[s.object] : nullptr;
}

/// A close that no caller waits for. `close` tells the model as well.
void world::silent(std::size_t object, const std::function<void()>& close)
{
  const tenure* const t = model_.at(object).last;
  const bool is_free = t != nullptr && model::is_free_on_return(*t);
  close();
  if (is_free)
    model_.require(
      "G3: the descriptor is open after close()", !(file_identity(t->fd) == files_[t->number]));
}

void world::close(const step& s)
{
  if (kept_handle* const h = handle_of(s))
  {
    h->handle.close();
    return model_.silent_close(*h->of, false);
  }
  silent(s.object,
    [&]
    {
      on(s.object, [](auto& object) { object.close(); }),
        model_.silent_close(model_.at(s.object), false);
    });
}

void world::retire(const step& s)
{
  // Rarely: nothing can be opened afterwards.
  if (s.argument % 8 != 0)
    return;
  identity& i = model_.at(s.object);
  silent(s.object,
    [&] { on(s.object, [](auto& object) { object.retire(); }), model_.silent_close(i, false); });
  i.retired = true;
}

void world::async_close(const step& s)
{
  kept_handle* const by = handle_of(s);
  handler h = starts(model_.closer(by != nullptr ? *by->of : model_.at(s.object), s));
  const auto close = [&](auto& closer)
  {
    cancellation& c = cancellations_.back();
    if (s.way().how == manner::plain)
      closer.async_close(c.bind(std::move(h)));
    else
      closer.async_close(mode_of(s.way()), c.bind(std::move(h)));
  };
  if (by != nullptr)
    close(by->handle);
  else
    on(s.object, close);
}

/// To one of the last calls.
void world::emit(const step& s)
{
  const std::size_t back = s.object;
  if (!cancellation::exists || back >= cancellations_.size())
    return;
  const std::size_t id = cancellations_.size() - 1 - back;
  const auto type = static_cast<cancel_type>(s.argument % 3);
  notes_ << "    to #" << id << '\n';
  model_.emitted(model_.of(id), type);
  cancellations_[id].emit(type);
}

void world::release(const step& s)
{
  identity& i = model_.at(s.object);
  const bool none = !i.is_open();
  error_code ec;
  const int number = on(s.object, [&](auto& object) { return object.release(ec); });
  const code found = code_of(ec);
  model_.expect("life: release",
    none                    ? code::bad_descriptor
      : i.last->leases != 0 ? code::in_use
                            : code::success,
    found);
  if (none || found != code::success)
    return model_.require("life: release gives a descriptor with an error", number == -1);
  model_.require("life: release gives another descriptor", number == i.last->fd);
  if (!i.last->borrowed)
    owned_.push_back({fd(number), files_[i.last->number]});
  model_.given(*i.last);
}

void world::async_release(const step& s)
{
  handler h = starts(model_.releaser(model_.at(s.object), s));
  on(s.object, [&](auto& object) { object.async_release(std::move(h)); });
}

// --- moves, handles, leases, groups ------------------------------------------------------------

void world::move(const step& s)
{
  if (composed_[s.object] != 0)
    return;
  std::unique_ptr<subject>& object = objects_[s.object];
  auto next = std::make_unique<subject>(std::move(*object));
  model_.require("life: a moved-from object is open", !is_open(*object));
  object = std::move(next);
}

void world::assign(const step& s)
{
  if (composed_[s.object] != 0)
    return;
  subject& object = *objects_[s.object];
  const std::size_t from = s.object ^ 1;
  // Only the first two are of one type.
  if (from >= 2)
    return silent(s.object, [&] { object = fresh(object), model_.destroyed(s.object); });
  if (composed_[from] == 0)
    silent(s.object, [&] { object = std::move(*objects_[from]), model_.assigned(s.object, from); });
}

void world::destroy(const step& s)
{
  if (composed_[s.object] != 0)
    return;
  silent(s.object,
    [&]
    {
      objects_[s.object] = std::make_unique<subject>(fresh(*objects_[s.object]));
      model_.destroyed(s.object);
    });
}

void world::keep_handle(const step& s)
{
  handles_[s.object] = kept_handle{
    on(s.object, [](auto& object) { return object.get_close_handle(); }), &model_.at(s.object)};
}

void world::lease(const step& s)
{
  identity& i = model_.at(s.object);
  interlock::fd_lease l = on(s.object, [](auto& object) { return object.lease(); });
  model_.require("life: a lease of an object that is not open, or none of one that is",
    static_cast<bool>(l) == i.is_open() && l.get() == (i.is_open() ? i.last->fd : -1));
  if (!l || !i.is_open())
    return;
  ++i.last->leases;
  i.last->shared = true;
  leases_[s.object].push_back({std::move(l), i.last});
}

void world::return_lease(const step& s)
{
  if (leases_[s.object].empty())
    return;
  kept_lease& l = leases_[s.object].front();
  model_.require("G2: the descriptor of a lease is closed",
    file_identity(l.lease.get()) == files_[l.of->number]);
  --l.of->leases;
  leases_[s.object].pop_front();
}

void world::add_to_group(const step& s)
{
  if (kind_of(s.object) == kind::acceptor || group_closed_)
    return;
  on(s.object, [&](auto& object) { group_->add(object); });
  members_.push_back(&model_.at(s.object));
}

/// Once in a program.
void world::close_group(const step& s)
{
  if (std::exchange(group_closed_, true))
    return;
  const call& c = model_.group_closer(members_, s);
  group_->async_close(mode_of(s.way()), starts(c));
}

// --- the others --------------------------------------------------------------------------------

void world::act_as_peer(const step& s)
{
  const identity& i = model_.at(s.object);
  if (i.last == nullptr)
    return;
  if (kind_of(s.object) == kind::acceptor)
  {
    if (s.what == verb::peer_write)
      act_as_client(*i.last);
    return;
  }
  peer& p = peers_[i.last->number];
  switch (s.what)
  {
  case verb::peer_write:
    return p.write(s.argument % 2 == 0 ? 10 : 3000);
  case verb::peer_read:
    return p.read(s.argument % 2 == 0 ? 1u << 20 : 100);
  case verb::peer_end:
    return p.end();
  case verb::peer_close:
    return p.close();
  default:
    return p.reset();
  }
}

void world::act_as_client(tenure& t)
{
  if (!t.is_open() || t.borrowed || clients_.size() == 8)
    return;
  ::sockaddr_in a = {};
  ::socklen_t size = sizeof(a);
  support::checked(::getsockname(t.fd, reinterpret_cast<::sockaddr*>(&a), &size), "getsockname");
  clients_.push_back(connected_to(a.sin_port));
  ++t.clients;
}

void world::add_stranger(const step&)
{
  if (strangers_.size() != 8)
    strangers_.emplace_back();
}

} // namespace fuzz
