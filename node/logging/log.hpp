#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unistd.h>

namespace troupe::node {

enum class log_level : std::uint8_t { trace, debug, info, warn, error, off };

constexpr log_level last(log_level) noexcept { return log_level::off; }
std::string_view to_string(log_level x) noexcept;
std::optional<log_level> parse_log_level(std::string_view text) noexcept;

enum class log_format : std::uint8_t { text, json };

/// Which lines are written.
struct log_levels_of {
  log_level usual = log_level::info;
  std::map<std::string, log_level, std::less<>> modules{}; ///< Of single modules.
};

/// Something that a line tells beside its text: `job`, `request`, … Left out if the text is empty.
struct log_field {
  std::string_view key, text;
};

inline constexpr std::size_t log_lines_max = 8192;     ///< That wait; then the oldest are dropped.
inline constexpr std::chrono::seconds log_end_time{2}; ///< For those that wait at the end.

/// Lines for people and machines: text or JSON, times in UTC (RFC 3339). Writing never blocks the
/// caller: a thread writes, and what a slow reader leaves behind is dropped, counted, and told once
/// lines flow again. What has the form of a key is cut to its id. Thread-safe.
class log {
public:
  /// `to` must outlive this.
  log(log_format format, log_levels_of levels, int to = STDERR_FILENO);
  ~log(); ///< Writes what waits; what its reader has not made room for in time is dropped.
  log(const log&) = delete;
  log& operator=(const log&) = delete;

  /// Whether a line of this level is written; cheap.
  bool wants(log_level level, std::string_view module) const;

  void say(log_level level, std::string_view module, std::string_view text,
           std::initializer_list<log_field> fields = {});

  /// Lines as they are, whatever the levels, in their turn. Each ends with a line end.
  void put(const std::string& lines);

  /// From now on.
  void set_levels(log_levels_of levels);

  /// Lines that were dropped.
  std::uint64_t dropped() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// A whole line without its end, as `log` writes it. Pure.
std::string log_line(log_format format, std::string_view time, log_level level,
                     std::string_view module, std::string_view text,
                     std::initializer_list<log_field> fields);

/// The time of a line that is written now.
std::string log_time();

} // namespace troupe::node
