// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What each step does, to the library and to the model.

#include <chrono>
#include <stdexcept>
#include <utility>

#include <interlock/close_mode.hpp>
#include <interlock/error.hpp>

#include "fuzz/codes.hpp"
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

/// The descriptor of this process that has the given port for its own.
int number_with_port(std::uint16_t port)
{
  for (int n = 0; n != 256; ++n)
  {
    ::sockaddr_in a = {};
    ::socklen_t size = sizeof(a);
    if (::getsockname(n, reinterpret_cast<::sockaddr*>(&a), &size) == 0 && a.sin_family == AF_INET
      && a.sin_port == port)
      return n;
  }
  throw std::runtime_error("no socket has this port");
}

} // namespace

void world::perform(const step& s)
{
  switch (s.what)
  {
  case verb::open:
    return open(s);
  case verb::read:
  case verb::write:
  case verb::wait:
    return operate(s);
  case verb::cancel:
    model_.expect("using: cancel",
      model_.at(s.object).is_open() ? code::success : code::bad_descriptor,
      code_of(objects_[s.object]->cancel()));
    return model_.cancelled(model_.at(s.object));
  case verb::shutdown:
  {
    const bool is_open = model_.at(s.object).is_open();
    if (kind_of(s.object) > kind::tcp)
      return;
    if (is_open)
      model_.at(s.object).last->own_end = true;
    const code found = code_of(objects_[s.object]->shutdown());
    return model_.require("using: shutdown", (found == code::bad_descriptor) != is_open);
  }
  case verb::poll:
    return poll(s.argument);
  case verb::settle:
    return settle();
  case verb::stranger:
    if (strangers_.size() < 8)
      strangers_.emplace_back();
    return;
  default:
    return s.what < verb::move                           ? perform_closing(s)
      : s.what < verb::poll || s.what >= verb::group_add ? perform_moving(s)
                                                         : perform_peer(s);
  }
}

void world::perform_closing(const step& s)
{
  switch (s.what)
  {
  case verb::close:
    return close(s);
  case verb::async_close:
    return async_close(s);
  case verb::emit:
    return emit(s);
  case verb::retire:
    return retire(s);
  case verb::release:
    return release(s);
  default:
    return async_release(s);
  }
}

void world::perform_moving(const step& s)
{
  const bool moves = s.what == verb::move || s.what == verb::assign || s.what == verb::destroy;
  if (moves && (composed_[s.object] != 0 || (s.object < 2 && composed_[s.object ^ 1] != 0)))
    return;
  subject& object = *objects_[s.object];
  switch (s.what)
  {
  case verb::move:
  {
    std::unique_ptr<subject> next = object.moved();
    model_.require("life: a moved-from object is open", !object.is_open());
    return objects_[s.object].swap(next);
  }
  case verb::assign:
  {
    // Only the first two are of one type.
    const std::size_t from = s.object ^ 1;
    if (from >= 2)
      return silent(s.object, [&] { object.assign(*object.fresh()), model_.destroyed(s.object); });
    return silent(
      s.object, [&] { object.assign(*objects_[from]), model_.assigned(s.object, from); });
  }
  case verb::destroy:
    return silent(s.object, [&] { destroy_object(s.object), model_.destroyed(s.object); });
  case verb::handle:
    handles_[s.object] = kept_handle{object.close_handle(), &model_.at(s.object)};
    return;
  case verb::lease:
    return lease(s);
  case verb::return_lease:
    return return_lease(s);
  case verb::group_add:
    if (kind_of(s.object) == kind::acceptor || group_closed_)
      return;
    object.add_to(*group_);
    return members_.push_back(&model_.at(s.object));
  default:
    return close_group(s);
  }
}

void world::perform_peer(const step& s)
{
  if (kind_of(s.object) == kind::acceptor)
  {
    const identity& i = model_.at(s.object);
    if (s.what == verb::peer_write && i.is_open() && !i.last->borrowed && clients_.size() < 8)
    {
      ::sockaddr_in a = {};
      ::socklen_t size = sizeof(a);
      support::checked(::getsockname(i.last->fd, reinterpret_cast<::sockaddr*>(&a), &size), "name");
      clients_.push_back(connected_to(a.sin_port));
      ++i.last->clients;
    }
    return;
  }
  peer* const p = peer_of(s);
  if (p == nullptr)
    return;
  switch (s.what)
  {
  case verb::peer_write:
    return p->write(s.argument % 2 == 0 ? 10 : 3000);
  case verb::peer_read:
    return p->read(s.argument % 2 == 0 ? 1u << 20 : 100);
  case verb::peer_end:
    return p->end();
  case verb::peer_close:
    return p->close();
  default:
    return p->reset();
  }
}

// --- opening ------------------------------------------------------------------------------------

void world::open(const step& s)
{
  const code expected = model_.expected_of_open(s.object);
  if (s.argument % 4 == 3 && kind_of(s.object) == kind::tcp && expected == code::success)
    return open_connected(s);
  const bool borrowed = s.argument % 4 == 2;
  given_number ends = make_ends(s.object);
  const error_code ec = objects_[s.object]->open(ends.near.get(), borrowed);
  model_.expect("life: open", expected, code_of(ec));
  if (!ec)
    opened(s.object, borrowed, std::move(ends.near), std::move(ends.far)).shared = true;
}

/// Opened by the library itself, whose close asks the system less.
void world::open_connected(const step& s)
{
  const fd& listener = meeting_place();
  const ::sockaddr_in at = address_at(support::address_of(listener).sin_port);
  const error_code ec = objects_[s.object]->connect(
    tcp::endpoint(asio::ip::address_v4(ntohl(at.sin_addr.s_addr)), ntohs(at.sin_port)));
  model_.expect("life: connect", code::success, code_of(ec));
  if (ec)
    return;
  fd far = accepted_by(listener);
  ::sockaddr_in from = {};
  ::socklen_t size = sizeof(from);
  support::checked(::getpeername(far.get(), reinterpret_cast<::sockaddr*>(&from), &size), "name");
  opened(s.object, false, fd(number_with_port(from.sin_port)), std::move(far));
}

world::given_number world::make_ends(std::size_t object)
{
  switch (kind_of(object))
  {
  case kind::local:
  {
    support::ends e = support::unix_ends();
    return {std::move(e.near), std::move(e.far)};
  }
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
  {
    support::ends e = support::pipe_ends();
    return {std::move(e.near), std::move(e.far)};
  }
  }
}

tenure& world::opened(std::size_t object, bool borrowed, fd near, fd far)
{
  tenure& t = model_.opened(object, kind_of(object), borrowed, near.get());
  files_.emplace_back(near.get());
  if (borrowed)
    owned_.push_back({std::move(near), files_.back()});
  else
    near.release();
  peers_.emplace_back(std::move(far), t);
  return t;
}

// --- operations ---------------------------------------------------------------------------------

void world::operate(const step& s)
{
  const bool is_write = s.what == verb::write;
  if (is_write && kind_of(s.object) > kind::tcp)
    return;
  const std::size_t size = is_write ? write_sizes[s.argument % 4] : read_sizes[s.argument % 2];
  const call& c = model_.operation(s, size);
  signals_.emplace_back();
  buffers_.emplace_back(
    s.what == verb::wait ? 0 : size, static_cast<unsigned char>(is_write ? c.id : 0));
  notes_ << "    starts #" << c.id << '\n';
  subject& object = *objects_[s.object];
  switch (s.what)
  {
  case verb::read:
    return object.read(asio::buffer(buffers_.back()), handler(*this, c.id));
  case verb::write:
    if (!c.is_composed())
      return object.write(asio::buffer(buffers_.back()), handler(*this, c.id));
    ++composed_[s.object];
    return object.write_all(asio::buffer(buffers_.back()), handler(*this, c.id));
  default:
    return object.wait(s.argument, handler(*this, c.id));
  }
}

void world::poll(std::size_t most)
{
  model_.runs(true);
  context_->restart();
  if (most % 4 == 3)
    context_->poll_one();
  else
    context_->poll();
  model_.runs(false);
}

/// G4: what can complete, completes.
void world::settle()
{
  const auto settled = [this]
  {
    poll(0);
    return model_.due() == nullptr || !fine();
  };
  if (!support::wait_until(settled, std::chrono::steady_clock::now() + std::chrono::seconds(10)))
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

void world::destroy_object(std::size_t object)
{
  std::unique_ptr<subject> next = objects_[object]->fresh();
  objects_[object] = std::move(next);
}

void world::close(const step& s)
{
  if (kept_handle* const h = handle_of(s))
  {
    h->handle.close();
    return model_.silent_close(*h->of, false);
  }
  silent(s.object,
    [&] { objects_[s.object]->close(), model_.silent_close(model_.at(s.object), false); });
}

void world::retire(const step& s)
{
  // Rarely: nothing can be opened afterwards.
  if (s.argument % 8 != 0)
    return;
  identity& i = model_.at(s.object);
  silent(s.object, [&] { objects_[s.object]->retire(), model_.silent_close(i, false); });
  i.retired = true;
}

void world::async_close(const step& s)
{
  kept_handle* const h = handle_of(s);
  const call& c = model_.closer(h != nullptr ? *h->of : model_.at(s.object), s);
  const asio::cancellation_slot slot = signals_.emplace_back().slot();
  buffers_.emplace_back();
  notes_ << "    starts #" << c.id << '\n';
  handler told(*this, c.id);
  const bool plain = s.way().how == manner::plain;
  if (h == nullptr)
    return plain ? objects_[s.object]->async_close(slot, std::move(told))
                 : objects_[s.object]->async_close(mode_of(s.way()), slot, std::move(told));
  if (plain)
    h->handle.async_close(asio::bind_cancellation_slot(slot, std::move(told)));
  else
    h->handle.async_close(mode_of(s.way()), asio::bind_cancellation_slot(slot, std::move(told)));
}

/// To one of the last calls: total, partial or terminal.
void world::emit(const step& s)
{
  constexpr asio::cancellation_type types[] = {asio::cancellation_type::total,
    asio::cancellation_type::partial, asio::cancellation_type::terminal};
  const std::size_t back = s.object;
  if (back >= signals_.size())
    return;
  const std::size_t id = signals_.size() - 1 - back;
  const unsigned type = s.argument % 3;
  notes_ << "    to #" << id << '\n';
  model_.emitted(model_.of(id), type);
  signals_[id].emit(types[type]);
}

void world::release(const step& s)
{
  identity& i = model_.at(s.object);
  const bool none = !i.is_open();
  int number = -1;
  const code found = code_of(objects_[s.object]->release(number));
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
  const call& c = model_.releaser(model_.at(s.object), s);
  signals_.emplace_back();
  buffers_.emplace_back();
  notes_ << "    starts #" << c.id << '\n';
  objects_[s.object]->async_release(handler(*this, c.id));
}

void world::lease(const step& s)
{
  identity& i = model_.at(s.object);
  interlock::fd_lease l = objects_[s.object]->lease();
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

/// Once in a program.
void world::close_group(const step& s)
{
  if (std::exchange(group_closed_, true))
    return;
  const call& c = model_.group_closer(members_, s);
  signals_.emplace_back();
  buffers_.emplace_back();
  notes_ << "    starts #" << c.id << '\n';
  group_->async_close(mode_of(s.way()), handler(*this, c.id));
}

peer* world::peer_of(const step& s)
{
  const tenure* const t = model_.at(s.object).last;
  return t == nullptr ? nullptr : &peers_[t->number];
}

} // namespace fuzz
