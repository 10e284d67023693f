#include "graph_json/value_json.hpp"

#include "graph_json/exact_json.hpp"
#include "graph_json/json_reader.hpp"
#include "graph_json/problem_list.hpp"
#include "graph_json/value_builder.hpp"

#include <cstdint>

namespace troupe::graph_json {

namespace {

/// Builds a whole text; a repeated key ends the reading.
class whole_value : public json_events {
public:
  bool scalar(value&& x) override {
    builder_.scalar(std::move(x));
    return true;
  }
  bool rounded(value&& x, const std::string& digits) override {
    rounded_.add("out_of_range", json_place{builder_.next_pointer()}, rounding(digits));
    return scalar(std::move(x));
  }
  bool begin(value::type type) override {
    builder_.begin(type);
    return true;
  }
  bool key(std::string name) override {
    repeated_ = name;
    return builder_.key(std::move(name));
  }
  bool end() override {
    builder_.end();
    return true;
  }

  value release() { return builder_.release(); }
  problems release_rounded() { return rounded_.release(); }
  /// Only after a key was refused.
  std::string refusal() const {
    return "the key " + to_json(repeated_) + " stands twice in one object";
  }

private:
  value_builder builder_;
  problem_list rounded_;
  std::string repeated_;
};

error error_of(const json_fault& fault, const whole_value& built) {
  auto refused = fault.why == json_fault::cause::refused;
  return {ec::invalid_spec,
          to_string(fault.at) + ": " + (refused ? built.refusal() : fault.detail)};
}

std::string_view take_line(std::string_view& rest) {
  auto line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  return line;
}

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == line.npos; }

} // namespace

result<value> parse_value(std::string_view text) {
  whole_value built;
  if (auto fault = read_json(text, built))
    return error_of(*fault, built);
  return built.release();
}

result<exact_value> parse_exact(std::string_view text, std::size_t outer) {
  whole_value built;
  if (auto fault = read_json(text, built, outer))
    return error_of(*fault, built);
  return exact_value{built.release(), built.release_rounded()};
}

result<value::list> parse_ndjson(std::string_view text) {
  value::list values;
  std::uint64_t number = 0;
  for (auto rest = text; !rest.empty();) {
    auto line = take_line(rest);
    ++number;
    if (is_blank(line))
      continue;
    whole_value built;
    if (auto fault = read_json(line, built)) {
      fault->at.line = number;
      fault->at.byte += static_cast<std::uint64_t>(line.data() - text.data());
      return error_of(*fault, built);
    }
    if (auto lossy = built.release_rounded(); !lossy.empty())
      return error{ec::invalid_spec, "line " + std::to_string(number) + ", at \""
                                         + lossy.front().pointer + "\": " + lossy.front().detail};
    values.push_back(built.release());
  }
  return values;
}

} // namespace troupe::graph_json
