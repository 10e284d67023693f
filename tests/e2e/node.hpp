#pragma once

#include "tests/e2e/process.hpp"

#include <cstdlib>

namespace troupe::tests {

/// The port of loopback that a node says it serves on, once it does.
inline std::uint16_t port_of(const process& node) {
  const std::string sign = "serving http://127.0.0.1:";
  REQUIRE(eventually([&] { return node.err().find(sign) != std::string::npos; }));
  auto text = node.err();
  return static_cast<std::uint16_t>(std::stoi(text.substr(text.find(sign) + sign.size())));
}

/// A node at work in a directory, on a free port.
class served_node : public process {
public:
  explicit served_node(const scratch& in, std::vector<std::string> more = {},
                       const std::string& port = "0")
      : process(in, arguments(port, std::move(more))), port_(port_of(*this)) {}
  std::uint16_t port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

private:
  static std::vector<std::string> arguments(const std::string& port,
                                            std::vector<std::string> more) {
    std::vector<std::string> all{"serve", "--port", port, "--allow-kind", "exec"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  std::uint16_t port_;
};

/// A variable of the environment, as long as this lives.
class variable {
public:
  variable(const char* name, const std::string& text) : name_(name) {
    ::setenv(name, text.c_str(), 1);
  }
  ~variable() { ::unsetenv(name_); }
  variable(const variable&) = delete;
  variable& operator=(const variable&) = delete;

private:
  const char* name_;
};

} // namespace troupe::tests
