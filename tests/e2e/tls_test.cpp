#include "tests/e2e/process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/tls.hpp"

using namespace troupe;
using namespace troupe::tests;

namespace {

constexpr std::string_view serving = "troupe: serving https://127.0.0.1:";

std::vector<std::string> serve(const std::string& cert, const std::string& key) {
  return {"serve", "--port", "0", "--tls-cert", cert, "--tls-key", key};
}

/// A node that speaks TLS.
class tls_node : public process {
public:
  tls_node(const scratch& in, const certificate& by) : process(in, serve(by.cert, by.key)) {
    INFO(err());
    REQUIRE(eventually([this] { return err().find(serving) != std::string::npos; }));
    auto text = err();
    port_ = static_cast<std::uint16_t>(std::stoi(text.substr(text.find(serving) + serving.size())));
  }
  std::uint16_t port() const { return port_; }

private:
  std::uint16_t port_ = 0;
};

const std::string last_request =
    "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

} // namespace

TEST_CASE("a node with a certificate serves by TLS 1.2 and 1.3", "[e2e][tls]") {
  scratch in;
  auto own = self_signed(in.path(), "own"), other = self_signed(in.path(), "other");
  tls_node x{in, own};
  for (auto version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    tls_client c{x.port(), own.cert, version};
    REQUIRE(c.connected());
    std::string body(100'000, ' '); // More than one record of TLS.
    body += R"({"graph":{"vertices":[{"id":"a","kind":"noop"}]}})";
    auto got =
        c.ask("POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
              "Content-Length: "
              + std::to_string(body.size()) + "\r\n\r\n" + body + last_request);
    CHECK(got.starts_with("HTTP/1.1 201 Created\r\n"));
    CHECK(got.find("HTTP/1.1 200 OK\r\n") != got.npos);
    CHECK(got.ends_with("\r\n\r\nok\n"));
  }
  CHECK_FALSE(tls_client{x.port(), own.cert, TLS1_1_VERSION}.connected());
  CHECK_FALSE(tls_client{x.port(), other.cert}.connected());
  CHECK(tls_client{x.port(), own.cert}.ask(last_request).ends_with("ok\n"));
  x.send(SIGTERM);
  CHECK(x.wait().code == 0);
}

TEST_CASE("a plain request to a port that speaks TLS is told so", "[e2e][tls]") {
  scratch in;
  auto own = self_signed(in.path(), "own");
  tls_node x{in, own};
  http_client plain{x.port()};
  auto refused = plain.ask("POST", "/v1/jobs", std::string(20'000, ' '));
  CHECK(refused.status == 400);
  CHECK(refused.text("detail").find("https://") != std::string::npos);
  CHECK(plain.read().status == 0); // It is over.
  http_client garbage{x.port()};
  garbage.send(std::string("\x16\x03\x01\x00\x05hello, world", 17));
  CHECK(garbage.read().status == 0);
  CHECK(tls_client{x.port(), own.cert}.ask(last_request).ends_with("ok\n"));
}

TEST_CASE("certificates and keys that cannot be used are refused at start", "[e2e][tls]") {
  scratch in;
  auto own = self_signed(in.path(), "own"), other = self_signed(in.path(), "other");
  auto locked = self_signed(in.path(), "locked", "a passphrase");
  in.write("text", "this is no certificate\n");
  struct attempt {
    std::string cert, key, setting, why;
  };
  for (auto& x : {attempt{"nowhere.crt", own.key, "/http/tls/cert", "nowhere.crt"},
                  attempt{"text", own.key, "/http/tls/cert", "text"},
                  attempt{own.cert, "nowhere.key", "/http/tls/key", "nowhere.key"},
                  attempt{own.cert, "text", "/http/tls/key", "text"},
                  attempt{own.cert, other.key, "/http/tls/key", "mismatch"},
                  attempt{locked.cert, locked.key, "/http/tls/key", "locked.key"}}) {
    auto got = troupe_with(in, serve(x.cert, x.key));
    INFO(got.err);
    CHECK(got.code == 1);
    CHECK(got.err.find("error[E0040]") != got.err.npos);
    CHECK(got.err.find(x.setting) != got.err.npos);
    CHECK(got.err.find(x.why) != got.err.npos);
    CHECK_FALSE(fs::exists(in.path() / ".troupe" / "MANIFEST"));
  }
  CHECK(troupe_with(in, {"serve", "--port", "0", "--tls-cert", own.cert}).code == 1);
}
