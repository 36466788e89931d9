// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Includes every public header.

#ifndef INTERLOCK_HPP
#define INTERLOCK_HPP

#include <interlock/borrowed.hpp>
#include <interlock/closable.hpp>
#include <interlock/closable_executor.hpp>
#include <interlock/close_group.hpp>
#include <interlock/close_handle.hpp>
#include <interlock/close_mode.hpp>
#include <interlock/close_outcome.hpp>
#include <interlock/close_report.hpp>
#include <interlock/close_service.hpp>
#include <interlock/close_statistics.hpp>
#include <interlock/close_tally.hpp>
#include <interlock/config.hpp>
#include <interlock/connect_pipe.hpp>
#include <interlock/error.hpp>
#include <interlock/fd_lease.hpp>
#include <interlock/generic/datagram_protocol.hpp>
#include <interlock/generic/raw_protocol.hpp>
#include <interlock/generic/seq_packet_protocol.hpp>
#include <interlock/generic/stream_protocol.hpp>
#include <interlock/ip/icmp.hpp>
#include <interlock/ip/tcp.hpp>
#include <interlock/ip/udp.hpp>
#include <interlock/local/connect_pair.hpp>
#include <interlock/local/datagram_protocol.hpp>
#include <interlock/local/seq_packet_protocol.hpp>
#include <interlock/local/stream_protocol.hpp>
#include <interlock/posix/descriptor.hpp>
#include <interlock/posix/stream_descriptor.hpp>
#include <interlock/readable_pipe.hpp>
#include <interlock/serial_port.hpp>
#include <interlock/slow_close.hpp>
#include <interlock/writable_pipe.hpp>

#endif // INTERLOCK_HPP
