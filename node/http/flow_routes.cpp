#include "node/http/event_stream.hpp"
#include "node/http/exclusive.hpp"
#include "node/http/flow_poll.hpp"
#include "node/http/flow_request.hpp"
#include "node/http/new_job.hpp"

#include "core/time_text.hpp"

namespace troupe::http {

namespace {

std::string label_of(const job_info& job, std::string_view key) {
  auto found = job.labels.find(std::string{key});
  return found == job.labels.end() ? "" : found->second;
}

/// What the events of a job leave out; reads the disk.
result<flow_about> about(const api_ptr& in, const job_info& job) {
  flow_about x{label_of(job, flow_label), label_of(job, session_label), label_of(job, broken_label),
               !label_of(job, nothing_label).empty()};
  auto graph = in->node.graph(job.graph, job.ns);
  if (!graph)
    return graph.error();
  x.take(*graph);
  return x;
}

/// The node ends, or fails, before the job has ended: that is told as an error, without an `end`.
event_writer writer_of(const flow_about& about) {
  auto teller = std::make_shared<flow_teller>(about);
  auto text = [teller](std::span<const event> events) { return teller->tell(events); };
  auto closing = [about](std::string_view reason) {
    auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    return flow_error(about, "the stream ends before the flow: " + std::string{reason},
                      core::to_text(now));
  };
  return {text, closing, "", {}, [teller] { return teller->rest(); }};
}

/// Answers with all events of a job, as they come. `made` is what the request has made, if it has.
void stream(const api_ptr& in, const call_ptr& to, const job_info& job, bool cancels,
            const std::optional<submitted>& made = {}) {
  on_pool(in, to, [in, to, job, cancels, made] {
    auto known = about(in, job);
    if (!known)
      return refuse(to, known.error());
    in->node.events(job.id, 1,
                    [in, to, known = *known, about = stream_about{job.id, 1, job.events, to->in.id},
                     cancels, made](const result<event_reader>& x) {
                      if (!x)
                        return refuse(to, x.error());
                      if (cancels)
                        cancel_when_gone(in, to, about.job);
                      response answer{200, "application/x-ndjson"};
                      answer.stream =
                          std::make_shared<event_stream>(in, *x, writer_of(known), about);
                      tell_made(answer, made.value_or(submitted{about.job}));
                      to->out(std::move(answer));
                    });
  });
}

void poll(const api_ptr& in, const call_ptr& to, const job_info& job,
          const std::shared_ptr<flow_places>& places) {
  if (terminal(job.state) && places->of(job.id) > job.events)
    return to->out(flow_answer({})); // All was told.
  on_pool(in, to, [in, to, job, places] {
    auto known = about(in, job);
    if (!known)
      return refuse(to, known.error());
    std::make_shared<flow_poll>(in, to, places, std::move(*known), job.id)->begin();
  });
}

/// Nothing: the call is answered.
std::optional<flow_delivery> delivery_of(const call_ptr& to, flow_delivery otherwise) {
  auto text = find(to->in.query, "event_delivery");
  auto how = text ? parse_flow_delivery(*text) : otherwise;
  if (!how)
    to->out(problem_answer(refusal::bad_query, "the parameter `event_delivery` is `streaming`, "
                                               "`polling` or `direct`"));
  return how;
}

/// Whether a job is cancelled when its client goes: `how` must be a delivery that a client waits
/// for, which is `takes_it`. Nothing: the call is answered.
std::optional<bool> cancels_with(const call_ptr& to, flow_delivery how, flow_delivery takes_it) {
  auto cancels = cancels_on_disconnect(to);
  if (!cancels || !*cancels || how == takes_it)
    return cancels;
  to->out(problem_answer(
      refusal::bad_query,
      takes_it == flow_delivery::direct
          ? "`on_disconnect=cancel` goes with `event_delivery=direct`; else say it where "
            "the events are streamed: GET /api/v1/build/{job}/events"
          : "`on_disconnect=cancel` goes with `event_delivery=streaming`: a client that polls goes "
            "each time"));
  return {};
}

/// Every build is kept, whatever it says; the call is answered if it is malformed.
bool takes_log_builds(const call_ptr& to) {
  auto flag = flag_in(to->in.query, "log_builds");
  if (!flag)
    to->out(problem_answer(refusal::bad_query, flag.error().detail));
  return bool(flag);
}

std::string parameter_of(const call_ptr& to, std::string_view name) {
  auto found = find(to->in.query, name);
  return found ? *found : "";
}

/// The graph of a flow that is named by its id alone; false if the call is answered.
bool find_registered(const api_ptr& in, const call_ptr& to, flow_request& x) {
  auto& id = to->in.arguments.name;
  auto graph = parse_graph_id(id);
  auto spec = graph ? read_graph(in->node, to->in.who.ns, *graph) : ec::no_such_graph;
  if (spec)
    x.job.graph = std::move(*spec);
  else if (spec.code() == ec::no_such_graph)
    refuse(to, {ec::no_such_graph, "Flow with id " + id
                                       + " not found: send the flow as `data`, or the id of a "
                                         "registered graph"});
  else
    refuse(to, spec.error());
  return bool(spec);
}

/// The stream of a job that an earlier request has made, and that is gone.
response gone_stream(const request& from, const submitted& made) {
  flow_about about{from.arguments.name, "", ""};
  event why, end;
  why.job = end.job = made.id;
  why.time = end.time = std::chrono::floor<core::duration>(std::chrono::system_clock::now());
  why.type = "error";
  why.data = value::object{{"detail", "the job " + to_string(made.id)
                                          + " that the earlier request with this key has made was "
                                            "deleted; send a new key to run the flow again"}};
  end.type = "end";
  auto answer = flow_answer(flow_text(about, std::vector{why, end}));
  tell_made(answer, made);
  return answer;
}

void answer_built(const api_ptr& in, const call_ptr& to, const submitted& made, flow_delivery how,
                  bool cancels) {
  when_gone_is_known(in, made, [in, to, made, how, cancels](bool gone) {
    if (how != flow_delivery::direct)
      return to->out(made_answer({{"job_id", to_string(made.id)}}, made, gone));
    if (gone)
      return to->out(gone_stream(to->in, made));
    to->in.arguments.job = made.id;
    with_job(in, to,
             [in, to, cancels, made](const job_info& job) { stream(in, to, job, cancels, made); });
  });
}

/// On a thread of the pool.
void build(const api_ptr& in, const call_ptr& to, flow_delivery how, bool cancels) {
  auto read = read_flow_request(to->in.body, to->in.arguments.name, parameter_of(to, "flow_name"));
  if (read.malformed)
    return to->out(problem_answer(refusal::bad_json, *read.malformed));
  if (!read.errors.empty())
    return to->out(
        problem_answer(error{ec::invalid_spec, "the request is not valid"}, read.errors));
  auto& x = read.request;
  if (!x.job.graph && !find_registered(in, to, x))
    return;
  restrict_flow(x, parameter_of(to, "start_component_id"), parameter_of(to, "stop_component_id"));
  auto graph = in->graphs.resolve(to->in.who.ns, x.job);
  if (auto wrong = std::get_if<graph_trouble>(&graph))
    return to->out(graph_answer(*wrong));
  x.job.spec.ns = to->in.who.ns;
  x.job.spec.graph = std::get<known_graph>(graph).id;
  if (!put_in_key(to, x.job.spec))
    return;
  submit_by_rule(in, to, x.job.spec, [in, to, how, cancels](const submit_outcome& outcome) {
    if (!is_refused(to, outcome))
      answer_built(in, to, *outcome.made, how, cancels);
  });
}

void start_build(const api_ptr& in, const call_ptr& to) {
  constexpr parameter known[] = {{"event_delivery"},     {"flow_name"},     {"log_builds"},
                                 {"start_component_id"}, {"on_disconnect"}, {"stop_component_id"}};
  if (has_bad_query(to, known) || !takes_log_builds(to))
    return;
  auto how = delivery_of(to, flow_delivery::polling);
  auto cancels = how ? cancels_with(to, *how, flow_delivery::direct) : std::nullopt;
  if (cancels)
    on_pool(in, to, [in, to, how = *how, cancels = *cancels] { build(in, to, how, cancels); });
}

void read_build(const api_ptr& in, const call_ptr& to, const std::shared_ptr<flow_places>& places) {
  constexpr parameter known[] = {{"event_delivery"}, {"on_disconnect"}};
  if (has_bad_query(to, known))
    return;
  auto how = delivery_of(to, flow_delivery::streaming);
  auto streams = how != flow_delivery::polling; // As `direct` does here, too.
  auto cancels =
      how ? cancels_with(to, *how, streams ? *how : flow_delivery::streaming) : std::nullopt;
  if (!cancels)
    return;
  with_job(in, to, [in, to, places, how = *how, cancels = *cancels](const job_info& job) {
    if (how == flow_delivery::polling)
      poll(in, to, job, places);
    else
      stream(in, to, job, cancels);
  });
}

void cancel_build(const api_ptr& in, const call_ptr& to) {
  if (has_bad_query(to, {}) || !members_of(to, {}))
    return;
  with_job(in, to, [in, to](const job_info& job) {
    in->node.change(
        job.id, job_change::cancel, "the build was cancelled", [to](const status& changed) {
          auto over = changed.code() == ec::illegal_request; // It has ended, or will.
          if (!changed && !over)
            return refuse(to, changed.error());
          to->out(
              json_answer(200, value::object{{"success", true},
                                             {"message", "Flow build cancelled successfully"}}));
        });
  });
}

} // namespace

void add_flow_routes(const api_ptr& to, std::vector<route>& all) {
  using enum body_mode;
  auto places = std::make_shared<flow_places>();
  all.push_back(
      {"POST", "/api/v1/build/{flow}/flow", bound(to, start_build), empty, action::submit});
  all.push_back({"GET", "/api/v1/build/{job}/events",
                 [to, places](const call_ptr& x) { read_build(to, x, places); }});
  all.push_back(
      {"POST", "/api/v1/build/{job}/cancel", bound(to, cancel_build), empty, action::control});
}

} // namespace troupe::http
