#include "storage/file_journal.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <future>
#include <mutex>
#include <thread>
#include <unistd.h>

/// Commits of the file journal beside raw writes of the same size, in turns on the same disk.
/// Usage: journal_bench [DIRECTORY]; works below it, the current directory by default.

namespace {

using namespace troupe;
using clock_type = std::chrono::steady_clock;
using micros = std::chrono::duration<double, std::micro>;

constexpr std::size_t commits = 1500;
constexpr int turns = 6;

struct spread {
  double p50, p99;
};

spread spread_of(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  return {times[times.size() / 2], times[times.size() * 99 / 100]};
}

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "journal_bench: %s\n", why.c_str());
  std::exit(1);
}

/// Writes and syncs one block after another into a file of zeros that were written as those of a
/// segment are: in steps, each synced.
spread raw(const std::filesystem::path& directory, std::size_t bytes) {
  constexpr std::size_t step = 1 << 20;
  auto name = directory / "raw";
  int fd = ::open(name.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const core::bytes zeros(step), block(bytes, 1);
  for (std::size_t at = 0; at < commits * bytes; at += step)
    if (fd < 0 || ::pwrite(fd, zeros.data(), step, off_t(at)) != ssize_t(step)
        || ::fdatasync(fd) != 0)
      give_up("cannot write " + name.string());
  if (::fsync(fd) != 0)
    give_up("cannot sync " + name.string());
  std::vector<double> times;
  for (std::size_t i = 0; i < commits; ++i) {
    auto start = clock_type::now();
    if (::pwrite(fd, block.data(), bytes, off_t(i * bytes)) != ssize_t(bytes)
        || ::fdatasync(fd) != 0)
      give_up("cannot write " + name.string());
    times.push_back(micros{clock_type::now() - start}.count());
  }
  ::close(fd);
  std::filesystem::remove(name);
  return spread_of(times);
}

struct open_journal {
  storage::data_dir directory;
  std::unique_ptr<storage::journal> journal;
};

open_journal open_at(const std::filesystem::path& path) {
  auto directory = storage::data_dir::open(path, storage::open_mode::write);
  if (!directory)
    give_up(directory.error().detail);
  // Segments as in the long run: none of the first, small ones is prepared in between.
  storage::file_journal_options options;
  options.segment_bytes_first = options.segment_bytes_max;
  auto journal = storage::open_file_journal(*directory, options);
  if (!journal)
    give_up(journal.error().detail);
  return {std::move(*directory), std::move(*journal)};
}

/// Waits for one answer; woken as an actor's thread would be.
void commit(storage::journal& journal, storage::batch next) {
  std::promise<status> answer;
  auto told = answer.get_future();
  journal.append(std::move(next), [&](status outcome) { answer.set_value(std::move(outcome)); });
  if (auto outcome = told.get(); !outcome)
    give_up(outcome.error().detail);
}

spread journaled(storage::journal& journal, std::size_t bytes) {
  auto at = *journal.open(core::shard_id{0});
  std::vector<double> times;
  for (std::size_t i = 0; i < commits; ++i, ++at.head) {
    storage::batch next{core::shard_id{0}, at.epoch, at.head + 1, {}, core::bytes(bytes, 1)};
    auto start = clock_type::now();
    commit(journal, std::move(next));
    times.push_back(micros{clock_type::now() - start}.count());
  }
  return spread_of(times);
}

/// Takes the first segment into use and waits until the next one is prepared, so that this does not
/// share the disk with what is measured.
void warm_up(const open_journal& store) {
  auto at = *store.journal->open(core::shard_id{0});
  commit(*store.journal, {core::shard_id{0}, at.epoch, at.head + 1, {}, core::bytes(1)});
  while (!std::filesystem::exists(store.directory.journal_path() / "0000000000000002.seg"))
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
}

/// `shards` appenders, each with one batch under way all the time; batches a second.
double throughput(storage::journal& journal, std::uint16_t shards, std::size_t bytes) {
  constexpr auto time = std::chrono::seconds{2};
  std::vector<storage::opened> at;
  for (std::uint16_t i = 0; i < shards; ++i)
    at.push_back(*journal.open(core::shard_id{i}));
  std::mutex mutex;
  std::condition_variable ended;
  std::size_t done = 0, running = shards;
  auto until = clock_type::now() + time;
  std::function<void(std::uint16_t)> next = [&](std::uint16_t i) {
    journal.append({core::shard_id{i}, at[i].epoch, at[i].head + 1, {}, core::bytes(bytes, 1)},
                   [&, i](status outcome) {
                     if (!outcome)
                       give_up(outcome.error().detail);
                     ++at[i].head;
                     ++done;
                     if (clock_type::now() < until)
                       return next(i);
                     std::scoped_lock lock{mutex};
                     if (--running == 0)
                       ended.notify_one();
                   });
  };
  for (std::uint16_t i = 0; i < shards; ++i)
    next(i);
  std::unique_lock lock{mutex};
  ended.wait(lock, [&] { return running == 0; });
  return static_cast<double>(done) / std::chrono::duration<double>(time).count();
}

} // namespace

int main(int argc, char** argv) {
  auto pattern =
      (std::filesystem::path{argc > 1 ? argv[1] : "."} / "journal_bench_XXXXXX").string();
  if (!::mkdtemp(pattern.data()))
    give_up("cannot make a directory like " + pattern);
  std::filesystem::path directory{pattern};
  {
    auto store = open_at(directory / "data");
    warm_up(store);
    for (std::size_t bytes : {std::size_t{4096}, std::size_t{512}}) {
      std::printf(
          "%zu bytes, %zu commits a run   raw p50   raw p99   journal p50   p99   ratio p50\n",
          bytes, commits);
      for (int turn = 0; turn < turns; ++turn) {
        spread plain{}, ours{};
        if (turn % 2 == 0)
          plain = raw(directory, bytes);
        ours = journaled(*store.journal, bytes);
        if (turn % 2 == 1)
          plain = raw(directory, bytes);
        std::printf("%-28d %9.0f us %6.0f us %10.0f us %5.0f us %8.2f\n", turn + 1, plain.p50,
                    plain.p99, ours.p50, ours.p99, ours.p50 / plain.p50);
      }
    }
    for (std::uint16_t shards : {1, 4, 16, 64})
      std::printf("%2d appenders, 512 bytes: %8.0f batches/s\n", shards,
                  throughput(*store.journal, shards, 512));
  }
  std::filesystem::remove_all(directory);
}
