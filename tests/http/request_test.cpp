#include "core/time_text.hpp"
#include "node/http/event_stream.hpp"
#include "node/http/job_request.hpp"
#include "node/http/json_body.hpp"
#include "node/http/line_splitter.hpp"
#include "node/http/options.hpp"
#include "node/http/query.hpp"
#include "node/http/request_head.hpp"
#include "node/http/router.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <set>
#include <sstream>

using namespace troupe;
using namespace troupe::http;
using namespace std::chrono_literals;

namespace {

constexpr auto job_text = "0198c0de-0000-7000-8000-000000000001";

router routes() {
  std::vector<route> all;
  for (auto [method, path] : {std::pair{"GET", "/v1/jobs"},
                              {"POST", "/v1/jobs"},
                              {"POST", "/v1/jobs:batch"},
                              {"GET", "/v1/jobs/{job}"},
                              {"POST", "/v1/jobs/{job}:cancel"},
                              {"GET", "/v1/jobs/{job}/events"},
                              {"POST", "/v1/queues/{queue}:pause"},
                              {"GET", "/v1/queues/{queue}"}})
    all.push_back({method, path, {}});
  return router{std::move(all)};
}

std::string went_to(std::string_view method, std::string_view path) {
  static const auto all = routes();
  auto found = all.find(method, path);
  if (auto x = std::get_if<routed>(&found))
    return x->to->path;
  return std::to_string(std::get<unrouted>(found).status);
}

std::set<std::string> codes_of(const std::string& text, bool in_batch = false) {
  std::set<std::string> all;
  for (auto& x : read_job_request(text, in_batch).errors)
    all.insert(x.code + " " + x.pointer);
  return all;
}

using found = std::set<std::string>;

const std::string graph = R"("graph":{"vertices":[{"id":"a","kind":"noop"}]})";

} // namespace

TEST_CASE("a path goes to the route that fits it", "[http][router]") {
  std::string job = std::string{"/v1/jobs/"} + job_text;
  CHECK(went_to("GET", "/v1/jobs") == "/v1/jobs");
  CHECK(went_to("HEAD", "/v1/jobs") == "/v1/jobs");
  CHECK(went_to("POST", "/v1/jobs:batch") == "/v1/jobs:batch");
  CHECK(went_to("GET", job) == "/v1/jobs/{job}");
  CHECK(went_to("POST", job + ":cancel") == "/v1/jobs/{job}:cancel");
  CHECK(went_to("GET", job + "/events") == "/v1/jobs/{job}/events");
}

TEST_CASE("a verb stands behind the last colon", "[http][router]") {
  auto all = routes();
  auto paused = all.find("POST", "/v1/queues/a:b:pause");
  REQUIRE(std::get_if<routed>(&paused));
  CHECK(std::get<routed>(paused).arguments.name == "a:b");
  auto shown = all.find("GET", "/v1/queues/a:pause");
  CHECK(std::get<routed>(shown).arguments.name == "a:pause");
}

TEST_CASE("a path that fits no route is told apart from a wrong method", "[http][router]") {
  std::string job = std::string{"/v1/jobs/"} + job_text;
  for (auto path : {"/", "", "v1/jobs", "/v1", "/v1/jobs/", "/v1//jobs", "/v1/jobs/x/y/z",
                    "/v1/jobs/%", "/V1/jobs"})
    CHECK((went_to("GET", path) == "404" || went_to("GET", path) == "400"));
  CHECK(went_to("GET", "/v1/jobs/%zz") == "400");
  CHECK(went_to("GET", "/v1/jobs/%%330") == "400"); // Not decoded to something that is.
  CHECK(went_to("GET", "/v1/jobs/17") == "404");
  CHECK(went_to("POST", job + ":explode") == "404");
  CHECK(went_to("PATCH", job) == "405");
  auto x = routes().find("DELETE", "/v1/jobs");
  CHECK(std::get<unrouted>(x).allowed == std::vector<std::string>{"GET", "POST", "HEAD"});
}

TEST_CASE("a path is the same in whichever coding of its letters", "[http][router]") {
  std::string job = std::string{"/v1/jobs/"} + job_text;
  CHECK(went_to("GET", "/v1/%6Aobs") == "/v1/jobs");
  CHECK(went_to("GET", "/%761/jobs") == "/v1/jobs");
  CHECK(went_to("POST", job + "%3Acancel") == "/v1/jobs/{job}:cancel");
  CHECK(went_to("POST", job + "%3acanc%65l") == "/v1/jobs/{job}:cancel");
  CHECK(went_to("GET", "/v1/%256Aobs") == "404"); // Decoded once.
  CHECK(went_to("GET", "/v1%2Fjobs") == "404");
  auto all = routes();
  auto x = all.find("GET", "/v1/queues/%2541%2F%41");
  REQUIRE(std::get_if<routed>(&x));
  CHECK(std::get<routed>(x).arguments.name == "%41/A");
}

TEST_CASE("a query is decoded once", "[http][query]") {
  auto x = parse_query("a=1&b=x+y%2Bz&c&a=2&&d=%E2%82%AC");
  REQUIRE(x);
  CHECK(x->count("a") == 2);
  CHECK(*http::find(*x, "b") == "x y+z");
  CHECK(http::find(*x, "c")->empty());
  CHECK(*http::find(*x, "d") == "€");
  for (auto wrong : {"a=%", "a=%2", "a=%zz", "%00", "a=%ff", "a=%C0%80"})
    CHECK(parse_query(wrong).code() == ec::invalid_spec);
  CHECK(parse_query(std::string(limits::http_query_parts_max * 2, '&')));
  std::string many;
  for (std::size_t i = 0; i <= limits::http_query_parts_max; ++i)
    many += "a&";
  CHECK(parse_query(many).code() == ec::invalid_spec);
}

TEST_CASE("parameters are known, and of their type", "[http][query]") {
  constexpr parameter known[] = {{"limit"}, {"label", true}};
  auto query = [](std::string_view text) { return *parse_query(text); };
  CHECK(check_query(query("limit=1&label=a&label=b"), known));
  CHECK(check_query(query("limit=1&limit=2"), known).code() == ec::invalid_spec);
  auto slip = check_query(query("limt=1"), known);
  CHECK(slip.error().detail.find("did you mean `limit`?") != std::string::npos);
  CHECK(*number_in(query("n=7"), "n", 1, 0, 10) == 7);
  CHECK(*number_in(query(""), "n", 1, 0, 10) == 1);
  for (auto wrong : {"n=", "n=11", "n=-1", "n=1x", "n=99999999999999999999"})
    CHECK(number_in(query(wrong), "n", 1, 0, 10).code() == ec::invalid_spec);
  CHECK(*flag_in(query("f"), "f"));
  CHECK_FALSE(*flag_in(query(""), "f"));
  CHECK(flag_in(query("f=yes"), "f").code() == ec::invalid_spec);
}

TEST_CASE("a request for a job is read whole", "[http][request]") {
  auto x = read_job_request("{" + graph + R"(,"input":{"n":1.0},"queue":"q","labels":{"a":"b"},
    "retention":"2d","max_parallel":3,"expires_in":"10m"})",
                            false);
  REQUIRE(x.errors.empty());
  auto& spec = x.request.spec;
  CHECK(x.request.graph->vertices.at(0).id == "a");
  CHECK(spec.input == value{value::object{{"n", 1.0}}});
  CHECK(spec.queue == "q");
  CHECK(spec.labels.at("a") == "b");
  CHECK(spec.retention == std::chrono::hours{48});
  CHECK(spec.max_parallel == 3);
  CHECK(spec.expires_after == std::chrono::minutes{10});
  auto until =
      read_job_request("{" + graph + R"(,"expires_at":"2030-01-31T12:00:00Z"})", false).request;
  CHECK(until.spec.expires_at == core::parse_time("2030-01-31T12:00:00Z"));
  auto named = read_job_request(R"({"graph":")" + std::string(64, 'a') + R"("})", false);
  CHECK(named.errors.empty());
  CHECK_FALSE(named.request.graph);
}

TEST_CASE("all that is wrong with a request is told with its place", "[http][request]") {
  CHECK(codes_of("{}") == found{"missing_key "});
  CHECK(codes_of("[]") == found{"wrong_type "});
  CHECK(codes_of("{" + graph + R"(,"priority":1,"queue":"a b","labels":{"x":1},"retention":"0s"})")
        == found{"unknown_key /priority", "bad_name /queue", "wrong_type /labels/x",
                 "out_of_range /retention"});
  CHECK(codes_of("{" + graph + R"(,"expires_in":"0s","expires_at":"soon"})")
        == found{"bad_value /expires_at", "out_of_range /expires_in"});
  CHECK(codes_of("{" + graph + R"(,"expires_in":60,"expires_at":"1969-12-31T23:59:59Z"})")
        == found{"out_of_range /expires_at", "wrong_type /expires_in"});
  CHECK(codes_of("{" + graph + R"(,"expires_in":"1h","expires_at":"2030-01-31T12:00:00Z"})")
        == found{"bad_value /expires_in"});
  CHECK(codes_of(R"({"vertices":[{"id":"a","kind":"noop"}],"edges":[]})") == found{"missing_key "});
  for (auto later : {"tenant", "unique", "run_at", "delay"})
    CHECK(codes_of("{" + graph + ",\"" + later + "\":1}")
          == found{"unknown_key /" + std::string{later}});
  CHECK(codes_of(R"({"graph":{"vertices":[{"id":"a","kind":"noop","colour":1}],"x":1}})")
        == found{"unknown_key /graph/vertices/0/colour", "unknown_key /graph/x"});
  CHECK(codes_of("{" + graph + R"(,"queue":"a","queue":"b"})") == found{"duplicate_key "});
  CHECK(codes_of("{" + graph + R"(,"input":{"a":1,"a":2}})") == found{"duplicate_key /input"});
  CHECK(codes_of(R"({"graph":"abc"})") == found{"bad_value /graph"});
  CHECK(codes_of("{" + graph + R"(,"idempotency_key":"k"})")
        == found{"unknown_key /idempotency_key"});
  CHECK(codes_of("{" + graph + R"(,"idempotency_key":"k"})", true).empty());
}

TEST_CASE("an integer that would lose digits is refused with its place", "[http][request]") {
  const std::string large = "18446744073709551615";
  CHECK(codes_of("{" + graph + R"(,"input":{"ids":[7,)" + large + "]}}")
        == found{"out_of_range /input/ids/1"});
  CHECK(codes_of("{" + graph + ",\"input\":" + large + "}") == found{"out_of_range /input"});
  CHECK(codes_of(R"({"graph":{"vertices":[{"id":"a","kind":"noop","config":{"output":)" + large
                 + "}}]}}")
        == found{"out_of_range /graph/vertices/0/config/output"});
  CHECK(codes_of("{" + graph + ",\"input\":9223372036854775807}").empty());
  CHECK(codes_of("{" + graph + ",\"input\":1.8446744073709552e19}").empty());
  auto body = refusal_of(read_json_body("{\"output\":" + large + "}"));
  REQUIRE(body);
  CHECK(body->status == 422);
  CHECK(body->body.find("\"/output\"") != std::string::npos);
  CHECK_FALSE(refusal_of(read_json_body("{}")));
}

TEST_CASE("what is not JSON is told with its byte", "[http][request]") {
  for (auto text : {"", "{", "{\"graph\":", "nul", "{\"input\":NaN}", "{\"input\":\"\xff\"}",
                    "{} x", "{\"input\":1e999}"}) {
    auto x = read_job_request(text, false);
    INFO(text);
    REQUIRE(x.malformed == refusal::bad_json);
    auto answer = answer_of(x);
    CHECK(answer.status == 400);
    CHECK(answer.body.find("(byte ") != std::string::npos);
  }
  auto deep = "{\"input\":" + std::string(100, '[') + std::string(100, ']') + "}";
  CHECK(read_job_request(deep, false).malformed == refusal::bad_json);
}

TEST_CASE("an idempotency key may stand in quotes", "[http][request]") {
  auto key = [](std::string text) { return idempotency_key_of(&text); };
  CHECK(idempotency_key_of(nullptr)->empty());
  CHECK(*key("abc") == "abc");
  CHECK(*key("\"abc\"") == "abc");
  for (auto wrong : {"", "\"\"", "a b", "\t", "\x7f"})
    CHECK(key(wrong).code() == ec::invalid_spec);
  CHECK(key(std::string(limits::idempotency_key_bytes_max + 1, 'x')).code() == ec::invalid_spec);
}

TEST_CASE("only hosts of this node are let in", "[http][options]") {
  http_options x;
  x.allowed_hosts = {"node.example"};
  for (auto good : {"localhost", "LOCALHOST:7700", "127.0.0.1:1", "[::1]:7700", "node.example:80"})
    CHECK(names_this(x, good));
  for (auto bad : {"", "evil.example", "localhost.evil.example", "127.0.0.1.evil", "10.0.0.1"})
    CHECK_FALSE(names_this(x, bad));
  x.allowed_hosts = {"*"};
  CHECK(names_this(x, "any.thing"));
}

TEST_CASE("a host may have a port that there can be", "[http][options]") {
  for (auto good :
       {"localhost", "localhost:", "localhost:0", "localhost:65535", "[::1]", "[::1]:80"})
    CHECK(is_authority(good));
  for (auto bad : {"", ":80", "localhost:65536", "localhost:99999", "localhost:8x", "localhost:-1",
                   "localhost:+1", "[::1]x", "[::1]80", "::1"})
    CHECK_FALSE(is_authority(bad));
}

TEST_CASE("the type of an answer is the one that is wanted most", "[http]") {
  auto fields_of = [](std::string_view list) {
    headers all;
    all.add("Accept", std::string{list});
    return all;
  };
  auto json = [&](std::string_view list) {
    return prefers(fields_of(list), "application/json", "application/octet-stream");
  };
  for (auto list :
       {"application/json", "application/json, text/plain, */*", "APPLICATION/Json",
        "application/json;charset=utf-8", "*/*;q=0.5, application/json;q=0.501",
        "application/json; q=0.5, application/*;q=0.5", "text/html,application/json;Q=1",
        "application/octet-stream;q=0, */*", "*/*;q=0, application/json;q=0.001"}) {
    INFO(list);
    CHECK(json(list));
  }
  for (auto list :
       {"", "*/*", "application/*", "text/html", "application/json;q=0, */*",
        "application/json;q=0", "application/json;q=0.000", "application/json2, */*",
        "application/json;q=0.5, */*", "application/json;q=2, */*", ",;q,/,*,;;q=1",
        "application/json;q=0.5, application/octet-stream;q=0.6", "application/json;q=1.001",
        "application/json;q=0.1234", "application/json;q=-1",
        "application/json;q=", "application/*json", "*/json"}) {
    INFO(list);
    CHECK_FALSE(json(list));
  }
  headers two;
  two.add("Accept", "text/plain");
  two.add("accept", "application/json");
  CHECK(prefers(two, "application/json", "application/octet-stream"));
  CHECK_FALSE(prefers({}, "application/json", "application/octet-stream"));
  CHECK(accepts({}, "application/octet-stream"));
  for (auto list : {"*/*;q=0.001", "application/*", "application/octet-stream, */*;q=0"})
    CHECK(accepts(fields_of(list), "application/octet-stream"));
  for (auto list : {"application/json", "*/*;q=0", "application/*;q=0, */*", "text/*"})
    CHECK_FALSE(accepts(fields_of(list), "application/octet-stream"));
}

TEST_CASE("JSON is UTF-8, however that is said", "[http][options]") {
  auto utf8 = [](std::string type) { return is_utf8(&type); };
  CHECK(is_utf8(nullptr));
  for (auto good : {"application/json", "application/json;charset=utf-8", "application/json; a=b ;",
                    "application/json ; CHARSET=\"UTF-8\"", "x; charset=utf8"})
    CHECK(utf8(good));
  for (auto bad : {"application/json; charset=latin1", "application/json; a=b; charset=\"utf-16\"",
                   "x;charset=", "x; charset=utf-8; charset=x"})
    CHECK_FALSE(utf8(bad));
}

TEST_CASE("only pages of this node, and those that are named, may call", "[http][options]") {
  http_options x;
  x.allowed_origins = {"https://good.example"};
  CHECK(may_call(x, "http://localhost:7700", "localhost:7700"));
  CHECK(may_call(x, "https://good.example", "localhost:7700"));
  CHECK_FALSE(may_call(x, "https://evil.example", "localhost:7700"));
  CHECK_FALSE(may_call(x, "http://localhost:9999", "localhost:7700"));
  CHECK_FALSE(may_call(x, "null", "localhost:7700"));
}

TEST_CASE("the id of a request is the one that was sent, if it is harmless", "[http][options]") {
  std::string good = "abc-1.2_3", bad = "a b", injected = "a\r\nX: y";
  CHECK(request_id_of(&good) == good);
  CHECK(request_id_of(&bad).size() == 16);
  CHECK(request_id_of(&injected).size() == 16);
  CHECK(request_id_of(nullptr) != request_id_of(nullptr));
}

TEST_CASE("a key is taken from one form of the header only", "[http][options]") {
  auto key = [](std::string text) {
    auto x = bearer_of(&text);
    return x ? std::string{*x} : "refused";
  };
  CHECK(bearer_of(nullptr)->empty());
  CHECK(key("Bearer abc") == "abc");
  CHECK(key("bearer abc") == "abc");
  for (auto wrong : {"", "abc", "Basic abc", "Bearer", "Bearer "})
    CHECK(key(wrong) == "refused");
}

TEST_CASE("no value of a header begins another one", "[http]") {
  headers x;
  x.add("A", "1\r\nB: 2");
  CHECK(*x.find("a") == "1  B: 2");
  CHECK_FALSE(x.find("B"));
}

TEST_CASE("lines are cut wherever pieces end", "[http]") {
  std::vector<std::string> lines;
  auto take = [&](std::string x) { lines.push_back(std::move(x)); };
  line_splitter split{4};
  CHECK(split.add("a", take));
  CHECK(split.add("b\r\nc\n\nd", take));
  CHECK(split.take() == "d");
  CHECK(lines == std::vector<std::string>{"ab", "c", ""});
  CHECK_FALSE(split.add("12345", take));
}

TEST_CASE("a reader goes on where it was, in the life of the store that it saw", "[http][events]") {
  request in;
  auto place = [&](std::uint64_t incarnation) { return event_place_of(in, incarnation); };
  CHECK(place(1)->from == 1);
  in.query = *parse_query("from=5");
  CHECK(place(1)->from == 5);
  in.fields.add("Last-Event-ID", "7"); // A browser repeats the query when it comes again.
  CHECK(place(1)->from == 8);
  CHECK(place(9)->from == 1);
  CHECK(place(9)->lost == 7);
  request later;
  later.fields.add("Last-Event-ID", "7.9");
  CHECK(event_place_of(later, 9)->from == 8);
  CHECK(event_place_of(later, 1)->lost == 7);
  for (auto wrong : {"", "x", "7.", "-1", "7.9.1"}) {
    request bad;
    bad.fields.add("Last-Event-ID", wrong);
    CHECK(event_place_of(bad, 1).code() == ec::invalid_spec);
  }
}

TEST_CASE("docs/errors.md has a paragraph for every refusal", "[http]") {
  auto page = tests::read_file(TROUPE_SOURCE_DIR "/docs/errors.md");
  std::set<std::string_view> numbers;
  for (auto& x : refusal_kinds()) {
    CHECK(numbers.insert(x.number).second);
    INFO(x.number);
    auto at = page.find("\n### " + std::string{x.number} + " `" + std::string{x.code} + "`\n");
    CHECK(at != std::string::npos);
  }
  for (unsigned i = 1; i <= static_cast<unsigned>(last(ec{})); ++i)
    CHECK(status_of(ec(i)) >= 400);
}

TEST_CASE("docs/http.md and docs/errors.md tell the bounds as they are", "[http]") {
  auto words_of = [](const char* file) { // With one space between each two.
    std::istringstream in{tests::read_file(std::string{TROUPE_SOURCE_DIR "/docs/"} + file)};
    std::string all;
    for (std::string word; in >> word;)
      all += word + " ";
    return all;
  };
  auto seconds = [](std::chrono::milliseconds x) { return std::to_string(x / 1s); };
  auto in_mib = [](std::size_t x) { return std::to_string(x >> 20) + " MiB"; };
  auto in_kib = [](std::size_t x) { return std::to_string(x >> 10) + " KiB"; };
  auto body_time = seconds(limits::http_body_time);
  auto header = "come within " + seconds(limits::http_header_time) + " seconds";
  auto page = words_of("http.md");
  for (auto& fact :
       {"a body has at most " + in_mib(limits::http_body_bytes_max),
        "its lines have at most " + in_mib(limits::http_line_bytes_max),
        "a header " + in_kib(limits::http_header_bytes_max), header,
        "each piece of a body within " + body_time + ",",
        "after its first " + body_time + " seconds",
        "closed after " + seconds(limits::http_idle_time) + ".",
        "the last " + std::to_string(limits::http_connections_reserved) + " for operators",
        "may have " + in_mib(limits::http_bodies_bytes_max) + " (of a batch",
        "for bodies of at most " + in_kib(limits::http_small_body_bytes)}) {
    INFO(fact);
    CHECK(page.find(fact) != page.npos);
  }
  auto errors = words_of("errors.md");
  for (auto& fact : {header, "each piece of a body within " + body_time + "."}) {
    INFO(fact);
    CHECK(errors.find(fact) != errors.npos);
  }
}

TEST_CASE("a target is a path, or names its host", "[http][request]") {
  auto x = target_of("http://a:1/v1/jobs?q=1");
  REQUIRE(x);
  CHECK(x->authority == "a:1");
  CHECK(x->path == "/v1/jobs");
  CHECK(x->query == "q=1");
  CHECK(target_of("HTTPS://a?q")->path == "/");
  CHECK_FALSE(target_of("http://"));
  for (auto alone : {"http", "https", "http:", "http:/", "*", "x"}) { // No scheme that ends.
    auto path = target_of(alone);
    REQUIRE(path);
    CHECK(path->authority.empty());
    CHECK(path->path == alone);
  }
}
