// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Every class of the library with all of its members, for the compiler's warnings: a member that is no template is
// compiled although program.cpp does not call it. An instantiation does not reach the bases: they are named.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/generic/seq_packet_protocol.hpp>

#include <interlock.hpp>

template class boost::asio::basic_stream_socket<interlock::ip::tcp>;
template class boost::asio::basic_socket_acceptor<interlock::ip::tcp>;
template class boost::asio::basic_datagram_socket<interlock::ip::udp>;
template class boost::asio::basic_raw_socket<interlock::ip::icmp>;
template class boost::asio::basic_stream_socket<interlock::local::stream_protocol>;
template class boost::asio::basic_socket_acceptor<interlock::local::stream_protocol>;
template class boost::asio::basic_datagram_socket<interlock::local::datagram_protocol>;
template class boost::asio::basic_seq_packet_socket<interlock::generic::seq_packet_protocol>;
template class interlock::posix::basic_descriptor<>;
template class interlock::posix::basic_stream_descriptor<>;
template class interlock::basic_serial_port<>;
template class boost::asio::basic_readable_pipe<
  interlock::closable_executor<boost::asio::any_io_executor>>;
template class boost::asio::basic_writable_pipe<
  interlock::closable_executor<boost::asio::any_io_executor>>;

using asio_socket = boost::asio::ip::tcp::socket;
using executor = boost::asio::any_io_executor;
namespace bases = interlock::detail::bases;
using core = interlock::detail::io_core<asio_socket>;
using descriptors = bases::descriptor_members<executor>;

template class interlock::detail::bases::closing_members<core>;
template class interlock::detail::bases::common_members<core>;
template class interlock::detail::bases::waiting_members<bases::common_members<core>,
  boost::asio::socket_base>;
template class interlock::detail::bases::socket_members<boost::asio::ip::tcp, asio_socket>;
template class interlock::detail::bases::flagged_transfers<boost::asio::ip::tcp, executor>;
template class interlock::detail::bases::addressed_transfers<boost::asio::ip::udp, executor>;
template class interlock::detail::bases::descriptor_members<executor>;
template class interlock::detail::bases::reading_members<descriptors>;
template class interlock::detail::bases::writing_members<descriptors>;
#if defined(BOOST_ASIO_HAS_PIPE)
template class interlock::detail::bases::pipe_members<boost::asio::basic_readable_pipe, executor>;
#endif
