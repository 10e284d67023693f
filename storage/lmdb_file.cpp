#include "storage/lmdb_file.hpp"

#include "storage/lmdb_check.hpp"

#include <cerrno>
#include <fcntl.h>
#include <thread>

namespace troupe::storage::lmdb {

error damaged(const std::filesystem::path& name, const std::string& what) {
  return {ec::journal_corrupt,
          name.string() + " " + what
              + "; run `troupe verify`, then restore a backup or see \"When the "
                "snapshot is damaged\" in docs/operations.md"};
}

namespace {

constexpr std::size_t new_file_bytes = 2 * 4096; ///< The least that a finished one has.
constexpr int reads_max = 1000;                  ///< Of a page that is being written meanwhile.

result<std::optional<meta>> read_meta(const file& from, std::uint64_t offset, std::size_t number) {
  std::array<std::uint8_t, meta_bytes> data{};
  auto got = from.read(data, offset);
  if (!got)
    return got.error();
  auto found = *got == data.size() ? meta_at(data) : std::nullopt;
  if (found && number_at<std::uint64_t>(data, 0) != number)
    return std::optional<meta>{};
  return found;
}

/// Commits write the pages in turns, so their numbers follow each other. A new file has zeros.
bool in_turns(const meta& even, const meta& odd) {
  if (even.transaction == 0 && odd.transaction == 0)
    return true;
  auto apart = even.transaction > odd.transaction ? even.transaction - odd.transaction
                                                  : odd.transaction - even.transaction;
  return even.transaction % 2 == 0 && odd.transaction % 2 == 1 && apart == 1;
}

bool sound(const meta& x, std::size_t page_bytes) {
  auto inside = [&](const tree& t) { return t.root == no_page || t.root <= x.last_page; };
  return x.page_bytes() == page_bytes && x.free.flags == integer_keys && x.main.flags == 0
         && inside(x.free) && inside(x.main);
}

/// Both pages as they are now; nothing if they do not fit together.
result<std::optional<metas>> read_pair(const file& from) {
  auto first = read_meta(from, 0, 0);
  if (!first)
    return first.error();
  if (!*first)
    return std::optional<metas>{};
  auto page_bytes = (*first)->page_bytes();
  auto second = read_meta(from, page_bytes, 1);
  if (!second)
    return second.error();
  if (!*second || !sound(**first, page_bytes) || !sound(**second, page_bytes)
      || !in_turns(**first, **second))
    return std::optional<metas>{};
  return std::optional{metas{{**first, **second}}};
}

/// Whether the file has all pages that it knows of.
status check_size(const file& from, const metas& of) {
  auto size = from.size();
  if (!size)
    return size.error();
  for (auto& x : of.of)
    if (x.last_page >= *size / x.page_bytes())
      return damaged(from.name(), "was cut off: it has " + std::to_string(*size)
                                      + " bytes, but knows " + std::to_string(x.last_page + 1)
                                      + " pages of " + std::to_string(x.page_bytes()));
  return {};
}

/// Of a file that is not there or has no content.
status absent(const data_dir& directory, const std::filesystem::path& name, bool expected) {
  if (expected)
    return damaged(name, "is gone or empty, but the data directory is not new");
  if (directory.mode() == open_mode::read)
    return error{ec::io_failed, "there is no snapshot " + name.string()
                                    + " yet; repeat when its owner has made one"};
  return {};
}

/// Whether the making of the file was cut short. It never held anything then.
bool is_unfinished(const file& x, std::uint64_t size) {
  if (size >= new_file_bytes)
    return false;
  auto pair = read_pair(x);
  return pair && !*pair;
}

/// Makes way for a new file where the making of one was cut short.
status remove_unfinished(file_ops& files, const std::filesystem::path& name) {
  if (int failed = files.unlink(name); failed < 0)
    return os_error("remove the unfinished", name, failed);
  return {};
}

} // namespace

result<metas> read_metas(const file& from, bool live) {
  for (int i = 0;; ++i) {
    auto found = read_pair(from);
    if (!found)
      return found.error();
    if (*found) {
      auto whole = check_size(from, **found);
      return whole ? result<metas>{**found} : whole.error();
    }
    if (!live || i == reads_max)
      return damaged(from.name(), "has no valid first pages");
    std::this_thread::yield();
  }
}

bool is_unfinished(const data_dir& directory, const std::filesystem::path& name) {
  auto& files = directory.files();
  int fd = files.open(name, O_RDONLY);
  if (fd < 0)
    return false;
  file opened{files, name, fd};
  auto size = opened.size();
  return size && is_unfinished(opened, *size);
}

status examine(const data_dir& directory, const std::filesystem::path& name, bool expect_existing) {
  auto& files = directory.files();
  int fd = files.open(name, O_RDONLY);
  if (fd == -ENOENT)
    return absent(directory, name, expect_existing);
  if (fd < 0)
    return os_error("open", name, fd);
  file opened{files, name, fd};
  auto size = opened.size();
  if (!size)
    return size.error();
  bool write = directory.mode() == open_mode::write;
  if (*size == 0 && (expect_existing || !write))
    return absent(directory, name, expect_existing);
  if (!expect_existing && write && is_unfinished(opened, *size))
    return remove_unfinished(files, name);
  auto found = read_metas(opened, !write);
  if (!found)
    return found.error();
  return write ? check_own_rows(opened, *found) : status{};
}

} // namespace troupe::storage::lmdb
