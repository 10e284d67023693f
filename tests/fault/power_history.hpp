#pragma once

#include "tests/fault/store_checks.hpp"
#include "tests/support/power_model.hpp"

#include <algorithm>

namespace troupe::tests {

/// Where directories are made again and again: in memory, if there is enough of it.
inline fs::path quick_place() {
  constexpr std::uintmax_t room = std::uintmax_t{1} << 30;
  std::error_code failed;
  fs::path memory = "/dev/shm";
  auto space = fs::space(memory, failed);
  return !failed && space.available > room ? memory : fs::path{TROUPE_BINARY_DIR "/e2e"};
}

/// What the n-th loss of power does.
inline fate next_fate(std::uint64_t n) {
  return n % 4 == 0 ? fate::none : n % 4 == 1 ? fate::all : fate::chosen;
}

/// A disk that programs work on, one after another, each change of which is logged; and what
/// losses of power at any moment leave of it.
class power_history {
public:
  scratch in;

  /// The disk is empty, or as `from` is.
  explicit power_history(const fs::path& from = {}) : disk_(begin(from)) {}

  fs::path disk() const { return in.path() / "disk"; }
  fs::path data() const { return disk() / "data"; }

  /// Runs a program there; it gets SIGKILL instead of its `dies_at`-th change. (A kill from outside
  /// could come between a change and its entry in the log.)
  outcome run(const std::vector<std::string>& arguments, std::uint64_t dies_at = 0,
              const char* program = TROUPE_BINARY_DIR "/bin/troupe") {
    shim logged{disk(), "TROUPE_SHIM_LOG", log().string()};
    shim dying{disk(), "TROUPE_SHIM_DIES_AT", std::to_string(dies_at)};
    process started{in, arguments, {}, program};
    return started.wait();
  }

  /// One moment: what was told before it, and what a loss of power then leaves.
  struct moment {
    std::uint64_t at; ///< In the log.
    const std::string& told;
    const power_model& disk;
  };

  /// Shows `wanted` moments, if there are as many, in order, and the end. Once. Syncs of files that
  /// have `TROUPE_POWER_FORGETS` in their names are taken as not made: so each can be seen to
  /// matter.
  template <class Look>
  void each_moment(std::mt19937_64& random, std::uint64_t wanted, Look look) {
    using kind = fault_record::kind;
    auto records = read_fault_log(log().string());
    auto told_at = [](auto& x) { return x.what == kind::told; };
    auto changes =
        records.size() - static_cast<std::size_t>(std::ranges::count_if(records, told_at));
    // Selection sampling: Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S.
    auto is_chosen = [&] {
      auto chosen = random() % changes-- < wanted;
      wanted -= chosen;
      return chosen;
    };
    std::string told, forgets = std::getenv(forgets_name) ? std::getenv(forgets_name) : "";
    for (auto& x : records) {
      disk_.begin(x);
      if (!told_at(x) && is_chosen())
        look(moment{x.at, told, disk_});
      if (x.what != kind::sync || forgets.empty() || !has(x.name, forgets))
        disk_.end(x);
      told += told_at(x) ? x.data : "";
      retired += x.what == kind::rename && x.to.ends_with(".old");
    }
    CHECK(disk_.differs() == ""); // Else something was not logged.
    look(moment{records.empty() ? 0 : records.back().at + 1, told, disk_});
  }

  std::uint64_t retired = 0; ///< Segments of the journal, over all moments.

private:
  static constexpr const char* forgets_name = "TROUPE_POWER_FORGETS";

  fs::path log() const { return in.path() / "log"; }

  fs::path begin(const fs::path& from) const {
    if (from.empty())
      fs::create_directory(disk());
    else
      fs::copy(from, disk(), fs::copy_options::recursive);
    return disk();
  }

  power_model disk_;
};

} // namespace troupe::tests
