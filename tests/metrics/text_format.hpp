#pragma once

#include "tests/support/catch.hpp"

#include <cstdlib>
#include <map>
#include <set>
#include <sstream>
#include <string>

namespace troupe::tests {

/// A scrape: what a reader of the text format gets, checked line by line.
class scraped_text {
public:
  explicit scraped_text(const std::string& text) {
    CHECK(text.ends_with('\n'));
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);) {
      INFO(line);
      if (line.starts_with("# HELP "))
        helps.insert(word(line, 7));
      else if (line.starts_with("# TYPE "))
        add_type(line);
      else
        add_sample(line);
    }
  }

  /// The value of a series as it is written, `name{label="x"}`; REQUIREs it.
  double at(const std::string& series) const {
    INFO(series);
    REQUIRE(samples.contains(series));
    return samples.at(series);
  }
  bool has(const std::string& series) const { return samples.contains(series); }

  std::map<std::string, double> samples;
  std::map<std::string, std::string> types;
  std::set<std::string> helps;

private:
  static std::string word(const std::string& line, std::size_t at) {
    return line.substr(at, line.find(' ', at) - at);
  }

  void add_type(const std::string& line) {
    auto name = word(line, 7);
    auto type = line.substr(8 + name.size());
    CHECK((type == "counter" || type == "gauge" || type == "histogram"));
    CHECK(types.emplace(name, type).second);
    CHECK(helps.contains(name));
  }

  void add_sample(const std::string& line) {
    auto space = line.rfind(' ');
    REQUIRE(space != line.npos);
    auto series = line.substr(0, space), number = line.substr(space + 1);
    char* end = nullptr;
    auto x = std::strtod(number.c_str(), &end);
    CHECK(*end == '\0');
    CHECK(samples.emplace(series, x).second);
    CHECK(types.contains(family_of(series.substr(0, series.find('{')))));
  }

  std::string family_of(std::string name) const {
    for (std::string suffix : {"_bucket", "_sum", "_count"})
      if (name.ends_with(suffix) && types.contains(name.substr(0, name.size() - suffix.size())))
        return name.substr(0, name.size() - suffix.size());
    return name;
  }
};

} // namespace troupe::tests
