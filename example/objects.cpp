// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// An object of each kind is in use in one thread, and another thread closes it. The call that is blocked returns
// operation_aborted, or bad_descriptor if the close came before it.

#include <array>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address_v4.hpp>

#include <interlock.hpp>

using boost::asio::ip::address_v4;
using boost::system::error_code;

using boost::asio::io_context;

static std::array<char, 512> data;

static void require(bool condition, const std::string& what)
{
  if (!condition)
    throw std::runtime_error(what);
}

static void report(const char* object, error_code ec)
{
  std::cout << object << ": " << ec.message() << '\n';
  require(ec == boost::asio::error::operation_aborted || ec == boost::asio::error::bad_descriptor,
    object);
}

static void stream_socket(io_context& context)
{
  using interlock::ip::tcp;
  tcp::acceptor acceptor(context, tcp::endpoint(address_v4::loopback(), 0));
  tcp::socket peer(context);
  peer.connect(acceptor.local_endpoint());
  //[objects_stream_socket
  tcp::socket socket = acceptor.accept();
  std::thread watchdog([&socket] { socket.close(); });
  error_code ec;
  socket.read_some(
    boost::asio::buffer(data), ec); // operation_aborted, if the close comes during the call
  watchdog.join();
  //]
  report("stream socket", ec);
}

static void acceptor(io_context& context)
{
  using interlock::ip::tcp;
  //[objects_acceptor
  tcp::acceptor acceptor(context, tcp::endpoint(address_v4::loopback(), 0));
  std::thread stop([&acceptor] { acceptor.close(); });
  error_code ec;
  tcp::socket session = acceptor.accept(ec); // the address is free when close() returns
  stop.join();
  //]
  report("acceptor", ec);
}

static void datagram_socket(io_context& context)
{
  using interlock::ip::udp;
  //[objects_datagram_socket
  udp::socket socket(context, udp::endpoint(address_v4::loopback(), 0));
  std::thread stop([&socket] { socket.close(); });
  udp::endpoint sender;
  error_code ec;
  socket.receive_from(boost::asio::buffer(data), sender, 0, ec);
  stop.join();
  //]
  report("datagram socket", ec);
}

static void raw_socket(io_context& context)
{
  using interlock::ip::icmp;
  //[objects_raw_socket
  icmp::socket socket(context);
  error_code ec;
  socket.open(icmp::v4(), ec); // needs CAP_NET_RAW
  if (ec)
    return;
  std::thread stop([&socket] { socket.close(); });
  icmp::endpoint sender;
  while (!ec)
    socket.receive_from(boost::asio::buffer(data), sender, 0, ec);
  stop.join();
  //]
  report("raw socket", ec);
}

static void seq_packet_socket(io_context& context)
{
  std::array<int, 2> pair{};
  require(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair.data()) == 0, "socketpair");
  interlock::posix::stream_descriptor peer(context, pair[1]);
  //[objects_seq_packet_socket
  using interlock::generic::seq_packet_protocol;
  seq_packet_protocol::socket socket(context, seq_packet_protocol(AF_UNIX, 0), pair[0]);
  std::thread stop([&socket] { socket.close(); });
  boost::asio::socket_base::message_flags flags = 0;
  error_code ec;
  socket.receive(boost::asio::buffer(data), 0, flags, ec);
  stop.join();
  //]
  report("sequenced packet socket", ec);
}

static void pipes(io_context& context)
{
  //[objects_pipes
  interlock::readable_pipe read_end(context);
  interlock::writable_pipe write_end(context);
  interlock::connect_pipe(read_end, write_end);
  std::thread stop([&read_end] { read_end.close(); });
  error_code ec;
  read_end.read_some(boost::asio::buffer(data), ec);
  stop.join();
  //]
  report("pipe", ec);
}

static void descriptor(io_context& context)
{
  //[objects_descriptor
  interlock::posix::stream_descriptor events(context, ::eventfd(0, EFD_CLOEXEC));
  std::thread stop([&events] { events.close(); });
  error_code ec;
  events.wait(interlock::posix::stream_descriptor::wait_read, ec);
  stop.join();
  //]
  report("descriptor", ec);
}

static void serial_port(io_context& context)
{
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  require(terminal >= 0 && ::grantpt(terminal) == 0 && ::unlockpt(terminal) == 0, "pty");
  const interlock::posix::stream_descriptor other_end(context, terminal);
  const std::string device = ::ptsname(terminal);
  //[objects_serial_port
  interlock::serial_port port(context, device);
  port.set_option(interlock::serial_port::baud_rate(115200));
  std::thread stop(
    [&port] { port.close(); }); // the drain of its output runs on a thread of the library
  error_code ec;
  port.read_some(boost::asio::buffer(data), ec);
  stop.join();
  //]
  report("serial port", ec);
}

static void close_handle(io_context& context)
{
  interlock::ip::udp::socket socket(
    context, interlock::ip::udp::endpoint(address_v4::loopback(), 0));
  //[objects_close_handle
  const interlock::close_handle handle = socket.get_close_handle();
  interlock::ip::udp::socket moved = std::move(socket); // the handle follows
  std::thread watchdog([handle] { handle.close(); });
  error_code ec;
  moved.receive(boost::asio::buffer(data), 0, ec);
  watchdog.join();
  //]
  report("close handle", ec);
}

static void closable(io_context& context)
{
  //[objects_closable
  using stream_protocol = interlock::closable<boost::asio::local::stream_protocol>;
  stream_protocol::socket socket(context); // as interlock::local::stream_protocol::socket
  stream_protocol::socket peer(context);
  interlock::local::connect_pair(socket, peer);
  std::thread stop([&socket] { socket.close(); });
  error_code ec;
  socket.read_some(boost::asio::buffer(data), ec);
  stop.join();
  //]
  report("closable", ec);
}

static void lease(io_context& context)
{
  interlock::ip::udp::socket socket(
    context, interlock::ip::udp::endpoint(address_v4::loopback(), 0));
  int kind = 0;
  ::socklen_t size = sizeof kind;
  //[objects_lease
  std::thread stop([&socket] { socket.close(); });
  if (const interlock::fd_lease lease = socket.lease()) // not closed, nor reused, while this exists
    ::getsockopt(lease.get(), SOL_SOCKET, SO_TYPE, &kind, &size);
  stop.join();
  //]
  require(kind == 0 || kind == SOCK_DGRAM, "lease");
}

int main()
{
  try
  {
    io_context context;
    for (const auto& show : {stream_socket, acceptor, datagram_socket, raw_socket,
           seq_packet_socket, pipes, descriptor, serial_port, close_handle, closable, lease})
      show(context);
  }
  catch (const std::exception& e)
  {
    std::cerr << "objects: " << e.what() << '\n';
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
