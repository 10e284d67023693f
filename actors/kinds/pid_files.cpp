#include "actors/kinds/pid_files.hpp"

#include "storage/file.hpp"

#include <charconv>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string_view>
#include <unistd.h>

namespace troupe::actors {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view prefix = "exec-";

struct pid_record {
  pid_t pid = 0;
  std::string started, boot, key;
  pid_t owner = 0; ///< The node; 0: not recorded.
  std::string owner_started;
};

// The fields of /proc/PID/stat that are used: numbers 5 and 22 of proc(5).
struct process_stat {
  pid_t group = 0;
  std::string started;
};

std::string read_all(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

const std::string& boot_id() {
  static const auto id = [] {
    std::string x;
    std::ifstream{"/proc/sys/kernel/random/boot_id"} >> x;
    return x;
  }();
  return id;
}

std::optional<process_stat> stat_of(pid_t pid) {
  auto text = read_all("/proc/" + std::to_string(pid) + "/stat");
  auto name_end = text.rfind(')'); // The name may hold anything, parentheses too.
  if (name_end == std::string::npos)
    return {};
  std::istringstream rest{text.substr(name_end + 1)};
  std::string state, parent, skipped;
  process_stat x;
  rest >> state >> parent >> x.group;
  for (int field = 6; field < 22; ++field)
    rest >> skipped;
  rest >> x.started;
  if (!rest || state == "Z")
    return {};
  return x;
}

bool carries(pid_t pid, const std::string& key) {
  auto all = '\0' + read_all("/proc/" + std::to_string(pid) + "/environ");
  return all.find('\0' + ("TROUPE_IDEMPOTENCY_KEY=" + key) + '\0') != std::string::npos;
}

bool kill_members(const pid_record& x) {
  bool killed = false;
  std::error_code ignored;
  for (auto& entry : fs::directory_iterator{"/proc", ignored}) {
    pid_t pid = 0;
    auto name = entry.path().filename().string();
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc{} || end != name.data() + name.size())
      continue;
    auto stat = stat_of(pid);
    if (stat && stat->group == x.pid && carries(pid, x.key))
      killed |= ::kill(pid, SIGKILL) == 0;
  }
  return killed;
}

/// Whether the node that started it is there: this is a copy of the directory that it works in.
bool owner_lives(const pid_record& x) {
  auto owner = x.owner > 1 && x.owner != ::getpid() ? stat_of(x.owner) : std::nullopt;
  return owner && owner->started == x.owner_started;
}

bool kill_group(const pid_record& x) {
  if (x.pid <= 1 || x.boot != boot_id() || owner_lives(x))
    return false;
  auto stat = stat_of(x.pid);
  if (stat && stat->started == x.started && stat->group == x.pid)
    return ::kill(-x.pid, SIGKILL) == 0;
  return !x.key.empty() && kill_members(x);
}

pid_record parse(const std::string& text) {
  pid_record x;
  std::istringstream in{text};
  std::string first;
  std::getline(in, first);
  std::getline(in, x.key);
  std::istringstream fields{first};
  if (!(fields >> x.pid >> x.started >> x.boot))
    return {};
  fields >> x.owner >> x.owner_started;
  return x;
}

fs::path file_of(const fs::path& run_dir, pid_t pid) {
  return run_dir / (std::string{prefix} + std::to_string(pid));
}

} // namespace

status write_pid_file(const fs::path& run_dir, pid_t pid, const std::string& key) {
  if (run_dir.empty())
    return {};
  auto stat = stat_of(pid);
  if (!stat) // It has ended already.
    return {};
  auto self = stat_of(::getpid());
  auto text = std::to_string(pid) + ' ' + stat->started + ' ' + boot_id();
  if (self)
    text += ' ' + std::to_string(::getpid()) + ' ' + self->started;
  text += '\n' + key + '\n';
  auto out = storage::file::open(storage::system_files(), file_of(run_dir, pid),
                                 O_WRONLY | O_CREAT | O_TRUNC);
  if (!out)
    return out.error();
  return out->write({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, 0);
}

void remove_pid_file(const fs::path& run_dir, pid_t pid) noexcept {
  std::error_code ignored;
  if (!run_dir.empty())
    fs::remove(file_of(run_dir, pid), ignored);
}

result<std::size_t> kill_orphans(const fs::path& run_dir) {
  std::error_code error;
  std::size_t killed = 0;
  if (!fs::exists(run_dir, error))
    return killed;
  fs::permissions(run_dir, fs::perms::owner_all, error); // As all of a data directory is.
  fs::directory_iterator all{run_dir, error}, end;
  for (; !error && all != end; all.increment(error)) {
    if (!all->path().filename().string().starts_with(prefix))
      continue;
    killed += kill_group(parse(read_all(all->path())));
    fs::remove(all->path(), error);
  }
  if (error)
    return troupe::error{ec::io_failed, run_dir.string() + ": " + error.message()};
  return killed;
}

} // namespace troupe::actors
