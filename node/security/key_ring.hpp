#pragma once

#include "node/security/key_file.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

namespace troupe::node {

inline constexpr auto keys_poll = std::chrono::seconds{1}; ///< Between two looks at the file.

/// The keys of a running node. Notices within `keys_poll` that the file has changed. A file that
/// became unreadable or went away changes nothing: nobody comes in because of that. Thread-safe.
class key_ring {
public:
  using clock = std::chrono::steady_clock;

  /// Reads the file. `report` is told of trouble with it later on, any thread. Errors: those of
  /// `read_keys`.
  static result<std::unique_ptr<key_ring>> open(const std::filesystem::path& file,
                                                std::function<void(const error&)> report = {});

  /// Whether there is any key.
  bool has_keys() const;

  /// Whose key this is; nothing if it is nobody's. Takes as long whatever the key is. With an
  /// `open_to_all` node and no keys, everybody is admin of the namespace 0.
  std::optional<principal> check(std::string_view bearer, bool open_to_all,
                                 clock::time_point now = clock::now());

  /// Reads the file now, if it has changed.
  void refresh();

private:
  using table = std::map<std::string, stored_key, std::less<>>;

  /// What tells that a file was replaced.
  struct mark {
    std::uint64_t device = 0, node = 0, size = 0;
    std::int64_t modified = 0; ///< ns.
    bool operator==(const mark&) const = default;
  };

  key_ring(std::filesystem::path file, std::function<void(const error&)> report)
      : file_(std::move(file)), report_(std::move(report)) {}

  static mark mark_of(const std::filesystem::path& file);
  status load();
  void look(clock::time_point now);
  std::shared_ptr<const table> keys() const;

  std::filesystem::path file_;
  std::function<void(const error&)> report_;
  mutable std::mutex mutex_;
  std::shared_ptr<const table> keys_ = std::make_shared<table>();
  std::mutex loading_;
  mark seen_;                          ///< Under `loading_`.
  std::atomic<clock::rep> look_at_{0}; ///< When the file is looked at next.
};

} // namespace troupe::node
