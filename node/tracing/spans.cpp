#include "node/tracing/spans.hpp"

#include "graph_json/value_json.hpp"

namespace troupe::node {

namespace {

constexpr int internal_kind = 1; ///< SPAN_KIND_INTERNAL
constexpr int error_status = 2;  ///< STATUS_CODE_ERROR

std::string text_in(const value& data, const char* key) {
  auto found = data.find(key);
  return found && found->string() ? *found->string() : std::string{};
}

std::int64_t number_in(const value& data, const char* key) {
  auto found = data.find(key);
  return found && found->integer() ? *found->integer() : 0;
}

/// The parent of what begins in this store: no span has it.
std::uint64_t root_parent(const std::array<std::uint8_t, 16>& trace) {
  std::uint64_t x = 0;
  for (std::size_t i = 8; i < 16; ++i)
    x = x << 8 | trace[i];
  return x;
}

std::string describe(const problem& x) {
  return x.detail.empty() ? x.code : x.code + ": " + x.detail;
}

std::string error_in(const value& data) {
  auto error = data.find("error");
  return error ? describe({text_in(*error, "code"), "", text_in(*error, "detail")}) : std::string{};
}

/// `{"key": …, "value": {"stringValue": …}}`; 64-bit numbers are strings in OTLP's JSON.
value attribute(const std::string& key, const value& x) {
  value::object typed;
  if (auto number = x.integer())
    typed.emplace("intValue", std::to_string(*number));
  else
    typed.emplace("stringValue", x);
  return value::object{{"key", key}, {"value", std::move(typed)}};
}

value attributes_of(const value::object& from) {
  value::list all;
  for (auto& [key, x] : from)
    all.push_back(attribute(key, x));
  return all;
}

std::string nanoseconds_of(time_point x) {
  return std::to_string(std::chrono::nanoseconds{x.time_since_epoch()}.count());
}

value value_of(const span& x) {
  auto ids = core::to_text({x.trace, x.id, true});
  value::object all{{"traceId", ids.substr(3, 32)},
                    {"spanId", ids.substr(36, 16)},
                    {"name", x.name},
                    {"kind", internal_kind},
                    {"startTimeUnixNano", nanoseconds_of(x.begin)},
                    {"endTimeUnixNano", nanoseconds_of(std::max(x.begin, x.end))},
                    {"attributes", attributes_of(x.attributes)}};
  if (x.parent != 0)
    all.emplace("parentSpanId", core::to_text({x.trace, x.parent, true}).substr(36, 16));
  if (!x.error.empty())
    all.emplace("status", value::object{{"code", error_status}, {"message", x.error}});
  return all;
}

} // namespace

core::trace_context root_trace(std::uint64_t high, std::uint64_t low) {
  core::trace_context x;
  for (std::size_t i = 0; i < 8; ++i) {
    x.trace[i] = static_cast<std::uint8_t>(high >> (56 - 8 * i));
    x.trace[8 + i] = static_cast<std::uint8_t>(low >> (56 - 8 * i));
  }
  x.span = low;
  x.sampled = true;
  return x;
}

job_spans::job_spans(const job_info& job, const core::trace_context& in) : job_(job), trace_(in) {
  auto parent = in.span == root_parent(in.trace) ? 0 : in.span;
  span x{in.trace, core::span_of(job.id), parent, job.graph_name, job.created, job.ended, {}, {}};
  if (x.name.empty())
    x.name = "job";
  x.attributes = {{"troupe.job", to_string(job.id)},
                  {"troupe.queue", job.queue},
                  {"troupe.state", to_string(job.state)}};
  if (job.state == job_state::failed)
    x.error = describe(job.error);
  spans_.push_back(std::move(x));
}

/// The span of an attempt, or with 0 that of a vertex; it is made if it is new.
span& job_spans::span_at(const std::string& vertex, std::uint32_t attempt, time_point begin) {
  auto [at, is_new] = places_.try_emplace({vertex, attempt}, spans_.size());
  if (!is_new)
    return spans_[at->second];
  auto parent = attempt == 0 ? core::span_of(job_.id) : core::span_of(job_.id, vertex);
  span x{
      trace_.trace, core::span_of(job_.id, vertex, attempt), parent, vertex, begin, begin, {}, {}};
  x.attributes = {{"troupe.job", to_string(job_.id)}, {"troupe.vertex", vertex}};
  if (attempt != 0)
    x.attributes["troupe.attempt"] = std::int64_t{attempt};
  spans_.push_back(std::move(x));
  return spans_.back();
}

void job_spans::begin(const std::string& vertex, std::uint32_t attempt, const event& x) {
  auto begun = places_.contains({vertex, attempt});
  span_at(vertex, 0, x.time);
  auto& own = span_at(vertex, attempt, x.time);
  if (auto worker = text_in(x.data, "worker"); !worker.empty())
    own.attributes["troupe.worker"] = worker;
  if (begun)
    own.attributes["troupe.redelivered"] = "true";
}

void job_spans::end(const std::string& vertex, std::uint32_t attempt, const event& x) {
  auto took = std::chrono::milliseconds{number_in(x.data, "duration_ms")};
  for (auto number : {std::uint32_t{0}, attempt}) {
    auto& own = span_at(vertex, number, x.time - took);
    own.begin = std::min(own.begin, x.time - took); // Of pure ones start and end are told at once.
    own.end = x.time;
    own.error = error_in(x.data);
    own.attributes["troupe.state"] = text_in(x.data, "state");
  }
}

void job_spans::add(const event& x) {
  auto starts = x.type == "vertex_start";
  auto attempt = number_in(x.data, "attempt");
  if ((!starts && x.type != "end_vertex") || attempt <= 0)
    return; // What is skipped or reused did not run.
  auto vertex = text_in(x.data, "vertex");
  auto number = static_cast<std::uint32_t>(attempt);
  if (spans_.size() + 2 > spans_of_job_max && !places_.contains({vertex, number})) {
    left_out_ += starts;
    return;
  }
  if (starts)
    begin(vertex, number, x);
  else
    end(vertex, number, x);
}

std::vector<span> job_spans::take() && {
  if (left_out_ > 0)
    spans_.front().attributes["troupe.attempts_left_out"] = left_out_;
  return std::move(spans_);
}

std::string otlp_json(const std::vector<span>& spans, const std::string& service,
                      const std::string& version) {
  value::list all;
  for (auto& x : spans)
    all.push_back(value_of(x));
  value::object scope{{"scope", value::object{{"name", "troupe"}, {"version", version}}},
                      {"spans", std::move(all)}};
  value::object resource{
      {"resource", value::object{{"attributes", attributes_of({{"service.name", service},
                                                               {"service.version", version}})}}},
      {"scopeSpans", value::list{std::move(scope)}}};
  return graph_json::to_json(value::object{{"resourceSpans", value::list{std::move(resource)}}});
}

} // namespace troupe::node
