#include "graph_json/value_json.hpp"
#include "node/client/event_follower.hpp"
#include "node/client/job_json.hpp"
#include "node/client/node_client.hpp"
#include "node/client/refusal.hpp"
#include "node/http/problem.hpp"
#include "node/http/server.hpp"
#include "node/show.hpp"
#include "tests/support/catch.hpp"

#include <atomic>

using namespace troupe;
using namespace troupe::client;
using node::exit_code;

namespace {

reply problem_reply(const http::response& x) { return {x.status, x.type, x.body, false}; }

trouble told(const http::response& x) { return refusal_of({}, problem_reply(x)); }

job_info whole_job() {
  job_info x;
  x.id = *parse_job_id("01980000-0000-7000-8000-000000000001");
  x.retry_of = parse_job_id("01980000-0000-7000-8000-000000000002");
  x.state = job_state::failed;
  x.queue = "q";
  x.graph = *parse_graph_id(std::string(64, 'a'));
  x.graph_name = "g";
  x.labels = {{"team", "data"}};
  x.messages = {"and a taxi", "at nine"};
  x.created = x.started = x.ended = time_point{std::chrono::milliseconds{1'750'000'000'123}};
  x.error = {"job_failed", "/x", "why"};
  x.events = 7;
  x.vertices = 3;
  x.count[static_cast<unsigned>(vertex_state::failed)] = 2;
  x.count[static_cast<unsigned>(vertex_state::succeeded)] = 1;
  return x;
}

} // namespace

TEST_CASE("every code that a node may refuse with has its own number and exit code", "[client]") {
  for (unsigned i = 1; i <= static_cast<unsigned>(last(ec{})); ++i) {
    auto x = told(http::problem_answer(error{ec(i), "the detail"}));
    INFO(to_string(ec(i)));
    CHECK(x.kind->number == node::kind_of(ec(i)).number);
    CHECK(x.why == "the detail");
    CHECK(x.next.find("/v1/") == x.next.npos);
  }
  for (unsigned i = 0; i <= static_cast<unsigned>(last(http::refusal{})); ++i) {
    auto x = told(http::problem_answer(http::refusal(i), "the detail"));
    CHECK(x.kind->number == http::kind_of(http::refusal(i)).number);
    CHECK(x.kind->exit != exit_code::ok);
  }
}

TEST_CASE("refusals of a node end the program as documented", "[client]") {
  auto exit_of = [](const http::response& x) { return told(x).kind->exit; };
  CHECK(exit_of(http::problem_answer(http::refusal::no_key, "")) == exit_code::unauthorised);
  CHECK(exit_of(http::problem_answer(http::refusal::forbidden, "")) == exit_code::unauthorised);
  CHECK(exit_of(http::problem_answer(http::refusal::no_such_route, "")) == exit_code::not_found);
  CHECK(exit_of(http::problem_answer(http::refusal::closing, "")) == exit_code::unavailable);
  CHECK(exit_of(http::problem_answer(error{ec::no_such_job})) == exit_code::not_found);
  CHECK(exit_of(http::problem_answer(error{ec::illegal_request})) == exit_code::conflict);
  CHECK(exit_of(http::problem_answer(error{ec::overloaded})) == exit_code::unavailable);
  CHECK(exit_of(http::problem_answer(error{ec::timed_out})) == exit_code::timed_out);
}

TEST_CASE("a refusal tells where it was looked for, and advises in the words of the program",
          "[client]") {
  endpoint at;
  at.url = "http://there";
  auto of = [&](const http::response& x) { return refusal_of(at, problem_reply(x)); };
  CHECK(of(http::problem_answer(error{ec::no_such_job})).what
        == "there is no such job at http://there");
  CHECK_THAT(of(http::problem_answer(http::refusal::no_such_route, "")).what,
             Catch::Contains(" at http://there"));
  CHECK(of(http::problem_answer(http::refusal::forbidden, "")).next
        == "use a key of the role that the reason names");
  CHECK(of(http::problem_answer(error{ec::unsupported})).next == "see what the reason names");
}

TEST_CASE("what a node finds wrong comes with its places", "[client]") {
  auto x = told(http::problem_answer(error{ec::invalid_spec, "no"},
                                     {{"wrong_type", "/graph/vertices/0", "a vertex"}}));
  CHECK(x.found == problems{{"wrong_type", "/graph/vertices/0", "a vertex"}});
}

TEST_CASE("an answer that is no node's is told as such, one of a newer node in its words",
          "[client]") {
  const std::string type = "application/problem+json";
  CHECK(refusal_of({}, {404, "text/html", "<p>no</p>", false}).kind->name == "strange_answer");
  CHECK(refusal_of({}, {200, type, "{}", false}).kind->name == "strange_answer");
  CHECK(refusal_of({}, {404, type, "{", false}).kind->name == "strange_answer");
  auto newer = refusal_of(
      {}, {409, type, R"({"number":"E0999","title":"new","detail":"d","next":"n"})", false});
  CHECK(newer.kind->name == "refused_by_node");
  CHECK(newer.kind->exit == exit_code::conflict);
  CHECK(newer.what == "new (E0999)");
  CHECK(newer.next == "n");
}

TEST_CASE("a job that a node tells is read back as it was", "[client]") {
  auto job = whole_job();
  auto json = node::to_value(job);
  auto read = read_job(json);
  REQUIRE(read);
  CHECK(node::to_value(*read) == json);
  for (auto key : {"id", "state"}) {
    auto less = json;
    less.members()->erase(key);
    CHECK_FALSE(read_job(less));
  }
}

TEST_CASE("an event that a node tells is read back as it was", "[client]") {
  event x;
  x.job = whole_job().id;
  x.id = 9;
  x.type = "log";
  x.stream = true;
  x.time = whole_job().ended;
  x.data = value::object{{"vertex", "a"}};
  auto read = read_event(node::to_value(x));
  REQUIRE(read);
  CHECK(*read == x);
  CHECK_FALSE(read_event(value::object{{"event", "gap"}}));
}

TEST_CASE("a node's address is tidied, and what is none is refused", "[client]") {
  auto ok = [](std::string url) {
    endpoint x;
    x.url = std::move(url);
    auto y = checked(x);
    return y ? y->url : std::string{y.trouble().kind->name};
  };
  CHECK(ok("http://localhost:7700/") == "http://localhost:7700");
  CHECK(ok("https://[::1]:1/troupe//") == "https://[::1]:1/troupe");
  for (auto wrong :
       {"", "localhost", "http://", "ftp://a", "http://u@a", "http://a?b", "http://a#b"})
    CHECK(ok(wrong) == "bad_url");
  endpoint x;
  x.token = "a\r\nX-Other: b";
  CHECK(checked(x).trouble().kind->name == "bad_usage");
}

TEST_CASE("parts of a query are encoded", "[client]") {
  CHECK(encoded("a-b_c.d~9") == "a-b_c.d~9");
  CHECK(encoded("a=b&c d\xc3\xa4") == "a%3Db%26c%20d%C3%A4");
}

namespace {

std::string event_text(std::uint64_t id, const std::string& type) {
  event x;
  x.job = whole_job().id;
  x.id = id;
  x.type = type;
  return "id: " + std::to_string(id) + "\nevent: " + type
         + "\ndata: " + graph_json::to_json(node::to_value(x)) + "\n\n";
}

std::string closing_text(const std::string& reason) {
  return "event: closing\ndata: {\"data\":{\"reason\":\"" + reason
         + "\"},\"event\":\"closing\"}\n\n";
}

/// Says nothing, and stays.
class silent_source : public http::body_source {
public:
  void next(taken then) override { then_ = std::move(then); }

private:
  taken then_;
};

/// A node with one job, whose streams are those of the test, one after the other.
struct streaming_node {
  explicit streaming_node(std::function<http::response(int time)> tell) {
    http::http_options options;
    options.port = 0;
    auto opened = http::server::open(options);
    REQUIRE(opened);
    server = std::move(*opened);
    server->serve(
        {{"GET", "/v1/jobs/{job}/events",
          [this, tell = std::move(tell)](const http::call_ptr& x) { x->out(tell(++asked)); }}});
  }

  std::optional<trouble> follow(const event_taker& taker) const {
    endpoint at;
    at.url = "http://127.0.0.1:" + std::to_string(server->port());
    node_client from{at};
    return follow_events(from, whole_job().id, 1, taker);
  }

  std::atomic<int> asked = 0;
  std::unique_ptr<http::server> server;
};

} // namespace

TEST_CASE("who follows a job that is deleted is told so, and does not come again", "[client]") {
  auto text = event_text(1, "state")
              + "event: gap\ndata: "
                R"({"data":{"from":2,"reason":"retention","to":9},"event":"gap"})"
                "\n\n"
              + closing_text("deleted");
  streaming_node x{[&](int) { return http::response{200, "text/event-stream", text}; }};
  std::size_t taken = 0;
  event_taker taker;
  taker.take = [&](const event&, std::string_view) { return ++taken > 0; };
  auto wrong = x.follow(taker);
  REQUIRE(wrong);
  CHECK(wrong->kind->exit == exit_code::not_found);
  CHECK_THAT(wrong->what, Catch::Contains("was deleted"));
  CHECK(taken == 1);
  CHECK(x.asked == 1);
}

TEST_CASE("a node that cannot tell of a job is told once, with its reason", "[client]") {
  constexpr int failures = 4;
  streaming_node x{[](int time) {
    auto text = time == 1          ? event_text(1, "state") + closing_text("journal_failed")
                : time <= failures ? closing_text("journal_failed")
                                   : event_text(2, "end");
    return http::response{200, "text/event-stream", text};
  }};
  std::vector<std::string> told;
  event_taker taker;
  taker.take = [&](const event& e, std::string_view) { return told.emplace_back(e.type), true; };
  taker.connection = [&](const trouble* lost) {
    told.push_back(lost ? std::string{lost->kind->name} : "back");
  };
  CHECK_FALSE(x.follow(taker));
  CHECK(told == std::vector<std::string>{"state", "journal_failed", "back", "end"});
  CHECK(x.asked == failures + 1);
}

TEST_CASE("a node is back as soon as it answers, whether or not it has events", "[client]") {
  std::atomic<bool> is_back = false;
  streaming_node x{[&](int time) {
    if (time == 1)
      return http::response{200, "text/event-stream", event_text(1, "state")};
    http::response quiet{200, "text/event-stream"};
    quiet.stream = std::make_shared<silent_source>();
    return quiet;
  }};
  event_taker taker;
  taker.take = [](const event&, std::string_view) { return true; };
  taker.connection = [&](const trouble* lost) { is_back = !lost; };
  taker.waiting = [&] { return !is_back; };
  auto wrong = x.follow(taker);
  REQUIRE(wrong);
  CHECK(wrong->kind->name == "interrupted");
}

namespace {

/// A node whose lists are those of the test.
struct listing_node {
  explicit listing_node(std::function<value(const http::request& in, int page)> tell) {
    http::http_options options;
    options.port = 0;
    auto opened = http::server::open(options);
    REQUIRE(opened);
    server = std::move(*opened);
    auto list = [this, tell = std::move(tell)](const http::call_ptr& x) {
      x->out(http::json_answer(200, tell(x->in, pages++)));
    };
    server->serve({{"GET", "/v1/jobs", list}});
  }

  node_client client() const {
    endpoint at;
    at.url = "http://127.0.0.1:" + std::to_string(server->port());
    return node_client{at};
  }

  std::atomic<int> pages = 0;
  std::unique_ptr<http::server> server;
};

value job_with(const std::string& id) {
  auto job = whole_job();
  job.id = *parse_job_id(id);
  return node::to_value(job);
}

const std::string old_job = "01900000-0000-7000-8000-000000000001";

} // namespace

TEST_CASE("a short id is looked for by the node, also behind many newer jobs", "[client]") {
  constexpr int newer = 200;
  std::atomic<bool> is_asked = true;
  listing_node there{[&](const http::request& in, int page) {
    is_asked = is_asked && in.query.find("q")->second == "0190"; // In the case of ids.
    if (page < newer)
      return value{value::object{{"jobs", value::list{}},
                                 {"partial", true},
                                 {"next", "01980000-0000-7000-8000-000000000000.1"}}};
    // Another job has the text in a label.
    return value{value::object{
        {"jobs", value::list{job_with("01970000-0000-7000-8000-000000000001"), job_with(old_job)}},
        {"next", "01899999-0000-7000-8000-000000000000.1"}}};
  }};
  auto found = there.client().find("0190");
  REQUIRE(found);
  CHECK(to_string(*found) == old_job);
  CHECK(is_asked);
  CHECK(there.pages == newer + 1); // What follows is less than the id.
}

TEST_CASE("a short id that fits several jobs, or none, is told as that", "[client]") {
  listing_node two{[](const http::request&, int) {
    return value{
        value::object{{"jobs", value::list{job_with(old_job),
                                           job_with("01900000-0000-7000-8000-000000000000")}}}};
  }};
  CHECK(two.client().find("0190").trouble().kind->name == "ambiguous_job");
  CHECK_THAT(two.client().find("0191").trouble().what, Catch::Contains("there is no job"));
}

TEST_CASE("a search for a short id that was cut says so", "[client]") {
  listing_node there{[](const http::request&, int) {
    return value{
        value::object{{"jobs", value::list{}}, {"next", "01980000-0000-7000-8000-000000000000.1"}}};
  }};
  auto wrong = there.client().find("0190").trouble();
  CHECK(wrong.kind->name == "unknown_job");
  CHECK_THAT(wrong.why, Catch::Contains("older jobs were not looked at"));
  CHECK(there.pages == int{id_search_pages_max});
}
