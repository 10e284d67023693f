#include "graph_json/edge_json.hpp"
#include "graph_json/fields.hpp"
#include "graph_json/graph_json.hpp"
#include "graph_json/json_walker.hpp"
#include "graph_json/value_json.hpp"
#include "graph_json/vertex_json.hpp"

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

constexpr field<graph_spec> graph_fields[] = {
    {"name", member<read_name, &graph_spec::name>},
    {"vertices", refuse_no_list, true},
    {"edges", refuse_no_list},
    {"result", read_result},
};

class graph_reader : public json_walker {
public:
  explicit graph_reader(const graph_bounds& bounds) : bounds_(bounds) {}

  parsed_graph release(const std::optional<json_fault>& fault) {
    if (fault)
      return {std::move(spec_), {problem_of(*fault)}};
    report_too_many("/vertices", vertices_, bounds_.vertices_max);
    report_too_many("/edges", edges_, bounds_.edges_max);
    if (is_object_ && !has_vertices_)
      problems_.missing_key(json_place{""}, "vertices");
    return {std::move(spec_), problems_.release()};
  }

private:
  way choose(std::string_view pointer, value::type type) override {
    if (pointer.empty()) {
      is_object_ = type == value::type::object;
      return is_object_ ? way::down : way::take;
    }
    has_vertices_ = has_vertices_ || pointer == "/vertices";
    auto is_streamed = pointer == "/vertices" || pointer == "/edges";
    return is_streamed && type == value::type::list ? way::down : way::take;
  }

  void take(std::string_view pointer, std::string_view key, value&& x) override {
    json_place at{pointer};
    json_place root{""};
    if (pointer.empty())
      problems_.wrong_type(at, x, "an object");
    else if (pointer.starts_with("/vertices/"))
      add_vertex(std::move(x), at);
    else if (pointer.starts_with("/edges/"))
      add_edge(std::move(x), at);
    else
      read_field<graph_spec>(graph_fields, spec_, key, x, root, problems_);
  }

  void repeated(std::string_view pointer, std::string_view key) override {
    problems_.duplicate_key(json_place{pointer}, key);
  }

  void filter(value& x) override {
    if (auto number = x.number())
      x = normal(*number);
  }

  void add_vertex(value&& x, const json_place& at) {
    if (++vertices_ <= bounds_.vertices_max)
      spec_.vertices.push_back(read_vertex(std::move(x), at, problems_));
  }

  void add_edge(value&& x, const json_place& at) {
    if (++edges_ <= bounds_.edges_max)
      spec_.edges.push_back(read_edge(std::move(x), at, problems_));
  }

  void report_too_many(std::string_view pointer, std::size_t count, std::size_t max) {
    if (count > max)
      problems_.add("too_many", json_place{pointer},
                    std::to_string(count) + "; at most " + std::to_string(max));
  }

  static problem problem_of(const json_fault& fault) {
    if (fault.why == json_fault::cause::unreadable)
      return {"io_failed", "", fault.detail};
    return {"syntax", "", to_string(fault.at) + ": " + fault.detail};
  }

  graph_bounds bounds_;
  graph_spec spec_;
  problem_list problems_;
  std::size_t vertices_ = 0, edges_ = 0;
  bool is_object_ = false, has_vertices_ = false;
};

} // namespace

parsed_graph parse_graph(std::string_view text, const graph_bounds& bounds) {
  graph_reader reader{bounds};
  auto fault = read_json(text, reader);
  return reader.release(fault);
}

parsed_graph parse_graph_file(const std::string& path, const graph_bounds& bounds) {
  graph_reader reader{bounds};
  auto fault = read_json_file(path, reader);
  return reader.release(fault);
}

} // namespace troupe::graph_json
