// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The layer of TLS over OpenSSL.
//
// Asio's async_shutdown is both halves of SSL_shutdown: it also waits for the peer's close_notify, and data of the peer
// fails it and every later read. So the close marks the peer's close_notify as received while it starts the shutdown: what
// is left of it sends ours. An async_shutdown beside an outstanding write sends nothing; the close has waited for that.

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

/// `Stream` has the members of Asio's ssl::stream, and stands on `Next`.
template <class Stream, class Next>
struct tls_layer : upper_layer<Next, true>
{
  using error_code = boost::system::error_code;

  struct state
  {
    bool has_failed = false; ///< Our close_notify has not been written.
    std::uint64_t discarded = 0;
    std::vector<unsigned char> input;
  };

  static Next& next(Stream& s) noexcept
  {
    return s.next_layer();
  }

  static bool is_open(Stream& s) noexcept
  {
    return ::SSL_is_init_finished(s.native_handle()) != 0 && !has(s, SSL_SENT_SHUTDOWN);
  }

  template <class Close>
  static void send(Stream& s, state& kept, Close& close, std::size_t number)
  {
    const int before = ::SSL_get_shutdown(s.native_handle());
    kept.has_failed = true;
    ::SSL_set_shutdown(s.native_handle(), before | SSL_RECEIVED_SHUTDOWN);
    s.async_shutdown(close.make_step(
      [&kept, number](Close& c, const error_code& ec)
      {
        kept.has_failed = bool(ec);
        c.act(ec ? c.progress().ended(number) : c.progress().sent(number));
      }));
    const int after = ::SSL_get_shutdown(s.native_handle());
    ::SSL_set_shutdown(s.native_handle(), (after & ~SSL_RECEIVED_SHUTDOWN) | before);
  }

  // A read of the program's that is outstanding ends first, as a connection's does when its input is discarded: it could
  // receive the end of the connection, which no read sees twice.
  template <class Close>
  static void receive(Stream& s, state& kept, Close& close, std::size_t number)
  {
    kept.input.resize(record_size);
    close.cancel_operations();
    close.end_with_connection(number);
    discard(s, kept, close, number);
  }

  static void report(Stream& s, const state& kept, stack_report& r) noexcept
  {
    r.notify_sent = has(s, SSL_SENT_SHUTDOWN) && !kept.has_failed;
    r.notify_answered = has(s, SSL_RECEIVED_SHUTDOWN);
    r.truncated = ::SSL_is_init_finished(s.native_handle()) != 0 && !r.notify_sent;
  }

private:
  static constexpr std::size_t record_size = 16 * 1024;

  static bool has(Stream& s, int flag) noexcept
  {
    return (::SSL_get_shutdown(s.native_handle()) & flag) != 0;
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
