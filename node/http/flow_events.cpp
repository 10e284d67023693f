#include "node/http/flow_events.hpp"

#include "core/time_text.hpp"
#include "core/utf8.hpp"
#include "graph_json/langflow.hpp"
#include "graph_json/value_json.hpp"

#include <cmath>
#include <set>

namespace troupe::http {

namespace {

std::string text_at(const value& x, std::string_view key) {
  auto found = x.find(key);
  return found && found->string() ? *found->string() : "";
}

std::string envelope(std::string_view type, const value& data) {
  return R"({"event": ")" + std::string{type} + R"(", "data": )" + graph_json::to_json(data)
         + "}\n\n";
}

/// `2026-01-31 12:00:00 UTC`.
std::string clock_text(std::string_view time) {
  return std::string{time.substr(0, 10)} + " " + std::string{time.substr(11, 8)} + " UTC";
}

/// Whole characters, at most `flow_text_max` bytes.
std::string shortened(const std::string& text) {
  if (text.size() <= flow_text_max)
    return text;
  return text.substr(0, core::whole_characters(text, flow_text_max)) + "...";
}

value shortened(const value& x) {
  if (auto text = x.string())
    return shortened(*text);
  if (auto items = x.items()) {
    value::list some;
    for (std::size_t i = 0; i < items->size() && i < flow_items_max; ++i)
      some.push_back(shortened((*items)[i]));
    if (auto left = items->size() - some.size(); left > 0)
      some.emplace_back("... [truncated " + std::to_string(left) + " items]");
    return some;
  }
  value all = x;
  if (auto members = all.members())
    for (auto& [key, member] : *members)
      member = shortened(member);
  return all;
}

/// `12 ms`, `3.4 seconds`, `2 minutes, 3.1 seconds`.
std::string duration_text(std::int64_t ms) {
  if (ms < 1000)
    return std::to_string(ms) + " ms";
  auto tenths = ms / 100 % 600;
  auto seconds = std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " seconds";
  auto minutes = ms / 60'000;
  if (minutes == 0)
    return seconds;
  return std::to_string(minutes) + (minutes == 1 ? " minute, " : " minutes, ") + seconds;
}

const char* type_of(const value& x) {
  switch (x.kind()) {
  case value::type::string: return "text";
  case value::type::object: return "object";
  case value::type::list: return "array";
  default: return "unknown";
  }
}

value outputs_of(const value& output) {
  value::object all;
  if (auto members = output.members())
    for (auto& [name, x] : *members)
      all.emplace(name, value::object{{"message", shortened(x)}, {"type", type_of(x)}});
  return all;
}

value failed_outputs(const std::string& why) {
  value message = value::object{{"errorMessage", why}, {"stackTrace", ""}};
  return value::object{{"output", value::object{{"message", message}, {"type", "error"}}}};
}

/// The vertices, with their groups in place of those that are in one.
value top_level(const flow_about& about, const value& vertices) {
  value::list all;
  if (auto items = vertices.items())
    for (auto& x : *items) {
      auto found = x.string() ? about.groups.find(*x.string()) : about.groups.end();
      all.push_back(found == about.groups.end() ? x : value{found->second});
    }
  return all;
}

/// What is told of one vertex that has ended.
value built(const flow_about& about, const event& x, value::list inactivated) {
  auto& data = x.data;
  auto valid = text_at(data, "state") == "succeeded";
  auto took = data.find("duration_ms");
  auto ms = took && took->integer() ? *took->integer() : 0;
  auto output = data.find("output");
  auto error = data.find("error");
  auto why = error ? text_at(*error, "detail") : text_at(data, "state");
  auto found = data.find("next");
  auto next = valid && found ? *found : value{value::list{}};
  auto result = valid && output ? shortened(*output) : value{};
  auto params = valid ? shortened(graph_json::to_json(result)) : why;
  value told =
      value::object{{"results", result.is_null() ? value{value::object{}} : result},
                    {"outputs", valid && output ? outputs_of(*output) : failed_outputs(why)},
                    {"logs", value::object{}},
                    {"message", value::object{}},
                    {"artifacts", value::object{}},
                    {"timedelta", static_cast<double>(ms) / 1000},
                    {"duration", duration_text(ms)},
                    {"used_frozen_result", data.find("reused") != nullptr}};
  return value::object{{"id", text_at(data, "vertex")},
                       {"inactivated_vertices", std::move(inactivated)},
                       {"top_level_vertices", top_level(about, next)},
                       {"next_vertices_ids", std::move(next)},
                       {"valid", valid},
                       {"params", std::move(params)},
                       {"data", std::move(told)},
                       {"timestamp", core::to_text(x.time)}};
}

value properties_of(const std::string& id) {
  return value::object{{"text_color", ""},
                       {"background_color", ""},
                       {"edited", false},
                       {"source", value::object{{"id", id}, {"display_name", id}, {"source", id}}},
                       {"icon", ""},
                       {"allow_markdown", false},
                       {"positive_feedback", nullptr},
                       {"state", "complete"},
                       {"targets", value::list{}}};
}

/// A message of a chat.
value message_from(const flow_about& about, const event& x, std::string text, bool is_user) {
  auto vertex = text_at(x.data, "vertex");
  return value::object{{"text", std::move(text)},
                       {"sender", is_user ? "User" : "Machine"},
                       {"sender_name", is_user ? "User" : "AI"},
                       {"session_id", about.session},
                       {"flow_id", about.flow_id},
                       {"id", to_string(x.job) + "/" + vertex},
                       {"files", value::list{}},
                       {"timestamp", clock_text(core::to_text(x.time))},
                       {"properties", properties_of(vertex)},
                       {"content_blocks", value::list{}},
                       {"category", "message"},
                       {"error", false},
                       {"edit", false}};
}

/// What a chat shows of an input or output.
std::string message_of(const flow_about& about, const event& x) {
  auto vertex = text_at(x.data, "vertex");
  auto is_user = graph_json::is_chat_input(vertex);
  auto output = x.data.find("output");
  if (!output || text_at(x.data, "state") != "succeeded"
      || (!is_user && !graph_json::is_chat_output(vertex)))
    return {};
  auto said = output->find("message");
  auto is_said = said && !said->is_null();
  auto text = !is_said ? "" : said->string() ? *said->string() : graph_json::to_json(*said);
  return envelope("add_message", message_from(about, x, std::move(text), is_user));
}

/// A message that a component has made: what it says, in place of what a chat output would.
value message_said(const flow_about& about, const event& x, const value& said) {
  auto message = message_from(about, x, text_at(said, "text"), false);
  for (std::string_view key : {"sender", "sender_name", "id", "files", "properties",
                               "content_blocks", "category", "error", "edit"})
    if (auto own = said.find(key); own && own->kind() == message.find(key)->kind())
      message[key] = *own;
  return message;
}

/// A worker tells an event of its own by a `progress` whose text is one: of the components that it
/// runs as tools, and of messages.
std::string said_text(const flow_about& about, const event& x) {
  auto text = text_at(x.data, "text");
  auto said = text.starts_with('{') ? graph_json::parse_value(text) : ec::invalid_spec;
  auto data = said ? said->find("data") : nullptr;
  if (!data)
    return {};
  auto type = text_at(*said, "event");
  if (type == "add_message" && data->find("text"))
    return envelope(type, message_said(about, x, *data));
  auto id = text_at(*data, "id");
  auto names_one = type == "build_start" || type == "build_end" || type == "remove_message";
  return names_one && !id.empty() ? envelope(type, value::object{{"id", id}}) : "";
}

/// What the job was told while it ran.
std::string told_text(const flow_about& about, const event& x) {
  auto message = message_from(about, x, text_at(x.data, "text"), true);
  message["id"] = to_string(x.job) + "/message-" + std::to_string(x.id);
  return envelope("add_message", message);
}

/// Whether an attempt ended here without the vertex having ended.
bool is_last_word(const event& x) { return text_at(x.data, "state") != "backoff"; }

bool is_skipped(const event& x) {
  return x.type == "end_vertex" && text_at(x.data, "state") == "skipped";
}

/// Of a vertex that has ended, and was not skipped.
std::string vertex_text(const flow_about& about, const event& x, value::list skipped) {
  return message_of(about, x)
         + envelope("end_vertex",
                    value::object{{"build_data", built(about, x, std::move(skipped))}});
}

std::string token_text(const event& x) {
  return envelope("token", value::object{{"chunk", text_at(x.data, "text")},
                                         {"id", to_string(x.job) + "/" + text_at(x.data, "vertex")},
                                         {"timestamp", clock_text(core::to_text(x.time))}});
}

/// Of all events but `end_vertex`.
std::string text_of(const flow_about& about, const event& x) {
  if (x.type == "end")
    return envelope("end", value::object{});
  if (x.type == "error")
    return flow_error(about, about.broken.empty() ? text_at(x.data, "detail") : about.broken,
                      core::to_text(x.time));
  if (!about.broken.empty())
    return {};
  if (x.type == "vertices_sorted")
    return envelope("vertices_sorted", value::object{{"ids", about.first}, {"to_run", about.all}});
  if (about.nothing)
    return {};
  if (x.type == "progress")
    return said_text(about, x);
  if (x.type == "add_message")
    return told_text(about, x);
  return x.type == "token" ? token_text(x) : "";
}

} // namespace

void flow_about::take(const graph_spec& graph) {
  if (nothing)
    return;
  std::set<std::string_view> led_to;
  for (auto& e : graph.edges)
    led_to.insert(e.to);
  for (auto& v : graph.vertices) {
    all.emplace_back(v.id);
    if (!led_to.contains(v.id))
      first.emplace_back(v.id);
    if (auto group = graph_json::group_of(v); !group.empty())
      groups.emplace(v.id, std::move(group));
  }
  std::set<std::string_view> told;
  for (auto& [vertex, group] : groups)
    if (told.insert(group).second)
      all.emplace_back(group);
}

std::string flow_teller::tell(std::span<const event> events) {
  std::string all;
  for (auto& x : events) {
    next_ = x.id + 1;
    if (ended_ && is_skipped(x)) {
      skipped_.emplace_back(text_at(x.data, "vertex"));
      continue;
    }
    all += rest();
    if (x.type != "end_vertex")
      all += text_of(about_, x);
    else if (about_.broken.empty() && !about_.nothing && !is_skipped(x) && is_last_word(x))
      ended_ = x;
  }
  return all;
}

std::string flow_teller::rest() {
  if (!ended_)
    return {};
  auto x = *std::exchange(ended_, {});
  return vertex_text(about_, x, std::exchange(skipped_, {}));
}

std::string flow_text(const flow_about& about, std::span<const event> events) {
  flow_teller all{about};
  auto text = all.tell(events);
  return text + all.rest();
}

std::string flow_error(const flow_about& about, const std::string& text, std::string_view time) {
  value content = value::object{{"type", "error"}, {"component", nullptr}, {"field", nullptr},
                                {"reason", text},  {"solution", nullptr},  {"traceback", ""}};
  return envelope("error",
                  value::object{{"properties", properties_of("Error")},
                                {"sender_name", "User"},
                                {"content_blocks",
                                 value::list{value::object{{"title", "Error"},
                                                           {"contents", value::list{content}}}}},
                                {"format_type", "error"},
                                {"files", nullptr},
                                {"text", text + "\n"},
                                {"timestamp", clock_text(time)},
                                {"id", nullptr},
                                {"category", "error"},
                                {"session_id", about.session},
                                {"error", false},
                                {"edit", false},
                                {"flow_id", about.flow_id},
                                {"sender", "User"},
                                {"background_color", "#FF0000"},
                                {"text_color", "#FFFFFF"},
                                {"allow_markdown", false}});
}

} // namespace troupe::http
