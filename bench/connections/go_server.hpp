// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The server of Go's net package, connections/server.go, as a process of its own: it prints its port, and in the end the
// processor time that it has used since. The times of its closes are not known here.

#ifndef INTERLOCK_BENCH_CONNECTIONS_GO_SERVER_HPP
#define INTERLOCK_BENCH_CONNECTIONS_GO_SERVER_HPP

#include <cstdio>
#include <cstdlib>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "client.hpp"

namespace bench {

class go_server
{
public:
  /// The program is named by the environment.
  static const char* program()
  {
    return std::getenv("BENCH_GO_SERVER");
  }

  go_server(const load& l, unsigned threads)
    : output_(::popen((std::string(program()) + ' ' + std::to_string(l.count) + ' '
                        + std::to_string(l.size) + ' ' + std::to_string(threads))
                        .c_str(),
      "re"))
  {
    require(output_ != nullptr, "popen");
    require(std::fscanf(output_, "%hu", &port_) == 1, "the server in Go has not begun");
  }

  go_server(const go_server&) = delete;
  go_server& operator=(const go_server&) = delete;

  ~go_server()
  {
    ::pclose(output_);
  }

  ::sockaddr_in address() const
  {
    ::sockaddr_in a = {};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a.sin_port = htons(port_);
    return a;
  }

  /// Microseconds of processor time. After all connections have ended.
  double time_used()
  {
    double t = 0;
    require(std::fscanf(output_, "%lf", &t) == 1, "the server in Go has not ended");
    return t;
  }

private:
  std::FILE* const output_;
  unsigned short port_ = 0;
};

} // namespace bench

#endif // INTERLOCK_BENCH_CONNECTIONS_GO_SERVER_HPP
