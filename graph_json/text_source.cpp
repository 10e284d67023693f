#include "graph_json/text_source.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace troupe::graph_json {

namespace {

constexpr std::size_t piece_bytes = 64 << 10;

/// How much of a piece stays for `place_of`: the parser gives at most one byte back.
constexpr std::size_t kept_bytes = 2;

struct line_ends {
  std::uint64_t count = 0;
  std::size_t after_last = 0; ///< The byte after the last one, if there is any.
};

line_ends line_ends_of(std::string_view text) {
  line_ends found;
  for (std::size_t at = 0; (at = text.find('\n', at)) != text.npos; found.after_last = ++at)
    ++found.count;
  return found;
}

} // namespace

text_source text_source::open(const std::string& path) {
  text_source source{std::string_view{}};
  source.file_.reset(std::fopen(path.c_str(), "rbe"));
  if (source.file_)
    source.buffer_.resize(kept_bytes + piece_bytes);
  else
    source.failure_ = path + ": " + std::strerror(errno);
  return source;
}

text_place text_source::place_of(std::uint64_t byte) const {
  auto within = std::min<std::size_t>(byte < before_ ? 0 : byte - before_, piece_.size());
  auto ends = line_ends_of(piece_.substr(0, within));
  auto line_begin = ends.count ? before_ + ends.after_last : line_begin_;
  return {before_ + within, lines_ + ends.count + 1, before_ + within - line_begin + 1};
}

bool text_source::load() {
  drained_ = true;
  if (!file_)
    return false;
  auto kept = std::min(piece_.size(), kept_bytes);
  auto dropped = piece_.substr(0, piece_.size() - kept);
  auto ends = line_ends_of(dropped);
  if (ends.count)
    line_begin_ = before_ + ends.after_last;
  lines_ += ends.count;
  before_ += dropped.size();
  std::copy(piece_.end() - kept, piece_.end(), buffer_.begin());
  auto got = std::fread(buffer_.data() + kept, 1, piece_bytes, file_.get());
  if (got < piece_bytes && std::ferror(file_.get()))
    failure_ = std::string{"reading the file: "} + std::strerror(errno);
  piece_ = {buffer_.data(), kept + got};
  next_ = kept;
  drained_ = got == 0;
  return got != 0;
}

} // namespace troupe::graph_json
