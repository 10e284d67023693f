#pragma once

#include "tests/fault/program.hpp"

#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

namespace troupe::tests {

/// A disk of a few megabytes in memory, mounted on `disk` of a directory; gone with the object.
class small_disk {
public:
  small_disk(const scratch& in, std::size_t bytes) : path_(in.path() / "disk") {
    fs::create_directories(path_);
    auto size = "size=" + std::to_string(bytes);
    mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, size.c_str()) == 0;
  }
  ~small_disk() {
    if (mounted_)
      ::umount2(path_.c_str(), MNT_DETACH);
  }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;

  bool mounted() const { return mounted_; }
  const fs::path& path() const { return path_; }

  std::size_t free_bytes() const {
    struct statvfs x {};
    ::statvfs(path_.c_str(), &x);
    return x.f_bavail * x.f_bsize;
  }

  /// Takes all but `left` bytes.
  void fill(std::size_t left) const {
    auto free = free_bytes();
    std::ofstream{path_ / "filler"} << std::string(free > left ? free - left : 0, 'x');
  }
  void clear() const { fs::remove(path_ / "filler"); }

  void set_read_only(bool on) const {
    unsigned long flags = MS_REMOUNT;
    if (on)
      flags |= MS_RDONLY;
    REQUIRE(::mount(nullptr, path_.c_str(), nullptr, flags, nullptr) == 0);
  }

private:
  fs::path path_;
  bool mounted_ = false;
};

/// No file that is written from here on may be longer, for programs started meanwhile too.
class file_size_limit {
public:
  explicit file_size_limit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit x{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &x);
  }
  ~file_size_limit() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  file_size_limit(const file_size_limit&) = delete;
  file_size_limit& operator=(const file_size_limit&) = delete;

private:
  rlimit before_{};
};

} // namespace troupe::tests
