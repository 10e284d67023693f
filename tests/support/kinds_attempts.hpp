#pragma once

#include "actors/kinds/attempt_runner.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/temp_dir.hpp"

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace troupe::tests {

/// One attempt's report and what it said, as they come.
class observed {
  struct state {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<actors::attempt_report> report;
    std::vector<std::string> said;
    int reports = 0, said_after = 0;
  };

  template <class F>
  auto with(F f) const {
    std::lock_guard lock{state_->mutex};
    return f(*state_);
  }

public:
  actors::attempt_runner::report done() {
    return [s = state_](actors::attempt_report x) {
      std::lock_guard lock{s->mutex};
      ++s->reports;
      s->report = std::move(x);
      s->changed.notify_all();
    };
  }

  actors::attempt_runner::log say() {
    return [s = state_](std::string x) {
      std::lock_guard lock{s->mutex};
      s->said_after += s->report.has_value();
      s->said.push_back(std::move(x));
      s->changed.notify_all();
    };
  }

  /// The report; fails the wait with outcome `cancelled` and code `test_waited_in_vain`.
  actors::attempt_report wait() {
    std::unique_lock lock{state_->mutex};
    if (state_->changed.wait_for(lock, patience, [this] { return state_->report.has_value(); }))
      return *state_->report;
    return {actors::attempt_end::cancelled, {}, {"test_waited_in_vain", "", ""}};
  }

  /// Waits for something that was said. False: in vain.
  bool heard(const std::string& piece) {
    std::unique_lock lock{state_->mutex};
    return state_->changed.wait_for(lock, patience, [&] {
      for (auto& x : state_->said)
        if (x == piece)
          return true;
      return false;
    });
  }

  bool reported() const {
    return with([](auto& s) { return s.report.has_value(); });
  }
  int reports() const {
    return with([](auto& s) { return s.reports; });
  }
  int said_after() const {
    return with([](auto& s) { return s.said_after; });
  }
  std::vector<std::string> said() const {
    return with([](auto& s) { return s.said; });
  }

private:
  std::shared_ptr<state> state_ = std::make_shared<state>();
};

/// An attempt with a token of its own.
inline actors::attempt attempt_of(value config, value inputs = value::object{}) {
  static std::uint64_t last = 0;
  actors::attempt x;
  x.proof = {1, ++last};
  x.vertex = "v";
  x.idempotency_key = "key-" + std::to_string(last);
  x.config = std::move(config);
  x.inputs = std::move(inputs);
  return x;
}

inline observed start(actors::attempt_runner& runner, actors::attempt x) {
  observed o;
  runner.start(std::move(x), o.done(), o.say());
  return o;
}

inline actors::attempt_report run(actors::attempt_runner& runner, actors::attempt x) {
  return start(runner, std::move(x)).wait();
}

/// Whether a process is there and no zombie.
inline bool is_alive(int pid) {
  auto stat = read_file("/proc/" + std::to_string(pid) + "/stat");
  auto name_end = stat.rfind(')');
  return name_end != std::string::npos && stat[name_end + 2] != 'Z' && stat[name_end + 2] != 'X';
}

/// The processes whose parent is this one, zombies too.
inline std::size_t children() {
  std::size_t count = 0;
  for (auto& task : std::filesystem::directory_iterator{"/proc/self/task"}) {
    std::ifstream in{task.path() / "children"};
    for (int pid; in >> pid;)
      ++count;
  }
  return count;
}

inline std::size_t open_files() {
  std::filesystem::directory_iterator all{"/proc/self/fd"};
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

} // namespace troupe::tests
