// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Files that cannot be closed: a file system (FUSE) does not answer the flush that close(2) of each asks for.
//
// Mounting takes a right: without it the constructor ends the program with a message. The mount lies in a namespace of
// the thread that made it, and is gone with the process.

#ifndef INTERLOCK_BENCH_STUCK_HELD_FILES_HPP
#define INTERLOCK_BENCH_STUCK_HELD_FILES_HPP

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace bench {

/// The requests of one mount, which has one file. fuse(4); linux/fuse.h.
class silent_file_system
{
public:
  /// Owns the descriptor.
  explicit silent_file_system(int device)
    : device_(device),
      server_([this] { serve(); })
  {
  }

  silent_file_system(const silent_file_system&) = delete;
  silent_file_system& operator=(const silent_file_system&) = delete;

  /// Once it is unmounted: the requests have ended.
  ~silent_file_system()
  {
    server_.join();
    ::close(device_);
  }

  /// Answers the flushes that wait, and from now on each.
  void answer_flushes()
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_silent_ = false;
    for (std::uint64_t request : waiting_)
      answer(request, 0);
    waiting_.clear();
  }

private:
  static constexpr std::uint64_t file = FUSE_ROOT_ID + 1;

  void serve()
  {
    std::vector<char> request(1 << 17);
    ::ssize_t size;
    while ((size = ::read(device_, request.data(), request.size())) > 0)
    {
      ::fuse_in_header header;
      std::memcpy(&header, request.data(), sizeof(header));
      handle(header);
    }
  }

  void handle(const ::fuse_in_header& r)
  {
    switch (r.opcode)
    {
    case FUSE_INIT:
      return answer(r.unique, init());
    case FUSE_LOOKUP:
      return answer(r.unique, entry());
    case FUSE_GETATTR:
      return answer(r.unique, attributes(r.nodeid));
    case FUSE_OPEN:
      return answer(r.unique, ::fuse_open_out());
    case FUSE_FLUSH:
      return flush(r.unique);
    case FUSE_RELEASE:
      return answer(r.unique, 0);
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT:
      return; // are not answered
    default:
      return answer(r.unique, -ENOSYS);
    }
  }

  void flush(std::uint64_t request)
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (is_silent_)
      waiting_.push_back(request);
    else
      answer(request, 0);
  }

  static ::fuse_init_out init()
  {
    ::fuse_init_out out = {};
    out.major = FUSE_KERNEL_VERSION;
    out.minor = FUSE_KERNEL_MINOR_VERSION;
    out.max_write = 4096;
    return out;
  }

  static ::fuse_attr_out attributes(std::uint64_t node)
  {
    ::fuse_attr_out out = {};
    out.attr.ino = node;
    out.attr.mode = node == file ? S_IFREG | 0600 : S_IFDIR | 0700;
    out.attr.nlink = 1;
    return out;
  }

  static ::fuse_entry_out entry()
  {
    ::fuse_entry_out out = {};
    out.nodeid = file;
    out.attr = attributes(file).attr;
    return out;
  }

  void answer(std::uint64_t request, int error)
  {
    write_answer(request, error, nullptr, 0);
  }

  template <class Out>
  void answer(std::uint64_t request, const Out& out)
  {
    write_answer(request, 0, &out, sizeof(out));
  }

  void write_answer(std::uint64_t request, int error, const void* out, std::size_t size)
  {
    ::fuse_out_header header = {static_cast<std::uint32_t>(sizeof(header) + size), error, request};
    const ::iovec parts[] = {{&header, sizeof(header)}, {const_cast<void*>(out), size}};
    if (::writev(device_, parts, 2) < 0)
      std::perror("stuck: an answer of the file system");
  }

  const int device_;
  std::mutex mutex_;
  bool is_silent_ = true;              // guarded by mutex_, as is the next
  std::vector<std::uint64_t> waiting_; // flushes
  std::thread server_;
};

/// So many descriptors of the file.
class held_files
{
public:
  explicit held_files(std::size_t count)
    : folder_(mount_at()),
      files_(device_)
  {
    for (std::size_t i = 0; i != count; ++i)
      descriptors_.push_back(
        checked(::open((folder_ + "/file").c_str(), O_RDWR | O_CLOEXEC), "open"));
  }

  held_files(const held_files&) = delete;
  held_files& operator=(const held_files&) = delete;

  ~held_files()
  {
    files_.answer_flushes();
    ::umount2(folder_.c_str(), MNT_DETACH);
    ::rmdir(folder_.c_str());
  }

  /// The caller closes them.
  const std::vector<int>& descriptors() const
  {
    return descriptors_;
  }

  void release()
  {
    files_.answer_flushes();
  }

private:
  static int checked(int result, const char* what)
  {
    if (result >= 0)
      return result;
    std::perror(("stuck: " + std::string(what)).c_str());
    std::exit(1);
  }

  // In the first call the process leaves the mounts of others: nothing of it is left there, however it ends.
  std::string mount_at()
  {
    static const int own = checked(::unshare(CLONE_NEWNS), "unshare")
      + checked(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "mount");
    static_cast<void>(own);
    std::string folder = "/tmp/stuck-XXXXXX";
    checked(::mkdtemp(folder.data()) ? 0 : -1, "mkdtemp");
    device_ = checked(::open("/dev/fuse", O_RDWR | O_CLOEXEC), "/dev/fuse");
    const std::string options = "fd=" + std::to_string(device_)
      + ",rootmode=40000,user_id=0,group_id=0";
    checked(
      ::mount("stuck", folder.c_str(), "fuse", MS_NOSUID | MS_NODEV, options.c_str()), "mount");
    return folder;
  }

  int device_ = -1;
  std::string folder_;
  silent_file_system files_;
  std::vector<int> descriptors_;
};

} // namespace bench

#endif // INTERLOCK_BENCH_STUCK_HELD_FILES_HPP
