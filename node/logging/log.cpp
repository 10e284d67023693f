#include "node/logging/log.hpp"

#include "core/time_text.hpp"

#include <mutex>
#include <shared_mutex>
#include <spdlog/async.h>
#include <spdlog/sinks/base_sink.h>

namespace troupe::node {

namespace {

/// Writes to a file that is open already, each line at once: others may write there, too.
class file_sink final : public spdlog::sinks::base_sink<std::mutex> {
public:
  explicit file_sink(std::FILE* to) : to_(to) {}

private:
  void sink_it_(const spdlog::details::log_msg& line) override {
    std::fwrite(line.payload.data(), 1, line.payload.size(), to_);
  }
  void flush_() override { std::fflush(to_); }

  std::FILE* to_;
};

} // namespace

struct log::impl {
  impl(log_format how, log_levels_of which, std::FILE* to)
      : format(how),
        levels(std::move(which)),
        pool(std::make_shared<spdlog::details::thread_pool>(log_lines_max, 1)),
        out(std::make_shared<spdlog::async_logger>("troupe", std::make_shared<file_sink>(to), pool,
                                                   spdlog::async_overflow_policy::overrun_oldest)) {
    out->set_level(spdlog::level::trace);
    out->flush_on(spdlog::level::trace);
    out->set_error_handler([](const std::string&) {}); // There is no other place to tell it.
  }

  const log_format format;
  mutable std::shared_mutex mutex;
  log_levels_of levels;
  std::shared_ptr<spdlog::details::thread_pool> pool; ///< Its end writes what waits.
  std::shared_ptr<spdlog::async_logger> out;
};

log::log(log_format format, log_levels_of levels, std::FILE* to)
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
  auto line = log_line(impl_->format, log_time(), level, module, text, fields) + "\n";
  impl_->out->log(spdlog::level::info, spdlog::string_view_t{line.data(), line.size()});
}

void log::set_levels(log_levels_of levels) {
  std::unique_lock lock{impl_->mutex};
  impl_->levels = std::move(levels);
}

std::uint64_t log::dropped() const { return impl_->pool->overrun_counter(); }

} // namespace troupe::node
