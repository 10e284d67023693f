#include "storage/lmdb_env.hpp"

#include "storage/file_ops.hpp"

#include <cassert>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <lmdb.h>
#include <set>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace troupe::storage {

namespace {

/// The directories that are open in this process: LMDB would not notice a second time, and its
/// locks would be gone when the first one is closed.
struct {
  std::mutex mutex;
  std::set<std::pair<std::uint64_t, std::uint64_t>> open;
} registry;

constexpr std::uint64_t little_space = 1 << 20;
constexpr off_t lock_reader_bytes = 72; ///< More than LMDB takes for each reader, with its head.

/// Whether EIO means a full disk: LMDB makes it of a write that was cut short.
bool is_full(const std::filesystem::path& at) {
  struct statvfs x {};
  return ::statvfs(at.c_str(), &x) == 0 && x.f_bavail * x.f_frsize < little_space;
}

std::string tree_name(std::size_t number) {
  char name[8];
  std::snprintf(name, sizeof name, "t%02zu", number);
  return name;
}

/// Whether the process may have so many more bytes of addresses.
bool has_addresses(std::uint64_t bytes) {
  auto at = ::mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED)
    return false;
  ::munmap(at, bytes);
  return true;
}

void on_assert(MDB_env*, const char*) { end_for_damaged_map("is damaged: its pages disagree"); }

/// Where the file is mapped.
std::optional<std::pair<std::uintptr_t, std::uintptr_t>>
mapped_range(const std::filesystem::path& file) {
  struct stat about {};
  if (::stat(file.c_str(), &about) != 0)
    return std::nullopt;
  std::ifstream maps{"/proc/self/maps"};
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0, end = 0, inode = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx %*s %*s %*s %lu", &begin, &end, &inode) == 3
        && inode == about.st_ino && line.ends_with(file.filename().string()))
      return std::pair{begin, end};
  }
  return std::nullopt;
}

} // namespace

lmdb_env::lmdb_env(std::filesystem::path directory, open_mode mode, const lmdb_options& options)
    : directory_(std::move(directory)),
      file_(directory_ / "data.mdb"),
      mode_(mode),
      options_(options) {}

lmdb_env::~lmdb_env() {
  assert(gate_.inside() == 0 && "a transaction outlives its store");
  guard_ = {};
  if (env_)
    ::mdb_env_close(env_);
  if (locks_ >= 0)
    ::close(locks_);
  std::scoped_lock lock{registry.mutex};
  if (registered_)
    registry.open.erase(*registered_);
}

result<std::unique_ptr<lmdb_env>> lmdb_env::open(const std::filesystem::path& directory,
                                                 open_mode mode, const lmdb_options& options) {
  std::unique_ptr<lmdb_env> made{new lmdb_env{directory, mode, options}};
  if (auto taken = made->take_directory(); !taken)
    return taken.error();
  if (auto locks = made->open_locks(); !locks)
    return locks.error();
  if (auto there = made->make_file(); !there)
    return there.error();
  auto bytes = options.map_bytes;
  auto opened = made->open_map(bytes);
  while (!opened && !made->env_ && bytes > limits::snapshot_map_bytes_least)
    opened = made->open_map(bytes /= 2);
  if (!opened)
    return opened.error();
  if (auto guarded = made->guard_map(); !guarded)
    return guarded.error();
  return made;
}

status lmdb_env::take_directory() {
  struct stat about {};
  if (::stat(directory_.c_str(), &about) != 0)
    return os_error("look at", directory_, -errno);
  std::pair<std::uint64_t, std::uint64_t> id{about.st_dev, about.st_ino};
  std::scoped_lock lock{registry.mutex};
  if (!registry.open.insert(id).second)
    return error{ec::already_open,
                 directory_.string() + " is already open in this process; use or close that one"};
  registered_ = id;
  return {};
}

/// LMDB maps its lock file and writes into it: a page of it that the disk has no room for would end
/// the process. So there must be room before it is made, and all of its pages after that. Its size
/// is left as it is: another process may make or have mapped it right now. Closing it would drop
/// the locks of this process: it stays open.
status lmdb_env::open_locks() {
  auto name = directory_ / "lock.mdb";
  bool make = mode_ == open_mode::write; // A reader makes it, too, but may do without.
  locks_ = system_files().open(name, O_RDWR | O_CREAT);
  if (locks_ < 0)
    return make ? status{os_error("open", name, locks_)} : status{};
  struct stat about {};
  auto needed = off_t{options_.readers_max} * lock_reader_bytes;
  if (::fstat(locks_, &about) == 0)
    needed = std::max(needed, about.st_size);
  int failed = 0;
  do
    failed = ::fallocate(locks_, FALLOC_FL_KEEP_SIZE, 0, needed) == 0 ? 0 : errno;
  while (failed == EINTR);
  if (failed == 0 || failed == EOPNOTSUPP || !make) // Where it cannot be, there is no more to do.
    return {};
  return os_error("make", name, -failed);
}

/// An empty file is a new one. LMDB itself would make it root's in the directory of another user.
status lmdb_env::make_file() const {
  if (mode_ == open_mode::read)
    return {};
  int fd = system_files().open(file_, O_RDWR | O_CREAT);
  if (fd < 0)
    return os_error("make", file_, fd);
  ::close(fd);
  return {};
}

/// Opens the file with a map of this size. Without enough addresses `env_` stays empty, and fewer
/// may be tried; after other trouble it is there.
status lmdb_env::open_map(std::uint64_t bytes) {
  inside_map inside;
  if (int code = ::mdb_env_create(&env_); code != 0)
    return failed("open", code);
  ::mdb_env_set_assert(env_, on_assert);
  ::mdb_env_set_maxdbs(env_, tables);
  ::mdb_env_set_maxreaders(env_, options_.readers_max);
  ::mdb_env_set_mapsize(env_, bytes);
  unsigned flags = MDB_NOTLS | (mode_ == open_mode::read ? MDB_RDONLY : 0);
  int code = ::mdb_env_open(env_, directory_.c_str(), flags, 0600);
  if (code == 0) {
    int dead = 0;
    code = ::mdb_reader_check(env_, &dead);
  }
  if (code == 0)
    return {};
  auto why = failed("open", code);
  if (code == ENOMEM) {
    ::mdb_env_close(env_);
    env_ = nullptr;
    why.detail += "; the process may not have " + std::to_string(bytes >> 20)
                  + " MiB of addresses: raise `ulimit -v`";
  }
  return why;
}

status lmdb_env::open_main(MDB_txn* in) {
  inside_map inside;
  MDB_dbi opened = 0;
  if (int code = ::mdb_dbi_open(in, nullptr, 0, &opened); code != 0)
    return failed("open the tables of", code);
  assert(opened == main_tree);
  return {};
}

result<bool> lmdb_env::open_trees(MDB_txn* in, bool make) {
  inside_map inside;
  bool made = false;
  for (std::size_t i = 0; i < tables; ++i) {
    auto name = tree_name(i);
    MDB_dbi opened = 0;
    int code = ::mdb_dbi_open(in, name.c_str(), 0, &opened);
    if (code == MDB_NOTFOUND && make) {
      code = ::mdb_dbi_open(in, name.c_str(), MDB_CREATE, &opened);
      made = true;
    }
    if (code == 0)
      trees_[i] = opened;
    else if (code != MDB_NOTFOUND)
      return failed("open the tables of", code);
  }
  return made;
}

status lmdb_env::usable() const {
  if (lost_)
    return error{ec::io_failed, file_.string() + " could not be mapped again; restart"};
  return {};
}

result<MDB_txn*> lmdb_env::begin_read(transaction_gate::ticket& inside) {
  for (;;) {
    if (auto can = usable(); !can)
      return can.error();
    MDB_txn* txn = nullptr;
    int code = 0;
    {
      inside_map walking;
      code = ::mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn);
    }
    if (code == 0)
      return txn;
    if (code != MDB_MAP_RESIZED)
      return failed("read", code);
    gate_.leave(inside);
    auto grown = grow(0);
    inside = gate_.enter();
    if (!grown)
      return grown.error();
  }
}

result<MDB_txn*> lmdb_env::begin_write() {
  if (growth_wanted_) {
    if (auto grown = grow(map_bytes() * 2); !grown)
      return grown.error();
    growth_wanted_ = false;
  }
  if (auto can = usable(); !can)
    return can.error();
  inside_map inside;
  MDB_txn* txn = nullptr;
  int code = ::mdb_txn_begin(env_, nullptr, 0, &txn);
  if (code == MDB_MAP_RESIZED) {
    if (auto grown = grow(0); !grown)
      return grown.error();
    code = ::mdb_txn_begin(env_, nullptr, 0, &txn);
  }
  if (code != 0)
    return failed("write", code);
  return txn;
}

/// Makes the map `to` bytes large, or as large as another process made it (0), when no transaction
/// of this process shows memory of the old one.
status lmdb_env::grow(std::uint64_t to) {
  if (to > limits::snapshot_map_bytes_max)
    return error{ec::no_space, file_.string() + " has reached the largest size of a snapshot; "
                                   + "let retention delete more, then run `troupe compact`"};
  std::scoped_lock lock{growing_};
  if (!gate_.close(options_.resize_wait))
    return error{ec::overloaded, file_.string()
                                     + " has to grow, but a reader keeps its transaction; repeat "
                                       "when it has ended"};
  auto now = map_bytes();
  int code = to > now && !has_addresses(to - now) ? ENOMEM : 0;
  if (code == 0)
    code = remap(to, now);
  gate_.open();
  return code == 0 ? status{} : failed("enlarge the map of", code);
}

/// Maps anew, as large as before if it has to be. If even that fails the store is of no more use.
int lmdb_env::remap(std::uint64_t to, std::uint64_t before) {
  guard_ = {};
  int code = ::mdb_env_set_mapsize(env_, to);
  if (code != 0 && ::mdb_env_set_mapsize(env_, before) != 0)
    lost_ = true;
  else if (!guard_map())
    lost_ = true;
  return code;
}

status lmdb_env::guard_map() {
  auto range = mapped_range(file_);
  if (!range)
    return error{ec::io_failed,
                 "cannot see where " + file_.string() + " is mapped; /proc must be mounted"};
  map_guard made{reinterpret_cast<const void*>(range->first), range->second - range->first,
                 file_.string()};
  if (!made.taken())
    return error{ec::unsupported, std::to_string(limits::mapped_files_max)
                                      + " stores are open in this process; close some"};
  guard_ = std::move(made);
  mapped_ = reinterpret_cast<void*>(range->first);
  return {};
}

std::optional<std::uint64_t> lmdb_env::place_of(const std::uint8_t* shown) const noexcept {
  auto at = reinterpret_cast<std::uintptr_t>(shown);
  auto first = reinterpret_cast<std::uintptr_t>(mapped_);
  if (at < first || at - first >= map_bytes())
    return std::nullopt;
  return at - first;
}

void lmdb_env::forget_pages() {
  auto inside = gate_.enter();
  std::error_code ignored;
  auto bytes = std::min<std::uint64_t>(std::filesystem::file_size(file_, ignored), map_bytes());
  if (!ignored && !lost_)
    ::madvise(mapped_, bytes, MADV_DONTNEED); // The map is shared and only read: nothing is lost.
  gate_.leave(inside);
}

std::optional<unsigned> lmdb_env::tree_of(table x) const noexcept {
  return trees_[static_cast<std::size_t>(x)];
}

std::uint64_t lmdb_env::map_bytes() const noexcept {
  MDB_envinfo info{};
  ::mdb_env_info(env_, &info);
  return info.me_mapsize;
}

error lmdb_env::damaged(const std::string& what) const {
  return {ec::journal_corrupt,
          file_.string() + " is damaged: " + what
              + "; run `troupe verify`, then restore a backup or see \"When the "
                "snapshot is damaged\" in docs/operations.md"};
}

error lmdb_env::cut_short(const char* verb) const {
  return {ec::no_space, std::string{"cannot "} + verb + " " + file_.string()
                            + ": the disk took only a part of it; free space, then repeat (if "
                              "there is space, run `troupe verify`)"};
}

error lmdb_env::failed(const char* verb, int code) const {
  auto told = [&](ec as, const std::string& next) {
    return error{as, std::string{"cannot "} + verb + " " + file_.string() + ": "
                         + ::mdb_strerror(code) + next};
  };
  switch (code) {
  case MDB_MAP_FULL: return told(ec::overloaded, "; repeat, it grows first");
  case MDB_READERS_FULL:
    return told(ec::overloaded, "; repeat when some of the readers have ended");
  case MDB_TXN_FULL: return told(ec::too_large, "; change less at once");
  case MDB_VERSION_MISMATCH: return told(ec::newer_format, "; start the version that wrote it");
  case MDB_PANIC: return told(ec::io_failed, "; open it again");
  case MDB_INVALID:
  case MDB_CORRUPTED:
  case MDB_PAGE_NOTFOUND:
  case MDB_CURSOR_FULL:
  case MDB_PAGE_FULL:
  case MDB_INCOMPATIBLE:
  case MDB_BAD_TXN:
  case MDB_BAD_VALSIZE: return damaged(::mdb_strerror(code));
  case EIO:
    if (is_full(directory_))
      return told(ec::no_space, "; the disk is full: free space, then repeat");
    return os_error(verb, file_, -code);
  default: return code > 0 ? os_error(verb, file_, -code) : told(ec::io_failed, "");
  }
}

} // namespace troupe::storage
