#include "node/http/flow_events.hpp"
#include "node/http/flow_poll.hpp"
#include "tests/support/flows.hpp"
#include "tests/support/http_node.hpp"

#include <fstream>
#include <latch>
#include <map>
#include <memory>
#include <set>
#include <sstream>

using namespace troupe;
using tests::http_node;
using tests::http_reply;

namespace {

const std::string build = "/api/v1/build/";
const std::string nobody = build + "0198c0de-0000-7000-8000-000000000001";
using texts = std::vector<std::string>;

/// The events of a stream or poll: each with an empty line behind it.
std::vector<value> events_in(const std::string& text) {
  std::vector<value> all;
  for (std::size_t at = 0; at < text.size();) {
    auto end = text.find("\n\n", at);
    REQUIRE(end != text.npos);
    auto parsed = graph_json::parse_value(text.substr(at, end - at));
    REQUIRE(parsed);
    CHECK(parsed->members()->size() == 2);
    all.push_back(*parsed);
    at = end + 2;
  }
  return all;
}

texts types_in(const std::string& text) {
  texts all;
  for (auto& x : events_in(text))
    all.push_back(*x.find("event")->string());
  return all;
}

const value& data_of(const value& x) { return *x.find("data"); }

std::string text_of(const value& x, std::string_view key) {
  auto found = x.find(key);
  return found && found->string() ? *found->string() : "";
}

struct flow_node_fixture : http_node {
  std::string start(const std::string& body, const std::string& query = "") {
    auto made = ask("POST", build + "flow-1/flow" + query, body);
    INFO(made.body);
    REQUIRE(made.status == 200);
    return made.text("job_id");
  }
  /// Runs one vertex as a worker.
  void work(const std::string& output) {
    auto got = ask("POST", "/v1/work:fetch", R"({"wait":"30s"})").json();
    auto& item = got.find("work")->items()->at(0);
    auto done = ask("POST", "/v1/work:complete",
                    R"({"token":")" + text_of(item, "token") + R"(","output":)" + output + "}");
    REQUIRE(done.status == 204);
  }
};

const std::string chat =
    R"({"data":)" + tests::chat_flow() + R"(,"inputs":{"input_value":"hi","session":"s1"}})";

} // namespace

TEST_CASE_METHOD(flow_node_fixture, "a flow streams its events in the old shapes, to one end",
                 "[http][flows]") {
  auto id = start(chat);
  work(R"({"text":"hello to you"})");
  auto got = ask("GET", build + id + "/events");
  CHECK(got.status == 200);
  CHECK(got.fields["content-type"] == "application/x-ndjson");
  CHECK(types_in(got.body)
        == texts{"vertices_sorted", "add_message", "end_vertex", "end_vertex", "add_message",
                 "end_vertex", "end"});
  CHECK(got.body.starts_with(R"({"event": "vertices_sorted", "data": {)"));
  auto events = events_in(got.body);
  CHECK(*data_of(events[0]).find("ids") == value{value::list{"ChatInput-1"}});
  CHECK(*data_of(events[0]).find("to_run")
        == value{value::list{"ChatInput-1", "Model-1", "ChatOutput-1"}});
  CHECK(text_of(data_of(events[1]), "text") == "hi");
  CHECK(text_of(data_of(events[1]), "session_id") == "s1");
  CHECK(text_of(data_of(events[1]), "flow_id") == "flow-1");
  auto& model = *data_of(events[3]).find("build_data");
  CHECK(text_of(model, "id") == "Model-1");
  CHECK(*model.find("valid")->boolean());
  CHECK(*model.find("next_vertices_ids") == value{value::list{"ChatOutput-1"}});
  CHECK(*model.find("data")->find("outputs")->find("text")
        == value{value::object{{"message", "hello to you"}, {"type", "text"}}});
  CHECK(text_of(data_of(events[4]), "sender") == "Machine");
  CHECK(data_of(events[6]) == value{value::object{}});
  CHECK(ask("GET", build + id + "/events").body == got.body); // Again, and for others, the same.
}

TEST_CASE_METHOD(flow_node_fixture, "polls give each event once, then nothing", "[http][flows]") {
  auto id = start(chat, "?event_delivery=polling");
  work(R"({"text":"x"})");
  texts seen;
  while (seen.empty() || seen.back() != "end") {
    auto got = ask("GET", build + id + "/events?event_delivery=polling");
    REQUIRE(got.status == 200);
    for (auto& type : types_in(got.body))
      seen.push_back(type);
  }
  CHECK(seen.size() == 7);
  auto after = ask("GET", build + id + "/events?event_delivery=polling");
  CHECK(after.status == 200);
  CHECK(after.body.empty());
}

TEST_CASE_METHOD(flow_node_fixture, "polls of one flow at once share its events", "[http][flows]") {
  auto id = start(R"({"data":)" + tests::flow_json({{"ChatInput-1"}}, {}) + "}");
  const std::string target = build + id + "/events";
  auto whole = types_in(ask("GET", target).body);
  std::latch held{1};
  for (unsigned i = 0; i < limits::http_work_threads; ++i)
    REQUIRE(api->pool.post([&] { held.wait(); }));
  std::vector<std::unique_ptr<tests::http_client>> readers;
  for (int i = 0; i < 3; ++i) {
    auto& x = readers.emplace_back(std::make_unique<tests::http_client>(server->port()));
    x->send(x->text_of("GET", target + "?event_delivery=polling"));
  }
  auto all_wait = eventually([&] { return api->pool.waiting().tasks >= 3; });
  held.count_down();
  REQUIRE(all_wait);
  texts seen;
  for (auto& x : readers) {
    auto got = x->read();
    CHECK(got.status == 200);
    for (auto& type : types_in(got.body))
      seen.push_back(type);
  }
  CHECK(seen == whole);
}

TEST_CASE("a place in a flow's events moves on from where it is only", "[http][flows]") {
  http::flow_places x;
  job_id job{1, 2};
  CHECK(x.of(job) == 1);
  CHECK_FALSE(x.move(job, 2, 9));
  CHECK(x.move(job, 1, 5));
  CHECK_FALSE(x.move(job, 1, 3));
  CHECK(x.of(job) == 5);
  CHECK(x.move(job, 5, 6));
  CHECK(x.of(job) == 6);
}

TEST_CASE_METHOD(flow_node_fixture, "a branch that is not taken is told whole, however it is read",
                 "[http][flows]") {
  constexpr std::size_t leaves = 150; // More than a stream reads at once.
  std::string nodes = tests::node_json({"Router-1", "yes"}), edges;
  for (std::size_t i = 0; i < leaves; ++i) {
    auto leaf = "Leaf-" + std::to_string(i);
    nodes += "," + tests::node_json({leaf});
    edges += (i == 0 ? "" : ",") + tests::edge_json({"Router-1", "no", leaf, "x"});
  }
  auto id = start(R"({"data":{"nodes":[)" + nodes + R"(],"edges":[)" + edges + "]}}");
  work(R"({"yes":1})");
  auto inactivated = [](const std::string& text) {
    for (auto& x : events_in(text))
      if (auto built = data_of(x).find("build_data"))
        return built->find("inactivated_vertices")->items()->size();
    return std::size_t{0};
  };
  auto streamed = ask("GET", build + id + "/events").body;
  CHECK(inactivated(streamed) == leaves);
  CHECK(types_in(streamed) == texts{"vertices_sorted", "end_vertex", "end"});
  std::string polled;
  while (!polled.ends_with("{\"event\": \"end\", \"data\": {}}\n\n")) {
    auto got = ask("GET", build + id + "/events?event_delivery=polling");
    REQUIRE_FALSE(got.body.empty());
    polled += got.body;
  }
  CHECK(polled == streamed);
}

TEST_CASE("a flow is told the same wherever its events are cut", "[http][flows]") {
  std::vector<event> all;
  auto add = [&](std::string_view type, value::object data) {
    event x;
    x.id = all.size() + 1;
    x.type = type;
    x.data = std::move(data);
    all.push_back(std::move(x));
  };
  auto ends = [&](std::string vertex, std::string state) {
    add("end_vertex", {{"vertex", std::move(vertex)}, {"state", std::move(state)}});
  };
  add("vertices_sorted", {});
  ends("Router-1", "backoff");
  ends("Router-1", "succeeded");
  for (auto leaf : {"A", "B", "C"})
    ends(leaf, "skipped");
  add("vertex_start", {{"vertex", "D"}});
  ends("D", "succeeded");
  ends("E", "succeeded");
  ends("F", "skipped");
  add("end", {});
  auto whole = http::flow_text({}, all);
  CHECK_THAT(whole, Catch::Contains(R"("inactivated_vertices":["A","B","C"])"));
  for (std::size_t a = 0; a <= all.size(); ++a)
    for (std::size_t b = a; b <= all.size(); ++b) {
      http::flow_teller x{{}};
      std::span<const event> from{all};
      auto text = x.tell(from.first(a));
      text += x.tell(from.subspan(a, b - a));
      text += x.tell(from.subspan(b));
      CHECK(text + x.rest() == whole);
      CHECK_FALSE(x.holds_back());
      CHECK(x.next() == all.size() + 1);
    }
  http::flow_teller x{{}};
  x.tell(std::span{all}.first(4));
  CHECK(x.holds_back());
  CHECK(x.next() == 3); // Where another reader would go on.
}

TEST_CASE_METHOD(flow_node_fixture, "direct delivery is the answer itself", "[http][flows]") {
  http_node& node = *this;
  tests::http_client worker{node.server->port()};
  client.send(client.text_of("POST", build + "f/flow?event_delivery=direct", chat));
  auto got = worker.ask("POST", "/v1/work:fetch", R"({"wait":"30s"})").json();
  auto token = text_of(got.find("work")->items()->at(0), "token");
  worker.ask("POST", "/v1/work:complete", R"({"token":")" + token + R"(","output":{"text":"x"}})");
  auto answer = client.read();
  CHECK(answer.status == 200);
  CHECK(types_in(answer.body).back() == "end");
}

TEST_CASE_METHOD(flow_node_fixture, "a component that fails does not fail the flow",
                 "[http][flows]") {
  auto flow = tests::flow_json({{"Bad-1"}, {"Next-1"}, {"ChatInput-1"}},
                               {{"Bad-1", "message", "Next-1", "x"}});
  auto id = start(R"({"data":)" + flow + "}");
  auto got = ask("POST", "/v1/work:fetch", R"({"wait":"30s"})").json();
  auto token = text_of(got.find("work")->items()->at(0), "token");
  ask("POST", "/v1/work:fail",
      R"({"token":")" + token + R"(","error":{"code":"no","detail":"no model"}})");
  auto events = events_in(ask("GET", build + id + "/events").body);
  auto bad = std::ranges::find_if(events, [](auto& x) {
    auto built = data_of(x).find("build_data");
    return built && text_of(*built, "id") == "Bad-1";
  });
  REQUIRE(bad != events.end());
  auto& told = *data_of(*bad).find("build_data");
  CHECK_FALSE(*told.find("valid")->boolean());
  CHECK(text_of(told, "params") == "no model");
  CHECK(*told.find("inactivated_vertices") == value{value::list{"Next-1"}});
  CHECK(told.find("data")->find("outputs")->find("output"));
  CHECK(text_of(events.back(), "event") == "end");
}

TEST_CASE_METHOD(flow_node_fixture, "a flow with a loop says so, and ends", "[http][flows]") {
  std::ifstream in{std::string{TROUPE_SOURCE_DIR}
                   + "/examples/data/langflow/research_translation_loop.json"};
  std::ostringstream flow;
  flow << in.rdbuf();
  auto data = graph_json::parse_value(flow.str());
  REQUIRE(data);
  auto id = start(R"({"data":)" + graph_json::to_json(*data->find("data")) + "}");
  auto got = ask("GET", build + id + "/events").body;
  CHECK(types_in(got) == texts{"error", "end"});
  auto error = data_of(events_in(got).front());
  CHECK(text_of(error, "text").find("loop") != std::string::npos);
  CHECK(text_of(error, "text").find("LoopComponent-GV15E") != std::string::npos);
  CHECK(text_of(error, "category") == "error");
  CHECK(error.find("content_blocks")->items()->size() == 1);
}

TEST_CASE_METHOD(flow_node_fixture, "a flow runs from and up to what is asked for",
                 "[http][flows]") {
  auto id = start(chat, "?stop_component_id=ChatInput-1");
  CHECK(types_in(ask("GET", build + id + "/events").body)
        == texts{"vertices_sorted", "add_message", "end_vertex", "end"});
}

TEST_CASE_METHOD(flow_node_fixture, "a flow is cut at ids that are no names, and at groups",
                 "[http][flows]") {
  auto flow = R"({"data":{"nodes":[{"id":"Group-1","data":{"id":"Group-1","node":{"flow":{"data":)"
              + tests::flow_json({{"TextInput-1"}, {"TextInput-2"}}, {}) + "}}}},"
              + tests::node_json({"TextInput-a b"}) + "," + tests::node_json({"TextInput-3"})
              + R"(],"edges":[]}})";
  auto run = [&](const std::string& query) {
    auto events = events_in(ask("GET", build + start(flow, query) + "/events").body);
    return *data_of(events[0]).find("to_run");
  };
  const value none = value::list{"TextInput-a_b"};
  CHECK(run("?start_component_id=TextInput-a%20b") == none);
  CHECK(run("?stop_component_id=TextInput-a%20b") == none);
  const value all = value::list{"TextInput-1", "TextInput-2", "Group-1"};
  CHECK(run("?start_component_id=Group-1") == all);
  CHECK(run("?stop_component_id=Group-1") == all);
}

TEST_CASE_METHOD(flow_node_fixture, "inputs and outputs take false for a value, and null for none",
                 "[http][flows]") {
  auto flow = R"({"data":)"
              + tests::flow_json(
                  {{"Model-1", "out"},
                   {"TextOutput-1", "text", R"("input_value":{"value":"dflt"})"},
                   {"ChatInput-1", "message", R"("input_value":{"value":"flow"})"}},
                  {{"Model-1", "out", "TextOutput-1", "x"}, {"Model-1", "out", "ChatInput-1", "y"}})
              + R"(,"inputs":{"input_value":"asked"}})";
  auto results = [&](const std::string& output) {
    auto id = start(flow);
    work(R"({"out":)" + output + "}");
    std::map<std::string, value> all;
    for (auto& x : events_in(ask("GET", build + id + "/events").body))
      if (auto built = data_of(x).find("build_data"))
        all[text_of(*built, "id")] = *built->find("data")->find("results");
    return std::pair{all["TextOutput-1"], all["ChatInput-1"]};
  };
  auto of = [](const value& text, const value& message) {
    return std::pair{value{value::object{{"text", text}}},
                     value{value::object{{"message", message}}}};
  };
  CHECK(results("false") == of(false, false));
  CHECK(results("null") == of("dflt", "asked"));
  CHECK(results("7") == of(7, 7));
}

TEST_CASE_METHOD(flow_node_fixture, "an input without a value says nothing", "[http][flows]") {
  auto id = start(R"({"data":)" + tests::flow_json({{"ChatInput-1"}}, {}) + "}");
  auto said = events_in(ask("GET", build + id + "/events").body).at(1);
  REQUIRE(text_of(said, "event") == "add_message");
  CHECK(*data_of(said).find("text") == value{""});
}

TEST_CASE_METHOD(flow_node_fixture, "a repeated direct build tells that it is one",
                 "[http][flows]") {
  const std::string flow = R"({"data":)" + tests::flow_json({{"TextInput-1"}}, {}) + "}";
  auto ask_direct = [&] {
    return ask("POST", build + "f/flow?event_delivery=direct", flow, "Idempotency-Key: again\r\n");
  };
  auto first = ask_direct();
  auto second = ask_direct();
  CHECK_FALSE(first.fields.contains("idempotency-replayed"));
  CHECK(second.fields["idempotency-replayed"] == "true");
  CHECK(second.body == first.body);
}

TEST_CASE_METHOD(flow_node_fixture, "a cancelled flow ends its streams", "[http][flows]") {
  auto id = start(chat);
  tests::http_client reader{server->port()};
  reader.send(reader.text_of("GET", build + id + "/events"));
  CHECK(reader.read_head().status == 200);
  auto cancelled = ask("POST", build + id + "/cancel");
  CHECK(cancelled.status == 200);
  CHECK(*cancelled.json().find("success")->boolean());
  CHECK(cancelled.text("message") == "Flow build cancelled successfully");
  std::string all, piece;
  while (reader.read_chunk(piece) && !piece.empty())
    all += piece;
  CHECK(types_in(all).back() == "end");
  CHECK(ask("POST", build + id + "/cancel").status == 200);
  CHECK(ask("GET", "/v1/jobs/" + id).text("state") == "cancelled");
}

TEST_CASE_METHOD(flow_node_fixture, "only a client that waits can have a flow cancelled by going",
                 "[http][flows]") {
  auto id = start(chat);
  const std::string cancel = "&on_disconnect=cancel", events = build + id + "/events";
  for (auto how : {"polling", "streaming"}) {
    auto built = ask("POST", build + "f/flow?event_delivery=" + how + cancel, chat);
    CHECK(built.status == 400);
    CHECK_THAT(built.text("detail"), Catch::Contains("`event_delivery=direct`"));
  }
  auto polled = ask("GET", events + "?event_delivery=polling" + cancel);
  CHECK(polled.status == 400);
  CHECK_THAT(polled.text("detail"), Catch::Contains("`event_delivery=streaming`"));
  CHECK(ask("GET", "/v1/jobs").json().find("jobs")->items()->size() == 1);
  CHECK(ask("GET", events + "?event_delivery=polling&on_disconnect=detach").status == 200);
  {
    tests::http_client direct{server->port()};
    direct.send(direct.text_of("POST", build + "g/flow?event_delivery=direct" + cancel, chat));
    CHECK(direct.read_head().status == 200);
    tests::http_client reader{server->port()};
    reader.send(reader.text_of("GET", events + "?event_delivery=streaming" + cancel));
    CHECK(reader.read_head().status == 200);
  }
  CHECK(eventually([&] {
    return ask("GET", "/v1/jobs?state=cancelled").json().find("jobs")->items()->size() == 2;
  }));
}

TEST_CASE_METHOD(flow_node_fixture, "what is in groups is told with them", "[http][flows]") {
  auto inner = tests::flow_json({{"A-1"}, {"B-1"}}, {{"A-1", "message", "B-1", "in"}});
  auto group = [](const std::string& id, const std::string& flow) {
    return R"({"id":")" + id + R"(","data":{"id":")" + id + R"(","node":{"flow":{"data":)" + flow
           + "}}}}";
  };
  auto outer = group("Outer-1", R"({"nodes":[)" + group("Inner-1", inner) + R"(],"edges":[]})");
  auto flow = R"({"nodes":[)" + outer + "," + tests::node_json({"C-1"}) + R"(],"edges":[)"
              + tests::edge_json({"A-1", "message", "C-1", "x"}) + "]}";
  auto id = start(R"({"data":)" + flow + "}");
  for (int i = 0; i < 3; ++i)
    work(R"({"message":1})");
  auto events = events_in(ask("GET", build + id + "/events").body);
  CHECK(*data_of(events[0]).find("ids") == value{value::list{"A-1"}});
  CHECK(*data_of(events[0]).find("to_run") == value{value::list{"A-1", "B-1", "C-1", "Outer-1"}});
  auto& first = *data_of(events[1]).find("build_data");
  CHECK(*first.find("next_vertices_ids") == value{value::list{"B-1", "C-1"}});
  CHECK(*first.find("top_level_vertices") == value{value::list{"Outer-1", "C-1"}});
}

TEST_CASE_METHOD(flow_node_fixture, "an input in a group runs, and is told with it",
                 "[http][flows]") {
  auto flow = R"({"nodes":[{"id":"Group-1","data":{"id":"Group-1","node":{"flow":{"data":)"
              + tests::flow_json({{"ChatInput-1"}}, {}) + R"(}}}}],"edges":[]})";
  auto id = start(R"({"data":)" + flow + R"(,"inputs":{"input_value":"hi"}})");
  auto events = events_in(ask("GET", build + id + "/events").body);
  CHECK(*data_of(events[0]).find("to_run") == value{value::list{"ChatInput-1", "Group-1"}});
  auto end =
      std::ranges::find_if(events, [](auto& x) { return text_of(x, "event") == "end_vertex"; });
  REQUIRE(end != events.end());
  CHECK(*data_of(*end).find("build_data")->find("valid")->boolean());
}

TEST_CASE_METHOD(flow_node_fixture, "a flow in which nothing is to be run ends", "[http][flows]") {
  const std::string empty = R"({"data":{"nodes":[],"edges":[]}})";
  for (auto& [flow, query] : {std::pair{empty, ""},
                              {empty, "?start_component_id=Nobody-1"},
                              {chat, "?start_component_id=Nobody-1"},
                              {chat, "?stop_component_id=Nobody-1"}}) {
    INFO(flow << query);
    auto events = events_in(ask("GET", build + start(flow, query) + "/events").body);
    REQUIRE(events.size() == 2);
    CHECK(text_of(events[0], "event") == "vertices_sorted");
    CHECK(data_of(events[0])
          == value{value::object{{"ids", value::list{}}, {"to_run", value::list{}}}});
    CHECK(text_of(events[1], "event") == "end");
  }
}

TEST_CASE_METHOD(flow_node_fixture, "a registered graph is a flow by its id", "[http][flows]") {
  auto graph = ask("POST", "/v1/graphs", R"({"vertices":[{"id":"a","kind":"noop"}]})").text("id");
  auto made = ask("POST", build + graph + "/flow");
  REQUIRE(made.status == 200);
  CHECK(types_in(ask("GET", build + made.text("job_id") + "/events").body)
        == texts{"vertices_sorted", "end_vertex", "end"});
}

TEST_CASE_METHOD(flow_node_fixture, "bad requests for flows are refused", "[http][flows]") {
  CHECK(ask("POST", build + "x/flow").status == 404);
  CHECK(ask("POST", build + "x/flow").text("detail").starts_with("Flow with id x not found"));
  CHECK(ask("POST", build + "x/flow", "{").status == 400);
  CHECK(ask("POST", build + "x/flow", R"({"inputs":{"odd":1}})").status == 422);
  CHECK(ask("POST", build + "x/flow", R"({"inputs":{"input_value":1}})").status == 422);
  CHECK(ask("POST", build + "x/flow", R"([])").status == 422);
  CHECK(ask("POST", build + "x/flow?event_delivery=odd", chat).text("code") == "bad_query");
  CHECK(ask("POST", build + "x/flow?odd=1", chat).text("code") == "bad_query");
  CHECK(ask("GET", nobody + "/events").status == 404);
  CHECK(ask("GET", nobody + "/events?event_delivery=odd").status == 400);
  CHECK(ask("POST", nobody + "/cancel").status == 404);
  CHECK(ask("GET", build + "x/flow").status == 405);
}

TEST_CASE_METHOD(flow_node_fixture, "a worker tells of its tools and messages", "[http][flows]") {
  auto id = start(R"({"data":)" + tests::flow_json({{"Agent-1"}}, {}) + "}");
  auto got = ask("POST", "/v1/work:fetch", R"({"wait":"30s"})").json();
  auto token = text_of(got.find("work")->items()->at(0), "token");
  int sequence = 0;
  for (std::string text :
       {R"({"event":"build_start","data":{"id":"Search-1","odd":1}})",
        R"({"event":"build_end","data":{"id":"Search-1"}})",
        R"({"event":"add_message","data":{"text":"hm","id":"m1","sender_name":"Agent","edit":7}})",
        R"({"event":"remove_message","data":{"id":"m1"}})", R"({"event":"end","data":{"id":"x"}})",
        R"({"event":"build_end","data":{}})", R"({"event":"build_end"})", "50 %", "{"}) {
    auto body = graph_json::to_json(value::object{
        {"token", token}, {"kind", "progress"}, {"sequence", ++sequence}, {"text", text}});
    REQUIRE(ask("POST", "/v1/work:emit", body).status == 204);
  }
  REQUIRE(ask("POST", "/v1/work:complete", R"({"token":")" + token + R"(","output":{}})").status
          == 204);
  auto events = events_in(ask("GET", build + id + "/events").body);
  texts types;
  for (auto& x : events)
    types.push_back(text_of(x, "event"));
  REQUIRE(types
          == texts{"vertices_sorted", "build_start", "build_end", "add_message", "remove_message",
                   "end_vertex", "end"});
  CHECK(data_of(events[1]) == value{value::object{{"id", "Search-1"}}});
  CHECK(data_of(events[2]) == data_of(events[1]));
  CHECK(text_of(data_of(events[3]), "text") == "hm");
  CHECK(text_of(data_of(events[3]), "id") == "m1");
  CHECK(text_of(data_of(events[3]), "sender_name") == "Agent");
  CHECK(text_of(data_of(events[3]), "flow_id") == "flow-1");
  CHECK(*data_of(events[3]).find("edit") == value{false}); // What is of no use is left out.
  CHECK(data_of(events[4]) == value{value::object{{"id", "m1"}}});
}

TEST_CASE_METHOD(flow_node_fixture, "what a flow is told while it runs is a message of its user",
                 "[http][flows]") {
  auto id = start(R"({"data":)" + tests::flow_json({{"Agent-1"}}, {}) + "}");
  REQUIRE(node.add_message(*parse_job_id(id), "and a taxi"));
  auto got = ask("POST", "/v1/work:fetch", R"({"wait":"30s"})").json();
  auto token = text_of(got.find("work")->items()->at(0), "token");
  REQUIRE(node.add_message(*parse_job_id(id), "at nine"));
  REQUIRE(ask("POST", "/v1/work:complete", R"({"token":")" + token + R"(","output":{}})").status
          == 204);
  std::vector<value> told;
  for (auto& x : events_in(ask("GET", build + id + "/events").body))
    if (text_of(x, "event") == "add_message")
      told.push_back(data_of(x));
  REQUIRE(told.size() == 2);
  CHECK(text_of(told[0], "text") == "and a taxi");
  CHECK(text_of(told[1], "text") == "at nine");
  CHECK(text_of(told[0], "sender") == "User");
  CHECK(text_of(told[0], "flow_id") == "flow-1");
  CHECK(text_of(told[0], "id") != text_of(told[1], "id"));
}

TEST_CASE_METHOD(flow_node_fixture, "what a broken poll took is in the stream", "[http][flows]") {
  auto id = start(R"({"data":)" + tests::flow_json({{"ChatInput-1"}}, {}) + "}");
  REQUIRE(ask("GET", "/v1/jobs/" + id + "/result?wait=60s").status == 200);
  auto poll = "/api/v1/build/" + id + "/events?event_delivery=polling";
  CHECK(types_in(ask("GET", poll).body).back() == "end"); // As if nobody had read it.
  CHECK(ask("GET", poll).body.empty());
  CHECK(types_in(ask("GET", build + id + "/events?event_delivery=streaming").body)
        == texts{"vertices_sorted", "add_message", "end_vertex", "end"});
}

TEST_CASE("long texts and lists are cut in what is told", "[http][flows]") {
  event x;
  x.type = "end_vertex";
  value::list many(1001, value{1});
  x.data = value::object{{"vertex", "a"},
                         {"state", "succeeded"},
                         {"duration_ms", 3400},
                         {"output", value::object{{"t", std::string(7000, 'x')}, {"l", many}}}};
  auto told = events_in(http::flow_text({}, std::span{&x, 1}));
  auto& data = *data_of(told[0]).find("build_data")->find("data");
  CHECK(text_of(*data.find("outputs")->find("t"), "message").size() == 6003);
  CHECK(text_of(data, "duration") == "3.4 seconds");
  auto& items = *data.find("outputs")->find("l")->find("message")->items();
  CHECK(items.size() == 1001);
  CHECK(*items.back().string() == "... [truncated 1 items]");
}

TEST_CASE_METHOD(flow_node_fixture, "a flag of a build is true or false", "[http][flows]") {
  CHECK(ask("POST", build + "f/flow?log_builds=banana", "{}").text("code") == "bad_query");
}
