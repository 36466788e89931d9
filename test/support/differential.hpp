// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// One program over two families of types, Asio's own and Interlock's. It notes what it observes,
// line by line, and the notes of the two are compared: what differs is named with its line.

#ifndef INTERLOCK_TEST_SUPPORT_DIFFERENTIAL_HPP
#define INTERLOCK_TEST_SUPPORT_DIFFERENTIAL_HPP

#include <algorithm>
#include <cstddef>
#include <sstream>
#include <string>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/datagram_protocol.hpp>
#include <boost/asio/generic/raw_protocol.hpp>
#include <boost/asio/generic/seq_packet_protocol.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/icmp.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/datagram_protocol.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>

#include <interlock/generic/datagram_protocol.hpp>
#include <interlock/generic/raw_protocol.hpp>
#include <interlock/generic/seq_packet_protocol.hpp>
#include <interlock/generic/stream_protocol.hpp>
#include <interlock/ip/icmp.hpp>
#include <interlock/ip/tcp.hpp>
#include <interlock/ip/udp.hpp>
#include <interlock/local/connect_pair.hpp>
#include <interlock/local/datagram_protocol.hpp>
#include <interlock/local/stream_protocol.hpp>
#include <interlock/posix/stream_descriptor.hpp>

#include "support/system_errors.hpp"

namespace support {

struct asio_family
{
  using tcp = boost::asio::ip::tcp;
  using udp = boost::asio::ip::udp;
  using icmp = boost::asio::ip::icmp;
  using local = boost::asio::local::stream_protocol;
  using local_datagram = boost::asio::local::datagram_protocol;
  using generic_datagram = boost::asio::generic::datagram_protocol;
  using generic_raw = boost::asio::generic::raw_protocol;
  using seq_packet = boost::asio::generic::seq_packet_protocol;
  using generic = boost::asio::generic::stream_protocol;
  using stream_descriptor = boost::asio::posix::stream_descriptor;

  template <class Socket>
  static void connect_pair(Socket& a, Socket& b)
  {
    boost::asio::local::connect_pair(a, b);
  }
};

struct interlock_family
{
  using tcp = interlock::ip::tcp;
  using udp = interlock::ip::udp;
  using icmp = interlock::ip::icmp;
  using local = interlock::local::stream_protocol;
  using local_datagram = interlock::local::datagram_protocol;
  using generic_datagram = interlock::generic::datagram_protocol;
  using generic_raw = interlock::generic::raw_protocol;
  using seq_packet = interlock::generic::seq_packet_protocol;
  using generic = interlock::generic::stream_protocol;
  using stream_descriptor = interlock::posix::stream_descriptor;

  template <class Socket>
  static void connect_pair(Socket& a, Socket& b)
  {
    interlock::local::connect_pair(a, b);
  }
};

using lines = std::vector<std::string>;

/// What a program observes.
class notes
{
public:
  using error_code = boost::system::error_code;

  template <class T>
  void operator()(const std::string& what, const T& value)
  {
    std::ostringstream line;
    line << std::boolalpha << what << ": " << value;
    taken_.push_back(line.str());
  }

  void operator()(const std::string& what, const error_code& ec)
  {
    std::ostringstream line;
    line << what << ": " << comparable(ec) << ' ' << comparable(ec).message();
    taken_.push_back(line.str());
  }

  /// What `call()` throws: the function it names, and the code. Where in the source that was is
  /// left out.
  template <class Call>
  void thrown(const std::string& what, Call call)
  {
    try
    {
      call();
      (*this)(what, "no exception");
    }
    catch (const boost::system::system_error& e)
    {
      const std::string text = e.what();
      (*this)(what + " throws " + text.substr(0, text.find(':')), e.code());
    }
  }

  /// A handler that notes its error and what else it is told.
  auto handler(const std::string& what)
  {
    return [this, what](const error_code& ec, const auto&... more)
    {
      (*this)(what, ec);
      const int each[] = {0, ((*this)(what + " has", more), 0)...};
      static_cast<void>(each);
    };
  }

  const lines& taken() const noexcept
  {
    return taken_;
  }

private:
  lines taken_;
};

/// Runs what has been started, to its end.
inline void run(boost::asio::io_context& context)
{
  context.restart();
  context.run();
}

/// One entry for each line that is not the same in both.
inline lines differences(const lines& plain, const lines& ours)
{
  const std::string nothing = "(nothing)";
  lines found;
  for (std::size_t i = 0; i != std::max(plain.size(), ours.size()); ++i)
  {
    const std::string& p = i < plain.size() ? plain[i] : nothing;
    const std::string& o = i < ours.size() ? ours[i] : nothing;
    if (p != o)
      found.push_back(
        "line " + std::to_string(i + 1) + ": Asio [" + p + "], Interlock [" + o + "]");
  }
  return found;
}

/// The notes of two programs are the same, and there are some.
inline void same(const lines& plain, const lines& ours)
{
  BOOST_TEST(!plain.empty());
  for (const std::string& difference : differences(plain, ours))
    BOOST_ERROR(difference);
}

/// `program` is called with each family and notes.
template <class Program>
void same_in_both_families(Program program)
{
  notes plain;
  program(asio_family(), plain);
  notes ours;
  program(interlock_family(), ours);
  same(plain.taken(), ours.taken());
}

/// Two connected sockets.
template <class Family>
struct tcp_pair
{
  typename Family::tcp::socket first;
  typename Family::tcp::socket second;

  explicit tcp_pair(boost::asio::io_context& context)
    : first(context),
      second(context)
  {
    typename Family::tcp::acceptor acceptor(context, loopback());
    first.connect(acceptor.local_endpoint());
    acceptor.accept(second);
  }

  static boost::asio::ip::tcp::endpoint loopback()
  {
    return {boost::asio::ip::address_v4::loopback(), 0};
  }
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_DIFFERENTIAL_HPP
