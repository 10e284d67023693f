#include "bench/http_rows.hpp"

#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace troupe::bench {

namespace fs = std::filesystem;

http_node::http_node(const http_bench_options& o) : data_(o.directory / "data") {
  fs::remove_all(data_);
  int told[2];
  if (::pipe2(told, O_CLOEXEC) != 0)
    throw std::runtime_error{"no pipe"};
  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(told[1], STDERR_FILENO);
    ::execlp(o.troupe.c_str(), o.troupe.c_str(), "serve", "--port", "0", "--data", data_.c_str(),
             nullptr);
    ::_exit(127);
  }
  ::close(told[1]);
  std::string text;
  char piece[256];
  const std::string mark = "serving http://127.0.0.1:";
  while (text.find(',') == std::string::npos || text.find(mark) == std::string::npos) {
    auto n = ::read(told[0], piece, sizeof piece);
    if (n <= 0)
      throw std::runtime_error{"cannot start " + o.troupe + ": " + text};
    text.append(piece, static_cast<std::size_t>(n));
  }
  told_ = told[0];
  port = static_cast<std::uint16_t>(std::stoi(text.substr(text.find(mark) + mark.size())));
}

http_node::~http_node() {
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
  ::close(told_);
}

double http_node::cpu() const {
  std::ifstream in{"/proc/" + std::to_string(pid_) + "/stat"};
  std::string text{std::istreambuf_iterator<char>{in}, {}};
  std::istringstream rest{text.substr(text.rfind(')') + 2)};
  std::string skipped;
  for (int i = 0; i < 11; ++i)
    rest >> skipped;
  double user = 0, system = 0;
  rest >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

resident_memory http_node::memory() const {
  std::ifstream in{"/proc/" + std::to_string(pid_) + "/statm"};
  double size = 0, resident = 0, shared = 0;
  in >> size >> resident >> shared;
  auto page_mb = static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1e6;
  return {resident * page_mb, (resident - shared) * page_mb};
}

std::size_t http_node::open_files() const {
  auto all = fs::directory_iterator{"/proc/" + std::to_string(pid_) + "/fd"};
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

double http_node::disk_mb() const {
  double blocks = 0;
  std::error_code gone; // Segments come and go meanwhile.
  for (fs::recursive_directory_iterator at{data_, gone}, end; !gone && at != end;
       at.increment(gone)) {
    struct stat x {};
    if (at->path().filename() == "audit")
      at.disable_recursion_pending();
    else if (::lstat(at->path().c_str(), &x) == 0)
      blocks += static_cast<double>(x.st_blocks);
  }
  return blocks * 512 / 1e6;
}

} // namespace troupe::bench
