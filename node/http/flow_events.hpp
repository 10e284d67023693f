#pragma once

#include "troupe/event.hpp"
#include "troupe/graph_spec.hpp"

#include <span>
#include <string>

/// The events of a job as clients of Langflow's build routes expect them: nine types, each one JSON
/// object `{"event", "data"}` with an empty line behind it. Pure; any thread.
namespace troupe::http {

/// What the events of one job leave out.
struct flow_about {
  std::string flow_id, session;
  std::string broken{}; ///< Why the flow could not be run at all; empty: it could.
  value::list first{};  ///< Vertices that need no other.
  value::list all{};

  void take(const graph_spec& graph);
};

/// Strings and lists longer than these are cut in what is told of a vertex.
inline constexpr std::size_t flow_text_max = 6000;
inline constexpr std::size_t flow_items_max = 1000;

/// The text of events in order; empty if none of them is told. What was skipped by an end is told
/// with that end if both come at once.
std::string flow_text(const flow_about& about, std::span<const event> events);

/// One event `error` with this text.
std::string flow_error(const flow_about& about, const std::string& text, std::string_view time);

} // namespace troupe::http
