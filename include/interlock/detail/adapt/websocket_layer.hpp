// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The layer of Beast's websockets.
//
// Beast's async_close sends the close frame, discards input up to the peer's, and tears the next layer down: it ends
// the connection by itself, without a deadline. A read that receives the peer's close frame tears it down as well.
// While the layers of a connection are being closed, a teardown of the connection does nothing
// (websocket_teardown.hpp).

#ifndef INTERLOCK_DETAIL_ADAPT_WEBSOCKET_LAYER_HPP
#define INTERLOCK_DETAIL_ADAPT_WEBSOCKET_LAYER_HPP

#include <cstddef>
#include <type_traits>

#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/adapt/layer.hpp>
#include <interlock/detail/adapt/websocket_teardown.hpp>
#include <interlock/stack_report.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

template <class Next, bool Deflates>
struct layer<boost::beast::websocket::stream<Next, Deflates>>
  : upper_layer<std::remove_reference_t<Next>, true>
{
  using stream_type = boost::beast::websocket::stream<Next, Deflates>;
  using error_code = boost::system::error_code;

  struct state
  {
    boost::beast::websocket::close_reason reason = boost::beast::websocket::close_code::normal;
    bool is_writing = false; ///< The write of the frame has begun: the last one.
    int turns = 0;           ///< How often no write was seen after that.
    bool is_sent = false;
    bool is_answered = false;

    // From the beginning of that write on, the websocket is not open. It is not either after an error.
    template <class Close>
    void look(stream_type& s, Close& close) noexcept
    {
      is_writing = is_writing || (!s.is_open() && close.connection().has_writes());
    }

    // A write that was short has not been seen. Beast's operation, had it failed, would have come to its end by the
    // second time.
    template <class Close>
    bool is_written(stream_type& s, Close& close) noexcept
    {
      const bool is_over = !s.is_open() && !close.connection().has_writes();
      turns = is_over ? turns + 1 : 0;
      return is_over && (is_writing || turns == 2);
    }
  };

  static std::remove_reference_t<Next>& next(stream_type& s) noexcept
  {
    return s.next_layer();
  }

  static bool is_open(stream_type& s) noexcept
  {
    return s.is_open();
  }

  // Beast's operation also waits for the answer. Its error does not tell whether there was one: a read of the program's
  // may have received it.
  template <class Close>
  static void send(stream_type& s, state& kept, Close& close, std::size_t number)
  {
    static_assert(takes_teardown_over<std::remove_reference_t<Next>>::value,
      "a websocket over TLS needs <interlock/adapt/websocket_ssl.hpp>");
    s.async_close(kept.reason,
      close.make_step(
        [&kept, number](Close& c, const error_code& ec)
        {
          kept.is_answered = !ec;
          c.act(c.progress().ended(number));
        }));
    kept.look(s, close);
    close.when_written(
      [&s, &kept, number](Close& c)
      {
        if (!c.progress().is_sending(number))
          return true;
        kept.look(s, c);
        kept.is_sent = kept.is_written(s, c);
        if (kept.is_sent)
          c.act(c.progress().sent(number));
        return kept.is_sent;
      });
  }

  template <class Close>
  static void receive(stream_type&, state&, Close&, std::size_t) noexcept
  {
  }

  static void report(stream_type& s, const state& kept, stack_report& r) noexcept
  {
    const bool has_code = s.reason().code != boost::beast::websocket::close_code::none;
    r.close_frame_sent = kept.is_sent || kept.is_answered;
    r.close_frame_answered = kept.is_answered || (kept.is_sent && has_code);
  }
};

/// Sets the reason of the close frame.
class close_with
{
public:
  explicit close_with(const boost::beast::websocket::close_reason& reason)
    : reason_(reason)
  {
  }

  template <class States>
  void operator()(States& states) const
  {
    states.own.reason = reason_;
  }

private:
  boost::beast::websocket::close_reason reason_;
};

} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_ADAPT_WEBSOCKET_LAYER_HPP
