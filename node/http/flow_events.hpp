#pragma once

#include "troupe/event.hpp"
#include "troupe/graph_spec.hpp"

#include <map>
#include <span>
#include <string>

/// The events of a job as clients of Langflow's build routes expect them: nine types, each one JSON
/// object `{"event", "data"}` with an empty line behind it. Pure; any thread.
namespace troupe::http {

/// What the events of one job leave out.
struct flow_about {
  std::string flow_id, session;
  std::string broken{}; ///< Why the flow could not be run at all; empty: it could.
  bool nothing = false; ///< No component was to be run.
  value::list first{};  ///< Vertices that need no other.
  value::list all{};    ///< And the groups of some.
  std::map<std::string, std::string> groups{}; ///< Of vertices that are in one.

  void take(const graph_spec& graph);
};

/// Strings and lists longer than these are cut in what is told of a vertex.
inline constexpr std::size_t flow_text_max = 6000;
inline constexpr std::size_t flow_items_max = 1000;

/// Writes the events of one job, wherever what was read of them is cut: a vertex that has ended is
/// told with all that its end has skipped, which are the events right behind it.
class flow_teller {
public:
  explicit flow_teller(flow_about about) : about_(std::move(about)) {}

  /// The text of the next events in order, without an end that may have skipped more.
  std::string tell(std::span<const event> events);
  /// The text of that end: there are no further events now.
  std::string rest();
  bool holds_back() const noexcept { return ended_.has_value(); }
  /// The number of the first event that is not told yet; 0 before the first one.
  std::uint64_t next() const noexcept { return ended_ ? ended_->id : next_; }

private:
  flow_about about_;
  std::optional<event> ended_; ///< It is held back,
  value::list skipped_;        ///< with these so far.
  std::uint64_t next_ = 0;
};

/// The text of all these events; empty if none of them is told.
std::string flow_text(const flow_about& about, std::span<const event> events);

/// One event `error` with this text.
std::string flow_error(const flow_about& about, const std::string& text, std::string_view time);

} // namespace troupe::http
