#pragma once

#include <string>
#include <string_view>

namespace troupe::http {

/// Whether a line holds nothing.
inline bool is_blank(std::string_view line) { return line.find_first_not_of(" \t") == line.npos; }

/// Cuts a stream of bytes into lines.
class line_splitter {
public:
  explicit line_splitter(std::size_t line_bytes_max) : most_(line_bytes_max) {}

  /// Hands each line that ends in `piece` to `each(std::string)`. False: a line is too long.
  template <class Each>
  bool add(std::string_view piece, Each each) {
    for (auto end = piece.find('\n'); end != piece.npos; end = piece.find('\n')) {
      begun_ += piece.substr(0, end);
      if (begun_.size() > most_)
        return false;
      piece.remove_prefix(end + 1);
      each(take());
    }
    begun_ += piece;
    return begun_.size() <= most_;
  }

  /// Bytes of the line that has begun.
  std::size_t begun() const noexcept { return begun_.size(); }

  /// The last line, which no line end follows; may be empty.
  std::string take() {
    std::string line;
    line.swap(begun_);
    if (line.ends_with('\r'))
      line.pop_back();
    return line;
  }

private:
  std::size_t most_;
  std::string begun_;
};

} // namespace troupe::http
