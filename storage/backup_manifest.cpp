#include "storage/backup_manifest.hpp"

#include "core/crc32c.hpp"

#include <charconv>
#include <cstdio>

namespace troupe::storage {

namespace {

constexpr std::string_view checksum_key = "crc32c ", manifest_key = "manifest\n";

core::byte_view bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string checksum_line(std::string_view text) {
  char digits[9];
  std::snprintf(digits, sizeof digits, "%08x", core::crc32c(bytes_of(text)));
  return std::string{checksum_key} + digits + "\n";
}

/// Takes lines apart: a word, then numbers.
class line_reader {
public:
  explicit line_reader(std::string_view text) : left_(text) {}

  /// The numbers of the next line, which begins with `word`.
  bool read(std::string_view word, auto&... numbers) {
    auto line = left_.substr(0, left_.find('\n'));
    if (line.substr(0, line.find(' ')) != word)
      return false;
    left_.remove_prefix(std::min(left_.size(), line.size() + 1));
    line.remove_prefix(word.size());
    return (number(line, numbers) && ...) && line.empty();
  }

private:
  template <class T>
  static bool number(std::string_view& line, T& x) {
    if (!line.starts_with(' '))
      return false;
    line.remove_prefix(1);
    auto [end, failed] = std::from_chars(line.data(), line.data() + line.size(), x);
    line.remove_prefix(static_cast<std::size_t>(end - line.data()));
    return failed == std::errc{};
  }

  std::string_view left_;
};

std::string line(const char* word, auto... numbers) {
  std::string text = word;
  ((text += " " + std::to_string(numbers)), ...);
  return text + "\n";
}

error incomplete() { return {ec::journal_corrupt, "a line is missing or not a number"}; }

} // namespace

std::string encode(const backup_manifest& x) {
  auto text = "troupe backup\n" + line("format", backup_format_version)
              + line("taken_ms", x.taken.time_since_epoch().count())
              + line("shards", x.positions.size());
  for (auto& [shard, at] : x.positions)
    text += line("position", core::index_of(shard), at);
  text += line("jobs", x.jobs) + line("snapshot_bytes", x.snapshot_bytes)
          + line("blobs", x.blobs.count, x.blobs.bytes, x.blobs.digest) + std::string{manifest_key}
          + encode(x.source);
  return text + checksum_line(text);
}

result<backup_manifest> decode_backup(std::string_view text) {
  auto end = text.rfind(checksum_key);
  if (end == text.npos || text.substr(end) != checksum_line(text.substr(0, end)))
    return error{ec::journal_corrupt, "its checksum is wrong"};
  text = text.substr(0, end);
  auto at = text.find(manifest_key);
  if (!text.starts_with("troupe backup\n") || at == text.npos)
    return incomplete();
  line_reader lines{text.substr(text.find('\n') + 1)};
  backup_manifest x;
  std::uint32_t format = 0;
  if (!lines.read("format", format))
    return incomplete();
  if (format > backup_format_version)
    return error{ec::newer_format, "it is a backup of format " + std::to_string(format)
                                       + "; this version knows "
                                       + std::to_string(backup_format_version)};
  std::int64_t taken_ms = 0;
  std::uint16_t shards = 0;
  if (!lines.read("taken_ms", taken_ms) || !lines.read("shards", shards))
    return incomplete();
  for (std::uint16_t i = 0; i < shards; ++i) {
    std::uint16_t shard = 0;
    core::position upto = 0;
    if (!lines.read("position", shard, upto))
      return incomplete();
    x.positions[core::shard_id{shard}] = upto;
  }
  if (!lines.read("jobs", x.jobs) || !lines.read("snapshot_bytes", x.snapshot_bytes)
      || !lines.read("blobs", x.blobs.count, x.blobs.bytes, x.blobs.digest))
    return incomplete();
  auto source = decode_manifest(text.substr(at + manifest_key.size()));
  if (!source)
    return source.error();
  x.source = *source;
  x.taken = decltype(x.taken){std::chrono::milliseconds{taken_ms}};
  return x;
}

result<backup_manifest> read_backup(file_ops& files, const std::filesystem::path& directory) {
  auto name = directory / backup_file_name;
  auto content = read_file(files, name);
  if (!content)
    return content.error();
  if (!*content)
    return error{ec::io_failed, directory.string()
                                    + " is no backup: it has no file BACKUP; a "
                                      "backup that was not finished has none"};
  auto found =
      decode_backup({reinterpret_cast<const char*>((*content)->data()), (*content)->size()});
  if (!found)
    return error{found.code(),
                 name.string() + " cannot be used: " + found.error().detail
                     + (found.code() == ec::newer_format ? "; use the version that made it"
                                                         : "; use another backup")};
  return found;
}

} // namespace troupe::storage
