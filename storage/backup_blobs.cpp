#include "storage/backup_blobs.hpp"

#include "storage/blob_errors.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <openssl/evp.h>

namespace troupe::storage {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t piece_bytes = 1 << 20;
constexpr const char* passing_name = "tmp";

/// SHA-256 of what comes in pieces.
class hash {
public:
  hash() : context_(::EVP_MD_CTX_new(), ::EVP_MD_CTX_free) {
    ::EVP_DigestInit_ex(context_.get(), ::EVP_sha256(), nullptr);
  }
  void add(core::byte_view data) { ::EVP_DigestUpdate(context_.get(), data.data(), data.size()); }
  sha256_digest end() {
    sha256_digest digest{};
    ::EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr);
    return digest;
  }

private:
  std::unique_ptr<EVP_MD_CTX, decltype(&::EVP_MD_CTX_free)> context_;
};

/// Hands a file on in pieces.
status read_through(const file& from, const std::function<status(core::byte_view)>& each) {
  core::bytes piece(piece_bytes);
  for (std::uint64_t at = 0;;) {
    auto got = from.read(piece, at);
    if (!got)
      return got.error();
    if (*got == 0)
      return {};
    if (auto done = each(core::byte_view{piece}.first(*got)); !done)
      return done;
    at += *got;
  }
}

error damaged(const fs::path& path) {
  return {ec::journal_corrupt,
          path.string() + " is damaged: its content does not fit its name; restore a backup"};
}

std::optional<sha256_digest> parse_name(const std::string& text) {
  auto id = parse_graph_id(text); // The same 64 digits.
  if (!id || text != to_hex(id->sha256))
    return std::nullopt;
  return id->sha256;
}

std::optional<namespace_id> parse_space(const std::string& text) {
  std::uint32_t number = 0;
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size() || text != std::to_string(number))
    return std::nullopt;
  return namespace_id{number};
}

/// The names in a directory, in order; none if it is not there.
result<std::vector<std::string>> sorted_names(file_ops& files, const fs::path& directory) {
  std::vector<std::string> names;
  if (int failed = files.list(directory, names); failed < 0 && failed != -ENOENT)
    return os_error("list", directory, failed);
  std::ranges::sort(names);
  return names;
}

} // namespace

fs::path blob_files::path_of(namespace_id space, const sha256_digest& name) const {
  auto hex = to_hex(name);
  return root_ / std::to_string(static_cast<std::uint32_t>(space)) / hex.substr(0, 2) / hex;
}

result<file> blob_files::open(namespace_id space, const sha256_digest& name) const {
  auto path = path_of(space, name);
  int fd = files_->open(path, O_RDONLY);
  if (fd == -ENOENT)
    return error{ec::blob_missing, path.string() + " is gone; restore a backup"};
  if (fd < 0)
    return os_error("open", path, fd);
  return file{*files_, path, fd};
}

result<bool> blob_files::has(namespace_id space, const sha256_digest& name) const {
  auto opened = open(space, name);
  if (!opened && opened.code() != ec::blob_missing)
    return opened.error();
  return static_cast<bool>(opened);
}

result<bool> blob_files::holds_graph(namespace_id space, const sha256_digest& name) const {
  auto opened = open(space, name);
  if (!opened)
    return opened.code() == ec::blob_missing ? result<bool>{false} : opened.error();
  core::bytes first(1);
  auto got = opened->read(first, 0);
  return got ? result<bool>{*got == 1 && is_graph(first)} : got.error();
}

status blob_files::each(const std::function<status(const blob_file&)>& each,
                        const std::function<void(const fs::path&)>& odd) const {
  auto strange = [&](const fs::path& path) {
    if (odd)
      odd(path);
  };
  auto spaces = sorted_names(*files_, root_);
  if (!spaces)
    return spaces.error();
  for (auto& space : *spaces) {
    auto number = parse_space(space);
    if (!number && space != passing_name)
      strange(root_ / space);
    if (!number)
      continue;
    auto groups = sorted_names(*files_, root_ / space);
    if (!groups)
      return groups.error();
    for (auto& group : *groups) {
      auto names = sorted_names(*files_, root_ / space / group);
      if (!names)
        return names.error();
      for (auto& text : *names) {
        auto path = root_ / space / group / text;
        auto name = parse_name(text);
        if (!name || !text.starts_with(group)) {
          strange(path);
          continue;
        }
        std::error_code gone; // Swept meanwhile: no longer one of them.
        auto bytes = fs::file_size(path, gone);
        if (gone)
          continue;
        if (auto done = each({*number, *name, bytes, path}); !done)
          return done;
      }
    }
  }
  return {};
}

result<std::uint64_t> blob_files::check(namespace_id space, const sha256_digest& name) const {
  auto from = open(space, name);
  if (!from)
    return from.error();
  hash content;
  std::uint64_t bytes = 0;
  auto read = read_through(*from, [&](core::byte_view piece) -> status {
    content.add(piece);
    bytes += piece.size();
    return {};
  });
  if (!read)
    return read.error();
  if (content.end() != name)
    return damaged(from->name());
  return bytes;
}

result<std::uint64_t> blob_files::copy(namespace_id space, const sha256_digest& name,
                                       const blob_files& to) const {
  auto path = to.path_of(space, name);
  std::error_code ignored;
  if (!fs::exists(path.parent_path(), ignored))
    if (auto made = make_directories(*to.files_, path.parent_path()); !made)
      return made.error();
  auto from = open(space, name);
  if (!from)
    return from.error();
  auto into = file::open(*to.files_, path, O_WRONLY | O_CREAT | O_TRUNC);
  if (!into)
    return into.error();
  hash content;
  std::uint64_t bytes = 0;
  auto copied = read_through(*from, [&](core::byte_view piece) -> status {
    content.add(piece);
    auto written = into->write(piece, bytes);
    bytes += piece.size();
    return written;
  });
  if (!copied)
    return copied.error();
  if (content.end() != name)
    return damaged(from->name());
  return bytes;
}

void add_blob(blob_totals& to, namespace_id space, const sha256_digest& name, std::uint64_t bytes) {
  std::uint64_t part = 0;
  std::memcpy(&part, name.data(), sizeof part);
  ++to.count;
  to.bytes += bytes;
  to.digest += part * 0x9e37'79b9'7f4a'7c15u + static_cast<std::uint32_t>(space);
}

} // namespace troupe::storage
