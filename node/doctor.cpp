#include "node/doctor.hpp"

#include "node/config/addresses.hpp"
#include "node/data_path.hpp"
#include "node/http/tls_files.hpp"
#include "node/metrics/resource_usage.hpp"
#include "node/owner.hpp"
#include "node/port_check.hpp"
#include "node/text.hpp"
#include "node/version.hpp"
#include "storage/file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace troupe::node {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr int syncs = 21; // Measured: the median is one of them.
constexpr std::uint64_t memory_least = 128 << 20;

// Numbers of file systems, `statfs(2)`.
constexpr std::array<std::pair<long, const char*>, 4> in_memory_or_remote{
    {{0x01021994, "tmpfs"}, {0x858458f6, "ramfs"}, {0x6969, "NFS"}, {0xff534d42, "CIFS"}}};

checkup look_at_version() {
  utsname system{};
  ::uname(&system);
  return {"version",
          health::good,
          version_line() + ", " + system.sysname + " " + system.release + " " + system.machine,
          {}};
}

/// The directory itself, or the nearest above it that is there.
fs::path nearest_there(fs::path directory) {
  std::error_code failed;
  directory = fs::absolute(directory, failed);
  while (!fs::exists(directory, failed) && directory.has_relative_path())
    directory = directory.parent_path();
  return directory;
}

/// Whether this user may do so there, as the node would.
bool may(const fs::path& directory, int how) {
  return ::faccessat(AT_FDCWD, directory.c_str(), how, AT_EACCESS) == 0;
}

checkup look_at_missing(const fs::path& directory) {
  auto what = directory.string() + " is not there yet";
  auto above = nearest_there(directory);
  std::error_code failed;
  if (!fs::is_directory(above, failed))
    return {"data directory", health::bad, what + ", and " + above.string() + " is no directory",
            "name another one"};
  if (!may(above, W_OK | X_OK))
    return {"data directory", health::bad,
            what + ", and this user may not make it in " + above.string(),
            "make it and chown it to the user of the node, or name another one"};
  return {"data directory", health::odd, what, "the first start makes it"};
}

checkup look_at_directory(const node_config& x) {
  auto& directory = x.runtime.data_dir;
  auto name = directory.string();
  struct stat about {};
  if (::stat(directory.c_str(), &about) != 0)
    return look_at_missing(directory);
  if (auto backup = backup_at(directory))
    return {"data directory", health::bad, backup->what, backup->next};
  if (!S_ISDIR(about.st_mode))
    return {"data directory", health::bad, name + " is no directory", "name another one"};
  if (!may(directory, R_OK | W_OK | X_OK))
    return {"data directory", health::bad, name + " cannot be read and written by this user",
            "chown it to the user of the node"};
  auto used = has_owner(directory) ? ", a process has it open" : "";
  if (about.st_mode & (S_IRWXG | S_IRWXO))
    return {"data directory", health::odd, name + used + ", and other users can look into it",
            "chmod 700 " + name};
  return {"data directory", health::good, name + used, {}};
}

checkup look_at_file_system(const node_config& x) {
  struct statfs about {};
  if (::statfs(nearest_there(x.runtime.data_dir).c_str(), &about) != 0)
    return {"file system", health::bad, "the system tells nothing of it", "name another directory"};
  for (auto [number, name] : in_memory_or_remote)
    if (static_cast<long>(about.f_type) == number)
      return {"file system", health::bad, std::string{"the data directory is on "} + name,
              "put it on a local disk: this one forgets, or locks and syncs do not hold"};
  return {"file system", health::good, "local", {}};
}

checkup look_at_space(const node_config& x) {
  storage::disk_space disk;
  if (storage::system_files().space(nearest_there(x.runtime.data_dir), disk) != 0)
    return {"disk space", health::bad, "the system tells nothing of it", "name another directory"};
  return judge_space(disk.free, disk.total, x);
}

/// The median of some synced writes; nothing if they fail.
std::optional<std::chrono::microseconds> measure_sync(const fs::path& name) {
  auto& ops = storage::system_files();
  auto opened = storage::file::open(ops, name, O_RDWR | O_CREAT | O_TRUNC);
  if (!opened)
    return {};
  ops.unlink(name);
  core::bytes page(4096);
  std::vector<std::chrono::microseconds> took;
  for (int i = 0; i < syncs; ++i) {
    auto began = std::chrono::steady_clock::now();
    if (!opened->write(page, 0) || !opened->sync_data())
      return {};
    took.push_back(std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - began));
  }
  std::ranges::nth_element(took, took.begin() + syncs / 2);
  return took[syncs / 2];
}

checkup look_at_disk(const node_config& x) {
  std::error_code failed;
  if (!fs::is_directory(x.runtime.data_dir, failed))
    return {"disk", health::good, "not measured: there is no data directory yet", {}};
  auto median = measure_sync(x.runtime.data_dir / ".doctor");
  if (!median)
    return {"disk", health::bad, "a file cannot be written and synced there",
            "check permissions, quota and the disk"};
  return judge_sync(*median);
}

checkup look_at_clock(const node_config& x) {
  timex state{};
  auto is_synchronized = ::adjtimex(&state) != TIME_ERROR;
  struct stat about {};
  std::chrono::sys_seconds newest{};
  if (::stat((x.runtime.data_dir / "journal").c_str(), &about) == 0)
    newest = std::chrono::sys_seconds{std::chrono::seconds{about.st_mtime}};
  auto now = std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
  return judge_clock(now, newest, is_synchronized);
}

checkup look_at_files(const node_config& x) {
  rlimit open{};
  ::getrlimit(RLIMIT_NOFILE, &open);
  return judge_files(open.rlim_cur, open.rlim_max, x);
}

checkup look_at_memory() {
  auto x = read_resources();
  auto what = std::to_string(x.memory_max_bytes >> 20) + " MiB and "
              + std::to_string(x.cpu_cores).substr(0, 4) + " cores may be used";
  if (x.memory_max_bytes < memory_least)
    return {"memory", health::odd, what, "give the node at least 128 MiB"};
  return {"memory", health::good, what, {}};
}

checkup look_at_free_port(const node_config& x) {
  auto where = x.http.address + " port " + std::to_string(x.http.port);
  if (has_owner(x.runtime.data_dir))
    return {"port", health::good, where + " is not tried: a node runs here", {}};
  auto why = why_not_listen(x.http.address, x.http.port);
  if (!why)
    return {"port", health::good, where + " is free", {}};
  return {"port", health::bad, where + ": " + *why,
          "end what listens there, or set http.port (0: one that is free)"};
}

checkup look_at_port(const node_config& x) {
  auto found = look_at_free_port(x);
  auto unnamed = unnamed_hosts(x);
  if (found.is != health::good || !unnamed)
    return found;
  return {"port", health::odd, found.what + ", but " + *unnamed,
          "name this machine's hosts in http.allowed_hosts"};
}

checkup look_at_tls(const node_config& x) {
  auto& [cert, key] = x.http.tls;
  if (cert.empty())
    return {"TLS", health::good, "off: http.tls names no certificate", {}};
  if (auto wrong = http::check_tls_files(cert, key))
    return {"TLS", health::bad, wrong->pointer + ": " + wrong->detail,
            "name a certificate and its key, PEM, which the user of the node may read"};
  return {"TLS", health::good, cert + " and its key can be used", {}};
}

/// What to do about a file that cannot be read.
std::string way_to_read(const fs::path& file) {
  if (::access(file.c_str(), R_OK) == 0)
    return "restore the file from a backup";
  if (errno == EACCES)
    return "run this as the user of the node, or chown the file to it";
  return errno == ENOTDIR ? "name another path" : "check the path and the disk";
}

checkup look_at_keys(const node_config& x, const std::string& file) {
  auto keys = read_keys(x.keys_file());
  if (!keys)
    return {"keys", health::bad, keys.error().detail, way_to_read(x.keys_file())};
  auto what = counted(keys->size(), "key") + " in " + x.keys_file().string();
  if (keys->empty() && !is_loopback(x.http.address))
    return {"keys", health::bad, what + ", and others than this machine can reach the address",
            first_key_command(x, file)};
  return {
      "keys", health::good, keys->empty() ? "none: whoever is on this machine is admin" : what, {}};
}

value to_value(const checkup& x) {
  constexpr const char* names[]{"good", "odd", "bad"};
  value::object all{{"of", x.of}, {"is", names[std::size_t(x.is)]}, {"what", x.what}};
  if (!x.next.empty())
    all["next"] = x.next;
  return all;
}

std::string to_text(const std::vector<checkup>& all) {
  constexpr const char* marks[]{"ok", "odd", "BAD"};
  std::vector<row> rows;
  for (auto& x : all) {
    rows.push_back({marks[std::size_t(x.is)], x.of, x.what});
    if (!x.next.empty())
      rows.push_back({"", "", "-> " + x.next});
  }
  return table_of(rows);
}

} // namespace

std::vector<checkup> examine(const node_config& x, const std::string& file) {
  return {look_at_version(), look_at_directory(x), look_at_file_system(x), look_at_space(x),
          look_at_disk(x),   look_at_clock(x),     look_at_files(x),       look_at_memory(),
          look_at_port(x),   look_at_tls(x),       look_at_keys(x, file)};
}

int doctor(console& to, const security_places& at, format how) {
  auto loaded = places_of(to, at);
  if (!loaded)
    return to.fail(loaded.trouble());
  auto all = examine(*loaded, at.config);
  value::list list;
  for (auto& x : all)
    list.push_back(to_value(x));
  if (how == format::table)
    to.out(to_text(all));
  else if (how == format::json)
    to.out_json(list);
  else
    for (auto& x : list)
      to.out_line(x);
  auto bad = static_cast<std::size_t>(std::ranges::count(all, health::bad, &checkup::is));
  if (bad > 0)
    return to.fail({fault::unhealthy, counted(bad, "thing") + " must be mended"});
  return to.flush() ? number(exit_code::ok) : to.fail(fault::output_failed);
}

} // namespace troupe::node
