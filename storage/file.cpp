#include "storage/file.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <utility>

namespace troupe::storage {

namespace {

bool is_full(std::int64_t failed) {
  return failed == -ENOSPC || failed == -EDQUOT || failed == -EFBIG;
}

/// Drops what was written from the front of `parts`.
std::span<iovec> drop(std::span<iovec> parts, std::size_t written) {
  while (!parts.empty() && written >= parts.front().iov_len) {
    written -= parts.front().iov_len;
    parts = parts.subspan(1);
  }
  if (written > 0) {
    auto& rest = parts.front();
    rest.iov_base = static_cast<std::uint8_t*>(rest.iov_base) + written;
    rest.iov_len -= written;
  }
  return parts;
}

} // namespace

error os_error(const char* verb, const std::filesystem::path& name, std::int64_t failed) {
  auto code = is_full(failed) ? ec::no_space : ec::io_failed;
  return {code, std::string{"cannot "} + verb + " " + name.string() + ": "
                    + std::strerror(static_cast<int>(-failed))};
}

result<file> file::open(file_ops& ops, const std::filesystem::path& name, int flags) {
  int fd = ops.open(name, flags);
  if (fd < 0)
    return os_error(flags & O_CREAT ? "create" : "open", name, fd);
  return file{ops, name, fd};
}

file::file(file&& other) noexcept
    : ops_(other.ops_), name_(std::move(other.name_)), fd_(std::exchange(other.fd_, -1)) {}

file& file::operator=(file&& other) noexcept {
  std::swap(ops_, other.ops_);
  std::swap(name_, other.name_);
  std::swap(fd_, other.fd_);
  return *this;
}

file::~file() {
  if (fd_ >= 0)
    ops_->close(fd_);
}

result<std::size_t> file::read(std::span<std::uint8_t> into, std::uint64_t offset) const {
  std::size_t got = 0;
  while (got < into.size()) {
    auto n = ops_->pread(fd_, into.data() + got, into.size() - got, offset + got);
    if (n == -EINTR)
      continue;
    if (n < 0)
      return os_error("read", name_, n);
    if (n == 0)
      break;
    got += static_cast<std::size_t>(n);
  }
  return got;
}

status file::write(std::span<iovec> parts, std::uint64_t offset) {
  while (!parts.empty()) {
    auto n = ops_->pwritev(fd_, parts.data(), static_cast<int>(parts.size()), offset);
    if (n == -EINTR)
      continue;
    if (n <= 0)
      return os_error("write", name_, n < 0 ? n : -EIO);
    offset += static_cast<std::uint64_t>(n);
    parts = drop(parts, static_cast<std::size_t>(n));
  }
  return {};
}

status file::write(core::byte_view data, std::uint64_t offset) {
  iovec part{const_cast<std::uint8_t*>(data.data()), data.size()};
  return data.empty() ? status{} : write(std::span{&part, 1}, offset);
}

status file::sync_data() {
  int failed = ops_->fdatasync(fd_);
  return failed < 0 ? status{os_error("sync", name_, failed)} : status{};
}

status file::sync() {
  int failed = ops_->fsync(fd_);
  return failed < 0 ? status{os_error("sync", name_, failed)} : status{};
}

status file::truncate(std::uint64_t size) {
  int failed = ops_->truncate(fd_, size);
  return failed < 0 ? status{os_error("truncate", name_, failed)} : status{};
}

result<std::uint64_t> file::size() const {
  auto size = ops_->size(fd_);
  if (size < 0)
    return os_error("examine", name_, size);
  return static_cast<std::uint64_t>(size);
}

status sync_directory(file_ops& ops, const std::filesystem::path& directory) {
  auto opened = file::open(ops, directory, O_RDONLY | O_DIRECTORY);
  return opened ? opened->sync() : status{opened.error()};
}

status make_directories(file_ops& ops, const std::filesystem::path& directory) {
  auto above = directory.has_parent_path() ? directory.parent_path() : std::filesystem::path{"."};
  int made = ops.make_directory(directory);
  if (made == -ENOENT && above != directory) {
    if (auto done = make_directories(ops, above); !done)
      return done;
    made = ops.make_directory(directory);
  }
  if (made < 0 && made != -EEXIST)
    return os_error("make the directory", directory, made);
  return sync_directory(ops, above);
}

result<std::optional<core::bytes>> read_file(file_ops& ops, const std::filesystem::path& name) {
  int fd = ops.open(name, O_RDONLY);
  if (fd == -ENOENT)
    return std::optional<core::bytes>{};
  if (fd < 0)
    return os_error("open", name, fd);
  file opened{ops, name, fd};
  auto size = opened.size();
  if (!size)
    return size.error();
  core::bytes content(*size);
  auto got = opened.read(content, 0);
  if (!got)
    return got.error();
  content.resize(*got);
  return std::optional{std::move(content)};
}

status replace_file(file_ops& ops, const std::filesystem::path& name,
                    const std::filesystem::path& through, core::byte_view data) {
  auto written = [&]() -> status {
    auto made = file::open(ops, through, O_WRONLY | O_CREAT | O_TRUNC);
    if (!made)
      return made.error();
    if (auto done = made->write(data, 0); !done)
      return done;
    if (auto done = made->sync(); !done)
      return done;
    int renamed = ops.rename(through, name);
    return renamed < 0 ? status{os_error("rename", through, renamed)} : status{};
  }();
  if (!written) {
    ops.unlink(through);
    return written;
  }
  return sync_directory(ops, name.parent_path());
}

} // namespace troupe::storage
