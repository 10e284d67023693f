#include "storage/sha256.hpp"
#include "tests/support/http_node.hpp"
#include "tests/support/temp_dir.hpp"

#include <atomic>
#include <set>

using namespace troupe;
using tests::http_node;

namespace {

const std::string bytes = "Content-Type: application/octet-stream\r\n";
const std::string nothing = "/v1/blobs/" + std::string(64, '0');

std::string place_of(const std::string& content) {
  return "/v1/blobs/"
         + storage::to_hex(storage::sha256(
             {reinterpret_cast<const std::uint8_t*>(content.data()), content.size()}));
}

std::string pattern(std::size_t size) {
  std::string text(size, 0);
  for (std::size_t i = 0; i < size; ++i)
    text[i] = static_cast<char>(i * 31 + i / 251);
  return text;
}

/// A node that takes blobs of 1 MiB at most.
struct small_node : http_node {
  small_node()
      : http_node(in_memory(), [](http::api_parts& parts) { parts.blob_bytes_max = 1 << 20; }) {}
};

std::size_t count_in(const value& x, std::string_view key) { return x.find(key)->items()->size(); }

} // namespace

TEST_CASE_METHOD(http_node, "a blob comes back as it was sent", "[http][blobs]") {
  for (auto size : {std::size_t{0}, std::size_t{1}, std::size_t{300'000}, std::size_t{5'000'000}}) {
    auto content = pattern(size), place = place_of(content);
    CHECK(ask("PUT", place, content, bytes).status == 201);
    auto again = ask("PUT", place, content, bytes);
    CHECK(again.status == 200);
    CHECK(again.fields["location"] == place);
    auto got = ask("GET", place);
    CHECK(got.status == 200);
    CHECK(got.fields["content-type"] == "application/octet-stream");
    CHECK(got.fields["etag"] == "\"" + place.substr(10) + "\"");
    CHECK((got.body == content));
    auto head = ask("HEAD", place);
    CHECK(head.status == 200);
    CHECK(head.fields["content-length"] == std::to_string(size));
    CHECK(ask("GET", "/livez").status == 200); // The connection is as good as before.
  }
}

TEST_CASE_METHOD(small_node, "what is no blob is refused, and leaves nothing", "[http][blobs]") {
  auto content = pattern(1000);
  auto other = ask("PUT", nothing, content, bytes);
  CHECK(other.status == 422);
  CHECK(other.text("code") == "other_content");
  CHECK(other.text("detail").find(place_of(content).substr(10)) != std::string::npos);
  CHECK(ask("GET", nothing).status == 404);
  CHECK(ask("GET", place_of(content)).text("code") == "no_such_blob");
  CHECK(ask("GET", "/v1/blobs/xyz").status == 404);
  CHECK(ask("GET", nothing + "?x=1").text("code") == "bad_query");
  // What is refused before the body was read ends the connection.
  auto alone = [&](const std::string& method, const std::string& target) {
    return tests::http_client{server->port()}.ask(method, target, content, bytes);
  };
  CHECK(alone("PUT", "/v1/blobs/xyz").status == 404);
  CHECK(alone("PUT", nothing + "?x=1").text("code") == "bad_query");
  CHECK(alone("POST", nothing).status == 405);
}

TEST_CASE_METHOD(small_node, "a blob beyond the limit is refused, told or not", "[http][blobs]") {
  auto content = pattern((1 << 20) + 1), place = place_of(content);
  auto told = ask("PUT", place, content, bytes);
  CHECK(told.status == 413);
  tests::http_client untold{server->port()};
  untold.send("PUT " + place
              + " HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  untold.send("100001\r\n" + content + "\r\n0\r\n\r\n");
  CHECK(untold.read().status == 413);
  tests::http_client next{server->port()};
  CHECK(next.ask("GET", place).status == 404);
}

TEST_CASE_METHOD(http_node, "half a blob leaves nothing", "[http][blobs]") {
  auto content = pattern(200'000), place = place_of(content);
  {
    tests::http_client half{server->port()};
    half.send("PUT " + place + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n");
    half.send(std::string_view{content}.substr(0, 150'000));
  }
  CHECK(ask("GET", place).status == 404);
  CHECK(ask("PUT", place, content, bytes).status == 201);
}

TEST_CASE("a full disk takes no blob, and gives those it has", "[http][blobs]") {
  tests::temp_dir dir;
  runtime_config config;
  config.data_dir = dir.path();
  auto content = pattern(100'000), place = place_of(content);
  {
    http_node node{config};
    CHECK(node.ask("PUT", place, content, bytes).status == 201);
  }
  config.min_free_bytes = std::uint64_t{1} << 60;
  http_node full{config};
  auto more = pattern(1000);
  CHECK(full.ask("PUT", place_of(more), more, bytes).status == 507);
  tests::http_client reader{full.server->port()};
  CHECK((reader.ask("GET", place).body == content));
}

TEST_CASE("what a full disk refuses is counted once, by whichever door it came", "[http][full]") {
  tests::temp_dir dir;
  runtime_config config;
  config.data_dir = dir.path();
  const std::string graph = R"({"name":"g","vertices":[{"id":"a","kind":"noop"}]})";
  const std::string job = R"({"graph":)" + graph + "}";
  {
    http_node node{config};
    node.submit(job);
  }
  struct counting : observer {
    std::atomic<int> told = 0;
    void job_refused(const std::string&, ec why) override { told += why == ec::no_space ? 1 : 0; }
  };
  auto seen = std::make_shared<counting>();
  config.observer = seen;
  config.min_free_bytes = std::uint64_t{1} << 60;
  http_node full{config, [&](http::api_parts& parts) {
                   parts.rejected = [&](std::string_view why) {
                     seen->told += why == "no_space" ? 1 : 0;
                   };
                 }};
  auto other = job; // One that is not stored yet.
  other.replace(other.find("\"g\""), 3, "\"h\"");
  auto large = R"({"input":")" + std::string(100'000, 'x') + "\"," + job.substr(1);
  auto counted = [&](const std::string& method, const std::string& path, const std::string& body,
                     const std::string& fields = {}) {
    auto before = seen->told.load();
    INFO(method << ' ' << path);
    tests::http_client c{full.server->port()}; // A body that is not read ends a connection.
    auto got = c.ask(method, path, body, fields);
    CHECK(got.body.find("\"no_space\"") != std::string::npos);
    return seen->told - before;
  };
  CHECK(counted("POST", "/v1/jobs", job) == 1);   // Refused by its shard,
  CHECK(counted("POST", "/v1/jobs", large) == 1); // by who stores its input,
  CHECK(counted("POST", "/v1/jobs", other) == 1); // and by who stores its graph.
  CHECK(counted("POST", "/v1/graphs", R"({"vertices":[{"id":"b","kind":"noop"}]})") == 1);
  CHECK(counted("PUT", place_of("x"), "x", bytes) == 1);
  const std::string ndjson = "Content-Type: application/x-ndjson\r\n";
  CHECK(counted("POST", "/v1/jobs:batch", job + "\n" + other + "\n", ndjson) == 2);
  CHECK(counted("POST", "/v1/jobs:batch?atomic", job + "\n" + job + "\n", ndjson) == 1);
  CHECK(counted("POST", "/api/tasks/submit",
                R"({"session_id":"s","task_description":"t","llm_profile_name":"p"})")
        == 1);
  CHECK(counted("POST", "/api/v1/build/x/flow", R"({"data":{"nodes":[],"edges":[]}})") == 1);
}

TEST_CASE("a damaged blob is never sent whole", "[http][blobs]") {
  tests::temp_dir dir;
  runtime_config config;
  config.data_dir = dir.path();
  http_node node{config};
  auto content = pattern(100'000), place = place_of(content);
  REQUIRE(node.ask("PUT", place, content, bytes).status == 201);
  auto name = place.substr(10);
  auto file = dir.path() / "blobs" / "0" / name.substr(0, 2) / name;
  REQUIRE(std::filesystem::exists(file));
  std::filesystem::resize_file(file, 99'999);
  std::filesystem::resize_file(file, 100'000);
  CHECK(node.ask("GET", place).body.size() < content.size());
  tests::http_client again{node.server->port()}, part{node.server->port()};
  auto all = again.ask("GET", place, "", "Range: bytes=0-\r\n");
  CHECK(all.status == 206);
  CHECK(all.body.size() < content.size());
  auto behind = part.ask("GET", place, "", "Range: bytes=1-\r\n");
  CHECK(behind.body.size() == 99'999); // A part is not checked.
}

TEST_CASE_METHOD(http_node, "large inputs and results go their way, and can be read as blobs",
                 "[http][blobs]") {
  std::string large(200'000, 'x');
  auto id = ended(R"({"graph":{"vertices":[{"id":"a","kind":"jq","config":{"program":".job"}}]},)"
                  R"("input":")"
                  + large + "\"}");
  auto done = ask("GET", "/v1/jobs/" + id + "/result").json();
  CHECK((*done.find("result")->find("a")->string() == large));
  auto events = ask("GET", "/v1/jobs/" + id + "/events").body;
  auto at = events.find("sha256:");
  REQUIRE(at != events.npos);
  auto place = "/v1/blobs/" + events.substr(at + 7, 64);
  auto value_of_it = ask("GET", place, "", "Accept: application/json\r\n");
  CHECK(value_of_it.status == 200);
  CHECK((*value_of_it.json().string() == large));
  auto raw = pattern(1000);
  REQUIRE(ask("PUT", place_of(raw), raw, bytes).status == 201);
  auto none = ask("GET", place_of(raw), "", "Accept: application/json\r\n");
  CHECK(none.status == 406);
  CHECK(none.text("code") == "not_json");
  CHECK(ask("GET", nothing, "", "Accept: application/json\r\n").status == 404);
}

TEST_CASE_METHOD(http_node, "bytes come where JSON is wanted and there is none, if they may",
                 "[http][blobs]") {
  auto raw = pattern(1000);
  REQUIRE(ask("PUT", place_of(raw), raw, bytes).status == 201);
  for (std::string list : {"application/json, text/plain, */*", "application/json;q=0, */*",
                           "application/octet-stream, application/json", "*/*"}) {
    INFO(list);
    auto got = ask("GET", place_of(raw), "", "Accept: " + list + "\r\n");
    CHECK(got.status == 200);
    CHECK(got.fields["content-type"] == "application/octet-stream");
    CHECK((got.body == raw));
  }
  for (std::string list : {"application/json", "application/json, */*;q=0"})
    CHECK(ask("GET", place_of(raw), "", "Accept: " + list + "\r\n").status == 406);
}

TEST_CASE_METHOD(http_node, "a graph that came as a blob is looked at before it runs",
                 "[http][blobs]") {
  std::string cyclic = R"({"edges":[{"from":"a","to":"a"}],"vertices":[{"id":"a","kind":"noop"}]})";
  std::string exec = R"({"vertices":[{"config":{"argv":["true"]},"id":"a","kind":"exec"}]})";
  for (auto& [graph, status] : {std::pair{cyclic, 422}, {exec, 403}}) {
    auto place = place_of(graph);
    REQUIRE(ask("PUT", place, graph, bytes).status == 201);
    auto body = R"({"graph":")" + place.substr(10) + "\"}";
    CHECK(ask("POST", "/v1/jobs", body).status == status);
    CHECK(ask("POST", "/v1/jobs", body).status == status);
  }
}

TEST_CASE_METHOD(http_node, "a blob that is no graph, or too large a one, is not taken for one",
                 "[http][blobs]") {
  std::string none = R"({"no":"graph"})", large = "{" + std::string(64 << 20, ' ') + "}", many;
  for (std::size_t i = 0; i <= limits::http_graph_vertices_max; ++i)
    many += (i == 0 ? "" : ",") + (R"({"id":"v)" + std::to_string(i)) + R"(","kind":"noop"})";
  many = R"({"vertices":[)" + many + "]}";
  for (auto& [content, code] :
       {std::pair{none, "no_such_graph"}, {large, "too_large"}, {many, "too_large"}}) {
    auto place = place_of(content), id = place.substr(10);
    REQUIRE(ask("PUT", place, content, bytes).status == 201);
    CHECK(ask("POST", "/v1/jobs", R"({"graph":")" + id + "\"}").text("code") == code);
  }
  CHECK(ask("GET", "/v1/graphs/" + place_of(none).substr(10)).text("code") == "no_such_graph");
  CHECK(ask("GET", "/v1/graphs/" + place_of(large).substr(10)).text("code") == "too_large");
}

TEST_CASE_METHOD(http_node, "graphs are listed page by page, other blobs are not",
                 "[http][graphs]") {
  std::set<std::string> made, seen;
  for (int i = 0; i < 5; ++i) {
    auto name = "g" + std::to_string(i);
    auto graph = ask("POST", "/v1/graphs",
                     R"({"name":")" + name + R"(","vertices":[{"id":"a","kind":"noop"}]})");
    made.insert(graph.text("id") + name);
  }
  std::string object = "{\"no\":\"graph\"}", raw = pattern(10);
  REQUIRE(ask("PUT", place_of(object), object, bytes).status == 201);
  REQUIRE(ask("PUT", place_of(raw), raw, bytes).status == 201);
  std::string cursor;
  do {
    auto page = ask("GET", "/v1/graphs?limit=2" + cursor).json();
    CHECK(count_in(page, "graphs") <= 2);
    for (auto& x : *page.find("graphs")->items()) {
      CHECK(*x.find("vertices")->integer() == 1);
      CHECK(seen.insert(*x.find("id")->string() + *x.find("name")->string()).second);
    }
    auto next = page.find("next")->string();
    cursor = next ? "&cursor=" + *next : "";
  } while (!cursor.empty());
  CHECK(seen == made);
  CHECK(ask("GET", "/v1/graphs?cursor=x").text("code") == "bad_query");
  CHECK(ask("GET", "/v1/graphs?limit=0").text("code") == "bad_query");
  CHECK(ask("GET", "/v1/graphs?name=x").text("code") == "bad_query");
}

TEST_CASE_METHOD(http_node, "jobs are searched by id, label, queue and name of their graph",
                 "[http][api]") {
  auto labelled = submit(
      R"({"labels":{"team":"Data"},"graph":{"name":"one","vertices":[{"id":"a","kind":"noop"}]}})");
  auto queued =
      submit(R"({"queue":"nightly","graph":{"name":"two","vertices":[{"id":"a","kind":"noop"}]}})");
  auto found = [&](const std::string& text) {
    auto page = ask("GET", "/v1/jobs?q=" + text).json();
    std::set<std::string> ids;
    for (auto& x : *page.find("jobs")->items())
      ids.insert(*x.find("id")->string());
    return ids;
  };
  using ids = std::set<std::string>;
  CHECK(found("dat") == ids{labelled});
  CHECK(found("TEAM") == ids{labelled});
  CHECK(found("ight") == ids{queued});
  CHECK(found("two") == ids{queued});
  CHECK(found(queued.substr(0, 30)) == ids{queued});
  CHECK(found(queued.substr(5, 10)).empty());
  CHECK(found("nowhere").empty());
  CHECK(found("") == ids{labelled, queued});
  auto page = ask("GET", "/v1/jobs?q=one").json();
  CHECK(*page.find("jobs")->items()->at(0).find("graph_name")->string() == "one");
}

TEST_CASE("workers exchange blobs, viewers only read them", "[http][blobs]") {
  auto content = pattern(1000), place = place_of(content);
  for (auto [who, put, get] : {std::tuple{http::role::worker, 201, 200},
                               {http::role::viewer, 403, 404},
                               {http::role::operator_, 201, 200},
                               {http::role::admin, 201, 200}}) {
    http_node x{http_node::in_memory(), {}, [who = who](http::http_options& options) {
                  options.authenticate = [who](std::string_view) -> result<http::principal> {
                    return http::principal{"k", "", {}, who};
                  };
                }};
    INFO(to_string(who));
    tests::http_client c{x.server->port()};
    CHECK(c.ask("PUT", place, content, bytes).status == put);
    CHECK(x.ask("GET", place).status == get);
  }
}

TEST_CASE_METHOD(http_node, "a blob that the client has is not sent again", "[http][blobs]") {
  auto content = pattern(1000), place = place_of(content);
  REQUIRE(ask("PUT", place, content, bytes).status == 201);
  const auto tag = "\"" + place.substr(10) + "\"";
  for (auto& field : {tag, "\"x\", W/" + tag, std::string{"*"}}) {
    auto got = ask("GET", place, "", "If-None-Match: " + field + "\r\n");
    CHECK(got.status == 304);
    CHECK(got.fields["etag"] == tag);
    CHECK_FALSE(got.fields.contains("content-length"));
  }
  CHECK((ask("GET", place, "", "If-None-Match: \"x\"\r\n").body == content));
  CHECK(ask("GET", nothing, "", "If-None-Match: *\r\n").status == 404);
}

TEST_CASE_METHOD(http_node, "a part of a blob is sent to who asks for one", "[http][blobs]") {
  auto content = pattern(2'000'000), place = place_of(content);
  REQUIRE(ask("PUT", place, content, bytes).status == 201);
  const auto tag = "\"" + place.substr(10) + "\"";
  auto part = [&](const std::string& range, const std::string& more = {}) {
    return ask("GET", place, "", "Range: " + range + "\r\n" + more);
  };
  CHECK(ask("GET", place).fields["accept-ranges"] == "bytes");
  for (auto [range, first, last] : {std::tuple{"bytes=0-0", 0u, 0u},
                                    {"bytes=10-1500000", 10u, 1'500'000u},
                                    {"Bytes=1999999-", 1'999'999u, 1'999'999u},
                                    {"bytes=7-99999999999999999999999", 7u, 1'999'999u},
                                    {"bytes=-3", 1'999'997u, 1'999'999u},
                                    {"bytes=0-", 0u, 1'999'999u},
                                    {"bytes=-9000000", 0u, 1'999'999u}}) {
    INFO(range);
    auto got = part(range);
    CHECK(got.status == 206);
    CHECK(got.fields["content-range"]
          == "bytes " + std::to_string(first) + "-" + std::to_string(last) + "/2000000");
    CHECK(got.fields["content-length"] == std::to_string(last - first + 1));
    CHECK(got.fields["etag"] == tag);
    CHECK((got.body == content.substr(first, last - first + 1)));
  }
  for (auto range : {"bytes=2000000-", "bytes=5000000-5000001", "bytes=-0"}) {
    INFO(range);
    auto none = part(range);
    CHECK(none.status == 416);
    CHECK(none.text("code") == "no_such_range");
    CHECK(none.fields["content-range"] == "bytes */2000000");
  }
  for (auto range : {"bytes=0-1,5-6", "bytes=5-4", "bytes=-", "bytes=a-b", "bytes=+1-2",
                     "bytes 0-1", "lines=0-1", "bytes=1"}) {
    INFO(range);
    auto all = part(range);
    CHECK(all.status == 200);
    CHECK((all.body == content));
  }
  CHECK(part("bytes=0-1", "Range: bytes=2-3\r\n").status == 200);
  CHECK(part("bytes=0-1", "If-Range: " + tag + "\r\n").status == 206);
  for (auto& other :
       {std::string{"\"x\""}, "W/" + tag, std::string{"Sat, 31 Jan 2026 12:00:00 GMT"}})
    CHECK(part("bytes=0-1", "If-Range: " + other + "\r\n").status == 200);
  CHECK(part("bytes=0-1", "If-None-Match: " + tag + "\r\n").status == 304);
  auto head = ask("HEAD", place, "", "Range: bytes=0-1\r\n");
  CHECK(head.status == 200);
  CHECK(head.fields["content-length"] == "2000000");
  CHECK(head.fields["accept-ranges"] == "bytes");
  CHECK(ask("GET", "/livez").status == 200); // The connection is as good as before.
}

TEST_CASE_METHOD(http_node, "a blob without a byte has no part", "[http][blobs]") {
  auto place = place_of("");
  REQUIRE(ask("PUT", place, "", bytes).status == 201);
  CHECK(ask("GET", place, "", "Range: bytes=-5\r\n").status == 200);
  CHECK(ask("GET", place, "", "Range: bytes=0-\r\n").fields["content-range"] == "bytes */0");
}

TEST_CASE_METHOD(http_node, "an upload that is refused early says that the connection ends",
                 "[http][blobs]") {
  tests::http_client c{server->port()};
  c.send("PUT /v1/blobs/zz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
         "5\r\nhello\r\n");
  auto got = c.read();
  CHECK(got.status == 404);
  CHECK(got.fields["connection"] == "close");
  CHECK(c.ends());
}

TEST_CASE_METHOD(small_node, "who waits to send a blob is told to once it would be taken",
                 "[http][blobs]") {
  auto content = pattern(1000), place = place_of(content);
  auto begin = [&](const std::string& target, std::size_t size) {
    tests::http_client c{server->port()};
    c.send("PUT " + target + " HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
           + "Content-Length: " + std::to_string(size) + "\r\n\r\n");
    auto first = c.read().status;
    if (first != 100)
      return std::to_string(first);
    c.send(content);
    return "100 " + std::to_string(c.read().status);
  };
  CHECK(begin("/v1/blobs/zz", 1000) == "404");
  CHECK(begin(place, (1 << 20) + 1) == "413");
  CHECK(begin(place, 1000) == "100 201");
}
