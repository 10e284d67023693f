#pragma once

#include "graph_json/json_reader.hpp"

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::graph_json {

/// Bytes one after the other, from memory or from a file in pieces. Knows where it is.
class text_source {
public:
  /// Reads `text`, which must outlive this.
  explicit text_source(std::string_view text) : piece_(text) {}

  /// Reads a file or a pipe. If that fails the source is empty and has a `failure`.
  static text_source open(const std::string& path);

  /// Whether all has been read; loads the next piece where needed.
  bool at_end() { return next_ == piece_.size() && !load(); }
  /// The next byte. Only if not `at_end`.
  char current() const { return piece_[next_]; }
  void advance() { ++next_; }

  /// How many bytes have been read.
  std::uint64_t read_bytes() const noexcept { return before_ + next_; }
  /// Whether a reader has asked for more than there is.
  bool was_drained() const noexcept { return drained_; }
  /// Why the system refused the file, else empty.
  const std::string& failure() const noexcept { return failure_; }
  /// Tells line and column of a byte: of one of the last two that were read, in a file.
  text_place place_of(std::uint64_t byte) const;

private:
  struct closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  bool load();

  std::string_view piece_;
  std::size_t next_ = 0;
  std::uint64_t before_ = 0;     ///< Bytes before this piece.
  std::uint64_t lines_ = 0;      ///< Line ends before this piece.
  std::uint64_t line_begin_ = 0; ///< The first byte of the line in which this piece begins.
  bool drained_ = false;
  std::string failure_;
  std::unique_ptr<std::FILE, closer> file_;
  std::vector<char> buffer_;
};

} // namespace troupe::graph_json
