#include "core/kind_catalog.hpp"

#include <algorithm>
#include <vector>

namespace troupe::core {

namespace {

bool is_word(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// Walks over the words of a jq program, into the code within its strings: `"at \(now)"`.
class jq_words {
public:
  explicit jq_words(std::string_view program) : program_(program) {}

  bool has_call_of(std::string_view name) {
    while (at_ < program_.size()) {
      auto c = program_[at_];
      if (is_word(c)) {
        if (take_word() == name && is_call(name))
          return true;
        continue;
      }
      ++at_;
      if (c == '#')
        at_ = std::min(program_.find('\n', at_), program_.size());
      else if (c == '"')
        skip_text();
      else if (c == '(' || c == '[' || c == '{')
        open_.push_back(c);
      else if (c == ')' || c == ']' || c == '}')
        close();
    }
    return false;
  }

private:
  std::string_view take_word() {
    auto begin = at_;
    while (at_ < program_.size() && is_word(program_[at_]))
      ++at_;
    return program_.substr(begin, at_ - begin);
  }

  /// Not `.now`, `$now`, `@now` nor the key of `{now: 1}`.
  bool is_call(std::string_view name) const {
    auto begin = at_ - name.size();
    auto before = begin ? program_[begin - 1] : ' ';
    auto next = program_.find_first_not_of(" \t\r\n", at_);
    auto is_key =
        !open_.empty() && open_.back() == '{' && next != program_.npos && program_[next] == ':';
    return before != '.' && before != '$' && before != '@' && !is_key;
  }

  /// Goes on behind the end of a string, or into the code within it.
  void skip_text() {
    while (at_ < program_.size()) {
      auto c = program_[at_++];
      if (c == '"')
        return;
      if (c == '\\' && at_ < program_.size() && program_[at_++] == '(')
        return open_.push_back('"');
    }
  }

  void close() {
    auto opened = open_.empty() ? ' ' : open_.back();
    if (!open_.empty())
      open_.pop_back();
    if (opened == '"')
      skip_text();
  }

  std::string_view program_;
  std::size_t at_ = 0;
  std::vector<char> open_; ///< Brackets, and `"` for code within a string.
};

} // namespace

bool jq_is_pure(std::string_view program) { return !jq_words{program}.has_call_of("now"); }

} // namespace troupe::core
