#include "core/render.hpp"

namespace troupe::core {

namespace {

/// Renders one record. Each operator makes the events that `events_of` counts, in order.
class renderer {
public:
  renderer(const job& x, const record& r, const changes& seen, const event_sink& sink)
      : job_(x), record_(r), seen_(seen), sink_(sink), id_(x.events - events_of(r, seen)) {}

  bool more() const noexcept { return more_; }

  void operator()(const job_added&) {
    tell("state", {{"from", {}}, {"to", "pending"}, {"reason", "submitted"}});
  }

  void operator()(const job_moved& x) {
    value::object data{{"from", to_string(x.from)}, {"to", to_string(x.to)}};
    if (!x.reason.empty())
      data.emplace("reason", x.reason);
    tell("state", std::move(data));
    if (x.from == job_state::pending && x.to == job_state::running)
      tell_sorted();
    if (terminal(x.to))
      tell_end(x);
  }

  void operator()(const attempt_started& x) {
    tell_reset(x.vertex, x.number);
    tell_start(x.vertex, x.number);
  }

  void operator()(const attempt_leased& x) {
    tell_reset(x.vertex, x.number);
    tell_start(x.vertex, x.number, x.worker);
  }

  void operator()(const attempt_ended& x) {
    tell_vertex_end(x.end, attempts(x.end.vertex), 0);
    tell_skipped(0);
  }

  void operator()(const vertices_ended& x) {
    for (std::uint32_t i = 0; i < x.ends.size(); ++i) {
      if (is_ignored(i))
        continue;
      auto& end = x.ends[i];
      auto number = attempts(end.vertex) + (end.outcome == attempt_end::succeeded);
      tell_start(end.vertex, number);
      tell_vertex_end(end, number, i);
      tell_skipped(i);
    }
  }

  void operator()(const vertices_reused& x) {
    for (std::uint32_t i = 0; i < x.ends.size(); ++i) {
      if (is_ignored(i))
        continue;
      tell("end_vertex", {{"vertex", name(x.ends[i].vertex)},
                          {"attempt", 0},
                          {"state", "succeeded"},
                          {"reused", true},
                          {"output", by_reference(x.ends[i].output)}});
      tell_skipped(i);
    }
  }

  void operator()(const stream_appended& x) {
    value::object data{{"vertex", name(x.vertex)},
                       {"attempt", std::int64_t{x.attempt}},
                       {"offset", static_cast<std::int64_t>(x.offset)},
                       {"text", x.text}};
    if (x.cut)
      data.emplace("cut", true);
    tell(type_of(x.kind), std::move(data), true);
  }

  void operator()(const message_added& x) {
    tell("add_message", {{"text", x.text}, {"sender", "user"}});
  }

  void operator()(const auto&) {}

private:
  void tell(std::string_view type, value::object data, bool stream = false) {
    ++id_;
    if (more_)
      more_ = sink_({job_.id, id_, type, stream, record_.at, std::move(data)});
  }

  static std::string_view type_of(stream_kind kind) {
    switch (kind) {
    case stream_kind::log: return "log";
    case stream_kind::token: return "token";
    case stream_kind::progress: return "progress";
    }
    return "log";
  }

  /// Asked for rising positions: goes on through the list.
  bool is_ignored(std::uint32_t position) {
    auto hit = ignored_ < seen_.ignored.size() && seen_.ignored[ignored_] == position;
    ignored_ += hit;
    return hit;
  }

  std::string name(vertex_index v) const { return job_.plan->names[v]; }

  std::uint32_t attempts(vertex_index v) const {
    auto found = job_.run->details.find(v);
    return found == job_.run->details.end() ? 0 : found->second.attempts;
  }

  void tell_reset(vertex_index v, std::uint32_t number) {
    if (seen_.reset)
      tell("reset", {{"vertex", name(v)}, {"attempt", std::int64_t{number}}}, true);
  }

  void tell_start(vertex_index v, std::uint32_t number, const std::string& worker = {}) {
    value::object data{{"vertex", name(v)}, {"attempt", std::int64_t{number}}};
    if (!worker.empty())
      data.emplace("worker", worker);
    tell("vertex_start", std::move(data));
  }

  void tell_vertex_end(const vertex_outcome& x, std::uint32_t number, std::uint32_t cause) {
    value::object data{{"vertex", name(x.vertex)},
                       {"attempt", std::int64_t{number}},
                       {"state", state_after(x)},
                       {"duration_ms", x.took.count()},
                       {"next", names_of(seen_.ready, ready_, cause)}};
    if (x.outcome == attempt_end::succeeded)
      data.emplace("output", by_reference(x.output));
    else
      data.emplace("error", to_value(x.error));
    if (x.retry_at != shard_time{})
      data.emplace("retry_at_ms", x.retry_at.time_since_epoch().count());
    tell("end_vertex", std::move(data));
  }

  static const char* state_after(const vertex_outcome& x) {
    if (x.retry_at != shard_time{})
      return to_string(vertex_state::backoff);
    if (x.outcome == attempt_end::succeeded)
      return to_string(vertex_state::succeeded);
    return to_string(x.outcome == attempt_end::cancelled ? vertex_state::cancelled
                                                         : vertex_state::failed);
  }

  /// The vertices that outcome number `cause` led to; `at` goes on through the list.
  value::list names_of(const std::vector<vertex_change>& from, std::size_t& at,
                       std::uint32_t cause) {
    value::list names;
    for (; at < from.size() && from[at].cause == cause; ++at)
      names.emplace_back(name(from[at].vertex));
    return names;
  }

  void tell_skipped(std::uint32_t cause) {
    for (auto& skipped : names_of(seen_.skipped, skipped_, cause))
      tell("end_vertex", {{"vertex", std::move(skipped)}, {"attempt", 0}, {"state", "skipped"}});
  }

  void tell_sorted() {
    value::list ids;
    auto& plan = *job_.plan;
    for (vertex_index v = 0; v < plan.size() && ids.size() < sorted_ids_max; ++v)
      ids.emplace_back(plan.names[v]);
    tell("vertices_sorted", {{"ids", std::move(ids)},
                             {"count", std::int64_t{plan.size()}},
                             {"layers", std::int64_t{plan.layers}}});
  }

  void tell_end(const job_moved& x) {
    value::object data{{"state", to_string(x.to)}};
    if (x.to == job_state::failed) {
      tell("error", *value{to_value(x.error)}.members());
      data.emplace("error", to_value(x.error));
    } else if (x.to == job_state::completed) {
      data.emplace("result", result_of(job_, by_reference));
    }
    tell("end", std::move(data));
  }

  const job& job_;
  const record& record_;
  const changes& seen_;
  const event_sink& sink_;
  std::uint64_t id_;
  std::size_t ready_ = 0, skipped_ = 0, ignored_ = 0;
  bool more_ = true;
};

} // namespace

bool render(const job& x, const record& r, const changes& seen, const event_sink& sink) {
  if (events_of(r, seen) == 0)
    return true;
  renderer out{x, r, seen, sink};
  std::visit(out, r.body);
  return out.more();
}

} // namespace troupe::core
