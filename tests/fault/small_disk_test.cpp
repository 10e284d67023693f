#include "tests/fault/small_disk.hpp"

using namespace troupe::tests;

namespace {

constexpr std::size_t megabyte = 1 << 20;

/// Whether it could all be written, and is on the disk.
bool write_durably(const fs::path& name, std::size_t bytes) {
  std::string data(bytes, 'x');
  int fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  auto wrote = ::write(fd, data.data(), data.size());
  bool whole = wrote == static_cast<ssize_t>(bytes) && ::fsync(fd) == 0;
  ::close(fd);
  return whole;
}

/// Whether a loop device shows this file.
bool is_attached(const fs::path& image) {
  for (auto& device : fs::directory_iterator{"/sys/block"})
    if (has(read_file(device.path() / "loop/backing_file"), image.string()))
      return true;
  return false;
}

} // namespace

TEST_CASE("a small disk holds what it says and no more, and leaves nothing behind",
          "[fault][small_disk]") {
  auto kind = GENERATE("tmpfs", "ext4");
  CAPTURE(kind);
  scratch in;
  fs::path image;
  {
    small_disk disk{in, 16 * megabyte, kind};
    if (disk.is_missing())
      return;
    image = disk.image();
    CHECK(is_attached(image) == fs::exists(image));
    CHECK(disk.free_bytes() >= 15 * megabyte);
    disk.fill(2 * megabyte);
    CHECK(disk.free_bytes() <= 2 * megabyte);
    CHECK(write_durably(disk.path() / "small", megabyte));
    CHECK_FALSE(write_durably(disk.path() / "large", 2 * megabyte));
    disk.clear();
    CHECK(write_durably(disk.path() / "large", 2 * megabyte));
  }
  CHECK_FALSE(fs::exists(image));
  CHECK(eventually([&] { return !is_attached(image); }));
}
