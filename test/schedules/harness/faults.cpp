// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0

#include "schedules/harness/faults.hpp"

#include <cerrno>
#include <unordered_map>

#include "schedules/harness/memory.hpp"

namespace schedules {

namespace {

// One line for each call of the door, interlock/detail/sys.hpp, that the kernel of a run has: ../check_faults.py
// compares them. The errors are those of its man page, without those of a descriptor that is not open, or of memory
// that is not there: these are faults of the library, and fail a run.
const std::unordered_map<std::string, std::vector<int>> table = {
  {"close", {EINTR, EIO, ENOSPC, EDQUOT}},          // close(2), and the descriptor is closed
  {"epoll_create1", {EMFILE, ENFILE, ENOMEM}},      // epoll_create1(2)
  {"epoll_ctl", {ENOMEM, ENOSPC, EPERM}},           // epoll_ctl(2), EPOLL_CTL_ADD
  {"epoll_wait", {EINTR}},                          // epoll_wait(2)
  {"eventfd", {EMFILE, ENFILE, ENODEV, ENOMEM}},    // eventfd(2)
  {"fcntl", {}},                                    // fcntl(2), F_SETFD
  {"getpeername", {ENOBUFS, ENOTCONN}},             // getpeername(2)
  {"getpid", {}},                                   // getpid(2)
  {"getsockopt", {EINVAL, ENOPROTOOPT}},            // getsockopt(2)
  {"ioctl", {EINVAL, ENOTTY}},                      // ioctl(2)
  {"madvise", {}},                                  // madvise(2), fails in each run
  {"mmap", {}},                                     // mmap(2), fails in each run
  {"open", {}},                                     // open(2), fails in each run
  {"poll", {EINTR, ENOMEM}},                        // poll(2)
  {"ppoll", {EINTR, ENOMEM}},                       // ppoll(2)
  {"pthread_atfork", {ENOMEM}},                     // pthread_atfork(3)
  {"pthread_setcancelstate", {}},                   // pthread_setcancelstate(3)
  {"pthread_setname_np", {ERANGE}},                 // pthread_setname_np(3)
  {"pthread_sigmask", {}},                          // pthread_sigmask(3)
  {"read", {EAGAIN}},                               // read(2), an eventfd
  {"readlink", {}},                                 // readlink(2), fails in each run
  {"recv", {ECONNRESET, EINTR, ENOMEM, ETIMEDOUT}}, // recv(2)
  {"setsockopt", {EINVAL, ENOMEM, ENOPROTOOPT}},    // setsockopt(2)
  {"shutdown", {ENOTCONN}},                         // shutdown(2)
  {"sigaction", {}},                                // sigaction(2)
  {"splice", {}},                                   // splice(2), fails in each run
  {"thread", {EAGAIN}},                             // std::thread
  {"write", {EAGAIN}},                              // write(2), an eventfd whose counter is full
};

faults the_faults;

} // namespace

const std::vector<int>& errors_of(const std::string& call)
{
  return table.at(call);
}

faults& faults::current()
{
  return the_faults;
}

void faults::begin_run(const fault* planned)
{
  the_faults.planned_ = planned;
  the_faults.calls_.clear();
}

int faults::next(const char* call)
{
  const memory::of_harness harness;
  calls_.push_back(call);
  return planned_ && planned_->call == calls_.size() - 1 ? planned_->error : 0;
}

} // namespace schedules
