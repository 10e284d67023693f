#include "node/metrics/resource_usage.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace troupe::node {

namespace {

namespace fs = std::filesystem;

constexpr auto shortest_look = std::chrono::milliseconds{100}; // Ticks are 10 ms.

std::string text_of(const fs::path& file) {
  std::ifstream in{file};
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t x = 0;
  auto begin = text.find_first_not_of(" \t");
  if (begin == text.npos)
    return {};
  auto [end, failed] = std::from_chars(text.data() + begin, text.data() + text.size(), x);
  return failed == std::errc{} ? std::optional{x} : std::nullopt;
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; (at = text.find_first_not_of(" \n", at)) != text.npos;) {
    auto end = std::min(text.find_first_of(" \n", at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

/// The cgroup (version 2) of this process and those above it, from the inside out.
std::vector<fs::path> cgroups(const resource_paths& paths) {
  std::vector<fs::path> all;
  auto text = text_of(paths.proc / "self" / "cgroup");
  auto at = text.rfind("0::/", 0) == 0 ? 0 : text.find("\n0::/");
  if (at == text.npos)
    return all;
  at = text.find('/', at);
  fs::path below = text.substr(at + 1, text.find('\n', at) - at - 1);
  for (; !below.empty(); below = below.parent_path())
    all.push_back(paths.cgroup / below);
  all.push_back(paths.cgroup);
  return all;
}

/// The smallest of what each cgroup allows.
template <class Read>
auto smallest(const std::vector<fs::path>& groups, const char* file, Read read) {
  decltype(read(std::string_view{})) least;
  for (auto& group : groups)
    if (auto x = read(text_of(group / file)); x && (!least || *x < *least))
      least = x;
  return least;
}

std::uint64_t memory_max(const resource_paths& paths, const std::vector<fs::path>& groups) {
  auto machine = kilobytes_of(text_of(paths.proc / "meminfo"), "MemTotal:").value_or(0);
  auto allowed = smallest(groups, "memory.max", number_in);
  if (!allowed)
    allowed = number_in(text_of(paths.cgroup / "memory" / "memory.limit_in_bytes"));
  return allowed && (machine == 0 || *allowed < machine) ? *allowed : machine;
}

std::uint64_t count_files(const fs::path& directory) {
  std::error_code failed;
  fs::directory_iterator all{directory, failed};
  return failed ? 0 : static_cast<std::uint64_t>(std::distance(begin(all), end(all)));
}

} // namespace

std::optional<std::uint64_t> cpu_ticks(std::string_view stat) {
  constexpr std::size_t user = 11, system = 12; // Counted behind the name, which may have spaces.
  auto name_end = stat.rfind(')');
  if (name_end == stat.npos)
    return {};
  auto words = words_of(stat.substr(name_end + 1));
  if (words.size() <= system)
    return {};
  auto a = number_in(words[user]), b = number_in(words[system]);
  return a && b ? std::optional{*a + *b} : std::nullopt;
}

std::optional<double> cpu_quota(std::string_view cpu_max) {
  auto words = words_of(cpu_max);
  if (words.size() != 2)
    return {};
  auto quota = number_in(words[0]), period = number_in(words[1]);
  if (!quota || !period || *quota == 0 || *period == 0)
    return {};
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

std::optional<std::uint64_t> kilobytes_of(std::string_view text, std::string_view name) {
  for (std::size_t at = 0; at < text.size();) {
    auto end = std::min(text.find('\n', at), text.size());
    auto line = text.substr(at, end - at);
    if (line.starts_with(name))
      if (auto x = number_in(line.substr(name.size())))
        return *x * 1024;
    at = end + 1;
  }
  return {};
}

resource_sample read_resources(const resource_paths& paths) {
  resource_sample x;
  auto groups = cgroups(paths);
  auto cores = static_cast<double>(std::max(1u, std::thread::hardware_concurrency()));
  x.cpu_cores = std::min(cores, smallest(groups, "cpu.max", cpu_quota).value_or(cores));
  auto ticks = cpu_ticks(text_of(paths.proc / "self" / "stat")).value_or(0);
  x.cpu_seconds = static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  x.memory_bytes = kilobytes_of(text_of(paths.proc / "self" / "status"), "VmRSS:").value_or(0);
  x.memory_max_bytes = memory_max(paths, groups);
  x.open_files = count_files(paths.proc / "self" / "fd");
  return x;
}

resource_ratios usage_meter::ratios(const resource_sample& x, clock::time_point now) {
  std::scoped_lock lock{mutex_};
  if (cpu_seconds_ && now - at_ >= shortest_look) {
    auto passed = std::chrono::duration<double>(now - at_).count();
    cpu_ = std::max(0.0, x.cpu_seconds - *cpu_seconds_) / passed / x.cpu_cores;
  }
  if (!cpu_seconds_ || now - at_ >= shortest_look) {
    cpu_seconds_ = x.cpu_seconds;
    at_ = now;
  }
  auto memory = x.memory_max_bytes == 0
                    ? 0.0
                    : static_cast<double>(x.memory_bytes) / static_cast<double>(x.memory_max_bytes);
  return {cpu_, memory};
}

} // namespace troupe::node
