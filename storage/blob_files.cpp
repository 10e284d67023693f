#include "storage/blob_errors.hpp"
#include "storage/blob_file_sink.hpp"
#include "storage/data_pin.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <set>

namespace troupe::storage {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t removed_behind_gate_max = 1000; ///< A backup that begins waits for so many.

class file_blob_source final : public blob_source {
public:
  file_blob_source(file content, std::uint64_t bytes, const sha256_digest& name)
      : blob_source(content.name().string(), name), file_(std::move(content)), bytes_(bytes) {}

  std::uint64_t bytes() const override { return bytes_; }
  result<std::size_t> read(std::span<std::uint8_t> into, std::uint64_t offset) override {
    return file_.read(into, offset);
  }

private:
  file file_;
  std::uint64_t bytes_;
};

class file_blob_store final : public blob_store {
public:
  explicit file_blob_store(const data_dir& directory)
      : directory_(directory),
        files_(directory.files()),
        root_(directory.blobs_path()),
        folders_(files_, root_) {}

  /// Removes what a crash left half written.
  status clean() {
    std::vector<std::string> names;
    auto passing = folders_.passing();
    if (int failed = files_.list(passing, names); failed < 0)
      return failed == -ENOENT ? status{} : status{os_error("list", passing, failed)};
    for (auto& name : names)
      if (int failed = files_.unlink(passing / name); failed < 0)
        return os_error("remove", passing / name, failed);
    return {};
  }

  result<blob_pin> keep(namespace_id space, core::byte_view data, std::size_t bytes_max) override {
    if (auto allowed = writable(); !allowed)
      return allowed.error();
    if (data.size() > bytes_max)
      return blob_too_large(data.size(), bytes_max);
    // Held before it is looked for: a sweep that comes now leaves it.
    blob_pin held{pins_, {space, sha256(data)}};
    auto path = folders_.path_of({space, held.name()});
    if (auto made = folders_.make(path.parent_path()); !made)
      return made.error();
    auto there = read_file(files_, path);
    bool intact =
        there && *there && std::equal(data.begin(), data.end(), (*there)->begin(), (*there)->end());
    // Who wrote one that is there may have died before its name was durable.
    auto kept =
        intact && files_.touch(path) == 0 ? folders_.sync(path.parent_path()) : write(path, data);
    if (!kept)
      return kept.error();
    return held;
  }

  result<blob_pin> pin(namespace_id space, const sha256_digest& name) override {
    if (auto allowed = writable(); !allowed)
      return allowed.error();
    blob_pin held{pins_, {space, name}};
    auto path = folders_.path_of({space, name});
    int failed = files_.touch(path);
    if (failed == -ENOENT)
      return blob_is_missing({space, name});
    if (failed < 0)
      return os_error("touch", path, failed);
    if (auto synced = folders_.sync(path.parent_path()); !synced)
      return synced.error();
    return held;
  }

  result<std::unique_ptr<blob_sink>> begin(namespace_id space, std::uint64_t bytes_max) override {
    if (auto allowed = writable(); !allowed)
      return allowed.error();
    return begin_blob_file(folders_, pins_, space, bytes_max);
  }

  result<core::bytes> get(namespace_id space, const sha256_digest& name) override {
    auto source = open(space, name);
    if (!source)
      return source.error();
    core::bytes content;
    content.reserve((*source)->bytes());
    auto done = (*source)->each([&](core::byte_view piece) {
      content.insert(content.end(), piece.begin(), piece.end());
      return status{};
    });
    if (!done)
      return done.error();
    return content;
  }

  result<std::unique_ptr<blob_source>> open(namespace_id space,
                                            const sha256_digest& name) override {
    auto path = folders_.path_of({space, name});
    int fd = files_.open(path, O_RDONLY);
    if (fd == -ENOENT)
      return blob_is_missing({space, name});
    if (fd < 0)
      return os_error("open", path, fd);
    file content{files_, path, fd};
    auto size = content.size();
    if (!size)
      return size.error();
    return std::unique_ptr<blob_source>{
        std::make_unique<file_blob_source>(std::move(content), *size, name)};
  }

  result<std::vector<namespace_id>> namespaces() override {
    std::vector<std::string> names;
    if (int failed = files_.list(root_, names); failed < 0 && failed != -ENOENT)
      return os_error("list", root_, failed);
    std::vector<namespace_id> spaces;
    for (auto& name : names) {
      std::uint32_t number = 0;
      auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
      if (parsed.ec == std::errc{} && parsed.ptr == name.data() + name.size())
        spaces.push_back(namespace_id{number});
    }
    std::sort(spaces.begin(), spaces.end());
    return spaces;
  }

  result<std::vector<sha256_digest>>
  names(namespace_id space, const std::optional<sha256_digest>& after, std::size_t limit) override {
    return folders_.names_behind(space, after, limit);
  }

  result<std::vector<blob_about>> list(namespace_id space) override {
    auto names = folders_.names_of(space);
    if (!names)
      return names.error();
    std::vector<blob_about> all;
    for (auto& name : *names) {
      file_about found;
      if (files_.about(folders_.path_of({space, name}), found) == 0) // Else it was just removed.
        all.push_back({name, found.size, found.modified});
    }
    return all;
  }

  result<swept> sweep(const marker& mark, blob_time now, const sweep_ages& ages) override {
    if (auto allowed = writable(); !allowed)
      return allowed.error();
    std::scoped_lock one{sweeping_};
    if (!gate_) {
      auto opened = removal_gate::open(directory_);
      if (!opened)
        return opened.error();
      gate_ = std::move(*opened);
    }
    blob_pins::sweep marking{*pins_};
    swept done;
    auto old = old_blobs(now - std::min(ages.value, ages.graph), done.more);
    if (!old)
      return old.error();
    auto marked = mark([&](namespace_id space, const sha256_digest& name) {
      old->erase({space, name});
    });
    if (!marked)
      return marked.error();
    while (!old->empty())
      if (auto removed = remove_some(*old, now, ages, done); !removed)
        return removed.error();
    return done;
  }

private:
  status writable() const {
    if (directory_.mode() == open_mode::write)
      return {};
    return error{ec::unsupported, root_.string() + " is open for reading only"};
  }

  status write(const fs::path& path, core::byte_view data) {
    blob_folders::change naming{folders_, path.parent_path()};
    return replace_file(files_, path, folders_.next_passing(), data);
  }

  bool is_old(const blob_key& key, blob_time before, std::uint64_t& bytes) {
    file_about found;
    bool there = files_.about(folders_.path_of(key), found) == 0;
    bytes = found.size;
    return there && found.modified <= before;
  }

  /// The next `blob_sweep_max` that were put before, from where the last sweep ended.
  result<std::set<blob_key>> old_blobs(blob_time before, bool& more) {
    auto spaces = namespaces();
    if (!spaces)
      return spaces.error();
    std::set<blob_key> old;
    std::uint64_t bytes = 0;
    auto from = std::exchange(sweep_from_, {});
    for (auto space : *spaces) {
      auto names = folders_.names_of(space);
      if (!names)
        return names.error();
      for (auto& name : *names) {
        blob_key key{space, name};
        if (key < from || !is_old(key, before, bytes))
          continue;
        if (old.size() == limits::blob_sweep_max) {
          sweep_from_ = key;
          more = true;
          return old;
        }
        old.insert(key);
      }
    }
    return old;
  }

  /// Graphs may have to be older.
  bool may_go(const blob_key& key, blob_time now, const sweep_ages& ages, std::uint64_t& bytes) {
    if (!is_old(key, now - std::min(ages.value, ages.graph), bytes))
      return false; // Put once more since it was listed.
    auto source = open(key.space, key.name);
    core::bytes first(1);
    auto read = source ? (*source)->read(first, 0) : source.error();
    return read && is_old(key, now - (is_graph(first) ? ages.graph : ages.value), bytes);
  }

  status remove_some(std::set<blob_key>& old, blob_time now, const sweep_ages& ages, swept& done) {
    return gate_->pass([&]() -> status {
      for (std::size_t i = 0; i < removed_behind_gate_max && !old.empty(); ++i) {
        auto key = old.extract(old.begin()).value();
        int failed = 0;
        pins_->unless_held(key, [&] {
          std::uint64_t bytes = 0;
          if (!may_go(key, now, ages, bytes))
            return;
          failed = files_.unlink(folders_.path_of(key));
          done.blobs += failed == 0;
          done.bytes += failed == 0 ? bytes : 0;
        });
        if (failed < 0 && failed != -ENOENT)
          return os_error("remove", folders_.path_of(key), failed);
      }
      return {};
    });
  }

  const data_dir& directory_;
  file_ops& files_;
  fs::path root_;
  blob_folders folders_;
  std::shared_ptr<blob_pins> pins_ = std::make_shared<blob_pins>();
  std::mutex sweeping_; ///< Guards the rest.
  std::optional<removal_gate> gate_;
  blob_key sweep_from_;
};

} // namespace

result<std::unique_ptr<blob_store>> open_blob_store(const data_dir& directory) {
  auto store = std::make_unique<file_blob_store>(directory);
  if (directory.mode() == open_mode::write)
    if (auto cleaned = store->clean(); !cleaned)
      return cleaned.error();
  return std::unique_ptr<blob_store>{std::move(store)};
}

} // namespace troupe::storage
