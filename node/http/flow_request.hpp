#pragma once

#include "node/http/job_request.hpp"

/// What requests of Langflow's build routes ask for. Pure; any thread.
namespace troupe::http {

/// How the client gets the events of a build.
enum class flow_delivery : std::uint8_t { streaming, polling, direct };
std::optional<flow_delivery> parse_flow_delivery(std::string_view text) noexcept;

/// What `POST /api/v1/build/{flow}/flow` asks for.
struct flow_request {
  job_request job;    ///< Its graph is unset if the flow is one that is registered.
  std::string broken; ///< Why the flow cannot be run at all; empty: it can.
};

/// Labels of a job that a build route has made.
inline constexpr std::string_view flow_label = "flow_id";
inline constexpr std::string_view session_label = "flow_session";
inline constexpr std::string_view broken_label = "flow_error";
inline constexpr std::string_view nothing_label = "flow_without_components";

/// Reads the body, which may be empty. `name` is that of a flow that has none. Malformed: `errors`
/// or `malformed` of the answer are set.
struct read_flow {
  flow_request request{};
  std::optional<std::string> malformed{}; ///< It is not JSON: why.
  problems errors{};
};
read_flow read_flow_request(std::string_view body, const std::string& flow_id,
                            const std::string& name);

/// Keeps the part of the graph that `start` and `stop` name: nothing, if there is no such
/// component.
void restrict_flow(flow_request& x, const std::string& start, const std::string& stop);

/// Makes a flow in which nothing is to be run a graph of which nothing is told.
void take_nothing(flow_request& x);

/// Makes a flow that cannot be run a graph whose only vertex says why.
void take_broken(flow_request& x, std::string why);

} // namespace troupe::http
