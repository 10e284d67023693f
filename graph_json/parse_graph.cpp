#include "graph_json/edge_json.hpp"
#include "graph_json/fields.hpp"
#include "graph_json/graph_json.hpp"
#include "graph_json/json_walker.hpp"
#include "graph_json/value_json.hpp"
#include "graph_json/vertex_json.hpp"

#include <algorithm>

namespace troupe::graph_json {

namespace {

void read_result_list(graph_spec& to, value::list& names, const json_place& at, problem_list& out) {
  if (names.empty())
    out.add("out_of_range", at, "expected at least one vertex; without the key: the sinks");
  for (std::size_t i = 0; i < names.size(); ++i)
    read_name(to.result.emplace_back(), names[i], at / i, out);
}

void read_result(graph_spec& to, value& from, const json_place& at, problem_list& out) {
  to.result_is_single = from.string() != nullptr;
  if (to.result_is_single)
    read_name(to.result.emplace_back(), from, at, out);
  else if (auto names = from.items())
    read_result_list(to, *names, at, out);
  else
    out.wrong_type(at, from, "a string or a list of strings");
}

// Lists are taken apart before they get here.
void refuse_no_list(graph_spec&, value& from, const json_place& at, problem_list& out) {
  out.wrong_type(at, from, "a list");
}

/// For editors; no part of the graph.
void read_schema(graph_spec&, value& from, const json_place& at, problem_list& out) {
  if (!from.string())
    out.wrong_type(at, from, "a string");
}

constexpr field<graph_spec> graph_fields[] = {
    {"name", member<read_name, &graph_spec::name>},
    {"vertices", refuse_no_list, true},
    {"edges", refuse_no_list},
    {"result", read_result},
    {"$schema", read_schema},
};

/// Numbers as the canonical text has them.
void normalise(value& x) {
  if (auto number = x.number())
    x = normal(*number);
  else if (auto items = x.items())
    std::ranges::for_each(*items, normalise);
  else if (auto members = x.members())
    for (auto& [ignored, member] : *members)
      normalise(member);
}

class graph_reader : public json_walker {
public:
  /// The graph is the whole text, or what stands at `root`; then the rest goes to `others`.
  explicit graph_reader(const graph_bounds& bounds, std::string root = {})
      : bounds_(bounds), root_(std::move(root)) {}

  parsed_graph release(const std::optional<json_fault>& fault) {
    if (fault)
      return {std::move(spec_), {problem_of(*fault)}};
    report_too_many("vertices", vertices_, bounds_.vertices_max);
    report_too_many("edges", edges_, bounds_.edges_max);
    if (is_object_ && !has_vertices_)
      problems_.missing_key(json_place{root_}, "vertices");
    return {std::move(spec_), problems_.release()};
  }

  value release_others() { return std::move(others_); }
  bool has_graph() const noexcept { return is_object_; }

private:
  bool is_outside(std::string_view pointer) const {
    return pointer.size() <= root_.size() ? pointer != root_ : !pointer.starts_with(root_ + "/");
  }

  way choose(std::string_view pointer, value::type type) override {
    auto is_object = type == value::type::object;
    if (is_outside(pointer))
      return pointer.empty() && is_object ? way::down : way::take;
    pointer.remove_prefix(root_.size());
    if (pointer.empty()) {
      is_object_ = is_object;
      return is_object_ ? way::down : way::take;
    }
    has_vertices_ = has_vertices_ || pointer == "/vertices";
    auto is_streamed = pointer == "/vertices" || pointer == "/edges";
    return is_streamed && type == value::type::list ? way::down : way::take;
  }

  void take(std::string_view pointer, std::string_view key, value&& x) override {
    json_place at{pointer};
    json_place root{root_};
    if (is_outside(pointer) || (pointer == root_ && !root_.empty()))
      return take_other(at, pointer, key, std::move(x));
    normalise(x);
    pointer.remove_prefix(root_.size());
    if (pointer.empty())
      problems_.wrong_type(at, x, "an object");
    else if (pointer.starts_with("/vertices/"))
      add_vertex(std::move(x), at);
    else if (pointer.starts_with("/edges/"))
      add_edge(std::move(x), at);
    else
      read_field<graph_spec>(graph_fields, spec_, key, x, root, problems_);
  }

  void take_other(const json_place& at, std::string_view pointer, std::string_view key, value&& x) {
    if (pointer.empty())
      problems_.wrong_type(at, x, "an object");
    else
      others_[key] = std::move(x);
  }

  void repeated(std::string_view pointer, std::string_view key) override {
    problems_.duplicate_key(json_place{pointer}, key);
  }

  void lossy(const std::string& pointer, const std::string& digits) override {
    problems_.add("out_of_range", json_place{pointer}, rounding(digits));
  }

  void add_vertex(value&& x, const json_place& at) {
    if (++vertices_ <= bounds_.vertices_max)
      spec_.vertices.push_back(read_vertex(std::move(x), at, problems_));
  }

  void add_edge(value&& x, const json_place& at) {
    if (++edges_ <= bounds_.edges_max)
      spec_.edges.push_back(read_edge(std::move(x), at, problems_));
  }

  void report_too_many(std::string_view key, std::size_t count, std::size_t max) {
    json_place root{root_};
    if (count > max)
      problems_.add("too_many", root / key,
                    std::to_string(count) + "; at most " + std::to_string(max));
  }

  problem problem_of(const json_fault& fault) const {
    if (fault.why == json_fault::cause::unreadable)
      return {"io_failed", "", fault.detail};
    if (fault.why == json_fault::cause::too_deep)
      return {"too_deep", next_pointer(), to_string(fault.at) + ": " + fault.detail};
    return {"syntax", "", to_string(fault.at) + ": " + fault.detail};
  }

  graph_bounds bounds_;
  std::string root_;
  value others_ = value::object{};
  graph_spec spec_;
  problem_list problems_;
  std::size_t vertices_ = 0, edges_ = 0;
  bool is_object_ = false, has_vertices_ = false;
};

} // namespace

parsed_members parse_members(std::string_view text, std::string_view name,
                             const graph_bounds& bounds) {
  graph_reader reader{bounds, "/" + std::string{name}};
  auto fault = read_json(text, reader, graph_levels + 1);
  auto parsed = reader.release(fault);
  parsed_members all{reader.release_others(), {}, {}, std::move(parsed.errors)};
  if (reader.has_graph())
    all.graph = std::move(parsed.spec);
  if (fault)
    all.malformed = fault->at.byte;
  return all;
}

parsed_graph parse_graph(std::string_view text, const graph_bounds& bounds) {
  graph_reader reader{bounds};
  auto fault = read_json(text, reader, graph_levels);
  return reader.release(fault);
}

parsed_graph parse_graph_file(const std::string& path, const graph_bounds& bounds) {
  graph_reader reader{bounds};
  auto fault = read_json_file(path, reader, graph_levels);
  return reader.release(fault);
}

} // namespace troupe::graph_json
