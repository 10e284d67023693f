#include "storage/journal_start.hpp"

#include "core/crc32c.hpp"
#include "core/wire.hpp"
#include "storage/segment_file.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>

namespace troupe::storage {

namespace {

constexpr const char* start_name = "START";
constexpr const char* passing_name = "start.tmp";
constexpr std::uint64_t start_magic = 0x54525045'53545254; // "TRPESTRT"
constexpr std::uint32_t start_version = 1;
constexpr std::size_t page = 4096;
constexpr std::size_t head_bytes = 38, shard_bytes = 10, crc_bytes = 4;

struct slot {
  enum { valid, damaged, newer } state = damaged;
  std::uint32_t owner_crc = 0;
  journal_start start;
};

core::bytes encode(const journal_place& place, const journal_start& x) {
  core::bytes raw;
  core::writer out{raw};
  auto bytes = head_bytes + shard_bytes * x.trimmed.size() + crc_bytes;
  out(start_magic, start_version, crc_of(place.owner), static_cast<std::uint32_t>(bytes),
      x.sequence, x.first, static_cast<std::uint16_t>(x.trimmed.size()));
  for (auto& [shard, upto] : x.trimmed)
    out(shard, upto);
  out(core::crc32c(raw));
  return raw;
}

slot decode(core::byte_view raw) {
  slot found;
  core::reader in{raw};
  std::uint64_t magic = 0;
  std::uint32_t version = 0, bytes = 0, crc = 0;
  std::uint16_t shards = 0;
  in(magic, version, found.owner_crc, bytes, found.start.sequence, found.start.first, shards);
  if (!in.ok || magic != start_magic || bytes > raw.size() || bytes < head_bytes + crc_bytes)
    return found;
  core::reader{raw.subspan(bytes - crc_bytes)}(crc);
  if (crc != core::crc32c(raw.first(bytes - crc_bytes)))
    return found;
  found.state = version > start_version ? slot::newer : slot::valid;
  for (; shards > 0 && in.ok; --shards) {
    core::shard_id shard{};
    core::position upto = 0;
    in(shard, upto);
    found.start.trimmed[shard] = upto;
  }
  return found;
}

error unusable(const journal_place& place, const slot& x) {
  auto name = (place.directory / start_name).string();
  if (x.state == slot::newer)
    return {ec::newer_format, name + " is of a newer format; start that version"};
  if (x.state == slot::damaged)
    return {ec::journal_corrupt, name + " is damaged; restore a backup"};
  return {ec::wrong_node, name
                              + " belongs to another node or incarnation than the directory; "
                                "open each node's own directory"};
}

/// Slots are written in turn, so that the newest one is never at risk.
std::size_t offset_of(const journal_start& x, std::size_t file_bytes) {
  return x.sequence % 2 == 0 ? file_bytes / 2 : 0;
}

/// Both slots, each with room for all shards; one is written.
core::bytes whole_file(const journal_place& place, const journal_start& x,
                       const core::bytes& slot) {
  auto most = std::max(slot.size(), head_bytes + crc_bytes + shard_bytes * place.shards);
  core::bytes content((most + page - 1) / page * page * 2);
  auto at = static_cast<std::ptrdiff_t>(offset_of(x, content.size()));
  std::copy(slot.begin(), slot.end(), content.begin() + at);
  return content;
}

} // namespace

result<journal_start> read_start(const journal_place& place) {
  auto content = read_file(*place.files, place.directory / start_name);
  if (!content)
    return content.error();
  if (!*content)
    return journal_start{};
  core::byte_view all{**content};
  auto one = decode(all.first(all.size() / 2)), two = decode(all.subspan(all.size() / 2));
  bool second = one.state == slot::damaged
                || (two.state != slot::damaged && two.start.sequence > one.start.sequence);
  auto& newest = second ? two : one;
  if (newest.state != slot::valid || newest.owner_crc != crc_of(place.owner))
    return unusable(place, newest);
  return std::move(newest.start);
}

namespace {

/// Over the slot of its sequence, and durably. `false`: there is no file, or it is too small.
result<bool> write_in_place(const journal_place& place, const journal_start& x,
                            const core::bytes& raw) {
  auto name = place.directory / start_name;
  int fd = place.files->open(name, O_RDWR);
  if (fd == -ENOENT)
    return false;
  if (fd < 0)
    return os_error("open", name, fd);
  file there{*place.files, name, fd};
  auto size = there.size();
  if (!size)
    return size.error();
  if (*size / 2 < raw.size())
    return false;
  auto written = there.write(raw, offset_of(x, *size));
  if (written)
    written = there.sync_data();
  return written ? result<bool>{true} : written.error();
}

} // namespace

status write_start(const journal_place& place, journal_start& x) {
  ++x.sequence;
  auto raw = encode(place, x);
  auto written = write_in_place(place, x, raw);
  if (!written)
    return written.error();
  if (*written)
    return {};
  return replace_file(*place.files, place.directory / start_name, place.directory / passing_name,
                      whole_file(place, x, raw));
}

status settle_start(const journal_place& place) {
  auto start = read_start(place);
  if (!start)
    return start.error();
  if (start->sequence == 0)
    return {};
  auto written = write_in_place(place, *start, encode(place, *start));
  if (written.code() != ec::no_space)
    return written ? status{} : status{written.error()};
  // A file system that copies on writing has no room: what a process has left is synced as it is.
  auto there = file::open(*place.files, place.directory / start_name, O_RDWR);
  return there ? there->sync_data() : status{there.error()};
}

result<std::vector<std::uint64_t>> needed_segments(const journal_place& place,
                                                   std::uint64_t first) {
  auto numbers = list_segments(*place.files, place.directory);
  if (!numbers)
    return numbers.error();
  std::erase_if(*numbers, [first](auto number) { return number < first; });
  auto expected = first;
  for (auto number : *numbers)
    if (number == expected)
      ++expected;
  if (expected != first + numbers->size() || (first > 1 && numbers->empty()))
    return error{ec::journal_corrupt, segment_path(place.directory, expected).string()
                                          + " is missing, but it was needed; put it back or "
                                            "restore a backup"};
  return std::move(*numbers);
}

} // namespace troupe::storage
