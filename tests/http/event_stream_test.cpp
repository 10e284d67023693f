#include "node/http/event_stream.hpp"

#include "tests/support/http_node.hpp"

#include <future>

using namespace troupe;
using namespace troupe::http;

namespace {

constexpr int vertices = 60; ///< More events than a stream reads at once.

std::string many_vertices() {
  std::string all;
  for (int i = 0; i < vertices; ++i)
    all += (i == 0 ? "" : ",") + (R"({"id":"v)" + std::to_string(i)) + R"(","kind":"noop"})";
  return R"({"graph":{"vertices":[)" + all + "]}}";
}

std::string next_of(event_stream& from) {
  std::promise<result<std::string>> promise;
  auto piece = promise.get_future();
  from.next([&](result<std::string> x) { promise.set_value(std::move(x)); });
  REQUIRE(piece.wait_for(tests::http_patience) == std::future_status::ready);
  auto text = piece.get();
  REQUIRE(text);
  return *text;
}

struct fixture {
  std::vector<std::string> cut; ///< Readers that were, as they are told.
  tests::http_node node{tests::http_node::in_memory(), [this](api_parts& parts) {
                          parts.reader_cut = [this](std::string_view request, job_id job) {
                            cut.push_back(std::string{request} + " " + to_string(job));
                          };
                        }};
  job_id id = *parse_job_id(node.ended(many_vertices()));
  std::uint64_t last = node.node.get(id)->events;

  std::shared_ptr<event_stream> stream(event_format how) {
    auto from = node.node.events(id);
    REQUIRE(from);
    return std::make_shared<event_stream>(node.api, *from, writer_of(how, 1),
                                          stream_about{id, 1, last, "r"});
  }
};

} // namespace

TEST_CASE_METHOD(fixture, "a reader whose job is deleted is told what it has not got",
                 "[http][events]") {
  auto sse = stream(event_format::sse), lines = stream(event_format::ndjson);
  auto piece = next_of(*sse);
  next_of(*lines);
  REQUIRE(node.node.remove(id));
  std::uint64_t read = 0;
  for (auto at = piece.rfind("id: "); at != piece.npos; at = piece.rfind("id: ")) {
    read = std::stoull(piece.substr(at + 4)); // A record that was begun is told whole.
    piece = next_of(*sse);
  }
  REQUIRE(read < last);
  auto gap = R"({"data":{"from":)" + std::to_string(read + 1) + R"(,"reason":"retention","to":)"
             + std::to_string(last) + R"(},"event":"gap"})";
  const std::string closing = R"({"data":{"reason":"deleted"},"event":"closing"})";
  CHECK(piece == "event: gap\ndata: " + gap + "\n\nevent: closing\ndata: " + closing + "\n\n");
  CHECK(next_of(*sse).empty());
  for (piece = next_of(*lines); piece.find("\"id\":") != piece.npos;)
    piece = next_of(*lines);
  CHECK(piece == gap + "\n" + closing + "\n");
  CHECK(next_of(*lines).empty());
}

TEST_CASE_METHOD(fixture, "a reader that is cut off is told with its request and job",
                 "[http][events]") {
  stream(event_format::sse)->cut();
  CHECK(cut == std::vector<std::string>{"r " + to_string(id)});
}
