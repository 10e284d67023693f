#include "node/security/audit_log.hpp"

#include "node/security/audit_files.hpp"

#include <cerrno>
#include <fcntl.h>

namespace troupe::node {

namespace {

namespace fs = std::filesystem;

core::byte_view bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

core::shard_time wall_clock() {
  return std::chrono::time_point_cast<core::duration>(std::chrono::system_clock::now());
}

error lagging() { return {ec::overloaded, "the audit log lags behind; repeat after a while"}; }

/// Whether the line must not be missing: a caller's change was made. (The node's own has no
/// request.)
bool is_owed(const audit_entry& x) {
  return (x.outcome == audit_ok || x.outcome == audit_gone) && !x.request.empty();
}

/// The end of a file: where its last whole line begins and ends.
struct tail {
  std::uint64_t end = 0; ///< Behind the last end of line.
  std::string last;      ///< Without its end of line; empty if there is none.
};

result<tail> tail_of(const storage::file& file, std::uint64_t size) {
  auto from = size - std::min<std::uint64_t>(size, 2 * audit_line_bytes_max);
  core::bytes content(size - from);
  auto got = file.read(content, from);
  if (!got)
    return got.error();
  std::string text{content.begin(), content.begin() + std::ptrdiff_t(*got)};
  auto end = text.rfind('\n');
  if (end == text.npos)
    return tail{from, {}};
  auto begin = end == 0 ? text.npos : text.rfind('\n', end - 1);
  begin = begin == text.npos ? 0 : begin + 1;
  return tail{from + end + 1, text.substr(begin, end - begin)};
}

} // namespace

audit_log::audit_log(fs::path directory, const audit_options& options)
    : directory_(std::move(directory)), options_(options) {}

result<std::unique_ptr<audit_log>> audit_log::open(const fs::path& directory,
                                                   const audit_options& options) {
  std::unique_ptr<audit_log> made{new audit_log{directory, options}};
  if (auto ready = storage::make_directories(*options.files, directory); !ready)
    return ready.error();
  if (auto resumed = made->resume(); !resumed)
    return resumed.error();
  made->thread_ = std::jthread{[log = made.get()](std::stop_token stop) { log->run(stop); }};
  return made;
}

audit_log::~audit_log() {
  thread_.request_stop();
  if (thread_.joinable())
    thread_.join();
}

/// Finds the newest line; files that hold none are written on.
status audit_log::resume() {
  auto files = audit_files(directory_, *options_.files);
  if (!files)
    return files.error();
  for (auto at = files->rbegin(); at != files->rend(); ++at) {
    auto opened = storage::file::open(*options_.files, at->path, O_RDWR);
    if (!opened)
      return opened.error();
    auto size = opened->size();
    if (!size)
      return size.error();
    auto end = tail_of(*opened, *size);
    if (!end)
      return end.error();
    if (!file_) {
      index_ = at->index;
      size_ = end->end;
      if (size_ < *size)
        if (auto cut = opened->truncate(size_); !cut)
          return cut;
      file_ = std::make_unique<storage::file>(std::move(*opened));
    }
    if (end->last.empty())
      continue;
    auto head = claimed_head(end->last);
    if (!head)
      return error{ec::journal_corrupt,
                   "the last line of " + at->path.string()
                       + " tells no number and hash; `troupe audit verify` shows what is wrong. "
                         "Move the file away to begin a new log"};
    head_ = written_ = *head;
    break;
  }
  return {};
}

void audit_log::append(audit_entry x, done then) {
  {
    std::scoped_lock lock{mutex_};
    if (waiting_.size() < audit_waiting_max * (is_owed(x) ? 2 : 1)) {
      waiting_.push_back({std::move(x), std::move(then)});
      came_.notify_one();
      return;
    }
  }
  if (then)
    then(lagging(), x);
}

status audit_log::ready() const {
  std::scoped_lock lock{mutex_};
  if (waiting_.size() >= audit_waiting_max)
    return lagging();
  if (last_)
    return {};
  return error{last_.code() == ec::no_space ? ec::no_space : ec::not_ready,
               "the audit log cannot be written (" + last_.error().detail
                   + "); changes are refused until it can"};
}

audit_head audit_log::head() const {
  std::scoped_lock lock{mutex_};
  return head_;
}

void audit_log::run(std::stop_token stop) {
  for (;;) {
    std::deque<waiting> all;
    {
      std::unique_lock lock{mutex_};
      came_.wait(lock, stop, [this] { return !waiting_.empty(); });
      all.swap(waiting_);
    }
    auto is_last = all.empty(); // No more will come.
    if (!is_last || !owed_.empty())
      write_all(std::move(all));
    if (is_last)
      return;
  }
}

void audit_log::write_all(std::deque<waiting> all) {
  all.insert(all.begin(), std::make_move_iterator(owed_.begin()),
             std::make_move_iterator(owed_.end()));
  owed_.clear();
  auto before = written_;
  auto now = options_.now ? options_.now() : wall_clock();
  std::string lines;
  for (auto& x : all)
    lines += audit_line(x.entry, x.at.value_or(now), written_);
  auto outcome = write(lines);
  if (!outcome)
    written_ = before;
  {
    std::scoped_lock lock{mutex_};
    head_ = written_;
    last_ = outcome;
  }
  for (auto& x : all)
    if (auto then = std::exchange(x.then, {}))
      then(outcome, x.entry);
  if (!outcome)
    keep_owed(std::move(all), now);
}

/// Few: no change is made while lines cannot be written, so they are those that were on their way.
void audit_log::keep_owed(std::deque<waiting> all, core::shard_time now) {
  for (auto& x : all) {
    if (!is_owed(x.entry) || owed_.size() == audit_waiting_max)
      continue;
    x.at = x.at.value_or(now);
    owed_.push_back(std::move(x));
  }
}

/// After a failure nothing is known of the end of the file: it is cut when the next line is
/// written, or the line is refused, too.
status audit_log::write(const std::string& lines) {
  if (auto ready = rotate(); !ready)
    return ready;
  auto written = file_->write(bytes_of(lines), size_);
  if (written)
    written = file_->sync_data();
  if (written)
    size_ += lines.size();
  else
    file_.reset();
  return written;
}

/// Has a file to write to.
status audit_log::rotate() {
  if (!file_ && index_ > 0) {
    auto again = storage::file::open(*options_.files, audit_file_path(directory_, index_), O_RDWR);
    if (!again)
      return again.error();
    if (auto cut = again->truncate(size_); !cut)
      return cut;
    if (auto synced = again->sync(); !synced)
      return synced;
    file_ = std::make_unique<storage::file>(std::move(*again));
    if (size_ > 0)
      return open_next(); // What a failed sync has left in memory is not believed.
  }
  return !file_ || size_ >= options_.file_bytes ? open_next() : status{};
}

/// The file may be there already, without a line, if its name could not be synced before.
status audit_log::open_next() {
  auto path = audit_file_path(directory_, index_ + 1);
  auto opened = storage::file::open(*options_.files, path, O_RDWR | O_CREAT);
  if (!opened)
    return opened.error();
  auto size = opened->size();
  if (!size)
    return size.error();
  if (*size > 0)
    return error{ec::io_failed, path.string() + " is not of this log; move it away"};
  if (auto synced = storage::sync_directory(*options_.files, directory_); !synced)
    return synced;
  file_ = std::make_unique<storage::file>(std::move(*opened));
  ++index_;
  size_ = 0;
  if (auto files = audit_files(directory_, *options_.files))
    for (std::size_t i = 0; i + options_.files_max < files->size(); ++i)
      options_.files->unlink((*files)[i].path);
  return {};
}

} // namespace troupe::node
