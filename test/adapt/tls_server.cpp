// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// TLS under load: a server of thousands of connections that a group closes, and stacks that a foreign thread closes at
// random. No response is cut short by a close that delivers.
//
// The clients, over plain Asio, check every byte. A client asks for one response after the other: a number, to which
// that many bytes of a pattern are the answer.

#include <interlock/adapt/ssl.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>

#include <interlock/close_group.hpp>

#include "support/descriptors.hpp"
#include "support/wait_until.hpp"
#include "tls_scene.hpp"

using interlock::close_group;
using interlock::close_tally;
using std::chrono::seconds;
using support::wait_until;

namespace {

using namespace adapt;

using request = std::uint32_t;

/// No two bytes of it that are a record apart are alike.
std::vector<char> response_of(std::size_t size)
{
  std::vector<char> r(size);
  for (std::size_t i = 0; i != size; ++i)
    r[i] = static_cast<char>(size + i + (i >> 8) * 7);
  return r;
}

/// One connection of the server, which its handlers keep.
class tls_session : public std::enable_shared_from_this<tls_session>
{
public:
  using stream_type = ssl::stream<tcp::socket>;

  tls_session(tcp::socket&& s, ssl::context& tls)
    : stream_(std::move(s), tls)
  {
  }

  /// The stream, as a part of the session.
  std::shared_ptr<stream_type> stream()
  {
    return {shared_from_this(), &stream_};
  }

  void start()
  {
    stream_.async_handshake(ssl::stream_base::server,
      [self = shared_from_this()](error_code ec)
      {
        if (!ec)
          self->read();
      });
  }

private:
  void read()
  {
    asio::async_read(stream_, asio::buffer(&request_, sizeof(request_)),
      [self = shared_from_this()](error_code ec, std::size_t)
      {
        if (!ec)
          self->write();
      });
  }

  void write()
  {
    response_ = response_of(request_);
    asio::async_write(stream_, asio::buffer(response_),
      [self = shared_from_this()](error_code ec, std::size_t)
      {
        if (!ec)
          self->read();
      });
  }

  stream_type stream_;
  request request_ = 0;
  std::vector<char> response_;
};

/// What the clients have seen. Any thread may read it.
struct seen_by_clients
{
  std::atomic<std::size_t> open{0};      ///< Clients that have got a response.
  std::atomic<std::size_t> clean{0};     ///< Ends with close_notify, between two responses.
  std::atomic<std::size_t> truncated{0}; ///< Other ends between two responses.
  std::atomic<std::size_t> cut{0};       ///< Ends in the middle of a response.
  std::atomic<std::size_t> wrong{0};     ///< Responses with a byte that is wrong.
};

class tls_client : public std::enable_shared_from_this<tls_client>
{
public:
  /// One that is silent neither asks nor reads.
  tls_client(asio::io_context& context, ssl::context& tls, seen_by_clients& seen, bool is_silent)
    : stream_(context, tls),
      seen_(seen),
      is_silent_(is_silent)
  {
  }

  /// `ended` is called when the connection has ended.
  void start(const asio::ip::tcp::endpoint& where, std::size_t size, std::function<void()> ended)
  {
    size_ = size;
    ended_ = std::move(ended);
    stream_.next_layer().async_connect(where,
      [self = shared_from_this()](error_code ec) { ec ? self->end(ec) : self->shake_hands(); });
  }

  void close()
  {
    error_code ignored;
    stream_.next_layer().close(ignored);
  }

private:
  void shake_hands()
  {
    stream_.async_handshake(ssl::stream_base::client,
      [self = shared_from_this()](error_code ec)
      {
        if (ec)
          self->end(ec);
        else if (self->is_silent_)
          ++self->seen_.open;
        else
          self->ask();
      });
  }

  void ask()
  {
    request_ = static_cast<request>(size_);
    response_.assign(size_, 0);
    got_ = 0;
    asio::async_write(stream_, asio::buffer(&request_, sizeof(request_)),
      [self = shared_from_this()](error_code, std::size_t) {});
    read();
  }

  void read()
  {
    stream_.async_read_some(asio::buffer(response_) + got_,
      [self = shared_from_this()](error_code ec, std::size_t n)
      {
        self->got_ += n;
        if (ec)
          self->end(ec);
        else if (self->got_ != self->size_)
          self->read();
        else
          self->check();
      });
  }

  void check()
  {
    seen_.wrong += response_ == response_of(size_) ? 0 : 1;
    if (!std::exchange(is_open_, true))
      ++seen_.open;
    size_ = size_ * 31 % 16381 + 1;
    ask();
  }

  void end(const error_code& ec)
  {
    if (got_ != 0 && got_ != size_)
      ++seen_.cut;
    else
      ++(ec == asio::error::eof ? seen_.clean : seen_.truncated);
    close();
    if (ended_)
      std::exchange(ended_, nullptr)();
  }

  ssl::stream<asio::ip::tcp::socket> stream_;
  seen_by_clients& seen_;
  const bool is_silent_;
  bool is_open_ = false;
  std::size_t size_ = 0;
  std::size_t got_ = 0;
  request request_ = 0;
  std::vector<char> response_;
  std::function<void()> ended_;
};

/// A number that the environment may set.
int setting(const char* name, int otherwise)
{
  const char* const value = std::getenv(name);
  return value ? std::atoi(value) : otherwise;
}

const std::size_t many = static_cast<std::size_t>(setting("INTERLOCK_TEST_CONNECTIONS", 200));

/// A server on one thread, its clients on another.
class load
{
public:
  load()
  {
    certify(server_tls_);
  }

  load(const load&) = delete;
  load& operator=(const load&) = delete;

  ~load()
  {
    for (const auto& c : clients_)
      asio::post(client_context, [c] { c->close(); });
    client_work_.reset();
    clients_thread_.join();
    server_work_.reset();
    server_thread_.join();
  }

  /// The server accepts, and hands each session to `use` on its thread.
  void serve(std::function<void(tls_session&)> use)
  {
    acceptor.async_accept(
      [this, use](error_code ec, tcp::socket s)
      {
        if (ec)
          return;
        const auto session = std::make_shared<tls_session>(std::move(s), server_tls_);
        use(*session);
        session->start();
        serve(use);
      });
  }

  /// Before `run`.
  void connect(std::size_t number, bool is_silent, std::function<void()> ended = nullptr)
  {
    for (std::size_t i = 0; i != number; ++i)
    {
      clients_.push_back(
        std::make_shared<tls_client>(client_context, client_tls_, seen, is_silent));
      clients_.back()->start(acceptor.local_endpoint(), i * 100 % 16381 + 1, ended);
    }
  }

  /// Another one. On the thread of the clients.
  void connect_another(std::function<void()> ended)
  {
    std::make_shared<tls_client>(client_context, client_tls_, seen, false)
      ->start(acceptor.local_endpoint(), 1000, std::move(ended));
  }

  void run()
  {
    server_thread_ = std::thread([this] { context.run(); });
    clients_thread_ = std::thread([this] { client_context.run(); });
  }

private:
  ssl::context server_tls_{ssl::context::tls_server};
  ssl::context client_tls_{ssl::context::tls_client};

public:
  seen_by_clients seen;
  asio::io_context context;
  asio::io_context client_context;
  tcp::acceptor acceptor{context, any_local_port()};

private:
  std::vector<std::shared_ptr<tls_client>> clients_;
  asio::executor_work_guard<asio::io_context::executor_type> server_work_{context.get_executor()};
  asio::executor_work_guard<asio::io_context::executor_type> client_work_{
    client_context.get_executor()};
  std::thread server_thread_;
  std::thread clients_thread_;
};

/// `silent` of the clients do not answer. All are closed by a group.
void close_a_server(std::size_t silent, const close_mode& mode)
{
  const support::many_descriptors limit;
  load l;
  close_group group(l.context);
  group.add(l.acceptor);
  l.serve([&](tls_session& s) { group.add(s.stream()); });
  l.connect(many - silent, false);
  l.connect(silent, true);
  l.run();
  BOOST_TEST_REQUIRE(wait_until([&] { return l.seen.open == many; }));
  std::promise<void> over;
  close_tally tally;
  const auto begin = std::chrono::steady_clock::now();
  group.async_close(mode,
    [&](error_code ec, const close_tally& t)
    {
      BOOST_TEST(ec == success);
      tally = t;
      over.set_value();
    });
  over.get_future().wait();
  const auto time = std::chrono::steady_clock::now() - begin;
  BOOST_TEST((silent == 0 ? time < mode.timeout() : time >= mode.timeout()));
  BOOST_TEST((time < mode.timeout() + seconds(10)));
  BOOST_TEST(
    wait_until([&] { return l.seen.clean + l.seen.truncated + l.seen.cut == many - silent; }));
  BOOST_TEST(l.seen.clean == many - silent);
  BOOST_TEST(l.seen.wrong == 0u);
  BOOST_TEST_INFO(tally);
  BOOST_TEST(tally[close_outcome::peer_closed] == many - silent);
  BOOST_TEST_INFO(tally);
  // Aborted, if the machine is too slow to end them within the tenth of a second after the deadline.
  BOOST_TEST(tally[close_outcome::timed_out] + tally[close_outcome::aborted] == silent);
  BOOST_TEST(tally[close_outcome::closed] == 1u); // the acceptor
  BOOST_TEST(tally.members() == many + 1);
  BOOST_TEST(tally.unfinished == 0u);
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_tls_server)

BOOST_AUTO_TEST_CASE(a_group_closes_a_server_under_load_and_no_response_is_cut)
{
  close_a_server(0, close_mode::graceful(seconds(60)));
}

BOOST_AUTO_TEST_CASE(peers_that_never_answer_are_told_and_hold_no_other)
{
  close_a_server(many / 10, close_mode::graceful(seconds(10)));
}

namespace {

/// The sessions that are open.
class open_sessions
{
public:
  void add(tls_session& s)
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    all_.push_back(s.stream());
  }

  /// One of them, at random; null if that is gone.
  template <class Random>
  std::shared_ptr<tls_session::stream_type> pick(Random& random)
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (all_.empty())
      return nullptr;
    std::swap(all_[random() % all_.size()], all_.back());
    const auto s = all_.back().lock();
    if (!s || random() % 2 == 0)
      all_.pop_back();
    return s;
  }

private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<tls_session::stream_type>> all_;
};

const seconds time_to_close(setting("INTERLOCK_TEST_SECONDS", 2));

} // namespace

BOOST_AUTO_TEST_CASE(a_foreign_thread_closes_stacks_at_random)
{
  const close_mode modes[] = {close_mode::graceful(seconds(10)), close_mode::deliver(seconds(10)),
    close_mode::graceful(std::chrono::milliseconds(1)), close_mode::immediate(),
    close_mode::abort()};
  open_sessions sessions;
  std::atomic<std::size_t> begun{0};
  std::atomic<std::size_t> ended{0};
  std::atomic<bool> goes_on{true};
  std::atomic<std::size_t> clients{20};
  {
    load l;
    const std::function<void()> again = [&]
    {
      if (goes_on)
        l.connect_another(again);
      else
        --clients;
    };
    l.serve([&](tls_session& s) { sessions.add(s); });
    l.connect(clients, false, again);
    l.run();
    std::mt19937 random(1);
    for (const auto end = std::chrono::steady_clock::now() + time_to_close;
         std::chrono::steady_clock::now() < end;)
      if (const auto s = sessions.pick(random))
      {
        ++begun;
        interlock::async_close(
          s, modes[random() % 5], [&](error_code, const interlock::stack_report&) { ++ended; });
      }
      else
        std::this_thread::yield();
    goes_on = false;
    l.acceptor.close();
    // The last ones may be accepted only now.
    BOOST_TEST(wait_until(
      [&]
      {
        if (const auto s = sessions.pick(random))
          s->next_layer().close();
        return clients == 0 && ended == begun;
      }));
    BOOST_TEST(l.seen.wrong == 0u);
  }
  BOOST_TEST(ended == begun);
  BOOST_TEST(begun > 100u);
}

BOOST_AUTO_TEST_SUITE_END()
