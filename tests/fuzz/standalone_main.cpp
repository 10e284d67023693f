// Drives a fuzzer where there is no libFuzzer: `PROGRAM CORPUS [RUNS [SEED]]` runs all seeds of a
// folder, then mutations of them. The seed is printed; with it a run is the same again.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using bytes = std::vector<std::uint8_t>;

constexpr std::size_t input_bytes_max = 64 << 10;

void run(const bytes& input) { LLVMFuzzerTestOneInput(input.data(), input.size()); }

std::vector<bytes> read_corpus(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (auto& entry : std::filesystem::directory_iterator(folder))
    paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end()); // The same order everywhere.
  std::vector<bytes> corpus;
  for (auto& path : paths) {
    std::ifstream in(path, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return corpus;
}

class mutator {
public:
  mutator(const std::vector<bytes>& corpus, std::uint64_t seed) : corpus_(corpus), random_(seed) {}

  /// One of the seeds after some random changes.
  bytes next() {
    auto input = any();
    for (auto changes = 1 + below(8); changes > 0; --changes)
      change(input);
    input.resize(std::min(input.size(), input_bytes_max));
    return input;
  }

private:
  std::size_t below(std::size_t end) { return random_() % end; }
  const bytes& any() { return corpus_[below(corpus_.size())]; }

  /// A random part of `x`.
  std::pair<std::size_t, std::size_t> part(const bytes& x) {
    auto begin = below(x.size());
    return {begin, std::min(x.size(), begin + 1 + below(16))};
  }

  void change(bytes& x) {
    if (x.empty())
      return x.push_back(static_cast<std::uint8_t>(random_()));
    auto [begin, end] = part(x);
    auto from = x.begin() + static_cast<std::ptrdiff_t>(begin);
    auto to = x.begin() + static_cast<std::ptrdiff_t>(end);
    switch (below(6)) {
    case 0: *from ^= static_cast<std::uint8_t>(1u << below(8)); break;
    case 1: *from = static_cast<std::uint8_t>(random_()); break;
    case 2: x.erase(from, to); break;
    case 3: x.erase(from, x.end()); break;
    case 4: insert(x, begin, bytes(from, to)); break;
    default: splice(x, begin); break;
    }
  }

  void splice(bytes& x, std::size_t at) {
    auto& other = any();
    if (other.empty())
      return;
    auto [begin, end] = part(other);
    insert(x, at,
           bytes(other.begin() + static_cast<std::ptrdiff_t>(begin),
                 other.begin() + static_cast<std::ptrdiff_t>(end)));
  }

  static void insert(bytes& x, std::size_t at, const bytes& what) {
    x.insert(x.begin() + static_cast<std::ptrdiff_t>(at), what.begin(), what.end());
  }

  const std::vector<bytes>& corpus_;
  std::mt19937_64 random_;
};

} // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: " << argv[0] << " CORPUS [RUNS [SEED]]\n";
    return 2;
  }
  auto corpus = read_corpus(argv[1]);
  auto runs = argc > 2 ? std::stoull(argv[2]) : 10'000;
  auto seed = argc > 3 ? std::stoull(argv[3]) : std::random_device{}();
  std::cout << corpus.size() << " inputs, " << runs << " mutations, seed " << seed << std::endl;
  if (corpus.empty())
    return 2;
  for (auto& input : corpus)
    run(input);
  mutator mutations{corpus, seed};
  for (std::uint64_t i = 0; i < runs; ++i)
    run(mutations.next());
  return 0;
}
