#include "node/logging/log.hpp"

#include "core/time_text.hpp"
#include "node/logging/line_output.hpp"

#include <atomic>
#include <chrono>
#include <mutex>
#include <shared_mutex>
#include <spdlog/async.h>
#include <spdlog/sinks/base_sink.h>

namespace troupe::node {

namespace {

using clock = std::chrono::steady_clock;
using thread_pool = spdlog::details::thread_pool;

constexpr std::chrono::seconds tell_dropped_every{1}; ///< Else a slow reader gets little else.

/// Writes each line at once, waiting for room, until it is to end.
class line_sink final : public spdlog::sinks::base_sink<std::mutex> {
public:
  /// `waiting` has the lines that wait, and drops some; it lives as long as lines come from it.
  line_sink(int to, log_format format, thread_pool& waiting)
      : to_(to), format_(format), waiting_(waiting) {}

  /// What finds no room from then on is lost.
  void end_by(clock::time_point until) { until_ = until; }

  /// Lines that were not written.
  std::uint64_t dropped() { return waiting_.overrun_counter() + lost_; }
  /// Those of them that had their turn.
  std::uint64_t lost() const { return lost_; }

  /// Says how many these are, if it has not. No line comes meanwhile.
  void tell(std::uint64_t dropped) {
    if (dropped == told_)
      return;
    auto text = std::to_string(dropped - told_) + " lines were dropped: their reader is too slow";
    if (put(log_line(format_, log_time(), log_level::warn, "log", text, {}) + "\n"))
      told_ = dropped;
    told_at_ = clock::now();
  }

private:
  void sink_it_(const spdlog::details::log_msg& line) override {
    if (clock::now() - told_at_ >= tell_dropped_every)
      tell(dropped());
    if (!put({line.payload.data(), line.payload.size()}))
      ++lost_;
  }
  void flush_() override {}

  bool put(std::string_view line) {
    return to_.write(line, [this] { return clock::now() >= until_.load(); });
  }

  line_output to_;
  const log_format format_;
  thread_pool& waiting_;
  std::atomic<std::uint64_t> lost_{0};
  std::uint64_t told_ = 0;
  clock::time_point told_at_{};
  std::atomic<clock::time_point> until_{clock::time_point::max()};
};

} // namespace

struct log::impl {
  impl(log_format how, log_levels_of which, int to)
      : format(how),
        levels(std::move(which)),
        pool(std::make_shared<thread_pool>(log_lines_max, 1)),
        sink(std::make_shared<line_sink>(to, how, *pool)),
        out(std::make_shared<spdlog::async_logger>("troupe", sink, pool,
                                                   spdlog::async_overflow_policy::overrun_oldest)) {
    out->set_level(spdlog::level::trace);
    out->flush_on(spdlog::level::trace);
    out->set_error_handler([](const std::string&) {}); // There is no other place to tell it.
  }
  ~impl() {
    sink->end_by(clock::now() + log_end_time);
    auto overrun = pool->overrun_counter();
    out.reset();
    pool.reset();
    sink->tell(overrun + sink->lost());
  }

  void put(const std::string& lines) {
    out->log(spdlog::level::info, spdlog::string_view_t{lines.data(), lines.size()});
  }

  const log_format format;
  mutable std::shared_mutex mutex;
  log_levels_of levels;
  std::shared_ptr<thread_pool> pool; ///< Its end writes what waits.
  std::shared_ptr<line_sink> sink;
  std::shared_ptr<spdlog::async_logger> out;
};

log::log(log_format format, log_levels_of levels, int to)
    : impl_(std::make_unique<impl>(format, std::move(levels), to)) {}

std::string log_time() {
  return core::to_text(
      std::chrono::time_point_cast<core::duration>(std::chrono::system_clock::now()));
}

log::~log() = default;

bool log::wants(log_level level, std::string_view module) const {
  std::shared_lock lock{impl_->mutex};
  auto& all = impl_->levels;
  auto own = all.modules.find(module);
  return level != log_level::off && level >= (own == all.modules.end() ? all.usual : own->second);
}

void log::say(log_level level, std::string_view module, std::string_view text,
              std::initializer_list<log_field> fields) {
  if (!wants(level, module))
    return;
  impl_->put(log_line(impl_->format, log_time(), level, module, text, fields) + "\n");
}

void log::put(const std::string& lines) { impl_->put(lines); }

void log::set_levels(log_levels_of levels) {
  std::unique_lock lock{impl_->mutex};
  impl_->levels = std::move(levels);
}

std::uint64_t log::dropped() const { return impl_->sink->dropped(); }

} // namespace troupe::node
