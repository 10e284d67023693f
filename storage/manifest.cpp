#include "storage/manifest.hpp"

#include "core/crc32c.hpp"

#include <charconv>
#include <cstdio>
#include <map>

namespace troupe::storage {

namespace {

constexpr std::string_view checksum_key = "crc32c ";

std::string checksum_line(std::string_view text) {
  auto crc = core::crc32c({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  char digits[9];
  std::snprintf(digits, sizeof digits, "%08x", crc);
  return std::string{checksum_key} + digits + "\n";
}

/// Lines of a word and the rest.
std::map<std::string_view, std::string_view> split(std::string_view text) {
  std::map<std::string_view, std::string_view> lines;
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    auto space = std::min(line.find(' '), line.size());
    lines[line.substr(0, space)] = line.substr(std::min(line.size(), space + 1));
  }
  return lines;
}

template <class T>
bool parse(std::string_view text, T& x) {
  auto parsed = std::from_chars(text.data(), text.data() + text.size(), x);
  return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
}

} // namespace

std::string encode(const manifest& x) {
  auto text = "troupe data directory\nformat " + std::to_string(x.format) + "\nnode "
              + to_string(x.owner.node) + "\nincarnation " + std::to_string(x.owner.incarnation)
              + "\nshards " + std::to_string(x.shards) + "\nfeature_level "
              + std::to_string(x.feature_level) + "\ncreated_ms "
              + std::to_string(x.created.time_since_epoch().count()) + "\n";
  return text + checksum_line(text);
}

result<manifest> decode_manifest(std::string_view text) {
  auto end = text.rfind(checksum_key);
  if (end == text.npos || text.substr(end) != checksum_line(text.substr(0, end)))
    return error{ec::journal_corrupt, "its checksum is wrong"};
  auto lines = split(text.substr(0, end));
  manifest x;
  if (!parse(lines["format"], x.format) || !parse(lines["feature_level"], x.feature_level))
    return error{ec::journal_corrupt, "it has no format or feature level"};
  if (x.format > data_format_version || x.feature_level > feature_level_known)
    return error{ec::newer_format, "it is of format " + std::to_string(x.format)
                                       + ", feature level " + std::to_string(x.feature_level)
                                       + "; this version knows "
                                       + std::to_string(data_format_version) + " and "
                                       + std::to_string(feature_level_known)};
  auto node = parse_node_id(lines["node"]);
  std::int64_t created_ms = 0;
  if (!node || !parse(lines["incarnation"], x.owner.incarnation)
      || !parse(lines["shards"], x.shards) || x.shards == 0
      || !parse(lines["created_ms"], created_ms))
    return error{ec::journal_corrupt, "a line is missing or not a number"};
  x.owner.node = *node;
  x.created = decltype(x.created){std::chrono::milliseconds{created_ms}};
  return x;
}

} // namespace troupe::storage
