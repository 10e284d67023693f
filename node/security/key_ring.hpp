#pragma once

#include "node/security/key_file.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

namespace troupe::node {

inline constexpr auto keys_poll = std::chrono::seconds{1}; ///< Between two looks at the file.

/// The keys of a running node. A file that became unreadable or went away changes nothing: nobody
/// comes in because of that, and it is read again until it can be. If there is a file that cannot
/// be read, and no keys are known, nobody comes in at all. Thread-safe.
class key_ring {
public:
  using clock = std::chrono::steady_clock;

  /// Reads the file. `report` is told of trouble with it later on, any thread. Errors: those of
  /// `read_keys`.
  static result<std::unique_ptr<key_ring>> open(const std::filesystem::path& file,
                                                std::function<void(const error&)> report = {});

  /// Whether there is any key.
  bool has_keys() const;

  /// Whose key this is; nothing if it is nobody's. Takes as long whatever the key is, and never
  /// touches the disk. With an `open_to_all` node and no keys, everybody is admin of the namespace
  /// 0.
  std::optional<principal> check(std::string_view bearer, bool open_to_all) const;

  /// Has `told` called after each change of who comes in, by the thread that has noticed it; it
  /// must not block, nor call this. Unset: nobody. Once this returns, the one before is not called.
  void when_changed(std::function<void()> told);

  /// Where the keys are.
  const std::filesystem::path& file() const noexcept { return file_; }

  /// Reads the file now, if it is not the one that was read last.
  void refresh();
  /// Reads it in any case: this process has changed it.
  void refresh_changed();
  /// The same, unless the last look was less than `keys_poll` ago. To be called often.
  void look(clock::time_point now = clock::now());

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
  void load_if(bool changed);
  error told(error x) const;
  std::shared_ptr<const table> keys() const;

  const std::filesystem::path file_;
  std::function<void(const error&)> report_;
  mutable std::mutex mutex_;
  std::shared_ptr<const table> keys_ = std::make_shared<table>();
  std::mutex loading_;
  std::function<void()> changed_;      ///< Under `loading_`, as the next.
  mark seen_;                          ///< Of what was read. Under `loading_`, as the next.
  std::optional<mark> reported_;       ///< Of the file that could not be read, and this was told.
  std::atomic<bool> is_shut_{false};   ///< There is a file, and nobody knows what is in it.
  std::atomic<clock::rep> look_at_{0}; ///< When the file is looked at next.
};

} // namespace troupe::node
