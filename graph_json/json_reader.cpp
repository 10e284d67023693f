#include "graph_json/json_reader.hpp"

#include "graph_json/number_text.hpp"
#include "graph_json/text_source.hpp"
#include "troupe/limits.hpp"

#include <limits>
#include <nlohmann/json.hpp>

namespace troupe::graph_json {

namespace {

using nlohmann::json;

/// What the parser reads from: every copy moves the one source on.
struct source_iterator {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = char;

  text_source* source = nullptr; ///< Null: the end.

  char operator*() const { return source->current(); }
  source_iterator& operator++() {
    source->advance();
    return *this;
  }
  bool operator==(const source_iterator&) const { return source->at_end(); }
};

/// Removes the library's own prefix and the echo of the input, which may be of any length.
std::string expectation(std::string what, const std::string& last_token) {
  if (auto echo = what.find("; last read: '" + last_token + "'"); echo != std::string::npos)
    what.erase(echo, last_token.size() + 15);
  constexpr std::string_view head = ": syntax error ";
  if (auto begin = what.find(head); begin != std::string::npos)
    what.erase(0, begin + head.size());
  if (auto dash = what.find(" - "); dash != std::string::npos)
    what.replace(dash, 3, ": ");
  return what;
}

/// Hands the parser's events on, and counts the nesting.
class adapter {
public:
  adapter(text_source& from, json_events& to, std::size_t outer)
      : from_(from), to_(to), outer_(outer) {}

  std::optional<json_fault> fault;

  bool null() { return scalar({}); }
  bool boolean(bool x) { return scalar(x); }
  bool number_integer(json::number_integer_t x) { return scalar(std::int64_t{x}); }
  bool number_unsigned(json::number_unsigned_t x) {
    constexpr auto max = std::numeric_limits<std::int64_t>::max();
    return x <= max ? scalar(static_cast<std::int64_t>(x))
                    : integer(static_cast<double>(x), std::to_string(x));
  }
  bool number_float(json::number_float_t x, const json::string_t& text) {
    return text.find_first_not_of("-0123456789") == text.npos ? integer(x, text) : scalar(x);
  }
  bool string(json::string_t& x) { return scalar(std::move(x)); }
  bool binary(json::binary_t&) { return false; }
  bool start_object(std::size_t) { return begin(value::type::object); }
  bool start_array(std::size_t) { return begin(value::type::list); }
  bool key(json::string_t& x) { return heeded(to_.key(std::move(x))); }
  bool end_object() { return end(); }
  bool end_array() { return end(); }

  bool parse_error(std::size_t read, const std::string& token, const json::exception& e) {
    auto byte = read == 0 ? 0 : std::min<std::uint64_t>(read - 1, from_.read_bytes());
    auto detail = e.id == 406 ? "a number is too large" : expectation(e.what(), token);
    fault = json_fault{json_fault::cause::syntax, from_.place_of(byte), std::move(detail)};
    return false;
  }

  /// A fault at the byte that was read last.
  void fail(json_fault::cause why, std::string detail) {
    auto byte = from_.read_bytes() == 0 ? 0 : from_.read_bytes() - 1;
    fault = json_fault{why, from_.place_of(byte), std::move(detail)};
  }

private:
  bool heeded(bool go_on) {
    if (!go_on)
      fail(json_fault::cause::refused, "");
    return go_on;
  }

  bool scalar(value x) { return heeded(to_.scalar(std::move(x))); }

  /// One beyond 64 bits.
  bool integer(double x, const std::string& digits) {
    std::string written;
    append_ecmascript_number(x, written);
    return written == digits ? scalar(x) : heeded(to_.rounded(x, digits));
  }

  bool begin(value::type type) {
    if (++depth_ > outer_ + limits::value_depth_max) {
      fail(json_fault::cause::too_deep,
           "nested deeper than " + std::to_string(limits::value_depth_max));
      return false;
    }
    return heeded(to_.begin(type));
  }

  bool end() {
    --depth_;
    return heeded(to_.end());
  }

  text_source& from_;
  json_events& to_;
  std::size_t outer_, depth_ = 0;
};

std::optional<json_fault> read(text_source& from, json_events& to, std::size_t outer) {
  adapter sax{from, to, outer};
  json::sax_parse(source_iterator{&from}, source_iterator{}, &sax);
  if (auto reason = from.failure(); !reason.empty())
    return json_fault{json_fault::cause::unreadable, {}, std::move(reason)};
  // The parser takes a byte of 0 for the end of the text.
  if (!sax.fault && !from.was_drained())
    sax.fail(json_fault::cause::syntax, "unexpected byte of 0; expected end of input");
  return std::move(sax.fault);
}

} // namespace

bool json_events::rounded(value&& x, const std::string&) { return scalar(std::move(x)); }

std::string rounding(const std::string& digits) {
  constexpr std::size_t shown = 24;
  return "the integer " + digits.substr(0, shown) + (digits.size() > shown ? "\u2026" : "")
         + " is beyond 64 bits, and would lose digits; send it as a string, or with an exponent if "
           "that may be";
}

std::string to_string(const text_place& place) {
  return "line " + std::to_string(place.line) + ", column " + std::to_string(place.column)
         + " (byte " + std::to_string(place.byte) + ")";
}

std::optional<json_fault> read_json(std::string_view text, json_events& to, std::size_t outer) {
  text_source from{text};
  return read(from, to, outer);
}

std::optional<json_fault> read_json_file(const std::string& path, json_events& to,
                                         std::size_t outer) {
  auto from = text_source::open(path);
  return read(from, to, outer);
}

text_place place_of(std::string_view text, std::size_t byte) {
  return text_source{text}.place_of(byte);
}

} // namespace troupe::graph_json
