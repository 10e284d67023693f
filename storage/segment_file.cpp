#include "storage/segment_file.hpp"

#include "troupe/limits.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <fcntl.h>

namespace troupe::storage {

namespace fs = std::filesystem;

namespace {

constexpr std::uint32_t step_bytes = 1 << 20; ///< Of reading and of preparing.
constexpr std::string_view suffix = ".seg";
constexpr std::string_view spare_suffix = ".old";
constexpr std::size_t digits = 16;
constexpr const char* passing_name = "prepared.tmp";

/// The number in a file name; 0 if it has not that suffix.
std::uint64_t number_of(std::string_view name, std::string_view suffix) {
  std::uint64_t number = 0;
  if (name.size() != digits + suffix.size() || !name.ends_with(suffix))
    return 0;
  auto last = name.data() + digits;
  auto parsed = std::from_chars(name.data(), last, number, 16);
  return parsed.ec == std::errc{} && parsed.ptr == last ? number : 0;
}

status fill_with_zeros(file& made, std::uint32_t size, const std::stop_token& stop) {
  const core::bytes zeros(std::min(step_bytes, size));
  for (std::uint32_t done = 0; done < size; done += step_bytes) {
    if (stop.stop_requested())
      return ec::not_ready;
    auto part = core::byte_view{zeros}.first(std::min(step_bytes, size - done));
    if (auto written = made.write(part, done); !written)
      return written;
    // In steps: one long sync would hold up the commits that run beside it.
    if (auto synced = made.sync_data(); !synced)
      return synced;
  }
  return made.sync();
}

fs::path numbered(const fs::path& directory, std::uint64_t number, std::string_view suffix) {
  char name[digits + 1];
  std::snprintf(name, sizeof name, "%016llx", static_cast<unsigned long long>(number));
  return directory / (name + std::string{suffix});
}

status remove_file(file_ops& ops, const fs::path& name) {
  int failed = ops.unlink(name);
  return failed < 0 && failed != -ENOENT ? status{os_error("remove", name, failed)} : status{};
}

bool is_short(int failed) { return failed == -EMFILE || failed == -ENFILE || failed == -ENOMEM; }

/// As `sync_directory`.
status sync_names(file_ops& ops, const fs::path& directory) {
  auto opened = open_unless_short(ops, directory, O_RDONLY | O_DIRECTORY);
  return opened ? opened->sync() : status{opened.error()};
}

bool is_segment_size(std::uint64_t size) {
  return size >= limits::segment_grain_bytes && size % limits::segment_grain_bytes == 0
         && size <= limits::segment_bytes_max;
}

} // namespace

fs::path segment_path(const fs::path& directory, std::uint64_t number) {
  return numbered(directory, number, suffix);
}

result<std::vector<std::uint64_t>> list_segments(file_ops& ops,
                                                 const std::filesystem::path& directory) {
  std::vector<std::string> names;
  if (int failed = ops.list(directory, names); failed < 0)
    return os_error("list", directory, failed);
  std::vector<std::uint64_t> numbers;
  for (auto& name : names)
    if (auto number = number_of(name, suffix))
      numbers.push_back(number);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

result<segment_view> segment_view::open(file_ops& ops, const std::filesystem::path& directory,
                                        std::uint64_t number, int flags) {
  auto opened = file::open(ops, segment_path(directory, number), flags);
  if (!opened)
    return opened.error();
  auto size = opened->size();
  if (!size)
    return size.error();
  if (*size == 0 || *size % limits::segment_grain_bytes != 0 || *size > limits::segment_bytes_max)
    return error{ec::journal_corrupt, opened->name().string() + " was cut to "
                                          + std::to_string(*size)
                                          + " bytes, which no crash does; restore a backup"};
  return segment_view{std::move(*opened), static_cast<std::uint32_t>(*size)};
}

core::byte_view segment_view::at(std::uint32_t offset, std::uint32_t size) {
  if (offset > size_ || size > size_ - offset || !failure_)
    return {};
  if (offset < start_ || offset + size > start_ + buffered_) {
    buffer_.resize(
        std::max(buffer_.size(), std::size_t{std::max(size, std::min(step_bytes, size_))}));
    start_ = offset;
    auto got = file_.read(buffer_, offset);
    buffered_ = got ? *got : 0;
    if (!got)
      failure_ = got.error();
    else if (buffered_ < size)
      failure_ = error{ec::journal_corrupt, file_.name().string() + " became shorter"};
    if (!failure_)
      return {};
  }
  return core::byte_view{buffer_}.subspan(offset - start_, size);
}

result<file> open_unless_short(file_ops& ops, const fs::path& name, int flags) {
  int fd = ops.open(name, flags);
  if (fd >= 0)
    return file{ops, name, fd};
  auto failed = os_error(flags & O_CREAT ? "create" : "open", name, fd);
  return is_short(fd) ? error{ec::overloaded, failed.detail} : failed;
}

status prepare_segment(file_ops& ops, const std::filesystem::path& directory, std::uint64_t number,
                       std::uint32_t size, const std::stop_token& stop) {
  auto passing = directory / passing_name;
  auto prepared = [&]() -> status {
    auto made = open_unless_short(ops, passing, O_WRONLY | O_CREAT | O_TRUNC);
    if (!made)
      return made.error();
    if (auto filled = fill_with_zeros(*made, size, stop); !filled)
      return filled;
    int renamed = ops.rename(passing, segment_path(directory, number));
    return renamed < 0 ? status{os_error("rename", passing, renamed)} : status{};
  }();
  if (prepared)
    return sync_names(ops, directory);
  ops.unlink(passing);
  return prepared;
}

result<std::map<std::uint64_t, std::uint32_t>> list_spares(file_ops& ops,
                                                           const fs::path& directory) {
  std::vector<std::string> names;
  if (int failed = ops.list(directory, names); failed < 0)
    return os_error("list", directory, failed);
  std::map<std::uint64_t, std::uint32_t> spares;
  for (auto& name : names)
    if (auto number = number_of(name, spare_suffix)) {
      file_about found;
      if (ops.about(directory / name, found) == 0 && is_segment_size(found.size))
        spares[number] = static_cast<std::uint32_t>(found.size);
      else
        ops.unlink(directory / name);
    }
  return spares;
}

status keep_as_spare(file_ops& ops, const fs::path& directory, std::uint64_t number) {
  auto name = segment_path(directory, number);
  int failed = ops.rename(name, numbered(directory, number, spare_suffix));
  return failed < 0 ? status{os_error("rename", name, failed)} : status{};
}

status remove_segment(file_ops& ops, const fs::path& directory, std::uint64_t number) {
  return remove_file(ops, segment_path(directory, number));
}

status remove_spare(file_ops& ops, const fs::path& directory, std::uint64_t number) {
  return remove_file(ops, numbered(directory, number, spare_suffix));
}

status reuse_spare(file_ops& ops, const fs::path& directory, std::uint64_t spare,
                   std::uint64_t number, std::uint32_t size, const std::stop_token& stop) {
  auto name = numbered(directory, spare, spare_suffix);
  auto opened = open_unless_short(ops, name, O_WRONLY);
  if (!opened)
    return opened.error();
  if (auto filled = fill_with_zeros(*opened, size, stop); !filled)
    return filled;
  int renamed = ops.rename(name, segment_path(directory, number));
  return renamed < 0 ? status{os_error("rename", name, renamed)} : sync_names(ops, directory);
}

void remove_unprepared(file_ops& ops, const std::filesystem::path& directory) {
  ops.unlink(directory / passing_name);
}

std::optional<decoded_batch> batch_at(segment_view& segment, const batch_place& at) {
  auto size = claimed_bytes(segment.at(at.offset, batch_header_bytes), at.segment);
  return size == 0 ? std::nullopt : decode_batch(segment.at(at.offset, size), at);
}

status clear(segment_view& segment, std::uint32_t from, std::uint32_t to) {
  constexpr std::uint32_t page = 4096;
  const core::bytes zeros(page);
  for (auto at = from; at < to;) {
    auto size = std::min(page - at % page, to - at);
    auto data = segment.at(at, size);
    if (!segment.failure())
      return segment.failure();
    if (!is_zero(data))
      if (auto done = segment.handle().write(core::byte_view{zeros}.first(size), at); !done)
        return done;
    at += size;
  }
  segment.forget();
  return {};
}

status rewrite(segment_view& segment, std::uint32_t from, std::uint32_t to) {
  for (auto at = from; at < to;) {
    auto size = std::min(step_bytes, to - at);
    auto data = segment.at(at, size);
    if (!segment.failure())
      return segment.failure();
    if (auto done = segment.handle().write(data, at); !done)
      return done;
    at += size;
  }
  return {};
}

} // namespace troupe::storage
