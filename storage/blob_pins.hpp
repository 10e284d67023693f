#pragma once

#include "storage/sha256.hpp"
#include "troupe/ids.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>

namespace troupe::storage {

/// Which blob: names mean something within a namespace only.
struct blob_key {
  namespace_id space{};
  sha256_digest name{};

  auto operator<=>(const blob_key&) const = default;
};

/// Which blobs are held, and by how many. Thread-safe.
class blob_pins {
public:
  void add(const blob_key& key);
  void remove(const blob_key& key);
  /// Runs `remove` if nobody holds the blob or has since the sweep began; nobody comes to hold it
  /// meanwhile.
  void unless_held(const blob_key& key, const std::function<void()>& remove);

  /// A sweep, from before it looks at anything to its end. One at a time.
  class sweep {
  public:
    explicit sweep(blob_pins& of);
    ~sweep();
    sweep(const sweep&) = delete;
    sweep& operator=(const sweep&) = delete;

  private:
    blob_pins& of_;
  };

private:
  std::mutex mutex_;
  std::map<blob_key, std::uint32_t> held_;
  bool sweeping_ = false;
  std::set<blob_key> released_; ///< Since the sweep began: a record that it missed may name them.
};

/// Holds a blob: no sweep removes it until this goes, which may be after its store. Whoever puts a
/// blob, or lets a record name one that is there, holds it until the record is durable.
class blob_pin {
public:
  blob_pin(std::shared_ptr<blob_pins> pins, const blob_key& key);
  blob_pin(blob_pin&&) noexcept = default;
  blob_pin& operator=(blob_pin&& other) noexcept;
  ~blob_pin();

  const sha256_digest& name() const noexcept { return key_.name; }

private:
  std::shared_ptr<blob_pins> pins_; ///< Empty once it was moved from.
  blob_key key_;
};

} // namespace troupe::storage
