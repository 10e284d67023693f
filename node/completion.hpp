#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace troupe::node {

enum class shell { bash, zsh, fish };

std::optional<shell> parse_shell(std::string_view text) noexcept;

/// What may stand behind a word of the command line.
struct completion_word {
  std::string text;  ///< A verb or an option.
  std::string about; ///< One line for people.
  bool is_option = false;
  bool takes_value = false;
  bool takes_path = false;         ///< Its value is a file or a directory.
  std::vector<std::string> values; ///< What it takes, or usually does; empty: anything.
};

/// A verb and all that may follow it.
struct completion_verb {
  std::string path; ///< `troupe jobs list`
  std::vector<completion_word> words;
  bool takes_files = false; ///< It has arguments that are files.
};

/// Every verb of a command line, as its parser knows it.
std::vector<completion_verb> completion_of(const CLI::App& app);

/// A script for the shell. Pure.
std::string completion_script(shell of, const std::vector<completion_verb>& verbs);

} // namespace troupe::node
