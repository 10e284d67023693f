#pragma once

#include <cstdlib>
#include <string>

namespace troupe::tests {

/// A variable of the environment while this is there.
class environment_variable {
public:
  environment_variable(const char* name, const std::string& x) : name_(name) {
    ::setenv(name, x.c_str(), 1);
  }
  ~environment_variable() { ::unsetenv(name_); }
  environment_variable(const environment_variable&) = delete;
  environment_variable& operator=(const environment_variable&) = delete;

private:
  const char* name_;
};

} // namespace troupe::tests
