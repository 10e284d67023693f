#pragma once

#include "troupe/job_spec.hpp"

#include <map>
#include <mutex>
#include <set>
#include <string>

namespace troupe::node {

/// The jobs that wait in each queue, for the age of the oldest: some 60 bytes for each.
/// Thread-safe.
class waiting_jobs {
public:
  void add(const std::string& queue, job_id id) {
    std::scoped_lock lock{mutex_};
    queues_[queue].insert(id);
  }
  void remove(const std::string& queue, job_id id) {
    std::scoped_lock lock{mutex_};
    queues_[queue].erase(id);
  }

  /// When the oldest job of each queue was accepted; nothing where none waits.
  std::map<std::string, std::optional<time_point>> oldest() const {
    std::scoped_lock lock{mutex_};
    std::map<std::string, std::optional<time_point>> all;
    for (auto& [queue, ids] : queues_)
      all[queue] = ids.empty() ? std::nullopt : std::optional{accepted(*ids.begin())};
    return all;
  }

private:
  /// A UUIDv7 begins with its milliseconds.
  static time_point accepted(job_id id) {
    return time_point{std::chrono::milliseconds{id.high >> 16}};
  }

  mutable std::mutex mutex_;
  std::map<std::string, std::set<job_id>> queues_; ///< As many as the label has values.
};

} // namespace troupe::node
