#pragma once

#include "storage/blob_pins.hpp"
#include "storage/data_dir.hpp"
#include "troupe/limits.hpp"

#include <chrono>
#include <memory>
#include <vector>

namespace troupe::storage {

using blob_time = std::chrono::sys_time<std::chrono::milliseconds>;

/// What is known of a blob without reading it.
struct blob_about {
  sha256_digest name{};
  std::uint64_t bytes = 0;
  blob_time put{}; ///< Last, by any caller.
};

/// A blob that comes in pieces. For one thread; one that is not committed leaves nothing.
class blob_sink {
public:
  virtual ~blob_sink() = default;

  /// Errors: `too_large` beyond the limit that it was begun with, `io_failed`, `no_space`.
  virtual status append(core::byte_view piece) = 0;
  /// Makes it durable, file and directories. Once, at the end. Errors: `io_failed`, `no_space`.
  virtual result<blob_pin> commit() = 0;
};

/// A blob that goes out in pieces. For one thread; it stays readable when it is swept meanwhile.
class blob_source {
public:
  using reader = std::function<status(core::byte_view piece)>;

  virtual ~blob_source() = default;

  virtual std::uint64_t bytes() const = 0;
  /// Bytes from `offset` on until `into` is full or the blob ends; tells how many. They are not
  /// checked: call `each` once before, if that matters. Errors: `io_failed`.
  virtual result<std::size_t> read(std::span<std::uint8_t> into, std::uint64_t offset) = 0;

  /// Hands all to `piece`, in order, in pieces of at most 1 MiB, and checks it: after an error
  /// what was handed over is not to be used. Errors: `journal_corrupt` if the content does not fit
  /// the name, `io_failed`, and those of `piece`.
  status each(const reader& piece);

protected:
  blob_source(std::string place, const sha256_digest& name)
      : place_(std::move(place)), name_(name) {}

private:
  std::string place_; ///< For people.
  sha256_digest name_;
};

/// How young what nothing names may be to be spared by a sweep.
struct sweep_ages {
  std::chrono::milliseconds value = limits::blob_age_min;
  /// Of graphs, which are added before any job names them.
  std::chrono::milliseconds graph = limits::unused_graph_keep;
};

/// What a sweep did.
struct swept {
  std::size_t blobs = 0;   ///< Removed.
  std::uint64_t bytes = 0; ///< Removed.
  bool more = false;       ///< It took up `limits::blob_sweep_max`; another one goes on.
};

/// Values that are too large for records, and graphs: per namespace, named by their content. Graphs
/// are canonical JSON, an object; the first byte of an encoded value is never a brace.
/// Thread-safe; calls block on the disk.
class blob_store {
public:
  /// Told of each blob that is named somewhere.
  using named = std::function<void(namespace_id, const sha256_digest&)>;
  /// Tells `named` of every blob that a record names: of all that are durable, and of all that may
  /// become so without a pin.
  using marker = std::function<status(const named&)>;

  virtual ~blob_store() = default;

  /// Makes `data` durable, file and directories, then returns its name. One that is there is not
  /// written again, but is as young as a new one, so that no sweep meets it for `blob_age_min`.
  /// Errors: `too_large` beyond `bytes_max`, `io_failed`, `no_space`.
  result<sha256_digest> put(namespace_id space, core::byte_view data,
                            std::size_t bytes_max = limits::value_bytes_max);

  /// The same; holds it until the pin goes.
  virtual result<blob_pin> keep(namespace_id space, core::byte_view data,
                                std::size_t bytes_max = limits::value_bytes_max) = 0;

  /// Holds a blob that is there, makes its name durable, and makes it as young as a new one.
  /// Errors: `blob_missing`, `io_failed`, `unsupported`.
  virtual result<blob_pin> pin(namespace_id space, const sha256_digest& name) = 0;

  /// Begins a blob that comes in pieces. Errors: `io_failed`, `no_space`, `unsupported`.
  virtual result<std::unique_ptr<blob_sink>>
  begin(namespace_id space, std::uint64_t bytes_max = limits::value_bytes_max) = 0;

  /// The content. Errors: `blob_missing`; `journal_corrupt` if it does not fit its name;
  /// `io_failed`.
  virtual result<core::bytes> get(namespace_id space, const sha256_digest& name) = 0;

  /// The content in pieces. Errors: `blob_missing`, `io_failed`.
  virtual result<std::unique_ptr<blob_source>> open(namespace_id space,
                                                    const sha256_digest& name) = 0;

  /// The namespaces that have, or had, blobs. Errors: `io_failed`.
  virtual result<std::vector<namespace_id>> namespaces() = 0;
  /// At most `limit` names behind `after`, sorted. Errors: `io_failed`.
  virtual result<std::vector<sha256_digest>>
  names(namespace_id space, const std::optional<sha256_digest>& after, std::size_t limit);
  /// The blobs of a namespace, sorted by name. Errors: `io_failed`.
  virtual result<std::vector<blob_about>> list(namespace_id space) = 0;
  /// Of all blobs; looks at each file. Errors: `io_failed`.
  virtual result<std::uint64_t> bytes();

  /// Removes blobs that `mark` does not name, nobody holds or held meanwhile, and are older at
  /// `now` than `ages` says. First it lists them, then it marks, then it removes what is still old:
  /// whoever lets a record name one in between holds it, or has just put it. One at a time.
  /// Errors: those of `mark`, then nothing was removed; `not_ready` while anyone holds a
  /// `data_pin`; `io_failed`, `unsupported`.
  virtual result<swept> sweep(const marker& mark, blob_time now, const sweep_ages& ages = {}) = 0;
};

/// The blobs of a data directory, which must outlive the store. One that is open for writing is
/// rid of what a crash left half written; one open for reading refuses all that writes with
/// `unsupported`. Errors: `io_failed`, `no_space`.
result<std::unique_ptr<blob_store>> open_blob_store(const data_dir& directory);

/// Keeps blobs in memory, for runs without durability.
std::unique_ptr<blob_store> memory_blob_store();

} // namespace troupe::storage
