#include "graph_json/langflow.hpp"

#include "core/graph.hpp"
#include "core/kind_catalog.hpp"
#include "graph_json/value_json.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/flows.hpp"

#include <fstream>
#include <map>
#include <set>
#include <sstream>

using namespace troupe;
using namespace troupe::graph_json;
using tests::flow_json;

namespace {

using texts = std::vector<std::string>;

value parsed(const std::string& text) {
  auto x = parse_value(text);
  INFO(text);
  REQUIRE(x);
  return *x;
}

parsed_graph imported(const std::string& text) { return import_langflow(parsed(text)); }

texts faults(const std::string& text) {
  texts all;
  for (auto& x : imported(text).errors)
    all.push_back(x.code + " " + x.pointer);
  return all;
}

texts edges_of(const graph_spec& graph) {
  texts all;
  for (auto& e : graph.edges)
    all.push_back(e.from + ">" + e.to + "." + e.to_port);
  return all;
}

const vertex_spec& vertex(const graph_spec& graph, const std::string& id) {
  for (auto& v : graph.vertices)
    if (v.id == id)
      return v;
  FAIL("no vertex " << id);
  return graph.vertices.front();
}

std::string program_of(const vertex_spec& v) { return *v.config.find("program")->string(); }

} // namespace

TEST_CASE("inputs and outputs of a flow are native, all else is for workers", "[graph_json]") {
  auto flow = imported(tests::chat_flow());
  REQUIRE(flow.errors.empty());
  auto& graph = flow.spec;
  CHECK(edges_of(graph) == texts{"ChatInput-1>Model-1.prompt", "Model-1>ChatOutput-1.input_value"});
  CHECK(vertex(graph, "ChatInput-1").kind == "jq");
  CHECK(program_of(vertex(graph, "ChatInput-1"))
        == R"({"message": (["hello", .job.input_value?] | map(select(. != null)) | last)})");
  auto& model = vertex(graph, "Model-1");
  CHECK(model.kind == "worker");
  CHECK(*model.config.find("task")->string() == "Model");
  auto& argument = model.config.find("arguments")->find("inputs")->items()->front();
  CHECK(*argument.find("field")->string() == "prompt");
  CHECK(*argument.find("output")->string() == "message");
  CHECK(graph.result == texts{"ChatOutput-1"});
  CHECK(*graph.edges[1].when == parsed(R"({"path":"/text","exists":true})"));
  CHECK(core::check(graph, core::builtin_kinds()).empty());
}

TEST_CASE("text of a flow cannot become a program", "[graph_json]") {
  auto text = R"("input_value":{"value":"\\(error) \" | halt"})";
  auto flow = imported(flow_json({{"TextInput-1", "text", text}}, {}));
  CHECK(program_of(flow.spec.vertices[0]) == R"({"text": "\\(error) \" | halt"})");
}

TEST_CASE("fields go to the worker, but no code and no secrets", "[graph_json]") {
  auto fields = R"("code":{"value":"import os"},"n":{"value":3},"none":{"value":null},)"
                R"("api_key":{"value":"OPENAI","load_from_db":true,"password":true},)"
                R"("pin":{"value":"1234","password":true})";
  auto flow = imported(flow_json({{"Model-1", "text", fields}}, {}));
  auto& arguments = *flow.spec.vertices[0].config.find("arguments");
  CHECK(*arguments.find("fields") == parsed(R"({"n":3})"));
  CHECK(*arguments.find("variables") == parsed(R"({"api_key":"OPENAI"})"));
}

TEST_CASE("each edge has a port of its own, equal ones count once", "[graph_json]") {
  auto flow = imported(flow_json({{"A-1"}, {"B-1"}, {"C-1"}}, {{"A-1", "message", "C-1", "in"},
                                                               {"B-1", "message", "C-1", "in"},
                                                               {"B-1", "message", "C-1", "in"},
                                                               {"B-1", "message", "C-1", "job"}}));
  CHECK(edges_of(flow.spec) == texts{"A-1>C-1.in", "B-1>C-1.in.2", "B-1>C-1.job.2"});
}

TEST_CASE("a flow with a loop is refused by name", "[graph_json]") {
  std::ifstream in{std::string{TROUPE_SOURCE_DIR}
                   + "/examples/data/langflow/research_translation_loop.json"};
  REQUIRE(in);
  std::ostringstream text;
  text << in.rdbuf();
  auto flow = imported(text.str());
  REQUIRE(flow.errors.size() == 1);
  auto& wrong = flow.errors.front();
  CHECK(wrong.code == "cyclic_flow");
  CHECK(wrong.pointer.starts_with("/data/edges/"));
  for (auto name : {"LoopComponent-GV15E", "ParserComponent-aKcLF", "LanguageModelComponent-ze4nq",
                    "TypeConverterComponent-NClYY"})
    CHECK(wrong.detail.find(name) != wrong.detail.npos);
  CHECK(wrong.detail.find("ChatInput") == wrong.detail.npos);
  CHECK(flow.spec.name == "Research_Translation_Loop");
  CHECK(flow.spec.vertices.size() == 7); // The note is none.
  CHECK(flow.spec.edges.size() == 7);
}

TEST_CASE("a group becomes what is in it", "[graph_json]") {
  auto inner = flow_json({{"A-1"}, {"B-1"}}, {{"A-1", "message", "B-1", "in"}});
  auto text = R"({"nodes":[{"id":"Group-1","data":{"id":"Group-1","node":{"flow":{"data":)" + inner
              + "}}}}," + tests::node_json({"In-1"}) + "," + tests::node_json({"Out-1"})
              + R"(],"edges":[{"source":"In-1","target":"Group-1","data":{"sourceHandle":)"
              + R"({"name":"message"},"targetHandle":{"fieldName":"x","proxy":{"id":"A-1",)"
              + R"("field":"text"}}}},)" + tests::edge_json({"Group-1", "message", "Out-1", "in"})
              + "]}";
  auto flow = imported(text);
  CHECK(flow.errors.empty());
  CHECK(edges_of(flow.spec) == texts{"In-1>A-1.text", "A-1>B-1.in", "B-1>Out-1.in"});
  texts groups;
  for (auto& v : flow.spec.vertices)
    groups.push_back(v.id + ":" + group_of(v));
  CHECK(groups == texts{"A-1:Group-1", "B-1:Group-1", "In-1:", "Out-1:"});
}

TEST_CASE("inputs and outputs are in their groups, too", "[graph_json]") {
  auto in = [](const std::string& group, const std::string& nodes) {
    return R"({"id":)" + group + R"(,"data":{"id":)" + group + R"(,"node":{"flow":{"data":)"
           + R"({"nodes":[)" + nodes + R"(],"edges":[]}}}}})";
  };
  auto input = tests::node_json({"TextInput-1"});
  auto output = tests::node_json({"ChatOutput-1"});
  auto chat = tests::node_json({"ChatInput-1"});
  auto flow =
      imported(R"({"nodes":[)" + in(R"("now \"# group\"\n")", input) + ","
               + in(R"("Group-1")", in(R"("Inner-1")", output)) + "," + chat + R"(],"edges":[]})");
  CHECK(flow.errors.empty());
  std::map<std::string, std::string> groups;
  for (auto& v : flow.spec.vertices) {
    groups[v.id] = group_of(v);
    CHECK(core::jq_is_pure(*v.config.find("program")->string()));
  }
  CHECK(groups
        == std::map<std::string, std::string>{{"TextInput-1", "now \"# group\"\n"},
                                              {"ChatOutput-1", "Group-1"},
                                              {"ChatInput-1", ""}});
}

TEST_CASE("a flow is cut at what its own ids name", "[graph_json]") {
  auto inner = flow_json({{"Text Input-1"}, {"Text_Input-1"}, {"My Model-1"}},
                         {{"Text Input-1", "message", "My Model-1", "x"}});
  auto outer = R"({"nodes":[{"id":"the group","data":{"id":"the group","node":{"flow":{"data":)"
               + inner + "}}}}," + tests::node_json({"ChatOutput-1"}) + ","
               + tests::node_json({"TextInput-\u00e4"}) + R"(],"edges":[]})";
  auto flow = imported(outer);
  REQUIRE(flow.errors.empty());
  auto up_to = [&](const std::string& id) {
    auto part = part_of(flow.spec, "", id);
    std::set<std::string> all;
    for (auto& v : part ? part->vertices : std::vector<vertex_spec>{})
      all.insert(v.id);
    return all;
  };
  using names = std::set<std::string>;
  const names group{"Text_Input-1", "Text_Input-1_2", "My_Model-1"};
  CHECK(up_to("Text_Input-1") == names{"Text_Input-1"});
  CHECK(up_to("Text Input-1") == names{"Text_Input-1_2"});
  CHECK(up_to("Text_Input-1_2") == names{"Text_Input-1_2"}); // As events name it.
  CHECK(up_to("My Model-1") == names{"Text_Input-1_2", "My_Model-1"});
  CHECK(up_to("My_Model-1") == up_to("My Model-1"));
  CHECK(up_to("TextInput-\u00e4") == names{"TextInput-__"});
  CHECK(up_to("the group") == group);
  CHECK(up_to("the_group").empty());
  CHECK(up_to("nobody").empty());
}

TEST_CASE("handles written as text are read", "[graph_json]") {
  auto text = R"({"nodes":[)" + tests::node_json({"A-1"}) + "," + tests::node_json({"B-1"})
              + R"(],"edges":[{"source":"A-1","target":"B-1",)"
              + R"("sourceHandle":"{œnameœ: œmessageœ}","targetHandle":"{œfieldNameœ: œxœ}"}]})";
  CHECK(edges_of(imported(text).spec) == texts{"A-1>B-1.x"});
}

TEST_CASE("all that is wrong with a flow is told", "[graph_json]") {
  CHECK(faults("{}") == texts{"not_langflow "});
  CHECK(faults("3") == texts{"not_langflow "});
  CHECK(faults(R"({"data":{"nodes":[]}})") == texts{"missing_key /data"});
  CHECK(faults(R"({"nodes":{},"edges":[]})") == texts{"wrong_type /nodes"});
  CHECK(faults(flow_json({{"A-1"}, {"A-1"}}, {})) == texts{"duplicate_component /nodes/1"});
  CHECK(faults(flow_json({{"A-1"}}, {{"A-1", "m", "B-1", "x"}}))
        == texts{"unknown_component /edges/0"});
  CHECK(faults(flow_json({{"A-1"}, {"B-1"}}, {{"A-1", "m", "B-1", ""}}))
        == texts{"bad_handle /edges/0"});
  auto mismatch = R"({"nodes":[)" + tests::node_json({"A-1"}) + "," + tests::node_json({"B-1"})
                  + R"(],"edges":[{"source":"A-1","target":"B-1","data":{"sourceHandle":)"
                  + R"({"name":"m","output_types":["Data"]},"targetHandle":{"fieldName":"llm",)"
                  + R"("inputTypes":["LanguageModel"],"type":"other"}}}]})";
  CHECK(faults(mismatch) == texts{"bad_handle /edges/0"});
}

TEST_CASE("a flow can be cut at both ends", "[graph_json]") {
  auto graph =
      imported(flow_json({{"A-1"}, {"B-1"}, {"C-1"}, {"D-1"}}, {{"A-1", "message", "B-1", "x"},
                                                                {"B-1", "message", "C-1", "y"},
                                                                {"D-1", "message", "C-1", "z"}}))
          .spec;
  auto ids = [](const std::optional<graph_spec>& x) {
    texts all;
    for (auto& v : x ? x->vertices : std::vector<vertex_spec>{})
      all.push_back(v.id);
    return all;
  };
  CHECK(ids(part_of(graph, "", "B-1")) == texts{"A-1", "B-1"});
  CHECK(ids(part_of(graph, "B-1", "")) == texts{"A-1", "B-1", "C-1", "D-1"});
  CHECK(ids(part_of(graph, "D-1", "")) == texts{"A-1", "B-1", "C-1", "D-1"});
  CHECK(ids(part_of(graph, "A-1", "B-1")) == texts{"A-1", "B-1"});
  CHECK_FALSE(part_of(graph, "zzz", ""));
  CHECK_FALSE(part_of(graph, "D-1", "B-1"));
  auto cut = part_of(graph, "", "B-1");
  CHECK(core::check(*cut, core::builtin_kinds()).empty());
}
