// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// A socket option that Asio has no type for.

#ifndef INTERLOCK_TEST_SUPPORT_RAW_OPTION_HPP
#define INTERLOCK_TEST_SUPPORT_RAW_OPTION_HPP

#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <vector>

namespace support {

/// An option of any level, name and size. Its bytes are zero at first.
class raw_option
{
public:
  raw_option(int level, int name, std::size_t size)
    : level_(level),
      name_(name),
      bytes_(size)
  {
  }

  /// Of an option that is an int.
  int value() const
  {
    int v = 0;
    std::memcpy(&v, bytes_.data(), sizeof(v));
    return v;
  }

  template <class Protocol>
  int level(const Protocol&) const
  {
    return level_;
  }

  template <class Protocol>
  int name(const Protocol&) const
  {
    return name_;
  }

  template <class Protocol>
  unsigned char* data(const Protocol&)
  {
    return bytes_.data();
  }

  template <class Protocol>
  const unsigned char* data(const Protocol&) const
  {
    return bytes_.data();
  }

  template <class Protocol>
  std::size_t size(const Protocol&) const
  {
    return bytes_.size();
  }

  template <class Protocol>
  void resize(const Protocol&, std::size_t size)
  {
    if (size != bytes_.size())
      throw std::length_error("the option has another size");
  }

private:
  int level_;
  int name_;
  std::vector<unsigned char> bytes_;
};

} // namespace support

#endif // INTERLOCK_TEST_SUPPORT_RAW_OPTION_HPP
