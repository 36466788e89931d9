// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A buffer sequence as the pieces of one system call. Buffers that do not fit are left for the next call, as
// in any short transfer.

#ifndef INTERLOCK_DETAIL_CORE_GATHER_HPP
#define INTERLOCK_DETAIL_CORE_GATHER_HPP

#include <boost/asio/buffer.hpp>

#include <interlock/config.hpp>
#include <interlock/detail/descriptor/calls.hpp>

namespace interlock {
inline namespace abi_0 {
namespace detail {
namespace functions {

template <class Buffer, class BufferSequence>
calls::pieces gather(const BufferSequence& buffers)
{
  calls::pieces p;
  const auto end = boost::asio::buffer_sequence_end(buffers);
  for (auto it = boost::asio::buffer_sequence_begin(buffers);
       it != end && p.count != calls::pieces::max; ++it)
  {
    const Buffer b(*it);
    p.vector[p.count++] = {const_cast<void*>(static_cast<const void*>(b.data())), b.size()};
    p.bytes += b.size();
  }
  return p;
}

} // namespace functions
} // namespace detail
} // namespace abi_0
} // namespace interlock

#endif // INTERLOCK_DETAIL_CORE_GATHER_HPP
