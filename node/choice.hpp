#pragma once

#include "core/names.hpp"

#include <algorithm>
#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

namespace troupe::node {

/// For `CLI::Option::transform`: one of some words, each of which stands for a value.
template <class T>
CLI::Validator choice(std::map<std::string, T> words) {
  auto read = [words = std::move(words)](std::string& text) -> std::string {
    if (auto found = words.find(text); found != words.end()) {
      text = std::to_string(static_cast<int>(found->second));
      return {};
    }
    std::vector<std::string_view> names;
    for (auto& [name, meaning] : words)
      names.push_back(name);
    return core::quoted(text) + " is none of " + core::listed(names);
  };
  return CLI::Validator{read, ""};
}

/// For `CLI::Option::check`: the name of a directory.
inline CLI::Validator directory() {
  auto check = [](std::string& text) -> std::string {
    return text.empty() ? "the name of a directory is empty" : "";
  };
  return CLI::Validator{check, ""};
}

/// For `CLI::Option::check`: one of some words.
inline CLI::Validator one_of(std::vector<std::string_view> words) {
  auto check = [words = std::move(words)](std::string& text) -> std::string {
    if (std::ranges::find(words, text) != words.end())
      return {};
    return core::quoted(text) + " is none of " + core::listed(words);
  };
  return CLI::Validator{check, ""};
}

} // namespace troupe::node
