// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A program that is compiled in another way than the library that it is linked with: without exceptions or type
// information, with Asio compiled separately, and so on. test/Jamfile has one target for each way, over this file. All
// of it must work as usual: opening, transfers, closes, their errors, and what Asio's handler tracking shows of them.
//
// The framework of the other tests needs exceptions and type information. So this file has a main(), which prints each
// check that fails. Exit status 0: none.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

#include <boost/asio.hpp>
#include <boost/system/system_error.hpp>
#include <boost/throw_exception.hpp>

#include <interlock.hpp>

#if defined(BOOST_ASIO_SEPARATE_COMPILATION)
#include <boost/asio/impl/src.hpp>
#endif

namespace asio = boost::asio;
using boost::system::error_code;
using interlock::close_mode;
using interlock::close_outcome;
using interlock::close_report;
using interlock::ip::tcp;
using interlock::ip::udp;

namespace {

int failures = 0;

void check(bool holds, const char* what, int line)
{
  if (holds)
    return;
  ++failures;
  std::printf("program.cpp:%d: %s\n", line, what);
}

// clang-format off
#define INTERLOCK_TEST_CHECK(...) check((__VA_ARGS__), #__VA_ARGS__, __LINE__)
// clang-format on

constexpr std::chrono::seconds soon(10);

tcp::endpoint any_loopback()
{
  return tcp::endpoint(asio::ip::address_v4::loopback(), 0);
}

struct connection
{
  explicit connection(asio::io_context& context)
    : listener(context, any_loopback()),
      client(context),
      server(context)
  {
    client.connect(listener.local_endpoint());
    listener.accept(server);
  }

  tcp::acceptor listener;
  tcp::socket client;
  tcp::socket server;
};

/// A handler that counts its calls and keeps the last error.
struct completion
{
  int calls = 0;
  error_code ec = asio::error::fault;

  auto handler()
  {
    return [this](error_code result, auto&&...)
    {
      ++calls;
      ec = result;
    };
  }

  bool is(const error_code& expected) const
  {
    return calls == 1 && ec == expected;
  }
};

// --- transfers

void synchronous_transfers()
{
  asio::io_context context;
  connection c(context);
  std::array<char, 5> received{};
  asio::write(c.client, asio::buffer("hello", 5));
  INTERLOCK_TEST_CHECK(asio::read(c.server, asio::buffer(received)) == 5);
  INTERLOCK_TEST_CHECK(std::equal(received.begin(), received.end(), "hello"));
  c.server.close();
  error_code ec;
  INTERLOCK_TEST_CHECK(c.client.read_some(asio::buffer(received), ec) == 0);
  INTERLOCK_TEST_CHECK(ec == asio::error::eof);
}

void asynchronous_transfers()
{
  asio::io_context context;
  auto strand = asio::make_strand(context);
  tcp::acceptor listener(context, any_loopback());
  tcp::socket client(strand);
  tcp::socket server(context);
  completion connected, accepted, written, read, ready;
  std::vector<char> sent(300000, 'x'), received(sent.size());
  listener.async_accept(server, accepted.handler());
  const std::array<tcp::endpoint, 1> peers = {listener.local_endpoint()};
  asio::async_connect(client, peers, connected.handler());
  context.run();
  context.restart();
  server.async_wait(tcp::socket::wait_read, ready.handler());
  asio::async_write(client, asio::buffer(sent), asio::bind_executor(strand, written.handler()));
  asio::async_read(server, asio::buffer(received), read.handler());
  context.run();
  INTERLOCK_TEST_CHECK(accepted.is({}) && connected.is({}) && ready.is({}));
  INTERLOCK_TEST_CHECK(written.is({}) && read.is({}) && sent == received);
}

void datagrams()
{
  asio::io_context context;
  udp::socket a(context, udp::endpoint(asio::ip::address_v4::loopback(), 0));
  udp::socket b(context, udp::endpoint(asio::ip::address_v4::loopback(), 0));
  completion sent, received;
  udp::endpoint from;
  std::array<char, 8> buffer{};
  b.async_receive_from(asio::buffer(buffer), from, received.handler());
  a.async_send_to(asio::buffer("12", 2), b.local_endpoint(), sent.handler());
  context.run();
  INTERLOCK_TEST_CHECK(sent.is({}) && received.is({}) && from == a.local_endpoint());
}

void other_objects()
{
  asio::io_context context;
  interlock::local::stream_protocol::socket a(context), b(context);
  interlock::local::connect_pair(a, b);
  interlock::posix::stream_descriptor out(context, a.release());
  completion read;
  char byte = 0;
  b.async_read_some(asio::buffer(&byte, 1), read.handler());
  asio::write(out, asio::buffer("d", 1));
  context.run();
  INTERLOCK_TEST_CHECK(read.is({}) && byte == 'd');
  interlock::serial_port serial(context);
  error_code ec;
  serial.open("/dev/null/none", ec);
  INTERLOCK_TEST_CHECK(ec == boost::system::errc::not_a_directory);
}

/// From another executor type, from Asio's own type, and to it.
void moves()
{
  using typed_socket =
    interlock::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type>;
  asio::io_context context;
  tcp::acceptor listener(context, any_loopback());
  typed_socket typed(context);
  typed.connect(listener.local_endpoint());
  tcp::socket of_typed(std::move(typed));
  asio::ip::tcp::socket asios(context);
  asios.connect(listener.local_endpoint());
  tcp::socket of_asios(std::move(asios));
  INTERLOCK_TEST_CHECK(of_typed.is_open() && of_asios.is_open() && !asios.is_open());
  const auto address = of_asios.local_endpoint();
  const asio::ip::tcp::socket given = of_asios.to_asio();
  INTERLOCK_TEST_CHECK(given.local_endpoint() == address);
}

// --- closes

/// The handler of the close comes after that of the read, which it aborts.
void close_with_a_read_outstanding()
{
  asio::io_context context;
  connection c(context);
  completion read, closed;
  char byte;
  c.server.async_read_some(asio::buffer(&byte, 1), read.handler());
  c.server.async_close(
    [&](error_code ec)
    {
      INTERLOCK_TEST_CHECK(read.calls == 1);
      closed.handler()(ec);
    });
  c.client.async_read_some(asio::buffer(&byte, 1), [](error_code, std::size_t) {});
  context.run();
  INTERLOCK_TEST_CHECK(read.is(asio::error::operation_aborted) && closed.is({}));
}

template <class Socket>
close_report closed_in(asio::io_context& context, Socket& socket, const close_mode& mode)
{
  close_report report;
  completion closed;
  socket.async_close(mode,
    [&](error_code ec, const close_report& r)
    {
      report = r;
      closed.handler()(ec);
    });
  context.restart();
  context.run();
  INTERLOCK_TEST_CHECK(closed.is({}));
  return report;
}

void close_modes()
{
  asio::io_context context;
  connection delivered(context), aborted(context), immediate(context), graceful(context);
  asio::write(delivered.client, asio::buffer("bytes", 5));
  INTERLOCK_TEST_CHECK(closed_in(context, delivered.client, close_mode::deliver(soon)).outcome
    == close_outcome::acknowledged);
  graceful.server.close();
  INTERLOCK_TEST_CHECK(closed_in(context, graceful.client, close_mode::graceful(soon)).outcome
    == close_outcome::peer_closed);
  INTERLOCK_TEST_CHECK(
    closed_in(context, immediate.client, close_mode::immediate()).outcome == close_outcome::closed);
  INTERLOCK_TEST_CHECK(
    closed_in(context, aborted.client, close_mode::abort()).outcome == close_outcome::aborted);
  char byte;
  error_code ec;
  aborted.server.read_some(asio::buffer(&byte, 1), ec);
  INTERLOCK_TEST_CHECK(ec == asio::error::connection_reset);
}

/// A mode that the object does not have is refused, and the object closed.
void refused_mode()
{
  asio::io_context context;
  tcp::acceptor listener(context, any_loopback());
  completion closed;
  listener.async_close(close_mode::deliver(soon), closed.handler());
  context.run();
  INTERLOCK_TEST_CHECK(closed.is(asio::error::operation_not_supported) && !listener.is_open());
}

void handles_and_leases()
{
  asio::io_context context;
  connection c(context);
  const interlock::close_handle handle = c.client.get_close_handle();
  interlock::fd_lease lease = c.client.lease();
  completion closed, released;
  handle.async_close(closed.handler());
  INTERLOCK_TEST_CHECK(lease && lease.get() >= 0);
  lease = interlock::fd_lease();
  int fd = -1;
  c.server.async_release(
    [&](error_code ec, int released_fd)
    {
      fd = released_fd;
      released.handler()(ec);
    });
  context.run();
  INTERLOCK_TEST_CHECK(closed.is({}) && released.is({}) && fd >= 0);
  tcp::socket taken(context, tcp::v4(), fd);
  taken.retire();
  error_code ec;
  taken.open(tcp::v4(), ec);
  INTERLOCK_TEST_CHECK(ec == interlock::error::retired);
}

/// Whether the read has begun when the other thread closes decides between two errors.
void close_from_another_thread()
{
  asio::io_context context;
  connection c(context);
  std::thread closer([&] { c.server.close(); });
  char byte;
  error_code ec;
  c.server.read_some(asio::buffer(&byte, 1), ec);
  closer.join();
  INTERLOCK_TEST_CHECK(ec == asio::error::operation_aborted || ec == asio::error::bad_descriptor);
}

void services()
{
  asio::io_context context;
  const interlock::close_service& made = interlock::make_close_service(context);
  INTERLOCK_TEST_CHECK(asio::has_service<interlock::close_service>(context));
  INTERLOCK_TEST_CHECK(&asio::use_service<interlock::close_service>(context) == &made);
  const connection c(context);
  INTERLOCK_TEST_CHECK(&asio::use_service<interlock::close_service>(context) == &made);
}

/// Handlers that no context runs any more are destroyed.
void context_that_ends_first()
{
  const auto alive = std::make_shared<int>();
  {
    asio::io_context context;
    connection c(context);
    char byte;
    c.server.async_read_some(asio::buffer(&byte, 1), [alive](error_code, std::size_t) {});
    c.server.async_close([alive](error_code) {});
    c.client.async_close(close_mode::graceful(soon), [alive](error_code, close_report) {});
  }
  INTERLOCK_TEST_CHECK(alive.use_count() == 1);
}

// --- errors

/// Nothing listens there.
tcp::endpoint refusing_peer()
{
  return tcp::endpoint(asio::ip::address_v4::loopback(), 1);
}

void errors()
{
  asio::io_context context;
  tcp::socket socket(context);
  completion read, written, connected;
  error_code ec;
  char byte = 0;
  socket.read_some(asio::buffer(&byte, 1), ec);
  INTERLOCK_TEST_CHECK(ec == asio::error::bad_descriptor);
  socket.async_read_some(asio::buffer(&byte, 1), read.handler());
  asio::async_write(socket, asio::buffer(&byte, 1), written.handler());
  context.run();
  INTERLOCK_TEST_CHECK(read.is(asio::error::bad_descriptor));
  INTERLOCK_TEST_CHECK(written.is(asio::error::bad_descriptor));
  socket.connect(refusing_peer(), ec);
  INTERLOCK_TEST_CHECK(ec == asio::error::connection_refused);
  socket.close();
  socket.async_connect(refusing_peer(), connected.handler());
  context.restart();
  context.run();
  INTERLOCK_TEST_CHECK(connected.is(asio::error::connection_refused));
}

void check_exception(const std::exception& e)
{
  const std::string text = e.what();
  INTERLOCK_TEST_CHECK(text.rfind("connect: Connection refused", 0) == 0);
}

// --- handler tracking

#if defined(BOOST_ASIO_ENABLE_HANDLER_TRACKING)

/// What is written to the standard error while `run()` runs.
template <class Run>
std::vector<std::string> tracked(Run run)
{
  std::vector<std::string> lines;
  std::FILE* const file = std::tmpfile();
  const int standard_error = ::dup(STDERR_FILENO);
  ::dup2(::fileno(file), STDERR_FILENO);
  run();
  ::dup2(standard_error, STDERR_FILENO);
  ::close(standard_error);
  std::rewind(file);
  std::array<char, 1024> line;
  while (std::fgets(line.data(), static_cast<int>(line.size()), file))
    lines.emplace_back(line.data());
  std::fclose(file);
  return lines;
}

/// The number of each operation of this name, between "*" and "|" of its "@asio|time|0*7|object@place.name".
std::vector<std::string> tracked_operations(
  const std::vector<std::string>& lines, const std::string& name)
{
  std::vector<std::string> numbers;
  for (const std::string& line : lines)
    if (line.find('.' + name + '\n') != std::string::npos)
    {
      const std::size_t begin = line.find('*') + 1;
      numbers.push_back(line.substr(begin, line.find('|', begin) - begin));
    }
  return numbers;
}

bool has(const std::vector<std::string>& lines, const std::string& text)
{
  return std::any_of(lines.begin(), lines.end(),
    [&](const std::string& line) { return line.find(text) != std::string::npos; });
}

/// The number of the operation in whose handler `text` was written, which is no line of Asio's. Empty: in none.
std::string running_at(const std::vector<std::string>& lines, const std::string& text)
{
  std::vector<std::string> running;
  for (const std::string& line : lines)
  {
    const std::size_t action = line.find('|', line.find('|') + 1) + 1;
    const std::string number = line.substr(action + 1, line.find('|', action) - action - 1);
    if (line == text)
      return running.empty() ? std::string() : running.back();
    if (line[action] == '>')
      running.push_back(number);
    else if (line[action] == '<' && !running.empty())
      running.pop_back();
  }
  return std::string();
}

/// Whether the creation of the operation is preceded by this place, as the innermost.
bool created_in(
  const std::vector<std::string>& lines, const std::string& number, const std::string& place)
{
  return has(lines, '^' + number + "|in '" + place + "' (");
}

void check_operation(
  const std::vector<std::string>& lines, const std::string& name, const std::string& end)
{
  const std::vector<std::string> numbers = tracked_operations(lines, name);
  INTERLOCK_TEST_CHECK(numbers.size() == 1);
  for (const std::string& number : numbers)
  {
    INTERLOCK_TEST_CHECK(has(lines, "|>" + number + "|ec=" + end));
    INTERLOCK_TEST_CHECK(has(lines, "|<" + number + "|\n"));
  }
  if (numbers.size() != 1)
    std::printf("%s is shown %zu times\n", name.c_str(), numbers.size());
}

void one_closer()
{
  asio::io_context context;
  connection c(context);
  BOOST_ASIO_HANDLER_LOCATION((__FILE__, __LINE__, "stop"));
  c.server.async_close([](error_code) { std::fputs("one\n", stderr); });
  context.run();
}

void two_closers()
{
  asio::io_context context;
  connection c(context);
  c.server.async_close([](error_code) { std::fputs("first\n", stderr); });
  c.server.async_close(
    close_mode::abort(), [](error_code, close_report) { std::fputs("second\n", stderr); });
  context.run();
}

void group()
{
  asio::io_context context;
  interlock::close_group all(context.get_executor());
  all.async_close(close_mode::immediate(), [](error_code, const interlock::close_tally&) {});
  context.run();
}

/// A handler of a close runs in the close's completion, or is posted from there.
void tracked_handlers_of_closes()
{
  const auto one = tracked([] { one_closer(); });
  check_operation(one, "async_close", "system:0");
  const std::vector<std::string> closes = tracked_operations(one, "async_close");
  INTERLOCK_TEST_CHECK(closes.size() == 1 && running_at(one, "one\n") == closes[0]);
  INTERLOCK_TEST_CHECK(closes.size() == 1 && created_in(one, closes[0], "stop"));
  INTERLOCK_TEST_CHECK(has(one, "|in 'completion of a close' ("));
  const auto two = tracked([] { two_closers(); });
  INTERLOCK_TEST_CHECK(tracked_operations(two, "async_close").size() == 2);
  for (const char* handler : {"first\n", "second\n"})
    INTERLOCK_TEST_CHECK(created_in(two, running_at(two, handler), "async_close"));
  const auto all = tracked([] { group(); });
  check_operation(all, "async_close", "system:0");
  INTERLOCK_TEST_CHECK(has(all, "|close_group@0x"));
}

/// An operation is shown once, as Asio's own, and a close with its error.
void handler_tracking()
{
  const auto closed = tracked([] { close_with_a_read_outstanding(); });
  check_operation(closed, "async_close", "system:0");
  INTERLOCK_TEST_CHECK(has(closed, "|close@0x"));
  const auto refused = tracked([] { refused_mode(); });
  check_operation(refused, "async_close",
    "system:" + std::to_string(boost::system::errc::operation_not_supported));
  const auto released = tracked([] { handles_and_leases(); });
  check_operation(released, "async_close", "system:0");
  check_operation(released, "async_release", "system:0");
  const auto transfers = tracked([] { datagrams(); });
  check_operation(transfers, "async_receive_from", "system:0");
  check_operation(transfers, "async_send_to", "system:0");
  const auto dropped = tracked([] { context_that_ends_first(); });
  for (const std::string& number : tracked_operations(dropped, "async_close"))
    INTERLOCK_TEST_CHECK(has(dropped, "|~" + number + '|') && !has(dropped, "|>" + number + '|'));
  INTERLOCK_TEST_CHECK(tracked_operations(dropped, "async_close").size() == 2);
  tracked_handlers_of_closes();
}

#else

void handler_tracking() {}

#endif

void run_all()
{
  synchronous_transfers();
  asynchronous_transfers();
  datagrams();
  other_objects();
  moves();
  close_with_a_read_outstanding();
  close_modes();
  refused_mode();
  handles_and_leases();
  close_from_another_thread();
  services();
  context_that_ends_first();
  errors();
  handler_tracking();
}

[[noreturn]] void finish()
{
  std::printf("%d checks have failed\n", failures);
  std::fflush(stdout);
  std::_Exit(failures == 0 ? 0 : 1);
}

/// The last step, because a program without exceptions ends with it.
void throwing_connect()
{
  asio::io_context context;
  tcp::socket socket(context);
  socket.connect(refusing_peer());
  check(false, "no exception", __LINE__);
}

} // namespace

#if defined(BOOST_NO_EXCEPTIONS)

namespace {

bool exception_expected = false;

} // namespace

namespace boost {

void throw_exception(const std::exception& e)
{
  if (exception_expected)
    check_exception(e);
  else
    check(false, e.what(), __LINE__);
  finish();
}

void throw_exception(const std::exception& e, const boost::source_location& place)
{
  // The name alone, or with the whole signature.
  INTERLOCK_TEST_CHECK(std::string(place.function_name()).find("connect") != std::string::npos);
  throw_exception(e);
}

} // namespace boost

int main()
{
  run_all();
  exception_expected = true;
  throwing_connect();
  finish();
}

#else

int main()
{
  run_all();
  try
  {
    throwing_connect();
  }
  catch (const boost::system::system_error& e)
  {
    check_exception(e);
  }
  finish();
}

#endif
