#include "node/http/task_record.hpp"
#include "tests/support/flows.hpp"
#include "tests/support/http_node.hpp"
#include "tests/support/temp_dir.hpp"

#include <array>
#include <deque>
#include <set>

using namespace troupe;
using tests::http_client;
using tests::http_node;
using tests::http_reply;

namespace {

const std::string asked =
    R"({"session_id":"s1","task_description":"book a table","llm_profile_name":"p"})";
const std::string waiting = R"({"queue":"one","graph":{"vertices":[{"id":"a","kind":"worker",)"
                            R"("config":{"task":"t"}}]}})";

const std::string add_at = "/api/tasks/add-new-task";

bool is_true(const http_reply& x, std::string_view key) {
  auto json = x.json();
  auto found = json.find(key);
  return found && found->boolean() && *found->boolean();
}

std::string text_in(const value& x, std::string_view key) {
  auto found = x.find(key);
  return found && found->string() ? *found->string() : "";
}

value messages_in(const value& x) {
  auto found = x.find("messages");
  return found ? *found : value{};
}

/// A node with queues of every rule.
struct task_node : http_node {
  explicit task_node(const runtime_config& config = in_memory())
      : http_node(config, [](http::api_parts& parts) {
          parts.exclusive = [](std::string_view queue) {
            return queue == "one"     ? http::exclusive_rule::refuse
                   : queue == "turns" ? http::exclusive_rule::wait
                                      : http::exclusive_rule::none;
          };
        }) {}

  std::string start() {
    auto made = ask("POST", "/api/tasks/submit", asked);
    INFO(made.body);
    REQUIRE(is_true(made, "success"));
    return made.text("task_id");
  }
  http_reply tell(const std::string& text) {
    return ask("POST", add_at, R"({"reason":")" + text + "\"}");
  }
  /// Takes the work of a queue and ends it.
  void work(const std::string& queue, const std::string& output) {
    http_client worker{server->port()};
    auto got = worker.ask("POST", "/v1/work:fetch", R"({"wait":"30s","queues":[")" + queue + "\"]}")
                   .json();
    REQUIRE(got.find("work")->items()->size() == 1);
    auto token = text_in(got.find("work")->items()->at(0), "token");
    auto done = worker.ask("POST", "/v1/work:complete",
                           R"({"token":")" + token + R"(","output":)" + output + "}");
    REQUIRE(done.status == 204);
  }
};

} // namespace

TEST_CASE_METHOD(task_node, "a task is submitted, worked on, and has its record", "[http][tasks]") {
  CHECK_FALSE(is_true(ask("GET", "/api/tasks/status"), "has_active_task"));
  CHECK(ask("GET", "/api/tasks/detailed-status").text("message") == "No active task");
  auto made = ask("POST", "/api/tasks/submit", asked);
  CHECK(made.status == 200);
  CHECK(made.text("status") == "submitted");
  CHECK(made.text("message") == "Task submitted for execution");
  CHECK(made.text("session_id") == "s1");
  CHECK(made.text("llm_profile") == "p");
  auto id = made.text("task_id");
  auto status = ask("GET", "/api/tasks/status").json();
  CHECK(text_in(*status.find("active_task"), "task_id") == id);
  CHECK(text_in(*status.find("active_task"), "task") == "book a table");
  work(http::task_queue, R"({"result":"done","report_path":"/r/1.html"})");
  REQUIRE(ask("GET", "/v1/jobs/" + id + "/result?wait=60s").status == 200);
  auto none = ask("GET", "/api/tasks/0198c0de-0000-7000-8000-000000000001");
  CHECK(none.status == 404);
  CHECK(none.text("next") == "GET /api/tasks lists the tasks");
  auto record = ask("GET", "/api/tasks/" + id).json();
  CHECK(text_in(record, "status") == "completed");
  CHECK(text_in(record, "task_result") == "done");
  CHECK(text_in(record, "report_path") == "/r/1.html");
  CHECK(text_in(record, "agent_mode") == "thinking");
  for (auto key : {"created_at", "updated_at", "started_at", "completed_at"})
    CHECK_FALSE(text_in(record, key).empty());
  std::vector<std::string> states;
  for (auto& x : *record.find("transitions")->items())
    states.push_back(text_in(x, "to"));
  CHECK(states == std::vector<std::string>{"pending", "running", "completed"});
  CHECK_FALSE(is_true(ask("GET", "/api/tasks/status"), "has_active_task"));
}

TEST_CASE_METHOD(task_node, "the record of a failed task says why, and where it worked",
                 "[http][tasks]") {
  auto made = ask("POST", "/api/tasks/submit",
                  R"({"session_id":"s1","task_description":"book a table",)"
                  R"("llm_profile_name":"p","workspace_dir":"/work/s1"})");
  CHECK(made.text("workspace_dir") == "/work/s1");
  auto id = made.text("task_id");
  auto running = ask("GET", "/api/tasks/" + id).json();
  CHECK(text_in(running, "workspace_dir") == "/work/s1");
  CHECK(*running.find("error_message") == value{});
  auto got = ask("POST", "/v1/work:fetch", R"({"wait":"30s","queues":["tasks"]})").json();
  auto token = text_in(got.find("work")->items()->at(0), "token");
  REQUIRE(ask("POST", "/v1/work:fail",
              R"({"token":")" + token
                  + R"(","error":{"code":"no_table","detail":"all tables are taken"}})")
              .status
          == 204);
  REQUIRE(ask("GET", "/v1/jobs/" + id + "/result?wait=60s").text("state") == "failed");
  auto record = ask("GET", "/api/tasks/" + id).json();
  CHECK(text_in(record, "status") == "failed");
  CHECK(text_in(record, "error_message").find("all tables are taken") != std::string::npos);
  CHECK(text_in(record, "workspace_dir") == "/work/s1");
  CHECK(*record.find("task_result") == value{});
  CHECK(text_in(record.find("transitions")->items()->back(), "to") == "failed");
}

TEST_CASE_METHOD(task_node, "a second task is refused while there is one", "[http][tasks]") {
  auto id = start();
  auto busy = ask("POST", "/api/tasks/submit", asked);
  CHECK(busy.status == 200);
  CHECK_FALSE(is_true(busy, "success"));
  CHECK(busy.text("message") == "Cannot submit task: another task is currently running");
  auto json = busy.json();
  auto& active = *json.find("active_task");
  CHECK(text_in(active, "task_id") == id);
  CHECK(text_in(active, "session_id") == "s1");
  CHECK(ask("POST", "/api/tasks/stop").status == 200);
  CHECK(start() != id);
}

TEST_CASE_METHOD(task_node, "of many tasks at once one is taken", "[http][tasks]") {
  constexpr std::size_t clients = 8;
  std::deque<http_client> all;
  for (std::size_t i = 0; i < clients; ++i)
    all.emplace_back(server->port());
  for (auto& client : all) // Nobody waits for an answer: threads of the server meet at the queue.
    REQUIRE(client.send(client.text_of("POST", "/api/tasks/submit", asked)));
  std::size_t taken = 0, refused = 0;
  for (auto& client : all)
    ++(client.read().body.find(R"("success":true)") != std::string::npos ? taken : refused);
  CHECK(taken == 1);
  CHECK(refused == clients - 1);
  CHECK(ask("GET", "/v1/jobs?queue=tasks").json().find("jobs")->items()->size() == 1);
}

TEST_CASE_METHOD(task_node, "steps of the task, and none without one", "[http][tasks]") {
  const std::string at = "/api/tasks/";
  CHECK(ask("POST", at + "pause").text("detail") == "No active task to pause");
  CHECK(ask("POST", at + "resume").text("detail") == "No paused task to resume");
  CHECK(ask("POST", at + "stop").text("detail") == "No active task to stop");
  CHECK(ask("POST", at + "stop").status == 400);
  auto id = start();
  CHECK(ask("POST", at + "resume").status == 400);
  auto paused = ask("POST", at + "pause", R"({"reason":"lunch"})");
  CHECK(paused.status == 200);
  CHECK(paused.text("operation") == "pause");
  auto details = ask("GET", at + "detailed-status").json();
  CHECK(text_in(details, "status") == "paused");
  CHECK(text_in(details, "pause_reason") == "lunch");
  CHECK(ask("POST", at + "pause", R"({"reason":"tea"})").body == paused.body); // It is so already.
  CHECK(text_in(ask("GET", at + "detailed-status").json(), "pause_reason") == "lunch");
  CHECK_FALSE(is_true(ask("POST", at + "submit", asked), "success")); // A paused one counts.
  CHECK(ask("POST", at + "resume").text("operation") == "resume");
  CHECK(ask("POST", at + "stop", R"({"reason":"enough"})").text("operation") == "stop");
  auto record = ask("GET", at + id).json();
  CHECK(text_in(record, "status") == "stopped"); // And not as completed.
  CHECK_FALSE(is_true(ask("GET", at + "status"), "has_active_task"));
}

TEST_CASE_METHOD(task_node, "a task is told something new, and so is its worker", "[http][tasks]") {
  auto id = start();
  CHECK_FALSE(ask("GET", "/v1/jobs/" + id).json().find("messages"));
  auto told = tell("and a taxi");
  CHECK(told.status == 200);
  CHECK(is_true(told, "success"));
  CHECK(told.text("message") == "New task added successfully");
  CHECK(told.text("operation") == "add_new_task");
  CHECK(told.text("new_task") == "and a taxi");

  http_client worker{server->port()};
  auto got = worker.ask("POST", "/v1/work:fetch", R"({"wait":"30s","queues":["tasks"]})").json();
  REQUIRE(got.find("work")->items()->size() == 1);
  auto& work = got.find("work")->items()->at(0);
  CHECK(messages_in(work) == value{value::list{"and a taxi"}});
  const auto tokens = R"({"tokens":[")" + text_in(work, "token") + "\"]}";
  auto heartbeat = [&] {
    auto leases = worker.ask("POST", "/v1/work:heartbeat", tokens).json();
    return leases.find("leases")->items()->at(0);
  };
  REQUIRE(ask("POST", "/api/tasks/pause").status == 200);
  REQUIRE(tell("at nine").status == 200);
  REQUIRE(ask("POST", "/api/tasks/resume").status == 200);
  const value all = value::list{"and a taxi", "at nine"};
  CHECK(messages_in(heartbeat()) == all);
  CHECK(messages_in(heartbeat()) == all);
  CHECK(messages_in(ask("GET", "/v1/jobs/" + id).json()) == all);
  CHECK(messages_in(ask("GET", "/api/tasks/detailed-status").json()) == all);
  REQUIRE(worker.ask("POST", "/v1/work:complete", R"({"token":")" + text_in(work, "token") + "\"}")
              .status
          == 204);
  REQUIRE(ask("GET", "/v1/jobs/" + id + "/result?wait=60s").status == 200);
  CHECK(messages_in(ask("GET", "/api/tasks/" + id).json()) == all);
  CHECK_FALSE(heartbeat().find("messages"));
  CHECK(tell("too late").text("code") == "no_task");
}

TEST_CASE_METHOD(task_node, "what a task is told stands in its events, and goes with no retry",
                 "[http][tasks]") {
  auto id = start();
  REQUIRE(tell("and a taxi").status == 200);
  auto second = ask("POST", "/v1/jobs/" + id + ":retry");
  CHECK(second.status == 409);
  REQUIRE(ask("POST", "/api/tasks/stop").status == 200);
  auto events =
      ask("GET", "/v1/jobs/" + id + "/events", "", "Accept: application/x-ndjson\r\n").body;
  CHECK_THAT(events, Catch::Contains(R"("event":"add_message")")
                         && Catch::Contains(R"({"sender":"user","text":"and a taxi"})"));
  second = ask("POST", "/v1/jobs/" + id + ":retry");
  REQUIRE(second.status == 201);
  CHECK_FALSE(ask("GET", "/v1/jobs/" + second.text("id")).json().find("messages"));
  auto record = ask("GET", "/api/tasks/" + second.text("id")).json();
  CHECK(messages_in(record) == value{value::list{}});
}

TEST_CASE_METHOD(task_node, "a task that is told nothing, or too much, is told so",
                 "[http][tasks]") {
  auto none = tell("and a taxi");
  CHECK(none.status == 400);
  CHECK(none.text("code") == "no_task");
  CHECK(none.text("detail") == "No active task to add new task to");
  CHECK(ask("GET", add_at).status == 405);
  auto id = start();
  struct wrong_body {
    const char *body, *pointer;
  };
  for (auto& x :
       {wrong_body{"", ""}, wrong_body{"{}", ""}, wrong_body{R"({"reason":1})", "/reason"},
        wrong_body{R"({"reason":null})", "/reason"}, wrong_body{R"({"reason":""})", "/reason"}}) {
    CAPTURE(x.body);
    auto refused = ask("POST", add_at, x.body);
    CHECK(refused.status == 400);
    CHECK(refused.text("code") == "no_instruction");
    auto json = refused.json();
    REQUIRE(json.find("errors"));
    CHECK(text_in(json.find("errors")->items()->at(0), "pointer") == x.pointer);
  }
  CHECK(ask("POST", add_at, R"({"odd":1})").status == 422);
  CHECK(tell(std::string(limits::job_messages_bytes_max, 'x')).status == 200);
  auto more = tell("x");
  CHECK(more.status == 413);
  CHECK(more.text("code") == "too_large");
  CHECK(ask("GET", "/v1/jobs/" + id).json().find("messages")->items()->size() == 1);
  http_client worker{server->port()};
  auto got = worker.ask("POST", "/v1/work:fetch", R"({"wait":"30s","queues":["tasks"]})");
  REQUIRE(got.status == 200);
  REQUIRE(ask("POST", "/v1/jobs/" + id + ":cancel").status == 200);
  REQUIRE(ask("GET", "/v1/jobs/" + id).text("state") == "cancelling");
  CHECK(tell("x").text("code") == "no_task"); // It is about to end.
}

TEST_CASE_METHOD(task_node, "tasks are listed by session and state, in either case",
                 "[http][tasks]") {
  auto id = start();
  REQUIRE(ask("POST", "/api/tasks/stop").status == 200);
  auto count = [&](const std::string& query) {
    return ask("GET", "/api/tasks?" + query).json().find("tasks")->items()->size();
  };
  CHECK(count("status=STOPPED") == 1);
  CHECK(count("status=Stopped&session_id=s1") == 1);
  CHECK(count("status=completed") == 0);
  CHECK(count("session_id=s2") == 0);
  CHECK(ask("GET", "/api/tasks?status=odd").text("code") == "bad_query");
  CHECK(ask("GET", "/api/tasks?limit=0").text("code") == "bad_query");
  CHECK(ask("GET", "/api/tasks/statuses").json().find("statuses")->items()->size() == 7);
  auto other = submit(R"({"graph":{"vertices":[{"id":"a","kind":"noop"}]}})");
  CHECK(ask("GET", "/api/tasks/" + other).status == 404);
  CHECK(ask("GET", "/api/tasks/0198c0de-0000-7000-8000-000000000001").status == 404);
}

TEST_CASE_METHOD(task_node, "a task that is about to end is listed as it is told",
                 "[http][tasks]") {
  auto id = start();
  http_client worker{server->port()};
  auto got = worker.ask("POST", "/v1/work:fetch", R"({"wait":"30s","queues":["tasks"]})").json();
  REQUIRE(got.find("work")->items()->size() == 1);
  auto listed = [&](const std::string& status) {
    return ask("GET", "/api/tasks?status=" + status).json().find("tasks")->items()->size();
  };
  CHECK(listed("running") == 1);
  REQUIRE(ask("POST", "/v1/jobs/" + id + ":cancel").status == 200);
  REQUIRE(ask("GET", "/v1/jobs/" + id).text("state") == "cancelling");
  CHECK(ask("GET", "/api/tasks/" + id).text("status") == "running");
  CHECK(listed("running") == 1);
  CHECK(listed("paused") == 0);
  CHECK(listed("cancelled") == 0);
}

TEST_CASE_METHOD(task_node, "a state that no task has is named", "[http][tasks]") {
  CHECK_THAT(ask("GET", "/api/tasks?status=odd").text("detail"),
             Catch::Contains("`status`") && Catch::Contains("`odd`"));
}

TEST_CASE_METHOD(task_node, "a malformed task is refused", "[http][tasks]") {
  CHECK(ask("POST", "/api/tasks/submit", "{").status == 400);
  CHECK(ask("POST", "/api/tasks/submit", "{}").status == 422);
  CHECK(ask("POST", "/api/tasks/submit", R"({"session_id":1})").status == 422);
  CHECK(ask("POST", "/api/tasks/submit", asked.substr(0, asked.size() - 1) + ",\"odd\":1}").status
        == 422);
  CHECK(ask("POST", "/api/tasks/pause", R"({"odd":1})").status == 422);
  CHECK(ask("POST", "/api/tasks/pause", R"({"reason":1})").status == 422);
  CHECK(ask("GET", "/api/tasks/submit").status == 405);
}

TEST_CASE_METHOD(task_node, "an exclusive queue refuses a second job, the same request again not",
                 "[http][exclusive]") {
  const std::string key = "Idempotency-Key: k\r\n";
  auto first = ask("POST", "/v1/jobs", waiting, key);
  REQUIRE(first.status == 201);
  auto again = ask("POST", "/v1/jobs", waiting, key);
  CHECK(again.status == 200);
  CHECK(again.text("id") == first.text("id"));
  auto busy = ask("POST", "/v1/jobs", waiting);
  CHECK(busy.status == 409);
  CHECK(busy.text("code") == "queue_busy");
  CHECK(busy.text("detail").find(first.text("id")) != std::string::npos);
  work("one", "1");
  REQUIRE(ask("GET", "/v1/jobs/" + first.text("id") + "/result?wait=60s").status == 200);
  CHECK(ask("POST", "/v1/jobs", waiting, key).status == 200); // After the end, too.
  CHECK(ask("POST", "/v1/jobs", waiting).status == 201);
  auto batch = ask("POST", "/v1/jobs:batch", waiting, "Content-Type: application/x-ndjson\r\n");
  CHECK(batch.body.find("\"status\":422") != std::string::npos);
}

TEST_CASE_METHOD(task_node, "a job of an exclusive queue is retried as one is made there",
                 "[http][exclusive]") {
  auto first = submit(waiting), retry = "/v1/jobs/" + first + ":retry";
  const std::string again = R"({"from":"a"})";
  work("one", "1");
  REQUIRE(ask("GET", "/v1/jobs/" + first + "/result?wait=60s").status == 200);
  CHECK(ask("POST", retry, R"({"from":"zzz"})").text("code") == "no_such_vertex");
  CHECK(ask("POST", retry, R"({"from":""})").text("code") == "invalid_spec");
  CHECK(ask("POST", retry, R"({"from":""})").status == 422);
  auto made = ask("POST", retry, again);
  REQUIRE(made.status == 201);
  CHECK(made.text("retry_of") == first);
  CHECK(made.fields["location"] == "/v1/jobs/" + made.text("id"));
  auto busy = ask("POST", retry, again);
  CHECK(busy.status == 409);
  CHECK(busy.text("code") == "queue_busy");
  CHECK(busy.text("detail").find(made.text("id")) != std::string::npos);
  CHECK(ask("POST", "/v1/jobs", waiting).status == 409);
  work("one", "2");
  auto ended = ask("GET", "/v1/jobs/" + made.text("id") + "/result?wait=60s");
  CHECK(*ended.json().find("result")->find("a") == value{2});
  auto bulk = ask("POST", "/v1/jobs:retry?queue=one&state=completed").json();
  CHECK(*bulk.find("jobs") == value{0});
  CHECK(*bulk.find("refused") == value{2});
}

TEST_CASE_METHOD(task_node, "of many retries in an exclusive queue one is taken",
                 "[http][exclusive]") {
  auto first = submit(waiting);
  work("one", "1");
  REQUIRE(ask("GET", "/v1/jobs/" + first + "/result?wait=60s").status == 200);
  constexpr std::size_t clients = 8;
  std::deque<http_client> all;
  for (std::size_t i = 0; i < clients; ++i)
    all.emplace_back(server->port());
  for (auto& client : all)
    REQUIRE(client.send(client.text_of("POST", "/v1/jobs/" + first + ":retry", R"({"from":"a"})")));
  std::size_t taken = 0, refused = 0;
  for (auto& client : all)
    ++(client.read().status == 201 ? taken : refused);
  CHECK(taken == 1);
  CHECK(refused == clients - 1);
}

TEST_CASE_METHOD(task_node, "an exclusive queue may let requests wait for their turn",
                 "[http][exclusive]") {
  auto body = waiting;
  body.replace(body.find("one"), 3, "turns");
  auto first = submit(body);
  http_client second{server->port()};
  second.send(second.text_of("POST", "/v1/jobs", body));
  work("turns", "1");
  auto made = second.read();
  CHECK(made.status == 201);
  CHECK(made.text("id") != first);
  auto ended = ask("GET", "/v1/jobs/" + first).json();
  CHECK(text_in(ended, "state") == "completed");
  work("turns", "1");
  REQUIRE(ask("GET", "/v1/jobs/" + made.text("id") + "/result?wait=60s").status == 200);
}

TEST_CASE_METHOD(http_node, "one task at a time, whichever way it comes", "[http][tasks]") {
  const std::string job = R"({"queue":"tasks","graph":{"vertices":[{"id":"a","kind":"noop"}]}})";
  auto first = submit(job);
  REQUIRE(ask("GET", "/v1/jobs/" + first + "/result?wait=60s").status == 200);
  auto task = ask("POST", "/api/tasks/submit", asked).text("task_id");
  for (auto& [path, body] : {std::pair<std::string, std::string>{"/v1/jobs", job},
                             {"/v1/jobs/" + first + ":retry", ""}}) {
    auto busy = ask("POST", path, body);
    CHECK(busy.status == 409);
    CHECK(busy.text("code") == "queue_busy");
    CHECK_THAT(busy.text("detail"), Catch::Contains(task));
  }
  const std::string lines = "Content-Type: application/x-ndjson\r\n";
  CHECK_THAT(ask("POST", "/v1/jobs:batch", job, lines).body, Catch::Contains("\"status\":422"));
  CHECK(ask("POST", "/v1/jobs:batch?atomic", job, lines).status == 422);
  auto bulk = ask("POST", "/v1/jobs:retry?queue=tasks&state=completed").json();
  CHECK(*bulk.find("refused") == value{1});
  CHECK(ask("GET", "/v1/jobs?queue=tasks").json().find("jobs")->items()->size() == 2);
}

TEST_CASE_METHOD(task_node, "an earlier request is answered as ever while the queue is busy",
                 "[http][exclusive]") {
  for (std::string queue : {"one", "turns"}) {
    auto body = waiting;
    body.replace(body.find("one"), 3, queue);
    const std::string key = "Idempotency-Key: early\r\n";
    auto first = ask("POST", "/v1/jobs", body, key);
    REQUIRE(first.status == 201);
    work(queue, "1");
    REQUIRE(ask("GET", "/v1/jobs/" + first.text("id") + "/result?wait=60s").status == 200);
    auto other = submit(body);
    auto again = ask("POST", "/v1/jobs", body, key);
    CHECK(again.status == 200);
    CHECK(again.text("id") == first.text("id"));
    CHECK(again.fields["idempotency-replayed"] == "true");
    auto changed = ask("POST", "/v1/jobs", body + " ", key);
    CHECK(changed.status == 422);
    CHECK(changed.text("code") == "idempotency_conflict");
    CHECK_FALSE(other == first.text("id"));
  }
}

TEST_CASE("an earlier request is answered as ever while the disk is full",
          "[http][exclusive][full]") {
  tests::temp_dir dir;
  runtime_config config;
  config.data_dir = dir.path();
  const std::string key = "Idempotency-Key: early\r\n",
                    noop = R"("graph":{"vertices":[)"
                           R"({"id":"a","kind":"noop"}]}})",
                    one = R"({"queue":"one",)" + noop,
                    lines = R"({"idempotency_key":"a",)" + noop
                            + "\n"
                              R"({"idempotency_key":"b",)"
                            + noop;
  auto requests = [&](task_node& node, const std::string& more = "") {
    const std::string ndjson = "Content-Type: application/x-ndjson\r\n";
    return std::array{node.ask("POST", "/v1/jobs", one + more, key),
                      node.ask("POST", "/api/tasks/submit", asked + more, key),
                      node.ask("POST", "/v1/jobs:batch?atomic=true", lines + more, ndjson)};
  };
  std::string job, task;
  {
    task_node node{config};
    auto made = requests(node);
    job = made[0].text("id");
    task = made[1].text("task_id");
    REQUIRE(node.ask("GET", "/v1/jobs/" + job + "/result?wait=60s").status == 200);
    REQUIRE(made[2].status == 200);
  }
  config.min_free_bytes = std::uint64_t{1} << 60;
  task_node full{config};
  auto again = requests(full);
  CHECK(again[0].status == 200);
  CHECK(again[0].text("id") == job);
  CHECK(again[1].text("task_id") == task);
  CHECK(again[2].status == 200);
  CHECK_THAT(again[2].body, Catch::Contains("\"replayed\":true"));
  for (auto& x : requests(full, " "))
    CHECK(x.text("code") == "idempotency_conflict");
  CHECK(full.ask("POST", "/v1/jobs", one, "Idempotency-Key: new\r\n").status == 507);
  auto more = lines
              + "\n"
                R"({"idempotency_key":"c",)"
              + noop;
  http_client batch{full.server->port()};
  CHECK(
      batch
          .ask("POST", "/v1/jobs:batch?atomic=true", more, "Content-Type: application/x-ndjson\r\n")
          .status
      == 507);
}

TEST_CASE_METHOD(task_node, "who waits for a turn is told that the node ends",
                 "[http][exclusive]") {
  auto body = waiting;
  body.replace(body.find("one"), 3, "turns");
  auto first = submit(body);
  http_client second{server->port()};
  second.send(second.text_of("POST", "/v1/jobs", body));
  REQUIRE_FALSE(second.hears(std::chrono::milliseconds{100}));
  server->shut(tests::http_patience);
  auto told = second.read();
  CHECK(told.status == 503);
  CHECK(told.text("code") == "closing");
  CHECK(told.fields.contains("retry-after"));
}

TEST_CASE_METHOD(http_node, "a key makes one job by every way to make one", "[http][keys]") {
  const std::string key = "Idempotency-Key: k\r\n", other_key = "Idempotency-Key: k2\r\n";
  auto first = ended(R"({"graph":{"vertices":[{"id":"a","kind":"noop"}]}})");
  const auto retry = "/v1/jobs/" + first + ":retry";
  auto made = ask("POST", retry, R"({"from":"a"})", key);
  REQUIRE(made.status == 201);
  auto again = ask("POST", retry, R"({"from":"a"})", key);
  CHECK(again.status == 200);
  CHECK(again.text("id") == made.text("id"));
  CHECK(again.fields["idempotency-replayed"] == "true");
  CHECK(again.fields["location"] == "/v1/jobs/" + made.text("id"));
  CHECK(ask("POST", retry, "", key).text("code") == "idempotency_conflict");
  CHECK(ask("POST", retry, "", "Idempotency-Key: a b\r\n").status == 422);
  auto task = ask("POST", "/api/tasks/submit", asked, key);
  auto same = ask("POST", "/api/tasks/submit", asked, key);
  CHECK(is_true(same, "success"));
  CHECK(same.text("task_id") == task.text("task_id"));
  CHECK(same.fields["idempotency-replayed"] == "true");
  const std::string
      build = "/api/v1/build/f/flow",
      flow =
          R"({"data":{"nodes":[{"id":"C-1",)"
          R"("type":"genericNode","data":{"id":"C-1","type":"ChatInput","node":{"template":{},)"
          R"("outputs":[{"name":"m"}]}}}],"edges":[]},"inputs":{"input_value":"hi","session":"s"}})";
  auto built = ask("POST", build, flow, other_key);
  REQUIRE(built.status == 200);
  CHECK(ask("POST", build, flow, other_key).text("job_id") == built.text("job_id"));
  CHECK(ask("POST", build + "?flow_name=g", flow, other_key).status == 422);
  CHECK(ask("GET", "/v1/jobs").json().find("jobs")->items()->size() == 4);
}

TEST_CASE_METHOD(http_node, "a task or flow whose job is gone is told so", "[http][keys]") {
  const std::string key = "Idempotency-Key: k\r\n", build = "/api/v1/build/f/flow";
  auto task = ask("POST", "/api/tasks/submit", asked, key).text("task_id");
  auto flow = R"({"data":)" + tests::flow_json({{"ChatInput-1"}}, {}) + "}";
  auto polled = ask("POST", build, flow, key).text("job_id");
  ask("POST", build + "?event_delivery=direct", flow, "Idempotency-Key: k2\r\n");
  REQUIRE(ask("POST", "/api/tasks/stop").status == 200);
  for (auto& id : {task, polled})
    REQUIRE(ask("GET", "/v1/jobs/" + id + "/result?wait=60s").status == 200);
  CHECK_FALSE(is_true(ask("POST", build, flow, key), "deleted"));
  for (auto state : {"stopped", "completed"})
    REQUIRE(ask("POST", std::string{"/v1/jobs:purge?state="} + state).status == 200);
  auto again = ask("POST", "/api/tasks/submit", asked, key);
  CHECK(again.text("task_id") == task);
  CHECK(is_true(again, "deleted"));
  auto told = ask("POST", build, flow, key);
  CHECK(told.text("job_id") == polled);
  CHECK(is_true(told, "deleted"));
  auto direct = ask("POST", build + "?event_delivery=direct", flow, "Idempotency-Key: k2\r\n");
  CHECK(direct.status == 200);
  CHECK(direct.fields["idempotency-replayed"] == "true");
  CHECK_THAT(direct.body, Catch::Contains("was deleted") && Catch::Contains(R"("event": "error")")
                              && Catch::EndsWith("{\"event\": \"end\", \"data\": {}}\n\n"));
}

TEST_CASE_METHOD(http_node, "a key that would do nothing is refused", "[http][keys]") {
  const std::string key = "Idempotency-Key: k\r\n";
  auto batch = ask("POST", "/v1/jobs:batch", "{}\n",
                   key + "Content-Type: application/x-ndjson\r\nConnection: close\r\n");
  CHECK(batch.status == 400);
  CHECK_THAT(batch.text("detail"), Catch::Contains("idempotency_key"));
  http_client next{server->port()};
  CHECK(next.ask("POST", "/v1/jobs:retry?state=failed", "", key).status == 400);
}
