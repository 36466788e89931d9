// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A TCP relay between two ports of the loopback address, whose sessions run on no strand: each is two
// independent chains of callbacks, one per direction. What the chains share is atomic. Sockets are
// closed from any thread: by the end of the drain and, with --chaos, by a foreign thread that
// synchronises with no other. Over Interlock's sockets all of that is allowed. With RELAY_PLAIN_ASIO
// defined the same source uses Asio's own sockets, and --chaos shows the race.

#if defined(RELAY_PLAIN_ASIO)
#include <boost/asio/ip/tcp.hpp>
#else
#include <interlock/ip/tcp.hpp>
#endif

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace asio = boost::asio;
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
constexpr auto accept_error_pause = 100ms;
constexpr auto cut_period = 10ms;
constexpr auto abandon_grace = 1s;

// What the command line may set, each by its name and a number. Ports are those of 127.0.0.1.
using options = std::map<std::string, double>;

const options defaults = {
  {"--listen", 0},   // a port; with 0 the system chooses one
  {"--upstream", 0}, // the port to connect to
  {"--threads", 2},  // of the loop
  {"--drain", 10},   // seconds for the sessions to end by themselves after SIGINT or SIGTERM
  {"--run-for", 0},  // seconds after which the drain begins without a signal; 0: never
  // How many live sockets a foreign thread closes each second, at random among those that are being
  // written to, if any are.
  {"--chaos", 0},
};

steady::duration seconds(double value)
{
  return std::chrono::duration_cast<steady::duration>(std::chrono::duration<double>(value));
}

tcp::endpoint local_port(double port)
{
  return {asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(port)};
}

// Counted in by any thread.
struct statistics
{
  counter begun{0}, ended{0}, chaos_closes{0}, bytes_up{0}, bytes_down{0}, errors{0};
};

void print_summary(const statistics& s)
{
  std::cout << "served " << s.ended << " sessions, " << s.bytes_up << " bytes up, " << s.bytes_down
            << " bytes down, " << s.chaos_closes << " chaos closes, " << s.errors << " errors"
            << std::endl;
}

//--------------------------------------------------------------------------------------------------
// Registry of the live sessions

class session;

// The entries are weak: the registry keeps no session alive. A session takes itself out in its
// destructor, so under the mutex the key is good even where the weak pointer has expired.
class registry
{
public:
  void add(const std::shared_ptr<session>& added)
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    entries_.emplace(added.get(), added);
  }

  void remove(session& removed) noexcept
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    entries_.erase(&removed);
  }

  // Any session, but one that writes if there is one.
  template <typename Random>
  std::shared_ptr<session> pick(Random& random) const;

  // A copy, so that no function of a session, nor its destructor, runs under the mutex.
  std::vector<std::shared_ptr<session>> snapshot() const
  {
    std::vector<std::shared_ptr<session>> result;
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& one : entries_)
      if (auto alive = one.second.lock())
        result.push_back(std::move(alive));
    return result;
  }

private:
  mutable std::mutex mutex_;
  std::map<session*, std::weak_ptr<session>> entries_; // guarded by mutex_
};

//--------------------------------------------------------------------------------------------------
// Session

// Kept alive by the handlers of its chains, gone when the last of them is. Which thread ends it
// early is decided by one exchange on `over_`: that thread counts the error and makes the
// connections useless; all others touch nothing any more.
class session : public std::enable_shared_from_this<session>
{
public:
  session(tcp::socket client, statistics& stats, registry& live)
    : statistics_(stats),
      registry_(live),
      client_(std::move(client)),
      upstream_(client_.get_executor()),
      up_(client_, upstream_, stats.bytes_up),
      down_(upstream_, client_, stats.bytes_down)
  {
    ++statistics_.begun;
  }

  ~session()
  {
    registry_.remove(*this);
    ++statistics_.ended;
  }

  void start(const tcp::endpoint& where)
  {
    registry_.add(shared_from_this());
    upstream_.async_connect(
      where, [self = shared_from_this()](error_code ec) { self->on_connect(ec); });
  }

  // Any thread, more than once: a connect that begins only now opens the socket again. The outstanding
  // operations of both chains are aborted, and so the session goes.
  void cut()
  {
    claim_end();
    error_code ignored;
    client_.close(ignored);
    upstream_.close(ignored);
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

  void on_connect(error_code ec)
  {
    if (!ec)
      ec = prepare(client_);
    if (!ec)
      ec = prepare(upstream_);
    if (ec)
      return fail();
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
    if (!ec)
      return write(way, n);
    if (ec != asio::error::eof)
      return fail();
    error_code ignored; // a broken connection is for the other chain to find
    way.to.shutdown(tcp::socket::shutdown_send, ignored);
  }

  void write(direction& way, std::size_t n)
  {
    way.writing = true;
    boost::asio::async_write(way.to, asio::buffer(way.buffer, n),
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
      return fail();
    read(way);
  }

  // A chain that cannot go on ends the other one by shutting both connections down: that lasts,
  // whatever the other is about to start, and leaves the closing to the destructor.
  void fail()
  {
    if (!claim_end())
      return;
    error_code ignored;
    client_.shutdown(tcp::socket::shutdown_both, ignored);
    upstream_.shutdown(tcp::socket::shutdown_both, ignored);
  }

  bool claim_end() noexcept
  {
    const bool first = !over_.exchange(true);
    statistics_.errors += first;
    return first;
  }

  statistics& statistics_;
  registry& registry_;
  std::atomic<bool> over_{false};
  tcp::socket client_;
  tcp::socket upstream_;
  direction up_;
  direction down_;
};

template <typename Random>
std::shared_ptr<session> registry::pick(Random& random) const
{
  const std::lock_guard<std::mutex> lock(mutex_);
  if (entries_.empty())
    return nullptr;
  std::uniform_int_distribution<std::ptrdiff_t> any(
    0, static_cast<std::ptrdiff_t>(entries_.size()) - 1);
  const auto first = std::next(entries_.begin(), any(random));
  const auto writes = [](const auto& one) { return one.first->writes(); };
  auto found = std::find_if(first, entries_.end(), writes);
  if (found == entries_.end())
    found = std::find_if(entries_.begin(), first, writes); // `first` if none writes
  return found->second.lock();
}

//--------------------------------------------------------------------------------------------------
// Threads

// The foreign thread. It keeps the session it has picked alive, and is careful about nothing else.
class chaos_thread
{
public:
  chaos_thread(const registry& live, statistics& stats, double closes_per_second)
    : registry_(live),
      statistics_(stats),
      period_(seconds(1 / closes_per_second)),
      thread_([this] { run(); })
  {
  }

  ~chaos_thread()
  {
    context_.stop();
    thread_.join();
  }

private:
  void run()
  {
    strike_later();
    context_.run();
  }

  void strike_later()
  {
    timer_.expires_at(next_ += period_);
    timer_.async_wait(
      [this](error_code)
      {
        strike_later();
        strike();
      });
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
  asio::io_context context_;
  asio::steady_timer timer_{context_};
  steady::time_point next_ = steady::now();
  std::thread thread_; // last: it uses all of the above
};

//--------------------------------------------------------------------------------------------------
// Relay

// Traffic and control have a context each. The calling thread runs control (signals, timers): none of
// that needs a lock, and it answers whatever the loops of the traffic are doing. They end by
// themselves after the last session; the last of their threads stops control. The acceptor and the
// timer of its retries are used on a strand.
class relay
{
public:
  explicit relay(options opts)
    : options_(std::move(opts))
  {
  }

  void run()
  {
    signals_.async_wait([this](error_code, int) { begin_drain(); });
    if (setting("--run-for") != 0)
      after(seconds(setting("--run-for")), &relay::begin_drain);
    std::vector<std::thread> loops;
    const auto threads = static_cast<std::size_t>(setting("--threads"));
    std::atomic<std::size_t> running{threads};
    while (loops.size() != threads)
      loops.emplace_back(
        [&]
        {
          traffic_.run();
          if (--running == 0)
            control_.stop();
        });
    std::optional<chaos_thread> chaos;
    if (setting("--chaos") != 0)
      chaos.emplace(live_, statistics_, setting("--chaos"));
    std::cout << "listening on " << acceptor_.local_endpoint() << std::endl;
    asio::post(strand_, [this] { accept(); });
    control_.run();
    for (auto& one : loops)
      one.join();
    chaos.reset();
    print_summary(statistics_);
  }

private:
  double setting(const char* name) const
  {
    return options_.at(name);
  }

  void accept()
  {
    acceptor_.async_accept(asio::bind_executor(
      strand_, [this](error_code ec, tcp::socket peer) { on_accept(ec, std::move(peer)); }));
  }

  void on_accept(error_code ec, tcp::socket peer)
  {
    if (!ec)
    {
      std::make_shared<session>(std::move(peer), statistics_, live_)
        ->start(local_port(setting("--upstream")));
      accept();
    }
    else if (acceptor_.is_open()) // For want of descriptors, most likely.
    {
      ++statistics_.errors;
      retry_.expires_after(accept_error_pause);
      retry_.async_wait(asio::bind_executor(strand_, [this](error_code) { accept(); }));
    }
  }

  void after(steady::duration time, void (relay::*step)())
  {
    timer_.expires_after(time);
    timer_.async_wait(
      [this, step](error_code ec)
      {
        if (!ec)
          (this->*step)();
      });
  }

  void begin_drain()
  {
    asio::post(strand_,
      [this]
      {
        error_code ignored;
        acceptor_.close(ignored);
        retry_.cancel();
      });
    keep_traffic_.reset();
    give_up_ = steady::now() + seconds(setting("--drain")) + abandon_grace;
    after(seconds(setting("--drain")), &relay::cut_all);
  }

  // Again and again: a session that was accepted at the last moment may not be registered yet.
  void cut_all()
  {
    if (steady::now() >= give_up_)
    {
      std::cerr << "relay: " << statistics_.begun - statistics_.ended
                << " sessions did not end in time\n";
      print_summary(statistics_);
      std::_Exit(EXIT_SUCCESS);
    }
    for (const auto& one : live_.snapshot())
      one->cut();
    after(cut_period, &relay::cut_all);
  }

  // Handlers left in a context, and destroyed with it, may refer to what is declared above it.
  const options options_;
  statistics statistics_;
  registry live_;
  asio::io_context traffic_;
  asio::io_context control_;
  asio::executor_work_guard<asio::io_context::executor_type> keep_traffic_{traffic_.get_executor()};
  asio::strand<asio::io_context::executor_type> strand_{traffic_.get_executor()};
  tcp::acceptor acceptor_{traffic_, local_port(setting("--listen"))};
  asio::steady_timer retry_{traffic_};
  asio::signal_set signals_{control_, SIGINT, SIGTERM};
  asio::steady_timer timer_{control_};
  steady::time_point give_up_;
};

} // namespace

int main(int argc, char* argv[])
{
  std::signal(SIGPIPE, SIG_IGN); // a reader of the summary that goes away ends nothing here
  try
  {
    options opts = defaults;
    for (int i = 1; i + 1 < argc; i += 2)
      opts.at(argv[i]) = std::stod(argv[i + 1]);
    relay(std::move(opts)).run();
    return EXIT_SUCCESS;
  }
  catch (const std::exception& failed)
  {
    std::cerr << "relay: " << failed.what() << '\n';
    return EXIT_FAILURE;
  }
}
