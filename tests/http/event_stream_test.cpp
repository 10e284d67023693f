#include "node/http/event_stream.hpp"

#include "tests/support/http_node.hpp"

#include <future>
#include <thread>

using namespace troupe;
using namespace troupe::http;

namespace {

constexpr int vertices = 60; ///< More events than a stream reads at once.
constexpr int rounds = 100;
constexpr int looks_at_once = 8; ///< Enough to keep all threads of the pool at it.

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

/// Tells the numbers of events alone.
event_writer numbers() {
  auto text = [](std::span<const event> events) {
    std::string all;
    for (auto& x : events)
      all += std::to_string(x.id) + " ";
    return all;
  };
  return {text, [](std::string_view reason) { return std::string{reason}; }};
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

  /// As a connection that is silent for long; waits for the looks.
  void look_often(event_stream& at) {
    for (int i = 0; i < looks_at_once; ++i)
      at.idle();
    std::promise<void> done;
    node.api->pool.post([&done] { done.set_value(); }, true);
    done.get_future().wait();
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

TEST_CASE_METHOD(fixture, "looks at one stream at once lose none of its events", "[http][events]") {
  std::string all;
  for (std::uint64_t i = 1; i <= last; ++i)
    all += std::to_string(i) + " ";
  for (int round = 0; round < rounds; ++round) {
    auto from = node.node.events(id);
    REQUIRE(from);
    auto looked_at =
        std::make_shared<event_stream>(node.api, *from, numbers(), stream_about{id, 1, last, "r"});
    std::jthread looks{[&](const std::stop_token& stop) {
      while (!stop.stop_requested())
        look_often(*looked_at);
    }};
    std::string told;
    for (auto piece = next_of(*looked_at); !piece.empty(); piece = next_of(*looked_at))
      told += piece;
    REQUIRE(told == all);
  }
}
