// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The objects under test, with one interface for all types.

#ifndef INTERLOCK_TEST_FUZZ_SUBJECT_HPP
#define INTERLOCK_TEST_FUZZ_SUBJECT_HPP

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include <interlock/borrowed.hpp>
#include <interlock/close_group.hpp>
#include <interlock/close_handle.hpp>
#include <interlock/fd_lease.hpp>
#include <interlock/ip/tcp.hpp>
#include <interlock/local/stream_protocol.hpp>
#include <interlock/posix/stream_descriptor.hpp>

#include "fuzz/handler.hpp"

namespace fuzz {

using local = interlock::local::stream_protocol;

/// An object, whatever its type.
class subject
{
public:
  virtual ~subject() = default;
  virtual error_code open(int fd, bool borrowed) = 0;
  virtual bool is_open() const = 0;
  virtual error_code connect(const tcp::endpoint& to) = 0;

  /// Of an object that is open this would make the descriptor known to other code.
  virtual int number_if_closed() = 0;
  virtual void read(asio::mutable_buffer b, handler h) = 0;
  virtual void write(asio::const_buffer b, handler h) = 0;

  /// A composed operation, which refers to the object: until its handler is gone the object must stay where it is.
  virtual void write_all(asio::const_buffer b, handler h) = 0;
  virtual void wait(unsigned how, handler h) = 0;
  virtual error_code cancel() = 0;
  virtual error_code shutdown() = 0;
  virtual void close() = 0;
  virtual void retire() = 0;
  virtual error_code release(int& fd) = 0;
  virtual void async_release(handler h) = 0;
  virtual interlock::close_handle close_handle() = 0;
  virtual interlock::fd_lease lease() = 0;
  virtual void add_to(interlock::close_group& g) = 0;

  /// A new object that has become what this one was.
  virtual std::unique_ptr<subject> moved() = 0;
  virtual std::unique_ptr<subject> fresh() const = 0;
  virtual void assign(subject& from) = 0;
  virtual void async_close(cancellation& c, handler h) = 0;
  virtual void async_close(const interlock::close_mode& m, cancellation& c, handler h) = 0;
};

/// What the types have in common.
template <class T>
class subject_of final : public subject
{
  static constexpr bool is_acceptor = std::is_same<T, tcp::acceptor>::value;
  static constexpr bool is_descriptor = std::is_same<T, interlock::posix::stream_descriptor>::value;
  static constexpr bool is_stream = !is_acceptor && !is_descriptor;
  static constexpr bool is_tcp = std::is_same<T, tcp::socket>::value;

public:
  explicit subject_of(T object)
    : object_(std::move(object))
  {
  }

  error_code open(int fd, bool borrowed) override
  {
    error_code ec;
    if constexpr (is_descriptor)
      borrowed ? object_.assign(fd, interlock::borrowed, ec) : object_.assign(fd, ec);
    else
    {
      const auto p = protocol();
      borrowed ? object_.assign(p, fd, interlock::borrowed, ec) : object_.assign(p, fd, ec);
    }
    return ec;
  }

  bool is_open() const override
  {
    return object_.is_open();
  }

  error_code connect(const tcp::endpoint& to) override
  {
    error_code ec;
    if constexpr (is_tcp)
      object_.connect(to, ec);
    return ec;
  }

  int number_if_closed() override
  {
    return object_.is_open() ? -1 : object_.native_handle();
  }

  void read(asio::mutable_buffer b, handler h) override
  {
    if constexpr (is_acceptor)
      object_.async_accept(std::move(h));
    else
      object_.async_read_some(b, std::move(h));
  }

  void write(asio::const_buffer b, handler h) override
  {
    if constexpr (is_stream)
      object_.async_write_some(asio::const_buffers_1(b), std::move(h));
  }

  void write_all(asio::const_buffer b, handler h) override
  {
    if constexpr (is_stream)
      asio::async_write(object_, asio::const_buffers_1(b), std::move(h));
  }

  void wait(unsigned how, handler h) override
  {
    object_.async_wait(static_cast<typename T::wait_type>(how % 3), std::move(h));
  }

  error_code cancel() override
  {
    error_code ec;
    object_.cancel(ec);
    return ec;
  }

  error_code shutdown() override
  {
    error_code ec;
    if constexpr (is_stream)
      object_.shutdown(T::shutdown_send, ec);
    return ec;
  }

  void close() override
  {
    object_.close();
  }

  void retire() override
  {
    object_.retire();
  }

  error_code release(int& fd) override
  {
    error_code ec;
    fd = object_.release(ec);
    return ec;
  }

  void async_release(handler h) override
  {
    object_.async_release(std::move(h));
  }

  interlock::close_handle close_handle() override
  {
    return object_.get_close_handle();
  }

  interlock::fd_lease lease() override
  {
    return object_.lease();
  }

  void add_to(interlock::close_group& g) override
  {
    g.add(object_);
  }

  std::unique_ptr<subject> moved() override
  {
    return std::make_unique<subject_of>(std::move(object_));
  }

  std::unique_ptr<subject> fresh() const override
  {
    return std::make_unique<subject_of>(T(const_cast<T&>(object_).get_executor()));
  }

  void assign(subject& from) override
  {
    object_ = std::move(static_cast<subject_of&>(from).object_);
  }

  void async_close(cancellation& c, handler h) override
  {
    object_.async_close(c.bind(std::move(h)));
  }

  void async_close(const interlock::close_mode& m, cancellation& c, handler h) override
  {
    object_.async_close(m, c.bind(std::move(h)));
  }

private:
  static auto protocol()
  {
    if constexpr (is_acceptor || is_tcp)
      return tcp::v4();
    else
      return local();
  }

  T object_;
};

} // namespace fuzz

#endif // INTERLOCK_TEST_FUZZ_SUBJECT_HPP
