#include "node/http/list_query.hpp"

#include "core/duration.hpp"
#include "core/names.hpp"
#include "core/state_names.hpp"
#include "core/time_text.hpp"

#include <algorithm>

namespace troupe::http {

namespace {

status read_state(std::string_view text, job_filter& to) {
  to.state = core::parse_job_state(text);
  to.unfinished = text == "unfinished";
  if (to.state || to.unfinished)
    return {};
  return error{ec::invalid_spec,
               "there is no state " + core::quoted(text)
                   + "; the states are `pending`, `running`, `paused`, `cancelling`, `stopping`, "
                     "`completed`, `failed`, `cancelled`, `stopped`, and `unfinished` for the "
                     "first five"};
}

/// `key=value`: a job has one value for each name.
status read_label(std::string_view text, job_filter& to) {
  auto equals = text.find('=');
  if (equals == text.npos || !core::is_name(text.substr(0, equals)))
    return error{ec::invalid_spec,
                 "the parameter `label` has the form NAME=VALUE, not " + core::quoted(text)};
  std::string name{text.substr(0, equals)};
  if (!to.labels.emplace(name, text.substr(equals + 1)).second)
    return error{ec::invalid_spec,
                 "the label " + core::quoted(name) + " stands twice: no job has two values of it"};
  return {};
}

/// The time before which a job must have ended: as it is, or so long before `now`.
status read_end(const query_arguments& query, core::shard_time now, job_filter& to) {
  auto before = find(query, "ended_before"), age = find(query, "older_than");
  if (before && age)
    return error{ec::invalid_spec,
                 "`ended_before` and `older_than` say the same; give one of them"};
  if (before) {
    to.ended_before = core::parse_time(*before);
    if (!to.ended_before)
      return error{ec::invalid_spec,
                   core::quoted(*before) + " is no time of RFC 3339, as in 2026-01-31T12:00:00Z"};
  }
  if (age) {
    auto length = core::parse_duration(*age);
    if (!length)
      return error{ec::invalid_spec, core::quoted(*age) + " is no duration, as `90m` or `7d`"};
    to.ended_before = now - std::min<core::duration>(*length, now.time_since_epoch());
  }
  return {};
}

} // namespace

result<job_filter> filter_in(const query_arguments& query, core::shard_time now) {
  job_filter filter;
  if (auto state = find(query, "state"))
    if (auto read = read_state(*state, filter); !read)
      return read.error();
  if (auto queue = find(query, "queue")) {
    if (!core::is_name(*queue))
      return error{ec::invalid_spec, core::quoted(*queue) + " is no name of a queue"};
    filter.queue = *queue;
  }
  if (auto text = find(query, "q"))
    filter.text = *text;
  if (auto read = read_end(query, now, filter); !read)
    return read.error();
  auto [begin, end] = query.equal_range("label");
  for (auto at = begin; at != end; ++at)
    if (auto read = read_label(at->second, filter); !read)
      return read.error();
  return filter;
}

std::string cursor_of(job_id before, std::uint64_t incarnation) {
  return to_string(before) + "." + std::to_string(incarnation);
}

result<std::optional<job_id>> job_cursor_in(const query_arguments& query,
                                            std::uint64_t incarnation) {
  auto text = find(query, "cursor");
  if (!text)
    return std::optional<job_id>{};
  auto dot = text->find('.');
  if (dot != text->npos && text->substr(dot + 1) == std::to_string(incarnation))
    if (auto id = parse_job_id(text->substr(0, dot)))
      return id;
  return error{ec::invalid_spec, "the cursor is none that this store has given; begin the list "
                                 "anew, without it"};
}

result<std::optional<graph_id>> graph_cursor_in(const query_arguments& query) {
  auto text = find(query, "cursor");
  if (!text)
    return std::optional<graph_id>{};
  if (auto id = parse_graph_id(*text))
    return id;
  return error{ec::invalid_spec, "the cursor is no `next` of a list"};
}

} // namespace troupe::http
