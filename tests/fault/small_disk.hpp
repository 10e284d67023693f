#pragma once

#include "tests/fault/program.hpp"

#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

namespace troupe::tests {

/// A disk of a few megabytes, mounted on `disk` of a directory; gone with the object. Of the kind
/// `tmpfs` it is memory, and gives out space when bytes are written. `ext4` is a file system in a
/// file beside it: it gives out space late, and takes some of it for itself.
class small_disk {
public:
  small_disk(const scratch& in, std::size_t bytes, std::string kind)
      : kind_(std::move(kind)), path_(in.path() / "disk"), image_(in.path() / "disk.image") {
    fs::create_directories(path_);
    lacks_ = what_is_missing();
    if (lacks_.empty())
      kind_ == "tmpfs" ? mount_memory(bytes) : mount_image(bytes);
  }
  ~small_disk() {
    if (lacks_.empty())
      ::umount2(path_.c_str(), MNT_DETACH); // Whoever still has files there keeps it so long.
    std::error_code ignored;
    fs::remove(image_, ignored);
  }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;

  /// Whether there is none, as this machine or user cannot mount one, which is told. One that
  /// ought to be mounted and is not has failed the test.
  bool is_missing() const {
    if (!lacks_.empty())
      WARN("no disk of the kind " + kind_
           + " can be mounted here, so nothing was tried: " + lacks_);
    return !lacks_.empty();
  }
  const fs::path& path() const { return path_; }
  const fs::path& image() const { return image_; }

  std::size_t free_bytes() const {
    struct statvfs x {};
    ::statvfs(path_.c_str(), &x);
    return x.f_bavail * x.f_bsize;
  }

  /// Takes all but `left` bytes, also of what has become free since it did so before.
  void fill(std::size_t left) const {
    auto free = free_bytes();
    auto bytes = free > left ? free - left : 0;
    int fd = ::open((path_ / "filler").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    REQUIRE(fd >= 0);
    auto taken = ::lseek(fd, 0, SEEK_END);
    while (bytes > 0 && ::posix_fallocate(fd, taken, static_cast<off_t>(bytes)) == ENOSPC)
      bytes -= std::min(bytes, block_bytes); // Others took some meanwhile.
    ::close(fd);
  }
  void clear() const { fs::remove(path_ / "filler"); }

  void set_read_only(bool on) const {
    unsigned long flags = MS_REMOUNT;
    if (on)
      flags |= MS_RDONLY;
    REQUIRE(::mount(nullptr, path_.c_str(), nullptr, flags, nullptr) == 0);
  }

private:
  static constexpr std::size_t block_bytes = 4096;
  static constexpr std::size_t own_bytes = 8 << 20; ///< More than ext4 needs for itself.

  std::string what_is_missing() const {
    // There is no such file system: who may mount is told so.
    if (::mount("none", path_.c_str(), "none", 0, nullptr) != 0 && errno == EPERM)
      return "no right to mount";
    if (kind_ == "tmpfs")
      return {};
    int fd = ::open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    if (fd < 0)
      return "/dev/loop-control cannot be opened";
    ::close(fd);
    return {};
  }

  void mount_memory(std::size_t bytes) const {
    auto size = "size=" + std::to_string(bytes);
    REQUIRE(::mount("tmpfs", path_.c_str(), "tmpfs", 0, size.c_str()) == 0);
  }

  /// With blocks of a large disk's size, and its journal; all of it is for every user. `mount`
  /// has the loop device go when nobody uses it any more.
  void mount_image(std::size_t bytes) const {
    std::ofstream{image_};
    fs::resize_file(image_, bytes + own_bytes);
    auto command = "PATH=$PATH:/usr/sbin:/sbin; mkfs.ext4 -q -m 0 -b " + std::to_string(block_bytes)
                   + " '" + image_.string() + "' && mount -o loop '" + image_.string() + "' '"
                   + path_.string() + "'";
    INFO(command);
    REQUIRE(std::system(command.c_str()) == 0);
  }

  std::string kind_;
  fs::path path_, image_;
  std::string lacks_;
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
