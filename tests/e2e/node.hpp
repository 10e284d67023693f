#pragma once

#include "tests/e2e/process.hpp"

#include <cstdlib>

namespace troupe::tests {

/// A node at work in a directory, on a free port.
class served_node : public process {
public:
  explicit served_node(const scratch& in, std::vector<std::string> more = {},
                       const std::string& port = "0")
      : process(in, arguments(port, std::move(more))) {
    REQUIRE(eventually([this] { return err().find(sign) != err().npos; }));
    auto text = err();
    auto at = text.find(':', text.find(sign) + sign.size());
    port_ = static_cast<std::uint16_t>(std::stoi(text.substr(at + 1)));
  }
  std::uint16_t port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

private:
  static std::vector<std::string> arguments(const std::string& port,
                                            std::vector<std::string> more) {
    std::vector<std::string> all{"serve", "--port", port, "--allow-kind", "exec"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  inline static const std::string sign = "serving http://";
  std::uint16_t port_ = 0;
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
