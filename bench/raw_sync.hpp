#pragma once

#include "bench/measure.hpp"

#include <fcntl.h>
#include <filesystem>
#include <stdexcept>
#include <unistd.h>

namespace troupe::bench {

/// What the disk itself takes: seconds of each 4 KiB write into written blocks and `fdatasync`.
inline std::vector<double> raw_sync(const std::filesystem::path& directory, std::size_t times) {
  constexpr std::size_t size = 4096;
  auto file = directory / "raw_sync";
  auto fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0)
    throw std::runtime_error{"cannot open " + file.string()};
  std::vector<char> zeros(size * times), data(size, 'x');
  auto prepared = ::pwrite(fd, zeros.data(), zeros.size(), 0) == ssize_t(zeros.size());
  std::vector<double> all;
  for (std::size_t i = 0; prepared && ::fsync(fd) == 0 && i < times; ++i) {
    auto begin = clock::now();
    if (::pwrite(fd, data.data(), size, off_t(i * size)) != ssize_t(size) || ::fdatasync(fd) != 0)
      break;
    all.push_back(seconds_since(begin));
  }
  ::close(fd);
  std::filesystem::remove(file);
  if (all.size() != times)
    throw std::runtime_error{"cannot write " + file.string()};
  return all;
}

} // namespace troupe::bench
