// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A TCP relay whose sessions run on no strand: each is two independent chains of callbacks, one per
// direction. What the chains share is atomic. Sockets are closed from any thread:
// by the sweeping timer, by the end of the drain and, with --chaos, by a foreign thread that
// synchronises with no other. Over Interlock's sockets all of that is allowed. With RELAY_PLAIN_ASIO
// defined the same source uses Asio's own sockets, and --chaos shows the race.

#if defined(RELAY_PLAIN_ASIO)
#include <boost/asio/ip/tcp.hpp>
#else
#include <interlock/ip/tcp.hpp>
#endif

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/completion_condition.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>
#include <boost/program_options.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace asio = boost::asio;
namespace po = boost::program_options;
using boost::system::error_code;

#if defined(RELAY_PLAIN_ASIO)
using tcp = boost::asio::ip::tcp;
#else
using tcp = interlock::ip::tcp;
#endif

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;
using counter = std::atomic<std::uint64_t>;

// More than Asio writes in one step, so that a composed write of a full buffer has several.
constexpr std::size_t buffer_size = 128 * 1024;
constexpr auto descriptor_pause = 100ms;
constexpr auto accept_error_pause = 10ms;
constexpr auto abandon_grace = 1s;

//--------------------------------------------------------------------------------------------------
// Options. Each kind of argument is a type that knows how to read itself; a stream that has failed
// becomes program_options' message about an invalid argument.

struct host_and_port
{
  std::string host;
  std::uint16_t port = 0;
};

// Splits at the last colon. An IPv6 address has colons of its own and comes in brackets.
std::istream& operator>>(std::istream& in, host_and_port& result)
{
  std::string text;
  in >> text;
  const auto colon = text.rfind(':');
  const std::string port = colon == std::string::npos ? text : text.substr(colon + 1);
  const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), result.port);
  bool good = failed == std::errc() && end == port.data() + port.size();
  if (colon != std::string::npos)
  {
    result.host = text.substr(0, colon);
    if (colon > 2 && text.front() == '[' && text[colon - 1] == ']')
      result.host = text.substr(1, colon - 2);
    else
      good = good && colon != 0 && result.host.find_first_of("[]:") == std::string::npos;
  }
  if (!good)
    in.setstate(std::ios::failbit);
  return in;
}

struct seconds
{
  steady::duration value{};
};

std::istream& operator>>(std::istream& in, seconds& result)
{
  double value = 0;
  in >> value;
  if (!(value >= 0 && value <= 1e8)) // in this form it refuses a NaN, too
    in.setstate(std::ios::failbit);
  const std::chrono::duration<double> exact(in ? value : 0);
  result.value = std::chrono::duration_cast<steady::duration>(exact);
  return in;
}

// Signed while it is read: an unsigned type would let a negative number wrap round.
struct quantity
{
  unsigned value = 0;
};

std::istream& operator>>(std::istream& in, quantity& result)
{
  int value = 0;
  in >> value;
  if (value < 0 || value > 1'000'000)
    in.setstate(std::ios::failbit);
  else
    result.value = static_cast<unsigned>(value);
  return in;
}

struct options
{
  host_and_port listen, upstream;
  quantity threads, max_connections, chaos;
  seconds idle_timeout, connect_timeout, drain, status, run_for;
  tcp::endpoint listen_endpoint;
};

template <typename T>
auto with_default(T& target, const char* shape, const std::string& text)
{
  T parsed;
  std::istringstream(text) >> parsed;
  return po::value<T>(&target)->value_name(shape)->default_value(parsed, text);
}

po::options_description describe(options& o)
{
  po::options_description result("relay --upstream HOST:PORT [options]");
  // clang-format off
  result.add_options()
    ("help", "show this text")
    ("listen", with_default(o.listen, "[ADDR:]PORT", "127.0.0.1:0"),
      "where to listen; with port 0 the system chooses one")
    ("upstream", po::value(&o.upstream)->required()->value_name("HOST:PORT"),
      "where to connect to; resolved anew for every connection")
    ("threads", with_default(o.threads, "N", "0"), "threads of the loop; 0: one per core")
    ("max-connections", with_default(o.max_connections, "N", "0"),
      "accept no more than these at a time; 0: no limit")
    ("idle-timeout", with_default(o.idle_timeout, "SECONDS", "300"),
      "end a session in which no byte moves; 0: never")
    ("connect-timeout", with_default(o.connect_timeout, "SECONDS", "10"),
      "time for resolving and connecting; 0: no limit")
    ("drain", with_default(o.drain, "SECONDS", "10"),
      "time for the sessions to end by themselves after SIGINT or SIGTERM")
    ("chaos", with_default(o.chaos, "N", "0"),
      "close this many live sockets a second from a foreign thread, at random among those that are "
      "being written to, if any are")
    ("status", with_default(o.status, "SECONDS", "1"), "period of the status line; 0: none")
    ("run-for", with_default(o.run_for, "SECONDS", "0"), "stop by itself; 0: never");
  // clang-format on
  return result;
}

// What the types of the arguments cannot say of themselves.
void complete(options& o)
{
  if (o.upstream.host.empty() || o.upstream.port == 0)
    throw po::error("--upstream needs a host and a port other than 0");
  error_code failed;
  const auto address = asio::ip::make_address(
    o.listen.host.empty() ? "127.0.0.1" : o.listen.host, failed);
  if (failed)
    throw po::error("--listen needs an IP address, '" + o.listen.host + "' is none");
  o.listen_endpoint = tcp::endpoint(address, o.listen.port);
  if (o.threads.value == 0)
    o.threads.value = std::max(1u, std::thread::hardware_concurrency());
}

// Empty when help was asked for and given; throws po::error for whatever makes no sense.
std::optional<options> parse_command_line(int argc, char* argv[])
{
  options result;
  const auto description = describe(result);
  const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
  const po::positional_options_description none;
  po::command_line_parser parser(argc, argv);
  parser.options(description).positional(none).style(style);
  po::variables_map values;
  po::store(parser.run(), values);
  if (values.count("help") != 0)
  {
    std::cout << description << std::flush;
    return std::nullopt;
  }
  po::notify(values);
  complete(result);
  return result;
}

//--------------------------------------------------------------------------------------------------
// Statistics: counted in by any thread, read by the status line.

enum class failure : std::size_t
{
  accept,
  resolve,
  connect,
  connect_timeout,
  idle_timeout,
  reset,
  closed_locally,
  descriptors,
  drain,
  exception,
  other
};

constexpr std::array<const char*, 11> failure_names{
  {"accept", "resolve", "connect", "connect_timeout", "idle_timeout", "reset", "closed_locally",
    "descriptors", "drain", "exception", "other"}};

static_assert(static_cast<std::size_t>(failure::other) + 1 == failure_names.size(), "all named");

struct statistics
{
  counter accepted{0}, ended{0}, chaos_closes{0}, bytes_up{0}, bytes_down{0}, descriptor_pauses{0};
  std::array<counter, failure_names.size()> failures{};

  void count(failure kind) noexcept
  {
    ++failures[static_cast<std::size_t>(kind)];
  }

  // `ended` is read first: it never overtakes `accepted`, so the difference cannot wrap.
  std::uint64_t active() const noexcept
  {
    const auto gone = ended.load();
    return accepted.load() - gone;
  }

  std::uint64_t errors() const noexcept
  {
    std::uint64_t sum = 0;
    for (const auto& one : failures)
      sum += one;
    return sum;
  }
};

std::string status_line(const statistics& s)
{
  std::ostringstream line;
  const auto active = s.active();
  line << "status accepted=" << s.accepted << " active=" << active << " closed=" << s.ended
       << " chaos=" << s.chaos_closes << " up=" << s.bytes_up << " down=" << s.bytes_down
       << " emfile=" << s.descriptor_pauses << " errors=" << s.errors();
  for (std::size_t i = 0; i != failure_names.size(); ++i)
    if (const auto n = s.failures[i].load())
      line << ' ' << failure_names[i] << '=' << n;
  return line.str() + '\n';
}

std::string summary_line(const statistics& s)
{
  std::ostringstream line;
  line << "served " << s.ended << " sessions, " << s.bytes_up << " bytes up, " << s.bytes_down
       << " bytes down, " << s.chaos_closes << " chaos closes, " << s.errors() << " errors\n";
  return line.str();
}

bool is_out_of_descriptors(const error_code& ec)
{
  return ec == asio::error::no_descriptors
    || ec == boost::system::errc::too_many_files_open_in_system;
}

bool is_closed_locally(const error_code& ec)
{
  return ec == asio::error::operation_aborted || ec == asio::error::bad_descriptor;
}

bool is_closed_by_peer(const error_code& ec)
{
  return ec == asio::error::connection_reset || ec == asio::error::connection_aborted
    || ec == asio::error::broken_pipe || ec == asio::error::not_connected;
}

failure kind_of(const error_code& ec, failure otherwise)
{
  if (is_out_of_descriptors(ec))
    return failure::descriptors;
  return is_closed_locally(ec) ? failure::closed_locally : otherwise;
}

//--------------------------------------------------------------------------------------------------
// Registry of the live sessions

class session;

// The entries are weak: the registry keeps no session alive. A session takes itself out in its
// destructor, so under the mutex the raw pointer is good even where the weak one has expired.
class registry
{
public:
  void add(const std::shared_ptr<session>& added);
  void remove(session& removed) noexcept;

  // Any session, but one that writes if there is one.
  template <typename Random>
  std::shared_ptr<session> pick(Random& random) const;

  // A copy, so that no function of a session, nor its destructor, runs under the mutex.
  std::vector<std::shared_ptr<session>> snapshot() const
  {
    std::vector<std::shared_ptr<session>> result;
    const std::lock_guard<std::mutex> lock(mutex_);
    result.reserve(entries_.size());
    for (const auto& one : entries_)
      if (auto alive = one.weak.lock())
        result.push_back(std::move(alive));
    return result;
  }

private:
  struct entry
  {
    session* raw;
    std::weak_ptr<session> weak;
  };

  mutable std::mutex mutex_;
  std::vector<entry> entries_; // guarded by mutex_, as is the slot_ of every session in it
};

//--------------------------------------------------------------------------------------------------
// Listener

// Accepts on a strand of its own, where all its members live except the atomics. At any time one of
// these holds: an accept is outstanding, the retry timer is, the pause for --max-connections is on,
// or it has stopped.
class listener
{
public:
  struct leave
  {
    void operator()(listener* entered) const noexcept
    {
      entered->session_ended();
    }
  };

  // Held by a session from its accept until its sockets are gone.
  using entry = std::unique_ptr<listener, leave>;
  using launcher = std::function<void(tcp::socket, entry)>;

  listener(asio::io_context& context, const options& opts, statistics& stats, launcher launch)
    : strand_(asio::make_strand(context)),
      acceptor_(context, opts.listen_endpoint),
      retry_(context),
      max_connections_(opts.max_connections.value),
      statistics_(stats),
      launch_(std::move(launch))
  {
  }

  tcp::endpoint local_endpoint() const
  {
    return acceptor_.local_endpoint();
  }

  // Any thread.
  void start()
  {
    asio::post(strand_, [this] { accept(); });
  }

  // Any thread.
  void stop()
  {
    asio::post(strand_,
      [this]
      {
        stopped_ = true;
        retry_.cancel();
        error_code ignored;
        acceptor_.close(ignored);
      });
  }

  // Any thread. A session found no descriptor for its upstream side: accepting more is of no use.
  void out_of_descriptors() noexcept
  {
    starved_ = true;
  }

private:
  void session_ended() noexcept
  {
    ++statistics_.ended;
    if (paused_.exchange(false))
      start();
  }

  void accept()
  {
    if (stopped_ || !has_room())
      return;
    if (starved_.exchange(false))
      return wait_for_descriptors();
    acceptor_.async_accept(asio::bind_executor(
      strand_, [this](error_code ec, tcp::socket peer) { on_accept(ec, std::move(peer)); }));
  }

  // The pause is published first and the count read again: a session that ends in between is either
  // seen here, or sees the pause. Only the thread that takes the flag back goes on accepting.
  bool has_room() noexcept
  {
    if (max_connections_ == 0 || statistics_.active() < max_connections_)
      return true;
    paused_ = true;
    return statistics_.active() < max_connections_ && paused_.exchange(false);
  }

  void on_accept(error_code ec, tcp::socket peer)
  {
    if (!ec)
    {
      launch(std::move(peer));
      accept();
    }
    else if (is_out_of_descriptors(ec))
    {
      wait_for_descriptors();
    }
    else if (!is_closed_locally(ec))
    {
      statistics_.count(failure::accept);
      accept_after(accept_error_pause);
    }
  }

  // Memory that runs out here ends the one session, not the accepting.
  void launch(tcp::socket peer) noexcept
  {
    ++statistics_.accepted;
    entry entered(this);
    try
    {
      launch_(std::move(peer), std::move(entered));
    }
    catch (const std::exception&)
    {
      statistics_.count(failure::exception);
    }
  }

  void wait_for_descriptors()
  {
    ++statistics_.descriptor_pauses;
    accept_after(descriptor_pause);
  }

  void accept_after(steady::duration pause)
  {
    retry_.expires_after(pause);
    retry_.async_wait(asio::bind_executor(strand_, [this](error_code) { accept(); }));
  }

  asio::strand<asio::io_context::executor_type> strand_;
  tcp::acceptor acceptor_;
  asio::steady_timer retry_;
  const unsigned max_connections_;
  statistics& statistics_;
  const launcher launch_;
  bool stopped_ = false;
  std::atomic<bool> paused_{false};
  std::atomic<bool> starved_{false};
};

//--------------------------------------------------------------------------------------------------
// Session

// Kept alive by the handlers of its chains, gone when the last of them is. Which thread ends it
// early is decided by one exchange on `over_`: that thread counts the failure and makes the
// connections useless; all others touch nothing any more.
class session : public std::enable_shared_from_this<session>
{
public:
  session(tcp::socket client, listener::entry entered, const options& opts, statistics& stats,
    registry& live)
    : entry_(std::move(entered)),
      options_(opts),
      statistics_(stats),
      registry_(live),
      client_(std::move(client)),
      upstream_(client_.get_executor()),
      resolver_(client_.get_executor()),
      up_(client_, upstream_, stats.bytes_up),
      down_(upstream_, client_, stats.bytes_down)
  {
  }

  ~session()
  {
    registry_.remove(*this);
  }

  void start()
  {
    registry_.add(shared_from_this());
    const auto& [host, port] = options_.upstream;
    resolver_.async_resolve(host, std::to_string(port),
      [self = shared_from_this()](error_code ec, const tcp::resolver::results_type& found)
      { self->on_resolve(ec, found); });
  }

  // Any thread, every now and then. While connecting the closing is repeated: async_connect opens
  // the socket anew for each address, which undoes a close that falls between two attempts.
  void sweep(steady::time_point now)
  {
    if (const auto kind = overdue(now))
      cut(*kind);
    if (over_ && stage_ == stage::connecting)
      close_both();
  }

  // Any thread. The outstanding operations of both chains are aborted, and so the session goes.
  void cut(failure kind)
  {
    if (claim_end(kind))
      close_both();
  }

  // Any thread. Whether a composed write is under way; it may have ended when this returns.
  bool writes() const noexcept
  {
    return up_.writing || down_.writing;
  }

  // The caller may close this socket, with no regard to what the chains are doing with it: the one
  // that is being written to, or the given side if neither or both are.
  tcp::socket& victim(bool upstream) noexcept
  {
    const bool up = up_.writing;
    return (up != down_.writing ? up : upstream) ? upstream_ : client_;
  }

private:
  friend class registry;

  enum class stage
  {
    resolving,
    connecting,
    relaying
  };

  // One chain: read some, write all of it, again. Only the chain uses the buffer, which is left
  // uninitialised: to fill it would cost more than most sessions move.
  struct direction
  {
    direction(tcp::socket& source, tcp::socket& target, counter& moved) noexcept
      : from(source),
        to(target),
        bytes(moved)
    {
    }

    tcp::socket& from;
    tcp::socket& to;
    counter& bytes;
    std::atomic<bool> writing{false};
    std::array<char, buffer_size> buffer;
  };

  void on_resolve(error_code ec, const tcp::resolver::results_type& found)
  {
    if (ec)
      return fail(kind_of(ec, failure::resolve));
    stage_ = stage::connecting;
    boost::asio::async_connect(
      upstream_, found,
      [self = shared_from_this()](const error_code&, const tcp::endpoint&) { return !self->over_; },
      [self = shared_from_this()](error_code ec, const tcp::endpoint&) { self->on_connect(ec); });
  }

  void on_connect(error_code ec)
  {
    stage_ = stage::relaying;
    touch();
    if (!ec)
      ec = prepare(client_);
    if (!ec)
      ec = prepare(upstream_);
    if (ec)
      return fail(kind_of(ec, failure::connect));
    read(up_);
    read(down_);
  }

  // From here on both chains start operations on both sockets at the same time. Asio's own sockets
  // bear that only if no initiation has to make the descriptor non-blocking any more. That no_delay
  // may fail is ignored: a connection which is broken already tells so better in the first read.
  error_code prepare(tcp::socket& socket)
  {
    error_code ec;
    if (over_)
      return asio::error::operation_aborted;
    socket.set_option(tcp::no_delay(true), ec);
    socket.native_non_blocking(true, ec);
    return ec;
  }

  void read(direction& way)
  {
    way.from.async_read_some(asio::buffer(way.buffer),
      [self = shared_from_this(), &way](error_code ec, std::size_t n)
      { self->on_read(way, ec, n); });
  }

  void on_read(direction& way, error_code ec, std::size_t n)
  {
    if (over_)
      return;
    touch();
    if (!ec)
      return write(way, n);
    if (ec != asio::error::eof)
      return fail_transfer(ec);
    error_code ignored; // a broken connection is for the other chain to find
    way.to.shutdown(tcp::socket::shutdown_send, ignored);
  }

  // The condition counts every partial write as activity: a slow reader is not an idle one.
  void write(direction& way, std::size_t n)
  {
    way.writing = true;
    boost::asio::async_write(
      way.to, asio::buffer(way.buffer, n),
      [self = shared_from_this()](const error_code& ec, std::size_t done)
      {
        self->touch();
        return asio::transfer_all()(ec, done);
      },
      [self = shared_from_this(), &way](error_code ec, std::size_t done)
      { self->on_written(way, ec, done); });
  }

  void on_written(direction& way, error_code ec, std::size_t n)
  {
    way.writing = false;
    way.bytes += n;
    if (over_)
      return;
    if (ec)
      return fail_transfer(ec);
    read(way);
  }

  void fail_transfer(error_code ec)
  {
    fail(kind_of(ec, is_closed_by_peer(ec) ? failure::reset : failure::other));
  }

  // A chain that cannot go on ends the other one by shutting both connections down: that lasts,
  // whatever the other is about to start, and leaves the closing to the destructor.
  void fail(failure kind)
  {
    if (!claim_end(kind))
      return;
    error_code ignored;
    client_.shutdown(tcp::socket::shutdown_both, ignored);
    upstream_.shutdown(tcp::socket::shutdown_both, ignored);
  }

  bool claim_end(failure kind) noexcept
  {
    if (over_.exchange(true))
      return false;
    statistics_.count(kind);
    if (kind == failure::descriptors)
      entry_->out_of_descriptors();
    return true;
  }

  // The resolver is Asio's own, not to be cancelled from here: its handler finds the session over.
  void close_both()
  {
    error_code ignored;
    client_.close(ignored);
    upstream_.close(ignored);
  }

  std::optional<failure> overdue(steady::time_point now) const noexcept
  {
    const bool relaying = stage_ == stage::relaying;
    const auto limit = (relaying ? options_.idle_timeout : options_.connect_timeout).value;
    const steady::time_point since{steady::duration(last_activity_)};
    if (limit == steady::duration::zero() || now - since < limit)
      return std::nullopt;
    return relaying ? failure::idle_timeout : failure::connect_timeout;
  }

  void touch() noexcept
  {
    last_activity_ = steady::now().time_since_epoch().count();
  }

  listener::entry entry_; // first: the next connection is let in after the sockets are gone
  const options& options_;
  statistics& statistics_;
  registry& registry_;
  std::size_t slot_ = 0; // guarded by the mutex of registry_
  std::atomic<bool> over_{false};
  std::atomic<stage> stage_{stage::resolving};
  std::atomic<steady::rep> last_activity_{steady::now().time_since_epoch().count()};
  tcp::socket client_;
  tcp::socket upstream_;
  tcp::resolver resolver_;
  direction up_;
  direction down_;
};

void registry::add(const std::shared_ptr<session>& added)
{
  const std::lock_guard<std::mutex> lock(mutex_);
  entries_.push_back({added.get(), added});
  added->slot_ = entries_.size() - 1;
}

template <typename Random>
std::shared_ptr<session> registry::pick(Random& random) const
{
  const std::lock_guard<std::mutex> lock(mutex_);
  if (entries_.empty())
    return nullptr;
  std::uniform_int_distribution<std::size_t> any(0, entries_.size() - 1);
  const auto first = entries_.begin() + static_cast<std::ptrdiff_t>(any(random));
  const auto writes = [](const entry& one) { return one.raw->writes(); };
  auto found = std::find_if(first, entries_.end(), writes);
  if (found == entries_.end())
    found = std::find_if(entries_.begin(), first, writes); // `first` if none writes
  return found->weak.lock();
}

// A session that failed to be added is not in the vector: its slot is free, or that of another session.
void registry::remove(session& removed) noexcept
{
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto slot = removed.slot_;
  if (slot >= entries_.size() || entries_[slot].raw != &removed)
    return;
  std::swap(entries_[slot], entries_.back());
  entries_[slot].raw->slot_ = slot;
  entries_.pop_back();
}

//--------------------------------------------------------------------------------------------------
// Threads

// An exception out of a handler ends that handler's chain; the loop goes on for all the others.
void run_loop(asio::io_context& context, statistics& stats)
{
  for (;;)
  {
    try
    {
      context.run();
      return;
    }
    catch (const std::exception& failed)
    {
      stats.count(failure::exception);
      std::cerr << std::string("relay: a handler failed: ") + failed.what() + '\n';
    }
  }
}

// The threads of a context. The last one to leave its loop calls `finished`. Always joined.
class loop_threads
{
public:
  explicit loop_threads(asio::io_context& context)
    : context_(context)
  {
  }

  ~loop_threads()
  {
    context_.stop();
    for (auto& one : threads_)
      one.join();
  }

  void start(unsigned n, statistics& stats, const std::function<void()>& finished)
  {
    running_ = n;
    threads_.reserve(n);
    while (threads_.size() != n)
      threads_.emplace_back(
        [this, &stats, finished]
        {
          run_loop(context_, stats);
          if (--running_ == 0)
            finished();
        });
  }

private:
  asio::io_context& context_;
  std::atomic<unsigned> running_{0};
  std::vector<std::thread> threads_;
};

// The foreign thread. It keeps the session it has picked alive, and is careful about nothing else.
class chaos_thread
{
public:
  chaos_thread(const registry& live, statistics& stats, unsigned closes_per_second)
    : registry_(live),
      statistics_(stats),
      period_(steady::duration(1s) / closes_per_second),
      thread_([this] { run(); })
  {
  }

  ~chaos_thread()
  {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

private:
  void run()
  {
    auto next = steady::now();
    std::unique_lock<std::mutex> lock(mutex_);
    while (!wake_.wait_until(lock, next += period_, [this] { return stopping_; }))
    {
      lock.unlock();
      strike();
      lock.lock();
    }
  }

  void strike()
  {
    const auto picked = registry_.pick(random_);
    if (!picked)
      return;
    auto& socket = picked->victim(std::bernoulli_distribution()(random_));
    if (!socket.is_open())
      return;
    error_code ignored;
    socket.close(ignored);
    ++statistics_.chaos_closes;
  }

  const registry& registry_;
  statistics& statistics_;
  const steady::duration period_;
  std::mt19937 random_{std::random_device{}()};
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false; // guarded by mutex_
  std::thread thread_;    // last: it uses all of the above
};

//--------------------------------------------------------------------------------------------------
// Relay

// Traffic and control have a context each. The calling thread runs control (signals, timers, status
// line): none of that needs a lock, and it answers whatever the loops of the traffic are doing. All
// that can throw comes before the first accept: no session is left when run() is, one way or other.
class relay
{
public:
  explicit relay(const options& opts)
    : options_(opts),
      listener_(traffic_, opts, statistics_,
        [this](tcp::socket client, listener::entry entered)
        { launch(std::move(client), std::move(entered)); })
  {
  }

  void run()
  {
    wait_for_signal();
    schedule_status();
    schedule_sweep();
    schedule_end();
    relay_until_drained();
    std::cout << summary_line(statistics_) << std::flush;
  }

private:
  void launch(tcp::socket client, listener::entry entered)
  {
    std::make_shared<session>(std::move(client), std::move(entered), options_, statistics_, live_)
      ->start();
  }

  void relay_until_drained()
  {
    loop_threads loops(traffic_);
    loops.start(options_.threads.value, statistics_, [this] { control_.stop(); });
    std::optional<chaos_thread> chaos;
    if (options_.chaos.value != 0)
      chaos.emplace(live_, statistics_, options_.chaos.value);
    std::cout << "listening on " << listener_.local_endpoint() << std::endl;
    listener_.start();
    run_loop(control_, statistics_);
  }

  void wait_for_signal()
  {
    signals_.async_wait([this](error_code, int signal) { on_signal(signal); });
  }

  void on_signal(int signal)
  {
    if (std::exchange(signalled_, true))
      exit_now(128 + signal);
    wait_for_signal();
    begin_drain();
  }

  void schedule_status()
  {
    if (options_.status.value == steady::duration::zero())
      return;
    status_.expires_after(options_.status.value);
    status_.async_wait(
      [this](error_code)
      {
        schedule_status();
        std::cerr << status_line(statistics_);
      });
  }

  // Often enough for a timeout to be late by an eighth of itself at most.
  void schedule_sweep()
  {
    steady::duration period = 1s;
    for (const auto limit : {options_.idle_timeout.value, options_.connect_timeout.value})
      if (limit != steady::duration::zero())
        period = std::min(period, limit / 8);
    sweep_.expires_after(std::max<steady::duration>(period, 10ms));
    sweep_.async_wait(
      [this](error_code)
      {
        schedule_sweep();
        sweep();
      });
  }

  void schedule_end()
  {
    if (options_.run_for.value == steady::duration::zero())
      return;
    end_.expires_after(options_.run_for.value);
    end_.async_wait([this](error_code) { begin_drain(); });
  }

  void sweep()
  {
    const auto now = steady::now();
    for (const auto& one : live_.snapshot())
    {
      if (deadline_passed_)
        one->cut(failure::drain);
      one->sweep(now);
    }
  }

  // The loops end by themselves after the last session; the last of their threads stops control.
  void begin_drain()
  {
    if (std::exchange(draining_, true))
      return;
    listener_.stop();
    keep_traffic_.reset();
    drain_.expires_after(options_.drain.value);
    drain_.async_wait([this](error_code) { end_drain(); });
  }

  // A session accepted at the last moment may not be registered yet: a later sweep cuts it.
  void end_drain()
  {
    deadline_passed_ = true;
    drain_.expires_after(abandon_grace);
    drain_.async_wait([this](error_code) { abandon(); });
    sweep();
  }

  // What still holds a session is a name look-up, which nothing interrupts: not to be waited for.
  void abandon()
  {
    std::cerr << "relay: " << statistics_.active() << " sessions did not end in time\n";
    exit_now(EXIT_SUCCESS);
  }

  [[noreturn]] void exit_now(int status)
  {
    std::cout << summary_line(statistics_) << std::flush;
    std::_Exit(status);
  }

  // Handlers left in a context, and destroyed with it, may refer to what is declared above it.
  const options& options_;
  statistics statistics_;
  registry live_;
  asio::io_context traffic_;
  asio::io_context control_;
  asio::executor_work_guard<asio::io_context::executor_type> keep_traffic_{traffic_.get_executor()};
  listener listener_;
  asio::signal_set signals_{control_, SIGINT, SIGTERM};
  asio::steady_timer status_{control_};
  asio::steady_timer sweep_{control_};
  asio::steady_timer drain_{control_};
  asio::steady_timer end_{control_};
  bool signalled_ = false;
  bool draining_ = false;
  bool deadline_passed_ = false;
};

} // namespace

int main(int argc, char* argv[])
{
  std::signal(SIGPIPE, SIG_IGN); // a reader of the status line that goes away ends nothing here
  try
  {
    if (const auto opts = parse_command_line(argc, argv))
      relay(*opts).run();
    return EXIT_SUCCESS;
  }
  catch (const po::error& failed)
  {
    std::cerr << "relay: " << failed.what() << "; see --help\n";
    return 2;
  }
  catch (const boost::system::system_error& failed)
  {
    std::cerr << "relay: cannot listen: " << failed.code().message() << '\n';
    return EXIT_FAILURE;
  }
  catch (const std::exception& failed)
  {
    std::cerr << "relay: " << failed.what() << '\n';
    return EXIT_FAILURE;
  }
}
