#include "node/http/server.hpp"

#include "node/http/problem.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tls.hpp"

#include <algorithm>
#include <ctime>
#include <deque>
#include <future>
#include <mutex>
#include <set>
#include <thread>

using namespace troupe;
using namespace troupe::http;
using namespace std::chrono_literals;
using tests::http_client;

namespace {

/// Gives what the test gives it.
class fed_source : public body_source {
public:
  void next(taken then) override {
    std::unique_lock lock{mutex_};
    ++asked;
    if (pieces_.empty())
      return void(taker_ = std::move(then));
    auto piece = std::move(pieces_.front());
    pieces_.pop_front();
    lock.unlock();
    then(std::move(piece));
  }
  void feed(std::string piece) {
    std::unique_lock lock{mutex_};
    if (!taker_)
      return pieces_.push_back(std::move(piece));
    auto then = std::exchange(taker_, {});
    lock.unlock();
    then(std::move(piece));
  }
  std::string idle() override { return ": ping\n"; }
  std::string farewell(unwanted why) override {
    return why == unwanted::revoked ? "revoked\n" : "bye\n";
  }
  void cut() override { was_cut = true; }

  std::atomic<int> asked{0};
  std::atomic<bool> was_cut{false};

private:
  std::mutex mutex_;
  std::deque<std::string> pieces_;
  taken taker_;
};

constexpr std::size_t large_bytes = 64 << 20; ///< More than sockets take without a reader.

/// A server with handlers of the test.
struct fixture {
  http_options options;
  std::unique_ptr<http::server> server;
  std::promise<call_ptr> held; ///< By `/hold`.
  std::shared_ptr<fed_source> feed = std::make_shared<fed_source>();
  std::promise<unwanted> told;

  fixture() { options.port = 0; }

  void start() {
    auto opened = http::server::open(options);
    REQUIRE(opened);
    server = std::move(*opened);
    server->serve(routes());
  }

  std::vector<route> routes() {
    std::vector<route> all;
    auto echo = [](call_ptr x) { x->out({200, "text/plain", x->in.method + x->in.body}); };
    all.push_back({"GET", "/echo", echo});
    all.push_back({"POST", "/echo", echo, body_mode::json});
    all.push_back({"POST", "/act", echo, body_mode::empty, action::control});
    all.push_back({"GET", "/open", echo, body_mode::none, {}});
    all.push_back({"POST", "/work", echo, body_mode::empty, action::work});
    all.push_back({"GET", "/drop", [](call_ptr) {}});
    all.push_back({"GET", "/throw", [](call_ptr) { throw std::runtime_error{"x"}; }});
    all.push_back({"GET", "/hold", [this](call_ptr x) {
                     x->out.when_unwanted([this](unwanted why) { told.set_value(why); });
                     held.set_value(x);
                   }});
    all.push_back({"POST", "/change",
                   [this](call_ptr x) {
                     x->out.when_unwanted([this](unwanted why) { told.set_value(why); });
                     held.set_value(x);
                   },
                   body_mode::json});
    all.push_back({"GET", "/stream", [this](call_ptr x) {
                     response out{200, "text/plain"};
                     out.stream = feed;
                     x->out(std::move(out));
                   }});
    all.push_back({"POST", "/upper",
                   [](call_ptr x) {
                     response out{200, "text/plain"};
                     out.stream = x->in.stream;
                     x->out(std::move(out));
                   },
                   body_mode::ndjson});
    auto large = [](call_ptr x) { x->out({200, "text/plain", std::string(large_bytes, 'x')}); };
    all.push_back({"GET", "/large", large});
    all.push_back({"POST", "/large", large, body_mode::empty});
    all.push_back({"POST", "/first", answer_first_piece, body_mode::ndjson});
    return all;
  }

  /// Does not ask for what follows the first piece of a body.
  static void answer_first_piece(call_ptr x) {
    x->in.stream->next([x](result<std::string> piece) {
      x->out({413, "text/plain", piece ? *piece : "none came"});
    });
  }

  http_client client() { return http_client{server->port()}; }

  /// Looks until `fact` holds. False: it did not within the patience.
  static bool eventually(const std::function<bool()>& fact) {
    auto until = std::chrono::steady_clock::now() + tests::http_patience;
    while (!fact()) {
      if (std::chrono::steady_clock::now() > until)
        return false;
      std::this_thread::yield();
    }
    return true;
  }
  void wait_for_connections(std::size_t n) {
    REQUIRE(eventually([&] { return server->connections() == n; }));
  }
};

std::string code_of(const tests::http_reply& x) { return x.text("code"); }

} // namespace

TEST_CASE_METHOD(fixture, "requests of one connection are answered in order", "[http][server]") {
  start();
  auto c = client();
  for (int i = 0; i < 3; ++i)
    CHECK(c.ask("POST", "/echo", "{}").body == "POST{}");
  c.send(c.text_of("POST", "/echo", "1") + c.text_of("POST", "/echo", "2")
         + c.text_of("GET", "/echo"));
  CHECK(c.read().body == "POST1");
  CHECK(c.read().body == "POST2");
  CHECK(c.read().body == "GET");
  CHECK(c.ask("HEAD", "/echo").fields["content-length"] == "4");
  CHECK(c.ask("GET", "/echo", {}, "Connection: close\r\n").body == "GET");
  CHECK(c.ends());
}

TEST_CASE_METHOD(fixture, "a request may come byte by byte, and its body in chunks",
                 "[http][server]") {
  start();
  auto c = client();
  std::string text = "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n1;x=y\r\n]\r\n0\r\n\r\n";
  for (auto byte : text)
    c.send({&byte, 1});
  CHECK(c.read().body == "POST[1]");
  CHECK(c.ask("GET", "/echo").body == "GET");
}

TEST_CASE_METHOD(fixture, "what is no HTTP gets 400 and the end", "[http][server]") {
  start();
  for (auto text :
       {"hello\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01\x02\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
        "GET /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET /echo HTTP/1.1\r\n\r\n", "GET /echo HTTP/1.1\r\nHost: localhost:99999\r\n\r\n",
        "GET http:///echo HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "POST /echo HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    auto c = client();
    c.send(text);
    INFO(text);
    auto x = c.read();
    CHECK(x.status == 400);
    CHECK(code_of(x) == "bad_request");
  }
}

TEST_CASE_METHOD(fixture, "each bad request has its status, code and next step", "[http][server]") {
  options.body_bytes_max = 100;
  options.authenticate = [](std::string_view key) -> result<principal> {
    if (key == "good")
      return principal{"k", "v", {}, role::viewer};
    return error{ec::invalid_spec, "no such key"};
  };
  start();
  struct row {
    std::string method, target, body, fields;
    int status;
    std::string code;
  };
  const std::string key = "Authorization: Bearer good\r\n";
  for (auto& x : std::vector<row>{
           {"GET", "/nothing", "", key, 404, "no_such_route"},
           {"PUT", "/echo", "", key, 405, "wrong_method"},
           {"GET", "/echo", "", "", 401, "no_key"},
           {"GET", "/echo", "", "Authorization: Bearer bad\r\n", 401, "no_key"},
           {"POST", "/act", "", key, 403, "forbidden"},
           {"POST", "/echo", "x", key + "Content-Type: text/plain\r\n", 415, "wrong_media_type"},
           {"POST", "/echo", "", key, 415, "wrong_media_type"},
           {"POST", "/echo", "{}", key + "Content-Type: application/json; charset=latin1\r\n", 415,
            "wrong_media_type"},
           {"POST", "/echo", std::string(101, ' '), key, 413, "body_too_large"},
           {"GET", "/echo?a=%zz", "", key, 400, "bad_query"},
           {"GET", "/%zz", "", key, 404, "no_such_route"},
           {"GET", "/echo", "{}", key, 400, "bad_request"},
           {"GET", "/echo", "", key + "Origin: https://evil.example\r\n", 403, "foreign_origin"},
           {"GET", "/echo", "", key + "X: " + std::string(20'000, 'x') + "\r\n", 431,
            "header_too_large"},
       }) {
    auto c = client();
    INFO(x.method << ' ' << x.target << ' ' << x.code);
    auto got = c.ask(x.method, x.target, x.body, x.fields);
    CHECK(got.status == x.status);
    CHECK(code_of(got) == x.code);
    CHECK(got.fields["content-type"] == "application/problem+json");
    CHECK_FALSE(got.text("next").empty());
    CHECK_FALSE(got.text("detail").empty());
  }
  auto c = client();
  c.send("GET /echo HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  auto foreign = c.read();
  CHECK(code_of(foreign) == "foreign_host");
  CHECK(foreign.body.find("`evil.example`") != std::string::npos);
  auto d = client();
  CHECK(d.ask("PUT", "/echo", "", key).fields["allow"] == "GET, POST, HEAD");
  CHECK(d.ask("GET", "/open").status == 200);
  CHECK(d.ask("GET", "/echo", "", key).status == 200);
  CHECK(d.ask("GET", "/echo").fields["www-authenticate"] == "Bearer");
}

TEST_CASE_METHOD(fixture, "a header that there must be one of is refused twice", "[http][server]") {
  start();
  for (std::string line : {"Host: localhost", "Authorization: Bearer a", "Content-Length: 2",
                           "Content-Type: application/json", "Idempotency-Key: a",
                           "Last-Event-ID: 1", "Origin: http://localhost"}) {
    INFO(line);
    auto host = line.starts_with("Host") ? "" : "Host: localhost\r\n";
    auto c = client();
    c.send("POST /echo HTTP/1.1\r\n" + (host + line) + "\r\nx-other: 1\r\n" + line + "\r\n\r\n{}");
    auto got = c.read();
    CHECK(got.status == 400);
    CHECK(code_of(got) == "repeated_header");
    CHECK(got.text("detail").find(line.substr(0, line.find(':'))) != std::string::npos);
  }
  auto c = client();
  CHECK(c.ask("GET", "/echo", "", "Accept: a\r\nAccept: b\r\n").status == 200);
}

TEST_CASE_METHOD(fixture, "a body in a coding that nobody takes off is refused", "[http][server]") {
  start();
  auto ask = [&](const std::string& fields, const std::string& body = "{}") {
    auto c = client();
    c.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" + fields
           + "\r\n" + body);
    auto got = c.read();
    if (got.status == 501)
      CHECK(c.ends()); // Nobody knows where the body ends.
    return got;
  };
  for (std::string coding :
       {"gzip, chunked", "gzip", "chunked, gzip", "chunked, chunked", "", "x"}) {
    INFO(coding);
    auto got = ask("Transfer-Encoding: " + coding + "\r\n", "0\r\n\r\n");
    CHECK(got.status == 501);
    CHECK(code_of(got) == "transfer_coding");
    CHECK_FALSE(got.text("next").empty());
  }
  CHECK(ask("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n").status
        == 501);
  CHECK(ask("Transfer-Encoding: Chunked\r\n", "2\r\n{}\r\n0\r\n\r\n").body == "POST{}");
  auto zipped = ask("Content-Encoding: gzip\r\nContent-Length: 2\r\n");
  CHECK(zipped.status == 415);
  CHECK(code_of(zipped) == "content_coding");
  CHECK(zipped.fields["accept-encoding"] == "identity");
  CHECK(ask("Content-Encoding: identity\r\nContent-Length: 2\r\n").body == "POST{}");
}

TEST_CASE_METHOD(fixture, "a page of an allowed origin may call and read what it gets",
                 "[http][server][cors]") {
  options.allowed_origins = {"https://page.example"};
  options.authenticate = [](std::string_view key) -> result<principal> {
    if (key == "good")
      return principal{"k", "v", {}, role::admin};
    return error{ec::invalid_spec, "no such key"};
  };
  start();
  const std::string page = "Origin: https://Page.Example\r\n",
                    key = "Authorization: Bearer good\r\n";
  const std::string asks = "Access-Control-Request-Method: POST\r\n"
                           "Access-Control-Request-Headers: authorization,content-type\r\n";
  auto c = client();
  auto before = c.ask("OPTIONS", "/echo", "", page + asks); // Without a key: a browser sends none.
  CHECK(before.status == 204);
  CHECK(before.fields["access-control-allow-origin"] == "https://Page.Example");
  CHECK(before.fields["access-control-allow-methods"] == "GET, POST, HEAD");
  CHECK_THAT(before.fields["access-control-allow-headers"], Catch::Contains("Authorization"));
  CHECK(before.fields["access-control-max-age"] == "600");
  CHECK_FALSE(before.fields.contains("access-control-allow-credentials"));
  auto refused = c.ask("GET", "/echo", "", page);
  for (auto& x :
       {c.ask("POST", "/echo", "{}", page + key), refused, c.ask("GET", "/nothing", "", page),
        c.ask("OPTIONS", "/nothing", "", page + asks)}) {
    auto fields = x.fields;
    CHECK(fields["access-control-allow-origin"] == "https://Page.Example");
    CHECK(fields["vary"] == "Origin");
    CHECK_THAT(fields["access-control-expose-headers"], Catch::Contains("Location"));
  }
  CHECK(refused.status == 401);
  c.send(c.text_of("GET", "/stream", "", page + key));
  CHECK(c.read_head().fields["access-control-allow-origin"] == "https://Page.Example");
  feed->feed("");
}

TEST_CASE_METHOD(fixture, "who is not allowed gets no word for browsers", "[http][server][cors]") {
  const std::string asks = "Access-Control-Request-Method: POST\r\n";
  start();
  auto has_word = [](const tests::http_reply& x) {
    return std::ranges::any_of(
        x.fields, [](auto& field) { return field.first.starts_with("access-control-"); });
  };
  auto c = client();
  auto own = "Origin: http://localhost:" + std::to_string(server->port()) + "\r\n";
  const std::string evil = "Origin: https://evil.example\r\n";
  for (auto& [fields, status] : {std::pair{evil, 403}, {own, 405}, {std::string{}, 405}}) {
    auto got = c.ask("OPTIONS", "/echo", "", fields + asks);
    CHECK(got.status == status);
    CHECK_FALSE(has_word(got));
    CHECK_FALSE(got.fields.contains("vary")); // It is off.
  }
  CHECK_FALSE(has_word(c.ask("GET", "/echo", "", own)));
  options.allowed_origins = {"https://page.example"};
  server->change(options);
  auto d = client();
  CHECK(d.ask("OPTIONS", "/echo", "", evil + asks).status == 403);
  CHECK_FALSE(has_word(d.ask("GET", "/echo", "", evil)));
  auto open = d.ask("GET", "/echo");
  CHECK_FALSE(has_word(open));
  CHECK(open.fields["vary"] == "Origin");
  const std::string page = "Origin: https://page.example\r\n";
  CHECK(d.ask("OPTIONS", "/echo", "", page).status == 405); // No browser asks so.
  CHECK(has_word(d.ask("GET", "/echo", "", page)));
  CHECK_FALSE(has_word(d.ask("GET", "/echo"))); // Of the request before, nothing is left.
}

TEST_CASE_METHOD(fixture, "a target in absolute form names the host", "[http][server]") {
  start();
  auto ask = [&](const std::string& target, const std::string& host) {
    auto c = client();
    c.send("GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
    return c.read();
  };
  CHECK(ask("http://localhost/echo", "localhost").body == "GET");
  CHECK(ask("HTTP://localhost:80/echo?a=1", "evil.example").body == "GET"); // RFC 9112, 3.2.2.
  CHECK(code_of(ask("http://evil.example/echo", "localhost")) == "foreign_host");
  CHECK(code_of(ask("http://localhost@evil.example/echo", "localhost")) == "foreign_host");
  CHECK(ask("http://localhost:99999/echo", "localhost").status == 400);
  CHECK(ask("http://localhost", "localhost").status == 404);
  CHECK(ask("http://localhost?a=%zz", "localhost").status == 404);
  CHECK(ask("ftp://localhost/echo", "localhost").status == 404);
}

TEST_CASE_METHOD(fixture, "a body without a length is too large as soon as it is",
                 "[http][server]") {
  options.body_bytes_max = 10;
  start();
  auto c = client();
  c.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
         "Transfer-Encoding: chunked\r\n\r\nff\r\n"
         + std::string(255, ' '));
  CHECK(c.read().status == 413);
  CHECK(c.ends());
}

TEST_CASE_METHOD(fixture, "bodies that come are bounded together, and small ones have room",
                 "[http][server][bodies]") {
  constexpr std::size_t kib = 1024;
  options.bodies_bytes_max = 1024 * kib;
  std::promise<std::string> rejected;
  options.rejected = [&](std::string_view reason) { rejected.set_value(std::string{reason}); };
  start();
  auto first = client(), second = client(), third = client();
  auto body = "\"" + std::string(750 * kib, 'x') + "\"";
  auto request = first.text_of("POST", "/echo", body);
  first.send(request.substr(0, request.size() - 1));
  CHECK(eventually([&] { return server->body_bytes() == body.size() - 1; }));

  second.send(second.text_of("POST", "/echo", body).substr(0, 200 * kib));
  auto refused = second.read();
  CHECK(refused.status == 429);
  CHECK(code_of(refused) == "overloaded");
  CHECK(refused.fields["retry-after"] == "1");
  CHECK(refused.fields["connection"] == "close");
  CHECK(rejected.get_future().get() == "overloaded");
  CHECK(third.ask("POST", "/echo", "\"" + std::string(60 * kib, 'x') + "\"").status == 200);

  first.send(request.substr(request.size() - 1));
  CHECK(first.read().status == 200);
  CHECK(eventually([&] { return server->body_bytes() == 0; }));
  CHECK(third.ask("POST", "/echo", body).status == 200);
}

TEST_CASE_METHOD(fixture, "what goes without its body's end gives its room back",
                 "[http][server][bodies]") {
  start();
  {
    auto c = client();
    c.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
           "Content-Length: 1000\r\n\r\n"
           + std::string(999, ' '));
    CHECK(eventually([&] { return server->body_bytes() == 999; }));
  }
  CHECK(eventually([&] { return server->body_bytes() == 0; }));
}

TEST_CASE_METHOD(fixture, "a client that waits to be told goes on is told", "[http][server]") {
  start();
  auto c = client();
  c.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
         "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  CHECK(c.read().status == 100);
  c.send("{}");
  CHECK(c.read().body == "POST{}");
}

TEST_CASE_METHOD(fixture, "who is slow is cut off", "[http][server]") {
  options.header_time = options.idle_time = options.body_time = 50ms;
  start();
  auto idle = client(), slow = client(), half = client();
  slow.send("GET /echo HTTP/1.1\r\nHost: local");
  half.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            "Content-Length: 9\r\n\r\n{");
  CHECK(idle.ends());
  CHECK(slow.read().status == 408);
  CHECK(slow.ends());
  CHECK(half.read().status == 408);
}

TEST_CASE_METHOD(fixture, "a body that comes drop by drop is cut off as a whole",
                 "[http][server]") {
  options.body_time = 400ms; // Each byte is in time.
  start();
  auto c = client();
  c.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
         "Content-Length: 1000000\r\n\r\n");
  auto until = std::chrono::steady_clock::now() + tests::http_patience;
  while (!c.hears(10ms) && std::chrono::steady_clock::now() < until)
    c.send("1");
  REQUIRE(c.hears(0ms));
  CHECK(c.read().status == 408);
}

TEST_CASE_METHOD(fixture, "a request that nobody answers gets 500", "[http][server]") {
  start();
  auto c = client();
  CHECK(code_of(c.ask("GET", "/drop")) == "unexpected_fault");
  CHECK(c.ask("GET", "/throw").status == 500);
  CHECK(c.ask("GET", "/echo").status == 200);
}

TEST_CASE_METHOD(fixture, "an answer may come from any thread, once", "[http][server]") {
  start();
  auto c = client();
  c.send(c.text_of("GET", "/hold"));
  auto call = held.get_future().get();
  std::jthread other{[call] {
    call->out({200, "text/plain", "first"});
    call->out({200, "text/plain", "second"});
  }};
  CHECK(c.read().body == "first");
  CHECK(c.ask("GET", "/echo").body == "GET");
}

TEST_CASE_METHOD(fixture, "a handler is told when its client goes", "[http][server]") {
  start();
  {
    auto c = client();
    c.send(c.text_of("GET", "/hold"));
    held.get_future().wait();
  }
  CHECK(told.get_future().get() == unwanted::gone);
}

TEST_CASE_METHOD(fixture, "a handler is told when its client ends TLS", "[http][server]") {
  tests::temp_dir directory;
  auto files = tests::self_signed(directory.path(), "own");
  options.tls_cert = files.cert;
  options.tls_key = files.key;
  start();
  tests::tls_client c{server->port(), files.cert};
  REQUIRE(c.send("GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n"
                 "GET /hold HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  held.get_future().wait();
  c.finish();
  auto why = told.get_future();
  REQUIRE(why.wait_for(tests::http_patience) == std::future_status::ready);
  CHECK(why.get() == unwanted::gone);
}

TEST_CASE_METHOD(fixture, "a client that was waited for can go on", "[http][server]") {
  tests::temp_dir directory;
  auto files = tests::self_signed(directory.path(), "own");
  options.tls_cert = files.cert;
  options.tls_key = files.key;
  start();
  tests::tls_client c{server->port(), files.cert};
  REQUIRE(c.send("GET /hold HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  held.get_future().get()->out({200, "text/plain", "held"});
  auto rest = c.ask("POST /act HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  CHECK(rest.find("\r\n\r\nheld") != rest.npos);
  CHECK(rest.ends_with("\r\n\r\nPOST"));
}

TEST_CASE_METHOD(fixture, "nobody is told of anything once the answer is written",
                 "[http][server]") {
  start();
  auto c = client();
  c.send(c.text_of("GET", "/hold"));
  auto call = held.get_future().get();
  call->out({200});
  CHECK(c.read().status == 200);
  CHECK(c.ask("GET", "/echo").status == 200); // The exchange is over.
  std::atomic<bool> called = false;
  call->out.when_unwanted([&](unwanted) { called = true; });
  call->out.after(0ms, [&] { called = true; });
  CHECK(c.ask("GET", "/echo").status == 200);
  server->shut(60s);
  CHECK_FALSE(called);
}

TEST_CASE_METHOD(fixture, "a stream goes out as it comes, with pings between", "[http][server]") {
  options.ping_interval = 20ms;
  start();
  auto c = client();
  c.send(c.text_of("GET", "/stream"));
  CHECK(c.read_head().fields["transfer-encoding"] == "chunked");
  std::string piece;
  REQUIRE(c.read_chunk(piece));
  CHECK(piece == ": ping\n");
  feed->feed("one\n");
  while (piece == ": ping\n")
    REQUIRE(c.read_chunk(piece));
  CHECK(piece == "one\n");
  feed->feed("");
  do
    REQUIRE(c.read_chunk(piece));
  while (piece == ": ping\n");
  CHECK(piece.empty());
  CHECK(c.ask("GET", "/echo").body == "GET");
}

TEST_CASE_METHOD(fixture, "a stream asks for no more than its reader takes", "[http][server]") {
  options.write_time = 100ms;
  start();
  auto c = client();
  constexpr int pieces = 400;
  for (int i = 0; i < pieces; ++i)
    feed->feed(std::string(64 << 10, 'x'));
  c.send(c.text_of("GET", "/stream"));
  while (server->connections() > 0) // Nobody reads: it is cut off.
    std::this_thread::yield();
  CHECK(feed->asked < pieces);
  CHECK(feed->was_cut);
}

TEST_CASE_METHOD(fixture, "a slow reader of a large answer that goes on reading gets it whole",
                 "[http][server][large]") {
  options.write_time = 1s;
  start();
  auto c = client();
  c.send(c.text_of("GET", "/large", {}, "Connection: close\r\n"));
  const auto step = large_bytes / 512;
  const auto begun = std::chrono::steady_clock::now();
  std::size_t come = 0;
  for (std::size_t n = 1; n > 0; come += n) {
    const auto due = begun + 2 * options.write_time * come / large_bytes;
    while (std::chrono::steady_clock::now() < due)
      ::poll(nullptr, 0, 1);
    n = c.skip(step);
  }
  CHECK(come > large_bytes); // With its header.
}

TEST_CASE_METHOD(fixture, "large answers that nobody takes are bounded together",
                 "[http][server][large]") {
  options.answers_bytes_max = 1 << 20;
  std::promise<std::string> rejected;
  options.rejected = [&](std::string_view reason) { rejected.set_value(std::string{reason}); };
  start();
  auto idle = std::make_unique<http_client>(server->port());
  auto other = client();
  idle->send(idle->text_of("GET", "/large"));
  CHECK(idle->read_head().status == 200); // It is alone.
  CHECK(server->answer_bytes() == large_bytes);
  auto refused = other.ask("GET", "/large");
  REQUIRE(refused.status == 429);
  CHECK(code_of(refused) == "overloaded");
  CHECK(refused.fields["retry-after"] == "1");
  CHECK(rejected.get_future().get() == "overloaded");
  CHECK(other.ask("GET", "/echo").status == 200);
  CHECK(other.ask("POST", "/large").body.size() == large_bytes); // Who changes is answered.
  idle.reset();
  CHECK(eventually([&] { return server->answer_bytes() == 0; }));
  CHECK(other.ask("GET", "/large").body.size() == large_bytes);
  CHECK(eventually([&] { return server->answer_bytes() == 0; }));
}

TEST_CASE_METHOD(fixture, "who sends far too much can read that it is too much",
                 "[http][server][large]") {
  options.body_bytes_max = 100;
  start();
  auto c = client();
  CHECK(c.send(c.text_of("POST", "/echo", std::string(16 << 20, ' '))));
  CHECK(c.read().status == 413);
}

TEST_CASE_METHOD(fixture, "a reader that goes by itself is not cut off", "[http][server]") {
  start();
  {
    auto c = client();
    c.send(c.text_of("GET", "/stream"));
    CHECK(c.read_head().status == 200);
  }
  wait_for_connections(0);
  CHECK_FALSE(feed->was_cut);
}

TEST_CASE_METHOD(fixture, "a body streams in while the answer streams out", "[http][server]") {
  start();
  auto c = client();
  c.send("POST /upper HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
         "Transfer-Encoding: chunked\r\n\r\n");
  CHECK(c.read_head().status == 200);
  std::string piece;
  for (std::string text : {"a\n", "b\n"}) {
    c.send("2\r\n" + text + "\r\n");
    REQUIRE(c.read_chunk(piece));
    CHECK(piece == text);
  }
  c.send("0\r\n\r\n");
  REQUIRE(c.read_chunk(piece));
  CHECK(piece.empty());
}

TEST_CASE_METHOD(fixture, "who refuses a body that came whole can be asked again",
                 "[http][server]") {
  start();
  auto c = client();
  auto refused = c.ask("POST", "/first", "12", "Content-Type: application/x-ndjson\r\n");
  CHECK(refused.status == 413);
  CHECK(refused.body == "12");
  CHECK_FALSE(refused.fields.contains("connection"));
  CHECK(c.ask("GET", "/echo").body == "GET");
}

TEST_CASE_METHOD(fixture, "who refuses a body that comes says that the connection ends",
                 "[http][server]") {
  start();
  auto c = client();
  c.send("POST /first HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
         "Content-Length: 4\r\n\r\n12");
  auto refused = c.read();
  CHECK(refused.status == 413);
  CHECK(refused.fields["connection"] == "close");
  CHECK(c.ends());
}

TEST_CASE_METHOD(fixture, "the last connections are kept for operators", "[http][server]") {
  options.connections_max = 3;
  options.connections_reserved = 1;
  std::atomic<int> rejected = 0;
  options.rejected = [&](std::string_view) { ++rejected; };
  options.authenticate = [](std::string_view key) -> result<principal> {
    return principal{std::string{key}, "", {}, key == "o" ? role::operator_ : role::viewer};
  };
  start();
  auto first = client(), second = client();
  CHECK(first.ask("GET", "/echo").status == 200);
  CHECK(second.ask("GET", "/echo").status == 200);
  for (auto [path, status] : {std::pair{"/echo", 503}, {"/open", 200}, {"/nothing", 404}}) {
    auto third = client();
    INFO(path);
    CHECK(third.ask("GET", path).status == status);
    CHECK(third.ends()); // Who is no operator does not stay.
    wait_for_connections(2);
  }
  auto third = client();
  const std::string key = "Authorization: Bearer o\r\n";
  CHECK(third.ask("GET", "/echo", "", key).status == 200);
  auto fourth = client();
  CHECK(fourth.read().status == 503);
  CHECK(rejected == 2);
  first.close();
  wait_for_connections(2);
  CHECK(third.ask("GET", "/echo").status == 200); // There is room again.
  CHECK(third.ask("GET", "/echo").status == 200);
}

TEST_CASE_METHOD(fixture, "a server that ends lets requests come to their end", "[http][server]") {
  start();
  auto idle = client(), busy = client(), reader = client();
  CHECK(idle.ask("GET", "/echo").status == 200);
  reader.send(reader.text_of("GET", "/stream"));
  CHECK(reader.read_head().status == 200);
  busy.send(busy.text_of("GET", "/hold"));
  auto call = held.get_future().get();
  auto port = server->port();
  auto shut = std::async(std::launch::async, [this] { return server->shut(60s); });
  CHECK(idle.ends());
  CHECK(told.get_future().get() == unwanted::closing);
  std::string piece;
  REQUIRE(reader.read_chunk(piece));
  CHECK(piece == "bye\n");
  REQUIRE(reader.read_chunk(piece));
  CHECK(piece.empty());
  call->out({200, "text/plain", "done"});
  auto last = busy.read();
  CHECK(last.body == "done");
  CHECK(last.fields["connection"] == "close");
  CHECK(shut.get());
  CHECK_FALSE(http_client{port}.connected());
}

TEST_CASE_METHOD(fixture, "a stream that the server's end cuts off looks cut off",
                 "[http][server]") {
  start();
  auto c = client();
  c.send("POST /upper HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
         "Transfer-Encoding: chunked\r\n\r\n2\r\na\n\r\n");
  CHECK(c.read_head().status == 200);
  std::string piece;
  REQUIRE(c.read_chunk(piece));
  CHECK(server->shut(60s));
  CHECK_FALSE(c.read_chunk(piece));
}

TEST_CASE_METHOD(fixture, "a server that ends cuts off what does not", "[http][server]") {
  start();
  auto c = client();
  c.send(c.text_of("GET", "/hold"));
  auto call = held.get_future().get();
  CHECK_FALSE(server->shut(10ms));
  CHECK(c.ends());
  call->out({200});
}

TEST_CASE_METHOD(fixture, "an address that is taken is refused by name", "[http][server]") {
  start();
  options.port = server->port();
  auto second = http::server::open(options);
  REQUIRE(second.code() == ec::io_failed);
  CHECK(second.error().detail.find("127.0.0.1:" + std::to_string(options.port))
        != std::string::npos);
  options.address = "nonsense";
  CHECK(http::server::open(options).code() == ec::invalid_spec);
}

namespace {

/// A server with a key that can be revoked, and one that is not.
struct revocable : fixture {
  std::atomic<bool> revoked = false;
  std::atomic<role> has{role::admin};
  std::mutex mutex;
  std::vector<std::string> audited; ///< `METHOD key status`.

  revocable() {
    options.authenticate = [this](std::string_view key) -> result<principal> {
      if (key == "good" || (key == "bad" && !revoked))
        return principal{std::string{key}, "n", {}, has};
      return error{ec::invalid_spec, "no such key"};
    };
    options.audit = [this](const served& x) {
      std::scoped_lock lock{mutex};
      audited.push_back(std::string{x.method} + " " + x.who->key + " " + std::to_string(x.status));
    };
    start();
  }
  void revoke() {
    revoked = true;
    server->check_keys();
  }

  const std::string good = "Authorization: Bearer good\r\n", bad = "Authorization: Bearer bad\r\n";
};

} // namespace

TEST_CASE_METHOD(revocable, "a read that waits ends with its key, and others go on",
                 "[http][server][revoke]") {
  auto c = client(), other = client();
  other.send(other.text_of("GET", "/stream", "", good));
  CHECK(other.read_head().status == 200);
  c.send(c.text_of("GET", "/hold", "", bad));
  auto call = held.get_future().get();
  revoke();
  auto x = c.read();
  CHECK(x.status == 401);
  CHECK(code_of(x) == "no_key");
  CHECK(x.fields["connection"] == "close");
  CHECK(c.ends());
  CHECK(told.get_future().get() == unwanted::revoked);
  call->out({200, "text/plain", "secret"}); // Too late: it goes nowhere.
  feed->feed("more");
  std::string piece;
  while (other.read_chunk(piece) && piece.starts_with(": ping")) {
  }
  CHECK(piece == "more");
}

TEST_CASE_METHOD(revocable, "a stream ends with its key, and says so", "[http][server][revoke]") {
  auto c = client();
  c.send(c.text_of("GET", "/stream", "", bad));
  feed->feed("news");
  CHECK(c.read_head().status == 200);
  std::string piece;
  CHECK(c.read_chunk(piece));
  CHECK(piece == "news");
  revoke();
  CHECK(c.read_last_chunk() == "revoked\n");
  CHECK(c.ends());
}

TEST_CASE_METHOD(revocable, "a stream ends with the role that it needs", "[http][server][revoke]") {
  auto c = client();
  c.send(c.text_of("GET", "/stream", "", good));
  CHECK(c.read_head().status == 200);
  has = role::worker; // Which may not look.
  server->check_keys();
  CHECK(c.read_last_chunk() == "revoked\n");
}

TEST_CASE_METHOD(revocable, "a change that has begun is answered as it ends, and written down",
                 "[http][server][revoke]") {
  auto c = client();
  c.send(c.text_of("POST", "/change", "{}", bad));
  auto call = held.get_future().get();
  revoke();
  CHECK(told.get_future().get() == unwanted::revoked);
  call->out({200, "text/plain", "done"});
  auto x = c.read();
  CHECK(x.status == 200);
  CHECK(x.body == "done");
  CHECK(x.fields["connection"] == "close");
  CHECK(eventually([&] {
    std::scoped_lock lock{mutex};
    return audited == std::vector<std::string>{"POST bad 200"};
  }));
}

TEST_CASE_METHOD(revocable, "what is still being sent when its key is revoked does nothing",
                 "[http][server][revoke]") {
  auto whole = client(), lines = client();
  auto request = whole.text_of("POST", "/echo", "[1,2]", bad);
  whole.send(request.substr(0, request.size() - 1));
  CHECK(eventually([&] { return server->body_bytes() == 4; }));
  lines.send("POST /upper HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
             + bad + "Transfer-Encoding: chunked\r\n\r\n2\r\n1\n\r\n");
  std::string piece;
  CHECK(lines.read_head().status == 200);
  CHECK(lines.read_chunk(piece));
  CHECK(piece == "1\n");
  revoke();
  whole.send(request.substr(request.size() - 1));
  CHECK(whole.read().status == 401);
  CHECK_FALSE(lines.read_chunk(piece)); // Without an end: it is cut off.
  CHECK(eventually([&] {
    std::scoped_lock lock{mutex};
    return std::ranges::count(audited, "POST bad 401") == 1;
  }));
}

TEST_CASE_METHOD(fixture, "every request is observed, changes are audited", "[http][server]") {
  std::mutex mutex;
  std::vector<std::string> seen, changes;
  auto add = [&](auto& to) {
    return [&](const served& x) {
      std::scoped_lock lock{mutex};
      to.push_back(std::string{x.method} + " " + std::string{x.route} + " "
                   + std::to_string(x.status) + " " + std::string{x.request_id});
    };
  };
  options.observe = add(seen);
  options.audit = add(changes);
  start();
  {
    auto c = client();
    CHECK(c.ask("GET", "/echo", "", "X-Request-Id: a\r\n").fields["x-request-id"] == "a");
    c.ask("POST", "/act", "", "X-Request-Id: b\r\n");
    c.ask("GET", "/nothing", "", "X-Request-Id: c\r\n");
  }
  server->shut(60s);
  CHECK(seen == std::vector<std::string>{"GET /echo 200 a", "POST /act 200 b", "GET  404 c"});
  CHECK(changes == std::vector<std::string>{"POST /act 200 b"});
}

TEST_CASE_METHOD(fixture, "what may cancel a job is audited, what workers say is not",
                 "[http][server]") {
  std::mutex mutex;
  std::multiset<std::string> changes;
  options.audit = [&](const served& x) {
    std::scoped_lock lock{mutex};
    changes.insert(std::string{x.target} + (x.gone ? " gone" : ""));
  };
  start();
  {
    auto c = client(), d = client();
    CHECK(c.ask("POST", "/work").status == 200);
    CHECK(c.ask("GET", "/echo?on_disconnect=detach").status == 200);
    CHECK(c.ask("GET", "/echo?on_disconnect=cancel").status == 200);
    d.send(d.text_of("GET", "/hold?on_disconnect=cancel"));
    held.get_future().wait();
  }
  wait_for_connections(0);
  server->shut(60s);
  CHECK(changes
        == std::multiset<std::string>{"/echo?on_disconnect=cancel",
                                      "/hold?on_disconnect=cancel gone"});
}

TEST_CASE_METHOD(fixture, "changes are refused while they cannot be written down",
                 "[http][server]") {
  std::atomic<bool> full = true;
  options.may_change = [&] { return full ? status{error{ec::overloaded, "full"}} : status{}; };
  start();
  auto c = client();
  CHECK(c.ask("POST", "/act").status == 429);
  CHECK(c.ask("GET", "/echo?on_disconnect=cancel").status == 429);
  CHECK(c.ask("GET", "/echo").status == 200);
  CHECK(c.ask("POST", "/work").status == 200);
  full = false;
  CHECK(c.ask("POST", "/act").status == 200);
}

TEST_CASE_METHOD(fixture, "a request takes until the first byte of its answer", "[http][server]") {
  std::promise<std::chrono::nanoseconds> took;
  options.observe = [&](const served& x) { took.set_value(x.took); };
  start();
  auto c = client();
  auto begun = std::chrono::steady_clock::now();
  c.send(c.text_of("GET", "/stream"));
  CHECK(c.read_head().status == 200);
  auto head = std::chrono::steady_clock::now();
  feed->feed("a");
  feed->feed("");
  std::string piece;
  while (c.read_chunk(piece) && !piece.empty()) {
  }
  CHECK(took.get_future().get() <= head - begun);
}

TEST_CASE_METHOD(fixture, "every answer says when it was made", "[http][server]") {
  start();
  auto c = client();
  for (auto& x : {c.ask("GET", "/echo"), c.ask("GET", "/nothing")}) {
    auto date = x.fields.at("date");
    std::tm tm{};
    auto end = ::strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &tm);
    REQUIRE((end && *end == '\0'));
    CHECK(date.size() == 29);
    CHECK(std::abs(std::difftime(::timegm(&tm), std::time(nullptr))) < 60);
  }
}

TEST_CASE_METHOD(fixture, "what is no request has an id, and is observed", "[http][server]") {
  options.header_time = 50ms;
  options.connections_max = 1;
  options.connections_reserved = 0;
  std::mutex mutex;
  std::vector<std::string> seen;
  options.observe = [&](const served& x) {
    std::scoped_lock lock{mutex};
    seen.push_back(std::string{x.route} + std::to_string(x.status) + std::string{x.request_id});
  };
  start();
  std::vector<std::string> told;
  auto tell = [&](http_client& c) {
    auto x = c.read();
    CHECK(code_of(x) != "");
    CHECK(x.fields.contains("date"));
    told.push_back(std::to_string(x.status) + x.fields["x-request-id"]);
  };
  for (std::string text :
       {"hello\r\n\r\n", "GET /echo HT", "GET /echo HTTP/1.1\r\nX: xxxxxxxxxxxxxxxxxxxx"}) {
    if (text.ends_with("x"))
      text += std::string(20'000, 'x') + "\r\n\r\n";
    {
      auto c = client();
      c.send(text);
      tell(c);
    }
    wait_for_connections(0);
  }
  auto only = client();
  CHECK(only.ask("GET", "/echo", "", "X-Request-Id: a\r\n").status == 200);
  auto more = client();
  tell(more);
  only.close();
  wait_for_connections(0);
  server->shut(60s);
  told.push_back("/echo200a");
  std::ranges::sort(told);
  std::ranges::sort(seen);
  CHECK(seen == told);
  CHECK(std::ranges::count_if(told, [](auto& x) { return x.size() > 16; }) == 4);
}

TEST_CASE_METHOD(fixture, "a client that goes behind its next request is noticed",
                 "[http][server]") {
  start();
  {
    auto c = client();
    c.send(c.text_of("GET", "/hold"));
    held.get_future().wait();
    c.send(c.text_of("GET", "/echo") + c.text_of("GET", "/echo"));
  }
  auto why = told.get_future();
  REQUIRE(why.wait_for(tests::http_patience) == std::future_status::ready);
  CHECK(why.get() == unwanted::gone);
}

TEST_CASE_METHOD(fixture, "what is sent while an answer is waited for is answered after it",
                 "[http][server]") {
  start();
  auto c = client();
  c.send(c.text_of("GET", "/hold") + c.text_of("POST", "/echo", "1"));
  auto call = held.get_future().get();
  c.send(c.text_of("POST", "/echo", std::string(100'000, ' ')));
  call->out({200, "text/plain", "held"});
  CHECK(c.read().body == "held");
  CHECK(c.read().body == "POST1");
  CHECK(c.read().body == "POST" + std::string(100'000, ' '));
}

TEST_CASE_METHOD(fixture, "empty lines before a request are none", "[http][server]") {
  start();
  auto c = client();
  c.send("\r\n" + c.text_of("GET", "/echo") + "\r\n\r\n" + c.text_of("GET", "/echo"));
  CHECK(c.read().body == "GET");
  CHECK(c.read().body == "GET");
  c.send("\r");
  c.send("\n" + c.text_of("GET", "/echo"));
  CHECK(c.read().body == "GET");
  c.send("\r\n\r\n\r\n" + c.text_of("GET", "/echo"));
  CHECK(c.read().status == 400);
}

TEST_CASE_METHOD(fixture, "a client of HTTP/1.0 is not told to go on", "[http][server]") {
  start();
  auto c = client();
  c.send("POST /echo HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\n"
         "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  CHECK_FALSE(c.hears(50ms));
  c.send("{}");
  CHECK(c.read().body == "POST{}");
}

TEST_CASE_METHOD(fixture, "a line between chunks that does not end is told as that",
                 "[http][server]") {
  start();
  auto c = client();
  c.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
         "Transfer-Encoding: chunked\r\n\r\n2;x="
         + std::string(64 << 10, 'x') + "\r\n{}\r\n0\r\n\r\n");
  auto got = c.read();
  CHECK(got.status == 400);
  CHECK_THAT(got.text("detail"), Catch::Contains("before a chunk"));
}
