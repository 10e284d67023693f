#include "node/show.hpp"

#include "core/time_text.hpp"

namespace troupe::node {

namespace {

value time_of(time_point x) { return x == time_point{} ? value{} : value{core::to_text(x)}; }

value progress_of(const job_info& x) {
  value::object all{{"vertices", std::int64_t{x.vertices}}};
  for (unsigned i = 0; i < vertex_states; ++i)
    all.emplace(to_string(vertex_state(i)), std::int64_t{x.count[i]});
  return all;
}

} // namespace

value to_value(const problem& x) {
  return value::object{{"code", x.code}, {"pointer", x.pointer}, {"detail", x.detail}};
}

value row_value(const job_info& x) {
  value::object labels;
  for (auto& [key, text] : x.labels)
    labels.emplace(key, text);
  return value::object{{"id", to_string(x.id)},
                       {"state", to_string(x.state)},
                       {"graph", to_string(x.graph)},
                       {"graph_name", x.graph_name},
                       {"queue", x.queue},
                       {"labels", std::move(labels)},
                       {"created_at", time_of(x.created)},
                       {"started_at", time_of(x.started)},
                       {"completed_at", time_of(x.ended)},
                       {"expires_at", time_of(x.expires_at)},
                       {"error", x.error.code.empty() ? value{} : to_value(x.error)},
                       {"retry_of", x.retry_of ? value{to_string(*x.retry_of)} : value{}}};
}

value to_value(const job_info& x) {
  auto all = row_value(x);
  all["events"] = static_cast<std::int64_t>(x.events);
  all["progress"] = progress_of(x);
  if (!x.messages.empty())
    all["messages"] = value::list(x.messages.begin(), x.messages.end());
  return all;
}

value to_value(const event& x) {
  return value::object{{"id", static_cast<std::int64_t>(x.id)},
                       {"event", std::string{x.type}},
                       {"data", x.data},
                       {"time", core::to_text(x.time)},
                       {"job", to_string(x.job)}};
}

value to_value(const std::vector<vertex_failure>& failures) {
  value::list all;
  for (auto& [vertex, why] : failures)
    all.emplace_back(value::object{{"vertex", vertex}, {"code", why.code}, {"detail", why.detail}});
  return all;
}

std::string short_text(const graph_id& x) { return to_string(x).substr(0, 12); }

} // namespace troupe::node
