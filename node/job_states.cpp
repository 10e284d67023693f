#include "node/job_states.hpp"

#include "core/duration.hpp"
#include "core/names.hpp"
#include "core/state_names.hpp"

#include <vector>

namespace troupe::node {

namespace {

trouble no_state(const std::string& name, const std::vector<std::string_view>& names) {
  return {fault::bad_usage, "there is no state " + core::quoted(name),
          "the states are " + core::listed(names) + core::did_you_mean(name, names),
          "--state failed"};
}

} // namespace

answer<std::optional<job_state>> state_of(const std::optional<std::string>& name) {
  if (!name)
    return std::optional<job_state>{};
  if (auto state = core::parse_job_state(*name))
    return state;
  return no_state(*name, core::job_state_names());
}

answer<std::pair<std::string, std::string>> label_of(const std::string& text) {
  auto equals = text.find('=');
  if (equals != text.npos && core::is_name(text.substr(0, equals)))
    return std::pair{text.substr(0, equals), text.substr(equals + 1)};
  return trouble{fault::bad_usage, core::quoted(text) + " is no label",
                 equals == text.npos ? "a label has the form NAME=VALUE"
                                     : core::quoted(text.substr(0, equals))
                                           + " is no name: 1 to 128 of A-Z a-z 0-9 _ . : -",
                 "--label team=data"};
}

answer<job_filter> filter_of(const job_query& x) {
  job_filter filter;
  filter.unfinished = x.state == "unfinished";
  auto state = state_of(filter.unfinished ? std::nullopt : x.state);
  if (!state) {
    auto names = core::job_state_names();
    names.push_back("unfinished");
    return no_state(*x.state, names);
  }
  filter.state = *state;
  filter.queue = x.queue;
  filter.text = x.text;
  for (auto& text : x.labels) {
    auto label = label_of(text);
    if (!label)
      return label.trouble();
    filter.labels.insert(*label);
  }
  if (!x.older_than)
    return filter;
  auto age = core::parse_duration(*x.older_than);
  if (!age)
    return trouble{fault::bad_usage, core::quoted(*x.older_than) + " is no duration",
                   "a duration looks like 30d, 12h or 90s", "--older-than 30d"};
  auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  filter.ended_before = now - *age;
  return filter;
}

answer<job_filter> ended_filter_of(const job_query& x) {
  auto filter = filter_of(x);
  if (!filter)
    return filter;
  if (filter->unfinished || (filter->state && !terminal(*filter->state)))
    return trouble{fault::bad_usage, "jobs that are " + *x.state + " have not ended",
                   "only jobs that have ended are meant here",
                   "--state completed, failed, cancelled or stopped"};
  return filter;
}

answer<job_filter> unfinished_filter_of(const job_query& x) {
  auto filter = filter_of(x);
  if (filter && filter->state && terminal(*filter->state))
    return trouble{fault::bad_usage, "jobs that are " + *x.state + " have ended",
                   "only jobs that have not ended are meant here",
                   "--state unfinished, pending, running or paused"};
  return filter;
}

} // namespace troupe::node
