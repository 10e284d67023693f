#include "node/security/audit_files.hpp"

#include "storage/file.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>

namespace troupe::node {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "audit-", suffix = ".ndjson";
constexpr int digits = 6;

std::optional<std::uint64_t> index_of(const std::string& name) {
  if (!name.starts_with(prefix) || !name.ends_with(suffix)
      || name.size() <= prefix.size() + suffix.size())
    return {};
  std::uint64_t index = 0;
  auto end = name.data() + name.size() - suffix.size();
  auto [at, failed] = std::from_chars(name.data() + prefix.size(), end, index);
  return failed == std::errc{} && at == end ? std::optional{index} : std::nullopt;
}

/// Checks the lines of files, one after another.
class verifier {
public:
  verifier(audit_report& to, const std::optional<std::string>& wanted)
      : to_(to), wanted_(wanted), chain_(audit_chain::later()) {}

  /// False at the first line that is wrong.
  result<bool> read(const audit_file& file, bool is_last) {
    std::ifstream in{file.path, std::ios::binary};
    if (!in)
      return error{ec::io_failed, "cannot read " + file.path.string()};
    ++to_.files;
    std::uint64_t number = 0;
    for (std::string line; std::getline(in, line);) {
      ++number;
      if (in.eof() && is_last) { // Without its end: a crash, or someone writes right now.
        to_.torn = true;
        return true;
      }
      if (auto why = check(line, in.eof())) {
        to_.broken = {file.path, number, *why};
        return false;
      }
    }
    if (in.bad())
      return error{ec::io_failed, "cannot read " + file.path.string()};
    return true;
  }

private:
  std::optional<std::string> check(const std::string& line, bool was_cut) {
    if (was_cut)
      return "it was cut";
    if (line.size() > audit_line_bytes_max)
      return "it is longer than any line is";
    if (auto why = chain_.next(line))
      return why;
    to_.head = chain_.head();
    if (++to_.lines == 1)
      to_.first = to_.head.number;
    to_.has_wanted = to_.has_wanted || (wanted_ && to_.head.hash == *wanted_);
    return {};
  }

  audit_report& to_;
  const std::optional<std::string>& wanted_;
  audit_chain chain_;
};

} // namespace

fs::path audit_file_path(const fs::path& directory, std::uint64_t index) {
  auto number = std::to_string(index);
  if (number.size() < digits)
    number.insert(0, digits - number.size(), '0');
  return directory / (std::string{prefix} + number + std::string{suffix});
}

result<std::vector<audit_file>> audit_files(const fs::path& directory, storage::file_ops& ops) {
  std::vector<audit_file> found;
  std::vector<std::string> names;
  if (int listed = ops.list(directory, names); listed == -ENOENT)
    return found;
  else if (listed < 0)
    return storage::os_error("read the directory", directory, listed);
  for (auto& name : names)
    if (auto index = index_of(name))
      found.push_back({*index, directory / name});
  std::ranges::sort(found, {}, &audit_file::index);
  return found;
}

result<audit_report> verify_audit(const fs::path& directory,
                                  const std::optional<std::string>& wanted) {
  auto files = audit_files(directory);
  if (!files)
    return files.error();
  audit_report report;
  verifier checks{report, wanted};
  for (auto& file : *files) {
    auto right = checks.read(file, &file == &files->back());
    if (!right)
      return right.error();
    if (!*right)
      break;
  }
  if (!report.broken && report.first > 1 && files->front().index == 1)
    report.broken = {files->front().path, 1, "the first line is not the first one: lines are gone"};
  return report;
}

} // namespace troupe::node
