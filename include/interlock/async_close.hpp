// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// interlock::async_close, which the header of each adapter brings.

#ifndef INTERLOCK_ASYNC_CLOSE_HPP
#define INTERLOCK_ASYNC_CLOSE_HPP

#include <memory>
#include <type_traits>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/close_mode.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/adapt/handled_stack.hpp>
#include <interlock/detail/adapt/initiate_stack_close.hpp>
#include <interlock/detail/adapt/layer.hpp>
#include <interlock/detail/core/initiation.hpp>
#include <interlock/stack_report.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {

/// Excludes what is no stack, and what is const.
template <class Stream>
using if_stack = std::enable_if_t<is_stack<Stream>::value, int>;

} // namespace detail

/// Start to close a whole stack: each of its layers from the top, then the connection.
/**
 * The stack is any nesting of `boost::asio::ssl::stream`, `boost::beast::basic_stream` and
 * `boost::beast::websocket::stream` over an Interlock stream socket, for each of which the header of the adapter is
 * included: interlock/adapt/ssl.hpp, interlock/adapt/beast.hpp, interlock/adapt/websocket.hpp, and
 * interlock/adapt/websocket_ssl.hpp for a websocket over TLS.
 *
 * In a mode that delivers, the close first waits until no asynchronous write is outstanding on the connection. Then a
 * websocket that is open sends its close frame, and TLS whose handshake is over sends its close_notify. In graceful
 * mode each layer then discards input until the peer has answered; in deliver mode none does. Then the connection is
 * closed in the same mode. All of it has the time of the mode: when that has passed, or nothing has moved for its
 * progress timeout, no layer waits any longer, one that can send its end at once still does, and the connection is
 * closed. So a peer that does not answer never holds a close. In immediate and abort mode the layers send nothing.
 *
 * Reads that are outstanding are aborted when the input is discarded, or when the connection is closed. A write that
 * starts after a layer has sent its end fails. A timeout that the program has set on a stream of Beast's ends the
 * close as it ends other operations.
 *
 * A call while a close of the stack is under way joins it, also from a close_group: a stronger mode overtakes, and each
 * caller gets the same report. The timeouts of a mode that is not stronger have no effect. A close that was started for
 * an inner layer ends that layer and those below it only.
 *
 * If it throws, this call has no effect.
 *
 * @param stream The stack, not null. The close keeps it until the handler has been called. What a layer only refers
 * to, the program keeps.
 *
 * @param mode How to close. The limit of input to discard counts for TLS and for the connection, not for a websocket.
 *
 * @param token The completion token.
 *
 * @par Preconditions
 * @li No shutdown, close or teardown that the program has started on a layer is outstanding.
 * @li Wherever a program calls a member of a websocket over an Interlock socket, the header of the adapter is included:
 * Beast finds the teardown of the connection there.
 *
 * The connection itself may be closed at any time, from any thread.
 *
 * @par Completion Signature
 * @code void(boost::system::error_code, interlock::stack_report) @endcode
 * How far the layers came, and what became of the data, is not an error: the report contains it.
 *
 * @par Error Codes
 * @li The errno of close(2), as that of the connection's async_close.
 * @li boost::system::errc::invalid_argument: a timeout of the mode is not valid. The stack was closed immediately.
 * @li boost::asio::error::operation_not_supported: the mode waits for a peer, but the connection's descriptor is
 * borrowed. The connection was closed immediately.
 * @li boost::system::errc::not_enough_memory: a step of the close had no memory. The connection was closed at once.
 * @li boost::asio::error::operation_aborted: the caller's cancellation of type @c total.
 *
 * @par Per-Operation Cancellation
 * @li @c terminal from the caller that started the close aborts the connection, whatever the layers do. The handler is
 * called when that is over.
 * @li @c partial from that caller closes the connection immediately.
 * @li @c total, and every type from a caller that joined the close, completes this caller's operation only.
 *
 * @par Thread Safety
 * Any thread may call this, and cancel. The layers are used on the executor of the stream only,
 * which is to be a strand, or that of a context that one thread runs. No handler of an operation on the stream may be
 * bound to another executor.
 *
 * @example_of{example/tls_client.cpp,tls_client_close}
 */
template <class Stream,
  INTERLOCK_TOKEN_FOR(void(boost::system::error_code, stack_report))
    CloseToken = detail::default_token<typename Stream::executor_type>,
  detail::if_stack<Stream> = 0>
auto async_close(std::shared_ptr<Stream> stream, const close_mode& mode,
  CloseToken&& token = detail::default_token<typename Stream::executor_type>())
{
  using initiation = detail::initiate_stack_close<Stream>;
  using kept = detail::kept_stream<Stream>;
  return boost::asio::async_initiate<CloseToken, void(boost::system::error_code, stack_report)>(
    initiation(kept::owned(std::move(stream))), token, mode);
}

/// Start to close a whole stack that the program keeps until the handler is called: see the other overload.
/**
 * @par Per-Operation Cancellation As for the other overload, except that nothing completes this caller's operation
 * before the close is over: @c total has no effect, nor any type from a caller that joined the close.
 */
template <class Stream,
  INTERLOCK_TOKEN_FOR(void(boost::system::error_code, stack_report))
    CloseToken = detail::default_token<typename Stream::executor_type>,
  detail::if_stack<Stream> = 0>
auto async_close(Stream& stream, const close_mode& mode,
  CloseToken&& token = detail::default_token<typename Stream::executor_type>())
{
  using initiation = detail::initiate_stack_close<Stream>;
  using kept = detail::kept_stream<Stream>;
  return boost::asio::async_initiate<CloseToken, void(boost::system::error_code, stack_report)>(
    initiation(kept::referred(stream)), token, mode);
}

} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_ASYNC_CLOSE_HPP
