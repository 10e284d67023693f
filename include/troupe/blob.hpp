#pragma once

#include "troupe/error.hpp"
#include "troupe/export.hpp"
#include "troupe/ids.hpp"

#include <memory>
#include <span>
#include <vector>

/// Bytes of any kind and size, named by their content. What nothing names is kept for
/// `limits::blob_age_min` after it was stored last.
namespace troupe {

/// The SHA-256 of a blob's content.
struct blob_id {
  std::array<std::uint8_t, 32> sha256{};

  auto operator<=>(const blob_id&) const = default;
};

/// 64 lower-case hexadecimal digits.
TROUPE_EXPORT std::string to_string(const blob_id& id);
/// Reads them, in either case of letters. Nothing for any other text.
TROUPE_EXPORT std::optional<blob_id> parse_blob_id(std::string_view text);

/// A blob on its way in. One thread at a time; one that is not committed leaves nothing. Drop it
/// before its runtime is closed.
class TROUPE_EXPORT blob_upload {
public:
  /// Errors: `too_large` beyond the limit that it was begun with, `no_space`, `io_failed`,
  /// `not_ready`.
  status append(std::span<const std::uint8_t> piece);
  /// What the pieces so far are called. Once, before `commit`.
  blob_id name();
  /// Makes it durable. Once, at the end. Errors: `no_space`, `io_failed`, `not_ready`.
  status commit();

private:
  friend class runtime;
  struct impl;
  std::shared_ptr<impl> impl_;
};

/// A blob on its way out. One thread at a time; it stays readable when it is removed meanwhile.
class TROUPE_EXPORT blob_reader {
public:
  /// Of the whole blob.
  std::uint64_t bytes() const noexcept;
  /// From now on only the `count` bytes from `first` on are handed out, as far as they are there.
  /// They are not checked, unless they are all: a name says nothing of a part. Once, before `next`.
  void only(std::uint64_t first, std::uint64_t count) noexcept;
  /// The next bytes, at most `most`; none at the end. The last ones come only if the whole content
  /// fits its name. Errors: `journal_corrupt` if it does not, `io_failed`, `not_ready`.
  result<std::vector<std::uint8_t>> next(std::size_t most);

private:
  friend class runtime;
  struct impl;
  std::shared_ptr<impl> impl_;
};

/// What a list tells of a graph that was added.
struct graph_info {
  graph_id id{};
  std::string name{};
  std::size_t vertices = 0, edges = 0;
};

/// A part of a list of graphs, by id. It may be shorter than asked for, even empty, and still have
/// a next one.
struct graph_list {
  std::vector<graph_info> graphs{};
  std::optional<graph_id> next{}; ///< The `after` of the next part; nothing: there is none.
};

} // namespace troupe
