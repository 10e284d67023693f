#include "storage/blob_errors.hpp"

#include <algorithm>

namespace troupe::storage {

namespace {

constexpr std::size_t piece_bytes = 1 << 20;

} // namespace

error blob_too_large(std::uint64_t bytes, std::uint64_t bytes_max) {
  return {ec::too_large, "a blob of " + std::to_string(bytes) + " bytes is beyond the limit of "
                             + std::to_string(bytes_max)};
}

error blob_is_missing(const blob_key& key) {
  return {ec::blob_missing, "there is no blob sha256:" + to_hex(key.name) + " in namespace "
                                + std::to_string(static_cast<std::uint32_t>(key.space))
                                + "; restore a backup"};
}

status blob_source::each(const reader& piece) {
  sha256_stream hash;
  core::bytes buffer(std::min<std::uint64_t>(bytes(), piece_bytes));
  for (std::uint64_t at = 0; at < bytes();) {
    auto got = read(buffer, at);
    if (!got)
      return got.error();
    if (*got == 0)
      break; // It became shorter: the hash tells.
    auto part = core::byte_view{buffer}.first(*got);
    hash.add(part);
    if (auto done = piece(part); !done)
      return done;
    at += *got;
  }
  if (hash.end() != name_)
    return error{ec::journal_corrupt,
                 place_ + " is damaged: its content does not fit its name; restore a backup"};
  return {};
}

result<sha256_digest> blob_store::put(namespace_id space, core::byte_view data,
                                      std::size_t bytes_max) {
  auto kept = keep(space, data, bytes_max);
  if (!kept)
    return kept.error();
  return kept->name();
}

result<std::vector<sha256_digest>> blob_store::names(namespace_id space,
                                                     const std::optional<sha256_digest>& after,
                                                     std::size_t limit) {
  auto all = list(space);
  if (!all)
    return all.error();
  std::vector<sha256_digest> found;
  for (auto& x : *all)
    if (found.size() < limit && (!after || x.name > *after))
      found.push_back(x.name);
  return found;
}

result<std::uint64_t> blob_store::bytes() {
  auto spaces = namespaces();
  if (!spaces)
    return spaces.error();
  std::uint64_t sum = 0;
  for (auto space : *spaces) {
    auto all = list(space);
    if (!all)
      return all.error();
    for (auto& x : *all)
      sum += x.bytes;
  }
  return sum;
}

bool is_graph(core::byte_view content) { return !content.empty() && content.front() == '{'; }

} // namespace troupe::storage
