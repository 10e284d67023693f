#pragma once

#include "storage/file_ops.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>

namespace troupe::test {

/// A file system in memory that knows what was synced. A power loss leaves any state that the
/// system calls allow: what was not synced is kept, lost, or torn at 512 bytes; a name that its
/// directory was not synced for is old or new. Faults are injected by `before`.
class fault_files final : public storage::file_ops {
public:
  enum class op {
    open,
    read,
    write,
    fdatasync,
    fsync,
    truncate,
    rename,
    unlink,
    make_directory,
    touch,
    space
  };

  /// What is called before operations; may be replaced while there are some.
  class hook {
  public:
    using call = std::function<int(op, const path&)>;

    void operator=(call x) {
      std::scoped_lock lock{mutex_};
      call_ = std::move(x);
    }
    int operator()(op what, const path& name) const {
      auto now = [this] {
        std::scoped_lock lock{mutex_};
        return call_;
      }();
      return now ? now(what, name) : 0;
    }

  private:
    mutable std::mutex mutex_;
    call call_;
  };
  /// Called before each operation, from any thread, without a lock: answers 0 to let it happen or
  /// `-errno`; for `write` a number above 0 is how many bytes it may take.
  hook before;

  /// From the n-th operation that changes anything on, nothing happens any more: the process died.
  std::atomic<std::uint64_t> dies_at = ~std::uint64_t{0};

  /// Operations so far that change or sync anything.
  std::uint64_t changes() {
    std::scoped_lock lock{mutex_};
    return changes_;
  }

  /// The power fails: what `seed` picks of the unsynced is on the disk. All descriptors close.
  void lose_power(std::uint64_t seed) {
    std::scoped_lock lock{mutex_};
    std::mt19937_64 random{seed};
    for (auto& change : unsynced_names_)
      if (random() % 2 == 0)
        apply(synced_names_, change);
    unsynced_names_.clear();
    // What lies in a directory that is not there is not there, either. Parents sort first.
    std::erase_if(synced_names_, [this](auto& entry) {
      auto above = path{entry.first}.parent_path().string();
      return above != "/" && !synced_names_.contains(above);
    });
    names_ = synced_names_;
    for (auto& [name, node] : names_)
      node->lose(random);
    restart();
  }

  /// The process dies, the system goes on: everything written stays, synced or not.
  void kill() {
    std::scoped_lock lock{mutex_};
    restart();
  }

  /// The system drops what it could not write, but goes on to show it, as after a failed sync.
  void forget_unsynced() {
    std::scoped_lock lock{mutex_};
    for (auto& [name, file] : names_)
      file->unsynced.clear();
  }

  /// The content of a file as a process sees it, to look at and to damage.
  std::vector<std::uint8_t>& content(const path& name) { return names_.at(name.string())->now; }
  bool exists(const path& name) { return names_.contains(name.string()); }

  int open(const path& name, int flags) override {
    bool makes = flags & O_CREAT;
    if (int failed = enter(op::open, name, makes && !exists_locked(name)); failed != 0)
      return failed;
    std::scoped_lock lock{mutex_};
    auto found = find(name);
    if (!found && !makes)
      return -ENOENT;
    if (!found && !find(name.parent_path()))
      return -ENOENT;
    if (found && (flags & O_DIRECTORY) && !found->directory)
      return -ENOTDIR;
    if (!found) {
      found = std::make_shared<node>();
      found->modified = clock;
      change_name({{}, name.string(), found});
    }
    if (flags & O_TRUNC)
      found->resize(0);
    open_[next_fd_] = {found, name};
    return next_fd_++;
  }

  void close(int fd) override {
    std::scoped_lock lock{mutex_};
    open_.erase(fd);
    locks_.erase(fd);
  }

  ssize_t pread(int fd, void* into, std::size_t size, std::uint64_t offset) override {
    if (int failed = enter(op::read, name_of(fd), false); failed != 0)
      return failed;
    std::scoped_lock lock{mutex_};
    auto& data = open_.at(fd).file->now;
    auto count = offset >= data.size() ? 0 : std::min<std::size_t>(size, data.size() - offset);
    std::copy_n(data.data() + std::min<std::size_t>(offset, data.size()), count,
                static_cast<std::uint8_t*>(into));
    return static_cast<ssize_t>(count);
  }

  ssize_t pwritev(int fd, const iovec* parts, int count, std::uint64_t offset) override {
    int allowed = enter(op::write, name_of(fd), true);
    if (allowed < 0)
      return allowed;
    std::vector<std::uint8_t> data;
    for (int i = 0; i < count; ++i) {
      auto* from = static_cast<const std::uint8_t*>(parts[i].iov_base);
      data.insert(data.end(), from, from + parts[i].iov_len);
    }
    if (allowed > 0 && data.size() > static_cast<std::size_t>(allowed))
      data.resize(static_cast<std::size_t>(allowed));
    std::scoped_lock lock{mutex_};
    auto size = static_cast<ssize_t>(data.size());
    if (auto found = open_.find(fd); found != open_.end())
      write_to(*found->second.file, offset, std::move(data));
    return size;
  }

  int fdatasync(int fd) override { return sync(op::fdatasync, fd); }
  int fsync(int fd) override { return sync(op::fsync, fd); }

  int truncate(int fd, std::uint64_t size) override {
    if (int failed = enter(op::truncate, name_of(fd), true); failed != 0)
      return failed;
    std::scoped_lock lock{mutex_};
    if (auto found = open_.find(fd); found != open_.end())
      found->second.file->resize(size);
    return 0;
  }

  std::int64_t size(int fd) override {
    std::scoped_lock lock{mutex_};
    return static_cast<std::int64_t>(open_.at(fd).file->now.size());
  }

  /// What `space` tells; `total` 0: a disk without end.
  storage::disk_space disk;
  /// What `about` and `touch` take for now.
  std::chrono::sys_time<std::chrono::milliseconds> clock{};

  int lock(int fd) override { return take_lock(fd, true); }
  int lock_shared(int fd) override { return take_lock(fd, false); }
  int unlock(int fd) override {
    std::scoped_lock lock{mutex_};
    locks_.erase(fd);
    return 0;
  }

  int about(const path& name, storage::file_about& x) override {
    std::scoped_lock lock{mutex_};
    auto found = find(name);
    if (!found)
      return -ENOENT;
    x = {found->now.size(), found->modified};
    return 0;
  }

  int touch(const path& name) override {
    if (int failed = enter(op::touch, name, true); failed != 0)
      return failed;
    std::scoped_lock lock{mutex_};
    auto found = find(name);
    if (found)
      found->modified = clock;
    return found ? 0 : -ENOENT;
  }

  int space(const path& name, storage::disk_space& x) override {
    if (int failed = enter(op::space, name, false); failed != 0)
      return failed;
    std::scoped_lock lock{mutex_};
    auto most = std::uint64_t{1} << 40;
    x = disk.total == 0 ? storage::disk_space{most, most} : disk;
    return 0;
  }

  int rename(const path& from, const path& to) override {
    if (int failed = enter(op::rename, from, true); failed != 0)
      return failed;
    std::scoped_lock lock{mutex_};
    auto found = find(from);
    if (!found)
      return -ENOENT;
    change_name({from.string(), to.string(), found});
    return 0;
  }

  int unlink(const path& name) override {
    if (int failed = enter(op::unlink, name, true); failed != 0)
      return failed;
    std::scoped_lock lock{mutex_};
    if (!find(name))
      return -ENOENT;
    change_name({name.string(), {}, nullptr});
    return 0;
  }

  int make_directory(const path& name) override {
    if (int failed = enter(op::make_directory, name, true); failed != 0)
      return failed;
    std::scoped_lock lock{mutex_};
    if (find(name))
      return -EEXIST;
    if (!find(name.parent_path()))
      return -ENOENT;
    auto made = std::make_shared<node>();
    made->directory = true;
    change_name({{}, name.string(), made});
    return 0;
  }

  int list(const path& directory, std::vector<std::string>& names) override {
    std::scoped_lock lock{mutex_};
    if (!find(directory))
      return -ENOENT;
    for (auto& [name, file] : names_)
      if (path{name}.parent_path() == directory)
        names.push_back(path{name}.filename().string());
    return 0;
  }

private:
  using bytes = std::vector<std::uint8_t>;
  static constexpr std::size_t sector = 512;

  struct node {
    bool directory = false;
    std::chrono::sys_time<std::chrono::milliseconds> modified{};
    bytes now, synced;
    std::vector<std::pair<std::uint64_t, bytes>> unsynced;

    static void put(bytes& into, std::uint64_t offset, const std::uint8_t* data, std::size_t size) {
      into.resize(std::max<std::size_t>(into.size(), offset + size));
      std::copy_n(data, size, into.begin() + static_cast<std::ptrdiff_t>(offset));
    }

    void write(std::uint64_t offset, bytes data) {
      put(now, offset, data.data(), data.size());
      unsynced.emplace_back(offset, std::move(data));
    }

    // A shorter file is not modelled as torn: only the LOCK file and new ones are truncated.
    void resize(std::size_t size) {
      now.resize(size);
      synced = now;
      unsynced.clear();
    }

    void sync() {
      for (auto& [offset, data] : unsynced)
        put(synced, offset, data.data(), data.size());
      unsynced.clear();
    }

    /// Each sector of each unsynced write is on the disk or is not.
    void lose(std::mt19937_64& random) {
      for (auto& [offset, data] : unsynced) {
        auto fate = random() % 3; // Kept, lost, torn.
        for (std::size_t at = 0; at < data.size();) {
          auto size = std::min(sector - (offset + at) % sector, data.size() - at);
          if (fate == 0 || (fate == 2 && random() % 2 == 0))
            put(synced, offset + at, data.data() + at, size);
          at += size;
        }
      }
      unsynced.clear();
      now = synced;
    }
  };

  using names = std::map<std::string, std::shared_ptr<node>>;

  struct name_change {
    std::string from, to;
    std::shared_ptr<node> file;

    bool in(const path& directory) const {
      return path{to.empty() ? from : to}.parent_path() == directory;
    }
  };

  struct descriptor {
    std::shared_ptr<node> file;
    path name;
  };

  static void apply(names& all, const name_change& change) {
    if (!change.from.empty())
      all.erase(change.from);
    if (!change.to.empty())
      all[change.to] = change.file;
  }

  void change_name(name_change change) {
    apply(names_, change);
    unsynced_names_.push_back(std::move(change));
  }

  void write_to(node& file, std::uint64_t offset, bytes data) {
    file.modified = clock;
    file.write(offset, std::move(data));
  }

  /// As `flock`: each open file stands for itself.
  int take_lock(int fd, bool alone) {
    std::scoped_lock lock{mutex_};
    for (auto& [other, held_alone] : locks_)
      if (other != fd && open_.at(other).file == open_.at(fd).file && (alone || held_alone))
        return -EWOULDBLOCK;
    locks_[fd] = alone;
    return 0;
  }

  std::shared_ptr<node> find(const path& name) {
    if (name == "/")
      return root_;
    auto found = names_.find(name.string());
    return found == names_.end() ? nullptr : found->second;
  }

  bool exists_locked(const path& name) {
    std::scoped_lock lock{mutex_};
    return find(name) != nullptr;
  }

  path name_of(int fd) {
    std::scoped_lock lock{mutex_};
    auto found = open_.find(fd);
    return found == open_.end() ? path{} : found->second.name;
  }

  int enter(op what, const path& name, bool changes) {
    if (changes) {
      std::scoped_lock lock{mutex_};
      if (++changes_ >= dies_at)
        return -EIO;
    }
    return before(what, name);
  }

  int sync(op what, int fd) {
    auto name = name_of(fd);
    if (int failed = enter(what, name, true); failed != 0)
      return failed;
    std::scoped_lock lock{mutex_};
    auto& file = *open_.at(fd).file;
    file.sync();
    if (file.directory)
      std::erase_if(unsynced_names_, [&](auto& change) {
        bool covered = change.in(name);
        if (covered)
          apply(synced_names_, change);
        return covered;
      });
    return 0;
  }

  void restart() {
    open_.clear();
    locks_.clear();
    dies_at = ~std::uint64_t{0};
    changes_ = 0;
    before = nullptr;
  }

  std::mutex mutex_;
  std::shared_ptr<node> root_ = [] {
    auto root = std::make_shared<node>();
    root->directory = true;
    return root;
  }();
  names names_, synced_names_;
  std::vector<name_change> unsynced_names_;
  std::map<int, descriptor> open_;
  std::map<int, bool> locks_; ///< Of open files; whether for itself alone.
  int next_fd_ = 3;
  std::uint64_t changes_ = 0;
};

} // namespace troupe::test
