#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace troupe::tests {

/// A directory that goes with the test.
class temp_dir {
public:
  explicit temp_dir(const std::filesystem::path& below = std::filesystem::temp_directory_path()) {
    std::filesystem::create_directories(below);
    auto pattern = (below / "troupe-test-XXXXXX").string();
    if (!::mkdtemp(pattern.data()))
      throw std::runtime_error{"cannot make " + pattern};
    path_ = pattern;
  }
  ~temp_dir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  temp_dir(const temp_dir&) = delete;
  temp_dir& operator=(const temp_dir&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }

private:
  std::filesystem::path path_;
};

inline std::string read_file(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace troupe::tests
