#pragma once

#include <string>
#include <string_view>

namespace troupe::node {

/// A file that only its owner can read, e.g. one with inputs and outputs of jobs; one that is there
/// is written over, and becomes so. Pipes and devices will do. For one thread.
class output_file {
public:
  explicit output_file(const std::string& path);
  ~output_file();
  output_file(const output_file&) = delete;
  output_file& operator=(const output_file&) = delete;

  /// False if it could not be opened, or cannot be written: `failed` says why.
  bool write(std::string_view text);
  /// Makes it durable, if it is of a kind that can be. False as above.
  bool sync();
  /// The first `errno`; 0 if all went well.
  int failed() const noexcept { return failed_; }

private:
  bool fail();

  int fd_;
  int failed_ = 0;
};

} // namespace troupe::node
