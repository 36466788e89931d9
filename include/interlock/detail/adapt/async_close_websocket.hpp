// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// interlock::async_close of a websocket with a reason of its own.

#ifndef INTERLOCK_DETAIL_ADAPT_ASYNC_CLOSE_WEBSOCKET_HPP
#define INTERLOCK_DETAIL_ADAPT_ASYNC_CLOSE_WEBSOCKET_HPP

#include <memory>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <boost/system/error_code.hpp>

#include <interlock/async_close.hpp>
#include <interlock/close_mode.hpp>
#include <interlock/config.hpp>
#include <interlock/detail/adapt/websocket_layer.hpp>
#include <interlock/detail/core/initiation.hpp>
#include <interlock/stack_report.hpp>

namespace interlock {
inline namespace abi_0 {

/// Start to close a websocket and the layers below it: see the overload without a reason, which is close_code::normal.
/**
 * @param reason The code and the text of the close frame. That of a caller that joins a close has no effect.
 */
template <class Next, bool Deflates,
  INTERLOCK_TOKEN_FOR(void(boost::system::error_code, stack_report)) CloseToken,
  detail::if_stack<boost::beast::websocket::stream<Next, Deflates>> = 0>
auto async_close(std::shared_ptr<boost::beast::websocket::stream<Next, Deflates>> stream,
  const close_mode& mode, const boost::beast::websocket::close_reason& reason, CloseToken&& token)
{
  using stream_type = boost::beast::websocket::stream<Next, Deflates>;
  using initiation = detail::initiate_stack_close<stream_type, detail::close_with>;
  using kept = detail::kept_stream<stream_type>;
  return boost::asio::async_initiate<CloseToken, void(boost::system::error_code, stack_report)>(
    initiation(kept::owned(std::move(stream)), detail::close_with(reason)), token, mode);
}

/// Start to close a websocket that the program keeps until the handler is called: see the other overload.
template <class Next, bool Deflates,
  INTERLOCK_TOKEN_FOR(void(boost::system::error_code, stack_report)) CloseToken,
  detail::if_stack<boost::beast::websocket::stream<Next, Deflates>> = 0>
auto async_close(boost::beast::websocket::stream<Next, Deflates>& stream, const close_mode& mode,
  const boost::beast::websocket::close_reason& reason, CloseToken&& token)
{
  using stream_type = boost::beast::websocket::stream<Next, Deflates>;
  using initiation = detail::initiate_stack_close<stream_type, detail::close_with>;
  using kept = detail::kept_stream<stream_type>;
  return boost::asio::async_initiate<CloseToken, void(boost::system::error_code, stack_report)>(
    initiation(kept::referred(stream), detail::close_with(reason)), token, mode);
}

} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_ADAPT_ASYNC_CLOSE_WEBSOCKET_HPP
