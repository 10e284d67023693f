#include "node/http/flow_request.hpp"

#include "core/names.hpp"
#include "core/utf8.hpp"
#include "graph_json/langflow.hpp"
#include "graph_json/problem_list.hpp"
#include "graph_json/value_json.hpp"
#include "node/http/json_body.hpp"
#include "troupe/graph_builder.hpp"

#include <algorithm>

namespace troupe::http {

namespace {

using graph_json::json_place;
using graph_json::problem_list;

constexpr std::string_view body_keys[] = {"data", "files", "inputs"};
constexpr std::string_view input_keys[] = {"client_request_time", "components", "input_value",
                                           "session", "type"};

/// A label's text: cut where it is too long, at whole characters.
std::string label_text(std::string text) {
  text.resize(core::whole_characters(text, limits::label_bytes_max));
  return text;
}

void check_keys(const value& x, const json_place& at, std::span<const std::string_view> known,
                problem_list& out) {
  auto members = x.members();
  if (!members)
    return out.wrong_type(at, x, "an object");
  for (auto& [key, ignored] : *members)
    if (std::ranges::find(known, key) == known.end())
      out.unknown_key(at, key, known);
}

/// What every vertex of the flow sees as `job`.
void read_inputs(job_spec& to, const value& inputs, const json_place& at, problem_list& out) {
  check_keys(inputs, at, input_keys, out);
  for (auto key : {"input_value", "session"}) {
    auto found = inputs.find(key);
    if (!found || found->is_null())
      continue;
    if (!found->string())
      out.wrong_type(at / key, *found, "a string");
    else
      to.input[key] = *found;
  }
  if (auto session = to.input.find("session"))
    to.labels.insert_or_assign(std::string{session_label}, label_text(*session->string()));
}

std::string why_not(const problems& errors) {
  std::string text;
  for (auto& x : errors)
    text += (text.empty() ? "" : "; ") + x.detail;
  return text;
}

} // namespace

std::optional<flow_delivery> parse_flow_delivery(std::string_view text) noexcept {
  using enum flow_delivery;
  for (auto [name, how] :
       {std::pair{"streaming", streaming}, {"polling", polling}, {"direct", direct}})
    if (text == name)
      return how;
  return {};
}

void take_broken(flow_request& x, std::string why) {
  x.broken = label_text(std::move(why));
  graph_builder b{x.job.graph ? x.job.graph->name : ""};
  b.add("flow", "jq", {{"program", "error(" + graph_json::to_json(value{x.broken}) + ")"}});
  x.job.graph = std::move(b).build();
  x.job.spec.labels.insert_or_assign(std::string{broken_label}, x.broken);
}

void take_nothing(flow_request& x) {
  graph_builder b{x.job.graph ? x.job.graph->name : ""};
  b.add("flow", "noop");
  x.job.graph = std::move(b).build();
  x.job.spec.labels.insert_or_assign(std::string{nothing_label}, "yes");
}

void restrict_flow(flow_request& x, const std::string& start, const std::string& stop) {
  if (!x.broken.empty() || x.job.spec.labels.contains(std::string{nothing_label})
      || (start.empty() && stop.empty()))
    return;
  if (auto part = graph_json::part_of(*x.job.graph, start, stop))
    x.job.graph = std::move(*part);
  else
    take_nothing(x);
}

read_flow read_flow_request(std::string_view body, const std::string& flow_id,
                            const std::string& name) {
  read_flow all;
  auto& spec = all.request.job.spec;
  spec.input = value::object{{"flow_id", flow_id}};
  spec.labels.emplace(flow_label, label_text(flow_id));
  if (body.empty())
    return all;
  auto parsed = read_json_body(body);
  all.malformed = std::move(parsed.malformed);
  all.errors = std::move(parsed.errors);
  if (all.malformed || !all.errors.empty())
    return all;
  auto& from = parsed.content;
  problem_list found;
  json_place root{""};
  check_keys(from, root, body_keys, found);
  if (auto inputs = from.find("inputs"); inputs && !inputs->is_null())
    read_inputs(spec, *inputs, root / "inputs", found);
  if (auto files = from.find("files"); files && !files->is_null())
    spec.input["files"] = *files;
  all.errors = found.release();
  auto data = from.find("data");
  if (!all.errors.empty() || !data || data->is_null())
    return all;
  auto flow = graph_json::import_langflow(*data, {name, true});
  if (flow.spec.name.empty() && core::is_name(flow_id)) // Metrics tell flows apart by it.
    flow.spec.name = flow_id;
  all.request.job.graph = std::move(flow.spec);
  all.request.job.graph_at = "/data";
  if (flow.errors.size() == 1 && flow.errors.front().code == "no_vertices")
    take_nothing(all.request);
  else if (!flow.errors.empty())
    take_broken(all.request, why_not(flow.errors));
  return all;
}

} // namespace troupe::http
