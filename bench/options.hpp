#pragma once

#include <algorithm>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

namespace troupe::bench {

/// One option of a benchmark's command line, always with a value: `--runs N`.
struct option {
  std::string name, value_name;
  std::function<void(const std::string&)> take;
};

/// An option that sets `x`.
template <class T>
option sets(T& x, std::string name, std::string value_name) {
  return {std::move(name), std::move(value_name), [&x](const std::string& text) {
            if constexpr (std::is_floating_point_v<T>)
              x = std::stod(text);
            else if constexpr (std::is_integral_v<T>)
              x = std::stoul(text);
            else
              x = text;
          }};
}

/// Takes a command line. Throws what to tell if it holds anything else, or no value.
inline void read_options(int argc, char** argv, const std::vector<option>& all) {
  std::string usage = "options:";
  for (auto& x : all)
    usage += (usage.back() == ':' ? " " : ", ") + x.name + " " + x.value_name;
  for (int i = 1; i < argc; i += 2) {
    auto found = std::ranges::find(all, argv[i], &option::name);
    if (found == all.end() || i + 1 == argc)
      throw std::runtime_error{usage};
    found->take(argv[i + 1]);
  }
}

/// A directory of the benchmark's own below the one that was named: all that it makes is in there,
/// and nothing else is ever removed.
class own_directory {
public:
  own_directory(const std::filesystem::path& below, const std::string& name, bool keep = false)
      : path_(below / name), keep_(keep) {
    std::filesystem::create_directories(path_);
  }
  ~own_directory() {
    std::error_code ignored;
    if (!keep_)
      std::filesystem::remove_all(path_, ignored);
  }
  own_directory(const own_directory&) = delete;
  own_directory& operator=(const own_directory&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }

private:
  std::filesystem::path path_;
  bool keep_;
};

} // namespace troupe::bench
