#include "tests/e2e/node.hpp"
#include "tests/support/http_client.hpp"

#include <deque>
#include <iostream>
#include <random>
#include <sys/resource.h>

using namespace troupe;
using namespace troupe::tests;

namespace {

constexpr std::size_t idle_wanted = 10'000;
constexpr std::size_t files_of_its_own = 300; ///< That a process needs beside its connections.
constexpr std::size_t reserved = 100;         ///< Connections that a node keeps for operators.
constexpr std::size_t opened_at_once = 250;   ///< Between two looks at how the node answers.
constexpr std::size_t refused_wanted = 50;
constexpr std::size_t bad_clients = 100; ///< Of each sort.
constexpr int drip_every = 10;           ///< Rounds of another client.

const std::string noop = R"({"graph":{"vertices":[{"id":"a","kind":"noop"}]}})";

/// As many open files as this system allows; a node does the same.
std::size_t files_allowed() {
  rlimit x{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &x) == 0);
  x.rlim_cur = x.rlim_max;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &x) == 0);
  return x.rlim_max;
}

std::uint64_t chosen_seed() {
  auto set = std::getenv("TROUPE_SEED");
  auto seed = set ? std::strtoull(set, nullptr, 0) : std::random_device{}();
  std::cout << "bad clients: TROUPE_SEED=" << seed << std::endl;
  return seed;
}

/// Somebody with work for the node, on one connection: each request is answered, as ever.
class good_client {
public:
  explicit good_client(std::uint16_t port) : c_(port) {}

  void work() {
    auto made = c_.ask("POST", "/v1/jobs", noop);
    REQUIRE(made.status == 201);
    auto ended = c_.ask("GET", "/v1/jobs/" + made.text("id") + "/result?wait=60s");
    REQUIRE(ended.status == 200);
    REQUIRE(ended.text("state") == "completed");
    REQUIRE(c_.ask("GET", "/livez").status == 200);
    served += 3;
  }
  /// The value of a metric, labels and all; none: 0.
  std::uint64_t metric(const std::string& name) {
    auto text = c_.ask("GET", "/metrics").body;
    auto at = text.find("\n" + name + " ");
    return at == text.npos ? 0 : std::stoull(text.substr(at + name.size() + 2));
  }

  std::size_t served = 0;

private:
  http_client c_;
};

/// What a new client is answered; 503: there is no room for it.
int status_for_a_new_client(std::uint16_t port) {
  http_client c{port};
  REQUIRE(c.connected());
  auto answer = c.ask("GET", "/livez", {}, "Connection: close\r\n");
  if (answer.status == 503)
    CHECK(answer.fields["retry-after"] == "1");
  return answer.status;
}

using clients = std::deque<http_client>;

std::string random_bytes(std::mt19937_64& random, std::size_t most) {
  std::string text(1 + random() % most, '\0');
  for (auto& c : text)
    c = static_cast<char>(random());
  return text;
}

/// Bytes, or a request in which some bytes are others.
std::string garbage(std::mt19937_64& random) {
  if (random() % 2 == 0)
    return random_bytes(random, 4000);
  std::string text =
      "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: "
      + std::to_string(noop.size()) + "\r\n\r\n" + noop;
  for (auto n = 1 + random() % 8; n > 0; --n)
    text[random() % text.size()] = static_cast<char>(random());
  return text;
}

/// Reads what a server says to garbage, up to its end.
void check_refused(http_client& x) {
  auto answer = x.read();
  if (answer.status == 0)
    return;
  INFO(answer.status << ": " << answer.body);
  CHECK(((answer.status >= 400 && answer.status < 500) || answer.status == 201));
  if (answer.status >= 400)
    CHECK_FALSE(answer.text("code").empty());
}

} // namespace

TEST_CASE("random bytes and half requests keep nobody from being served", "[crowd]") {
  std::mt19937_64 random{chosen_seed()};
  scratch in;
  served_node node{in};
  good_client good{node.port()};
  clients half;
  for (std::size_t i = 0; i < bad_clients; ++i) {
    http_client bytes{node.port()};
    auto sent = garbage(random);
    bytes.send(sent);
    bytes.finish();
    auto whole = half.emplace_back(node.port()).text_of("POST", "/v1/jobs", noop);
    half.back().send(whole.substr(0, random() % whole.size()));
    good.work();
    CAPTURE(i);
    check_refused(bytes);
  }
  good.work();
  for (auto& x : half)
    CHECK(x.heard() == ""); // They have time yet.
  std::cout << good.served << " requests were answered beside them" << std::endl;
  node.send(SIGTERM);
  half.clear();
  CHECK(node.wait().code == 0);
}

TEST_CASE("who sends drop by drop is cut off, and others are served meanwhile", "[crowd]") {
  variable header{"TROUPE_HTTP_HEADER_TIMEOUT", "2s"}, body{"TROUPE_HTTP_READ_TIMEOUT", "2s"};
  scratch in;
  served_node node{in};
  good_client good{node.port()};
  clients slow;
  for (std::size_t i = 0; i < bad_clients; ++i)
    slow.emplace_back(node.port())
        .send(i % 2 ? "GET /livez HTTP/1.1\r\nHost: localhost\r\nX: "
                    : "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\n"
                      "Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n");
  std::size_t cut = 0;
  auto until = std::chrono::steady_clock::now() + patience;
  for (int round = 0; cut < slow.size(); ++round) {
    REQUIRE(std::chrono::steady_clock::now() < until);
    good.work();
    for (auto& x : slow) {
      if (!x.is_open())
        continue;
      if (!x.heard().empty()) {
        CHECK(x.read().status == 408);
        x.close();
        ++cut;
      } else if (round % drip_every == 0) {
        x.send("x");
      }
    }
  }
  std::cout << good.served << " requests were answered beside them" << std::endl;
}

TEST_CASE("thousands of idle connections keep nobody from being served", "[crowd]") {
  auto allowed = files_allowed();
  auto idle_count = std::min(idle_wanted, allowed - std::min(allowed, files_of_its_own + reserved));
  if (idle_count < idle_wanted)
    std::cout << "a process may have only " << allowed << " open files here" << std::endl;
  variable most{"TROUPE_HTTP_CONNECTIONS_MAX", std::to_string(idle_count + reserved)};
  variable time{"TROUPE_HTTP_IDLE_TIMEOUT", "1h"};
  scratch in;
  served_node node{in};
  good_client good{node.port()};
  clients idle;
  while (idle.size() + 1 < idle_count) { // With the good one.
    REQUIRE(idle.emplace_back(node.port()).connected());
    if (idle.size() % opened_at_once == 0)
      good.work();
  }
  CHECK(status_for_a_new_client(node.port()) == 200);
  const std::string in_use = R"(troupe_limit_in_use{limit="http_connections"})";
  CHECK(good.metric(in_use) >= idle_count);

  // The rest is for operators, who are not long idle there: filled faster than it empties.
  std::size_t refused = 0;
  auto until = std::chrono::steady_clock::now() + patience;
  while (refused < refused_wanted) {
    REQUIRE(std::chrono::steady_clock::now() < until);
    clients more;
    while (more.size() < reserved)
      more.emplace_back(node.port());
    for (int i = 0; i < 10; ++i)
      refused += status_for_a_new_client(node.port()) == 503;
    good.work();
  }
  CHECK(good.metric(R"(troupe_rejected_total{reason="too_many_connections"})") >= refused);
  for (auto& x : idle)
    REQUIRE_FALSE(x.hears(std::chrono::milliseconds{0})); // Nobody was cut off for them.
  std::cout << idle.size() << " idle connections, " << refused << " clients refused, "
            << good.served << " requests answered beside them" << std::endl;
  idle.clear();
  CHECK(eventually([&] { return good.metric(in_use) < reserved; }));
  CHECK(status_for_a_new_client(node.port()) == 200);
  node.send(SIGTERM);
  CHECK(node.wait().code == 0);
}
