// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// What thousands of closes cost that wait for their peers at the same time:
//
//   lingering [TURNS [SECONDS [CONNECTIONS...]]]     by default 5, 2, and 500 to 8000
//
// Each connection is full, of loopback TCP, and its peer does not read; async_close is to deliver.
// Shown is, for growing numbers of connections: the threads of the library that there are; the memory
// that a close takes up, and of which blocks it consists; the round trips of an echo on the event loop
// while all of them linger, beside those just before the first close; and how long it takes, once the
// peers read, until every handler has been called. Of this the library's thread has its share, which is
// given in processor time as well: other load does not count there. The process has a second thread from
// the start, since glibc's system call wrappers cost more from then on.
//
// Each turn goes through all numbers of connections, so that all see the same machine; ratios are taken within a turn,
// and reported as median and quartiles. Ends with 1 if a close had another outcome than it should.

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <future>
#include <new>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <dirent.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <interlock/close_mode.hpp>
#include <interlock/ip/tcp.hpp>

#include "descriptor_limit.hpp"
#include "measure.hpp"

namespace asio = boost::asio;

// --- Memory: the program's own operator new, which is all that lasting memory is allocated with.

namespace {

constexpr std::size_t class_size = 8;
constexpr std::size_t classes = 4096 / class_size;

std::atomic<long> bytes_live{0};
std::array<std::atomic<long>, classes> blocks_live{};

void count(void* memory, long sign) noexcept
{
  const std::size_t size = ::malloc_usable_size(memory);
  bytes_live.fetch_add(sign * long(size), std::memory_order_relaxed);
  blocks_live[std::min(size / class_size, classes - 1)].fetch_add(sign, std::memory_order_relaxed);
}

} // namespace

// Not inlined: gcc would take malloc(3) and free(3) for a mismatch with their other halves.

[[gnu::noinline]] void* operator new(std::size_t size)
{
  void* const memory = std::malloc(std::max<std::size_t>(size, 1));
  if (!memory)
    throw std::bad_alloc();
  count(memory, 1);
  return memory;
}

[[gnu::noinline]] void operator delete(void* memory) noexcept
{
  if (memory)
    count(memory, -1);
  std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept
{
  operator delete(memory);
}

namespace {

using clock_type = std::chrono::steady_clock;

double seconds_since(clock_type::time_point t)
{
  return std::chrono::duration<double>(clock_type::now() - t).count();
}

void require(bool holds, const char* what)
{
  if (holds)
    return;
  std::fprintf(stderr, "lingering: %s\n", what);
  std::exit(1);
}

/// The memory in use at one moment.
struct memory_use
{
  long bytes = bytes_live;
  std::vector<long> blocks{blocks_live.begin(), blocks_live.end()};

  /// What has come since, for each of so many closes: in bytes, and block by block.
  void print_growth(const char* what, std::size_t closes) const
  {
    const memory_use now;
    const double each = double(now.bytes - bytes) / double(closes);
    std::printf("  %-38s %7.1f bytes:", what, each);
    bench::record(std::to_string(closes) + ": " + what, {each});
    for (std::size_t i = 0; i != classes; ++i)
      for (long n = now.blocks[i] - blocks[i] + long(closes) / 2; n >= long(closes);
           n -= long(closes))
        std::printf(" %zu", i * class_size);
    std::printf("\n");
  }
};

// --- The threads of the library.

std::vector<std::string> library_threads()
{
  std::vector<std::string> found;
  ::DIR* const folder = ::opendir("/proc/self/task");
  require(folder != nullptr, "cannot read /proc/self/task");
  while (const ::dirent* entry = ::readdir(folder))
  {
    const std::string path = std::string("/proc/self/task/") + entry->d_name;
    std::string name;
    if (std::getline(std::ifstream(path + "/comm"), name) && name == "interlock")
      found.push_back(path);
  }
  ::closedir(folder);
  return found;
}

/// Processor time of a thread so far, in seconds.
double time_of(const std::string& thread)
{
  double nanoseconds = 0;
  std::ifstream(thread + "/schedstat") >> nanoseconds;
  return nanoseconds / 1e9;
}

// --- Connections.

/// One descriptor of a peer; abandoned with a reset, so that it leaves nothing behind.
class peer
{
public:
  explicit peer(int fd)
    : fd_(fd)
  {
    require(fd >= 0, "no connection");
  }

  peer(peer&& other) noexcept
    : fd_(std::exchange(other.fd_, -1))
  {
  }

  peer& operator=(peer&&) = delete;

  ~peer()
  {
    const ::linger none = {1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    ::close(fd_);
  }

  int fd() const
  {
    return fd_;
  }

  /// Takes what is there. Whether it was the last.
  bool drain() const
  {
    for (;;)
    {
      const ::ssize_t got = ::recv(fd_, nullptr, 1 << 20, MSG_TRUNC | MSG_DONTWAIT);
      if (got <= 0)
        return got == 0;
    }
  }

private:
  int fd_;
};

int state_of(int fd)
{
  ::tcp_info info = {};
  ::socklen_t size = sizeof(info);
  require(::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0, "no TCP_INFO");
  return info.tcpi_state;
}

void fill(int fd)
{
  static const char zeros[65536] = {};
  while (::send(fd, zeros, sizeof(zeros), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
    continue;
}

class connections
{
public:
  connections(asio::io_context& context, std::size_t count)
  {
    asio::ip::tcp::acceptor acceptor(
      context, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    acceptor.set_option(asio::socket_base::receive_buffer_size(4096));
    ends.reserve(count);
    peers.reserve(count);
    for (std::size_t i = 0; i != count; ++i)
    {
      auto& end = ends.emplace_back(context, asio::ip::tcp::v4());
      end.set_option(asio::socket_base::send_buffer_size(8192));
      end.connect(acceptor.local_endpoint());
      peers.emplace_back(::accept4(acceptor.native_handle(), nullptr, nullptr, SOCK_CLOEXEC));
      fill(end.native_handle());
      fds.push_back(end.native_handle());
    }
  }

  /// All closes have got to where they wait for their peers.
  void wait_until_lingering() const
  {
    for (const int fd : fds)
      while (state_of(fd) != TCP_FIN_WAIT1)
        std::this_thread::yield();
  }

  /// Reads all that comes, of all peers, to its end.
  void drain() const
  {
    const int set = ::epoll_create1(EPOLL_CLOEXEC);
    for (const peer& p : peers)
    {
      ::epoll_event e = {};
      e.events = EPOLLIN;
      e.data.ptr = const_cast<peer*>(&p);
      require(::epoll_ctl(set, EPOLL_CTL_ADD, p.fd(), &e) == 0, "no EPOLL_CTL_ADD");
    }
    for (std::size_t left = peers.size(); left != 0;)
      left -= drain_some(set);
    ::close(set);
  }

  std::vector<interlock::ip::tcp::socket> ends;
  std::vector<peer> peers;
  std::vector<int> fds;

private:
  static std::size_t drain_some(int set)
  {
    ::epoll_event events[256];
    const int ready = ::epoll_wait(set, events, 256, -1);
    std::size_t ended = 0;
    for (int i = 0; i < ready; ++i)
    {
      const peer& p = *static_cast<peer*>(events[i].data.ptr);
      if (!p.drain())
        continue;
      ::epoll_ctl(set, EPOLL_CTL_DEL, p.fd(), nullptr);
      ++ended;
    }
    return ended;
  }
};

// --- The heartbeat of the event loop.

/// A message that goes to and fro on one event loop, over a connection of Asio's, until time is up.
class echo
{
public:
  explicit echo(asio::io_context& context)
    : context_(context),
      near_(context),
      far_(context)
  {
    asio::ip::tcp::acceptor acceptor(
      context, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    near_.connect(acceptor.local_endpoint());
    acceptor.accept(far_);
    near_.set_option(asio::ip::tcp::no_delay(true));
    far_.set_option(asio::ip::tcp::no_delay(true));
  }

  /// The times of all round trips in so many seconds; runs the context meanwhile.
  std::vector<double> beat(double seconds)
  {
    std::vector<double> times;
    times.reserve(1 << 20);
    const auto begun = clock_type::now();
    bool over = false;
    context_.restart();
    std::function<void()> next = [&]
    {
      over = seconds_since(begun) > seconds;
      if (!over)
        round(times, next);
    };
    next();
    while (!over)
      context_.run_one();
    return times;
  }

private:
  void round(std::vector<double>& times, const std::function<void()>& next)
  {
    const auto sent = clock_type::now();
    send(near_, far_,
      [this, &times, &next, sent]
      {
        send(far_, near_,
          [&times, &next, sent]
          {
            times.push_back(seconds_since(sent));
            next();
          });
      });
  }

  template <class Then>
  void send(asio::ip::tcp::socket& from, asio::ip::tcp::socket& to, Then then)
  {
    asio::async_read(to, asio::buffer(in_),
      [then](boost::system::error_code ec, std::size_t)
      {
        require(!ec, "the echo has failed");
        then();
      });
    asio::async_write(from, asio::buffer(out_), [](boost::system::error_code, std::size_t) {});
  }

  asio::io_context& context_;
  asio::ip::tcp::socket near_;
  asio::ip::tcp::socket far_;
  std::array<char, 64> out_{};
  std::array<char, 64> in_{};
};

constexpr std::array<double, 3> percentiles = {0.5, 0.99, 0.999};

// --- What is reported.

void print(const char* format, const std::vector<double>& values)
{
  const bench::spread s(values);
  std::printf(format, s.median, s.lower, s.upper);
}

/// Of one number of connections, over all turns.
struct findings
{
  std::size_t connections = 0;
  std::array<std::vector<double>, percentiles.size()> quiet, ratio; // of the echo
  std::vector<double> time, growth, thread_time, thread_growth;     // per close

  void report() const
  {
    std::printf("%zu connections\n", connections);
    for (std::size_t i = 0; i != percentiles.size(); ++i)
    {
      std::printf("  echo p%-5g", percentiles[i] * 100);
      print(" %8.1f us [%.1f .. %.1f] when quiet,", quiet[i]);
      print(" against it %.3f [%.3f .. %.3f]\n", ratio[i]);
    }
    bench::record(std::to_string(connections) + ": echo p99.9, against quiet", ratio.back());
    print("  until all are closed %8.2f us each [%.2f .. %.2f],", time);
    print(" against the fewest %.3f [%.3f .. %.3f]\n", growth);
    print("  the library's thread %8.2f us each [%.2f .. %.2f],", thread_time);
    print(" against the fewest %.3f [%.3f .. %.3f]\n", thread_growth);
  }
};

struct cost
{
  double time = 0;
  double thread_time = 0;
};

class turn
{
public:
  turn(findings& f, double seconds, bool first)
    : findings_(f),
      seconds_(seconds),
      first_(first),
      echo_(context_),
      connections_(context_, f.connections)
  {
  }

  cost run()
  {
    const auto quiet = echo_.beat(seconds_);
    close_all();
    const auto lingering = echo_.beat(seconds_);
    for (std::size_t i = 0; i != percentiles.size(); ++i)
    {
      const double before = bench::percentile(quiet, percentiles[i]);
      findings_.quiet[i].push_back(before * 1e6);
      findings_.ratio[i].push_back(bench::percentile(lingering, percentiles[i]) / before);
    }
    return deliver_all();
  }

private:
  void close_all()
  {
    const memory_use before;
    for (auto& end : connections_.ends)
      end.async_close(interlock::close_mode::deliver(std::chrono::minutes(10)),
        [this](boost::system::error_code ec, const interlock::close_report& report)
        { good_ += !ec && report.outcome == interlock::close_outcome::acknowledged; });
    context_.restart();
    context_.poll();
    connections_.wait_until_lingering();
    const auto threads = library_threads();
    require(threads.size() == 1, "there is not one thread of the library");
    thread_ = threads.front();
    if (!first_)
      return;
    std::printf(
      "%zu connections linger: %zu thread of the library\n", findings_.connections, threads.size());
    before.print_growth("each close has taken up", findings_.connections);
    connections_.ends.clear();
    before.print_growth("without the objects, which are freed,", findings_.connections);
  }

  /// Per close.
  cost deliver_all()
  {
    const double thread_before = time_of(thread_);
    const auto begun = clock_type::now();
    std::thread peers([this] { connections_.drain(); });
    context_.run();
    const double n = double(findings_.connections);
    const cost spent = {
      seconds_since(begun) / n * 1e6, (time_of(thread_) - thread_before) / n * 1e6};
    peers.join();
    require(good_ == findings_.connections, "a close has not been acknowledged");
    return spent;
  }

  findings& findings_;
  const double seconds_;
  const bool first_;
  asio::io_context context_;
  echo echo_;
  connections connections_;
  std::size_t good_ = 0;
  std::string thread_;
};

std::vector<findings> wanted_findings(int argc, char** argv)
{
  std::vector<std::size_t> counts = {500, 1000, 2000, 4000, 8000};
  if (argc > 3)
    counts.clear();
  for (int i = 3; i < argc; ++i)
    counts.push_back(std::strtoul(argv[i], nullptr, 10));
  // Each has two descriptors.
  const std::size_t wanted = 2 * *std::max_element(counts.begin(), counts.end());
  const std::size_t most = std::max<std::size_t>(bench::possible_descriptors(wanted), 2) / 2;
  std::vector<findings> all;
  for (const std::size_t n : counts)
  {
    if (n > most)
      std::printf("NOT %zu connections: the limit of descriptors allows %zu\n", n, most);
    all.emplace_back().connections = std::min(n, most);
  }
  return all;
}

} // namespace

int main(int argc, char** argv)
{
  const int turns = argc > 1 ? std::atoi(argv[1]) : 5;
  const double seconds = argc > 2 ? std::atof(argv[2]) : 2;
  std::vector<findings> all = wanted_findings(argc, argv);
  std::promise<void> done;
  std::thread second([over = done.get_future()] { over.wait(); });
  for (int i = 0; i < turns; ++i)
  {
    cost fewest;
    for (findings& f : all)
    {
      const cost spent = turn(f, seconds, i == 0).run();
      if (&f == &all.front())
        fewest = spent;
      f.time.push_back(spent.time);
      f.thread_time.push_back(spent.thread_time);
      f.growth.push_back(spent.time / fewest.time);
      f.thread_growth.push_back(spent.thread_time / fewest.thread_time);
    }
  }
  std::printf("%d turns, %g seconds of echo each; median [quartiles]\n", turns, seconds);
  for (findings& f : all)
    f.report();
  done.set_value();
  second.join();
}
