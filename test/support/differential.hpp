// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// One program over two families of types, Asio's own and Interlock's. It notes what it observes,
// line by line, and the notes of the two are compared: what differs is named with its line.

#ifndef INTERLOCK_TEST_SUPPORT_DIFFERENTIAL_HPP
#define INTERLOCK_TEST_SUPPORT_DIFFERENTIAL_HPP

#include <algorithm>
#include <cstddef>
#include <map>
#include <sstream>
#include <string>
#include <tuple>
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
#include <boost/asio/posix/descriptor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/serial_port.hpp>
#include <boost/asio/version.hpp>
#include <boost/exception/exception.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>
#include <boost/throw_exception.hpp>
#include <boost/version.hpp>

#include <interlock/closable.hpp>
#include <interlock/detail/core/asio_features.hpp>
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
#include <interlock/writable_pipe.hpp>

#if BOOST_ASIO_VERSION >= 102400
#include <boost/asio/readable_pipe.hpp>
#include <boost/asio/writable_pipe.hpp>
#endif

#include "support/packets.hpp"
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
  using user = packets;
  using descriptor = boost::asio::posix::descriptor;
  using stream_descriptor = boost::asio::posix::stream_descriptor;
#if BOOST_ASIO_VERSION >= 102400
  using readable_pipe = boost::asio::readable_pipe;
  using writable_pipe = boost::asio::writable_pipe;
#else
  // Where Asio has no pipes ours are compared with themselves.
  using readable_pipe = interlock::readable_pipe;
  using writable_pipe = interlock::writable_pipe;
#endif
  using serial_port = boost::asio::serial_port;
#if defined(INTERLOCK_HAS_SEQ_PACKET_PROTOCOL)
  using local_seq_packet = boost::asio::local::seq_packet_protocol;
#else
  // What Asio has later is what a user may define before.
  using local_seq_packet = packets;
#endif

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
  using user = interlock::closable<packets>;
  using descriptor = interlock::posix::descriptor;
  using stream_descriptor = interlock::posix::stream_descriptor;
  using readable_pipe = interlock::readable_pipe;
  using writable_pipe = interlock::writable_pipe;
  using serial_port = interlock::serial_port;
  using local_seq_packet = interlock::closable<asio_family::local_seq_packet>;

  template <class Socket>
  static void connect_pair(Socket& a, Socket& b)
  {
    interlock::local::connect_pair(a, b);
  }
};

using lines = std::vector<std::string>;

// Up to where Asio's codes tell their own place in the source, "[system:9 at ...]".
inline std::string without_place(const std::string& text)
{
  return text.substr(0, text.find_first_of(" ]", text.find('[')));
}

/// Whether an exception comes from a header of a library, and from the function that it names. Its file and its line are
/// those of the library itself.
inline std::string place([[maybe_unused]] const boost::system::system_error& e)
{
#if defined(INTERLOCK_HAS_SOURCE_LOCATION) && BOOST_VERSION >= 108100
  const boost::source_location where = boost::get_throw_location(e);
  const std::string file = where.file_name();
  const bool in_header = file.find("/boost/asio/") != std::string::npos
    || file.find("interlock/") != std::string::npos;
  const std::string text = e.what();
  const std::string named = text.substr(0, text.find(':'));
  // The compiler may tell the whole signature, or the arguments of the template.
  const std::string function = where.function_name();
  const bool by_itself = function == named || function.find(named + '(') != std::string::npos
    || function.find(named + '<') != std::string::npos;
  return std::string(in_header && where.line() != 0 ? "in a header, " : "elsewhere, ")
    + (by_itself ? "by itself" : "by another function");
#else
  return "anywhere";
#endif
}

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

  /// The result of a call, and its error.
  template <class T>
  void operator()(const std::string& what, const T& value, const error_code& ec)
  {
    (*this)(what, value);
    (*this)(what, ec);
  }

  /// What `call()` throws: what it says, its code, and where it comes from.
  template <class Call>
  void thrown(const std::string& what, Call call)
  {
    note_thrown(what, call, place);
  }

  /// The same of a constructor. Asio's throws by itself, Interlock's may call a function that does.
  template <class Call>
  void thrown_in_making(const std::string& what, Call call)
  {
    note_thrown(what, call, [](const auto& e) { return place(e).substr(0, place(e).find(',')); });
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
  template <class Call, class Place>
  void note_thrown(const std::string& what, Call call, Place place_of)
  {
    try
    {
      call();
      (*this)(what, "no exception");
    }
    catch (const boost::system::system_error& e)
    {
      const bool of_boost = dynamic_cast<const boost::exception*>(&e) != nullptr;
      (*this)(what + " throws " + without_place(e.what()) + (of_boost ? ", of Boost, " : ", ")
          + place_of(e),
        e.code());
    }
  }

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

/// Asio's is the first: what is noted of ours is compared with it.
using both_families = std::tuple<asio_family, interlock_family>;

/// The fixture of a program that is a case template over both_families: in its end the notes of Asio's types are kept, and
/// those of ours are the same. Of other cases nothing is compared.
class compared
{
public:
  ~compared()
  {
    const std::string program = boost::unit_test::framework::current_test_case().full_name();
    lines& asios = notes_of_asios()[program.substr(0, program.find('<'))];
    if (program.find("asio_family") != std::string::npos)
      asios = note.taken();
    else if (program.find('<') == std::string::npos)
      return;
    else
      same(asios, note.taken());
    BOOST_TEST(!note.taken().empty());
  }

protected:
  boost::asio::io_context context;
  notes note;

private:
  static std::map<std::string, lines>& notes_of_asios()
  {
    static std::map<std::string, lines> kept;
    return kept;
  }
};

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
