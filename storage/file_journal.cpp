#include "storage/file_journal.hpp"

#include "storage/own_thread.hpp"
#include "storage/physical_write.hpp"
#include "storage/segment_supply.hpp"

#include <algorithm>
#include <cassert>
#include <condition_variable>
#include <deque>
#include <fcntl.h>
#include <mutex>

namespace troupe::storage {

namespace {

constexpr auto mark_bytes = padded_bytes(0);             ///< Each segment keeps room for one.
constexpr std::chrono::milliseconds shortage_pause{100}; ///< Then descriptors are asked for again.

status as_failed(const error& reason) {
  if (reason.code == ec::no_space)
    return error{ec::no_space, reason.detail + "; free space, then open the journal again"};
  return error{ec::journal_failed, reason.detail + "; open the journal again"};
}

/// Whether a snapshot with `held` has all batches up to `newest`.
bool is_within(const journal::positions& newest, const journal::positions& held) {
  return std::ranges::all_of(newest, [&](auto& x) {
    auto found = held.find(x.first);
    return found != held.end() && x.second <= found->second;
  });
}

class file_journal final : public journal {
public:
  file_journal(journal_place place, journal_state state, const file_journal_options& options,
               segment_stock stock, removal_gate gate, std::optional<file> current)
      : place_(std::move(place)),
        owner_crc_(crc_of(place_.owner)),
        guard_(options.guard),
        space_wait_(options.space_wait),
        state_(std::move(state)),
        kept_(stock.start.trimmed),
        supply_(place_, {options.segment_bytes_first, options.segment_bytes_max}, std::move(stock),
                std::move(gate), guard_),
        current_(std::move(current)) {
    if (current_)
      current_bytes_ = state_.segments[state_.end.segment].size;
    supply_.want(state_.end.segment + 1);
    writer_ = own_thread([this] { run(); });
  }

  ~file_journal() override {
    {
      std::scoped_lock lock{mutex_};
      stopping_ = true;
    }
    arrived_.notify_one();
    writer_.join();
  }

  result<opened> open(core::shard_id shard, const opened& kept) override {
    std::unique_lock lock{mutex_};
    answered_.wait(lock, [this] { return unanswered_ == 0; });
    if (!failure_)
      return failure_.error();
    if (auto fit = continues(place_, state_, shard, kept); !fit)
      return fit.error();
    auto& found = state_.shards[shard];
    found = newer(found, kept);
    found.epoch = core::epoch(static_cast<std::uint64_t>(found.epoch) + 1);
    writers_[shard] = found;
    kept_[shard] = std::max(kept_[shard], kept.head); // Else it would hold back the other shards.
    return found;
  }

  status read(core::shard_id shard, core::position from, const reader& each) override {
    return read_all({{shard, from}}, each);
  }

  status read_all(const positions& from, const reader& each) override {
    std::unique_lock lock{mutex_};
    auto durable = state_;
    lock.unlock();
    return read_batches(place_, durable, from, each);
  }

  void trim(core::shard_id shard, core::position upto) override {
    std::scoped_lock lock{mutex_};
    auto& kept = kept_[shard];
    kept = std::max(kept, std::min(upto, state_.shards[shard].head));
    auto& stretches = state_.stretches;
    while (!stretches.empty() && is_within(stretches.front().newest, kept_))
      stretches.pop_front();
    segment_stock::numbered left;
    // The one in use stays: where the journal ends is read from it.
    while (state_.segments.size() > 1 && is_within(state_.segments.begin()->second.newest, kept_)) {
      auto& [number, gone] = *state_.segments.begin();
      for (auto& [of, newest] : gone.newest)
        state_.trimmed[of] = std::max(state_.trimmed[of], newest);
      left[number] = gone.size;
      state_.segments.erase(number);
    }
    if (!left.empty())
      supply_.recycle(state_.segments.begin()->first, kept_, left);
  }

  journal_use use() const override {
    std::scoped_lock lock{mutex_};
    journal_use x{state_.end.segment, supply_.bytes()};
    for (auto& [number, segment] : state_.segments)
      x.bytes += segment.size;
    return x;
  }

  resume_point resume_after(const positions& applied) const override {
    std::scoped_lock lock{mutex_};
    auto held = kept_;
    for (auto& [shard, upto] : applied)
      held[shard] = std::max(held[shard], upto);
    for (auto& x : state_.stretches)
      if (!is_within(x.newest, held))
        return x.before;
    return point_of(state_);
  }

  void append(batch next, done then) override {
    {
      std::scoped_lock lock{mutex_};
      auto refused = refuse(next);
      arriving_.push_back({std::move(next), std::move(then), refused});
      ++unanswered_;
    }
    arrived_.notify_one();
  }

private:
  struct entry {
    batch next;
    done then;
    ec refused;
  };

  /// Why a batch is not written; `none` if it is the next of its shard's writer.
  ec refuse(const batch& next) {
    auto writer = writers_.find(next.shard);
    if (writer == writers_.end() || next.epoch != writer->second.epoch
        || next.at != writer->second.head + 1)
      return ec::fenced;
    if (next.records.size() > limits::batch_bytes_max)
      return ec::too_large;
    writer->second.head = next.at;
    return ec::none;
  }

  /// Group commit without a timer: what arrives during one sync is the next write.
  void run() {
    std::unique_lock lock{mutex_};
    for (;;) {
      arrived_.wait(lock, [this] { return stopping_ || !arriving_.empty() || !taken_.empty(); });
      std::move(arriving_.begin(), arriving_.end(), std::back_inserter(taken_));
      arriving_.clear();
      if (taken_.empty())
        break;
      lock.unlock();
      auto count = commit_next();
      answer(count);
      lock.lock();
      unanswered_ -= count;
      if (unanswered_ == 0)
        answered_.notify_all();
    }
    lock.unlock();
    mark_end();
  }

  /// Makes the first of `taken_` durable, as many as fit into one write; returns how many. After
  /// a failure nothing is written any more: all are answered with it.
  std::size_t commit_next() {
    physical_write write{owner_crc_, state_.end, state_.chain};
    std::size_t count = 0;
    status outcome = failure_;
    for (auto& x : taken_) {
      if (outcome && x.refused == ec::none) {
        auto need = padded_bytes(x.next.records.size());
        if (write.empty() && !has_room(write, need))
          outcome = begin_segment(write, need);
        else if (!write.empty() && !fits(write, need))
          break;
        if (outcome)
          write.add(x.next);
      }
      ++count;
    }
    if (outcome && !write.empty())
      outcome = make_durable(write);
    if (!outcome && failure_)
      fail(outcome.error());
    return count;
  }

  bool has_room(const physical_write& write, std::uint32_t need) const {
    return std::uint64_t{write.end().offset} + need + mark_bytes <= current_bytes_;
  }

  bool fits(const physical_write& write, std::uint32_t need) const {
    return has_room(write, need) && write.batches() < limits::journal_write_batches_max
           && write.bytes() + need <= limits::journal_write_bytes_max;
  }

  /// Repeats `attempt` while descriptors or memory are short, as long as a full disk is waited for:
  /// nothing was promised, and nothing was written that could be lost.
  auto unless_short(const auto& attempt) {
    for (auto begun = std::chrono::steady_clock::now();;) {
      auto done = attempt();
      auto waited = std::chrono::steady_clock::now() - begun;
      if (done.code() != ec::overloaded
          || std::chrono::floor<std::chrono::milliseconds>(waited) >= space_wait_)
        return done;
      std::unique_lock lock{mutex_};
      if (arrived_.wait_for(lock, shortage_pause, [this] { return stopping_; }))
        return done;
    }
  }

  status begin_segment(physical_write& write, std::uint32_t need) {
    auto number = state_.end.segment + 1;
    auto size = take_segment(number, segment_header_bytes + need + mark_bytes);
    if (!size)
      return size.error();
    auto name = segment_path(place_.directory, number);
    auto opened = unless_short([&] { return open_unless_short(*place_.files, name, O_WRONLY); });
    if (!opened)
      return opened.error();
    current_ = std::move(*opened);
    current_bytes_ = *size;
    write.begin_segment({place_.owner, number, *size, state_.end.offset, state_.chain});
    supply_.want(number + 1);
    return {};
  }

  /// Nothing was promised yet, so a full disk is waited for: what arrives is held meanwhile.
  result<std::uint32_t> take_segment(std::uint64_t number, std::uint32_t bytes) {
    auto take = [&] { return unless_short([&] { return supply_.take(number, bytes); }); };
    if (!guard_)
      return take();
    result<std::uint32_t> taken = ec::no_space;
    auto attempt = [&] {
      taken = take();
      return taken ? status{} : status{taken.error()};
    };
    (void)guard_->retry(attempt, space_wait_, [this] {
      std::scoped_lock lock{mutex_};
      return stopping_;
    });
    return taken;
  }

  status make_durable(physical_write& write) {
    if (auto written = write.write(*current_); !written)
      return written;
    // Never tried again: the system may have dropped what it could not write.
    if (auto synced = current_->sync_data(); !synced)
      return synced;
    std::scoped_lock lock{mutex_};
    write.count_in(state_);
    return {};
  }

  void fail(const error& reason) {
    std::scoped_lock lock{mutex_};
    failure_ = as_failed(reason);
  }

  void answer(std::size_t count) {
    for (; count > 0; --count) {
      auto x = std::move(taken_.front());
      taken_.pop_front();
      x.then(x.refused != ec::none ? status{x.refused} : failure_);
    }
  }

  /// Ends a journal that is closed in good order: even damage to its last batch is told then.
  void mark_end() {
    if (!failure_ || state_.end.segment == 0 || state_.marked)
      return;
    physical_write write{owner_crc_, state_.end, state_.chain};
    write.add_mark();
    (void)make_durable(write); // Nothing waits for it.
  }

  journal_place place_;
  std::uint32_t owner_crc_;
  disk_guard* guard_;
  std::chrono::milliseconds space_wait_;
  mutable std::mutex mutex_;
  std::condition_variable arrived_, answered_;
  // Guarded by the mutex; the writer thread alone changes the failure, and of the state what tells
  // the end, so it reads them without.
  journal_state state_;
  status failure_;
  positions kept_;                           ///< Of each shard: durable elsewhere up to here.
  std::map<core::shard_id, opened> writers_; ///< The epoch that may append, and its newest batch.
  std::vector<entry> arriving_;
  std::size_t unanswered_ = 0;
  bool stopping_ = false;
  // The writer thread's own.
  std::deque<entry> taken_;
  segment_supply supply_;
  std::optional<file> current_;
  std::uint32_t current_bytes_ = 0;
  std::jthread writer_;
};

/// The segments that hold nothing that is needed, before and behind those in use.
result<segment_stock> stock_of(const journal_place& place, const journal_state& state) {
  segment_stock stock;
  auto start = read_start(place);
  auto numbers = list_segments(*place.files, place.directory);
  auto spares = list_spares(*place.files, place.directory);
  if (!start || !numbers || !spares)
    return !start ? start.error() : !numbers ? numbers.error() : spares.error();
  stock.start = std::move(*start);
  stock.spares = std::move(*spares);
  for (auto number : *numbers) {
    if (number >= stock.start.first && number <= state.end.segment)
      continue;
    auto segment = segment_view::open(*place.files, place.directory, number, O_RDONLY);
    if (segment)
      (number < stock.start.first ? stock.left : stock.ready)[number] = segment->size();
    else if (number >= stock.start.first)
      return segment.error();
  }
  return stock;
}

} // namespace

result<std::unique_ptr<journal>> open_file_journal(const data_dir& directory,
                                                   const file_journal_options& options,
                                                   const journal_applied& known) {
  assert(directory.mode() == open_mode::write);
  journal_place place{&directory.files(), directory.journal_path(), directory.about().owner,
                      directory.about().shards};
  remove_unprepared(*place.files, place.directory);
  auto state = scan_behind(place, known);
  if (!state)
    return state.error();
  if (auto whole = reaches(place, *state, options.newest_segment_at_least); !whole)
    return whole.error();
  if (auto settled = settle(place, *state); !settled)
    return settled.error();
  auto stock = stock_of(place, *state);
  if (!stock)
    return stock.error();
  auto gate = removal_gate::open(directory);
  if (!gate)
    return gate.error();
  std::optional<file> current;
  if (auto number = state->end.segment; number != 0) {
    auto opened = file::open(*place.files, segment_path(place.directory, number), O_WRONLY);
    if (!opened)
      return opened.error();
    current = std::move(*opened);
  }
  return std::unique_ptr<journal>{
      std::make_unique<file_journal>(std::move(place), std::move(*state), options,
                                     std::move(*stock), std::move(*gate), std::move(current))};
}

} // namespace troupe::storage
