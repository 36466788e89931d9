// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The layer of TLS over OpenSSL.
//
// Asio's async_shutdown is both halves of SSL_shutdown: it also waits for the peer's close_notify, and data of the
// peer fails it and every later read. So the close marks the peer's close_notify as received while it starts the
// shutdown: what is left of it sends ours. An async_shutdown beside an outstanding write sends nothing; the close has
// waited for that.

#ifndef INTERLOCK_DETAIL_ADAPT_TLS_LAYER_HPP
#define INTERLOCK_DETAIL_ADAPT_TLS_LAYER_HPP

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/system/error_code.hpp>

#include <openssl/ssl.h>

#include <interlock/config.hpp>
#include <interlock/detail/adapt/layer.hpp>
#include <interlock/stack_report.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// While it lives, OpenSSL takes the peer's close_notify for received.
class seems_received
{
public:
  explicit seems_received(::SSL* tls) noexcept
    : tls_(tls),
      before_(::SSL_get_shutdown(tls))
  {
    ::SSL_set_shutdown(tls, before_ | SSL_RECEIVED_SHUTDOWN);
  }

  seems_received(const seems_received&) = delete;
  seems_received& operator=(const seems_received&) = delete;

  ~seems_received()
  {
    ::SSL_set_shutdown(tls_, (::SSL_get_shutdown(tls_) & ~SSL_RECEIVED_SHUTDOWN) | before_);
  }

private:
  ::SSL* const tls_;
  const int before_;
};

/// `Stream` has the members of Asio's ssl::stream, and stands on `Next`.
template <class Stream, class Next>
struct tls_layer : upper_layer<Next, true>
{
  using error_code = boost::system::error_code;

  struct state
  {
    bool has_failed = false; ///< Our close_notify has been made, and has not been written.
    std::uint64_t discarded = 0;
    std::vector<unsigned char> input;
  };

  static Next& next(Stream& s) noexcept
  {
    return s.next_layer();
  }

  static bool is_open(Stream& s) noexcept
  {
    const ::SSL* const tls = s.native_handle();
    return ::SSL_is_init_finished(tls) != 0 && !has(s, SSL_SENT_SHUTDOWN) && !is_quiet(s);
  }

  template <class Close>
  static void send(Stream& s, state& kept, Close& close, std::size_t number)
  {
    kept.has_failed = true;
    const seems_received answered(s.native_handle());
    s.async_shutdown(close.make_step(
      [&kept, number](Close& c, const error_code& ec)
      {
        kept.has_failed = bool(ec);
        c.act(ec ? c.progress().ended(number) : c.progress().sent(number));
      }));
  }

  // A read of the program's that is outstanding ends first, as a connection's does when its input is discarded. It
  // may have received the end of the connection, which no later read of Asio's sees on epoll.
  template <class Close>
  static void receive(Stream& s, state& kept, Close& close, std::size_t number)
  {
    kept.input.resize(record_size);
    close.when_alone(
      [&s, &kept, number](Close& c)
      {
        if (!c.progress().is_receiving(number))
          return;
        if (c.connection().has_peer_ended())
          end_when_still(kept, c, number, kept.discarded);
        discard(s, kept, c, number);
      });
  }

  // A close_notify that has not left is none, for a later close too.
  static void report(Stream& s, const state& kept, stack_report& r) noexcept
  {
    ::SSL* const tls = s.native_handle();
    if (kept.has_failed)
      ::SSL_set_shutdown(tls, ::SSL_get_shutdown(tls) & ~SSL_SENT_SHUTDOWN);
    r.notify_sent = has(s, SSL_SENT_SHUTDOWN) && !is_quiet(s);
    r.notify_answered = has(s, SSL_RECEIVED_SHUTDOWN) && !is_quiet(s);
    r.truncated = was_established(s) && !r.notify_sent;
  }

private:
  static constexpr std::size_t record_size = 16 * 1024;

  static bool has(Stream& s, int flag) noexcept
  {
    return (::SSL_get_shutdown(s.native_handle()) & flag) != 0;
  }

  // OpenSSL sends no close_notify then, and says that it has sent and received one.
  static bool is_quiet(Stream& s) noexcept
  {
    return ::SSL_get_quiet_shutdown(s.native_handle()) != 0;
  }

  // Also after a fatal error.
  static bool was_established(Stream& s) noexcept
  {
    char byte = 0;
    return ::SSL_get_peer_finished(s.native_handle(), &byte, sizeof(byte)) != 0;
  }

  template <class Close>
  static void discard(Stream& s, state& kept, Close& close, std::size_t number)
  {
    s.async_read_some(boost::asio::buffer(kept.input),
      close.make_step(
        [&s, &kept, number](Close& c, const error_code& ec, std::size_t bytes)
        {
          kept.discarded += bytes;
          c.note_progress();
          const bool is_over = ec || has(s, SSL_RECEIVED_SHUTDOWN)
            || kept.discarded > c.mode().discard_limit() || !c.progress().is_receiving(number);
          if (is_over)
            c.act(c.progress().ended(number));
          else
            discard(s, kept, c, number);
        }));
  }

  // Ends when no other read has come to an end meanwhile: nothing is left of what was received before.
  template <class Close>
  static void end_when_still(
    const state& kept, Close& close, std::size_t number, std::uint64_t discarded, int turns = 0)
  {
    close.after_others(
      [&kept, number, discarded, turns](Close& c)
      {
        const bool moves = kept.discarded != discarded;
        if (!c.progress().is_receiving(number))
          return;
        if (turns == still_turns && !moves)
          c.act(c.progress().ended(number));
        else
          end_when_still(kept, c, number, kept.discarded, moves ? 0 : turns + 1);
      });
  }

  static constexpr int still_turns = 2;
};

template <class Next>
struct layer<boost::asio::ssl::stream<Next>>
  : tls_layer<boost::asio::ssl::stream<Next>, std::remove_reference_t<Next>>
{
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_ADAPT_TLS_LAYER_HPP
