#pragma once

#include "core/graph.hpp"
#include "troupe/ids.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace troupe::core {

/// A line of vertices that wait for a worker.
struct work_place {
  namespace_id ns{};
  std::string queue;
  auto operator<=>(const work_place&) const = default;
};

/// A vertex that waits for a worker.
struct work_key {
  job_id job;
  vertex_index vertex = 0;
  auto operator<=>(const work_key&) const = default;
};

/// What waits for workers, in the order in which it came, by place. One thread at a time.
class work_lines {
public:
  /// Stands last in its line. What waits already keeps its place: false.
  bool offer(const work_place& in, const work_key& what);

  /// The first of a line, which waits no longer.
  std::optional<work_key> take(const work_place& from);

  /// Nothing of the job waits any longer.
  void withdraw(job_id job);

  /// Whether anything of the job waits.
  bool waits(job_id job) const;

  /// How much waits in a line, and in all.
  std::size_t size(const work_place& in) const;
  std::size_t size() const noexcept { return places_.size(); }

private:
  struct place {
    work_place line;
    std::uint64_t number = 0;
  };
  using line = std::map<std::uint64_t, work_key>;

  void leave(const place& from);

  std::uint64_t next_ = 0;
  std::map<work_place, line> lines_; ///< None is empty.
  std::map<work_key, place> places_;
};

} // namespace troupe::core
